"""Toy campaigns whose ad agent's effects look like real ones to the approval gate, and the verbs over them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from orchestrator_harness import Harness
from toys import Toy, deployment, toys

from agents.names import AD_MANAGEMENT
from agents.state import AdCreative, MarketingAgentState
from agents.stopping import Wanted
from agents.unit import Stage, Unit, effect_key
from orchestration.control.verbs import Verbs


class AdToy(Toy):
    """An ad agent whose effects look like real ones to the approval gate."""

    def plan(self, state: MarketingAgentState, results: Any) -> Stage | None:
        if results:
            return None
        unit = Unit(
            key="deploy",
            kind="toy",
            provider="local",
            input=deployment("toy", headlines=[f"h{state.optimization_attempts}"]),
            effect_key=effect_key(state.campaign_id, "toy"),
        )
        return Stage(name="deploy", units=[unit])

    def update_state(self, state: MarketingAgentState, result: Any, now: datetime) -> MarketingAgentState:
        creative = AdCreative(creative_id="a", platform="toy", status="active", remote_ids={"campaign": "1"})
        return state.evolve(ad_creatives=(creative,))

    def stop(self, state: MarketingAgentState, wanted: Wanted | None = None) -> Stage | None:
        unit = Unit(key="stop:toy", kind="stop", provider="toy", input={"platform": "toy", "value": 0}, effect_key="k")
        return Stage(name="wind_down", units=[unit])


def crew(**options: Any) -> dict[str, Any]:
    made = toys(stages=options.pop("stages", (2,)), **options)
    toy = made[AD_MANAGEMENT]
    assert isinstance(toy, Toy)
    return {**made, AD_MANAGEMENT: AdToy(AD_MANAGEMENT, (1,), toy.body, toy.scores)}


class Bench:
    """Makes harnesses over one database, and closes them."""

    def __init__(self, database_url: str) -> None:
        self._database_url = database_url
        self._made: list[Harness] = []

    def __call__(self, **options: Any) -> Harness:
        self._made.append(Harness(self._database_url, options.pop("agents", None) or crew(), **options))
        return self._made[-1]

    def close(self) -> None:
        for one in self._made:
            one.close()


def verbs(one: Harness, clock: Any = None) -> Verbs:
    return Verbs(
        ledger=one.ledger,
        agents=one.agents,
        wakeups=one.broker,
        clock=clock or one.orchestrator.resources.clock,
    )


def status(one: Harness, campaign_id: str = "c1") -> str:
    return one.reports.status(campaign_id)[0]


def kinds(one: Harness, campaign_id: str = "c1") -> list[str]:
    return [e.kind for e in one.reports.events(campaign_id)]
