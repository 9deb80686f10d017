"""Industries as people write them, matched with the ones that a campaign is for, in eight languages.

Industries have kin: what belongs to "restaurants" belongs to "hospitality" too (``words/industries.txt``). Invariants:
matching is by whole words, the longest first, so "biotechnology" is no "technology", "law enforcement" is not "legal"
and "IT" is not found in "it is"; a target that isn't known is compared by its own words.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, lru_cache

from agents.fit.patterns import Found, Patterns, lines
from agents.fit.text import folded, words
from agents.fit.verdict import best

MAX_INDUSTRY = 300  #: characters that are read
_KEY = re.compile(r"(?P<name>[a-z_]+)(?: < (?P<parents>[a-z_ ]+))?")
_TOKEN = re.compile(r"[^\W_\u3040-\u30ff\u3400-\u9fff]+")
_DOTTED = re.compile(r"\b(?:[a-z]\.){2,}")
#: What people call a target that the table knows by other words.
_ALONE = {"it": "technology"}
_NOTHING = "-"


@dataclass(frozen=True, slots=True)
class _Table:
    patterns: Patterns[str]
    above: dict[str, frozenset[str]]  #: each industry with itself and all that it is part of


def matching_target(industry: str | None, targets: Iterable[str]) -> str | None:
    """Return the first target industry that ``industry`` belongs to, or None."""
    return next((target for target in targets if industry and in_industry(industry, target)), None)


def in_industries(industry: str, targets: Iterable[str]) -> bool | None:
    """Tell whether an industry belongs to one of the targets, or None when it doesn't say."""
    return best(in_industry(industry, target) for target in targets)


@lru_cache(maxsize=50_000)
def in_industry(industry: str, target: str) -> bool | None:
    """Tell whether an industry belongs to a target, or None when it is wider or unknown.

    "Hospitality" is wider than restaurants.
    """
    text, wanted = words(industry), words(target)
    if not text or not wanted:
        return None
    if _holds(text, wanted) and not industries(target):
        return True
    asked, found = industries(target), industries(industry)
    if not found:
        return True if text == wanted else None
    if not asked:
        return _holds(text, wanted)
    above = _table().above
    if any(one in above[name] for one in asked for name in found):
        return True
    return None if any(name in above[one] for one in asked for name in found) else False


@lru_cache(maxsize=50_000)
def industries(text: str) -> tuple[str, ...]:
    """Return the industries that a text names, in their order."""
    return tuple(dict.fromkeys(name for _, name in _named(text)))


def kin(text: str) -> tuple[str, ...]:
    """Return the industries that a text names with all that they are part of, in alphabetical order."""
    above = _table().above
    return tuple(sorted({name for one in industries(text) for name in above[one]}))


def named_industry(text: str) -> str | None:
    """Return the industry that a sentence about a company names first, or None when it names none."""
    return next((name.replace("_", " ") for _, name in _named(text)), None)


def _named(text: str) -> list[tuple[int, str]]:
    plain = _DOTTED.sub(lambda found: found[0].replace(".", ""), folded(text[:MAX_INDUSTRY]))
    whole = _spaced(plain)
    if whole in _ALONE:
        return [(0, _ALONE[whole])]
    found = _table().patterns.find(whole, list(_TOKEN.finditer(whole)))
    return [(one.start, name) for one in _longest(found) for name in one.meanings if name != _NOTHING]


def _spaced(text: str) -> str:
    return " ".join(re.sub(r"[-/'.,]", " ", text.replace("&", " and ")).split())


def _longest(found: Iterable[Found[str]]) -> list[Found[str]]:
    kept: list[Found[str]] = []
    for one in sorted(found, key=lambda one: (-one.letters, one.start)):
        if all(one.end <= other.start or one.start >= other.end for other in kept):
            kept.append(one)
    return sorted(kept)


def _holds(text: str, phrase: str) -> bool:
    return f" {phrase} " in f" {text} " or f" {phrase.rstrip('s')} " in f" {text.rstrip('s')} "


@cache
def _table() -> _Table:
    meanings: defaultdict[str, list[str]] = defaultdict(list)
    parents: dict[str, tuple[str, ...]] = {}
    for line in lines("industries.txt"):
        key, _, patterns = line.partition(":")
        found = _KEY.fullmatch(key.strip())
        name = found["name"] if found else _NOTHING
        parents[name] = tuple((found["parents"] or "").split()) if found else ()
        for pattern in (name.replace("_", " "), *patterns.split(",")):
            spaced = _spaced(folded(pattern))
            if spaced and name not in meanings[spaced]:
                meanings[spaced].append(name)
    above = {name: _above(name, parents) for name in parents}
    return _Table(Patterns({pattern: tuple(names) for pattern, names in meanings.items()}), above)


def _above(name: str, parents: dict[str, tuple[str, ...]]) -> frozenset[str]:
    return frozenset({name}).union(*(_above(parent, parents) for parent in parents[name]))
