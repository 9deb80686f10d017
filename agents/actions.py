"""Actions of the optimisation loop: what each changes on the platforms, and why.

An action is typed, says what shall be (never by how much), and in a sentence why. Pure values.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Literal, TypeAlias

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from integrations.ads.changes import Span


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


Money = Annotated[Decimal, Field(gt=0, le=Decimal("1e12"), allow_inf_nan=False)]
Words = Annotated[tuple[Annotated[str, Field(min_length=1, max_length=200)], ...], Field(max_length=50)]


class BudgetMove(_Value):
    """Daily budget of one platform before and after a shift."""

    before: Decimal
    after: Decimal


class ShiftBudget(_Value):
    """Move money between the platforms of a campaign, within what it may spend a day."""

    kind: Literal["shift_budget"] = "shift_budget"
    moves: Mapping[str, BudgetMove]  #: by platform
    currency: str
    why: str = ""  #: what each platform is expected to bring for its money

    @property
    def moved(self) -> Decimal:
        """Money a day that changes hands."""
        return sum((max(Decimal(0), move.after - move.before) for move in self.moves.values()), Decimal(0))


class SetBudget(_Value):
    """Spend so much over the schedule in all, on every platform what its share of that is."""

    kind: Literal["set_budget"] = "set_budget"
    amount: Money  #: in the campaign's currency
    why: str = ""


class _OnPlatform(_Value):
    platform: str
    why: str = ""  #: in a sentence


class PauseAd(_OnPlatform):
    """Stop showing one ad of a campaign, so that its money goes to the campaign's others on that platform."""

    kind: Literal["pause_ad"] = "pause_ad"
    ad: str  #: step name of the ad among the campaign's ids, such as "ad.2"
    best: str = ""  #: the ad that it was compared with


class ResumeAd(_OnPlatform):
    """Show an ad again that was paused."""

    kind: Literal["resume_ad"] = "resume_ad"
    ad: str
    best: str = ""  #: the ad that it was compared with


class PausePlatform(_OnPlatform):
    """Stop showing the campaign's ads on one platform."""

    kind: Literal["pause_platform"] = "pause_platform"


class ResumePlatform(_OnPlatform):
    """Show the campaign's ads on a platform again that was paused."""

    kind: Literal["resume_platform"] = "resume_platform"


class NewVariant(_OnPlatform):
    """Show one more ad beside those that run, which go on as they are."""

    kind: Literal["new_variant"] = "new_variant"
    headlines: Annotated[tuple[str, ...], Field(min_length=1, max_length=15)]
    descriptions: Annotated[tuple[str, ...], Field(min_length=1, max_length=4)]
    angle: str = ""  #: what its text builds on


class _Audience(_OnPlatform):
    industries: Words = ()
    titles: Words = ()
    locations: Words = ()
    interests: Words = ()
    keywords: Words = ()


class NarrowAudience(_Audience):
    """Show the ads to fewer people: to some of those they are shown to, in the words of the campaign file."""

    kind: Literal["narrow_audience"] = "narrow_audience"


class WidenAudience(_Audience):
    """Show the ads to more people: to those they are shown to and to others, in the words of the campaign file."""

    kind: Literal["widen_audience"] = "widen_audience"


class NegativeKeyword(_OnPlatform):
    """Show the ads for no search that one of these keywords matches, besides those excluded before."""

    kind: Literal["negative_keyword"] = "negative_keyword"
    words: Annotated[Words, Field(min_length=1)]


class ChangeBid(_OnPlatform):
    """Let one result cost so much at most."""

    kind: Literal["bid"] = "bid"
    cap: Money | None  #: in ``currency``; None: the platform bids by itself
    currency: str


class ChangeSchedule(_OnPlatform):
    """Show the ads in these hours of the week only, or until another moment."""

    kind: Literal["schedule"] = "schedule"
    hours: tuple[Span, ...] | None = None  #: None: as they are; (): always
    end: AwareDatetime | None = None  #: None: as it is


class CapFrequency(_OnPlatform):
    """Show the ads to one person so often at most."""

    kind: Literal["frequency_cap"] = "frequency_cap"
    impressions: Annotated[int, Field(ge=1, le=1000)]
    days: Annotated[int, Field(ge=1, le=90)] = 7


OnePlatform: TypeAlias = (
    PauseAd
    | ResumeAd
    | PausePlatform
    | ResumePlatform
    | NewVariant
    | NarrowAudience
    | WidenAudience
    | NegativeKeyword
    | ChangeBid
    | ChangeSchedule
    | CapFrequency
)
Action: TypeAlias = Annotated[ShiftBudget | SetBudget | OnePlatform, Field(discriminator="kind")]


def platforms_of(action: Action) -> tuple[str, ...]:
    """Return the platforms that an action changes something on, () for all that the campaign runs on."""
    if isinstance(action, ShiftBudget):
        return tuple(sorted(action.moves))
    return () if isinstance(action, SetBudget) else (action.platform,)
