"""What a person is asked before ads are placed: each ad as it will be shown, and the money.

Pure. Invariant: what was approved passes, anything else asks anew: other texts, another platform, a higher budget.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from agents.ad_management.deployment import DEPLOY
from agents.ad_management.units import Deploy
from agents.approval import Question
from agents.state import MarketingAgentState
from agents.unit import Stage, short_hash
from integrations.ads.platform import AdSpec

GATE = "ads"


def question(state: MarketingAgentState, stage: Stage) -> Question | None:
    """Return the question about the ads and the budget of a stage, or None when the stage makes no ads."""
    asked = [DEPLOY.given(unit) for unit in stage.units if unit.effect]
    if not asked:
        return None
    budget = state.campaign_config.budget or Decimal(0)
    return Question(
        kind=GATE,
        request={
            "ads": [_shown(one) for one in asked],
            "budget": str(budget),
            "currency": state.campaign_config.currency,
            "days": state.campaign_config.schedule.days,
        },
        contents=tuple(short_hash(one.platform, *_texts(one.spec), *_list_use(one)) for one in asked),
        budget=budget,
    )


def _shown(one: Deploy) -> dict[str, Any]:
    ad = {"platform": one.platform, **one.spec.model_dump(mode="json", exclude={"customers"})}
    if one.customers is not None:
        ad["customer_list"] = {"use": one.customers.use, "leads": len(one.customers.members)}
        if one.customers.lookalike is not None:
            ad["customer_list"] |= one.customers.lookalike.model_dump()
    return ad


def _list_use(one: Deploy) -> list[str]:
    if one.customers is None:
        return []
    alike = one.customers.lookalike
    return [one.customers.use, *([alike.country, str(alike.percent)] if alike else [])]


def _texts(spec: AdSpec) -> list[str]:
    return [repr(spec.headlines), repr(spec.descriptions), spec.call_to_action, spec.landing_url, spec.goal]
