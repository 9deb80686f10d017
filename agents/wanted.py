"""What a campaign's ads are to bring, and what one of it may cost: the campaign file's own words about it.

Pure. Invariant: a target that can't be measured with what the campaign counts is refused with what is missing.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import ROUND_DOWN, Decimal
from enum import StrEnum
from typing import TYPE_CHECKING

from integrations.ads.goal import Goal
from integrations.currencies import smallest

if TYPE_CHECKING:
    from agents.config import CampaignConfig


class Counted(StrEnum):
    """What of an ad's figures is a result."""

    CLICKS = "clicks"
    CONVERSIONS = "conversions"


def counted(config: CampaignConfig) -> Counted:
    """Return what the campaign's results are: visits for ``goal: traffic``, else conversions."""
    return Counted.CLICKS if config.goal is Goal.TRAFFIC else Counted.CONVERSIONS


def wanted_cost(config: CampaignConfig) -> Decimal | None:
    """Return what one conversion may cost by the campaign file, in its currency, or None where it doesn't say.

    Under ``target_roas`` it is ``conversion_value / target_roas``: revenue per money spent, turned round.
    """
    if config.target_cpa is not None:
        return config.target_cpa
    if config.target_roas is None or config.conversion_value is None:
        return None
    return (config.conversion_value / config.target_roas).quantize(Decimal("0.0001"), rounding=ROUND_DOWN)


def target_problems(config: CampaignConfig) -> Iterator[str]:
    """Yield what is wrong with the campaign's targets, each with the key, the value and what would be right."""
    given = [key for key in ("target_cpa", "target_roas") if getattr(config, key) is not None]
    if not given:
        if config.conversion_value is not None:
            yield f"conversion_value={config.conversion_value}: goes with target_roas; add that, or leave both out"
        return
    if len(given) > 1:
        yield f"target_cpa={config.target_cpa} and target_roas={config.target_roas}: give one of the two"
        return
    key, value = given[0], getattr(config, given[0])
    if not config.ad_platforms:
        yield f"{key}={value}: is for ads; name ad_platforms, or leave it out"
    if config.goal is Goal.TRAFFIC:
        yield f"{key}={value}: needs conversions, and goal=traffic counts visits; write goal: leads or goal: sales"
    if config.target_roas is not None and config.conversion_value is None:
        yield f"{key}={value}: needs what a conversion is worth; add conversion_value, in {config.currency}"
    cost = wanted_cost(config)
    if cost is not None and cost < smallest(config.currency):
        yield f"{key}={value}: comes to {cost} {config.currency} a conversion, less than the smallest amount of money"
    elif cost is not None and config.budget is not None and cost > config.budget:
        yield f"{key}={value}: comes to {cost} {config.currency} a conversion, more than the whole budget"
