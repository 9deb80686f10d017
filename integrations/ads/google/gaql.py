"""Text of queries in the Google Ads Query Language, which has no parameters: values are written into the text.

Pure. Source: "Query grammar" of the Google Ads API documentation. Invariant: no value, whoever wrote it, ends its
string or becomes a wildcard of LIKE.
"""

from __future__ import annotations

from collections.abc import Iterable


def query(fields: Iterable[str], resource: str, *conditions: str, order_by: str = "") -> str:
    """Return ``SELECT fields FROM resource WHERE all conditions``, of which empty ones are left out."""
    kept = [condition for condition in conditions if condition]
    where = f" WHERE {' AND '.join(kept)}" if kept else ""
    return f"SELECT {', '.join(fields)} FROM {resource}{where}" + (f" ORDER BY {order_by}" if order_by else "")


def text(value: str) -> str:
    """Return a string literal."""
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{' '.join(escaped.split())}'"


def listed(values: Iterable[str]) -> str:
    """Return the operand of IN for texts."""
    return f"({', '.join(text(value) for value in values)})"


def containing(value: str) -> str:
    """Return the operand of LIKE for texts that hold ``value``: ``[``, ``]``, ``%`` and ``_`` stand for themselves."""
    return text("%" + "".join(f"[{char}]" if char in "[]%_" else char for char in value) + "%")
