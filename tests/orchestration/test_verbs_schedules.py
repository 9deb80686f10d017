"""Schedules: which campaigns have one, when each runs next, and that a cycle is like any other."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from orchestrator_harness import Harness
from toys import Toy, echo, toys

from agents.names import AD_MANAGEMENT
from agents.state import AdCreative, MarketingAgentState
from orchestration.control.verbs import VerbRefusedError, Verbs


class Advertiser(Toy):
    """Has an ad that runs."""

    def update_state(self, state: MarketingAgentState, result: Any, now: datetime) -> MarketingAgentState:
        creative = AdCreative(creative_id="a", platform="toy", status="active", remote_ids={"campaign": "1"})
        return state.evolve(ad_creatives=(creative,))


@pytest.fixture
def bench(database_url: str) -> Iterator[Harness]:
    one = Harness(database_url, {**toys(stages=(1,)), AD_MANAGEMENT: Advertiser(AD_MANAGEMENT, (1,), echo)})
    yield one
    one.close()


def verbs(one: Harness) -> Verbs:
    return Verbs(ledger=one.ledger, agents=one.agents, wakeups=one.broker, clock=one.orchestrator.resources.clock)


def begun(one: Harness, campaign_id: str, **config: Any) -> None:
    one.submit(campaign_id, name=campaign_id.title(), **config)
    one.orchestrator.run_hop(campaign_id)
    one.deliver()


def view(one: Harness) -> dict[str, tuple[Any, ...]]:
    """What people who ask the database see."""
    rows = one.database.rows(
        "SELECT campaign_id, name, status, optimize_every, next_run_at, ends_at FROM marketing.schedules"
    )
    return {row[0]: row[1:] for row in rows}


def test_a_cycle_can_be_had_now(bench: Harness) -> None:
    begun(bench, "c1", optimize_every="36h", schedule={"days": 10})
    begun(bench, "plain")
    row = bench.reports.row("c1")
    assert row.status == "waiting"
    assert verbs(bench).end_wait("c1", actor="ann") == "running"
    assert verbs(bench).end_wait("c1", actor="ann") == "running"
    assert bench.reports.row("c1").reason is None
    ended = bench.database.rows("SELECT actor, data FROM marketing.events WHERE kind = 'wait_ended'")
    assert ended == [("ann", {"instead_of": row.reason})]
    bench.deliver()
    again = bench.reports.row("c1")
    assert again.status == "waiting"
    assert again.step > row.step
    with pytest.raises(VerbRefusedError, match="only one that waits for a time of its own"):
        verbs(bench).end_wait("plain", actor="ann")


def test_a_schedule_is_listed_from_its_beginning_to_its_end(bench: Harness) -> None:
    begun(bench, "plain")
    bench.submit("c1", name="C1", optimize_every="36h", schedule={"days": 10})
    created = bench.reports.row("c1").state.created_at
    ends = created + timedelta(days=10)
    assert view(bench) == {"c1": ("C1", "running", "P1DT12H", None, ends)}
    bench.orchestrator.run_hop("c1")
    bench.deliver()
    (row,) = bench.reports.schedules()
    assert (row["campaign_id"], row["status"], row["ends_at"]) == ("c1", "waiting", ends)
    due = row["next_run_at"]
    assert timedelta(hours=35) < due - datetime.now(UTC) < timedelta(hours=37)
    verbs(bench).pause("c1", actor="ann")
    assert view(bench)["c1"] == ("C1", "paused", "P1DT12H", due, ends)
    verbs(bench).resume("c1", actor="ann")
    assert view(bench)["c1"] == ("C1", "waiting", "P1DT12H", due, ends)
    # Nobody was at work at its end: it still has its last run to make.
    bench.database.run("UPDATE marketing.campaigns SET created_at = created_at - interval '11 days'")
    assert view(bench)["c1"][1] == "waiting"
    bench.database.run("UPDATE marketing.campaigns SET status = 'running', hold = NULL, due_at = NULL")
    assert view(bench) == {}


def test_a_pause_between_two_runs_is_no_run_to_come(bench: Harness) -> None:
    bench.submit("c1", optimize_every="1d")
    verbs(bench).pause("c1", actor="ann")
    (row,) = bench.reports.schedules()
    assert (row["status"], row["next_run_at"]) == ("paused", None)


def test_a_wait_for_figures_is_no_wait_for_the_next_run(bench: Harness) -> None:
    begun(bench, "c1", optimize_every="1d", measure_after="2h")
    assert bench.reports.due_at("c1") is not None
    (row,) = bench.reports.schedules()
    assert (row["status"], row["next_run_at"]) == ("running", None)
    verbs(bench).pause("c1", actor="ann")
    (row,) = bench.reports.schedules()
    assert (row["status"], row["next_run_at"]) == ("paused", None)


@pytest.mark.parametrize("ended", ["completed", "failed", "cancelling", "cancelled"])
def test_what_has_ended_has_no_schedule(bench: Harness, ended: str) -> None:
    begun(bench, "c1", optimize_every="1d")
    assert list(view(bench)) == ["c1"]
    bench.database.run("UPDATE marketing.campaigns SET status = %s", ended)
    assert bench.reports.schedules() == []


def test_the_next_to_run_comes_first_and_those_at_work_last(bench: Harness) -> None:
    bench.submit("busy", optimize_every="1d")
    for campaign_id, hours in (("late", 40), ("soon", 20)):
        begun(bench, campaign_id, optimize_every=f"{hours}h")
    assert [row["campaign_id"] for row in bench.reports.schedules()] == ["soon", "late", "busy"]
