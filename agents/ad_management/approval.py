"""What a person is asked before ads are placed: each ad as it will be shown, and the money.

Pure. Invariant: what was approved passes, anything else asks anew: other texts, another platform, a higher budget.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from agents.approval import Question
from agents.state import MarketingAgentState
from agents.unit import Stage, short_hash

GATE = "ads"


def question(state: MarketingAgentState, stage: Stage) -> Question | None:
    """Describe what the stage's effects publish and spend; None for a stage without effects."""
    effects = [unit for unit in stage.units if unit.effect]
    if not effects:
        return None
    budget = state.campaign_config.budget or Decimal(0)
    return Question(
        kind=GATE,
        request={
            "ads": [{"platform": unit.input["platform"], **dict(unit.input["spec"])} for unit in effects],
            "budget": str(budget),
            "currency": state.campaign_config.currency,
            "days": state.campaign_config.schedule.days,
        },
        contents=tuple(short_hash(unit.input["platform"], *_texts(unit.input["spec"])) for unit in effects),
        budget=budget,
    )


def _texts(spec: Mapping[str, Any]) -> list[str]:
    shown = ("headlines", "descriptions", "call_to_action", "landing_url")
    return [repr(spec.get(name)) for name in shown]
