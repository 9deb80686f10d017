"""Where the header of a table is: in one of its first rows, below notes and titles, or nowhere.

Pure. Invariant: a row is the header because its cells are known headers and the cells below fit them, not because it is
the first one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from agents.lead_files.cells import line_of
from agents.lead_files.delimited import Row
from agents.lead_files.header_words import Meaning, meaning, words_of
from agents.lead_files.values import read, read_emails

LOOKED_AT = 40  #: rows with cells in which the header is looked for
_BELOW = 20  #: rows below a header that must fit it
_DATA = -2.0  #: of a cell that no header has: an address, a link, a number


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """Header of a table, and the number of its row (None: the table has none, and its columns are numbered)."""

    cells: Sequence[str]
    row: int | None
    known: bool = True  #: a header of it means something to us


def find(rows: Sequence[Row], given: Mapping[str, str]) -> Header:
    """Return the header of a table that begins with these rows.

    ``given`` are headers that the campaign names for fields: a row that has them is the header.
    """
    filled = [(number, cells) for number, cells in rows if any(cell.strip() for cell in cells)]
    wanted = {words_of(header) for header in given.values()}
    if wanted:
        named = [
            (sum(words_of(cell) in wanted for cell in cells), -at) for at, (_, cells) in enumerate(filled[:LOOKED_AT])
        ]
        most, at = max(named, default=(0, 0))
        if most:
            return Header(cells=_tidy(filled[-at][1]), row=filled[-at][0])
    best, best_at = 0.0, -1
    for at, (_, cells) in enumerate(filled[:LOOKED_AT]):
        score = _score(cells, filled[at + 1 : at + 1 + _BELOW])
        if score > best:
            best, best_at = score, at
    if best_at >= 0:
        number, cells = filled[best_at]
        above = filled[best_at - 1][1] if best_at else []
        return Header(cells=_with_groups(_tidy(cells), _tidy(above)), row=number)
    return _unknown(filled)


def _tidy(cells: Sequence[str]) -> list[str]:
    return [line_of(cell) for cell in cells]


def _with_groups(cells: list[str], above: list[str]) -> list[str]:
    """Return headers with the groups that a row above gives them: "Company" above "Name" is "Company Name"."""
    said = [meaning(group) for group in above if group]
    if len(said) < 2 or not all(found is not None and found.field in ("name", "company") for found in said):
        return cells
    grouped, group = [], ""
    for index, cell in enumerate(cells):
        group = above[index] if index < len(above) and above[index] else group
        found = meaning(group) if group else None
        whole = meaning(f"{group} {cell}") if found is not None and found.field == "company" and cell else None
        grouped.append(f"{group} {cell}" if whole is not None else cell)
    return grouped


def _score(cells: Sequence[str], below: Sequence[Row]) -> float:
    """Return how many cells of a row are known headers, more for those that the cells below fit."""
    known = [(index, meaning(cell)) for index, cell in enumerate(cells) if cell.strip()]
    said = [(index, found) for index, found in known if found is not None]
    if not said:
        return 0.0
    data = sum(_is_data(cell) for cell in cells)
    score = len(said) + sum(_fit(found, index, below) for index, found in said) + _DATA * data
    return score if len(said) >= data else 0.0


def _fit(found: Meaning, index: int, below: Sequence[Row]) -> float:
    cells = [row[index] for _, row in below if index < len(row) and row[index].strip()]
    return sum(read(found.field, cell).grade > 0 for cell in cells) / len(cells) if cells else 0.0


def _is_data(cell: str) -> bool:
    text = cell.strip()
    return "@" in text or "://" in text or (text[:1].isdigit() and not any(map(str.isalpha, text)))


def _unknown(filled: Sequence[Row]) -> Header:
    """Return the header of a table of which no header is known: its first row, or none when that is a row as any."""
    width = Counter(len(cells) for _, cells in filled[:LOOKED_AT]).most_common(1)
    usual = width[0][0] if width else 0
    mail = next(
        (
            index
            for index in range(usual)
            if sum(bool(_mail(cells, index)) for _, cells in filled[:LOOKED_AT]) > 0.5 * len(filled[1:LOOKED_AT])
        ),
        None,
    )
    for number, cells in filled:
        if len(cells) < min(usual, 2):
            continue
        if mail is not None and (_mail(cells, mail) or not "".join(cells[mail : mail + 1]).strip()):
            break  # a row as any other: there is no header
        if not any(_is_data(cell) for cell in cells):
            return Header(cells=_tidy(cells), row=number, known=False)
        break
    return Header(cells=[f"column {number}" for number in range(1, max(usual, 1) + 1)], row=None, known=False)


def _mail(cells: Sequence[str], index: int) -> list[str]:
    return read_emails(cells[index]) if index < len(cells) else []
