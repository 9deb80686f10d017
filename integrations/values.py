"""Text, JSON and numbers from outside, made storable at the edge where they become values.

Invariant: what these functions return can be written to Postgres as text or jsonb and to the wire as UTF-8: no NUL, no
lone surrogate, no non-finite number, no integer beyond 64 bits. Each edge (a model's answer, a search result, a page, a
file, a header, a message) calls them once; nothing further inside has to.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence

from pydantic import JsonValue

#: Characters that no text needs: control characters but tab and line ends, and halves of surrogate pairs.
UNSTORABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
MAX_INTEGER = 2**63 - 1  #: what a bigint holds
MAX_DEPTH = 64  #: levels of nested JSON; deeper ones are cut to null


def clean_text(text: str) -> str:
    """Remove the characters that can't be stored, and join surrogate pairs that were escaped one by one."""
    if not UNSTORABLE.search(text):
        return text
    joined = text.encode("utf-16", "surrogatepass").decode("utf-16", "ignore")
    return UNSTORABLE.sub("", joined)


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
