"""Words of job titles in several languages, and where a title has them.

A file ``words/titles_XX.txt`` holds the words of language XX, a line a meaning::

    [function[+function...][/occupation]][?][!][@level[/level...]]: pattern, pattern, ...

``marketing: ...`` are words of a field of work, ``sales/sdr: ...`` those for somebody who does something. ``?`` marks a
word that says little of the field ("engineer", "assistant"), so that a word for the field goes before it; ``!`` marks
those who serve others, whose titles beside theirs don't count ("secretary of the president"). ``@head/manager`` is a
seniority and what else it may be; ``-: ...`` are words that only look like some others. Of matches that overlap the one
with more letters counts. What a pattern is: :mod:`agents.fit.patterns`.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from agents.fit.patterns import Found, Patterns, lines
from agents.fit.text import folded

LANGUAGES = ("en", "de", "fr", "es", "it", "nl", "pt", "ja", "more")
_KEY = re.compile(
    r"(?P<functions>[a-z_+]+)?(?:/(?P<occupation>[a-z_]+))?(?P<weak>\?)?(?P<serves>!)?(?:@(?P<levels>[a-z/]+))?"
)


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a word of a title says."""

    language: str
    functions: tuple[str, ...] = ()
    occupation: str | None = None
    weak: bool = False  #: says little of the function
    serves: bool = False  #: serves those whom the title names besides
    levels: tuple[str, ...] = ()  #: the likeliest first
    nothing: bool = False  #: only looks like something

    def with_(self, other: Meaning) -> Meaning:
        """Return what the word says when a second line has it as well: what the first leaves open."""
        return Meaning(
            self.language,
            self.functions or other.functions,
            self.occupation or other.occupation,
            weak=self.weak or other.weak,
            serves=self.serves or other.serves,
            levels=(other.levels or self.levels) if other.functions else (self.levels or other.levels),
        )

    @property
    def person(self) -> bool:
        """Whether the word alone is an occupation."""
        return self.occupation is not None


def longest(found: Iterable[Found[Meaning]], languages: frozenset[str] = frozenset()) -> list[Found[Meaning]]:
    """Return the matches in order, those left out that overlap a longer one, or any one in ``languages``."""
    places: dict[tuple[bool, int, int, int], list[Meaning]] = {}
    for start, end, letters, meanings in found:
        for meaning in meanings:
            place = (bool(languages) and meaning.language not in languages, -letters, start, end)
            if place in places:
                places[place].append(meaning)
            else:
                places[place] = [meaning]
    kept: list[Found[Meaning]] = []
    for place in sorted(places):
        _, letters, start, end = place
        for other in kept:
            if end > other[0] and start < other[1]:
                break
        else:
            kept.append(Found(start, end, -letters, tuple(places[place])))
    kept.sort()
    return kept


@cache
def titles() -> Patterns[Meaning]:
    """Return the words of job titles in all languages."""
    meanings: defaultdict[str, dict[str, Meaning]] = defaultdict(dict)
    for language in LANGUAGES:
        for line in lines(f"titles_{language}.txt"):
            key, _, patterns = line.partition(":")
            meaning = _meaning(key.strip(), language)
            for pattern in patterns.split(","):
                known = meanings[folded(pattern.strip())]
                known[language] = known[language].with_(meaning) if language in known else meaning
    return Patterns({pattern: tuple(said.values()) for pattern, said in meanings.items()})


def _meaning(key: str, language: str) -> Meaning:
    if key == "-":
        return Meaning(language, nothing=True)
    found = _KEY.fullmatch(key)
    if found is None:
        raise ValueError(f"words/titles_{language}.txt: {key!r} is no meaning of words")
    return Meaning(
        language,
        functions=tuple((found["functions"] or "").split("+")) if found["functions"] else (),
        occupation=found["occupation"],
        weak=bool(found["weak"]),
        serves=bool(found["serves"]),
        levels=tuple(found["levels"].split("/")) if found["levels"] else (),
    )
