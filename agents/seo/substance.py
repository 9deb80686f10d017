"""What no text can do without: its own words, sense, the language asked for, the topic asked for.

Each of these checks caps the score of the whole text, so that none of the others can make up for it. Thresholds were
set on texts of tests/agents/test_seo_gaming.py, part of which was kept aside. Grammatical nonsense about the right
topic is beyond them; a person, or the judge of a guideline, has to see it.
"""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

from agents.languages import detection
from agents.languages.language import LANGUAGES, Language, code_of, language
from agents.readability import paragraphs, plain, sentences, words
from agents.seo.keyphrase import stems, wanted_stems
from agents.seo.text import BEST, Finding, Text

WORTHLESS = 0.2  #: most that a text scores which nobody should publish
_GRAM = 5  #: words of a stretch that is looked for again
_SURE = 0.9
_LEAST_FUNCTION_WORDS = 0.12  #: of the words of a text in sentences; running text has 0.3 to 0.6
_MIN_PART = 12  #: words of a paragraph whose language can be told


def repetition(name: str, text: Text) -> Finding | None:
    """Check how much of the body is said again: in stretches of five words, and in whole sentences."""
    found = [word.lower() for word in words(plain(text.body))]
    if len(found) < 2 * _GRAM:
        return None
    grams = [tuple(found[at : at + _GRAM]) for at in range(len(found) - _GRAM + 1)]
    again = 1 - len(set(grams)) / len(grams)
    counted = Counter(" ".join(words(one)).lower() for one in sentences(plain(text.body)))
    total = sum(len(one.split()) * times for one, times in counted.items())
    same = sum(len(one.split()) * (times - 1) for one, times in counted.items()) / max(1, total)
    share = max(again, same)
    if share <= 0.25:
        return Finding(name, BEST, "")
    said = f"{share:.0%} of the text repeats what it has said before"
    if again <= 0.5 and same <= 0.4:
        return Finding(name, 6, said)
    return Finding(name, -10, said, cap=max(WORTHLESS, 0.8 - share))


def sense(name: str, text: Text) -> Finding | None:
    """Check that the body is made of sentences: function words at their places, not a heap of words."""
    rules = language(text.language)
    body = plain(text.body)
    found = [word.lower() for word in words(body)]
    if rules is None or len(found) < 20:
        return None
    share = sum(word in rules.stop_words for word in found) / len(found)
    listed = sentences(body)
    broken = sum(_broken(one, rules) for one in listed) / max(1, len(listed))
    if share < _LEAST_FUNCTION_WORDS:
        said = f"only {share:.0%} of the words are function words of {rules.name}: it is no running text"
        return Finding(name, -10, said, cap=WORTHLESS)
    if broken > 0.15 and broken * len(listed) >= 2:
        return Finding(name, -10, f"{broken:.0%} of the sentences are broken", cap=WORTHLESS)
    return Finding(name, BEST, "")


def _broken(sentence: str, rules: Language) -> bool:
    """Return whether a sentence ends, or goes on after an article, as none does."""
    found = [word.lower() for word in words(sentence)]
    if len(found) > 2 and found[-1] in rules.dangling:
        return True
    return any(a in rules.before_nouns and b in rules.never_follow for a, b in pairwise(found))


def in_language(name: str, text: Text) -> Finding | None:
    """Check that the text is in the language asked for, as a whole and paragraph by paragraph."""
    asked = code_of(text.language)
    body = plain(text.body)
    whole = f"{text.title}. {body}" if len(words(body)) < _MIN_PART else body
    strange = _strange(whole, asked)
    if strange:
        return Finding(name, -10, f"the text is in {strange}; {text.language!r} was asked for", cap=WORTHLESS)
    parts = [block for block in paragraphs(text.body) if len(words(block)) >= _MIN_PART]
    foreign = [(block, told) for block in parts if (told := _strange(block, asked))]
    share = sum(len(words(block)) for block, _ in foreign) / max(1, sum(len(words(block)) for block in parts))
    if not foreign or share < 0.2:
        return Finding(name, BEST, "") if asked in detection.known() else None
    said = f"{share:.0%} of the text is in {foreign[0][1]}; {text.language!r} was asked for"
    return Finding(name, -10, said, cap=0.35)


def _strange(part: str, asked: str) -> str | None:
    """Return the language of a text that is not in the language asked for, or None where it may be."""
    found = [word.lower() for word in words(part)]
    if len(found) < detection.LEAST_WORDS:
        return None
    shares = {code: _function_words(found, code) for code in LANGUAGES}
    own = shares.pop(asked, 0.0)
    best = max(shares, key=lambda code: shares[code])
    if own >= 0.25 and own >= shares[best]:
        return None
    if asked in LANGUAGES and shares[best] >= own + 0.2 and shares[best] >= 0.25:
        other = language(best)
        return other.name if other else best
    told = detection.told(part)
    if told is None or told.code == asked or asked not in detection.known():
        return None
    sure = told.confidence >= _SURE and (own < 0.2 or len(found) >= _MIN_PART)
    return told.name if sure and own < 0.3 else None


def _function_words(found: list[str], code: str) -> float:
    rules = language(code)
    return sum(word in rules.stop_words for word in found) / len(found) if rules else 0.0


def coverage(name: str, text: Text) -> Finding | None:
    """Check that the text is about its topic: it says the topic's words, most paragraphs something of the brief.

    The brief is topic, keywords, audience, brand, and the sources that the writer was shown.
    """
    code = text.language
    topic = set(wanted_stems(text.topic, code)) | {one for key in text.keywords for one in wanted_stems(key, code)}
    blocks = [block for block in paragraphs(text.body) if len(words(block)) >= 8] or paragraphs(text.body)
    if not topic or not blocks:
        return None
    said = set(stems(f"{text.title}\n{plain(text.body)}", code))
    of_topic = sum(_said(one, said) for one in topic) / len(topic)
    wanted = topic | set(stems(text.context, code)) | _often(text.sources, code)
    near = sum(bool(wanted & set(stems(block, code))) for block in blocks) / len(blocks)
    score = 0.65 * of_topic + 0.35 * near
    if score >= 0.55:
        return Finding(name, BEST, "")
    missing = sorted(one for one in topic if not _said(one, said))
    about = f"the text says {of_topic:.0%} of the topic's words and {near:.0%} of its paragraphs are about the brief"
    if score >= 0.4:
        return Finding(name, 6, about)
    lacking = f" (missing: {', '.join(missing[:8])})" if missing else ""
    return Finding(name, 1, f"{about}{lacking}", cap=max(WORTHLESS, score - 0.02))


def _said(stem: str, said: set[str]) -> bool:
    # Compounds, as of German and Dutch, hold the word inside another.
    return stem in said or (len(stem) >= 5 and any(stem in one for one in said))


def _often(sources: tuple[str, ...], code: str) -> set[str]:
    counted = Counter(one for source in sources for one in set(stems(source, code)) if len(one) > 3)
    return {one for one, _ in counted.most_common(60)}
