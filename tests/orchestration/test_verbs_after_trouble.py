"""Verbs where something went wrong first: a defect, an outcome that nobody knows, a pause in between."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from orchestrator_harness import Harness
from toys import Toy, echo, toys

from agents.effects import ENDED, INTENT, REMOTE, EffectSteps, unsettled
from agents.names import AD_MANAGEMENT, CONTENT_CREATION
from agents.ports import UnitContext
from agents.state import MarketingAgentState
from agents.stopping import Wanted
from agents.unit import Stage, Unit
from integrations.errors import OutcomeUnknownError
from orchestration import CampaignNotFoundError
from orchestration.control.resolve import NoSuchUnitError, open_units, resolve
from orchestration.control.verbs import VerbRefusedError, Verbs


class Platform:
    """Every creation is lost on the way back, until ``found`` or ``reachable`` is set; no probe ever finds it."""

    def __init__(self, *objects: str) -> None:
        self.objects = objects or ("campaign",)
        self.reachable = False
        self.created: list[str] = []

    def body(self, unit: Unit, ctx: UnitContext) -> Mapping[str, Any]:
        if not unit.effect:
            return echo(unit, ctx)
        steps = EffectSteps(ctx, "toy")
        ids = {}
        for name in self.objects:
            known = steps.get(name)
            if known is None:
                steps.intend(name)
                known = steps.wire(lambda timeout, name=name: self._create(name))  # type: ignore[misc]  # mypy can't infer a lambda with a default
                steps.put(name, known)
            ids[name] = known
        return {"value": 1, "ids": ids}

    def _create(self, name: str) -> str:
        self.created.append(name)
        if not self.reachable:
            raise OutcomeUnknownError("toy", "no answer")
        return f"new-{name}"


@pytest.fixture
def platform() -> Platform:
    return Platform()


@pytest.fixture
def bench(database_url: str, platform: Platform) -> Iterator[Harness]:
    """A campaign ``c1`` whose one effect can't be settled by looking."""
    made = toys(stages=(1,), body=platform.body)
    one = Harness(database_url, made)
    one.submit()
    # Live rules would wait between the looks; here each look may follow the one before.
    resources = one.orchestrator.resources
    settings = resources.settings.model_copy(update={"probe_delay_s": 0.0, "http_timeout_s": 0.0})
    one.orchestrator = replace(one.orchestrator, resources=replace(resources, settings=settings))
    yield one
    one.close()


def verbs(one: Harness) -> Verbs:
    return Verbs(ledger=one.ledger, agents=one.agents, wakeups=one.broker, clock=one.orchestrator.resources.clock)


def run_until_it_waits(one: Harness) -> None:
    """Attempt after attempt, without the waits between them."""
    for _ in range(30):
        one.database.run("UPDATE marketing.units SET due_at = NULL WHERE status IN ('pending', 'unknown')")
        one.orchestrator.run_hop("c1")
        if one.reports.status("c1")[0] == "waiting":
            return
    raise AssertionError(one.reports.status("c1"))


def output(one: Harness) -> Any:
    return one.database.rows("SELECT result FROM marketing.units WHERE effect_key IS NOT NULL")[0][0]


def test_what_was_found_is_adopted_and_the_campaign_goes_on(bench: Harness, platform: Platform) -> None:
    run_until_it_waits(bench)
    assert platform.created == ["campaign"] * 3
    (unit,) = open_units(bench.database, "c1")
    assert (unit.key, unit.steps) == ("u0", ("campaign",))
    assert resolve(verbs(bench), "c1", "u0", found="77", actor="ann") == "running"
    bench.deliver()
    assert bench.reports.status("c1") == ("completed", None)
    assert output(bench)["ids"] == {"campaign": "77"}
    assert platform.created == ["campaign"] * 3
    events = [(e.kind, e.actor, e.data.get("found")) for e in bench.reports.events("c1")]
    assert ("resolved", "ann", "77") in events
    assert open_units(bench.database, "c1") == []


def test_what_is_absent_is_made_once_more(bench: Harness, platform: Platform) -> None:
    run_until_it_waits(bench)
    platform.reachable = True
    assert resolve(verbs(bench), "c1", "u0", actor="ann") == "running"
    bench.deliver()
    assert bench.reports.status("c1")[0] == "completed"
    assert output(bench)["ids"] == {"campaign": "new-campaign"}
    assert platform.created == ["campaign"] * 4


def test_absent_said_too_early_asks_again(bench: Harness, platform: Platform) -> None:
    run_until_it_waits(bench)
    resolve(verbs(bench), "c1", "u0", actor="ann")
    run_until_it_waits(bench)
    assert platform.created == ["campaign"] * 4  # no more than what was allowed


def test_an_answer_is_safe_to_repeat_and_refused_when_nothing_is_asked(bench: Harness) -> None:
    with pytest.raises(CampaignNotFoundError):
        resolve(verbs(bench), "nope", "u0", actor="ann")
    with pytest.raises(NoSuchUnitError, match="no unit 'u0' is at work; nothing is in question"):
        resolve(verbs(bench), "c1", "u0", actor="ann")
    run_until_it_waits(bench)
    with pytest.raises(NoSuchUnitError, match=r"in question: u0 \(campaign\)"):
        resolve(verbs(bench), "c1", "u9", actor="ann")
    with pytest.raises(VerbRefusedError, match=r"ad\.1 of u0 is not in question"):
        resolve(verbs(bench), "c1", "u0", step="ad.1", actor="ann")
    for _ in range(2):
        assert resolve(verbs(bench), "c1", "u0", found="77", actor="ann") == "running"
    with pytest.raises(VerbRefusedError, match="not in question"):
        resolve(verbs(bench), "c1", "u0", found="78", actor="ann")
    assert [e.kind for e in bench.reports.events("c1")].count("resolved") == 1


def test_several_objects_are_settled_one_by_one(bench: Harness) -> None:
    run_until_it_waits(bench)
    journal = {
        INTENT + "campaign": {"token": "t1"}, REMOTE + "campaign": "1",
        INTENT + "ad.1": {"token": "t2"}, ENDED + "t2": "unknown",
        INTENT + "ad.2": {"token": "t3"},
    }  # fmt: skip
    bench.database.run("UPDATE marketing.units SET journal = %s WHERE status = 'unknown'", json.dumps(journal))
    with pytest.raises(VerbRefusedError, match=r"say which: ad\.1, ad\.2"):
        resolve(verbs(bench), "c1", "u0", found="77", actor="ann")
    assert resolve(verbs(bench), "c1", "u0", found="77", step="ad.1", actor="ann") == "waiting"
    assert open_units(bench.database, "c1")[0].steps == ("ad.2",)
    assert resolve(verbs(bench), "c1", "u0", step="ad.2", actor="ann") == "running"
    (stored,) = bench.database.rows("SELECT journal FROM marketing.units WHERE key = 'u0' AND status = 'unknown'")[0]
    assert unsettled(stored) == []
    assert (stored[REMOTE + "ad.1"], stored[ENDED + "t3"]) == ("77", "refused")


def test_an_answer_never_meets_an_attempt_at_work(bench: Harness) -> None:
    run_until_it_waits(bench)
    bench.database.run("UPDATE marketing.units SET status = 'running' WHERE status = 'unknown'")
    with pytest.raises(VerbRefusedError, match=r"u0 \(running\) is not in question"):
        resolve(verbs(bench), "c1", "u0", found="77", actor="ann")


def test_a_pause_keeps_what_a_campaign_waits_for(bench: Harness) -> None:
    run_until_it_waits(bench)
    waits = bench.reports.status("c1")
    assert verbs(bench).pause("c1", actor="ann") == "paused"
    assert bench.reports.status("c1") == ("paused", "paused by ann")
    verbs(bench).pause("c1", actor="bob")
    assert verbs(bench).resume("c1", actor="ann") == "waiting"
    assert bench.reports.status("c1") == waits
    assert verbs(bench).resume("c1", actor="ann") == "running"


def test_a_resumed_effect_is_tried_at_once(bench: Harness) -> None:
    run_until_it_waits(bench)
    due = "SELECT count(*) FROM marketing.units WHERE due_at > now()"
    assert bench.database.rows(due) == [(1,)]
    verbs(bench).resume("c1", actor="ann")
    assert bench.database.rows(due) == [(0,)]


class Defective(Toy):
    """Its own code raises until it is mended."""

    mended = False

    def update_state(self, state: MarketingAgentState, result: Any, now: datetime) -> MarketingAgentState:
        if not self.mended:
            raise ZeroDivisionError
        return super().update_state(state, result, now)


def test_a_campaign_that_a_defect_ended_goes_on_with_mended_code(database_url: str) -> None:
    agents = toys(stages=(2, 1))
    agents[CONTENT_CREATION] = defective = Defective(CONTENT_CREATION, (2, 1), echo)
    one = Harness(database_url, agents)
    one.submit()
    assert one.orchestrator.run_hop("c1") == "failed"
    assert verbs(one).retry("c1", actor="ann") == "running"
    one.deliver()
    assert one.reports.status("c1")[0] == "failed"  # it is not mended yet
    defective.mended = True
    verbs(one).retry("c1", actor="ann")
    one.deliver()
    assert one.reports.status("c1")[0] == "completed"
    assert one.database.rows("SELECT max(claims), count(*) FROM marketing.units") == [(1, 12)]
    # The line of work is whole: it can be gone back to.
    assert verbs(one).retry("c1", actor="ann", from_step=1) == "running"
    one.close()


def test_a_failed_cancel_is_no_failure_to_retry(database_url: str) -> None:
    one = Harness(database_url, toys(stages=(1,)))
    one.submit()
    one.database.run("UPDATE marketing.campaigns SET status = 'failed', agent = NULL")
    with pytest.raises(VerbRefusedError, match="cancel it again"):
        verbs(one).retry("c1", actor="ann")
    assert one.reports.status("c1")[0] == "failed"
    one.close()


def test_the_report_tells_a_wait_and_a_question(database_url: str) -> None:
    one = Harness(database_url, toys(stages=(1,)))
    one.submit()
    shown = one.reports.show("c1")
    assert (shown["due_at"], shown["approval"]) == (None, None)
    one.database.run("UPDATE marketing.campaigns SET status = 'waiting', due_at = '2027-01-01T00:00:00Z'")
    assert one.reports.due_at("c1") == datetime(2027, 1, 1, tzinfo=UTC)
    assert one.reports.show("c1")["due_at"] == "2027-01-01T00:00:00+00:00"
    one.close()


@pytest.mark.timeout(20)
def test_the_ads_of_a_cancelled_campaign_are_paused_though_its_other_work_is_stopped(database_url: str) -> None:
    one = Harness(database_url, {**toys(stages=(2,)), AD_MANAGEMENT: Stoppable(AD_MANAGEMENT, (2,), echo)})
    one.submit()
    one.orchestrator = replace(one.orchestrator, stopped=lambda campaign_id: True)
    verbs(one).cancel("c1", actor="ann", reason="wrong market")
    one.deliver()
    assert one.reports.status("c1") == ("cancelled", "cancelled by ann: wrong market")
    assert one.reports.units("c1") == {"skipped": 2, "succeeded": 2}
    one.close()


class Stoppable(Toy):
    """Has something to pause on two platforms."""

    def stop(self, state: MarketingAgentState, wanted: Wanted | None = None) -> Stage | None:
        units = [
            Unit(key=f"stop:{name}", kind="stop", provider=name, input={"platform": name, "value": 0})
            for name in ("a", "b")
        ]
        return Stage(name="wind_down", units=units)


@pytest.mark.timeout(20)
def test_a_stop_that_is_over_before_it_was_heard_of_is_no_busy_loop(database_url: str) -> None:
    one = Harness(database_url, toys(stages=(3,)))
    one.submit()
    heard: list[str] = []

    def stopped(campaign_id: str) -> bool:
        heard.append(campaign_id)
        return True

    at_work = one.orchestrator
    one.orchestrator = replace(at_work, stopped=stopped)
    assert one.orchestrator.run_hop("c1") == "waits for units"
    assert len(heard) == 4  # each unit, and then the campaign itself
    one.orchestrator = at_work  # the wake-up comes a moment later
    one.deliver()
    assert one.reports.status("c1")[0] == "completed"
    one.close()
