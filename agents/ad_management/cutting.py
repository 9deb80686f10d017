"""Cuts texts to a platform's limits: at a word's end, never inside a word, never to nothing.

Pure. Invariants of :func:`fit`: every text is within the width, none is empty, no two say the same, the
count is within the platform's bounds; every word in the result is a whole word of the source.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence

from integrations.ads.limits import PlatformLimits

#: Words that promise more to come: no text ends with one.
_DANGLING = re.compile(
    r"(?:^|\s)(?:a|an|and|as|at|by|for|from|in|into|of|on|or|our|than|that|the|their|to|with|without|your)$",
    re.IGNORECASE,
)
_SENTENCE_END = re.compile(r"[.!?](?=\s|$)|[。！？]")
#: Nothing ends with one of these; "C++" and "R&" keep what belongs to the word.
_LOOSE = re.compile(r"(?:[\s,;:–—(\[{\u3001\uff0c]|\s[-+/&]+)+$")
_CLOSING = frozenset("。、，．！？：；）」』】》〉…”’")


def tidy(text: str) -> str:
    """Return a text as one line without control characters, surrounding quotes, or marks of a heading or list."""
    plain = "".join(
        " " if unicodedata.category(c) in ("Cc", "Zl", "Zp") else c for c in unicodedata.normalize("NFC", text)
    )
    plain = re.sub(r"^\s*(?:[#>*\-•]+\s+)+", "", " ".join(plain.split()))
    quoted = re.fullmatch(r"[\"“”„](?P<inner>[^\"“”„]*)[\"“”]", plain.strip())
    return (quoted["inner"] if quoted else plain).strip()


def cut(text: str, width: int, limits: PlatformLimits) -> str:
    """Cut a text to ``width``, or return "" when not even its first word fits.

    A sentence's end in the second half of the room is preferred to a fuller, broken sentence.
    """
    plain = tidy(text)
    if limits.width(plain) <= width:
        return plain
    kept = ""
    for piece in _pieces(plain):
        if limits.width((kept + piece).rstrip()) > width:
            break
        kept += piece
    ends = [found.end() for found in _SENTENCE_END.finditer(kept)]
    if ends and limits.width(kept[: ends[-1]]) * 2 >= width:
        return kept[: ends[-1]].strip()
    return _closed(kept)


def fit(
    texts: Iterable[str],
    fallbacks: Sequence[str],
    *,
    least: int,
    most: int,
    width: int,
    limits: PlatformLimits,
    banned: Sequence[str] = (),
) -> tuple[str, ...]:
    """Return the first ``most`` different texts that can be cut to ``width``.

    Texts with a banned word are left out, and ``fallbacks`` fill up to ``least``. Raises ValueError when even they
    don't give so many.
    """
    found: dict[str, str] = {}
    for source, wanted in ((texts, most), (fallbacks, least)):
        for text in source:
            if len(found) >= wanted:
                break
            shown = cut(text, width, limits)
            if shown and not says_any(shown, banned):
                found.setdefault(gist(shown), shown)
    if len(found) < least:
        raise ValueError(f"only {len(found)} of {least} texts fit into {width} characters")
    return tuple(found.values())


def says_any(text: str, words: Sequence[str]) -> bool:
    """Return whether a text holds one of ``words`` as a whole word."""
    return any(
        word.strip() and re.search(rf"(?<!\w){re.escape(word.strip())}(?!\w)", text, re.IGNORECASE) for word in words
    )


def gist(text: str) -> str:
    """Return what makes two texts the same for a reader."""
    return " ".join(re.findall(r"\w+", text.casefold())) or text


def _pieces(text: str) -> list[str]:
    """Split a text into what may not be divided: words with the space before them, and single wide characters.

    A wide character keeps what clings to it.
    """
    pieces: list[str] = []
    open_word = False
    for char in text:
        clings = (
            unicodedata.combining(char) or char in _CLOSING or unicodedata.category(char) in ("Mn", "Me", "Mc", "Cf")
        )
        wide = unicodedata.east_asian_width(char) in ("W", "F")
        if pieces and (clings or pieces[-1].endswith("\u200d")):
            pieces[-1] += char
        elif wide or char == " " or not open_word:
            pieces.append(char)
        else:
            pieces[-1] += char
        open_word = not wide
    return pieces


def _closed(text: str) -> str:
    """Without a loose end."""
    while True:
        shorter = _DANGLING.sub("", _LOOSE.sub("", text))
        if shorter == text:
            return text
        text = shorter
