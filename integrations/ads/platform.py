"""What every ad platform can do, in the words of this project, and the values that cross that border.

The agent speaks only this protocol; each provider module turns it into its platform's own objects
(campaign → ad set → creative → ad, campaign group → campaign → creative, one atomic mutate).
Invariants: each wire call goes through the :class:`Wire` it is given, so admission and deadlines apply
to every single one; every object created is journalled under its step before the next call, and looked
up there first; a campaign is created paused and enabled by a call of its own; nothing is created twice
when a method is repeated with the same specification.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from hashlib import sha256
from typing import TYPE_CHECKING, Annotated, Protocol, TypeAlias, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from integrations.ads.account import AdAccount
from integrations.ads.audience import ListUse
from integrations.ads.goal import Goal
from integrations.ads.limits import PlatformLimits
from integrations.ads.search_term import SearchTerm
from integrations.ads.utm import ad_link
from integrations.errors import TransientError
from integrations.fields import missing

if TYPE_CHECKING:
    from integrations.ads.changes import Changes, NewAd

T = TypeVar("T")

ACTIVE = "active"
PAUSED = "paused"


class Wire(Protocol):
    """Makes one wire call: calls ``send(timeout_s)`` and returns or raises what it does (or NotNowError)."""

    def __call__(self, send: Callable[[float], T], /) -> T:
        """Make the call."""
        ...


class Steps(Protocol):
    """A journal of one creation: remote ids by step name."""

    def get(self, step: str) -> str | None:
        """Return the id that an earlier attempt wrote, if any."""
        ...

    def put(self, step: str, remote_id: str) -> None:
        """Commit the id of what was just created."""
        ...

    def intend(self, step: str) -> None:
        """Commit that ``step``'s object, which was looked for in vain, is created by the next wire call.

        Raises IntegrationError when it must not be: an earlier creation may still turn up.
        """
        ...


def once(steps: Steps, step: str, found: str | None, make: Callable[[], str]) -> str:
    """Return the object of ``step``: the journalled one, else the one ``found`` at the platform, else a new one."""
    known = steps.get(step)
    if known is not None:
        return known
    if found is None:
        steps.intend(step)
        found = make()
    steps.put(step, found)
    return found


def object_id(provider: str, item: Mapping[str, object]) -> str:
    """Return the id of an object that a platform answered.

    Raises TransientError for an answer without one.
    """
    found = item.get("id")
    if not isinstance(found, str | int) or not found:
        raise missing(provider, "id", TransientError)
    return str(found)


def object_name(provider: str, item: Mapping[str, object]) -> str:
    """Return the name of an object that a platform answered.

    Raises TransientError for an answer without one: an object of ours that can't be told would be made once more.
    """
    found = item.get("name")
    if not isinstance(found, str):
        raise missing(provider, "name", TransientError)
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Audience:
    """Whom the ads are shown to, in plain words for which each platform looks up its own ids."""

    industries: tuple[str, ...] = ()
    titles: tuple[str, ...] = ()
    locations: tuple[str, ...] = ()
    interests: tuple[str, ...] = ()


class AimedList(BaseModel):
    """A customer list that a campaign is aimed at, or keeps away from, or a lookalike audience of one."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    reference: str  #: by which the platform's targeting knows it
    use: ListUse
    seed: str | None = None  #: reference of the list that a lookalike audience is of, whose people are shown no ads
    country: str | None = None  #: ISO 3166: where a lookalike audience's people are


class AdSpec(BaseModel):
    """What a campaign on one platform shall be.

    Two equal specifications are one and the same campaign.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    effect_key: str  #: carried in every remote name
    revision: int = 1  #: of the texts
    headlines: tuple[str, ...]
    descriptions: tuple[str, ...]
    #: ads that the texts are split evenly over, in order, on a platform whose ads show several of them
    #: (``PlatformLimits.combined_ads``); on others each headline is an ad
    combined: Annotated[int, Field(ge=1)] = 1
    call_to_action: str = ""
    landing_url: str  #: with the campaign's parameters (:mod:`integrations.ads.utm`)
    keywords: tuple[str, ...] = ()
    audience: Audience = Audience()
    daily_budget: Decimal  #: in ``currency``, major units
    currency: str
    start: datetime  #: timezone-aware
    end: datetime | None = None  #: the platform stops by itself then
    advertiser: str = ""  #: who is behind the ads (shown to people where the law asks for it)
    language: str = "en"
    goal: Goal = Goal.TRAFFIC  #: what the ads are for
    customers: AimedList | None = None  #: a campaign that is there already keeps what it was made with

    @property
    def token(self) -> str:
        """Revision and a hash of what the ads say, such as ``2-1f3a``, as the names of the ads carry it."""
        said = (*self.headlines, "", *self.descriptions, "", self.call_to_action, self.landing_url)
        return f"{self.revision}-{sha256(chr(31).join(said).encode()).hexdigest()[:4]}"

    def link(self, variant: int) -> str:
        """Return the link of the ad number ``variant`` (from 1): the landing page with what tells the ads apart."""
        return ad_link(self.landing_url, token=self.token, variant=variant)

    def combinations(self) -> list[tuple[tuple[str, ...], tuple[str, ...]]]:
        """Return (headlines, descriptions) of each ad on a platform whose ads show several of them."""
        return list(zip(split(self.headlines, self.combined), split(self.descriptions, self.combined), strict=True))

    def variants(self) -> list[tuple[str, str]]:
        """Return (headline, description) of each ad: every headline once, descriptions in turn."""
        return [
            (headline, self.descriptions[at % len(self.descriptions)]) for at, headline in enumerate(self.headlines)
        ]


def split(texts: Sequence[str], parts: int) -> list[tuple[str, ...]]:
    """Return texts in so many parts of the same length, in order.

    Those at the end that can't be shared evenly are left out.
    """
    each = len(texts) // parts
    return [tuple(texts[at * each : (at + 1) * each]) for at in range(parts)]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningBudget:
    """Money that a campaign may spend on one platform."""

    effect_key: str
    daily_budget: Decimal  #: in ``currency``, major units
    currency: str
    start: datetime  #: timezone-aware
    end: datetime | None = None


Budgeted: TypeAlias = AdSpec | RunningBudget  #: says what may be spent on a platform


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteCampaign:
    """A campaign as it stands at the platform."""

    id: str
    name: str = ""
    effect_key: str = ""
    status: str = PAUSED  #: active | paused
    #: step name -> id of the objects of the current revision, e.g. {"campaign": "1", "ad.1": "2"}
    ids: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class DayReport:
    """What one of a campaign's ads did on one day (the ad account's time zone), or all of them together."""

    day: date
    ad: str = ""  #: its step name in ``RemoteCampaign.ids``; "": all of them, or the platform doesn't tell which
    impressions: int
    clicks: int  #: on the link
    conversions: int
    spend: Decimal  #: in ``currency``, major units
    currency: str

    def plus(self, other: DayReport | None) -> DayReport:
        """Return the sum with other figures of the same day."""
        if other is None:
            return self
        return DayReport(
            day=self.day,
            ad=self.ad if self.ad == other.ad else "",
            impressions=self.impressions + other.impressions,
            clicks=self.clicks + other.clicks,
            conversions=self.conversions + other.conversions,
            spend=self.spend + other.spend,
            currency=self.currency or other.currency,
        )


def per_day(reports: Iterable[DayReport]) -> list[DayReport]:
    """Return the sum of all ads for each day, oldest first."""
    return per_ad(replace(one, ad="") for one in reports)


def per_ad(reports: Iterable[DayReport]) -> list[DayReport]:
    """Return one report for each ad and day, oldest first, ads of one day by their step names."""
    return [report for _, report in sorted(_summed(reports).items(), key=lambda item: item[0])]


def _summed(reports: Iterable[DayReport]) -> dict[tuple[date, str], DayReport]:
    found: dict[tuple[date, str], DayReport] = {}
    for one in reports:
        found[one.day, one.ad] = one.plus(found.get((one.day, one.ad)))
    return found


class AdPlatform(Protocol):
    """One ad platform, whose methods raise IntegrationError only."""

    name: str
    limits: PlatformLimits
    changes: Changes  #: to a campaign that is live

    def find_by_key(self, effect_key: str, *, wire: Wire) -> RemoteCampaign | None:
        """Return the campaign whose name carries ``effect_key`` (the oldest, if others made more), None without one."""
        ...

    def create(self, spec: AdSpec, *, wire: Wire, steps: Steps) -> RemoteCampaign:
        """Create the campaign PAUSED with all that is in it, after :meth:`find_by_key` found none."""
        ...

    def update(self, remote: RemoteCampaign, spec: AdSpec, *, wire: Wire, steps: Steps) -> RemoteCampaign:
        """Make ``remote`` what ``spec`` says (missing parts, new texts, budget) and leave its status as it is."""
        ...

    def add_ad(self, remote: RemoteCampaign, spec: AdSpec, ad: NewAd, *, wire: Wire, steps: Steps) -> RemoteCampaign:
        """Add one more ad, shown from now on, to a campaign that was made, or last updated, as ``spec`` says.

        The others are as they were. It is looked up by its name before it is created, and :meth:`update` leaves it
        alone until the texts change. Its steps are those of any ad, such as "ad.4". Raises BadRequestError for a
        number that another ad has, and for texts that an ad of the platform can't have.
        """
        ...

    def get(self, campaign_id: str, *, wire: Wire) -> RemoteCampaign:
        """Return the campaign of that id.

        Raises NotFoundError when it is gone.
        """
        ...

    def pause(self, remote: RemoteCampaign, *, wire: Wire) -> None:
        """Stop showing it, however often that is repeated."""
        ...

    def enable(self, remote: RemoteCampaign, *, wire: Wire) -> None:
        """Show it, however often that is repeated."""
        ...

    def report(self, remote: RemoteCampaign, since: date, until: date | None = None, *, wire: Wire) -> list[DayReport]:
        """Return what each ad in ``remote.ids`` did on each day with activity (:func:`per_ad`).

        An ad that is switched off has the days on which it ran. ``until`` None means up to now.
        """
        ...

    def search_terms(
        self, remote: RemoteCampaign, since: date, until: date | None = None, *, wire: Wire
    ) -> tuple[SearchTerm, ...]:
        """Return what people searched for when they saw the campaign's ads, the most clicked first.

        Platforms tell no rare searches, so the figures are less than the campaign's. Where ads answer no searches
        (``PlatformSpec.search_terms``) it is () without a call.
        """
        ...

    def account(self, *, wire: Wire) -> AdAccount:
        """Return the ad account as the platform shows it."""
        ...

    def refusals(self, remote: RemoteCampaign, *, wire: Wire) -> Mapping[str, str]:
        """Return which of the ads in ``remote.ids`` the platform's review has refused: step name -> its reasons."""
        ...

    def remove(self, ids: Mapping[str, str], *, wire: Wire) -> None:
        """Take objects that a creation has made (step name -> id) off the account, however often that is repeated."""
        ...

    def validate(self, spec: AdSpec, *, wire: Wire) -> list[str]:
        """Return what the platform would refuse, in words.

        It is a dry run: nothing is stored.
        """
        ...


def local_problems(spec: AdSpec, limits: PlatformLimits) -> list[str]:
    """Return what is wrong with a specification, as far as it can be seen without asking the platform."""
    found = []
    if spec.combined > (limits.combined_ads or 1):
        found.append(f"{spec.combined} ads of several headlines; {limits.combined_ads or 1} are allowed")
    for kind, texts, least, most in (
        ("headlines", spec.headlines, limits.min_headlines, limits.max_headlines),
        ("descriptions", spec.descriptions, limits.min_descriptions, limits.max_descriptions),
    ):
        each, left = divmod(len(texts), spec.combined)
        if left:
            found.append(f"{len(texts)} {kind} can't be split evenly over {spec.combined} ads")
        elif not least <= each <= most:
            found.append(f"{each} {kind}; {least}-{most} are allowed")
    for kind, texts, most in (
        ("headline", spec.headlines, limits.headline_width),
        ("description", spec.descriptions, limits.description_width),
    ):
        for at, text in enumerate(texts, start=1):
            if not text.strip():
                found.append(f"{kind} {at} is empty")
            elif limits.width(text) > most:
                found.append(f"{kind} {at} is {limits.width(text)} characters long; at most {most} are allowed")
    if not spec.landing_url.startswith(("http://", "https://")):
        found.append("the landing page is no http(s) address")
    if spec.daily_budget <= 0:
        found.append(f"a daily budget of {spec.daily_budget} {spec.currency} is not above 0")
    if spec.end is not None and spec.end <= spec.start:
        found.append("the end is not after the start")
    return found
