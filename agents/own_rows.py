"""What became of each row of the user's own files: kept, merged into another one, or set aside and why.

A row is named by its file and number, ``3f2a9c1d:12``: the first digits of the file's id, and the number that the
reader of the file gave it, else its place among the rows that were stored, from 1. Leads carry the rows that they are
made of, the hop's message those that it set aside. Pure. Invariants: a row's name holds nothing of the person; each row
that was read is in one outcome, but for people who were erased since.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from agents.messages import MessageType
from agents.names import LEAD_GENERATION
from agents.state import MarketingAgentState

SET_ASIDE = "rows_set_aside"  #: in the payload of the hop's message: reason -> file -> "1-3,7"
DIGITS = 8  #: of a file's id


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one row."""

    what: Literal["kept", "merged", "set aside"]
    lead_id: str = ""  #: the lead that it is, or was merged into
    reason: str = ""  #: why it was set aside


def row_name(file_id: str, number: object) -> str:
    """Return the name of a row."""
    return f"{file_id[:DIGITS]}:{number}"


def set_aside(rows: Iterable[tuple[str, str]]) -> dict[str, dict[str, str]]:
    """Return (row, reason) pairs as the hop's message has them."""
    found: dict[str, dict[str, set[int]]] = {}
    for row, reason in rows:
        file, _, number = row.rpartition(":")
        found.setdefault(reason, {}).setdefault(file, set()).add(int(number))
    return {reason: {file: _ranges(numbers) for file, numbers in files.items()} for reason, files in found.items()}


def outcomes(state: MarketingAgentState) -> dict[str, Outcome]:
    """Return what became of each row that the newest hop of lead generation has read."""
    found = {row: Outcome("set aside", reason=reason) for row, reason in _told(state)}
    for lead in state.leads:
        for place, row in enumerate(lead.rows):
            found[row] = Outcome("merged" if place else "kept", lead_id=lead.lead_id)
    return found


def newest_report(state: MarketingAgentState) -> Mapping[str, Any]:
    """Return the payload of the newest message of lead generation about its hop, empty before there is one."""
    for sent in reversed(state.agent_messages):
        if sent.sender == LEAD_GENERATION and sent.message_type is MessageType.STATUS_UPDATE:
            return sent.payload
    return {}


def _told(state: MarketingAgentState) -> Iterator[tuple[str, str]]:
    by_reason = newest_report(state).get(SET_ASIDE)
    for reason, files in by_reason.items() if isinstance(by_reason, Mapping) else ():
        for file, ranges in files.items():
            for part in ranges.split(","):
                first, _, last = part.partition("-")
                for number in range(int(first), int(last or first) + 1):
                    yield f"{file}:{number}", reason


def _ranges(numbers: Iterable[int]) -> str:
    """Return numbers as text: ``1-3,7``."""
    parts: list[list[int]] = []
    for number in sorted(numbers):
        if parts and number == parts[-1][-1] + 1:
            parts[-1][1:] = [number]
        else:
            parts.append([number])
    return ",".join("-".join(map(str, part)) for part in parts)
