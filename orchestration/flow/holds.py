"""Holds of planned stages: a person's approval, or a time that the agent asks for.

Pure. A hold is decided when the stage is planned, so waiting is a row and holds no worker slot. The agents say what is
to be asked and how long to wait; here is decided whether the campaign's gate lets it pass. Invariants: nothing is
published or spent before what will be published and spent has been approved; what was approved passes, anything else
asks anew; an effect that its agent does not describe is asked under every gate but ``none``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from pydantic import JsonValue

from agents.approval import UNDESCRIBED, Question, covered
from agents.base import BaseAgent
from agents.gates import EVERY_GATE, NO_GATE
from agents.state import MarketingAgentState
from agents.unit import Stage
from agents.waiting import Wait

NEEDS_ATTENTION = "needs_attention"


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """Why a stage may not begin yet, and until when."""

    status: str  #: waiting | awaiting_approval
    reason: str
    kind: str  #: of the question (its gate) or of the wait
    due_at: datetime | None = None  #: the wait's end, or the approval's expiry
    request: Mapping[str, JsonValue] | None = None  #: of an approval: exactly what will be published and spent
    contents: tuple[str, ...] = ()  #: of an approval: hashes of what it covers
    budget: Decimal | None = None  #: of an approval: most that may be spent

    @property
    def approval(self) -> bool:
        """Whether a person has to decide."""
        return self.request is not None


def hold_for(
    state: MarketingAgentState, agent: BaseAgent, stage: Stage, came_from: BaseAgent | None, now: datetime
) -> Hold | None:
    """Return the hold of ``stage``, planned for ``agent``, or None when the stage may begin.

    ``came_from`` is the agent whose hop has just ended, None in the middle of a hop.
    """
    gate = state.campaign_config.approval.gate or NO_GATE
    for question in _questions(state, agent, stage, came_from) if gate != NO_GATE else ():
        if stops(gate, question) and not covered(question, state.approvals):
            return asked(state, question, now)
    wait = agent.wait(state, came_from.name if came_from is not None else None, now)
    return waited(wait) if wait is not None else None


def _questions(
    state: MarketingAgentState, agent: BaseAgent, stage: Stage, came_from: BaseAgent | None
) -> Iterator[Question]:
    """Yield what there is to ask: about what has just been made, then about the stage's effects."""
    if came_from is not None and (made := came_from.review(state)) is not None:
        yield made
    if any(unit.effect for unit in stage.units) and (effects := agent.question(state, stage)) is not None:
        yield effects


def stops(gate: str, question: Question) -> bool:
    """Return whether the approval gate ``gate`` asks ``question``."""
    return gate != NO_GATE and (gate in (EVERY_GATE, question.kind) or question.kind == UNDESCRIBED)


def asked(state: MarketingAgentState, question: Question, now: datetime) -> Hold:
    """Return the hold until a person answers, or the question expires."""
    expiry = state.campaign_config.approval.expires_after
    return Hold(
        status="awaiting_approval",
        reason=f"approval of {question.kind}",
        kind=question.kind,
        due_at=now + expiry if expiry else None,
        request=question.request,
        contents=question.contents,
        budget=question.budget,
    )


def waited(wait: Wait) -> Hold:
    """Return the hold for a time."""
    return Hold(status="waiting", reason=wait.reason, kind=wait.kind, due_at=wait.due_at)
