"""Where a phrase stands in a text: as it is written, or as its words in other forms and another order."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from agents.languages.language import language
from agents.readability import sentences, words


def uses(text: str, phrase: str) -> int:
    """Count how often ``phrase`` stands in ``text`` as whole words, in any case and with a plural ending or without."""
    wanted = [_singular(word) for word in words(phrase)]
    if not wanted:
        return 0
    found = [_singular(word) for word in words(text)]
    size = len(wanted)
    return sum(found[at : at + size] == wanted for at in range(len(found) - size + 1))


def _singular(word: str) -> str:
    word = word.lower().replace("’", "'").removesuffix("'s")
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word


def stems(text: str, code: str) -> list[str]:
    """Return the words of a text that carry meaning, each without its ending."""
    rules = language(code)
    if rules is None:
        return [_singular(word) for word in words(text)]
    return [rules.stem(word) for word in words(text) if word.lower() not in rules.stop_words]


def mentions(text: str, phrase: str, code: str) -> int:
    """Count the mentions of a keyphrase: per sentence, as often as all of its words stand in it, in any form and order.

    ``code``: of the language, whose function words don't count.
    """
    return sum(mentions_of(sentences(text), phrase, code))


def mentions_of(listed: Iterable[str], phrase: str, code: str) -> list[int]:
    """Count the mentions of a keyphrase in each sentence."""
    wanted = wanted_stems(phrase, code)
    return [_times(stems_of(sentence, code, wanted), wanted) if wanted else 0 for sentence in listed]


def wanted_stems(phrase: str, code: str) -> list[str]:
    """Return the stems that make up a keyphrase, its function words where it has nothing else."""
    return stems(phrase, code) or [_singular(word) for word in words(phrase)]


def stems_of(sentence: str, code: str, wanted: Sequence[str]) -> list[str]:
    """Return a sentence's stems as they are compared with ``wanted``."""
    found = stems(sentence, code)
    if set(wanted) <= set(found):
        return found
    return [*found, *(_singular(word) for word in words(sentence))]


def _times(found: Sequence[str], wanted: Sequence[str]) -> int:
    return min(found.count(one) // wanted.count(one) for one in set(wanted))
