"""State of a campaign as it was before a step, folded from the checkpoints of its line of work.

Pure. A campaign that went back to step 1 continues at the next free number, so its line may be 0, 4, 5;
checkpoints name their parent. Invariant: what was restored is what was committed, nothing is recomputed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import JsonValue

from agents.state import MarketingAgentState


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What one step changed, and the step that it builds on."""

    step: int
    agent: str
    patch: Mapping[str, JsonValue]
    parent: int | None


class NoSuchStepError(LookupError):
    """Raised when the campaign's line of work has no such step."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """State at the beginning of a step."""

    state: MarketingAgentState
    agent: str  #: whose hop the step was
    base: int  #: the checkpoint that it builds on


def line_of(checkpoints: Mapping[int, Checkpoint], newest: int) -> list[int]:
    """Return the steps of the line that ends with checkpoint ``newest``, oldest first, the submit (-1) included."""
    line = [newest]
    while line[-1] != -1:
        parent = checkpoints[line[-1]].parent
        line.append(-1 if parent is None else parent)
    return line[::-1]


def restore(
    checkpoints: Mapping[int, Checkpoint], newest: int, step: int, *, at_work: tuple[int, str] | None = None
) -> Restored:
    """Return the state before ``step``, where ``at_work`` is the (step, agent) of a hop without a checkpoint.

    Raises NoSuchStepError, which lists the steps there are, when ``step`` is not on the line.
    """
    line = line_of(checkpoints, newest)
    agents = {number: checkpoints[number].agent for number in line if number >= 0}
    if at_work is not None and at_work[0] not in agents:
        agents[at_work[0]] = at_work[1]
    if step not in agents:
        listed = ", ".join(f"{number} ({agent})" for number, agent in sorted(agents.items()))
        raise NoSuchStepError(f"there is no step {step} to go back to; there are {listed}")
    before = [number for number in line if number < step]
    data: dict[str, JsonValue] = {}
    for number in before:
        data |= checkpoints[number].patch
    return Restored(state=MarketingAgentState.load(data), agent=agents[step], base=before[-1])
