"""Single fields of a provider's JSON answer, as values with a type.

Invariant: a field of another type counts as missing, and a missing field that a client can't do without is an error
that names it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from integrations.errors import IntegrationError, InvalidAnswerError
from integrations.http import HttpReply
from integrations.values import MAX_INTEGER

MAX_TEXT = 300  #: characters kept of a field

Fields = Mapping[str, object]
_NONE: Fields = {}


def text(item: Fields, key: str, most: int = MAX_TEXT) -> str | None:
    """Return a text without spaces around it, cut to ``most`` characters, or None for an empty or missing one."""
    value = item.get(key)
    return value.strip()[:most].strip() or None if isinstance(value, str) else None


def whole(item: Fields, key: str) -> int | None:
    """Return a whole number from 0 to what can be stored, or None."""
    value = item.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= MAX_INTEGER:
        return None
    return min(int(value), MAX_INTEGER)


def inner(item: Fields, key: str) -> Fields:
    """Return an object, empty when there is none."""
    value = item.get(key)
    return value if isinstance(value, Mapping) else _NONE


def rows(item: Fields, key: str) -> Sequence[Fields]:
    """Return the objects of a list, without what is no object."""
    value = item.get(key)
    return [one for one in value if isinstance(one, Mapping)] if isinstance(value, list) else []


def missing(provider: str, field: str, kind: type[IntegrationError] = InvalidAnswerError) -> IntegrationError:
    """Return the error for an answer without a field that it can't be read without."""
    return kind(provider, f"answered without the field {field}", detail=field)


def error_type(reply: HttpReply) -> str | None:
    """Return the type in an answer's ``error``, without its message, which may quote the request."""
    try:
        return text(inner(reply.json_object(), "error"), "type", 120)
    except IntegrationError:
        return None
