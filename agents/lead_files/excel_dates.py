"""Sizes that a spreadsheet has taken for dates: "Nov-50" was 11-50, "10-Feb" was 2-10.

Only sizes that exist come back: a date that no usual range of employees turns into stays unknown.
"""

from __future__ import annotations

import re

#: the months as spreadsheets shorten them in English, German, French, Spanish, Italian, Dutch and Portuguese
_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "jan jän ene gen janv", "feb fév fev févr fevr", "mar mär mrt mrz maa", "apr avr abr",
            "may mai mei mag maj", "jun juin giu", "jul juil lug", "aug aoû ago août", "sep set sept",
            "oct okt out ott", "nov", "dec dez déc dic",
        ),
        start=1,
    )
    for name in names.split()
}  # fmt: skip
#: what ranges of employees begin and end with, as the month and the day, or as the month and the year
_BY_DAY = frozenset({(1, 5), (1, 9), (1, 10), (2, 9), (2, 10), (5, 9), (5, 10), (6, 10)})
_BY_YEAR = frozenset((low, high) for low in (1, 2, 5) for high in (49, 50)) | frozenset(
    {(1, 99), (10, 49), (10, 50), (11, 49), (11, 50)}
)
_NAMED = re.compile(r"(?:(\d{1,2})[-./ ]{1,2})?([^\W\d_]{3,5})\.?(?:[-./ ]{1,2}(\d{2}|\d{4}))?")
_NUMBERS = re.compile(r"(\d{1,4})[-./](\d{1,2})[-./](\d{1,4})(?:[T ]00:00(?::00)?)?")


def size_of_date(text: str) -> str | None:
    """Return the range that a date was, "" for a date that was none, and None for what is no date."""
    cell = text.strip()
    named = _NAMED.fullmatch(cell.lower())
    if named and named[2] in _MONTHS:
        month = _MONTHS[named[2]]
        if named[1]:
            return _by_day(month, int(named[1]))
        number = int(named[3] or 0)
        return _by_year(month, number) or _by_day(month, number)
    numbers = _NUMBERS.fullmatch(cell)
    return _of_numbers(*map(int, numbers.groups())) if numbers else None


def _of_numbers(first: int, second: int, third: int) -> str:
    """Return 11-50 for ``11/1/1950`` and ``1950-11-01``, and 2-10 for the cell of a workbook ``2026-02-10``."""
    year, others = (first, (second, third)) if first > 31 else (third, (first, second))
    if 1 in others:
        found = _by_year(max(others), year)
        if found:
            return found
    return _by_day(*others) if first > 31 else ""


def _by_day(month: int, day: int) -> str:
    low, high = sorted((month, day))
    return f"{low}-{high}" if (low, high) in _BY_DAY else ""


def _by_year(month: int, year: int) -> str:
    ending = year % 100 if year >= 1900 else year
    return f"{month}-{ending}" if (month, ending) in _BY_YEAR and not 2000 <= year < 2100 else ""
