"""How plausible a text is as what people write, to tell readings of the same bytes apart.

A reading is scored by its letters beyond ASCII: how frequent each is in the language that fits its cell best, rather
one language than many, whether it stands where such a letter stands (no capital inside a word, no sign between
letters), and for Chinese, Japanese and Korean how common the characters are. Scores are sums of natural logarithms of
probabilities, so that those of readings of the same bytes can be compared. ``letters.json`` has letters per 10,000 of a
language's running text, rounded, and characters that are frequent in names, companies and titles.
"""

from __future__ import annotations

import json
import math
import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path

ASCII = -3.0  #: of any character of ASCII: bytes that a reading takes into another character would have cost it
_UNSEEN = -12.0  #: of a letter that the language has not
_INSIDE = -7.0  #: more, for a capital inside a word
_BETWEEN = -4.0  #: more, for a consonant between two consonants
_MIXED = -6.0  #: more, for a letter of another alphabet in a word
_CAPITAL = math.log(0.15)  #: more, for a capital where one may stand
_SIGN_IN_WORD = -11.0
_ANOTHER = -2.0  #: more, for a cell in another language than most
_LATIN = math.log(0.05)  #: share of letters beyond ASCII among those of a language that is written in Latin ones
_VOWELS = frozenset("aeiouyàáâãäåæèéêëìíîïòóôõöøùúûüýÿœāēīōūăąęěėįųůűőơưı")
_CELLS = re.compile(r"[,;\t|\"\n\r]+")
_BEFORE_LETTERS = frozenset("–—‘“„‚«‹»›”•·…€£¥¿¡ \u00a0\u202f\u2011‐")
_AFTER_LETTERS = frozenset("–—’”“»›«‹•·…©®™°ªº²³ \u00a0\u202f\u2011‐")
_TYPOGRAPHY = _BEFORE_LETTERS | _AFTER_LETTERS | frozenset("§×¹½¼¾")
_WIDE_SIGNS = frozenset("、。・「」『』【】（）：；！？，．／＆－ー々〒〜～…　")


@dataclass(frozen=True, slots=True)
class _Frequencies:
    languages: Mapping[str, Mapping[str, float]]  #: language -> letter -> logarithm of its share
    hanzi: frozenset[str]
    kanji: frozenset[str]
    hangul: frozenset[str]


def plausibility(text: str) -> float:
    """Return the logarithm of how likely a text is, relative to other readings of the same bytes.

    A cell that is there twice counts once.
    """
    total = 0.0
    sums: dict[str, float] = {}
    found = []
    for cell in dict.fromkeys(_CELLS.split(text)):
        rest, by_language = _of_cell(cell)
        total += rest
        if by_language:
            found.append(by_language)
            for language, score in by_language.items():
                sums[language] = sums.get(language, 0.0) + score
    if not found:
        return total
    most = max(sums, key=lambda language: sums[language])
    return total + sum(max(scores[most], max(scores.values()) + _ANOTHER) for scores in found)


@lru_cache(maxsize=20_000)
def _of_cell(cell: str) -> tuple[float, Mapping[str, float]]:
    """Return what a cell's signs and places cost, and what its letters cost in each language."""
    if cell.isascii():
        return ASCII * len(cell), {}
    total, letters = 0.0, []
    for at, char in enumerate(cell):
        if char.isascii():
            total += ASCII
            continue
        before, after = cell[at - 1 : at] if at else "", cell[at + 1 : at + 2]
        kind = _kind(char)
        if kind == "letter":
            total += _place(char, before, after)
            letters.append(char)
        else:
            total += _sign(char, kind, before, after)
    if not letters:
        return total, {}
    return total, {name: _in_language(letters, known) for name, known in frequencies().languages.items()}


def _in_language(letters: list[str], known: Mapping[str, float]) -> float:
    return sum(known.get(char.lower(), _UNSEEN) + (_CAPITAL if char != char.lower() else 0.0) for char in letters)


def _kind(char: str) -> str:
    code = ord(char)
    if 0x4E00 <= code <= 0x9FFF or 0x3400 <= code <= 0x4DBF or code >= 0x20000:
        return "ideograph"
    if 0x3041 <= code <= 0x30FF:
        return "kana"
    if 0xAC00 <= code <= 0xD7A3:
        return "hangul"
    if 0xFF61 <= code <= 0xFF9F:
        return "half kana"
    if 0xFF01 <= code <= 0xFF5E:
        return "wide"
    category = unicodedata.category(char)
    if category[0] == "L" or category == "Mn" or char in "ๆ":
        return "letter"
    return "control" if category[0] == "C" else "sign"


def _place(char: str, before: str, after: str) -> float:
    """Return what a letter's place in its word costs."""
    cost = 0.0
    lower = char.lower()
    if char != lower and before.isalpha() and before == before.lower() and before != before.upper():
        cost += _INSIDE
    script = _script(char)
    if any(side.isalpha() and _script(side) != script for side in (before, after)):
        cost += _MIXED
    if script == "latin" and lower not in _VOWELS and before.isalpha() and after.isalpha():
        sides = {side.lower() for side in (before, after)}
        if not sides & _VOWELS:
            cost += _BETWEEN
    return cost


def _script(char: str) -> str:
    code = ord(char)
    if code < 0x250 or 0x1E00 <= code < 0x1F00:
        return "latin"
    return "greek" if code < 0x400 else "cyrillic" if code < 0x530 else "hebrew" if code < 0x600 else "other"


def _sign(char: str, kind: str, before: str, after: str) -> float:
    if kind not in ("sign", "control") or char in _WIDE_SIGNS:
        # no such character begins or ends inside a word of small Latin letters
        lone = (before.isascii() and before.islower()) or (after.isascii() and after.islower())
        return _wide_letter(char, kind, before, after) + (_MIXED if lone else 0.0)
    if kind == "control":
        return -16.0
    if char not in _TYPOGRAPHY:
        return -13.0
    in_word = before.isalpha() and after.isalpha()
    if in_word:
        return -6.5 if char == "’" else _SIGN_IN_WORD
    if (after.isalpha() and char not in _BEFORE_LETTERS) or (before.isalpha() and char not in _AFTER_LETTERS):
        return _SIGN_IN_WORD
    return -8.0 if before.isalpha() or after.isalpha() else -6.5


def _wide_letter(char: str, kind: str, before: str, after: str) -> float:
    known = frequencies()
    if kind == "kana":
        return -4.5
    if kind == "half kana":
        return -4.5 if "half kana" in (_kind_of(before), _kind_of(after)) else -10.0
    if kind in ("wide", "sign"):
        return -5.5
    if kind == "hangul":
        return -5.0 if char in known.hangul else -8.0 if _encodes(char, "euc_kr") else -13.0
    if char in known.hanzi or char in known.kanji:
        return -5.8
    return -8.3 if _level_one(char) else -12.0


@cache
def _level_one(char: str) -> bool:
    """Tell whether a character is among the common ones of GB 2312, JIS X 0208 or Big5."""
    for encoding, first, last in (("gb2312", 0xB0A1, 0xD7F9), ("euc_jp", 0xB0A1, 0xCFD3), ("big5", 0xA440, 0xC67E)):
        try:
            code = char.encode(encoding)
        except UnicodeEncodeError:
            continue
        if len(code) == 2 and first <= int.from_bytes(code, "big") <= last:
            return True
    return False


@cache
def _encodes(char: str, encoding: str) -> bool:
    try:
        char.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True


def _kind_of(side: str) -> str:
    return _kind(side) if side and not side.isascii() else ""


@cache
def frequencies() -> _Frequencies:
    """Return the frequencies of ``letters.json``."""
    data = json.loads((Path(__file__).parent / "letters.json").read_text("utf-8"))
    return _Frequencies(
        languages={name: dict(_shares(text)) for name, text in data["languages"].items()},
        hanzi=frozenset(data["hanzi"]),
        kanji=frozenset(data["kanji"]),
        hangul=frozenset(data["hangul"]),
    )


def _shares(text: str) -> Iterator[tuple[str, float]]:
    """Yield each letter with the logarithm of its share."""
    counts = {item[0]: float(item[1:]) for item in text.split()}
    whole = sum(counts.values())
    latin = _LATIN if _script(next(iter(counts))) == "latin" else 0.0
    for letter, count in counts.items():
        yield letter, math.log(count / whole) + latin
