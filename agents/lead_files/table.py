"""Rows of any format, before anything is known about what they mean."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from agents.lead_files.delimited import Row


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Rows of a file, which can be read more than once."""

    kind: str  #: of the format, for people
    rows: Callable[[], Iterable[Row]]
    header: Sequence[str] | None = None  #: where the format names its columns itself; else a row does, or none
    encoding: str = ""
    delimiter: str = ""
    not_objects: Sequence[int] = ()  #: numbers of entries that are no records
    warnings: Sequence[str] = ()


class Records:
    """Records with keys of their own, of which each key becomes a column.

    Records with the same keys share them, so that 100,000 of them take little more than their values.
    """

    def __init__(self) -> None:
        self._places: dict[str, int] = {}
        self._shapes: dict[tuple[int, ...], tuple[int, ...]] = {}
        self._records: list[tuple[int, tuple[int, ...], tuple[str, ...]]] = []

    def add(self, number: int, record: Iterable[tuple[str, str]]) -> None:
        """Add a record under its number, of whose keys that are there twice the last counts."""
        found: dict[int, str] = {}
        for key, value in record:
            found[self._places.setdefault(key, len(self._places))] = value
        places = tuple(found)
        self._records.append((number, self._shapes.setdefault(places, places), tuple(found.values())))

    def table(self, kind: str, *, encoding: str, not_objects: Sequence[int] = ()) -> Table:
        """Return the records as a table."""
        width = len(self._places)

        def rows() -> Iterable[Row]:
            for number, places, values in self._records:
                cells = [""] * width
                for place, value in zip(places, values, strict=True):
                    cells[place] = value
                yield number, cells

        return Table(kind=kind, rows=rows, header=list(self._places), encoding=encoding, not_objects=not_objects)
