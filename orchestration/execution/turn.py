"""A campaign in one worker's hands: what it knows of the row while it goes from stage to stage.

Invariant: after a transition that we committed, the picture is the row's, so it need not be read again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from agents.unit import StageResult, UnitResult
from orchestration.flow.transition import Transition
from orchestration.ledger.rows import CampaignRow, Claimed


@dataclass(slots=True)
class Turn:
    """A campaign in this worker's hands: the row as we know it and what we hold of the hop."""

    row: CampaignRow
    done: Sequence[StageResult]  #: the hop's earlier stages
    claimed: Sequence[Claimed] = ()  #: units of the stage that are already ours
    due: int | None = None  #: how many more of its units are due; None: not known
    own: dict[int, UnitResult] = field(default_factory=dict)  #: results that we recorded, by ordinal


@dataclass(frozen=True, slots=True, kw_only=True)
class Joined:
    """A stage's join that this worker took: the transition it committed."""

    move: Transition
    claimed: int  #: so many of the next stage's units began as ours
    stay: bool  #: this worker goes on with the next hop itself
    done: Sequence[StageResult]  #: the stages that the transition was decided from


def stage_result(turn: Turn) -> StageResult:
    """The stage from our own results, in the order of the plan."""
    return StageResult(name=turn.row.stage_name, results=[turn.own[n] for n in sorted(turn.own)])


def follow(row: CampaignRow, joined: Joined) -> Turn:
    """Our picture of the row after a transition that we committed, without reading it again."""
    move = joined.move
    if move.stage is None:
        raise ValueError("an ended campaign can't be followed")
    following = replace(
        row,
        agent=move.agent,
        step=move.step,
        stage=move.stage_number,
        stage_name=move.stage.name,
        stage_size=len(move.stage.units),
        remaining=len(move.stage.units),
        base_step=move.hops[-1].step if move.hops else row.base_step,
        state=move.state,
    )
    claimed = [
        Claimed(
            unit=unit, ordinal=n, step=move.step, stage=move.stage_number, agent=move.agent or "",
            epoch=row.epoch, journal={},
        )
        for n, unit in enumerate(move.stage.units[: joined.claimed])
    ]  # fmt: skip
    due = len(move.stage.units) - joined.claimed
    return Turn(following, joined.done if move.step == row.step else (), claimed, due=due)
