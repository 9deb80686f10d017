"""Spend ledger for ads: what may still be spent on a platform, what runs a day, what has been reported.

One row per object of a platform, keyed by its effect key: an update replaces, and no retry, no going back and no fork
counts it a second time. Before a platform is given a budget the higher of before and after is held; once it has
taken it, what it took; what it reports as spent goes from held to settled. Invariants: a platform is never given
more than the caps leave (``limits.ads``, ``limits.ads_per_day``, the fleet's DAILY_CAP_ADS); what may or may not
have reached the platform counts as if it had; currencies never meet.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from agents.ports import Clock
from agents.unit import effect_key
from integrations.ads.platform import Budgeted, DayReport
from integrations.errors import OverBudgetError
from integrations.settings import Settings
from orchestration.ledger.database import Database, encode
from orchestration.spend.models import amount_text

DAILY_ADS, CURRENCY = "DAILY_CAP_ADS", "currency"
#: Ads are changed in parallel, and one that gives budget away makes room for another.
LOOK_AGAIN_S = 60.0
#: Days that an ad without an end is taken to run: the longest schedule that a campaign can have.
ENDLESS_DAYS = 365

#: SQL of the daily budget of an ad that still runs.
RUNNING_DAILY = "CASE WHEN until IS NULL OR until > clock_timestamp() THEN daily ELSE 0 END"

_OPTIONS: Mapping[str, str] = {"limits.ads": "--ads", "limits.ads_per_day": "--ads-per-day"}


def remaining_days(start: datetime, end: datetime | None, now: datetime, reported: Iterable[date] = ()) -> int:
    """Return the days for which a daily budget may still be spent, from ``now`` on.

    They are the clock's days, or fewer when the platform has reported more of the schedule's days than have passed (the
    sandbox' simulated days). A reported day counts as over, but for a newest one that is today's.
    """
    if end is None:
        return ENDLESS_DAYS
    left = math.ceil((end - max(start, now)) / timedelta(days=1))
    lived = set(reported)
    over = len(lived) - (max(lived, default=None) == now.date())
    return max(0, min(left, math.ceil((end - start) / timedelta(days=1)) - over))


def ad_hold(daily: Decimal, start: datetime, end: datetime | None, now: datetime, reported: Iterable[date]) -> Decimal:
    """Return what may still be spent, in the budget's currency: the daily budget times the days that are left."""
    return daily * remaining_days(start, end, now, reported)


@dataclass(frozen=True, slots=True)
class AdSpend:
    """Ad money of one campaign on one platform, under the caps of the campaign and of the fleet."""

    database: Database
    settings: Settings
    campaign_id: str
    agent: str  #: whose unit asks
    platform: str
    clock: Clock

    def reserve(self, spec: Budgeted) -> Callable[[], None]:
        """Reserve what ``spec`` may cost before the platform is given it, and return what undoes it.

        Undoing it holds again what was held before, for when nothing of ``spec`` has reached the platform. A change
        that asks for less is always granted. Raises OverBudgetError when a cap has no room.
        """
        amount = self._amount(spec)
        cap, currency = self.settings.ads_daily_cap or (None, None)
        refused_by, limit, room, held, daily, until = self.database.rows(
            "SELECT * FROM marketing.spend_reserve_ads(%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
            self.campaign_id, spec.effect_key, self.agent, self.platform, spec.currency, amount, spec.daily_budget,
            spec.end, cap, currency,
        )[0]  # fmt: skip
        if refused_by is not None:
            raise self._refusal(spec, amount, str(refused_by), limit, room, currency)
        return lambda: self._place(spec.effect_key, spec.currency, held, daily, until)

    def placed(self, spec: Budgeted) -> None:
        """Hold from now on what the platform has taken, and no more."""
        self._place(spec.effect_key, spec.currency, self._amount(spec), spec.daily_budget, spec.end)

    def stopped(self, key: str) -> None:
        """Hold nothing more for the effect key ``key``, which runs no more and whose spend stays counted."""
        self._place(key, None, Decimal(0), Decimal(0), None)

    def reported(self, currency: str, revision: int, days: Iterable[DayReport]) -> None:
        """Count what the platform says its ads of ``revision`` have spent on each day.

        Only for the campaign's own ads: a fork reads its parent's figures, and they are counted there.
        """
        spent: dict[str, Decimal] = {}
        for day in days:
            spent[day.day.isoformat()] = spent.get(day.day.isoformat(), Decimal(0)) + day.spend
        key = effect_key(self.campaign_id, self.platform)
        self.database.rows(
            "SELECT marketing.spend_report_ads(%s, %s, %s, %s, %s, %s, %s)",
            self.campaign_id, key, self.agent, self.platform, currency, str(revision), encode(spent),
        )  # fmt: skip

    def _amount(self, spec: Budgeted) -> Decimal:
        rows = self.database.rows(
            "SELECT DISTINCT d FROM marketing.spend s, jsonb_each(s.reported) AS r(revision, days), "
            "jsonb_object_keys(r.days) AS d WHERE s.campaign_id = %s AND s.step = -1 AND s.stage = -1 AND s.unit = %s",
            self.campaign_id, spec.effect_key,
        )  # fmt: skip
        reported = [date.fromisoformat(row[0]) for row in rows]
        return ad_hold(spec.daily_budget, spec.start, spec.end, self.clock.now(), reported)

    def _place(self, key: str, currency: str | None, held: Decimal, daily: Decimal, until: datetime | None) -> None:
        self.database.rows(
            "SELECT marketing.spend_place_ads(%s, %s, %s, %s, %s, %s)",
            self.campaign_id, key, currency, held, daily, until,
        )  # fmt: skip

    def _refusal(
        self,
        spec: Budgeted,
        amount: Decimal,
        refused_by: str,
        cap: Decimal,
        room: Decimal,
        cap_currency: str | None,
    ) -> OverBudgetError:
        """Return the error for a budget that a cap refused, whose text says what would be right."""
        if refused_by == CURRENCY:
            text = f"{DAILY_ADS} is in {cap_currency} and the campaign's ads are in {spec.currency}: "
            text += "they can't be compared"
        elif refused_by == "no_campaign":
            text = "its campaign is gone"
        else:
            asked = amount if refused_by == "limits.ads" else spec.daily_budget
            per_day = "" if refused_by == "limits.ads" else " a day"
            left, option = max(room, Decimal(0)), _OPTIONS.get(refused_by)
            text = (
                f"{refused_by} of {amount_text(cap)} {spec.currency} has {amount_text(left)}{per_day} left, "
                f"the ads may cost {amount_text(asked)}{per_day}: "
            )
            raising = f"raise it with `campaigns limits {self.campaign_id} {option} X`"
            text += raising if option else "end ads, or raise it"
        return OverBudgetError(self.platform, text, detail=refused_by, retry_after=LOOK_AGAIN_S)


def check_ad_currency(ad_platforms: Iterable[str], currency: str, settings: Settings) -> str | None:
    """Return why ads in this currency are refused at submit, or None unless the fleet's cap is in another one."""
    cap = settings.ads_daily_cap
    if cap is None or not tuple(ad_platforms) or currency == cap[1]:
        return None
    return (
        f"currency={currency}: {DAILY_ADS} is {amount_text(cap[0])} {cap[1]}, and currencies are never summed; "
        f"give the budget in {cap[1]}"
    )
