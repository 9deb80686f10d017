"""Reading of a lead file: from its bytes to people, with what became of each column and row."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import islice

from agents.config_problems import ConfigError
from agents.lead_files import address_list, delimited, html_table, json_records, spreadsheet, vcard
from agents.lead_files.columns import Use, choose
from agents.lead_files.delimited import Row
from agents.lead_files.dialect import TITLES, apart, dialect_of, named_delimiter
from agents.lead_files.encoding import Text, decode
from agents.lead_files.formats import READ, of_bytes, of_text
from agents.lead_files.header_row import Header, find
from agents.lead_files.header_words import meaning
from agents.lead_files.lead_file import (
    ABOVE_HEADER,
    HEADER_AGAIN,
    MAX_BYTES,
    NOT_AN_OBJECT,
    Column,
    LeadFile,
    Person,
    SetAside,
)
from agents.lead_files.people import PeopleReader
from agents.lead_files.table import Table

MAX_ROWS = 100_000
_HEAD = 300  #: rows that are looked at before the first is read
_SAMPLE = 200  #: rows below the header by whose cells columns are known
_NEEDED = frozenset({"email", "name", "first_name", "last_name", "company"})
_SHOWN_ROWS = 5  #: numbers of rows that a warning names


def parse(data: bytes, filename: str, columns: Mapping[str, str] | None = None) -> LeadFile:
    """Read a file of leads.

    ``columns`` names the header of a field where the file's own words mislead. Raises ConfigError, naming what was
    found and what would be right, for a file that is too large (100 MB, 100,000 rows), of a format that is not read,
    without a column that could identify anybody, or without anybody.
    """
    shown = filename.replace("\\", "/").rpartition("/")[2] or "file"
    if len(data) > MAX_BYTES:
        raise ConfigError([f"{shown}: {len(data):,} bytes is above the limit of {MAX_BYTES:,}; split the file"])
    table = table_of(data, shown)
    head = list(islice(table.rows(), _HEAD))
    own = table.header
    header = find(head, columns or {}) if own is None else Header(cells=own, row=None)
    below = [cells for number, cells in head if number > (header.row or 0)][:_SAMPLE]
    uses = choose(header.cells, below, columns, shown=shown)
    _check_needed(uses, header, shown)
    return _read(table, header, uses, shown)


def table_of(data: bytes, shown: str) -> Table:
    """Return the rows of a file of any format that is read, ``shown`` being its name.

    Raises ConfigError, naming the format, for another.
    """
    if of_bytes(data, shown) == "xlsx":
        return spreadsheet.table(data, shown)
    text = decode(data)
    lines = list(islice((line[:20_000] for line in text.lines()), _HEAD))
    head = "".join(lines)
    if not head.strip() and not any(line.strip() for line in text.lines()):
        raise ConfigError([f"{shown}: is empty; give {READ}"])
    kind = of_text(head, shown)
    if kind == "html":
        found = html_table.table(text)
        if found is None:
            raise ConfigError([f"{shown}: is HTML without a table; save the list as xlsx or CSV"])
    elif kind in ("json", "json lines"):
        found = json_records.table(text, shown, lines=kind == "json lines")
    elif kind == "vcard":
        found = vcard.table(text.lines(), text.encoding)
    elif address_list.is_list(lines):
        found = address_list.table(text.lines(), text.encoding)
    else:
        found = _delimited(text, lines)
    return Table(
        kind=found.kind, rows=found.rows, header=found.header, encoding=found.encoding, delimiter=found.delimiter,
        not_objects=found.not_objects, warnings=(*text.warnings, *found.warnings),
    )  # fmt: skip


def _delimited(text: Text, lines: Sequence[str]) -> Table:
    first = next((number for number, line in enumerate(lines) if line.strip()), 0)
    named = named_delimiter(lines[first]) if lines else None
    skipped = first + 1 if named else 0
    dialect = dialect_of(lines[skipped:], named)

    def rows() -> Iterable[Row]:
        for number, cells in delimited.rows(islice(text.lines(), skipped, None), dialect):
            yield number, apart(cells, dialect)

    return Table(kind="CSV", rows=rows, encoding=text.encoding, delimiter=TITLES[dialect.delimiter])


def _check_needed(uses: Sequence[Use], header: Header, shown: str) -> None:
    if any(use.meaning.field in _NEEDED for use in uses):
        return
    found = ", ".join(repr(cell[:40]) for cell in list(header.cells)[:20] if cell) or "none"
    if header.row is None and not header.known:
        what = "no row of it is a header that is known, and no column holds e-mail addresses"
        raise ConfigError([f"{shown}: {what}; write a first row such as name,email,company"])
    what = f"columns found: {found}; at least one of email, name or company is needed"
    raise ConfigError([f"{shown}: {what} (columns: {{email: HEADER}} says which it is)"])


def _read(table: Table, header: Header, uses: Sequence[Use], shown: str) -> LeadFile:
    reader = PeopleReader(uses)
    people: list[Person] = []
    aside = [SetAside(row=number, reason=NOT_AN_OBJECT) for number in table.not_objects]
    filled = [0] * len(header.cells)
    rows = longer = 0
    head = [cell.strip() for cell in header.cells]
    for number, cells in table.rows():
        blank = not any(cell and not cell.isspace() for cell in cells)
        if number == header.row or (blank and table.header is None):
            continue
        if number < (header.row or 0):
            aside.append(SetAside(row=number, reason=ABOVE_HEADER))
            continue
        rows += 1
        if rows > MAX_ROWS:
            continue
        longer += len(cells) > len(head)
        if header.row is not None and cells[0].strip() == head[0] and [cell.strip() for cell in cells] == head:
            aside.append(SetAside(row=number, reason=HEADER_AGAIN))
            continue
        found = reader.read(number, cells)
        if isinstance(found, str):
            aside.append(SetAside(row=number, reason=found))
            continue
        people.append(found)
        for index, cell in enumerate(cells[: len(head)]):
            if cell:
                filled[index] += 1
    if rows + len(table.not_objects) > MAX_ROWS:
        total = rows + len(table.not_objects)
        raise ConfigError([f"{shown}: {total:,} rows are above the limit of {MAX_ROWS:,}; split the file"])
    file = LeadFile(
        rows=people, columns=_columns(header, uses, filled, reader), set_aside=sorted(aside, key=lambda one: one.row),
        warnings=(*table.warnings, *_warnings(header, uses, longer, reader)), kind=table.kind, encoding=table.encoding,
        delimiter=table.delimiter, header_row=header.row,
    )  # fmt: skip
    if not people:
        reasons = "; ".join(f"{count:,} rows set aside: {reason}" for reason, count in file.rejected.items())
        raise ConfigError([f"{shown}: holds nobody ({reasons or 'it has a header and no rows'})"])
    return file


def _columns(header: Header, uses: Sequence[Use], filled: Sequence[int], reader: PeopleReader) -> list[Column]:
    columns = []
    for index, text in enumerate(header.cells):
        own = [use for use in uses if use.index == index]
        # a column that may be two fields is what most of its cells were taken for
        own.sort(key=lambda use: (-reader.used[index, use.meaning.field], use.meaning.rank))
        if not text.strip() and not filled[index]:
            continue
        columns.append(
            Column(
                header=text or f"column {index + 1}",
                field=own[0].meaning.field if own else None,
                known_by=own[0].known_by if own else "",
                filled=filled[index],
                used=sum(reader.used[index, use.meaning.field] for use in own),
            )
        )
    return columns


def _warnings(header: Header, uses: Sequence[Use], longer: int, reader: PeopleReader) -> list[str]:
    said = []
    used = {use.index for use in uses}
    others = [
        repr(cell[:40])
        for index, cell in enumerate(header.cells)
        if index not in used and (found := meaning(cell)) is not None and found.another
    ]
    if others:
        said.append(f"rows name another person in {', '.join(others)}, who is not read; give each person a row")
    if not header.known and header.row is not None:
        said.append(f"row {header.row} is taken for the header, of which no word is known")
    if not header.known and header.row is None:
        said.append("has no header; columns are known by their cells")
    if longer:
        said.append(f"{longer:,} rows have more cells than the header; what is beyond it is not read")
    if reader.broken_addresses:
        said.append(f"{_rows(reader.broken_addresses)}: what stands for an e-mail address is none")
    return said


def _rows(numbers: Sequence[int]) -> str:
    first = ", ".join(map(str, numbers[:_SHOWN_ROWS]))
    more = len(numbers) - _SHOWN_ROWS
    return f"row{'s' if len(numbers) > 1 else ''} {first}" + (f" and {more:,} more" if more > 0 else "")
