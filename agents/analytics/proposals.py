"""Typed changes that the analyst's model proposes, of which figures decide.

Pure. A proposal is taken only on a platform whose results are below the bar, when it is within the limits of every
action, and when no other change of a setting there has yet to be measured; one that turns out to make it worse is taken
back. Invariant: a proposal is never repeated.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Annotated, Literal

from pydantic import Field, ValidationError

from agents.action_log import ActionRecord
from agents.actions import ChangeBid, NarrowAudience, NegativeKeyword, OnePlatform, WidenAudience
from agents.analytics.action_limits import problem
from agents.answer_form import AnswerForm, at_most, first
from agents.performance_score import GOOD
from agents.state import CampaignPerformance, MarketingAgentState

MAX_PROPOSALS = 3
SETTINGS = (NarrowAudience, WidenAudience, NegativeKeyword, ChangeBid)  #: actions that change a setting
_Words = Annotated[
    list[Annotated[str, at_most(80), Field(max_length=80)]], first(10), Field(max_length=10, default_factory=list)
]


class Proposal(AnswerForm):
    """One change of a setting that the model proposes."""

    kind: Literal["narrow_audience", "widen_audience", "negative_keyword", "bid"]
    platform: Annotated[str, at_most(60)] = Field(max_length=60, description="as the brief writes it")
    locations: _Words
    industries: _Words
    titles: _Words
    interests: _Words
    words: _Words
    cap: Annotated[str, at_most(20)] = Field(max_length=20, default="", description='of a bid, such as "2.50"')
    why: Annotated[str, at_most(300)] = Field(max_length=300, description="one sentence")

    @property
    def words_shown(self) -> str:
        """Everything in it that people read, or that goes to a platform."""
        return "\n".join((*self.locations, *self.industries, *self.titles, *self.interests, *self.words, self.why))


def taken(
    state: MarketingAgentState, measured: CampaignPerformance, proposals: Sequence[Proposal], now: datetime
) -> tuple[OnePlatform, ...]:
    """Return the proposals that are worth trying, one a platform at most."""
    low = {one.platform for one in measured.platforms if one.judged and (one.score or 0.0) < GOOD}
    found: dict[str, OnePlatform] = {}
    for proposal in proposals:
        action = _typed(state, proposal)
        if action is None or action.platform not in low or action.platform in found:
            continue
        if busy(state.actions, action.platform) or _said(state.actions, action) or problem(state, action, now):
            continue
        found[action.platform] = action
    return tuple(found.values())


def busy(records: Iterable[ActionRecord], platform: str) -> bool:
    """Return whether a change of a setting on a platform has yet to be measured."""
    return any(
        one.stands and platform in one.done and one.effect is None and isinstance(one.action, SETTINGS)
        for one in records
    )


def _typed(state: MarketingAgentState, proposal: Proposal) -> OnePlatform | None:
    common = {"platform": proposal.platform, "why": f"proposed by the model: {proposal.why}"[:300]}
    aim = {name: tuple(getattr(proposal, name)) for name in ("locations", "industries", "titles", "interests")}
    try:
        match proposal.kind:
            case "narrow_audience":
                return NarrowAudience.model_validate({**common, **aim})
            case "widen_audience":
                return WidenAudience.model_validate({**common, **aim})
            case "negative_keyword":
                return NegativeKeyword.model_validate({**common, "words": tuple(proposal.words)})
            case _:
                cap = Decimal(proposal.cap)
                return ChangeBid.model_validate({**common, "cap": cap, "currency": state.campaign_config.currency})
    except (ValidationError, InvalidOperation):
        return None


def _said(records: Iterable[ActionRecord], action: OnePlatform) -> bool:
    """Return whether the same change was made or proposed before."""
    same = action.model_dump(exclude={"why"})
    return any(one.action.model_dump(exclude={"why"}) == same for one in records if one.action.kind == action.kind)
