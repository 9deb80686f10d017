"""Bare lists of addresses: one a line, or as they are pasted from a mail ("Ida Stone <ida@stone.example>")."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from agents.lead_files.addresses import addresses
from agents.lead_files.delimited import Row
from agents.lead_files.table import Table

#: an entry: a name in quotes or without, and the address in angle brackets; or the address alone; each part of a
#: bounded length, for else a long text without an address takes time by the square of its length
_ENTRY = re.compile(
    r"""(?:"([^"\n]{0,200})"|([^<>;"\n@]{0,200}?))\s{0,9}<\s{0,9}([^<>\s]{1,99}@[^<>\s]{1,255})\s{0,9}>"""
    r"""|([^\s<>,;"'|]{1,99}@[^\s<>,;"'|]{1,255})"""
)
_BETWEEN = re.compile(r"[\s,;|'\"]|\b(?:to|an|cc|bcc|von|from)\s*:", re.I)
_MOST_LEFT = 0.1  #: share of the text that may be something else
_MOST_TEXT = 600  #: characters of an entry on average
_LOOKED_AT = 100_000  #: characters of the text


def is_list(lines: Sequence[str]) -> bool:
    """Tell whether text is addresses with nothing but their names beside them."""
    text = "".join(lines)[:_LOOKED_AT]
    if len(text) > _MOST_TEXT * text.count("@"):
        return False
    left = _BETWEEN.sub("", _ENTRY.sub(" ", text))
    return len(left) <= _MOST_LEFT * len(text) and any(
        addresses(found[3] or found[4]) for found in _ENTRY.finditer(text)
    )


def table(lines: Iterable[str], encoding: str) -> Table:
    """Return the entries of a list, numbered from 1 in their order."""
    entries = [
        [(found[1] or found[2] or "").strip(" ,;\t"), found[3] or found[4]]
        for line in lines
        for found in _ENTRY.finditer(line)
    ]

    def rows() -> Iterable[Row]:
        return enumerate(entries, start=1)

    return Table(kind="list of addresses", rows=rows, header=("name", "email"), encoding=encoding)
