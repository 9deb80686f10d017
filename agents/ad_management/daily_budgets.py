"""What each platform of a campaign may spend a day.

Pure. Invariant: the daily budgets of all platforms, over all days of the schedule, never exceed the campaign's budget
nor its caps; once the budget was changed while ads ran, what they have spent comes off it first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import ROUND_DOWN, Decimal

from agents.actions import SetBudget
from agents.ad_figures import history
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


def split(state: MarketingAgentState, platforms: Sequence[str], *, changing: bool = False) -> dict[str, Decimal]:
    """Return the daily budgets as :func:`budgets` does, but 0 for platforms that had better rest.

    ``changing``: the budget is being changed just now, while ads run.

    That is where less than half of what the platform takes at least is worth spending; one that rests runs again when
    all of that is. One of them always runs.
    """
    daily, least = _shares(state, platforms, changing=changing), least_daily(state, platforms)
    best = max(daily, key=lambda name: (daily[name], name), default="")
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


def _shares(state: MarketingAgentState, platforms: Sequence[str], *, changing: bool = False) -> dict[str, Decimal]:
    config = state.campaign_config
    days = config.schedule.days
    past = history(state.campaign_performance.daily, platforms)
    shares = allocate_budget(past, _total(state, changing=changing), seed=config.models.seed, days=days)
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
    free = daily_budget(_total(state), state.campaign_config.schedule.days) - others - sum(own.values(), Decimal(0))
    more = sum(wanted.values(), Decimal(0)) - sum(own.values(), Decimal(0))
    if more <= free:
        return dict(wanted)
    part = max(Decimal(0), free) / more
    return {
        name: (own[name] + (daily - own[name]) * part).quantize(CENT, rounding=ROUND_DOWN)
        for name, daily in wanted.items()
    }


def _total(state: MarketingAgentState, *, changing: bool = False) -> Decimal:
    """Return what may be spent over the schedule at one pace: the budget within the caps.

    Where the budget was changed while ads ran, that is no more than what is left would be for all days, so that days of
    another pace don't make the whole exceed it.
    """
    config = state.campaign_config
    caps = [config.budget or Decimal(0)]
    if config.limits.ads is not None:
        caps.append(config.limits.ads)
    total = min(caps)
    if changing or any(isinstance(one.action, SetBudget) and one.at >= state.created_at for one in state.actions):
        spent, days = _spent(state)
        left = max(1, config.schedule.days - days)
        total = min(total, max(Decimal(0), total - spent) / left * config.schedule.days)
    if config.limits.ads_per_day is not None:
        total = min(total, config.limits.ads_per_day * config.schedule.days)
    return total


def _spent(state: MarketingAgentState) -> tuple[Decimal, int]:
    """Return what the campaign's ads are known to have spent, in its currency, and on how many days."""
    performance = state.campaign_performance
    own = [one.platform for one in performance.platforms if one.currency == state.campaign_config.currency]
    days = [one for one in performance.daily if one.platform in own]
    return sum((one.spend for one in days), Decimal(0)), len({one.day for one in days})
