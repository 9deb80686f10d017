"""Checks of the keyphrase: where it stands, how often, how evenly, and whether the other keywords are there."""

from __future__ import annotations

from agents.readability import headings, paragraphs, plain, sentences, word_count
from agents.seo.keyphrase import mentions, mentions_of, stems_of, uses, wanted_stems
from agents.seo.text import BEST, Finding, Text

MIN_WORDS = 100  #: density says nothing of shorter texts
MIN_SENTENCES = 15  #: distribution says nothing of shorter texts


def in_title(name: str, text: Text) -> Finding | None:
    """Check that the title says the keyphrase."""
    if not text.keywords:
        return None
    phrase = text.keywords[0]
    if uses(text.title, phrase):
        return Finding(name, BEST, "")
    wanted = wanted_stems(phrase, text.language)
    partly = bool(wanted) and set(wanted) <= set(stems_of(text.title, text.language, wanted))
    return Finding(name, 6 if partly else 2, f"the keyphrase {phrase!r} does not stand in the title")


def in_introduction(name: str, text: Text) -> Finding | None:
    """Check that a sentence of the first paragraph has all words of the keyphrase."""
    blocks = paragraphs(text.body)
    if not text.keywords or not blocks:
        return None
    phrase = text.keywords[0]
    if any(mentions_of(sentences(blocks[0]), phrase, text.language)):
        return Finding(name, BEST, "")
    wanted = wanted_stems(phrase, text.language)
    spread = set(wanted) <= set(stems_of(blocks[0], text.language, wanted))
    return Finding(name, 6 if spread else 3, f"the first paragraph lacks the keyphrase {phrase!r}")


def density(name: str, text: Text) -> Finding | None:
    """Check that the keyphrase, in any of its forms, stands in 0.5 to 3 % of the words and at least twice."""
    total = word_count(text.body)
    if not text.keywords or total < MIN_WORDS:
        return None
    phrase = text.keywords[0]
    count = max(uses(plain(text.body), phrase), mentions(plain(text.body), phrase, text.language))
    found = 100 * count / total
    said = f"the keyphrase {phrase!r} is used {count} times ({found:.1f} %); 0.5 to 3 % are good"
    if found > 4:
        return Finding(name, -50, said)
    if found > 3.5:  # Yoast's bound where word forms count
        return Finding(name, -10, said)
    return Finding(name, BEST, "") if found >= 0.5 and count >= 2 else Finding(name, 4, said)


def distribution(name: str, text: Text) -> Finding | None:
    """Check that the keyphrase, or a word of it, comes back throughout the text.

    Judged by the longest stretch of sentences without: up to 30 % of the text is good, above 50 % is bad (Yoast,
    "Keyphrase distribution").
    """
    found = sentences(plain(text.body))
    if not text.keywords or len(found) < MIN_SENTENCES:
        return None
    wanted = set(wanted_stems(text.keywords[0], text.language))
    longest = run = 0
    for sentence in found:
        run = 0 if wanted & set(stems_of(sentence, text.language, [*wanted])) else run + 1
        longest = max(longest, run)
    share = longest / len(found)
    if share <= 0.3:
        return Finding(name, BEST, "")
    said = f"{longest} of {len(found)} sentences in a row have no word of the keyphrase {text.keywords[0]!r}"
    return Finding(name, 6 if share <= 0.5 else 4, said)


def in_subheadings(name: str, text: Text) -> Finding | None:
    """Check that 30 to 75 % of the subheadings reflect the keyphrase or the topic."""
    found = headings(text.body)
    if not text.keywords or not found:
        return None
    wanted = {*wanted_stems(text.keywords[0], text.language), *wanted_stems(text.topic, text.language)}
    share = sum(bool(wanted & set(wanted_stems(one, text.language))) for one in found) / len(found)
    if 0.3 <= share <= 0.75 or (share > 0 and len(found) == 1):
        return Finding(name, BEST, "")
    if share > 0.75:
        return Finding(name, 6, f"{share:.0%} of the subheadings say the keyphrase; at most 75 % should")
    return Finding(name, 6, f"{share:.0%} of the subheadings reflect the keyphrase or the topic; 30 to 75 % should")


def all_used(name: str, text: Text) -> Finding | None:
    """Check that every keyword of the brief is used, in any of its forms."""
    if not text.keywords:
        return None
    missing = [one for one in text.keywords if not uses(text.whole, one) and not _mentioned(text, one)]
    if not missing:
        return Finding(name, BEST, "")
    points = 2 if text.keywords[0] in missing else 5
    return Finding(name, points, f"never used: {', '.join(map(repr, missing[:5]))}")


def present(name: str, text: Text) -> Finding | None:
    """Check that a short text says the keyphrase at all."""
    if not text.keywords:
        return None
    phrase = text.keywords[0]
    found = uses(f"{text.title}\n{text.body}", phrase) or _mentioned(text, phrase)
    return Finding(name, BEST, "") if found else Finding(name, 3, f"the text never says {phrase!r}")


def _mentioned(text: Text, phrase: str) -> bool:
    return mentions(f"{text.title}\n{plain(text.body)}\n{text.call_to_action}", phrase, text.language) > 0
