"""How the sections that agents tell of a campaign are written on a terminal.

Pure: typed facts in, something to print out. Invariant: each kind of cell is written in one way everywhere, and text of
the outside world is made safe here.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from rich.text import Text

from agents.overview import (
    Block,
    Cell,
    Chart,
    Count,
    Facts,
    Figure,
    Line,
    Money,
    Percent,
    Phrase,
    Platform,
    Points,
    Quoted,
    Ranking,
    Score,
    Section,
    Table,
    Term,
)
from workers.cli.layout import Bars, Rows, heading, line, listed
from workers.cli.output import clean
from workers.cli.wording import money, platform_title, words

if TYPE_CHECKING:
    from rich.console import RenderableType

MOST_QUOTED = 200  #: characters of a message that may be cut short


def drawn(section: Section) -> Iterator[RenderableType]:
    """Yield a section, top to bottom."""
    yield heading(clean(section.title))
    for block in section.blocks:
        yield from _block(block)


def said(phrase: Phrase) -> str:
    """Join cells that are read in one go."""
    return clean("".join(map(written, phrase)))


def written(cell: Cell) -> str:
    """Write one cell."""
    match cell:
        case Count(number):
            return f"{number:,}"
        case Money(amount, currency):
            return money(amount, currency)
        case Percent(share):
            return f"{share:.2%}"
        case Score(value):
            return "?" if value is None else f"{value:.2f}"
        case Figure(value):
            return f"{value:,.2f}"
        case Term(name):
            return words(name)
        case Platform(name):
            return platform_title(name)
        case Quoted(text):
            return clean(text, MOST_QUOTED)
        case str():
            return cell


def _block(block: Block) -> Iterator[RenderableType]:
    match block:
        case Line(parts):
            yield line(said(parts))
        case Points(items, trouble):
            yield listed([("!" if trouble else "-", said(item)) for item in items])
        case Ranking(places, more):
            told = [pair for one in places for pair in ((written(one.score), one.what), ("", one.why))]
            yield listed(told, quiet=True)
            if more:
                yield line(f"… and {more:,} more", style="dim")
        case Facts(pairs):
            yield listed([(_label(name), said(value)) for name, value in pairs])
        case Chart(unit, bars):
            yield Text()
            yield line(f"{said(unit)}:")
            yield Bars([(said(one.what), one.value, f"{one.value:,.2f}") for one in bars])
        case Table():
            yield _table(block)


def _label(name: Phrase) -> str:
    text = said(name)
    return text[:1].upper() + text[1:]


def _table(table: Table) -> Rows:
    wide = next((number for number, column in enumerate(table.columns) if column.wraps), -1)
    rows = Rows([(">" if column.number else "") + column.title for column in table.columns], wide=wide)
    for row in table.rows:
        rows.add(*map(written, row))
    return rows
