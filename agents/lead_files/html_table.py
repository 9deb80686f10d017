"""Tables of HTML pages, which CRMs export under the name ``.xls``."""

from __future__ import annotations

from collections.abc import Iterable
from html.parser import HTMLParser

from agents.lead_files.delimited import Row
from agents.lead_files.encoding import Text
from agents.lead_files.table import Table
from integrations.web.markup import parsable


def table(text: Text) -> Table | None:
    """Return the largest table of a page, or None when it has none."""
    reader = _Tables()
    reader.feed(parsable("".join(text.lines())))
    reader.close()
    best = max(reader.tables, key=len, default=[])
    if not best:
        return None

    def rows() -> Iterable[Row]:
        return enumerate(best, start=1)

    others = len([one for one in reader.tables if one]) - 1
    said = (f"holds {others + 1} tables; the one with the most rows is read",) if others else ()
    return Table(kind="HTML table", rows=rows, encoding=text.encoding, warnings=said)


class _Tables(HTMLParser):
    """Collects the cells of all tables, of which those inside a cell are tables of their own."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.tables: list[list[list[str]]] = []
        self._open: list[list[list[str]]] = []
        self._cell: list[str] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Open a table, a row or a cell."""
        if tag == "table":
            self._open.append([])
            self.tables.append(self._open[-1])
        elif not self._open:
            return
        elif tag == "tr":
            self._end_cell()
            self._open[-1].append([])
        elif tag in ("td", "th"):
            self._end_cell()
            if not self._open[-1]:
                self._open[-1].append([])
            self._cell = []
            spans = next((value for name, value in attrs if name == "colspan"), None)
            self._span = min(int(spans), 100) if spans and spans.isdigit() else 1
        elif tag == "br" and self._cell is not None:
            self._cell.append("\n")

    def handle_endtag(self, tag: str) -> None:
        """Close a cell or a table."""
        if tag in ("td", "th", "tr"):
            self._end_cell()
        elif tag == "table" and self._open:
            self._end_cell()
            self._open.pop()

    def handle_data(self, data: str) -> None:
        """Take the text of a cell."""
        if self._cell is not None:
            self._cell.append(data)

    def _end_cell(self) -> None:
        if self._cell is not None and self._open and self._open[-1]:
            self._open[-1][-1] += ["".join(self._cell).strip(), *[""] * (self._span - 1)]
        self._cell = None
