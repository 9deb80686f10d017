"""Actions of the optimisation loop: what each changes on the platforms, why, and what came of it.

An action is typed, says in a sentence why it is taken and what is expected of it, and is kept with what the platforms
took and what its effect turned out to be. Pure values.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class BudgetMove(_Value):
    """Daily budget of one platform before and after a shift."""

    before: Decimal
    after: Decimal


class ShiftBudget(_Value):
    """Move money between the platforms of a campaign, within what it may spend a day."""

    kind: Literal["shift_budget"] = "shift_budget"
    moves: Mapping[str, BudgetMove]  #: by platform
    currency: str
    why: str  #: what each platform is expected to bring for its money

    @property
    def moved(self) -> Decimal:
        """Money a day that changes hands."""
        return sum((max(Decimal(0), move.after - move.before) for move in self.moves.values()), Decimal(0))


class PauseAd(_Value):
    """Stop showing one ad of a campaign, so that its money goes to the campaign's others on that platform."""

    kind: Literal["pause_ad"] = "pause_ad"
    platform: str
    ad: str  #: step name of the ad among the campaign's ids, such as "ad.2"
    best: str  #: the ad that it was compared with
    why: str


class ResumeAd(_Value):
    """Show an ad again that had been paused, as the figures make it likely enough that it is the better one by now."""

    kind: Literal["resume_ad"] = "resume_ad"
    platform: str
    ad: str  #: step name of the ad among the campaign's ids, such as "ad.2"
    best: str  #: the ad that it was compared with
    why: str


Action: TypeAlias = Annotated[ShiftBudget | PauseAd | ResumeAd, Field(discriminator="kind")]


class ActionRecord(_Value):
    """An action that was carried out, and what came of it."""

    action_id: str
    step: int  #: the hop that carried it out
    at: datetime
    action: Action
    done: tuple[str, ...] = ()  #: platforms that took it
    failed: Mapping[str, str] = Field(default_factory=dict)  #: platform -> why it did not
    seen: Mapping[str, date] = Field(default_factory=dict)  #: platform -> the newest day that was known then

    @property
    def status(self) -> Literal["applied", "partly", "failed"]:
        """What became of it."""
        if not self.failed:
            return "applied"
        return "partly" if self.done else "failed"
