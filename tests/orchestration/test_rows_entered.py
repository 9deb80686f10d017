"""What a worker finds and claims in the one trip with which it enters a campaign."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from orchestrator_harness import Harness
from toys import toys

from agents.unit import UnitResult, UnitStatus
from agents.versions import UnknownVersionError
from orchestration.ledger.ledger import ADVANCED
from orchestration.ledger.rows import Entered


@pytest.fixture
def bench(database_url: str) -> Iterator[Harness]:
    one = Harness(database_url, toys(stages=(5, 2)))
    yield one
    one.close()


def enter(bench: Harness, agent: str | None = "lead_generation", *, limit: int = 16, most: int = 16) -> Entered:
    found = bench.ledger.enter("c1", agent, limit=limit, most=most)
    assert found is not None
    return found


def keys(found: Entered) -> list[str]:
    return [unit.unit.key for unit in found.claimed]


def test_units_are_claimed_in_the_order_of_the_plan_up_to_the_limit(bench: Harness) -> None:
    bench.submit()
    first = enter(bench, limit=3)
    assert first.row == bench.ledger.load("c1")
    assert (first.row.status, first.left_due, keys(first)) == ("running", 0, ["u0", "u1", "u2"])
    assert [unit.claims for unit in first.claimed] == [1, 1, 1]
    assert keys(enter(bench)) == ["u3", "u4"]
    assert keys(enter(bench)) == []
    assert bench.reports.units("c1") == {"running": 5}
    started = [event.kind for event in bench.reports.events("c1")]
    assert started == ["submitted", "started"]


def test_a_stage_that_will_be_spread_is_left_alone(bench: Harness) -> None:
    bench.submit()
    found = enter(bench, most=4)
    assert (found.left_due, keys(found)) == (5, [])
    bench.ledger.take("c1", 0, 0, 2)
    assert keys(enter(bench, most=4)) == ["u2", "u3", "u4"]  # fewer are due than are left of the stage


def test_units_that_wait_for_their_moment_are_neither_counted_nor_claimed(bench: Harness) -> None:
    bench.submit()
    bench.database.run("UPDATE marketing.units SET due_at = now() + interval '1 hour' WHERE ordinal > 0")
    found = enter(bench, most=1)
    assert (found.left_due, keys(found)) == (0, ["u0"])


@pytest.mark.parametrize(
    "status", ["waiting", "awaiting_approval", "paused", "cancelling", "completed", "failed", "cancelled"]
)
def test_nothing_is_claimed_of_what_is_not_at_work(bench: Harness, status: str) -> None:
    bench.submit()
    bench.database.run("UPDATE marketing.campaigns SET status = %s", status)
    found = enter(bench)
    assert (found.row.status, keys(found)) == (status, [])
    assert bench.reports.units("c1") == {"pending": 5}


def test_nothing_is_claimed_when_it_is_another_agents_turn(bench: Harness) -> None:
    bench.submit()
    found = enter(bench, "analytics")
    assert (found.row.status, found.row.agent, keys(found)) == ("queued", "lead_generation", [])
    enter(bench, limit=1)
    assert keys(enter(bench, "analytics")) == []  # nor later, while it runs
    assert len(keys(enter(bench, None))) == 4


def test_there_is_no_such_campaign(bench: Harness) -> None:
    assert bench.ledger.enter("c1", None, limit=1, most=1) is None


def test_results_of_the_hops_earlier_stages_come_along(bench: Harness) -> None:
    bench.submit()
    first = enter(bench)
    results = [
        UnitResult(unit=unit.unit, status=UnitStatus.SUCCEEDED, output=dict(unit.unit.input)) for unit in first.claimed
    ]
    for result in reversed(results[1:]):
        bench.ledger.finish(first.row.position, [result])
    assert bench.ledger.finish(first.row.position, results[:1]) == 0
    assert bench.orchestrator.advance("c1", 0, 0)
    second = enter(bench)
    assert (second.row.stage, keys(second)) == (1, ["u0", "u1"])
    assert [(stage.name, stage.outputs()) for stage in second.done] == [("s0", [{"value": n} for n in range(5)])]
    assert second.done == bench.ledger.results("c1", 0)[:1]


def test_a_state_that_cannot_be_read_leaves_nothing_claimed(bench: Harness) -> None:
    bench.submit()
    for key, value, status in (("flow_version", 99, "queued"), ("schema_version", 99, "queued")):
        bench.database.run("UPDATE marketing.campaigns SET state = state || jsonb_build_object(%s, %s)", key, value)
        with pytest.raises(UnknownVersionError):
            enter(bench)
        assert bench.reports.status("c1")[0] == status
        bench.database.run("UPDATE marketing.campaigns SET state = state || jsonb_build_object(%s, 1)", key)
    # One that is too old for this program's upcasters.
    bench.database.run("""UPDATE marketing.campaigns SET state = state || '{"schema_version": 0}'""")
    with pytest.raises(UnknownVersionError):
        enter(bench)
    assert bench.database.rows("SELECT status, claims FROM marketing.units") == [("pending", 0)] * 5
    # A state from before the versions were written is of the first one.
    bench.database.run("UPDATE marketing.campaigns SET state = state - 'schema_version' - 'flow_version'")
    assert len(keys(enter(bench))) == 5


def test_of_many_that_enter_each_unit_has_one_winner(bench: Harness) -> None:
    bench.submit()
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: enter(bench, limit=2), range(8)))
    claimed = sorted(key for one in found for key in keys(one))
    assert claimed == ["u0", "u1", "u2", "u3", "u4"]


def test_a_transition_needs_the_checkpoint_that_it_was_made_from(bench: Harness) -> None:
    """The line of work is part of the compare-and-set: a row that went back meanwhile is not advanced."""
    bench.submit()
    assert bench.orchestrator.run_hop("c1") == "completed"
    assert bench.database.rows("SELECT base_step FROM marketing.campaigns") == [(3,)]
    rows = bench.database.rows("SELECT step, parent FROM marketing.checkpoints ORDER BY step")
    assert rows == [(-1, None), (0, -1), (1, 0), (2, 1), (3, 2)]
    bench.submit("c2")
    found = bench.ledger.enter("c2", None, limit=16, most=16)
    assert found is not None
    for unit in found.claimed:
        done = UnitResult(unit=unit.unit, status=UnitStatus.SUCCEEDED, output=dict(unit.unit.input))
        bench.ledger.finish(found.row.position, [done])
    bench.database.run("UPDATE marketing.campaigns SET base_step = 7 WHERE campaign_id = 'c2'")
    row = found.row
    move = bench.orchestrator._decide(row, bench.ledger.results("c2", 0))
    assert bench.ledger.finish(row.position, [], move) == 0
    bench.database.run("UPDATE marketing.campaigns SET base_step = -1 WHERE campaign_id = 'c2'")
    assert bench.ledger.finish(row.position, [], move) == ADVANCED
