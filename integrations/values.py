"""Text, JSON, numbers and addresses from outside, made storable at the edge where they become values.

Invariant: what these functions return can be written to Postgres as text or jsonb and to the wire as UTF-8: no NUL, no
lone surrogate, no non-finite number, no integer beyond 64 bits. Each edge (a model's answer, a search result, a page, a
file, a header, a message) calls them once; nothing further inside has to. :func:`faults` is for edges that refuse
instead of cleaning, because what they are given is an identifier.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from urllib.parse import urlsplit

from pydantic import JsonValue

#: What no text needs: sequences that colour a terminal, control characters but tab and line ends, halves of surrogate
#: pairs.
UNSTORABLE = re.compile("\x1b\\[[0-?]*[ -/]*[@-~]|[\x00-\x08\x0b\x0c\x0e-\x1a\x1c-\x1f\x7f\ud800-\udfff]+|\x1b")
MAX_INTEGER = 2**63 - 1  #: what a bigint holds
MAX_DEPTH = 64  #: levels of nested JSON; deeper ones are cut to null
MAX_URL = 2000  #: characters of a URL
_MAX_DIGITS = len(str(MAX_INTEGER)) + 1  #: of a storable integer, with its sign
_NOT_IN_URL = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")

CONTROL_CHARACTER = "holds a control character or half a character; remove it"
NOT_FINITE = "is not a finite number"
TOO_LARGE = "is a number beyond 64 bits"
TOO_DEEP = f"is nested more than {MAX_DEPTH} levels deep"


def clean_text(text: str) -> str:
    """Remove the characters that can't be stored, and join surrogate pairs that were escaped one by one."""
    if not UNSTORABLE.search(text):
        return text
    joined = text.encode("utf-16", "surrogatepass").decode("utf-16", "ignore")
    return UNSTORABLE.sub("", joined)


def visible(text: str) -> str:
    """Write the characters that can't be stored as escapes, such as ``\\x00``, where people shall see them."""
    return UNSTORABLE.sub(lambda found: ascii(found[0])[1:-1], text)


def clean_json(value: object, *, depth: int = MAX_DEPTH) -> JsonValue:
    """Return decoded JSON with clean text, and null for numbers that can't be stored and for what nests too deep."""
    if isinstance(value, str):
        return clean_text(value)
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return value if abs(value) <= MAX_INTEGER else None
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if depth == 0:
        return None
    if isinstance(value, Mapping):
        return {clean_text(str(key)): clean_json(one, depth=depth - 1) for key, one in value.items()}
    if isinstance(value, Sequence):
        return [clean_json(one, depth=depth - 1) for one in value]
    raise TypeError(f"{type(value).__name__} is not JSON")


def parse_json(text: bytes | str) -> JsonValue:
    """Parse JSON from outside into clean values (:func:`clean_json`), the last of a key that is there twice.

    Raises ValueError when the text is not JSON, or is nested too deeply to be read at all.
    """
    try:
        return clean_json(json.loads(text, parse_int=_integer))
    except RecursionError:
        raise ValueError("nested too deeply") from None


def http_url(text: str) -> str | None:
    """Return a URL of http or https that has a host and can be taken apart, or None when ``text`` is none."""
    url = text.strip()
    if len(url) > MAX_URL or not url.lower().startswith(("http://", "https://")) or _NOT_IN_URL.search(url):
        return None
    try:
        parts = urlsplit(url)
        usable = bool(parts.hostname) and (parts.port or 0) >= 0
    except ValueError:
        return None
    return url if usable else None


def faults(value: object, *, depth: int = MAX_DEPTH) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield (keys that lead there, what is wrong) for each part of ``value`` that can't be stored as it is.

    Enters mappings, lists and tuples; what is neither of them, text nor a number is left to the caller.
    """
    if isinstance(value, str):
        if UNSTORABLE.search(value):
            yield (), CONTROL_CHARACTER
    elif isinstance(value, bool):
        return
    elif isinstance(value, int):
        if abs(value) > MAX_INTEGER:
            yield (), TOO_LARGE
    elif isinstance(value, float | Decimal):
        if not math.isfinite(value):
            yield (), NOT_FINITE
    elif isinstance(value, Mapping | list | tuple):
        if depth == 0:
            yield (), TOO_DEEP
            return
        for key, one in value.items() if isinstance(value, Mapping) else enumerate(value):
            if isinstance(key, str) and UNSTORABLE.search(key):
                yield (clean_text(key),), f"the key {CONTROL_CHARACTER}"
            for keys, what in faults(one, depth=depth - 1):
                yield (clean_text(str(key)), *keys), what


def _integer(digits: str) -> int | None:
    """Read an integer, or None for one that can't be stored, whose reading may take quadratic time."""
    return int(digits) if len(digits) <= _MAX_DIGITS else None
