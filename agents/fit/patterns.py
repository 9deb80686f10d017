"""Patterns of words, and where a text has them.

A pattern is one word or several that follow each other; ``*`` stands for any letters at that end of a word ("einkauf*",
"*leiter"). Chinese and Japanese, which have no spaces, are looked for anywhere. Everything is compared folded
(:func:`agents.fit.text.folded`). Invariant: the patterns that begin in a word are looked up once for each word.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Generic, NamedTuple, TypeVar

from agents.fit.text import has_cjk

INSIDE = 3  #: letters by which patterns with two open ends are looked up
MAX_WORDS = 50_000  #: that are remembered with the patterns that begin in them

M = TypeVar("M")


class Found(NamedTuple, Generic[M]):
    """A match, by its places in the text."""

    start: int
    end: int
    letters: int
    meanings: tuple[M, ...]


@dataclass(frozen=True, slots=True)
class _Part:
    """One word of a pattern."""

    text: str
    open_start: bool
    open_end: bool

    def follows(self, word: str) -> bool:
        """Tell whether a word after the first one is this."""
        return word.startswith(self.text) if self.open_end else word in (self.text, self.text + "s")


@dataclass(frozen=True, slots=True)
class _Entry(Generic[M]):
    """A pattern and what it means."""

    parts: tuple[_Part, ...]
    letters: int
    meanings: tuple[M, ...]

    def match(self, tokens: list[re.Match[str]], number: int, place: int) -> Found[M] | None:
        """Return the match that begins at ``place`` in the word with that number, or None."""
        parts = self.parts
        start = tokens[number].start() + place
        part = parts[-1]
        if len(parts) == 1:
            end = start + len(part.text) if part.open_end or part.open_start else tokens[number].end()
            return Found(start, end, self.letters, self.meanings)
        if number + len(parts) > len(tokens):
            return None
        for step in range(1, len(parts)):
            if not parts[step].follows(tokens[number + step][0]):
                return None
        last = tokens[number + len(parts) - 1]
        end = last.start() + len(part.text) if part.open_end else last.end()
        return Found(start, end, self.letters, self.meanings)


class Patterns(Generic[M]):
    """Patterns with their meanings."""

    def __init__(self, meanings: Mapping[str, Sequence[M]]) -> None:
        """Index patterns, which are folded, by the letters that they begin with."""
        self._exact: defaultdict[str, list[_Entry[M]]] = defaultdict(list)
        self._prefix: defaultdict[str, list[_Entry[M]]] = defaultdict(list)
        self._suffix: defaultdict[str, list[_Entry[M]]] = defaultdict(list)
        self._inside: defaultdict[str, list[_Entry[M]]] = defaultdict(list)
        self._anywhere: dict[str, tuple[M, ...]] = {}
        for pattern, said in meanings.items():
            self._add(pattern, tuple(said))
        longest_first = sorted(self._anywhere, key=lambda text: -len(text))
        self._cjk = re.compile("|".join(map(re.escape, longest_first))) if longest_first else None
        self._begun: dict[str, tuple[tuple[int, _Entry[M]], ...]] = {}

    def _add(self, pattern: str, meanings: tuple[M, ...]) -> None:
        if has_cjk(pattern):
            self._anywhere[pattern] = meanings
            return
        parts = tuple(_Part(word.strip("*"), word.startswith("*"), word.endswith("*")) for word in pattern.split())
        first = parts[0]
        entry = _Entry(parts, len(pattern.replace("*", "")), meanings)
        if first.open_start:
            places, key = (self._inside, first.text[:INSIDE]) if first.open_end else (self._suffix, first.text)
            places[key].append(entry)
        else:
            (self._prefix if first.open_end else self._exact)[first.text].append(entry)

    def find(self, text: str, tokens: list[re.Match[str]]) -> list[Found[M]]:
        """Return all matches in a folded text that has these words."""
        found: list[Found[M]] = []
        for number, token in enumerate(tokens):
            for place, entry in self._begin(token[0]):
                if (one := entry.match(tokens, number, place)) is not None:
                    found.append(one)
        if self._cjk is not None and has_cjk(text):
            found += [
                Found(one.start(), one.end(), 2 * (one.end() - one.start()), self._anywhere[one[0]])
                for one in self._cjk.finditer(text)
            ]
        return found

    def _begin(self, word: str) -> tuple[tuple[int, _Entry[M]], ...]:
        """Return the patterns whose first word is in ``word``, with their places in it."""
        known = self._begun.get(word)
        if known is None:
            if len(self._begun) >= MAX_WORDS:
                self._begun.clear()
            known = self._begun[word] = tuple(self._look_up(word))
        return known

    def _look_up(self, word: str) -> Iterator[tuple[int, _Entry[M]]]:
        size = len(word)
        for spelling in (word, word[:-1]) if size > 3 and word.endswith("s") else (word,):
            for entry in self._exact.get(spelling, ()):
                yield 0, entry
        for length in range(1, size + 1):
            for entry in self._prefix.get(word[:length], ()):
                yield 0, entry
            for entry in self._suffix.get(word[-length:], ()):
                yield size - length, entry
        for start in range(size - INSIDE + 1):
            for entry in self._inside.get(word[start : start + INSIDE], ()):
                if word.startswith(entry.parts[0].text, start):
                    yield start, entry


@cache
def lines(name: str) -> tuple[str, ...]:
    """Return the lines of a file of words, without comments."""
    text = files("agents.fit.words").joinpath(name).read_text(encoding="utf-8")
    return tuple(line for line in text.splitlines() if line.strip() and not line.startswith("#"))
