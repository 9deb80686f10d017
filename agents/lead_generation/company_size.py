"""Numbers of employees as people write them: counts, ranges, "500+", "about 240 employees".

Invariant: what isn't sure is not guessed. A range that spans the limit ("1-10,000") is neither above nor
below it.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

LIMIT = 5_000_000  #: nobody employs more
MAX_TEXT = 200  #: characters that a size is looked for in


def _count(name: str) -> str:
    """Pattern of a number with its unit, as groups ``name`` and ``name``k."""
    number = r"\d{1,3}(?:[,. '\u00a0\u202f]\d{3})+(?!\d)|\d+(?:\.\d)?"
    return rf"(?P<{name}>{number})\s*(?P<{name}k>k\b|thousand\b|m\b|million\b)?"


_LOW, _HIGH = _count("low"), _count("high")
_FORMS = tuple(
    (name, re.compile(pattern))
    for name, pattern in (
        ("range", _LOW + r"\s*(?:-|to|bis|and|until)\s*" + _HIGH),
        ("least", r"(?:>=|=>|≥|at least|minimum|min\.?|from)\s*" + _LOW),
        ("above", r"(?:>|more than|over|above|greater than)\s*" + _LOW),
        ("least", _LOW + r"\s*(?:\+|plus\b|or more\b|and more\b|and up\b)"),
        ("most", r"(?:<=|=<|≤|up to|at most|maximum|max\.?)\s*" + _HIGH),
        ("below", r"(?:<|fewer than|less than|under|below)\s*" + _HIGH),
        ("most", _HIGH + r"\s*(?:or (?:less|fewer)\b|and below\b)"),
        ("count", _LOW),
    )
)
_ALONE = re.compile(r"\b(?:self[- ]employed|freelancer?|sole (?:trader|proprietor)|myself only|solo)\b")


@dataclass(frozen=True, slots=True)
class Employees:
    """A range of employees, without an upper bound when ``most`` is None."""

    least: int
    most: int | None

    def more_than(self, limit: int) -> bool | None:
        """Tell whether there are more than ``limit`` employees, or None when the range spans it."""
        if self.least > limit:
            return True
        if self.most is not None and self.most <= limit:
            return False
        return None


@lru_cache(maxsize=20_000)
def parse_size(value: int | str | None) -> Employees | None:
    """Parse a number or range of employees, or return None when the text gives none."""
    if value is None:
        return None
    if isinstance(value, int):
        return Employees(value, value) if 0 < value <= LIMIT else None
    text = unicodedata.normalize("NFKC", value[:MAX_TEXT]).lower().replace("–", "-").replace("—", "-")
    if _ALONE.search(text):
        return Employees(1, 1)
    for name, pattern in _FORMS:
        found = pattern.search(text)
        if found:
            return _checked(name, found)
    return None


def _checked(name: str, found: re.Match[str]) -> Employees | None:
    groups = found.groupdict()
    low = _number(groups.get("low"), groups.get("lowk"))
    high = _number(groups.get("high"), groups.get("highk"))
    if name == "range" and low is not None and high is not None and groups["highk"] and not groups["lowk"]:
        # "1-5k" means 1k-5k when 1 by itself would make no sense beside 5,000
        low = _number(groups["low"], groups["highk"]) or low
    result = {
        "range": Employees(low or 1, high),
        "above": Employees((low or 0) + 1, None),
        "least": Employees(low or 1, None),
        "below": Employees(1, (high or 1) - 1),
        "most": Employees(1, high),
        "count": Employees(low or 0, low),
    }[name]
    bounds = [n for n in (low, high) if n is not None]
    sane = (
        bool(bounds) and all(0 <= n <= LIMIT for n in bounds) and (result.most is None or result.most >= result.least)
    )
    return result if sane and (result.most is None or result.most > 0) else None


def _number(digits: str | None, unit: str | None) -> int | None:
    if not digits:
        return None
    factor = {"k": 1000, "t": 1000, "m": 1_000_000}[unit[0]] if unit else 1
    if re.fullmatch(r"\d+\.\d", digits):
        return int(float(digits) * factor)
    return int(re.sub(r"\D", "", digits)) * factor
