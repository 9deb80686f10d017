"""What an agent tells people about a campaign: sections of typed facts, without a word on how they look.

Pure data. The agent says what there is (a count, an amount, a score); the command line, a page or a report says how it
is written. Invariant: a section names no lead and holds no e-mail address, and text of the outside world is plain text.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal

from pydantic import JsonValue

from agents.messages import MessageType
from agents.state import MarketingAgentState


@dataclass(frozen=True, slots=True)
class Count:
    """A whole number of things."""

    number: int


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in one currency."""

    amount: Decimal
    currency: str


@dataclass(frozen=True, slots=True)
class Percent:
    """A share of a whole."""

    share: float  #: 0..1


@dataclass(frozen=True, slots=True)
class Score:
    """A rating."""

    value: float | None  #: 0..1; None: not rated


@dataclass(frozen=True, slots=True)
class Figure:
    """A measured number that is neither money, count, share nor score."""

    value: Decimal | float


@dataclass(frozen=True, slots=True)
class Term:
    """A name from the code that people read as words, such as ``blog_post``."""

    name: str


@dataclass(frozen=True, slots=True)
class Platform:
    """An ad platform, which people know by its title."""

    name: str


@dataclass(frozen=True, slots=True)
class Quoted:
    """A message of the outside world, which may be cut short."""

    text: str


Cell = str | Count | Money | Percent | Score | Figure | Term | Platform | Quoted
Phrase = tuple[Cell, ...]  #: cells that are read in one go


@dataclass(frozen=True, slots=True)
class Line:
    """One sentence."""

    parts: Phrase


@dataclass(frozen=True, slots=True)
class Points:
    """A list without an order of its own."""

    items: tuple[Phrase, ...]
    trouble: bool = False  #: each item is something that went wrong


@dataclass(frozen=True, slots=True)
class Ranked:
    """One place of a ranking."""

    score: Score
    what: str
    why: str


@dataclass(frozen=True, slots=True)
class Ranking:
    """A list of the best of many, best first."""

    places: tuple[Ranked, ...]
    more: int = 0  #: how many are left out


@dataclass(frozen=True, slots=True)
class Facts:
    """Names and what they stand for."""

    pairs: tuple[tuple[Phrase, Phrase], ...]


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table."""

    title: str
    number: bool = False  #: its cells are compared digit by digit
    wraps: bool = False  #: its cells may take several lines; at most one column of a table


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of one shape, each with a cell for every column."""

    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]


@dataclass(frozen=True, slots=True)
class Bar:
    """One of several amounts that are compared."""

    what: Phrase
    value: float  #: >= 0, in the unit of its chart


@dataclass(frozen=True, slots=True)
class Chart:
    """Amounts side by side, in the order in which they are given."""

    unit: Phrase  #: what one bar counts
    bars: tuple[Bar, ...]


Block = Line | Points | Ranking | Facts | Table | Chart


@dataclass(frozen=True, slots=True)
class Section:
    """What is told under one title."""

    title: str
    blocks: tuple[Block, ...]


def reported(state: MarketingAgentState, agent: str, title: str) -> tuple[Section, ...]:
    """Return the figures that ``agent`` sent with its last result as a section of that title.

    Before its first result, and for a result without figures, there is no section.
    """
    results = [m for m in state.agent_messages if m.sender == agent and m.message_type is MessageType.TASK_RESULT]
    pairs = tuple(_pairs((), results[-1].payload)) if results else ()
    return (Section(title, (Facts(pairs),)),) if pairs else ()


def _pairs(name: Phrase, value: JsonValue | Mapping[str, JsonValue]) -> Iterator[tuple[Phrase, Phrase]]:
    """Yield each figure in ``value`` with the keys that lead to it, leaving out what is empty."""
    if isinstance(value, Mapping):
        for key, one in value.items():
            yield from _pairs((*name, ", ", Term(key)) if name else (Term(key),), one)
    elif isinstance(value, list) and any(isinstance(one, dict | list) for one in value):
        for number, one in enumerate(value, start=1):
            yield from _pairs((*name, " ", Count(number)), one)
    elif isinstance(value, list):
        cells = [cell for one in value if (cell := _cell(one)) is not None]
        if cells:
            yield name, tuple(part for cell in cells for part in (", ", cell))[1:]
    elif (cell := _cell(value)) is not None:
        yield name, (cell,)


def _cell(value: JsonValue) -> Cell | None:
    match value:
        case bool():
            return "yes" if value else "no"
        case int():
            return Count(value)
        case float():
            return Figure(value)
        case str() if value:
            return value
        case _:
            return None
