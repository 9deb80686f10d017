"""The unit that places a campaign's ads on one platform, as the agent plans it."""

from __future__ import annotations

from agents.ad_management import AdManagement
from agents.state import MarketingAgentState
from agents.unit import StageResult, Unit, UnitResult, UnitStatus

AGENT = AdManagement()


def deploy_unit(state: MarketingAgentState, platform: str) -> Unit:
    """The deploy unit of a hop, planned from made-up answers."""
    results: list[StageResult] = []
    while True:
        stage = AGENT.plan(state, results)
        assert stage is not None
        if stage.name == "deploy":
            return next(u for u in stage.units if u.input["platform"] == platform)
        ad = {"angle": "plain", "headlines": ["One for SaaS"], "descriptions": ["Two for SaaS."]}
        texts = {"ads": [ad], "call_to_action": "Book a demo"}
        output = {**texts, "produced_by": "test"} if stage.name == "creatives" else {"valid": True}
        results.append(
            StageResult(
                name=stage.name,
                results=[UnitResult(unit=u, status=UnitStatus.SUCCEEDED, output=output) for u in stage.units],
            )
        )
