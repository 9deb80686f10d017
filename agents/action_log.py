"""What was done of the optimisation loop's actions, by whom, what came of it, and how it is taken back.

Pure values, kept in the campaign's state. Invariant: an action that has changed a setting holds the setting as it stood
before, in the platform's own form, so that it can be put back exactly.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from agents.actions import Action
from integrations.ads.changes import Setting


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Effect(_Value):
    """What a change has done to the results for the same money: 0.1 is a tenth more."""

    mean: float
    low: float  #: the truth lies between low and high with a probability of 90 %
    high: float
    better: float  #: probability that it is more, 0..1
    #: improved | worsened | unclear: a difference is said only where the interval excludes that nothing happened
    verdict: Literal["improved", "worsened", "unclear"]


Status = Literal["proposed", "applied", "partly", "failed", "undone"]


class ActionRecord(_Value):
    """An action that was carried out or proposed, and what came of it."""

    action_id: str
    step: int  #: the hop that it belongs to
    at: datetime
    by: str = ""  #: who asked for it; "": the loop itself
    action: Action
    proposed: bool = False  #: it waits for a person to carry it out
    done: tuple[str, ...] = ()  #: platforms that took it
    failed: Mapping[str, str] = Field(default_factory=dict)  #: platform -> why it did not
    seen: Mapping[str, date] = Field(default_factory=dict)  #: platform -> the newest day that was known then
    before: Mapping[str, Setting] = Field(default_factory=dict)  #: platform -> the setting that it has replaced
    added: str = ""  #: step name of the ad that it has added
    expected: Effect | None = None
    effect: Effect | None = None  #: as measured last
    together: int = 0  #: other actions whose time on the same platform is part of ``effect``
    undone_at: datetime | None = None
    undone_by: str = ""

    @property
    def status(self) -> Status:
        """What became of it."""
        if self.undone_at is not None:
            return "undone"
        if self.proposed:
            return "proposed"
        if not self.failed:
            return "applied"
        return "partly" if self.done else "failed"

    @property
    def stands(self) -> bool:
        """Whether something of it is in force on a platform."""
        return self.status in ("applied", "partly") and bool(self.done)


class Order(_Value):
    """What a person wants done on the platforms at once: an action, or taking one back."""

    order_id: str  #: of the action's record, too
    by: str
    action: Action | None = None
    undo: str | None = None  #: id of the action that is taken back
    attempt: int = 0  #: phases of it that are over


def record_of(records: Sequence[ActionRecord], action_id: str) -> ActionRecord | None:
    """Return the record with an id, or with an id that begins so when there is only one."""
    exact = [one for one in records if one.action_id == action_id]
    found = exact or [one for one in records if action_id and one.action_id.startswith(action_id)]
    return found[0] if len(found) == 1 else None
