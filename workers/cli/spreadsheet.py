"""CSV that people open in a spreadsheet: no cell is a formula there, and none commands a terminal.

RFC 4180 with line feeds. Source of the guard: OWASP, "CSV Injection": a cell that begins with one of these characters
is taken for a formula by Excel and others; an apostrophe before it makes it text.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from workers.cli.output import clean

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
SEPARATOR = "; "  #: between several values of one cell
BOM = "\ufeff"  #: begins a file, so that Excel reads its letters right


def csv_text(columns: Sequence[str], rows: Iterable[Mapping[str, object]]) -> str:
    """Return a table as CSV, with one line of column names."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(columns)
    for row in rows:
        writer.writerow([_cell(row[column]) for column in columns])
    return out.getvalue()


def _cell(value: object) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case int() | float():
            return str(value)
        case datetime():
            return value.isoformat()
        case tuple() | list():
            text = SEPARATOR.join(clean(one) for one in value)
        case _:
            text = clean(value)
    return f"'{text}" if text.startswith(_FORMULA) else text
