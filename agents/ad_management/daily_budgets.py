"""What each platform of a campaign may spend a day.

Pure. Invariant: the daily budgets of all platforms, over all days that are left of the schedule, never exceed what is
left of the campaign's budget and its caps (:mod:`agents.ad_management.money_left`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import ROUND_DOWN, Decimal

from agents.ad_figures import history
from agents.ad_management.money_left import money_a_day
from agents.ad_management.running import own_remote_ids
from agents.budget import CENT, allocate_budget, at_least, daily_budget
from agents.state import MarketingAgentState
from integrations.ads.registry import platform
from integrations.currencies import smallest

HALF = Decimal("0.5")


def budgets(state: MarketingAgentState, platforms: Sequence[str]) -> dict[str, Decimal]:
    """Return the daily budget of each platform, in the campaign's currency, by what each has brought so far.

    None is below what its platform takes at least.
    """
    return at_least(_shares(state, platforms), least_daily(state, platforms))


def split(state: MarketingAgentState, platforms: Sequence[str]) -> dict[str, Decimal]:
    """Return the daily budgets as :func:`budgets` does, but 0 for platforms that had better rest.

    That is where less than half of what the platform takes at least is worth spending; one that rests runs again when
    all of that is. One of them always runs, as long as what is left pays for what it takes at least.
    """
    daily, least = _shares(state, platforms), least_daily(state, platforms)
    best = max(daily, key=lambda name: (daily[name], name), default="")
    if best and sum(daily.values(), Decimal(0)) < least[best]:
        return dict.fromkeys(daily, Decimal(0))
    resting = {one.platform for one in state.ad_creatives if one.resting}
    runs = {
        name: amount
        for name, amount in daily.items()
        if name == best or amount >= least[name] * (1 if name in resting else HALF)
    }
    free = sum(daily.values(), Decimal(0)) - sum(runs.values(), Decimal(0))
    whole = sum(runs.values(), Decimal(0))
    if free and whole:
        runs = {
            name: amount + (free * amount / whole).quantize(CENT, rounding=ROUND_DOWN) for name, amount in runs.items()
        }
    return {**dict.fromkeys(daily, Decimal(0)), **at_least(runs, {name: least[name] for name in runs})}


def spread(state: MarketingAgentState, platforms: Sequence[str]) -> dict[str, Decimal]:
    """Return the daily budgets by what may be spent now, where a platform rests only if it has to or will be looked at.

    In a campaign that is not measured again nothing would wake it.
    """
    least = sum(least_daily(state, platforms).values(), Decimal(0))
    looked_at = state.campaign_config.optimize_every is not None
    return (
        split(state, platforms)
        if looked_at or money_a_day(state, standing(state)) < least
        else budgets(state, platforms)
    )


def _shares(state: MarketingAgentState, platforms: Sequence[str]) -> dict[str, Decimal]:
    config = state.campaign_config
    days = config.schedule.days
    past = history(state.campaign_performance.daily, platforms)
    total = money_a_day(state, standing(state)) * days
    shares = allocate_budget(past, total, seed=config.models.seed, days=days)
    return {name: daily_budget(share, days) for name, share in shares.items()}


def least_daily(state: MarketingAgentState, platforms: Sequence[str]) -> dict[str, Decimal]:
    """Return the least daily budget of each platform that can be bought at all."""
    currency = state.campaign_config.currency
    return {name: max(platform(name).least_daily(currency), smallest(currency), CENT) for name in platforms}


def standing(state: MarketingAgentState) -> dict[str, Decimal]:
    """Daily budgets that run now, whether or not this hop touches them."""
    return {
        c.platform: Decimal(0) if c.resting else c.daily_budget or Decimal(0)
        for c in state.ad_creatives
        if c.status in ("active", "paused") and own_remote_ids(state, c.platform)
    }


def targets(state: MarketingAgentState, valid: Sequence[str]) -> dict[str, Decimal]:
    """Return the daily budgets that the valid platforms shall have.

    Platforms that only go on running keep their part.
    """
    found = budgets(state, tuple(dict.fromkeys((*valid, *standing(state)))))
    return {name: found[name] for name in valid}


def lowered(state: MarketingAgentState, wanted: Mapping[str, Decimal]) -> list[str]:
    """Return the platforms that give budget away, which go first, so that only what is free is given to others."""
    runs = standing(state)
    return [name for name, daily in wanted.items() if name in runs and daily <= runs[name]]


def within_budget(
    state: MarketingAgentState, wanted: Mapping[str, Decimal], settled: Mapping[str, Decimal]
) -> dict[str, Decimal]:
    """``wanted`` (platforms that want more), cut so that all that runs stays within the campaign's budget.

    ``settled``: daily budgets that were changed earlier in this hop. Platforms that could not be changed
    still spend what they did, so their money is not free.
    """
    runs = {**standing(state), **settled}
    others = sum((daily for name, daily in runs.items() if name not in wanted), Decimal(0))
    own = {name: min(runs.get(name, Decimal(0)), daily) for name, daily in wanted.items()}
    free = money_a_day(state, standing(state)) - others - sum(own.values(), Decimal(0))
    more = sum(wanted.values(), Decimal(0)) - sum(own.values(), Decimal(0))
    if more <= max(free, Decimal(0)):
        return dict(wanted)
    part = max(Decimal(0), free) / more
    return {
        name: (own[name] + (daily - own[name]) * part).quantize(CENT, rounding=ROUND_DOWN)
        for name, daily in wanted.items()
    }
