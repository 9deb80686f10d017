"""Pausing a campaign with its ads when things go wrong: nothing stays on, nothing is forgotten, all of it is said."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import pytest
from ad_platforms import Wire, ad_campaigns, campaign, fault
from agent_context import Execution, MemoryContext
from orchestrator_harness import Harness
from paused_ads import BOTH, benches, dead, reason, said, settings_of, shown, status, tick, verbs, wake, with_ads
from toys import Toy, echo, toys

from agents.names import AD_MANAGEMENT
from agents.ports import UnitContext
from agents.registry import agents as real_agents
from agents.state import AdCreative, MarketingAgentState
from agents.stopping import Wanted
from agents.unit import Stage, Unit, UnitResult
from integrations.errors import BadRequestError
from orchestration.execution.units import run_claimed
from orchestration.ledger.ad_switches import AdSwitches
from orchestration.ledger.rows import Claimed


@pytest.fixture
def bench(database_url: str, sandbox: Any) -> Iterator[Callable[..., Harness]]:
    with benches(database_url, settings_of(sandbox)) as make:
        yield make


def test_a_platform_that_is_down_is_said_and_tried_again(bench: Callable[..., Harness], sandbox: Any) -> None:
    one = bench()
    with_ads(one)
    with fault(sandbox, "facebook_ads", "down"):
        verbs(one).pause("c1", actor="ann", ads=True)
        one.deliver()
        assert (status(one), shown(sandbox)) == ("paused", ["facebook_ads"])
        assert reason(one).startswith("paused by ann; the ads on facebook_ads can't be paused yet, this is tried again")
    one.database.run("UPDATE marketing.units SET due_at = NULL WHERE status IN ('pending', 'unknown')")
    assert wake(one) == 1
    one.deliver()
    assert (reason(one), shown(sandbox)) == ("paused by ann, and its ads", [])
    with fault(sandbox, "linkedin_ads", "down"):
        verbs(one).resume("c1", actor="bob")
        one.deliver()
        assert (status(one), shown(sandbox)) == ("paused", ["facebook_ads"])
        assert reason(one).startswith("resumed by bob; the ads on linkedin_ads can't be switched on yet")
    one.database.run("UPDATE marketing.units SET due_at = NULL WHERE status IN ('pending', 'unknown')")
    assert wake(one) == 1
    one.deliver()
    assert (status(one), shown(sandbox)) == ("waiting", BOTH)


def test_a_wish_that_a_cancel_overtakes_leaves_nothing_undone(bench: Callable[..., Harness], sandbox: Any) -> None:
    one = bench()
    with_ads(one)
    with fault(sandbox, "facebook_ads", "down"):
        verbs(one).pause("c1", actor="ann", ads=True)
        one.deliver()
    assert verbs(one).cancel("c1", actor="bob") == "cancelling"
    one.deliver()
    assert (status(one), shown(sandbox)) == ("cancelled", [])
    assert one.database.rows("SELECT key FROM marketing.units WHERE status IN ('pending', 'running', 'unknown')") == []
    assert one.database.rows("SELECT number FROM marketing.ad_switches WHERE settled_at IS NULL") == []


def test_a_wish_without_a_message_is_carried_out_all_the_same(bench: Callable[..., Harness], sandbox: Any) -> None:
    one = bench()
    with_ads(one)
    verbs(one).pause("c1", actor="ann", ads=True)
    one.broker.queue.clear()
    assert tick(one) == 0  # it has only just been asked for
    assert wake(one) == 1
    assert list(one.broker.queue) == [("hop", "c1", AD_MANAGEMENT)]
    one.deliver()
    assert shown(sandbox) == []
    assert wake(one) == 0


def claimed_by(victim: Harness, one: Harness) -> list[Claimed]:
    """A campaign whose ads ``victim`` has begun to pause."""
    with_ads(one)
    verbs(one).pause("c1", actor="ann", ads=True)
    switches = AdSwitches(victim.ledger)
    row = victim.reports.row("c1")
    switch = switches.newest(row)
    assert switch is not None
    stage = one.agents[AD_MANAGEMENT].stop(row.state)
    assert stage is not None
    assert switches.plan(row, switch, Stage(name="switch_ads", units=[_off(unit) for unit in stage.units]))
    claimed = switches.take(row, switch)
    assert len(claimed) == 2
    return claimed


@pytest.mark.parametrize("died", ["before", "after"])
def test_a_worker_that_dies_while_it_pauses_an_ad_leaves_it_known_whose_doing_it_was(
    bench: Callable[..., Harness], sandbox: Any, monkeypatch: pytest.MonkeyPatch, died: str
) -> None:
    one, victim = bench(), bench(worker="victim")
    claimed = claimed_by(victim, one)
    if died == "after":
        for unit in claimed:
            outcome = run_claimed(victim.agents, unit, victim.ledger, victim.orchestrator.resources)
            assert isinstance(outcome, UnitResult)
        assert shown(sandbox) == []
    assert one.orchestrator.run_hop("c1") == "waits for units"
    monkeypatch.setattr("orchestration.ledger.ledger.LEASE_S", 0.5)
    dead(one, "victim")
    assert wake(one) == 1
    one.deliver()
    assert (reason(one), shown(sandbox), said(one)) == ("paused by ann, and its ads", [], ["paused", "paused"])
    verbs(one).resume("c1", actor="ann")
    one.deliver()
    assert (status(one), shown(sandbox)) == ("waiting", BOTH)


def test_what_a_dead_worker_held_of_an_earlier_wish_is_not_left_open(
    bench: Callable[..., Harness], sandbox: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, victim = bench(), bench(worker="victim")
    claimed_by(victim, one)
    verbs(one).resume("c1", actor="bob")
    monkeypatch.setattr("orchestration.ledger.ledger.LEASE_S", 0.5)
    dead(one, "victim")
    assert wake(one) == 1
    one.deliver()
    assert (status(one), shown(sandbox)) == ("waiting", BOTH)
    assert one.database.rows("SELECT key, status FROM marketing.units WHERE step < 0 AND finished_at IS NULL") == []


def test_a_claim_that_nobody_knows_of_holds_up_no_wish(
    bench: Callable[..., Harness], sandbox: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Postgres committed it and went away before it answered; the worker lives on."""
    monkeypatch.setattr("orchestration.ledger.ledger.LEASE_S", 0.5)
    one = bench()
    with_ads(one)
    one.database.run(
        "UPDATE marketing.units SET status = 'running', worker = 'alive', started_at = now() WHERE status = 'pending'"
    )
    verbs(one).pause("c1", actor="ann", ads=True)
    one.deliver()
    dead(one, "alive")
    one.database.run("UPDATE marketing.workers SET beat_at = now() + interval '1 hour'")
    assert wake(one) == 0
    assert shown(sandbox) == BOTH
    one.database.run("UPDATE marketing.units SET started_at = now() - interval '6 minutes' WHERE status = 'running'")
    assert wake(one) == 1
    one.deliver()
    assert shown(sandbox) == []


class DeathError(BaseException):
    """The process is gone."""


@dataclass
class Mortal(MemoryContext):
    """An attempt whose process dies when its ``last`` call has been carried out."""

    last: int = 0

    def call(self, provider: str, send: Callable[[float], Any], **options: Any) -> Any:
        answer = super().call(provider, send, **options)
        self.last -= 1
        if self.last == 0:
            raise DeathError
        return answer


@pytest.mark.parametrize("platform", BOTH)
def test_whoever_dies_after_whichever_call_an_ad_is_paused_and_known_to_be_ours(sandbox: Any, platform: str) -> None:
    execution = Execution.against(sandbox.url, sandbox.dns_resolver)
    agent = real_agents()[AD_MANAGEMENT]
    agent.execute(campaign(ad_platforms=[platform]), execution)
    ads = execution.providers.ads(platform)
    stage = agent.stop(campaign(ad_platforms=[platform]))
    assert stage is not None
    unit = _off(stage.units[0])
    found = ads.find_by_key(unit.effect_key or "", wire=Wire())
    assert found is not None
    for last in range(1, 20):
        ads.enable(found, wire=Wire())
        attempt = Mortal(execution, "c1", unit, ("off", last), last)
        try:
            agent.run(unit, attempt)
        except DeathError:
            again = agent.run(unit, replace(attempt, last=0))
            assert (again["paused"], [ad["status"] for ad in ad_campaigns(sandbox)]) == (True, ["paused"])
        else:
            break
    assert last > 3


def _off(unit: Unit) -> Unit:
    return replace(unit, input={**unit.input, "wanted": "off"})


def test_in_the_middle_of_a_deployment_what_runs_ends_first(bench: Callable[..., Harness], sandbox: Any) -> None:
    one = bench()
    leads = [{"type": "search", "limit": 3}]
    one.submit("c1", lead_sources=leads, ad_platforms=["facebook", "linkedin"], budget=1000, content_required=False)
    row = at_the_deployment(one)
    (claimed,) = one.ledger.take("c1", row.step, row.stage, 1)
    verbs(one).pause("c1", actor="ann", ads=True)
    one.deliver()
    assert AdSwitches(one.ledger).units("c1") == []  # not even planned
    outcome = run_claimed(one.agents, claimed, one.ledger, one.orchestrator.resources)
    assert isinstance(outcome, UnitResult)
    one.ledger.finish(row.position, [outcome])
    assert shown(sandbox) == ["facebook_ads"]
    assert wake(one) == 1
    one.deliver()
    assert (status(one), shown(sandbox)) == ("paused", [])
    assert [ad["provider"] for ad in ad_campaigns(sandbox)] == ["facebook_ads"]  # the other was never begun
    verbs(one).resume("c1", actor="ann")
    one.deliver()
    assert (status(one), shown(sandbox)) == ("completed", BOTH)
    assert said(one) == ["active", "active"]


def at_the_deployment(one: Harness) -> Any:
    """Bring the campaign to the moment at which its deployments are planned and none has begun."""
    one.orchestrator = replace(one.orchestrator, placement="chord")  # nothing of a stage begins with it
    one.orchestrator.run_hop("c1")
    for _ in range(200):
        row = one.reports.row("c1")
        if (row.agent, row.stage_name) == (AD_MANAGEMENT, "deploy"):
            one.broker.queue.clear()
            one.orchestrator = replace(one.orchestrator, placement="local")
            return row
        one.deliver(1)
    raise AssertionError(one.reports.status("c1"))


class AdToy(Toy):
    """Has an ad that can be stopped."""

    def update_state(self, state: MarketingAgentState, result: Any, now: Any) -> MarketingAgentState:
        creative = AdCreative(creative_id="a", platform="toy", status="active", remote_ids={"campaign": "1"})
        return state.evolve(ad_creatives=(creative,))

    def stop(self, state: MarketingAgentState, wanted: Wanted | None = None) -> Stage | None:
        given = {"platform": "toy", "wanted": wanted}
        unit = Unit(key=f"{wanted or 'stop'}:toy", kind="stop", provider="toy", input=given, effect_key="k")
        return Stage(name="wind_down", units=[unit])


def test_an_effect_that_begins_after_all_is_looked_for_again(bench: Callable[..., Harness]) -> None:
    stops: list[str] = []

    def body(unit: Unit, ctx: UnitContext) -> Mapping[str, Any]:
        if unit.kind == "stop":
            stops.append(unit.key)
            if len(stops) == 1:  # claimed by a statement that saw the campaign before it was paused
                one.database.run(
                    "UPDATE marketing.units SET status = 'succeeded', finished_at = clock_timestamp() "
                    "WHERE key = 'u0' AND step >= 0 AND effect_key IS NOT NULL"
                )
            return {"paused": True}
        return echo(unit, ctx)

    agents = toys(stages=(1,), body=body)
    one = bench(agents={**agents, AD_MANAGEMENT: AdToy(AD_MANAGEMENT, (2,), body)})
    one.submit()
    one.orchestrator = replace(one.orchestrator, serves=lambda agent: agent != AD_MANAGEMENT)
    one.orchestrator.run_hop("c1")
    verbs(one).pause("c1", actor="ann", ads=True)
    one.deliver()
    assert stops == ["off:toy", "off:toy"]
    assert reason(one) == "paused by ann, and its ads"


def test_a_platform_that_refuses_is_said_and_can_be_asked_again(bench: Callable[..., Harness]) -> None:
    refuses = [True]

    def body(unit: Unit, ctx: UnitContext) -> Mapping[str, Any]:
        if unit.kind != "stop":
            return echo(unit, ctx)
        if refuses[0]:
            raise BadRequestError("toy", "no")
        if unit.input["wanted"] == "off":
            ctx.intend("switching_off", "1")
        return {"paused": unit.input["wanted"] == "off", "enabled": unit.input["wanted"] == "on"}

    agents = toys(stages=(1,), body=body)
    one = bench(agents={**agents, AD_MANAGEMENT: AdToy(AD_MANAGEMENT, (1,), body)})
    one.submit(measure_after="2h")
    one.orchestrator.run_hop("c1")
    verbs(one).pause("c1", actor="ann", ads=True)
    one.deliver()
    refused = "paused by ann, but the ads on toy could not be paused: pause them there, or pause with --ads again"
    assert (status(one), reason(one), said(one)) == ("paused", refused, ["active"])
    refuses[0] = False
    verbs(one).pause("c1", actor="ann", ads=True)
    one.deliver()
    assert (reason(one), said(one)) == ("paused by ann, and its ads", ["paused"])
    refuses[0] = True
    verbs(one).resume("c1", actor="ann")
    one.deliver()
    # The campaign is not held up for ever by an ad that somebody has to see to.
    assert (status(one), said(one)) == ("waiting", ["paused"])
    (creative,) = one.reports.row("c1").state.ad_creatives
    assert creative.error == "could not be switched on: no"
    assert [e.data for e in one.reports.events("c1") if e.kind == "resumed"] == [{"not_switched_on": "toy"}]
