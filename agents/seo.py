"""How well a text serves search and its readers: named checks with points, after Yoast's published thresholds.

Each check gives at most 9 points; the score is sum / (9 x checks), from 0 to 1. Facts only were taken from
Yoast's documentation (developer.yoast.com, "SEO and readability assessments"). Invariants: pure; a piece is
judged by the norms of its kind (an e-mail has a subject, no meta description), and by what was asked
for: length counts against the target, not against an absolute minimum.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from agents.readability import flesch, paragraphs, plain, sections, sentences, word_count, words
from agents.seo_english import participle, transition

BEST = 9
ACCEPTABLE = 6  #: below this a check asks for a revision
LENGTH_TOLERANCE = 0.15


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """What is judged."""

    title: str
    body: str  #: Markdown
    meta_description: str = ""
    call_to_action: str = ""
    keywords: tuple[str, ...] = ()  #: the first is the keyphrase, the others are to occur
    target_length: int = 0  #: words; 0 = any
    language: str = "en"


@dataclass(frozen=True, slots=True)
class Finding:
    """Outcome of one check."""

    check: str
    points: int  #: at most 9; negative for what search engines punish
    message: str  #: empty when nothing is to be said

    @property
    def ok(self) -> bool:
        """Whether it is good enough to be left as it is."""
        return self.points >= ACCEPTABLE


@dataclass(frozen=True, slots=True)
class Report:
    """All checks of one text."""

    score: float  #: 0..1
    findings: tuple[Finding, ...]

    @property
    def problems(self) -> tuple[Finding, ...]:
        """What a revision should mend."""
        return tuple(finding for finding in self.findings if not finding.ok)


def kind_of(content_type: str, target_length: int = 0) -> str:
    """Return the norms that a content type is judged by: page, email, social or ad."""
    name = re.sub(r"[\s\-]+", "_", content_type.strip().lower())
    for kind, marks in _KINDS.items():
        if any(mark in name.split("_") for mark in marks):
            return kind
    return "page" if target_length == 0 or target_length >= 200 else "social"


def assess(text: Text, content_type: str) -> Report:
    """Judge ``text`` by the norms of its kind."""
    checks = NORMS[kind_of(content_type, text.target_length)]
    findings = tuple(found for name in checks if (found := CHECKS[name](name, text)) is not None)
    if not findings:
        return Report(0.0, ())
    score = sum(finding.points for finding in findings) / (BEST * len(findings))
    return Report(round(min(1.0, max(0.0, score)), 4), findings)


def uses(text: str, phrase: str) -> int:
    """Count how often ``phrase`` stands in ``text`` as whole words, in any case and with a plural ending or without."""
    wanted = [_stem(word) for word in words(phrase)]
    if not wanted:
        return 0
    found = [_stem(word) for word in words(text)]
    size = len(wanted)
    return sum(found[at : at + size] == wanted for at in range(len(found) - size + 1))


def _stem(word: str) -> str:
    word = word.lower().replace("’", "'").removesuffix("'s")
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word


def _length(name: str, text: Text) -> Finding | None:
    if text.target_length <= 0:
        return None
    count, target = word_count(text.body), text.target_length
    away = abs(count - target) / target
    if away <= LENGTH_TOLERANCE:
        return Finding(name, BEST, "")
    low, high = round(target * (1 - LENGTH_TOLERANCE)), round(target * (1 + LENGTH_TOLERANCE))
    points = 5 if away <= 2 * LENGTH_TOLERANCE else 2
    return Finding(name, points, f"the text has {count} words; {target} were asked for ({low} to {high})")


def _meta_description(name: str, text: Text) -> Finding:
    size = len(text.meta_description.strip())
    if 121 <= size <= 156:
        return Finding(name, BEST, "")
    # Yoast gives 6 for a wrong length; we ask for a revision, since a model mends it in one go.
    return Finding(name, 5 if size else 1, f"the meta description has {size} characters; 121 to 156 are shown in full")


# Widths in 1/1000 em from the Helvetica font metrics, which Arial shares.
_WIDTHS: Mapping[int, str] = MappingProxyType(
    {
        222: "ijl'’‘",
        278: " !,./:;ftI[]|",
        333: "()-r“”",
        500: "Jcksvxyz",
        611: "FTZ",
        667: "ABEKPSVXY&",
        722: "CDHNRUw",
        778: "GOQ",
        833: "Mm",
        889: "%",
        944: "W",
        1000: "@—…",
    }
)
_WIDTH_OF = MappingProxyType({letter: width for width, letters in _WIDTHS.items() for letter in letters})


def title_width(title: str) -> int:
    """Return the pixels of a title in a result list, set in Arial at 20 px.

    Letters outside the table count as wide as an "a".
    """
    return round(sum(_WIDTH_OF.get(letter, 556) for letter in title) * 20 / 1000)


def _title(name: str, text: Text) -> Finding:
    width = title_width(text.title)
    if not text.title.strip():
        return Finding(name, 1, "there is no title")
    if 400 <= width <= 600:
        return Finding(name, BEST, "")
    return Finding(name, 6, f"the title is about {width} pixels wide; 400 to 600 are best")


def _subject(name: str, text: Text) -> Finding:
    size = len(text.title.strip())
    if 10 <= size <= 60:
        return Finding(name, BEST, "")
    return Finding(name, 5 if size else 1, f"the subject has {size} characters; 10 to 60 are shown on a phone")


def _keyword_in_title(name: str, text: Text) -> Finding | None:
    if not text.keywords:
        return None
    if uses(text.title, text.keywords[0]):
        return Finding(name, BEST, "")
    stems = {_stem(w) for w in words(text.title)}
    partly = all(_stem(w) in stems for w in words(text.keywords[0]))
    return Finding(name, 6 if partly else 2, f"the keyphrase {text.keywords[0]!r} does not stand in the title")


def _keyword_in_introduction(name: str, text: Text) -> Finding | None:
    blocks = paragraphs(text.body)
    if not text.keywords or not blocks:
        return None
    wanted = {_stem(w) for w in words(text.keywords[0])}
    if any(wanted <= {_stem(w) for w in words(s)} for s in sentences(blocks[0])):
        return Finding(name, BEST, "")
    spread = wanted <= {_stem(w) for w in words(blocks[0])}
    return Finding(name, 6 if spread else 3, f"the first paragraph lacks the keyphrase {text.keywords[0]!r}")


def _keyword_density(name: str, text: Text) -> Finding | None:
    total = word_count(text.body)
    if not text.keywords or total < 100:
        return None
    count = uses(plain(text.body), text.keywords[0])
    density = 100 * count / total
    said = f"the keyphrase {text.keywords[0]!r} is used {count} times ({density:.1f} %); 0.5 to 3 % are good"
    if density > 4:
        return Finding(name, -50, said)
    if density > 3.5:  # Yoast's bound where word forms count
        return Finding(name, -10, said)
    return Finding(name, BEST, "") if density >= 0.5 and count >= 2 else Finding(name, 4, said)


def _keywords_used(name: str, text: Text) -> Finding | None:
    if not text.keywords:
        return None
    whole = f"{text.title}\n{text.body}\n{text.call_to_action}"
    missing = [keyword for keyword in text.keywords if not uses(whole, keyword)]
    if not missing:
        return Finding(name, BEST, "")
    points = 2 if text.keywords[0] in missing else 5
    return Finding(name, points, f"never used: {', '.join(map(repr, missing[:5]))}")


def _keyword_present(name: str, text: Text) -> Finding | None:
    if not text.keywords:
        return None
    found = uses(f"{text.title}\n{text.body}", text.keywords[0])
    return Finding(name, BEST, "") if found else Finding(name, 3, f"the text never says {text.keywords[0]!r}")


def _one_heading(name: str, text: Text) -> Finding:
    if re.search(r"^#\s", text.body, re.MULTILINE):
        return Finding(name, 1, "the title is the only first-level heading; use ## inside the text")
    return Finding(name, BEST, "")


def _subheadings(name: str, text: Text) -> Finding:
    longest = max((len(words(part)) for part in sections(text.body)), default=0)
    if longest <= 300:
        return Finding(name, BEST, "")
    return Finding(name, 3, f"{longest} words stand without a subheading; at most 300 should")


def _paragraphs(name: str, text: Text) -> Finding:
    longest = max((len(words(block)) for block in paragraphs(text.body)), default=0)
    if longest <= 150:
        return Finding(name, BEST, "")
    return Finding(name, 6 if longest <= 200 else 3, f"a paragraph has {longest} words; at most 150 read well")


def _sentences(name: str, text: Text) -> Finding | None:
    share = _share(text, lambda sentence: len(words(sentence)) > 20)
    if share is None:
        return None
    if share <= 25:
        return Finding(name, BEST, "")
    said = f"{share:.0f} % of the sentences have more than 20 words; at most 25 % should"
    return Finding(name, 6 if share <= 30 else 3, said)


def _openings(name: str, text: Text) -> Finding:
    firsts = [words(s)[0].lower() for s in sentences(plain(text.body))]
    for a, b, c in zip(firsts, firsts[1:], firsts[2:], strict=False):
        if a == b == c:
            return Finding(name, 3, f"three sentences in a row begin with {a!r}")
    return Finding(name, BEST, "")


def _passive(name: str, text: Text) -> Finding | None:
    share = _share(text, participle) if _english(text) else None
    if share is None:
        return None
    if share <= 10:
        return Finding(name, BEST, "")
    return Finding(name, 6 if share <= 15 else 3, f"{share:.0f} % of the sentences are passive; at most 10 % should be")


def _transitions(name: str, text: Text) -> Finding | None:
    share = _share(text, transition) if _english(text) and word_count(text.body) >= 200 else None
    if share is None:
        return None
    if share >= 30:
        return Finding(name, BEST, "")
    said = f"{share:.0f} % of the sentences have a transition word; at least 30 % read well"
    return Finding(name, 6 if share >= 20 else 3, said)


def _readability(name: str, text: Text) -> Finding | None:
    ease = flesch(plain(text.body)) if _english(text) else None
    if ease is None:
        return None
    if ease > 60:
        return Finding(name, BEST, "")
    # Specialists' words push the ease of a sound text below 50; only below 30 (academic) is a rewrite asked for.
    points = 7 if ease >= 50 else 6 if ease >= 30 else 3
    return Finding(name, points, f"the reading ease is {ease:.0f}; above 60 reads easily")


def _call_to_action(name: str, text: Text) -> Finding:
    if text.call_to_action.strip():
        return Finding(name, BEST, "")
    return Finding(name, 2, "there is no call to action")


def _share(text: Text, test: Callable[[str], bool]) -> float | None:
    """Return the percentage of the body's sentences that pass ``test``, or None without sentences."""
    found = sentences(plain(text.body))
    return 100 * sum(map(test, found)) / len(found) if found else None


def _english(text: Text) -> bool:
    return text.language.lower().startswith("en")


_KINDS: Mapping[str, Sequence[str]] = MappingProxyType(
    {
        # In this order: a "facebook ad" is an ad, a "blog post" no social post.
        "email": ("email", "mail", "newsletter"),
        "page": ("blog", "article", "landing", "page", "guide", "study", "paper", "whitepaper", "ebook"),
        "ad": ("ad", "ads", "advert", "banner"),
        "social": ("social", "tweet", "post", "linkedin", "facebook", "instagram", "thread"),
    }
)
CHECKS: Mapping[str, Callable[[str, Text], Finding | None]] = MappingProxyType(
    {
        "length": _length,
        "meta_description": _meta_description,
        "title_width": _title,
        "subject_length": _subject,
        "keyword_in_title": _keyword_in_title,
        "keyword_in_introduction": _keyword_in_introduction,
        "keyword_density": _keyword_density,
        "keywords_used": _keywords_used,
        "keyword_present": _keyword_present,
        "one_heading": _one_heading,
        "subheadings": _subheadings,
        "paragraph_length": _paragraphs,
        "sentence_length": _sentences,
        "sentence_openings": _openings,
        "passive_voice": _passive,
        "transition_words": _transitions,
        "readability": _readability,
        "call_to_action": _call_to_action,
    }
)
_READABLE = ("paragraph_length", "sentence_length", "sentence_openings", "passive_voice", "readability")
#: Which checks judge which kind of content.
NORMS: Mapping[str, Sequence[str]] = MappingProxyType(
    {
        "page": (
            "length",
            "meta_description",
            "title_width",
            "keyword_in_title",
            "keyword_in_introduction",
            "keyword_density",
            "keywords_used",
            "one_heading",
            "subheadings",
            "transition_words",
            "call_to_action",
            *_READABLE,
        ),
        "email": ("length", "subject_length", "keyword_present", "call_to_action", *_READABLE),
        "social": ("length", "keyword_present", "call_to_action", "sentence_length", "readability"),
        "ad": ("length", "keyword_present", "call_to_action", "sentence_length"),
    }
)
