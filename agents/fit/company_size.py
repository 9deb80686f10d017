"""Numbers of employees as people write them: counts, ranges, "500+", "ca. 250 Mitarbeiter", "1万人以上".

The whole text is read: of several numbers the one that counts employees is taken, and money, years, dates and offices
are none. Invariant: what isn't sure is not guessed. A range that spans the limit ("1-10,000") is neither above nor
below it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from math import log

LIMIT = 5_000_000  #: nobody employs more
MAX_TEXT = 200  #: characters that a size is looked for in
#: Share of a range, on a scale of orders of magnitude, that makes it inside another one, or outside.
INSIDE, OUTSIDE = 0.5, 0.1

_UNITS = {
    **dict.fromkeys(("k", "tsd", "thousand", "tausend", "mille", "mila", "mil", "duizend", "千"), 1_000),
    **dict.fromkeys(("万", "萬"), 10_000),
    **dict.fromkeys(("m", "mio", "million", "millions", "millionen"), 1_000_000),
}
_NUMBER = r"\d{1,3}(?:[,.' \u00a0\u202f]\d{3})+(?!\d)|\d+(?:[.,]\d{1,2})?(?!\d)"
_UNIT = (
    r"k\b|tsd\b\.?|thousand\b|tausend\b|mille\b|mila\b|mil\b|duizend\b|千|万|萬|m\b|mio\b\.?|millions?\b|millionen\b"
)
_COUNT = rf"(?:{_NUMBER})\s*(?:{_UNIT})?"
_BEFORE = (
    (
        "least",
        r">=|=>|≥|at least|minimum|min\.?|from|ab|mindestens|mind\.|au moins|al menos|almeno|minstens|pelo menos",
    ),
    (
        "above",
        r">|more than|over|above|greater than|über|ueber|mehr als|plus de|más de|mas de|più di|piu di|meer dan|mais de",
    ),
    ("most", r"<=|=<|≤|up to|at most|maximum|max\.?|bis zu|bis|höchstens|jusqu'à|hasta|fino a|tot|até"),
    ("below", r"<|fewer than|less than|under|below|unter|weniger als|moins de|menos de|meno di|minder dan"),
)
_AFTER = (
    (
        "least",
        r"\+|plus\b|or more\b|and more\b|and up\b|und mehr\b|oder mehr\b|et plus\b|ou plus\b|o más\b|y más\b|o più\b"
        r"|e oltre\b|of meer\b|ou mais\b|(?:人|名)?以上",
    ),
    ("above", r"(?:人|名)?超"),
    ("most", r"or (?:less|fewer)\b|and below\b|oder weniger\b|ou moins\b|o menos\b|(?:人|名)?以下|(?:人|名)?以内"),
    ("below", r"(?:人|名)?未満"),
)
_EXPRESSION = re.compile(
    rf"(?P<before>{'|'.join(f'(?P<b_{name}>{pattern})' for name, pattern in _BEFORE)})?\s*"
    rf"(?P<low>{_NUMBER})\s*(?P<lowunit>{_UNIT})?"
    rf"(?:\s*(?:-|~|〜|～|to|bis|and|until|à|a|et|und|y|e|en|tot|até)\s*(?P<high>{_NUMBER})\s*(?P<highunit>{_UNIT})?)?"
    rf"\s*(?P<after>{'|'.join(f'(?P<a_{name}>{pattern})' for name, pattern in _AFTER)})?"
)
_PEOPLE = re.compile(
    r"\s*[^\w]{0,3}\s*(?:employees?|emp\b|staff|people|persons?|workers?|fte\b|headcount|team members|professionals"
    r"|mitarbeit\w*|beschäftigte|angestellte|ma\b|personen|mitarbeitende"
    r"|salarié\w*|employé\w*|collaborateurs|personnes|empleados|trabajadores|personas|dipendenti|addetti|persone"
    r"|medewerkers|werknemers|funcionários|colaboradores|empregados|trabalhadores|人|名|社員)"
)
_PEOPLE_BEFORE = re.compile(
    r"(?:employees?|staff|headcount|team(?: size)?|size|mitarbeit\w*|beschäftigte|effectifs?|salariés"
    r"|empleados|plantilla"
    r"|dipendenti|organico|medewerkers|funcionários|従業員数?|社員数?|規模)\s*[:=：]?\s*(?:of |von |de )?"
    r"(?:about |ca\.? |circa |etwa |rund |env\. |~|約)?\s*$"
)
_SOMETHING_ELSE = re.compile(
    r"\s*-?\s*(?:offices?|locations?|countries|sites|branches|stores|clients?|customers?|years?|yrs|days|hours|months|%"
    r"|percent|standorten?|büros?|filialen|ländern?|kunden|jahren?|bureaux|pays|agences|clients|ans|oficinas|países|años"
    r"|sedi|paesi|anni|vestigingen|landen|jaar|lojas|anos|m²|sqm|qm|€|\$|£|usd|eur|gbp|chf|euros?|dollars?|revenue|umsatz"
    r"|turnover|arr|年|拠点|カ国|億|社)"
)
_MONEY = re.compile(
    r"(?:[$€£¥]|usd|eur|gbp|chf|revenue|turnover|umsatz|ca\s?\$|sales|arr|kapital|資本金|売上)\s*(?:of|:|von)?\s*$"
)
_YEAR = re.compile(
    r"(?:founded|established|est\.?|since|inc\.?|gegründet|gegr\.?|seit|depuis|fondée?|créée?|desde|fundada|dal|fondata"
    r"|sinds|opgericht|in|en|im|创立|設立|創業)\s*(?:in|en|im|:)?\s*$"
)
_MONTHS = "jan|feb|mar|mär|apr|may|mai|jun|jul|aug|sep|oct|okt|nov|dec|dez|ene|gen|fev|fév|abr|ago|set|out|dic"
_DATE = re.compile(
    rf"\b(?:{_MONTHS})\.?[-/ ]\d|\d[-/. ](?:{_MONTHS})\b|\b\d{{4}}[-/]\d{{2}}[-/]\d{{2}}"
    r"|\b\d{1,2}[./]\d{1,2}[./]\d{2,4}\b"
)
_ALONE = re.compile(
    r"\b(?:self[- ]employed|freelancer?|sole (?:trader|proprietor)|myself only|solo|einzelunternehmer(?:in)?"
    r"|selbstst?ändig|auto-?entrepreneur|autónom[oa]|zzp'?er)\b"
)


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

    def within(self, asked: Employees) -> bool | None:
        """Tell whether this range lies in the one asked for, or None when it may as well lie outside.

        Ranges of directories seldom have the bounds that were asked for: half a range, in orders of magnitude, is
        inside, a tenth is outside.
        """
        low = max(self.least, asked.least)
        high = min(self.most or LIMIT, asked.most or LIMIT)
        if low > high:
            return False
        if self.most is None:
            # Without an upper bound it is inside what has none either, else it may be anything.
            return None if asked.most is not None or self.least < asked.least / 2 else True
        share = log((high + 1) / low) / log((self.most + 1) / self.least)
        return True if share >= INSIDE else False if share <= OUTSIDE else None

    def __str__(self) -> str:
        """Return the range as people write it."""
        if self.most is None:
            return f"{self.least:,}+"
        return f"{self.least:,}" if self.least == self.most else f"{self.least:,}-{self.most:,}"


@lru_cache(maxsize=20_000)
def parse_size(value: int | str | None) -> Employees | None:
    """Parse a number or range of employees, or return None when the text gives none."""
    if value is None:
        return None
    if isinstance(value, int):
        return Employees(value, value) if 0 < value <= LIMIT else None
    text = unicodedata.normalize("NFKC", value[:MAX_TEXT]).lower()
    text = re.sub(r"[‐‑‒–—―−]", "-", text).replace("’", "'").strip()
    if _ALONE.search(text):
        return Employees(1, 1)
    if _DATE.search(text):
        return None
    found = list(_expressions(text))
    counted = [size for size, people, _ in found if people]
    ranged = [size for size, _, ranged in found if ranged]
    for some in (counted, ranged, [size for size, _, _ in found]):
        if some:
            return some[0] if len(set(some)) == 1 or some is counted else None
    return None


def wanted_size(value: int | str | None) -> Employees | None:
    """Return the range that a campaign asks for, in which a bare number is the least one."""
    found = parse_size(value)
    bare = isinstance(value, int) or (value is not None and re.fullmatch(r"[\d,. ]+", value.strip()) is not None)
    return Employees(found.least, None) if found and bare else found


def _expressions(text: str) -> Iterator[tuple[Employees, bool, bool]]:
    """Yield (size, whether it is said to be of people, whether it is a range) for each number that may be one."""
    for found in _EXPRESSION.finditer(text):
        before, rest = text[: found.start("low")], text[found.end() :]
        led = text[: found.start()]
        people = _PEOPLE.match(rest) is not None or _PEOPLE_BEFORE.search(led) is not None
        if _MONEY.search(before) or (_SOMETHING_ELSE.match(rest) and not people):
            continue
        if before and not found["before"] and before[-1].isascii() and before[-1].isalnum():
            continue
        if not people and found["high"] is None and _YEAR.search(led) and 1500 <= _digits(found["low"]) <= 2100:
            continue
        million = _unit(found["lowunit"]) == 1_000_000 or _unit(found["highunit"]) == 1_000_000
        if million and not people:
            continue
        size = _size(found)
        if size is not None:
            yield size, people, found["high"] is not None or bool(found["before"] or found["after"])


def _size(found: re.Match[str]) -> Employees | None:
    unit, high_unit = _unit(found["lowunit"]), _unit(found["highunit"])
    low = _value(found["low"], unit)
    if found["high"] is not None:
        high = _value(found["high"], high_unit)
        if unit == 1 and high_unit > 1 and low * high_unit <= high:
            low *= high_unit  # "1-5k" means 1k-5k, "501-1k" doesn't mean 501k
        return _sane(low, high)
    kind = next((name[2:] for name, value in found.groupdict().items() if value and name[:2] in ("b_", "a_")), "count")
    if kind == "count":
        return _sane(low, low)
    if kind in {"least", "above"}:
        return _sane(low + (kind == "above"), None)
    return _sane(1, low - (kind == "below"))


def _sane(least: int, most: int | None) -> Employees | None:
    if not 0 <= least <= LIMIT or (most is not None and not 0 < most <= LIMIT):
        return None
    least = max(1, least) if most is None or most > least else least
    return Employees(least, most) if least > 0 and (most is None or most >= least) else None


def _unit(text: str | None) -> int:
    return _UNITS[text.rstrip(".")] if text else 1


def _digits(text: str) -> int:
    return int(re.sub(r"\D", "", text))


def _value(digits: str, unit: int) -> int:
    grouped = re.fullmatch(r"\d{1,3}(?:[,.' \u00a0\u202f]\d{3})+", digits) is not None
    decimal = re.fullmatch(r"(\d+)[.,](\d{1,3})", digits)
    if decimal and (not grouped or unit > 1):
        return round(float(f"{decimal[1]}.{decimal[2]}") * unit) if unit > 1 else int(decimal[1])
    return _digits(digits) * unit
