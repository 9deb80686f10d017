"""Verbs over a real ledger: safe to repeat, safe against running units, and said plainly when refused."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from threading import Event
from typing import Any

import pytest
from ad_toys import Bench, crew, kinds, status, verbs
from orchestrator_harness import Harness
from toys import Toy, echo

from agents.ports import FixedClock, UnitContext
from agents.unit import Unit
from integrations.errors import BadRequestError
from integrations.settings import Mode, Settings
from orchestration.control.verbs import VerbRefusedError
from orchestration.execution.reconcile import reconcile
from orchestration.flow.lineage import NoSuchStepError
from orchestration.ledger.waiting import Deferrals


@pytest.fixture
def bench(database_url: str) -> Iterator[Callable[..., Harness]]:
    with closing(Bench(database_url)) as made:
        yield made


class NoMessages:
    def oldest(self, queue: str) -> None:
        return None


def test_pause_keeps_what_runs_and_resume_finishes(bench: Callable[..., Harness]) -> None:
    begun, go = Event(), Event()

    def body(unit: Unit, ctx: UnitContext) -> Mapping[str, Any]:
        begun.set()
        assert go.wait(10)
        return echo(unit, ctx)

    one = bench(agents=crew(body=body))
    one.submit()
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(one.orchestrator.run_hop, "c1")
        assert begun.wait(10)
        assert verbs(one).pause("c1", actor="ann") == "paused"
        assert verbs(one).pause("c1", actor="ann") == "paused"
        go.set()
        assert running.result(10) in ("joined by another", "nothing due", "waits for units")
    assert one.reports.units("c1") == {"succeeded": 2}
    assert status(one) == "paused"
    assert one.orchestrator.run_hop("c1") == "not at work"
    assert verbs(one).resume("c1", actor="ann") == "running"
    one.deliver()
    assert status(one) == "completed"
    events = one.reports.events("c1")
    assert [(e.kind, e.actor) for e in events if e.kind in ("paused", "resumed")] == [
        ("paused", "ann"),
        ("resumed", "ann"),
    ]
    with pytest.raises(VerbRefusedError, match="is completed and has ended"):
        verbs(one).pause("c1", actor="ann")


def test_units_that_wait_for_a_slot_are_given_back_when_their_campaign_stops(
    bench: Callable[..., Harness],
) -> None:
    one = bench(agents=crew(stages=(6,)))

    def stopped(campaign_id: str) -> bool:
        verbs(one).pause(campaign_id, actor="ann")
        return True

    one.orchestrator = replace(one.orchestrator, stopped=stopped)
    one.submit()
    assert one.orchestrator.run_hop("c1") == "waits for units"
    assert one.reports.units("c1") == {"pending": 6}
    assert one.database.rows("SELECT max(claims) FROM marketing.units") == [(0,)]


def test_cancel_pauses_the_ads_and_then_ends(bench: Callable[..., Harness]) -> None:
    ran: list[str] = []

    def body(unit: Unit, ctx: UnitContext) -> Mapping[str, Any]:
        ran.append(unit.kind)
        return echo(unit, ctx)

    one = bench(agents=crew(body=body))
    one.submit()
    one.orchestrator.run_hop("c1")
    assert verbs(one).cancel("c1", actor="ann", reason="wrong market") == "cancelling"
    assert verbs(one).cancel("c1", actor="ann") == "cancelling"
    one.deliver()
    shown = one.reports.show("c1")
    assert shown["status"] == "cancelled"
    assert ran[-1] == "stop"
    assert [c["status"] for c in shown["state"]["ad_creatives"]] == ["paused"]
    assert verbs(one).cancel("c1", actor="ann") == "cancelled"


def test_cancel_waits_for_running_units_and_skips_the_rest(bench: Callable[..., Harness]) -> None:
    one = bench(agents=crew(stages=(3,)))
    one.submit()
    claimed = one.ledger.take("c1", 0, 0, 1)
    verbs(one).cancel("c1", actor="ann")
    assert one.orchestrator.run_hop("c1") == "not at work"  # a unit still runs
    assert one.ledger.take("c1", 0, 0, 5) == []
    one.orchestrator.ledger.finish(
        one.ledger.load("c1").position,  # type: ignore[union-attr]  # it is there
        [_result(claimed[0].unit)],
    )
    assert one.orchestrator.run_hop("c1") == "cancelled"
    assert one.reports.units("c1") == {"skipped": 2, "succeeded": 2}


def _result(unit: Unit) -> Any:
    from agents.unit import UnitResult, UnitStatus

    return UnitResult(unit=unit, status=UnitStatus.SUCCEEDED, output={"value": 0})


def test_a_platform_that_can_not_be_stopped_is_said_and_tried_again(bench: Callable[..., Harness]) -> None:
    broken = [True]

    def body(unit: Unit, ctx: UnitContext) -> Mapping[str, Any]:
        if unit.kind == "stop" and broken[0]:
            raise BadRequestError("toy", "no")
        return echo(unit, ctx)

    one = bench(agents=crew(body=body))
    one.submit()
    one.orchestrator.run_hop("c1")
    verbs(one).cancel("c1", actor="ann")
    one.deliver()
    assert one.reports.status("c1") == (
        "failed",
        "cancelled, but the ads on toy could not be paused: pause them there, or cancel again",
    )
    broken[0] = False
    verbs(one).cancel("c1", actor="ann")
    one.deliver()
    assert status(one) == "cancelled"


def test_retry_repeats_only_what_failed(bench: Callable[..., Harness]) -> None:
    ran: list[str] = []
    broken = [True]

    def body(unit: Unit, ctx: UnitContext) -> Mapping[str, Any]:
        ran.append(unit.key)
        if broken[0]:
            raise BadRequestError("toy", "no")
        return echo(unit, ctx)

    agents = crew()
    agents["content_creation"] = Toy("content_creation", (2,), body)
    one = bench(agents=agents)
    one.submit()
    assert one.orchestrator.run_hop("c1") == "failed"
    broken[0] = False
    assert verbs(one).retry("c1", actor="ann") == "running"
    one.deliver()
    assert status(one) == "completed"
    assert sorted(ran) == ["u0", "u0", "u1", "u1"]
    assert one.reports.units("c1") == {"succeeded": 7}
    with pytest.raises(VerbRefusedError, match="only a failed one is retried"):
        verbs(one).retry("c1", actor="ann")


def test_a_campaign_goes_back_to_a_step_and_forward_again(bench: Callable[..., Harness]) -> None:
    one = bench()
    one.submit()
    one.orchestrator.run_hop("c1")
    before = one.reports.row("c1")
    assert before.step == 3
    assert verbs(one).retry("c1", actor="ann", from_step=1) == "running"
    row = one.reports.row("c1")
    assert (row.step, row.agent, row.epoch) == (4, "content_creation", before.epoch + 1)
    assert row.state.leads == before.state.leads
    assert row.state.ad_creatives == ()
    one.deliver()
    assert (status(one), one.reports.row("c1").step) == ("completed", 6)
    # The line of work is now 0, 4, 5, 6: steps 1 to 3 are history.
    with pytest.raises(NoSuchStepError, match=r"there are 0 \(lead_generation\), 4 \(content_creation\)"):
        verbs(one).retry("c1", actor="ann", from_step=2)
    assert verbs(one).retry("c1", actor="ann", from_step=5) == "running"
    one.deliver()
    assert one.reports.row("c1").step == 8
    assert one.reports.units("c1") == {"succeeded": 2 + 2 + 1 + 2 + 2 + 1 + 2 + 1 + 2}


def test_results_of_an_abandoned_line_are_fenced(bench: Callable[..., Harness]) -> None:
    one = bench()
    one.submit()
    (claimed, *_) = one.ledger.take("c1", 0, 0, 1)
    at = one.ledger.load("c1").position  # type: ignore[union-attr]  # it is there
    verbs(one).pause("c1", actor="ann")
    verbs(one).retry("c1", actor="ann", from_step=0)
    assert one.ledger.finish(at, [_result(claimed.unit)]) == -1
    one.deliver()
    assert status(one) == "completed"


def test_a_fork_has_the_parents_leads_and_none_of_its_ads(bench: Callable[..., Harness]) -> None:
    one = bench()
    one.submit()
    one.orchestrator.run_hop("c1")
    parent = one.reports.row("c1")
    sandbox = Settings.from_env({})
    child = verbs(one).fork("c1", 1, actor="ann", settings=sandbox, changes={"name": "Second try"}, new_id="c2")
    row = one.reports.row(child)
    assert (row.status, row.agent, row.step, row.name) == ("running", "content_creation", 0, "Second try")
    assert row.state.leads == parent.state.leads
    assert row.state.campaign_config.approval.gate == "ads"
    one.deliver()
    assert status(one, "c2") == "awaiting_approval"  # its own ads need an approval of their own
    verbs(one).approve("c2", actor="ann")
    one.deliver()
    assert status(one, "c2") == "completed"
    keys = one.database.rows("SELECT DISTINCT effect_key FROM marketing.units WHERE effect_key IS NOT NULL")
    assert len(keys) == 2
    after = one.reports.row("c1")
    assert (after.state, after.status) == (parent.state, parent.status)
    assert kinds(one)[-1] == "was_forked"


def test_the_duty_of_optimisations_ends_no_other_wait_and_none_of_another_world(bench: Callable[..., Harness]) -> None:
    one = bench()
    one.submit("c1", measure_after="48h")
    one.submit("c2", optimize_every="1d")
    one.orchestrator.run_hop("c1")
    one.orchestrator.run_hop("c2")
    assert (status(one, "c1"), status(one, "c2")) == ("waiting", "waiting")
    one.database.run("UPDATE marketing.campaigns SET due_at = now() - interval '1 second'")
    assert Deferrals(one.database).end_optimization_waits(Mode.LIVE) == 0
    assert Deferrals(one.database).end_optimization_waits(Mode.SANDBOX) == 1
    assert (status(one, "c1"), status(one, "c2")) == ("waiting", "running")


def test_figures_gather_before_they_are_measured(bench: Callable[..., Harness]) -> None:
    one = bench()
    one.submit(measure_after="48h")
    assert one.orchestrator.run_hop("c1") == "waiting"
    (due,) = one.database.rows("SELECT due_at FROM marketing.campaigns")[0]
    assert timedelta(hours=47) < due - datetime.now(UTC) < timedelta(hours=49)
    assert reconcile(one.ledger, one.broker, NoMessages(), any_agent="ad_management") == 0
    one.database.run("UPDATE marketing.campaigns SET due_at = now() - interval '1 second'")
    assert reconcile(one.ledger, one.broker, NoMessages(), any_agent="ad_management") == 1
    one.deliver()
    assert status(one) == "completed"


def test_a_schedule_measures_again_until_it_ends(bench: Callable[..., Harness]) -> None:
    one = bench(agents=crew(scores=(0.1, 0.2, 0.3, 0.4)))
    clock = FixedClock(datetime.now(UTC))
    one.orchestrator = replace(one.orchestrator, resources=replace(one.orchestrator.resources, clock=clock))
    one.submit(optimize_every="1d", schedule={"days": 3})
    cycles = 0
    one.orchestrator.run_hop("c1")
    while status(one) == "waiting":
        cycles += 1
        row = one.reports.row("c1")
        assert (row.agent, row.state.optimization_attempts) == ("analytics", 0)  # a fresh budget of rounds
        (listed,) = one.reports.schedules()
        assert listed["campaign_id"] == "c1"
        clock.at += timedelta(days=1)
        one.database.run("UPDATE marketing.campaigns SET due_at = now() - interval '10 days'")  # missed ticks
        assert reconcile(one.ledger, one.broker, NoMessages(), any_agent="ad_management") == 0
        assert status(one) == "waiting", "reconcile leaves optimisations to their own duty"
        assert [Deferrals(one.database).end_optimization_waits(Mode.SANDBOX) for _ in range(2)] == [1, 0]
        assert reconcile(one.ledger, one.broker, NoMessages(), any_agent="ad_management") == 1
        assert reconcile(one.ledger, one.broker, NoMessages(), any_agent="ad_management") == 0
        one.deliver()
    assert status(one) == "completed"
    assert cycles == 3
    assert one.reports.schedules() == []


def test_unknown_campaigns_are_said(bench: Callable[..., Harness]) -> None:
    from orchestration import CampaignNotFoundError

    for verb in (verbs(bench()).pause, verbs(bench()).resume, verbs(bench()).cancel, verbs(bench()).approve):
        with pytest.raises(CampaignNotFoundError):
            verb("nope", actor="ann")
