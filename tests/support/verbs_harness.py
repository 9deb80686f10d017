"""Toy campaigns for tests of the verbs: one asks for approval of its ads, one fails, one completes.

Invariant: their rows and units are real ones, written by the orchestrator; only what the agents do is a toy.
"""

from __future__ import annotations

import getpass
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from orchestrator_harness import Harness
from toys import Toy, deployment, echo, toys

from agents.names import AD_MANAGEMENT, LEAD_GENERATION
from agents.ports import UnitContext
from agents.state import AdCreative, MarketingAgentState
from agents.unit import Stage, Unit, effect_key
from integrations.errors import PermanentError
from integrations.settings import Mode

ME = f"cli:{getpass.getuser()}"
NOW = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
SPEC = {
    "name": "Launch",
    "headlines": ["Forecast before coffee\x1b[31m", "See your pipeline"],
    "descriptions": ["Revenue analytics."],
    "keywords": [],
    "call_to_action": "Book a tour",
    "landing_url": "https://www.northlight.example/",
    "audience": {"industries": ["saas"], "titles": ["CTO", "VP"], "locations": []},
    "daily_budget": "33.33",
    "currency": "EUR",
    "end": "2026-03-31T00:00:00Z",
}


class AdToy(Toy):
    """An ad agent whose one effect looks like a real one to the approval gate."""

    def plan(self, state: MarketingAgentState, results: Any) -> Stage | None:
        if results:
            return None
        headlines = [*SPEC["headlines"], state.campaign_config.name]
        unit = Unit(
            key="deploy:toy",
            kind="toy",
            provider="local",
            input=deployment("facebook_ads", **{**SPEC, "headlines": headlines}),
            effect_key=effect_key(state.campaign_id, "toy"),
        )
        return Stage(name="deploy", units=[unit])

    def update_state(self, state: MarketingAgentState, result: Any, now: datetime) -> MarketingAgentState:
        creative = AdCreative(creative_id="a", platform="facebook_ads", status="active", remote_ids={"campaign": "1"})
        return state.evolve(ad_creatives=(creative,))


class Mended:
    """Whether the campaigns named ``bad...`` succeed from now on."""

    is_so = False


@contextmanager
def verbs_harness(database_url: str, redis_url: str, mode: Mode = Mode.SANDBOX) -> Iterator[Harness]:
    """Toy campaigns that the command talks to; those named ``bad...`` fail in lead generation until they are mended."""

    def body(unit: Unit, ctx: UnitContext) -> Mapping[str, Any]:
        if ctx.campaign_id.startswith("bad") and unit.key == "u1" and not Mended.is_so:
            raise PermanentError("web", "the site\x1b[31m said no")
        return echo(unit, ctx)

    os.environ.update({"DATABASE_URL": database_url, "REDIS_URL": redis_url})
    Mended.is_so = False
    agents = toys(stages=(2,), body=body)
    agents[LEAD_GENERATION] = OneOfTwo(LEAD_GENERATION, (2,), body)
    agents[AD_MANAGEMENT] = AdToy(AD_MANAGEMENT, (1,), body)
    made = Harness(database_url, agents, mode=mode)
    made.ledger.beat()  # one worker is at work
    try:
        yield made
    finally:
        made.close()


class OneOfTwo(Toy):
    """Only its second unit is essential, so that a hop may fail with half of its work done."""

    def plan(self, state: MarketingAgentState, results: Any) -> Stage | None:
        stage = super().plan(state, results)
        if stage is None:
            return None
        return Stage(name=stage.name, units=[replace(unit, essential=unit.key == "u1") for unit in stage.units])


def begun(one: Harness, campaign_id: str, **config: Any) -> None:
    """Submit a campaign and run it as far as it goes."""
    one.submit(campaign_id, **{"name": "Launch", **config})
    one.orchestrator.run_hop(campaign_id)
    one.deliver()


def waits_for_approval(one: Harness, campaign_id: str = "c1", **approval: Any) -> None:
    begun(one, campaign_id, approval={"gate": "ads", **approval}, budget="1000", currency="EUR")
    assert one.reports.status(campaign_id)[0] == "awaiting_approval"


def actors(one: Harness, campaign_id: str = "c1") -> dict[str, str]:
    return {event.kind: event.actor for event in one.reports.events(campaign_id)}
