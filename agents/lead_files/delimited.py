"""Rows of text whose cells a delimiter separates, however they are quoted.

Lenient where Python's ``csv`` is not: a quote inside a cell is the cell's own (``27" Screens``, ``"Screens" Ltd``), a
quote that is never closed swallows no other row, and ``\\"`` and ``""`` both stand for a quote. Memory is bounded by
one row.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

_LONGEST_CELL = 100_000  #: characters that a cell may have before its opening quote is taken for a character
_MOST_LINES = 500  #: that a cell may have, likewise

Row = tuple[int, list[str]]  #: number of the row as a spreadsheet shows it, and its cells


@dataclass(frozen=True)
class Dialect:
    """How the cells of a file are separated and quoted."""

    delimiter: str = ","
    quote: str = '"'
    backslash: bool = False  #: stands before a delimiter, a quote or a line end that is part of a cell

    @cached_property
    def strict(self) -> re.Pattern[str]:
        """A quoted cell up to its delimiter or the end of the row, quotes inside doubled."""
        q, d = re.escape(self.quote), re.escape(self.delimiter)
        return re.compile(rf"[ ]*{q}((?:[^{q}]|{q}{q})*){q}[ ]*(?={d}|\n?\Z)")

    @cached_property
    def escaped(self) -> re.Pattern[str]:
        """A quoted cell likewise, quotes inside behind a backslash or doubled."""
        q, d = re.escape(self.quote), re.escape(self.delimiter)
        return re.compile(rf"[ ]*{q}((?:[^{q}\\]|\\(?s:.)|{q}{q})*){q}[ ]*(?={d}|\n?\Z)")

    @cached_property
    def inside(self) -> re.Pattern[str]:
        """What may stand inside a quoted cell."""
        q = re.escape(self.quote)
        return re.compile(rf"(?:[^{q}]|{q}{q})*")

    @cached_property
    def escaped_inside(self) -> re.Pattern[str]:
        """What may stand inside a quoted cell, quotes behind a backslash or doubled."""
        q = re.escape(self.quote)
        return re.compile(rf"(?:[^{q}\\]|\\(?s:.)|\\\Z|{q}{q})*")

    @cached_property
    def bare(self) -> re.Pattern[str]:
        """A cell without quotes, delimiters behind a backslash being its own."""
        d = re.escape(self.delimiter)
        return re.compile(rf"(?:[^{d}\\]|\\(?s:.)|\\\Z)*")

    @cached_property
    def unescaped(self) -> re.Pattern[str]:
        """A backslash and what it stands before."""
        return re.compile(r"\\(?s:(.))")


def rows(lines: Iterable[str], dialect: Dialect) -> Iterator[Row]:
    """Yield the rows of a file, empty ones too, with their numbers from 1."""
    waiting = _Lines(lines)
    number = 0
    for line in waiting:
        number += 1
        if dialect.quote not in line and not (dialect.backslash and "\\" in line):
            yield number, line.rstrip("\n").split(dialect.delimiter)
            continue
        yield number, _well_quoted(line, dialect) or _cells(line, waiting, dialect)


def _well_quoted(line: str, dialect: Dialect) -> list[str] | None:
    """Return the cells of a line that is quoted as it should be, which Python reads fast, or None for any other."""
    if dialect.backslash or "\\" + dialect.quote in line:
        return None
    try:
        return next(
            csv.reader([line], delimiter=dialect.delimiter, quotechar=dialect.quote, skipinitialspace=True, strict=True)
        )
    except csv.Error:
        return None


class _Lines:
    """Lines that can be looked at ahead of their turn."""

    def __init__(self, lines: Iterable[str]) -> None:
        self._lines = iter(lines)
        self._ahead: list[str] = []

    def __iter__(self) -> Iterator[str]:
        while True:
            if self._ahead:
                yield self._ahead.pop(0)
                continue
            line = next(self._lines, None)
            if line is None:
                return
            yield line

    def ahead(self, number: int) -> str | None:
        """Return a line that comes after ``number`` others, or None at the end."""
        while len(self._ahead) <= number:
            line = next(self._lines, None)
            if line is None:
                return None
            self._ahead.append(line)
        return self._ahead[number]

    def take(self, number: int) -> None:
        """Take that many lines away."""
        del self._ahead[:number]


def _cells(line: str, waiting: _Lines, dialect: Dialect) -> list[str]:
    """Return the cells of a row that begins with ``line``, taking the lines that its quoted cells reach over."""
    cells: list[str] = []
    at, text = 0, line
    while True:
        quoted = text[at:].lstrip(" ")[:1] == dialect.quote
        end, value = -1, ""
        if quoted:
            end, value, text = _quoted(text, at, waiting, dialect)
        if end < 0:
            end, value, text = _bare(text, at, waiting, dialect)
        cells.append(value)
        if text[end : end + 1] != dialect.delimiter:
            return cells
        at = end + 1


def _quoted(text: str, at: int, waiting: _Lines, dialect: Dialect) -> tuple[int, str, str]:
    """Return where a quoted cell ends (-1: it is none), its value, and the text with the lines it reaches over."""
    ways = ((dialect.strict, False), (dialect.escaped, True))
    for pattern, backslash in ways[::-1] if dialect.backslash else ways:
        found = pattern.match(text, at)
        longer = text
        if found is None and not _closes_badly(text, at, dialect, backslash=backslash):
            # the cell goes on in the next lines, or its quote is never closed
            found, longer = _over_lines(text, at, waiting, dialect, pattern, backslash=backslash)
        if found is not None:
            value = found[1].replace(dialect.quote * 2, dialect.quote)
            return found.end(), dialect.unescaped.sub(r"\1", value) if backslash else value, longer
    return -1, "", text


def _over_lines(
    text: str, at: int, waiting: _Lines, dialect: Dialect, pattern: re.Pattern[str], *, backslash: bool
) -> tuple[re.Match[str] | None, str]:
    """Return a quoted cell that ends in a later line, and the text up to the end of that line, which is taken."""
    longer = text
    pieces = [text]
    for number in range(_MOST_LINES):
        more = waiting.ahead(number)
        if more is None or len(longer) - at > _LONGEST_CELL:
            break
        pieces.append(more)
        if dialect.quote not in more:
            continue
        longer = "".join(pieces)
        pieces = [longer]
        found = pattern.match(longer, at)
        if found:
            waiting.take(number + 1)
            return found, longer
        if _closes_badly(longer, at, dialect, backslash=backslash):
            break
    return None, text


def _closes_badly(text: str, at: int, dialect: Dialect, *, backslash: bool) -> bool:
    """Tell whether a quote inside the cell is followed by what no cell goes on with: ``"Screens" Ltd``."""
    start = text.index(dialect.quote, at) + 1
    inside = (dialect.escaped_inside if backslash else dialect.inside).match(text, start)
    return inside is not None and inside.end() < len(text)


def _bare(text: str, at: int, waiting: _Lines, dialect: Dialect) -> tuple[int, str, str]:
    """Return where a cell without quotes ends, its value, and the text with the lines it reaches over."""
    if not dialect.backslash:
        end = text.find(dialect.delimiter, at)
        end = len(text.rstrip("\n")) if end < 0 else end
        return max(end, at), _inner(text[at:end], dialect), text
    while True:
        found = dialect.bare.match(text, at)
        end = found.end() if found else at
        if text.endswith("\\\n") and end == len(text) and (more := waiting.ahead(0)) is not None:
            waiting.take(1)
            text += more
            continue
        value = text[at:end]
        if end == len(text):
            value = value.removesuffix("\n")
        return end, dialect.unescaped.sub(r"\1", value), text


def _inner(cell: str, dialect: Dialect) -> str:
    """Return a cell that is quoted, but badly, without its outer quotes: ``"The "Best" Ltd"``."""
    text = cell.strip()
    q = dialect.quote
    if len(text) > 2 and text[0] == q == text[-1] and text.count(q) > 2 and text.count(q) % 2 == 0:
        return text[1:-1].replace(q + q, q)
    return cell.replace("\\" + q, q)
