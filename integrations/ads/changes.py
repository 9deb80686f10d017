"""Changes to a campaign that is live, one model each, and the settings that they set.

A change says what shall be, never by how much: done twice it is done once. What it sets is a :class:`Setting`, a value
in the platform's own form, which can be read, compared and put back. So a change is carried out in three steps, each
of which may be repeated: :meth:`Changes.plan` tells the setting before and after it (the caller writes both down),
:meth:`Changes.apply` sets the one after it, and undoing it is :meth:`Changes.apply` with the one before it. When an
answer got lost, :meth:`Changes.setting` tells what stands.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from itertools import pairwise
from typing import TYPE_CHECKING, Annotated, Literal, Protocol, TypeAlias

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, JsonValue, model_validator

from integrations.ads.change_kind import ChangeKind
from integrations.ads.keywords import Keyword, keywords
from integrations.ads.platform import Audience
from integrations.errors import BadRequestError

if TYPE_CHECKING:
    from integrations.ads.platform import RemoteCampaign, Wire

AD_STEPS = ("ad.", "creative.")  #: how the step names of ads begin


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class DailyBudget(_Value):
    """Let the campaign spend so much a day, rounded down to an amount that the platform has."""

    kind: Literal[ChangeKind.DAILY_BUDGET] = ChangeKind.DAILY_BUDGET
    amount: Annotated[Decimal, Field(gt=0)]  #: in ``currency``, major units
    currency: str


class AdSwitch(_Value):
    """Show one ad, or show it no more, and leave the others as they were."""

    kind: Literal[ChangeKind.AD_SWITCH] = ChangeKind.AD_SWITCH
    ad: str  #: its step name in ``RemoteCampaign.ids``, such as "ad.1"
    on: bool


class AudienceChange(_Value):
    """Show the ads to these people, and leave customer lists and the language as they are."""

    kind: Literal[ChangeKind.AUDIENCE] = ChangeKind.AUDIENCE
    audience: Audience
    keywords: tuple[str, ...] = ()  #: as ``AdSpec.keywords``, of which negative ones are left out


class NegativeKeywords(_Value):
    """Show the ads for no search that one of these keywords matches: the whole set, not what is added to it."""

    kind: Literal[ChangeKind.NEGATIVE_KEYWORDS] = ChangeKind.NEGATIVE_KEYWORDS
    words: tuple[str, ...]  #: in Google's notation: ``[exact]``, ``"phrase"`` or a plain word, with or without a "-"


class BidChange(_Value):
    """Let a result of the campaign's goal cost so much: a click of a campaign for traffic, else a conversion."""

    kind: Literal[ChangeKind.BID] = ChangeKind.BID
    cap: Annotated[Decimal, Field(gt=0)] | None  #: in ``currency``, major units; None: the platform bids by itself
    currency: str


class Span(_Value):
    """Hours of one day of the week."""

    day: Annotated[int, Field(ge=0, le=6)]  #: 0 is Monday
    first: Annotated[int, Field(ge=0, le=23)]  #: the hour that it begins with
    until: Annotated[int, Field(ge=1, le=24)]  #: the hour that it ends before

    @model_validator(mode="after")
    def _runs_forward(self) -> Span:
        if self.until <= self.first:
            raise ValueError(f"until={self.until} is not after first={self.first}")
        return self


class HoursChange(_Value):
    """Show the ads in these hours of the week, in the ad account's time zone."""

    kind: Literal[ChangeKind.HOURS] = ChangeKind.HOURS
    spans: tuple[Span, ...]  #: () is always

    @model_validator(mode="after")
    def _apart(self) -> HoursChange:
        ordered = sorted((one.day, one.first, one.until) for one in self.spans)
        for (day, _, until), (other, first, _) in pairwise(ordered):
            if day == other and first < until:
                raise ValueError(f"spans overlap on day {day} at hour {first}")
        return self


class EndChange(_Value):
    """Let the platform stop the campaign by itself at a moment."""

    kind: Literal[ChangeKind.END] = ChangeKind.END
    at: AwareDatetime | None  #: None: it goes on


class FrequencyCap(_Value):
    """Show the ads to one person so often at most."""

    kind: Literal[ChangeKind.FREQUENCY] = ChangeKind.FREQUENCY
    impressions: Annotated[int, Field(ge=1)] | None  #: None: as often as it happens
    days: Annotated[int, Field(ge=1)] = 7  #: in which they are counted


Change: TypeAlias = Annotated[
    DailyBudget | AdSwitch | AudienceChange | NegativeKeywords | BidChange | HoursChange | EndChange | FrequencyCap,
    Field(discriminator="kind"),
]


class Setting(_Value):
    """What stands at the platform of one kind.

    ``value`` is in the platform's own form: others compare it and put it back, no more. Two equal settings of one
    campaign are the same to its platform.
    """

    kind: ChangeKind
    ad: str = ""  #: step name of the ad that it is of, "" for the campaign's
    value: JsonValue


class ChangePlan(_Value):
    """What a change makes of a setting."""

    before: Setting
    after: Setting

    @property
    def idle(self) -> bool:
        """Whether it stands already."""
        return self.before == self.after


class NewAd(_Value):
    """One more ad under a campaign's current texts."""

    variant: Annotated[int, Field(ge=1, le=999)]  #: its number, above those of the ads that the campaign ever had
    headlines: Annotated[tuple[str, ...], Field(min_length=1)]
    descriptions: Annotated[tuple[str, ...], Field(min_length=1)]


class Changes(Protocol):
    """What a platform can change of a live campaign, whose methods raise IntegrationError only."""

    def plan(self, remote: RemoteCampaign, change: Change, *, wire: Wire) -> ChangePlan:
        """Return what stands and what ``change`` makes of it, and change nothing.

        What the change names is looked up at the platform. Raises BadRequestError that names platform and change for a
        change that the platform can't do.
        """
        ...

    def setting(self, remote: RemoteCampaign, kind: ChangeKind, *, ad: str = "", wire: Wire) -> Setting:
        """Return what stands, of the ad with the step name ``ad`` where the kind is about one.

        Raises BadRequestError for a kind that the platform doesn't have, NotFoundError for what is gone.
        """
        ...

    def apply(self, remote: RemoteCampaign, setting: Setting, *, wire: Wire) -> None:
        """Make ``setting`` stand, however often that is repeated.

        What stands already is not written again.
        """
        ...


def negatives(change: NegativeKeywords, provider: str) -> list[Keyword]:
    """Return the negative keywords that are wanted, each once and in order.

    Raises BadRequestError that names one that can't be a keyword.
    """
    found = set()
    for word in change.words:
        parsed = keywords([f"-{word.strip().removeprefix('-')}"])
        if not parsed:
            raise BadRequestError(provider, f"can't take {word!r} as a negative keyword")
        found.update(parsed)
    return sorted(found)


def check_new_ad(provider: str, ad: NewAd, least: int, *, texts: int | None = None) -> None:
    """Check a new ad where the numbers below ``least`` are those of the campaign's own ads.

    ``texts``: so many headlines and descriptions an ad has; None: as many as it likes. Raises BadRequestError.
    """
    if ad.variant < least:
        raise BadRequestError(provider, f"variant={ad.variant} is the number of another ad; use {least} or more")
    for name, given in (("headlines", ad.headlines), ("descriptions", ad.descriptions)):
        if texts is not None and len(given) != texts:
            raise BadRequestError(provider, f"{name}: a new ad has {texts} here, not {len(given)}")


def seconds(at: datetime | None) -> int | None:
    """Return a moment as whole seconds since 1970."""
    return None if at is None else int(at.timestamp())
