"""What a planned stage waits for: a person's approval, a time to gather figures, the next optimisation.

Pure. A hold is decided when the stage is planned, so waiting is a row and holds no worker slot. Invariants:
nothing reaches a platform before what will be published and spent has been approved; what was approved
passes, anything else asks anew.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from agents.registry import AD_MANAGEMENT, ANALYTICS, CONTENT_CREATION
from agents.state import MarketingAgentState
from agents.unit import Stage, short_hash

MEASURING = "measuring"
NEXT_OPTIMIZATION = "next_optimization"
NEEDS_ATTENTION = "needs_attention"


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """Why a stage may not begin yet, and until when."""

    status: str  #: waiting | awaiting_approval
    reason: str
    kind: str  #: content | ads | measuring | next_optimization
    due_at: datetime | None = None  #: the wait's end, or the approval's expiry
    request: Mapping[str, Any] | None = None  #: of an approval: exactly what will be published and spent
    contents: tuple[str, ...] = ()  #: of an approval: hashes of what it covers
    budget: Decimal | None = None  #: of an approval: most that may be spent

    @property
    def approval(self) -> bool:
        """Does a person have to decide?"""
        return self.request is not None


def hold_for(state: MarketingAgentState, agent: str, stage: Stage, came_from: str | None, now: datetime) -> Hold | None:
    """The hold of ``stage``, planned for ``agent``; ``came_from``: the agent whose hop has just ended, if one has."""
    gate = state.campaign_config.approval.gate or "none"
    if came_from == CONTENT_CREATION and gate in ("content", "all"):
        wanted = content_approval(state, now)
        if wanted is not None:
            return wanted
    if agent == AD_MANAGEMENT and gate in ("ads", "all") and any(unit.effect for unit in stage.units):
        return ads_approval(state, stage, now)
    wait = state.campaign_config.measure_after
    if agent == ANALYTICS and came_from == AD_MANAGEMENT and wait and state.ad_creatives:
        return Hold(status="waiting", reason=f"{MEASURING}: figures gather", kind=MEASURING, due_at=now + wait)
    return None


def content_approval(state: MarketingAgentState, now: datetime) -> Hold | None:
    """The question about the content, unless all of it has been approved."""
    pieces = {short_hash(p.piece_id, str(p.revision), p.title, p.body): p for p in state.generated_content}
    if not pieces or set(pieces) <= _approved(state, "content"):
        return None
    request = {
        "pieces": [
            {
                "piece_id": p.piece_id,
                "revision": p.revision,
                "content_type": p.content_type,
                "title": p.title,
                "body": p.body,
                "meta_description": p.meta_description,
                "call_to_action": p.call_to_action,
            }
            for p in pieces.values()
        ]
    }
    return _question(state, "content", request, tuple(pieces), None, now)


def ads_approval(state: MarketingAgentState, stage: Stage, now: datetime) -> Hold | None:
    """The question about what the stage's effects publish and spend, unless it is covered."""
    effects = [unit for unit in stage.units if unit.effect]
    hashes = tuple(short_hash(unit.input["platform"], *_texts(unit.input["spec"])) for unit in effects)
    budget = state.campaign_config.budget or Decimal(0)
    granted = [g for g in state.approvals if g.kind == "ads" and g.budget is not None and budget <= g.budget]
    if granted and set(hashes) <= {content for grant in granted for content in grant.contents}:
        return None
    request = {
        "ads": [{"platform": unit.input["platform"], **dict(unit.input["spec"])} for unit in effects],
        "budget": str(budget),
        "currency": state.campaign_config.currency,
        "days": state.campaign_config.schedule.days,
    }
    return _question(state, "ads", request, hashes, budget, now)


def next_optimization(state: MarketingAgentState, now: datetime) -> Hold | None:
    """The wait of a finished campaign for its next optimisation cycle; None when its schedule is over."""
    cadence = state.campaign_config.optimize_every
    if cadence is None or not any(c.status == "active" for c in state.ad_creatives):
        return None
    ends = state.created_at + timedelta(days=state.campaign_config.schedule.days)
    if now + cadence > ends:
        return None
    reason = f"{NEXT_OPTIMIZATION}: every {_words(cadence)} until {ends:%Y-%m-%d}"
    return Hold(status="waiting", reason=reason, kind=NEXT_OPTIMIZATION, due_at=now + cadence)


def _question(
    state: MarketingAgentState,
    kind: str,
    request: Mapping[str, Any],
    contents: tuple[str, ...],
    budget: Decimal | None,
    now: datetime,
) -> Hold:
    expiry = state.campaign_config.approval.expires_after
    return Hold(
        status="awaiting_approval",
        reason=f"approval of {kind}",
        kind=kind,
        due_at=now + expiry if expiry else None,
        request=request,
        contents=contents,
        budget=budget,
    )


def _approved(state: MarketingAgentState, kind: str) -> set[str]:
    return {content for grant in state.approvals if grant.kind == kind for content in grant.contents}


def _texts(spec: Mapping[str, Any]) -> list[str]:
    shown = ("headlines", "descriptions", "call_to_action", "landing_url")
    return [repr(spec.get(name)) for name in shown]


def _words(span: timedelta) -> str:
    hours = span.total_seconds() / 3600
    return f"{hours / 24:g} days" if hours >= 48 else f"{hours:g} hours"
