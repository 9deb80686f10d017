"""One language's rules: its function words, transition words, passive, syllables and formula of reading ease.

Invariant: a language without a file has no rules, and what needs rules is not judged in it; nothing is judged by the
words of another language.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

LANGUAGES = ("en", "de", "fr", "es", "it", "nl")
_STEM_LETTERS = 4  #: a stem keeps at least as many
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Language:
    """Rules of one language."""

    code: str
    name: str
    names: Sequence[str]  #: by which a brief may call it
    stop_words: frozenset[str]  #: function words
    dangling: frozenset[str]  #: words that end no sentence
    before_nouns: frozenset[str]  #: words that a noun or its adjective follows
    never_follow: frozenset[str]  #: words that don't stand right after one of those
    endings: Sequence[str]  #: of inflected words, longest first
    long_sentence: int  #: words of a sentence that is long
    ease: tuple[float, float, float]  #: constant, weight of words per sentence, weight of syllables per word
    transition: re.Pattern[str]
    passive: re.Pattern[str]
    not_passive: re.Pattern[str]
    nucleus: re.Pattern[str] | None  #: of a syllable; None: counted by the rules of English
    mute: re.Pattern[str] | None  #: end of a word that is written and not spoken

    def ties(self, sentence: str) -> bool:
        """Return whether a sentence ties in with its neighbours by a transition word or phrase."""
        return self.transition.search(sentence) is not None

    def is_passive(self, sentence: str) -> bool:
        """Return whether a sentence, or a part of it, is in the passive voice."""
        found = self.passive.search(sentence)
        return found is not None and self.not_passive.search(found.group()) is None

    def stem(self, word: str) -> str:
        """Return a word without its ending, so that its forms are equal."""
        found = word.lower().replace("’", "'").removesuffix("'s")
        for ending in self.endings:
            if found.endswith(ending) and len(found) - len(ending) >= _STEM_LETTERS:
                found = found.removesuffix(ending)
                break
        if len(found) > _STEM_LETTERS and found[-1] == found[-2] and found[-1] not in "aeiouls":
            found = found[:-1]  # "planning" is a form of "plan"
        return found[:-1] if len(found) > _STEM_LETTERS and found[-1] in "ey" else found

    def content_words(self, text: str) -> list[str]:
        """Return the words of a text that carry its meaning, as written."""
        return [word for word in _WORD.findall(text) if len(word) > 1 and word.lower() not in self.stop_words]

    def syllables(self, word: str) -> int:
        """Count the syllables of a word, at least 1."""
        letters = "".join(char for char in word.lower() if char.isalpha())
        if self.nucleus is None:
            return _english_syllables(letters)
        count = len(self.nucleus.findall(letters))
        if count > 1 and self.mute is not None and self.mute.search(letters):
            count -= 1
        return max(1, count)

    def reading_ease(self, words: Sequence[str], sentences: int) -> float:
        """Return how easy a text is to read, about 0 (hard) to 100 (easy), by the language's own formula."""
        constant, per_sentence, per_word = self.ease
        syllables = sum(map(self.syllables, words)) / len(words)
        return round(constant - per_sentence * len(words) / max(1, sentences) - per_word * syllables, 1)


@cache
def language(code: str) -> Language | None:
    """Return the rules of a language by its code or one of its names ("de", "de-AT", "German"), None without rules."""
    wanted = code_of(code)
    if wanted not in LANGUAGES:
        return None
    data = _data(wanted)
    listed = sorted(data["transitions"], key=len, reverse=True)
    return Language(
        code=wanted,
        name=data["name"],
        names=data["names"],
        stop_words=frozenset(data["stop_words"]),
        dangling=frozenset(data["dangling"]),
        before_nouns=frozenset(data["before_nouns"]),
        never_follow=frozenset(data["never_follow"]),
        endings=sorted(data["endings"], key=len, reverse=True),
        long_sentence=data["long_sentence"],
        ease=tuple(data["ease"]),
        transition=re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, listed))})(?!\w)", re.IGNORECASE),
        passive=re.compile(data["passive"], re.IGNORECASE),
        not_passive=re.compile(data["not_passive"], re.IGNORECASE),
        nucleus=re.compile(data["nucleus"]) if data["nucleus"] else None,
        mute=re.compile(data["mute"]) if data["mute"] else None,
    )


@cache
def code_of(given: str) -> str:
    """Return the two letters of a language that a brief names by its code or its name, else the given word."""
    word = re.split(r"[-_\s(]", given.strip().lower())[0]
    for code in LANGUAGES:
        if word == code or word in _data(code)["names"]:
            return code
    return word


@cache
def _data(code: str) -> dict[str, Any]:
    text = files("agents.languages").joinpath(f"{code}.json").read_text(encoding="utf-8")
    found: dict[str, Any] = json.loads(text)
    return found


_VOWELS = re.compile(r"[aeiouy]+")


def _english_syllables(letters: str) -> int:
    if not letters:
        return 1
    count = len(_VOWELS.findall(letters))
    silent_e = letters.endswith("e") and not letters.endswith(("le", "ee", "ye", "oe", "ie"))
    silent_ed = letters.endswith("ed") and not letters.endswith(("ted", "ded", "eed", "ied"))
    silent_es = letters.endswith("es") and not letters.endswith(
        ("ses", "ces", "zes", "xes", "shes", "ches", "ges", "ies", "oes")
    )
    if silent_e or silent_ed or silent_es:
        count -= 1
    count += len(re.findall(r"i[ao](?!u)|[aeo]ing$|uou|^creat", letters)) - len(re.findall(r"[tcsg]i[aou]", letters))
    return max(1, count)
