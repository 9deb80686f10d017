"""Figures of an ad platform's report rows as numbers and days, each error with the name of its field.

Pure. Platforms leave out what is 0, so a count or an amount that is missing is 0; a day is always there. Invariant: a
figure that we can't read is an error, never a zero.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from integrations.errors import InvalidAnswerError
from integrations.fields import missing


def count(provider: str, row: Mapping[str, Any], key: str) -> int:
    """Return a whole number, which may come as text.

    Raises InvalidAnswerError for anything else.
    """
    try:
        return int(row.get(key, 0))
    except (TypeError, ValueError, OverflowError):
        raise unreadable(provider, key) from None


def amount(provider: str, row: Mapping[str, Any], key: str) -> Decimal:
    """Return a finite number, which may come as text.

    Raises InvalidAnswerError for anything else.
    """
    try:
        found = Decimal(str(row.get(key, 0)))
    except ArithmeticError:
        raise unreadable(provider, key) from None
    if not found.is_finite():
        raise unreadable(provider, key)
    return found


def day(provider: str, value: object, field: str) -> date:
    """Return the day that an ISO date names, which came in ``field``.

    Raises InvalidAnswerError without one.
    """
    if value is None:
        raise missing(provider, field)
    try:
        return date.fromisoformat(str(value))
    except ValueError:
        raise unreadable(provider, field) from None


def part(provider: str, row: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """Return an object of a row.

    Raises InvalidAnswerError for a row without it.
    """
    found = row.get(key)
    if not isinstance(found, Mapping):
        raise missing(provider, key)
    return found


def unreadable(provider: str, field: str) -> InvalidAnswerError:
    """Return the error for a field with a value that we can't read."""
    return InvalidAnswerError(provider, f"answered the field {field} in a form that we can't read", detail=field)
