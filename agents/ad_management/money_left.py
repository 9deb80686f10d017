"""What a campaign's ads may spend a day from now on, so that what platforms did not manage to spend is used to the end.

Pure, and without a clock: time is the newest day that a platform has reported, as the figures that are known end there
whether its days are the calendar's or a sandbox' simulated ones. That day may go on, so it is not over. A day that is
over costs what was reported of it; where a platform's report is missing, what stands there a day.

Invariants: a raise counts the part of a day at the schedule's end as a whole one, so that all days that are not over
can be spent in full; without a raise it is at most the budget by the schedule's days; never more a day than
``limits.ads_per_day`` nor in all than the budget and ``limits.ads``, as far as platforms keep to what stands.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, time, timedelta
from decimal import Decimal

from agents.ad_figures import Day, history
from agents.ad_management.running import own_remote_ids
from agents.allocation.pacing import todays_money
from agents.state import MarketingAgentState


def money_a_day(state: MarketingAgentState, standing: Mapping[str, Decimal]) -> Decimal:
    """Return what all platforms together may spend a day, in the campaign's currency.

    ``standing``: the daily budgets that run. On the schedule's last day it is all that is left.
    """
    config, first, days = state.campaign_config, state.created_at.date(), state.campaign_config.schedule.days
    limits = [limit for limit in (config.budget, config.limits.ads) if limit is not None]
    total = min(limits, default=Decimal(0))
    reported = _reported(state, first)
    newest = max((one.day for each in reported.values() for one in each), default=first)
    asked = {one.platform for one in state.campaign_performance.platforms}
    spent, today = Decimal(0), Decimal(0)
    for name, each in reported.items():
        spent += _spent(each, first, newest, standing.get(name, Decimal(0)), asked=name in asked)
        today += sum((one.spend for one in each if one.day == newest), Decimal(0))
    left = days - min(max(0, (newest - first).days), days - 1)
    calendar = left + (state.created_at.time() != time.min)
    surely = _a_day(total, spent, today, calendar)
    if config.limits.ads is not None:  # the ledger that keeps this cap holds a whole budget for a day that has begun
        surely = min(surely, todays_money(config.limits.ads, spent + today, calendar))
    found = max(surely, min(todays_money(total, Decimal(0), days), _a_day(total, spent, today, left)))
    return found if config.limits.ads_per_day is None else min(found, config.limits.ads_per_day)


def _a_day(total: Decimal, spent: Decimal, today: Decimal, days_left: int) -> Decimal:
    """Return the money a day, today included, of which ``today`` is spent already."""
    found = todays_money(total, spent, days_left)
    if days_left > 1 and today > found:
        return todays_money(total, spent + today, days_left - 1)
    return found


def _spent(days: Sequence[Day], first: date, newest: date, standing: Decimal, *, asked: bool) -> Decimal:
    """Return what one platform has spent on the days before ``newest``, of which it has told ``days``."""
    last = days[-1].day if days else first - timedelta(days=1)
    known = sum((one.spend for one in days if one.day < newest), Decimal(0))
    if last == newest:
        return known
    if days:  # its own newest day may not have been over when it was told
        known += max(Decimal(0), standing - days[-1].spend)
    # A platform that was asked and tells nothing of a day has spent nothing on it.
    return known if asked and days else known + standing * ((newest - last).days - 1)


def _reported(state: MarketingAgentState, first: date) -> dict[str, list[Day]]:
    """Return the days of each platform with ads of the campaign's own, from the schedule's first on.

    They begin a day earlier where the account's day does. What is in another currency is not known.
    """
    found = history(
        (one for one in state.campaign_performance.daily if one.day >= first - timedelta(days=1)),
        [one.platform for one in state.ad_creatives if own_remote_ids(state, one.platform)],
    )
    currency = state.campaign_config.currency
    foreign = {one.platform for one in state.campaign_performance.platforms if one.currency != currency}
    return {name: [] if name in foreign else days for name, days in found.items()}
