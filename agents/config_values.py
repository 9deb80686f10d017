"""Kinds of values that a campaign's configuration holds, and the bounds that hold for all of them.

Two kinds of text are told apart. Words for people (:data:`Text`) are cleaned: what can't be stored is removed. What
names something for a program (:data:`Identifier`, :data:`HttpUrl`, a key) is refused instead, because a cleaned one
would name something else; ``Section`` of :mod:`agents.config` sees to that. Invariant: what passes can be stored.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints

from integrations.values import MAX_DEPTH, MAX_INTEGER, MAX_URL, clean_text, http_url

MAX_VALUES = 50_000  #: of a whole configuration; a big honest one has a few thousand
MAX_CHARACTERS = 1_000_000  #: of all its texts and keys
_SHOWN = 80  #: characters of a value that a refusal repeats
_DURATION = re.compile(r"(?P<number>\d+(?:\.\d+)?)\s*(?P<unit>[smhdw])", re.ASCII)
_UNIT_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_LONGEST = timedelta(days=3650)


def listed(value: object) -> Sequence[object]:
    """Make one value where a list is expected a list of one."""
    if value is None:
        return ()
    return value if isinstance(value, list | tuple) else (value,)


def _duration(value: object) -> object:
    """``"36h"``, ``"7d"``, seconds as a number, or ISO 8601 (``"P7D"``, left to pydantic)."""
    if isinstance(value, str) and (found := _DURATION.fullmatch(value.strip().lower())):
        seconds = float(found["number"]) * _UNIT_SECONDS[found["unit"]]
        return timedelta(seconds=min(seconds, 2 * _LONGEST.total_seconds()))  # refused by the bound, not by overflow
    return value


def _cleaned(value: object) -> object:
    return clean_text(value) if isinstance(value, str) else value


def _url(value: str) -> str:
    if http_url(value) is None:
        raise ValueError("write a URL that begins with http:// or https:// and names a host")
    return value


Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=120), BeforeValidator(_cleaned)]
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500), BeforeValidator(_cleaned)]
LongText = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=5000), BeforeValidator(_cleaned)
]
Identifier = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)]
FilePath = Annotated[str, StringConstraints(min_length=1, max_length=4096)]
Texts = Annotated[tuple[Text, ...], BeforeValidator(listed), Field(max_length=200)]
Identifiers = Annotated[tuple[Identifier, ...], BeforeValidator(listed), Field(max_length=200)]
Money = Annotated[Decimal, Field(gt=0, max_digits=14, decimal_places=2, allow_inf_nan=False)]
Duration = Annotated[timedelta, BeforeValidator(_duration), Field(gt=timedelta(0), le=_LONGEST)]
_HTTP_URL = r"^https?://[^\s/]+\S*$"
_CURRENCY = r"^[A-Za-z]{3}$"
HttpUrl = Annotated[
    str, StringConstraints(strip_whitespace=True, pattern=_HTTP_URL, max_length=MAX_URL), AfterValidator(_url)
]
Currency = Annotated[str, StringConstraints(to_upper=True, pattern=_CURRENCY)]
#: What a pattern means, for people.
PATTERN_WORDS: Mapping[str, str] = {
    _HTTP_URL: "write a URL that begins with http:// or https://",
    _CURRENCY: "write a currency of three letters, such as USD or EUR (ISO 4217)",
}


def oversized(data: Mapping[object, object]) -> str | None:
    """Return what is wrong with the size or depth of a mapping before it is checked, or None."""
    values = characters = 0
    level: list[object] = [data]
    for _ in range(MAX_DEPTH):
        inner: list[object] = []
        for value in level:
            values += 1
            if isinstance(value, str):
                characters += len(value)
            if values > MAX_VALUES or characters > MAX_CHARACTERS:
                return f"a campaign holds at most {MAX_VALUES:,} values and {MAX_CHARACTERS:,} characters"
            if isinstance(value, Mapping):
                inner += [*value.keys(), *value.values()]
            elif isinstance(value, list | tuple):
                inner += value
        level = inner
    return f"a campaign is nested at most {MAX_DEPTH} levels deep" if level else None


def shown(value: object) -> str:
    """Return a value as a refusal repeats it: printable, and cut to 80 characters."""
    if isinstance(value, int) and abs(value) > MAX_INTEGER:
        return "a number beyond 64 bits"
    text = repr(value[: 2 * _SHOWN] if isinstance(value, str) else value)
    return text if len(text) <= _SHOWN else text[: _SHOWN - 3] + "..."
