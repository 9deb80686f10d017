"""Names of people as files and directories write them, turned into "First Last".

Salutations, degrees, suffixes, pronouns, symbols and slogans go; "Last, First" and "LAST First" are turned round, with
particles ("van der Berg, Jan"); names in one case get capitals. Pure, and a name that was read is read as itself. The
words are in ``person_name_words.json``, in lower case and without dots.
"""

from __future__ import annotations

import json
import re
import unicodedata
from functools import lru_cache
from pathlib import Path

from agents.lead_generation.person_text import is_title

_WORDS = {
    kind: frozenset(words.split())
    for kind, words in json.loads(Path(__file__).with_name("person_name_words.json").read_text("utf-8")).items()
}  # fmt: skip
_COURTESY, _OFTEN, _WITH_DOT = _WORDS["courtesy"], _WORDS["before_two_words"], _WORDS["with_dot"]
_DEGREES, _SHORT_DEGREES = _WORDS["degrees"], _WORDS["short_degrees"]  # the short ones are names, too
_SUFFIXES, _PARTICLES = _WORDS["suffixes"], _WORDS["particles"]
_NO_NAMES = frozenset().union(*_WORDS.values())
_ASIDE = re.compile(r"\s*(?:\([^()]*\)|\[[^\[\]]*\]|（[^（）]*）|<[^<>]*>)")
_SLOGAN = re.compile(r"\s+[-–—|•·:/]+\s.*|\s*[|•].*|\s+(?:she|he|they|ze)/\w+(?:/\w+)?\s*$", re.I)
_HONORIFIC = re.compile(r"(?<=..)[\s　]*(?:様|さん|氏|先生|殿)$")
_EDGES = ' \t"“”„,;:*_~#=+!?…'  #: what stands around a name or its words and is none of it
_COMMA = re.compile(r"[,、，]")
_ACADEMIC = re.compile(r"(?:dr|dipl|mag|prof)\.?-?[a-z]{2,6}\.?", re.I)  # Dr.-Ing., Dipl.-Kfm.
_AND = frozenset({"&", "und", "and", "et", "y", "e", "u."})
_MOST_WORDS = 3  #: of a family name before a comma, without particles


@lru_cache(maxsize=20_000)
def person_name(raw: str) -> str | None:
    """Return a person's name as "First Last", or None when a text can't be one."""
    if _is_plain(raw):
        return raw
    text = "".join(char for char in unicodedata.normalize("NFC", raw) if not _is_symbol(char))
    text = _HONORIFIC.sub("", _SLOGAN.sub("", _ASIDE.sub(" ", text).strip(_EDGES))).strip(_EDGES)
    if "@" in text or not any(char.isalpha() for char in text):
        return None
    parts = [part.strip(_EDGES) for part in _COMMA.split(text) if part.strip(_EDGES)]
    while len(parts) > 1 and (_is_titles(parts[-1]) or (_names_in(parts[0]) > 1 and is_title(parts[-1]))):
        parts.pop()
    if len(parts) > 1 and _is_last_name(parts[0]):
        words = [*_without_suffixes(_without_titles(parts[1].split())), *_without_suffixes(parts[0].split())]
    else:
        words = _last_name_last(_without_titles(" ".join(parts).split()))
    words = [word if word.count('"') == 2 else word.strip(_EDGES) for word in _without_suffixes(words)]
    name = " ".join(_with_capitals([word for word in words if word]))
    return name if any(char.isalpha() for char in name) else None


def _is_plain(text: str) -> bool:
    """Tell whether a text is two or three capitalised words that are nothing but names: it is read as it is."""
    words = text.split(" ")
    return 2 <= len(words) <= 3 and all(w.isalpha() and w.istitle() and w.lower() not in _NO_NAMES for w in words)


def _is_symbol(char: str) -> bool:
    category = unicodedata.category(char)
    return category in ("So", "Sk", "Cf", "Cs", "Co") or (category == "Mn" and not unicodedata.combining(char))


def _plain(word: str) -> str:
    """Return a word as the lists have it."""
    return word.lower().strip(",;:").replace(".", "")


def _is_titles(part: str) -> bool:
    """Tell whether what stands after a comma is nothing but degrees and suffixes: "MBA", "Dr.", "Jr."."""
    known = _DEGREES | _SUFFIXES | _COURTESY | _OFTEN
    return all(
        _plain(word) in known or (_plain(word) in _SHORT_DEGREES and word.isupper()) or _ACADEMIC.fullmatch(word)
        for word in part.split()
    )


def _is_last_name(part: str) -> bool:
    """Tell whether what stands before a comma can be a family name."""
    return 1 <= _names_in(part) <= _MOST_WORDS


def _names_in(part: str) -> int:
    """Return how many words of a part are neither titles nor particles."""
    return sum(_plain(word) not in _PARTICLES for word in _without_suffixes(_without_titles(part.split())))


def _without_titles(words: list[str]) -> list[str]:
    while len(words) > 1 and _is_title(words):
        words = words[1:]
    return words


def _is_title(words: list[str]) -> bool:
    """Tell whether the first of several words is a title, which "Ing" is before two others only."""
    first = words[0]
    plain = _plain(first).replace("-", "")
    if plain in _COURTESY or first in _AND or (_ACADEMIC.fullmatch(first) and not first.isalpha()):
        return True
    if plain in _WITH_DOT and "." in first:
        return True
    return plain in _OFTEN and len(words) > 2 and ("." in first or first.islower())


def _without_suffixes(words: list[str]) -> list[str]:
    one_case = all(word.isupper() for word in words)
    while len(words) > 1 and _is_suffix(words, one_case=one_case):
        words = words[:-1]
    return words


def _is_suffix(words: list[str], *, one_case: bool) -> bool:
    """Tell whether the last of several words is a suffix or a degree: "Ida Stone MA" has one, "Jack Ma" has none."""
    last = words[-1]
    plain = _plain(last)
    if plain in _SUFFIXES:
        return True
    if plain in _DEGREES:
        return "." in last or (len(words) > 2 and len(plain) > 2)
    return plain in _SHORT_DEGREES and len(words) > 2 and last.isupper() and not one_case


def _last_name_last(words: list[str]) -> list[str]:
    """Turn "DUPONT Jean" round, as French and others write family names."""
    caps = 0
    while caps < len(words) and (_is_caps(words[caps]) or _is_particle_of_caps(words[caps : caps + 2])):
        caps += 1
    rest = words[caps:]
    if caps and rest and all(word[:1].isupper() and not word.isupper() for word in rest):
        return [*rest, *words[:caps]]
    return words


def _is_caps(word: str) -> bool:
    return len(word) >= 4 and word.isupper() and "." not in word


def _is_particle_of_caps(words: list[str]) -> bool:
    return len(words) == 2 and _plain(words[0]) in _PARTICLES and _is_caps(words[1])


def _with_capitals(words: list[str]) -> list[str]:
    """Give names in one case, and words in capitals, the capitals of names."""
    cased = [char for word in words for char in word if char.lower() != char.upper()]
    one_case = all(char.isupper() for char in cased) or not any(char.isupper() for char in cased)
    found = []
    for number, word in enumerate(words):
        if not one_case and not _is_caps(word):
            found.append(word)
        elif number and word.lower() in _PARTICLES:
            found.append(word.lower())
        else:
            found.append(_capitals(word.lower()))
    return found


def _capitals(word: str) -> str:
    """``jean-pierre`` → ``Jean-Pierre``, ``o'brien`` → ``O'Brien``, ``mcdonald`` → ``McDonald``."""
    made = []
    for part in re.split(r"([-'’.])", word):
        at = 2 if len(part) > 3 and part.startswith("mc") else 0
        made.append(part[:at].capitalize() + part[at : at + 1].upper() + part[at + 1 :])
    return "".join(made)
