"""Files of outcomes: who, what and when, in any format that lead files are read in.

A column names the lead by its id (``lead``) or address (``email``), one the ``outcome``, and ``at`` and ``campaign``
may be there; others are not looked at. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from agents.config_problems import ConfigError
from agents.lead_files.reading import table_of

MAX_ROWS = 100_000
_HEADERS: Mapping[str, str] = {
    **dict.fromkeys(("lead", "leadid", "id"), "id"),
    **dict.fromkeys(("email", "mail", "emailaddress", "address"), "email"),
    **dict.fromkeys(("outcome", "result", "status", "stage"), "outcome"),
    **dict.fromkeys(("at", "date", "when", "time", "day", "closedate", "closedat"), "at"),
    **dict.fromkeys(("campaign", "campaignid"), "campaign"),
}


def rows(data: bytes, filename: str, outcome: str | None = None) -> Iterator[tuple[int, Mapping[str, object]]]:
    """Yield (number of the row in the file, fields of the report) for each row.

    ``outcome`` is that of all rows, where the file has no such column. Raises ConfigError for a file that is not read,
    lacks a column, or has more than 100,000 rows.
    """
    table = table_of(data, filename)
    found = iter(table.rows())
    header = table.header
    if header is None:
        first = next(found, None)
        if first is None:
            raise ConfigError([f"{filename}: is empty; write a row with lead or email, and outcome"])
        header = first[1]
    places: dict[str, int] = {}
    for place, name in enumerate(header):
        if field := _HEADERS.get(re.sub(r"[^a-z]", "", name.lower())):
            places.setdefault(field, place)
    lacking = [
        words
        for words, there in (
            ("lead or email", "id" in places or "email" in places),
            ("outcome", "outcome" in places or outcome is not None),
        )
        if not there
    ]
    if lacking:
        raise ConfigError([f"{filename}: has no column {words}; name it so in the first row" for words in lacking])
    for count, (number, cells) in enumerate(found, start=1):
        if count > MAX_ROWS:
            raise ConfigError([f"{filename}: has more than {MAX_ROWS:,} rows; split it"])
        told = {field: cells[place].strip() for field, place in places.items() if place < len(cells)}
        if not any(told.values()):
            continue
        fields: dict[str, object] = {
            "lead": told.get("id") or told.get("email", ""),
            "outcome": told.get("outcome") or outcome,
        }
        yield number, fields | {name: told[name] for name in ("at", "campaign") if told.get(name)}
