"""What people are told of the ads of a campaign one by one: what each says, what it has brought, and which is best.

Pure. Figures are those of the texts that are shown now; ads of one platform that can't be told apart are one row.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from agents.ad_figures import number_of
from agents.ad_management.running import ad_steps
from agents.ad_management.variants import ads_of
from agents.overview import Bar, Cell, Chart, Column, Count, Figure, Money, Phrase, Platform, Section, Table
from agents.state import AdCreative, MarketingAgentState
from agents.wanted import Counted, counted

TITLE = "Ad by ad"
PER = 100  #: units of money that a bar is about
NUMBERS = ("Days", "Clicks", "Conv.", "Spend", "CPA")
COLUMNS = (Column("Platform"), Column("Ad", wraps=True), *(Column(title, number=True) for title in NUMBERS))


@dataclass(frozen=True, slots=True, kw_only=True)
class AdFigures:
    """One ad and the sums of its days."""

    platform: str
    ad: str  #: its step name, "" for all that can't be told apart
    text: str
    angle: str = ""  #: what its text builds on
    running: bool
    days: int = 0
    clicks: int = 0
    conversions: int = 0
    spend: Decimal = Decimal(0)
    currency: str

    @property
    def cpa(self) -> Decimal | None:
        """Money that one conversion has cost."""
        return (self.spend / self.conversions).quantize(Decimal("0.0001")) if self.conversions else None

    def results(self, what: Counted) -> int:
        """Return how much it has brought of what the campaign counts."""
        return self.clicks if what is Counted.CLICKS else self.conversions


def each_ad(state: MarketingAgentState) -> tuple[Section, ...]:
    """Tell of each ad, and compare what the ads bring for their money, once there are figures."""
    ads = figures(state)
    if not any(one.days for one in ads):
        return ()
    return (Section(TITLE, (Table(COLUMNS, tuple(map(_row, ads))), *_charts(ads, counted(state.campaign_config)))),)


def figures(state: MarketingAgentState) -> tuple[AdFigures, ...]:
    """Return every ad that the campaign shows or has paused, by platform and number, with its sums."""
    return tuple(found for creative in state.ad_creatives for found in _of(state, creative))


def _of(state: MarketingAgentState, creative: AdCreative) -> Iterator[AdFigures]:
    performance = state.campaign_performance
    currency = next((one.currency for one in performance.platforms if one.platform == creative.platform), "")
    own = [one for one in performance.daily if (one.platform, one.revision) == (creative.platform, creative.revision)]
    apart = any(one.ad for one in own)
    for step in ad_steps(creative) if apart else ("",):
        days = [one for one in own if one.ad == step]
        number = number_of(step)
        angles = creative.angles_by_number
        yield AdFigures(
            platform=creative.platform,
            ad=step,
            text=_text(creative, step),
            angle=angles[number - 1] if number is not None and number <= len(angles) else "",
            running=creative.status == "active" and step not in creative.paused_ads,
            currency=currency or creative.currency,
            days=len({one.day for one in days}),
            clicks=sum(one.clicks for one in days),
            conversions=sum(one.conversions for one in days),
            spend=sum((one.spend for one in days), Decimal(0)),
        )


def _text(creative: AdCreative, step: str) -> str:
    """Return the headline of an ad, and of one that has several how many others."""
    if step in creative.added_ads:
        headlines = creative.added_ads[step].headlines
    elif (number := number_of(step)) is not None and number <= len(ads := ads_of(creative)):
        headlines = ads[number - 1].headlines
    else:
        headlines = creative.headlines
    first, *others = headlines or ("",)
    return f"{first} (and {len(others)} others)" if others else first


def _row(one: AdFigures) -> tuple[Cell, ...]:
    name = one.ad + ("" if one.running else ", paused" if one.ad else "paused")
    about = f" [{one.angle}]" if one.angle else ""
    return (
        Platform(one.platform),
        f"{name}: {one.text}{about}" if name else f"{one.text}{about}",
        Count(one.days),
        Count(one.clicks),
        Count(one.conversions),
        Money(one.spend, one.currency),
        "" if one.cpa is None else Figure(one.cpa),
    )


def _charts(ads: Sequence[AdFigures], what: Counted) -> Iterator[Chart]:
    """Yield a comparison for each currency in which several ads have spent, the best ad first."""
    for currency in sorted({one.currency for one in ads}):
        bars = [
            Bar(_name(one), round(one.results(what) * PER / float(one.spend), 4))
            for one in ads
            if one.currency == currency and one.spend > 0
        ]
        if len(bars) > 1:
            ranked = sorted(bars, key=lambda one: -one.value)
            yield Chart((f"{what.capitalize()} for {PER} {currency}, the best first",), tuple(ranked))


def _name(one: AdFigures) -> Phrase:
    return (Platform(one.platform), f" {one.ad}") if one.ad else (Platform(one.platform),)
