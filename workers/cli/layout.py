"""Shapes that reports are made of: headings, lines, lists and tables that fit any terminal.

Invariant: a report keeps to the width it is given; a table that has no room becomes one line per row, and no
column is ever squeezed to nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from rich import box
from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from workers.cli.output import clean

INDENT = (0, 0, 0, 2)
#: Cells between two columns: a table's padding and its divider.
GAP = 2
#: The column that wraps keeps at least so many cells.
WRAPPED = 20
LONGEST_BAR = 40  #: cells
_EIGHTHS = "▏▎▍▌▋▊▉"  #: of a cell, one to seven


def heading(text: str) -> Text:
    """Draw a section's name, with an empty line above."""
    return Text(f"\n{text}", style="bold")


def line(text: str, style: str = "", *, depth: int = 0) -> Padding:
    """Draw an indented line, whose wrapped part stays indented.

    ``depth`` is how many levels it lies below its section's own lines.
    """
    top, right, bottom, left = INDENT
    return Padding(Text(text, style=style), (top, right, bottom, left * (1 + depth)), expand=False)


def listed(items: Sequence[tuple[str, str]], *, quiet: bool = False) -> Padding:
    """Draw indented pairs, each a short mark and its text.

    With ``quiet`` entries without a mark are told softly.
    """
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    for mark, text in items:
        grid.add_row(Text(clean(mark)), Text(clean(text), style="dim" if quiet and not mark else ""))
    return Padding(grid, INDENT, expand=False)


@dataclass(slots=True)
class Rows:
    """A table, or one line per row where it has no room.

    ``>`` before a column's name puts it to the right.
    """

    columns: Sequence[str]
    rows: list[Sequence[str]] = field(default_factory=list)
    wide: int = 0  #: index of the column that may wrap; -1: none may

    def add(self, *cells: str) -> None:
        """Add a row, making texts of the outside world safe."""
        self.rows.append([clean(cell) for cell in cells])

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Choose the shape that fits."""
        fits = self._least() <= options.max_width
        yield from [Padding(self._table(), INDENT, expand=False)] if fits else self._lines()

    def _least(self) -> int:
        """Return the width of the narrowest terminal that shows every column whole, but for the one that wraps."""
        columns = [[name.removeprefix(">"), *cells] for name, *cells in zip(self.columns, *self.rows, strict=True)]
        widths = [max(map(cell_len, column)) for column in columns]
        if self.wide >= 0:
            widths[self.wide] = min(widths[self.wide], WRAPPED)
        return INDENT[3] + sum(widths) + GAP * (len(widths) - 1)

    def _table(self) -> Table:
        table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0), header_style="dim")
        for number, name in enumerate(self.columns):
            right, wide = name.startswith(">"), number == self.wide
            table.add_column(
                name.removeprefix(">"),
                justify="right" if right else "left",
                no_wrap=not wide,
                overflow="fold",
            )
        for row in self.rows:
            table.add_row(*(Text(cell) for cell in row))
        return table

    def _lines(self) -> Iterator[RenderableType]:
        names = [name.removeprefix(">") for name in self.columns]
        for row in self.rows:
            facts = [f"{name.lower()} {cell}" for name, cell in zip(names[1:], row[1:], strict=True) if cell]
            yield listed([("-", f"{row[0]}: {', '.join(facts)}")])


@dataclass(slots=True)
class Bars:
    """Bars side by side, the longest as long as there is room, each with its name and its amount in figures."""

    bars: Sequence[tuple[str, float, str]]  #: name, amount >= 0, amount in figures

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Leave the bars out where they would have no room."""
        names, figures = [clean(name) for name, _, _ in self.bars], [text for _, _, text in self.bars]
        taken = INDENT[3] + max(map(cell_len, names), default=0) + max(map(cell_len, figures), default=0) + 2 * GAP
        room = min(LONGEST_BAR, options.max_width - taken)
        most = max((amount for _, amount, _ in self.bars), default=0.0)
        grid = Table.grid(padding=(0, GAP, 0, 0))
        grid.add_column(overflow="fold")
        grid.add_column(justify="right", no_wrap=True)
        for name, figure, (_, amount, _) in zip(names, figures, self.bars, strict=True):
            drawn = bar(amount / most if most > 0 else 0.0, room, plain=options.ascii_only)
            grid.add_row(Text(name), Text(figure), Text(drawn, style="cyan"))
        yield Padding(grid, INDENT, expand=False)


def bar(share: float, room: int, *, plain: bool = False) -> str:
    """Draw a share, 0..1, of so many cells, to an eighth of a cell, or with ``plain`` in whole ones of ASCII."""
    eighths = round(max(0.0, min(1.0, share)) * max(0, room) * 8)
    if plain:
        return "#" * round(eighths / 8)
    return "█" * (eighths // 8) + (_EIGHTHS[eighths % 8 - 1] if eighths % 8 else "")
