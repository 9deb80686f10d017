"""Ads over the wire, on each platform: what a review refuses is asked about, and goals run to their end."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from orchestrator_harness import Harness

from agents.registry import agents
from integrations.settings import Settings
from orchestration.control.verbs import Verbs
from orchestration.execution.context import Resources

REASON = "It promises what can't be kept."
NEEDED: dict[str, Any] = {
    "lead_sources": [{"type": "search", "limit": 3}],
    "content_required": False,
    "budget": 900,
}


@pytest.fixture
def bench(database_url: str, sandbox: Any) -> Iterator[Harness]:
    made = Harness(database_url, agents())
    env = {"SANDBOX_URL": sandbox.url, "DNS_RESOLVER": sandbox.dns_resolver or ""}
    made.orchestrator = replace(made.orchestrator, resources=Resources.of(Settings.from_env(env), made.database))
    yield made
    made.close()


def run(bench: Harness) -> dict[str, Any]:
    bench.orchestrator.run_hop("c1")
    bench.deliver()
    shown: dict[str, Any] = bench.reports.show("c1")
    return shown


@pytest.mark.parametrize("name", ["facebook_ads", "linkedin_ads"])
def test_it_waits_for_a_person_and_goes_on_without_the_ads_when_resumed(
    bench: Harness, sandbox: Any, name: str
) -> None:
    sandbox.reset(7, {"accounts": {name: {"ads_refused": REASON}}})
    bench.submit("c1", **NEEDED, ad_platforms=[name])
    asked = run(bench)
    assert asked["status"] == "waiting"
    assert asked["reason"].startswith(f"needs_attention: measure:{name}: {name}: the platform's review has refused ")
    for words in (REASON, "Change or appeal it there, or go on without it"):
        assert words in asked["reason"]
    assert asked["state"]["campaign_performance"]["overall_score"] is None, "it has no score, and no low one"
    assert asked["state"]["optimization_attempts"] == 0
    clock = bench.orchestrator.resources.clock
    verbs = Verbs(ledger=bench.ledger, agents=bench.agents, wakeups=bench.broker, clock=clock)
    assert verbs.resume("c1", actor="ann") == "running"
    after = run(bench)
    (first,) = after["state"]["campaign_performance"]["rounds"]
    assert first["platforms"][0]["refused"], "the round says what it leaves out"
    assert [error["code"] for error in after["state"]["errors"]] == ["policy_refused"]
    assert after["step"] > asked["step"]
    assert after["status"] == "waiting", "ads with other texts are refused too, and asked about"
    assert REASON in after["reason"]


@pytest.mark.parametrize("goal", ["leads", "sales"])
def test_a_campaign_with_a_goal_runs_to_its_end(bench: Harness, sandbox: Any, goal: str) -> None:
    bench.submit("c1", **NEEDED, ad_platforms=["facebook", "google", "linkedin"], goal=goal)
    shown = run(bench)
    assert shown["status"] == "completed"
    assert [creative["status"] for creative in shown["state"]["ad_creatives"]] == ["active", "active", "active"]
    assert all("utm_campaign=campaign-c1" in creative["landing_url"] for creative in shown["state"]["ad_creatives"])
    assert [error["code"] for error in shown["state"]["errors"]] == []
