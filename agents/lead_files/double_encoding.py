"""Repair of text that was UTF-8, was read in another encoding and stored so: "JosÃ©" for "José".

Invariant: a text is repaired only when nearly everything in it beyond ASCII is such a sequence, so that no honest
letter is touched. The method is that of the library ftfy (R. Speer, "Fixing common Unicode mistakes with Python").
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache

from agents.lead_files.letters import plausibility

#: Encodings that UTF-8 is mistaken for.
_MISTAKEN = ("cp1252", "mac_roman", "cp1250", "cp1251", "cp1254", "cp850", "cp437")
_SHARE = 0.8  #: of the characters beyond ASCII that must be such sequences
_ROUNDS = 3  #: times that the same mistake is undone
_LOST_SPACE = re.compile(r"(?<=[a-z])Ã(?=[\s,;\"]|$)")


@dataclass(frozen=True, slots=True)
class Repair:
    """Undoes one wrong decoding, as often as it happened."""

    codec: str
    rounds: int = 1

    def apply(self, text: str) -> str:
        """Return the text as it was meant."""
        for _ in range(self.rounds):
            text = _once(text, self.codec)
        return text


def repair_of(lines: Sequence[str]) -> Repair | None:
    """Return what puts the lines right, or None when they are right."""
    text = "\n".join(lines)
    beyond = sum(not char.isascii() for char in text)
    best, repair = plausibility(text), None
    for codec in _MISTAKEN:
        inside = sum(len(found[0]) for found in _pattern(codec).finditer(text))
        inside += len(_LOST_SPACE.findall(text)) if inside and codec == "cp1252" else 0
        if not inside or inside < _SHARE * beyond:
            continue
        for rounds in range(1, _ROUNDS + 1):
            tried = Repair(codec, rounds)
            score = plausibility(tried.apply(text))
            if score > best:
                best, repair = score, tried
    return repair


@lru_cache(maxsize=10_000)
def _once(text: str, codec: str) -> str:
    table = _bytes_of(codec)
    repaired = _pattern(codec).sub(lambda found: _decoded(found[0], table), text)
    # "à" is Ã and a no-break space, which has become a space on the way, or nothing
    return _LOST_SPACE.sub("à", repaired) if codec == "cp1252" else repaired


def _decoded(sequence: str, table: dict[str, int]) -> str:
    try:
        return bytes(table[char] for char in sequence).decode("utf-8")
    except UnicodeDecodeError:
        return sequence


@cache
def _bytes_of(codec: str) -> dict[str, int]:
    """Return the byte of each character.

    Those that Windows gives to signs may have come as control characters.
    """
    table = {}
    for code in range(0x80, 0x100):
        if codec == "cp1252":
            table[chr(code)] = code
        table[bytes([code]).decode(codec, "ignore") or chr(code)] = code
    return table


@cache
def _pattern(codec: str) -> re.Pattern[str]:
    table = _bytes_of(codec)

    def of(first: int, last: int) -> str:
        return "[" + "".join(re.escape(char) for char, code in table.items() if first <= code <= last) + "]"

    more = of(0x80, 0xBF)
    return re.compile(f"{of(0xC2, 0xDF)}{more}|{of(0xE0, 0xEF)}{more}{{2}}|{of(0xF0, 0xF4)}{more}{{3}}")
