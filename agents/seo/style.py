"""Checks of structure and style: length, headings, paragraphs, sentences, passive, transitions, reading ease."""

from __future__ import annotations

import re
from collections.abc import Callable

from agents.languages.language import language
from agents.readability import paragraphs, plain, reading_ease, sections, sentences, word_count, words
from agents.seo.text import BEST, Finding, Text

LENGTH_TOLERANCE = 0.1
MIN_LENGTH = 300  #: words of a page that was asked for without a length


def length(name: str, text: Text) -> Finding | None:
    """Check that the body is within 10 % of the length asked for."""
    count, target = word_count(text.body), text.target_length
    if target <= 0:
        return None
    if within(count, target):
        return Finding(name, BEST, "")
    low, high = bounds(target)
    points = 5 if abs(count - target) / target <= 2 * LENGTH_TOLERANCE else 2
    return Finding(name, points, f"the text has {count} words; {target} were asked for ({low} to {high})")


def page_length(name: str, text: Text) -> Finding | None:
    """Check a page that was asked for without a length by what Yoast asks of a page: 300 words."""
    if text.target_length > 0:
        return None
    count = word_count(text.body)
    if count >= MIN_LENGTH:
        return Finding(name, BEST, "")
    points = 6 if count >= 250 else 3 if count >= 200 else -10 if count >= 100 else -20
    return Finding(name, points, f"the text has {count} words; a page needs {MIN_LENGTH}")


def bounds(target: int) -> tuple[int, int]:
    """Return the fewest and the most words that count as the length asked for."""
    return -int(-target * (1 - LENGTH_TOLERANCE) // 1), int(target * (1 + LENGTH_TOLERANCE) + 1e-9)


def within(count: int, target: int) -> bool:
    """Return whether a text of ``count`` words has the length asked for, where 0 asks for none."""
    low, high = bounds(target)
    return target <= 0 or low <= count <= high


def one_heading(name: str, text: Text) -> Finding:
    """Check that the title is the only first-level heading."""
    if re.search(r"^#\s", text.body, re.MULTILINE):
        return Finding(name, 1, "the title is the only first-level heading; use ## inside the text")
    return Finding(name, BEST, "")


def subheadings(name: str, text: Text) -> Finding:
    """Check that at most 300 words stand without a subheading."""
    longest = max((len(words(part)) for part in sections(text.body)), default=0)
    if longest <= 300:
        return Finding(name, BEST, "")
    return Finding(name, 3, f"{longest} words stand without a subheading; at most 300 should")


def paragraph_length(name: str, text: Text) -> Finding:
    """Check that no paragraph has more than 150 words."""
    longest = max((len(words(block)) for block in paragraphs(text.body)), default=0)
    if longest <= 150:
        return Finding(name, BEST, "")
    return Finding(name, 6 if longest <= 200 else 3, f"a paragraph has {longest} words; at most 150 read well")


def sentence_length(name: str, text: Text) -> Finding | None:
    """Check that at most a quarter of the sentences is long: above 20 words, in Romance languages above 25."""
    rules = language(text.language)
    most = rules.long_sentence if rules else 20
    share = _share(text, lambda sentence: len(words(sentence)) > most)
    if share is None:
        return None
    if share <= 25:
        return Finding(name, BEST, "")
    said = f"{share:.0f} % of the sentences have more than {most} words; at most 25 % should"
    return Finding(name, 6 if share <= 30 else 3, said)


def sentence_openings(name: str, text: Text) -> Finding:
    """Check that no three sentences in a row begin with the same word."""
    firsts = [words(s)[0].lower() for s in sentences(plain(text.body))]
    for a, b, c in zip(firsts, firsts[1:], firsts[2:], strict=False):
        if a == b == c:
            return Finding(name, 3, f"three sentences in a row begin with {a!r}")
    return Finding(name, BEST, "")


def passive_voice(name: str, text: Text) -> Finding | None:
    """Check that at most 10 % of the sentences are in the passive voice."""
    rules = language(text.language)
    share = _share(text, rules.is_passive) if rules else None
    if share is None:
        return None
    if share <= 10:
        return Finding(name, BEST, "")
    return Finding(name, 6 if share <= 15 else 3, f"{share:.0f} % of the sentences are passive; at most 10 % should be")


def transition_words(name: str, text: Text) -> Finding | None:
    """Check that at least 30 % of the sentences tie in with their neighbours."""
    rules = language(text.language)
    share = _share(text, rules.ties) if rules and word_count(text.body) >= 200 else None
    if share is None:
        return None
    if share >= 30:
        return Finding(name, BEST, "")
    said = f"{share:.0f} % of the sentences have a transition word; at least 30 % read well"
    return Finding(name, 6 if share >= 20 else 3, said)


def readability(name: str, text: Text) -> Finding | None:
    """Check the reading ease by the language's own formula: above 60 is easy, below 30 academic."""
    ease = reading_ease(plain(text.body), text.language)
    if ease is None:
        return None
    if ease > 60:
        return Finding(name, BEST, "")
    # Specialists' words push the ease of a sound text below 50; only below 30 (academic) is a rewrite asked for.
    points = 7 if ease >= 50 else 6 if ease >= 30 else 3
    return Finding(name, points, f"the reading ease is {ease:.0f}; above 60 reads easily")


def call_to_action(name: str, text: Text) -> Finding:
    """Check that there is a call to action."""
    if text.call_to_action.strip():
        return Finding(name, BEST, "")
    return Finding(name, 2, "there is no call to action")


def _share(text: Text, test: Callable[[str], bool]) -> float | None:
    """Return the percentage of the body's sentences that pass ``test``, or None without sentences."""
    found = sentences(plain(text.body))
    return 100 * sum(map(test, found)) / len(found) if found else None
