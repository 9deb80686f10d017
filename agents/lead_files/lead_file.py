"""What a lead file was found to hold: its people, and what became of every column and every row.

Invariant: each row of the file that is not blank is either in ``rows`` or in ``set_aside`` with a reason, under the
number that a spreadsheet shows for it (of JSON and vCard: the number of the object or card).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

Person = Mapping[str, str | int]  #: our column -> text, and ``row``: its number

MAX_BYTES = 100_000_000  #: of a whole file
MAX_ADDRESSES = 4  #: of one person that are kept: ``email``, ``email_2``, ...

#: Reasons for which a row is set aside.
ABOVE_HEADER = "above the header"
HEADER_AGAIN = "the header again"
EMPTY_ROW = "empty row"  #: nothing in the columns that are used
NOBODY = "no address, and no name with a company"
COMPANY_ONLY = "a company without a person"
UNKNOWN_BASIS = "unknown legal basis"
OPTED_OUT = "wants no mail, says the file"
NOT_AN_OBJECT = "not an object"


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column of the file, and what it became."""

    header: str  #: as the file writes it; ``column 3`` where it has none
    field: str | None  #: what it is used for, None: not used
    known_by: str = ""  #: ``header``, ``cells``, or ``given`` by the campaign; "" for one that isn't used
    filled: int = 0  #: cells with something in them, of the rows that are people
    used: int = 0  #: cells that were taken


@dataclass(frozen=True, slots=True, kw_only=True)
class SetAside:
    """A row that is not used, and why."""

    row: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadFile:
    """People of a file, with our column names and no empty values, and what became of the rest."""

    rows: Sequence[Person]
    columns: Sequence[Column]
    set_aside: Sequence[SetAside] = ()
    warnings: Sequence[str] = ()
    kind: str = "CSV"  #: for people: CSV, Excel workbook, vCard, ...
    encoding: str = ""  #: for people, "" where the format has one of its own
    delimiter: str = ""  #: for people, "" where there is none
    header_row: int | None = None  #: number of the row with the headers, None: there is none

    @property
    def rejected(self) -> Mapping[str, int]:
        """Number of rows that were set aside, by reason."""
        counts: dict[str, int] = {}
        for one in self.set_aside:
            counts[one.reason] = counts.get(one.reason, 0) + 1
        return counts

    @property
    def unused(self) -> Sequence[str]:
        """Headers of the columns that nothing was taken of."""
        return [column.header for column in self.columns if column.field is None]

    def summary(self) -> dict[str, object]:
        """Return what is stored beside the rows: counts, columns, and the rows that were set aside by reason."""
        return {
            "kind": self.kind,
            "encoding": self.encoding,
            "delimiter": self.delimiter,
            "header_row": self.header_row,
            "rows": len(self.rows),
            "rejected": dict(self.rejected),
            "set_aside": {reason: self.rows_for(reason) for reason in self.rejected},
            "columns": {column.header: column.field for column in self.columns if column.field},
            "unused_columns": list(self.unused),
            "warnings": list(self.warnings),
        }

    def rows_for(self, reason: str) -> str:
        """Return the numbers of the rows that were set aside for a reason, as ranges: ``3, 7-12``."""
        numbers = [one.row for one in self.set_aside if one.reason == reason]
        runs = groupby(enumerate(numbers), lambda item: item[1] - item[0])
        spans = ([number for _, number in run] for _, run in runs)
        return ", ".join(f"{span[0]}-{span[-1]}" if len(span) > 1 else str(span[0]) for span in spans)
