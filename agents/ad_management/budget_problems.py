"""Budgets that can't work, told at submit: in words, with the least that the platform takes.

Pure. Invariant: nobody is asked here; what only an ad account knows (its own currency and least) is looked at before
the campaign's first hop (:mod:`agents.ad_management.account`).
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import ROUND_DOWN, ROUND_UP, Decimal

from agents.config import CampaignConfig
from integrations.ads.registry import platform
from integrations.ads.spec import PlatformSpec
from integrations.currencies import decimals, smallest

#: More than so many times a platform's least daily budget, or this amount where none is known, is taken for a slip of
#: the pen.
PLAUSIBLE = Decimal(1_000_000)
PLAUSIBLE_AMOUNT = Decimal(1_000_000_000)


def budget_problems(config: CampaignConfig) -> list[str]:
    """Return what is wrong with the money of a campaign with ads, each with the key, the value and what is right."""
    if not config.ad_platforms or config.budget is None:
        return []
    places = decimals(config.currency)
    if places is None:
        return [f"currency={config.currency}: is no currency; write its three letters of ISO 4217, such as USD or EUR"]
    return [*_decimals(config, places), *_per_day(config)]


def _decimals(config: CampaignConfig, places: int) -> Iterator[str]:
    amounts = {
        "budget": config.budget,
        "limits.ads": config.limits.ads,
        "limits.ads_per_day": config.limits.ads_per_day,
    }
    for key, amount in amounts.items():
        if amount is None:
            continue
        right = amount.quantize(smallest(config.currency), rounding=ROUND_DOWN)
        if right != amount:
            yield f"{key}={amount}: {config.currency} has {places or 'no'} decimals; write {right}"


def _per_day(config: CampaignConfig) -> Iterator[str]:
    """Yield what is wrong with the part of the budget that each platform gets a day, to begin with."""
    days, count = config.schedule.days, len(config.ad_platforms)
    limits = [limit for limit in (config.budget, config.limits.ads) if limit is not None]
    if config.limits.ads_per_day is not None:
        limits.append(config.limits.ads_per_day * days)
    share = (min(limits) / count / days).quantize(max(smallest(config.currency), Decimal("0.01")), rounding=ROUND_DOWN)
    for name in config.ad_platforms:
        spec = platform(name)
        least = max(spec.least_daily(config.currency), smallest(config.currency))
        known = spec.min_daily.get(config.currency)
        most = known * PLAUSIBLE if known else PLAUSIBLE_AMOUNT
        if share < least:
            yield _too_low(config, spec, share, least)
        elif share > most:
            yield (
                f"budget={config.budget}: is {share} {config.currency} a day on {spec.title}, more than {most}, "
                f"which looks like a slip; write the total over schedule.days={days}"
            )


def _too_low(config: CampaignConfig, spec: PlatformSpec, share: Decimal, least: Decimal) -> str:
    days, count, currency = config.schedule.days, len(config.ad_platforms), config.currency
    parts = f", divided over {count} platforms" if count > 1 else ""
    total = (least * days * count).quantize(smallest(currency), rounding=ROUND_UP)
    return (
        f"budget={config.budget}: is too low: over {days} days{parts} it is {share} {currency} a day on {spec.title}, "
        f"which takes no less than {least} {currency} a day; give at least {total}, fewer days or fewer platforms"
    )
