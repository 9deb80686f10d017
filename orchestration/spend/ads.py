"""The spend ledger for ads: what may still be spent on a platform, what runs a day, what has been reported.

One row per object of a platform, keyed by its effect key: an update replaces, and no retry, no going back and no fork
counts it a second time. Before a platform is given a budget the higher of before and after is held; once it has
taken it, what it took; what it reports as spent goes from held to settled. Invariants: a platform is never given
more than the caps leave (``limits.ads``, ``limits.ads_per_day``, the fleet's DAILY_CAP_ADS); what may or may not
have reached the platform counts as if it had; currencies never meet.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from agents.ports import Clock
from agents.unit import effect_key
from integrations.ads.platform import AdSpec
from integrations.errors import OverBudgetError
from integrations.settings import Settings
from orchestration.ledger.database import Database, encode
from orchestration.spend.models import amount_text

DAILY_ADS, CURRENCY = "DAILY_CAP_ADS", "currency"
#: Ads are changed in parallel, and one that gives budget away makes room for another.
LOOK_AGAIN_S = 60.0
#: Days that an ad without an end is taken to run: the longest schedule that a campaign can have.
ENDLESS_DAYS = 365

_OPTIONS: Mapping[str, str] = {"limits.ads": "--ads", "limits.ads_per_day": "--ads-per-day"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Before:
    """What was held for an ad campaign before a change of it."""

    held: Decimal
    daily: Decimal
    until: datetime | None


def remaining_days(start: datetime, end: datetime | None, now: datetime, reported: Iterable[date] = ()) -> int:
    """Days for which a daily budget may still be spent, from ``now`` on.

    The clock's days, or fewer when the platform has reported more of the schedule's days than have passed (the
    sandbox' simulated days). A reported day counts as over, but for a newest one that is today's.
    """
    if end is None:
        return ENDLESS_DAYS
    left = math.ceil((end - max(start, now)) / timedelta(days=1))
    lived = set(reported)
    over = len(lived) - (max(lived, default=None) == now.date())
    return max(0, min(left, math.ceil((end - start) / timedelta(days=1)) - over))


def ad_hold(daily: Decimal, start: datetime, end: datetime | None, now: datetime, reported: Iterable[date]) -> Decimal:
    """What may still be spent: the daily budget times the days that are left. In the budget's currency."""
    return daily * remaining_days(start, end, now, reported)


class AdSpend:
    """Ad money of one database under the caps of campaigns and settings."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self._database = database
        self._settings = settings

    def reserve(self, campaign_id: str, agent: str, platform: str, spec: AdSpec, now: datetime) -> Before:
        """Ask before ``platform`` is given ``spec``; what was held before, for :meth:`restore`.

        OverBudgetError when a cap has no room. A change that asks for less is always granted.
        """
        amount = self._amount(campaign_id, spec, now)
        cap, currency = self._settings.ads_daily_cap or (None, None)
        refused_by, limit, room, held, daily, until = self._database.rows(
            "SELECT * FROM marketing.spend_reserve_ads(%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
            campaign_id, spec.effect_key, agent, platform, spec.currency, amount, spec.daily_budget, spec.end,
            cap, currency,
        )[0]  # fmt: skip
        if refused_by is not None:
            raise refusal(campaign_id, platform, spec, amount, str(refused_by), limit, room, currency)
        return Before(held=held, daily=daily, until=until)

    def placed(self, campaign_id: str, spec: AdSpec, now: datetime) -> None:
        """The platform has taken ``spec``: that is held from now on, and no more."""
        self._place(
            campaign_id,
            spec.effect_key,
            spec.currency,
            self._amount(campaign_id, spec, now),
            spec.daily_budget,
            spec.end,
        )

    def restore(self, campaign_id: str, spec: AdSpec, before: Before) -> None:
        """Nothing of ``spec`` has reached the platform: what was held before is held again."""
        self._place(campaign_id, spec.effect_key, spec.currency, before.held, before.daily, before.until)

    def stopped(self, campaign_id: str, key: str) -> None:
        """What carries the effect key ``key`` does not run any more; what it has spent stays counted."""
        self._place(campaign_id, key, None, Decimal(0), Decimal(0), None)

    def reported(
        self,
        campaign_id: str,
        agent: str,
        platform: str,
        currency: str,
        revision: int,
        days: Iterable[Mapping[str, Any]],
    ) -> None:
        """Count what the platform says its ads of ``revision`` have spent (days as a measurement has them).

        Only for the campaign's own ads: a fork reads its parent's figures, and they are counted there.
        """
        spent: dict[str, Decimal] = {}
        for day in days:
            spent[str(day["day"])] = spent.get(str(day["day"]), Decimal(0)) + Decimal(str(day["spend"]))
        self._database.rows(
            "SELECT marketing.spend_report_ads(%s, %s, %s, %s, %s, %s, %s)",
            campaign_id, effect_key(campaign_id, platform), agent, platform, currency, str(revision), encode(spent),
        )  # fmt: skip

    def _amount(self, campaign_id: str, spec: AdSpec, now: datetime) -> Decimal:
        rows = self._database.rows(
            "SELECT DISTINCT d FROM marketing.spend s, jsonb_each(s.reported) AS r(revision, days), "
            "jsonb_object_keys(r.days) AS d WHERE s.campaign_id = %s AND s.step = -1 AND s.stage = -1 AND s.unit = %s",
            campaign_id, spec.effect_key,
        )  # fmt: skip
        return ad_hold(spec.daily_budget, spec.start, spec.end, now, [date.fromisoformat(row[0]) for row in rows])

    def _place(
        self, campaign_id: str, key: str, currency: str | None, held: Decimal, daily: Decimal, until: datetime | None
    ) -> None:
        self._database.rows(
            "SELECT marketing.spend_place_ads(%s, %s, %s, %s, %s, %s)",
            campaign_id, key, currency, held, daily, until,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class CampaignAds:
    """The ad money of one unit: its campaign, its platform, now. What a unit's context gives its body."""

    money: AdSpend
    campaign_id: str
    agent: str
    platform: str
    clock: Clock

    def reserve(self, spec: AdSpec) -> Before:
        """See :meth:`AdSpend.reserve`."""
        return self.money.reserve(self.campaign_id, self.agent, self.platform, spec, self.clock.now())

    def placed(self, spec: AdSpec) -> None:
        """See :meth:`AdSpend.placed`."""
        self.money.placed(self.campaign_id, spec, self.clock.now())

    def restore(self, spec: AdSpec, before: Before) -> None:
        """See :meth:`AdSpend.restore`."""
        self.money.restore(self.campaign_id, spec, before)

    def stopped(self, key: str) -> None:
        """See :meth:`AdSpend.stopped`."""
        self.money.stopped(self.campaign_id, key)

    def reported(self, currency: str, revision: int, days: Iterable[Mapping[str, Any]]) -> None:
        """See :meth:`AdSpend.reported`."""
        self.money.reported(self.campaign_id, self.agent, self.platform, currency, revision, days)


def refusal(
    campaign_id: str,
    platform: str,
    spec: AdSpec,
    amount: Decimal,
    refused_by: str,
    cap: Decimal | None,
    room: Decimal | None,
    cap_currency: str | None,
) -> OverBudgetError:
    """The error for a budget that a cap refused; its text says what would be right."""
    if refused_by == CURRENCY:
        text = f"{DAILY_ADS} is in {cap_currency} and the campaign's ads are in {spec.currency}: they can't be compared"
    elif refused_by == "no_campaign":
        text = "its campaign is gone"
    else:
        asked = amount if refused_by == "limits.ads" else spec.daily_budget
        per_day = "" if refused_by == "limits.ads" else " a day"
        text = (
            f"{refused_by} of {amount_text(cap)} {spec.currency} has {amount_text(max(room or Decimal(0), Decimal(0)))}"
            f"{per_day} left, the ads may cost {amount_text(asked)}{per_day}: "
        )
        option = _OPTIONS.get(refused_by)
        text += f"raise it with `campaigns limits {campaign_id} {option} X`" if option else "end ads, or raise it"
    return OverBudgetError(platform, text, detail=refused_by, retry_after=LOOK_AGAIN_S)


def check_ad_currency(ad_platforms: Iterable[str], currency: str, settings: Settings) -> str | None:
    """Why ads in this currency are refused at submit, if the fleet's cap is in another one; None: they aren't."""
    cap = settings.ads_daily_cap
    if cap is None or not tuple(ad_platforms) or currency == cap[1]:
        return None
    return (
        f"currency={currency}: {DAILY_ADS} is {amount_text(cap[0])} {cap[1]}, and currencies are never summed; "
        f"give the budget in {cap[1]}"
    )
