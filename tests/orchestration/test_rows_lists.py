"""Long lists are written once, and every earlier state can still be restored exactly, whoever replaced them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import pairwise
from typing import Any

import pytest
from orchestrator_harness import Harness
from toys import Toy, echo

from agents.names import AD_MANAGEMENT, CONTENT_CREATION, LEAD_GENERATION
from agents.ports import FixedClock
from agents.registry import agent_names
from agents.state import AdCreative, CampaignPerformance, ContentPiece, Lead, MarketingAgentState
from agents.unit import StageResult
from integrations.settings import Settings
from orchestration.control.verbs import Verbs
from orchestration.flow.lineage import line_of, restore

LONG = 80  #: elements of a list that is too long to be written twice


class Writer(Toy):
    """Changes long and short lists at every hop; content and ads anew in each round, the leads once more at the end."""

    def update_state(
        self, state: MarketingAgentState, result: Sequence[StageResult], now: datetime
    ) -> MarketingAgentState:
        mark, size = f"written at step {state.step}", LONG if state.step < 9 else 2
        if self.name == LEAD_GENERATION:
            leads = tuple(
                Lead(lead_id=f"{n}", name=f"{mark}, the person of number {n} in the list") for n in range(LONG)
            )
            return state.evolve(leads=leads, qualified_leads=leads[:3])
        if self.name == CONTENT_CREATION:
            pieces = tuple(
                ContentPiece(piece_id=f"p{n}", content_type="blog", topic=mark, title=mark, body=4 * mark)
                for n in range(size)
            )
            return state.evolve(generated_content=pieces)
        if self.name == AD_MANAGEMENT:
            ads = tuple(AdCreative(creative_id=f"a{n}", platform="toy", headlines=(mark, mark)) for n in range(size))
            return state.evolve(ad_creatives=ads)
        scored = state.evolve(campaign_performance=CampaignPerformance(overall_score=0.1))
        if state.step == 6:
            marked = tuple(lead.model_copy(update={"location": mark}) for lead in state.leads)
            return scored.evolve(leads=marked, qualified_leads=marked)
        return scored


def writers() -> dict[str, Any]:
    return {name: Writer(name, (1,), echo) for name in agent_names()}


@pytest.fixture
def make(database_url: str) -> Iterator[Callable[..., Harness]]:
    made: list[Harness] = []

    def one(worker: str) -> Harness:
        bench = Harness(database_url, writers(), worker=worker, placement="local")
        bench.orchestrator = replace(bench.orchestrator, serves=lambda agent: False)  # a run is a hop
        made.append(bench)
        return bench

    yield one
    for bench in made:
        bench.close()


def run(benches: Sequence[Harness], states: dict[int, MarketingAgentState]) -> None:
    """Run the campaign to its end, a hop each in turn; ``states``: as they are when a step begins."""
    for turn in range(100):
        row = benches[0].ledger.load("c1")
        assert row is not None
        if row.agent is None:
            return
        states[row.step] = row.state
        benches[turn % len(benches)].orchestrator.run_hop("c1")
    raise AssertionError("the campaign does not end")


def assert_restored(bench: Harness, states: dict[int, MarketingAgentState], steps: Sequence[int]) -> None:
    row = bench.ledger.load("c1")
    assert row is not None
    for step in steps:
        assert restore(bench.ledger.checkpoints("c1"), row.base_step, step).state == states[step], step


def verbs(bench: Harness) -> Verbs:
    return Verbs(ledger=bench.ledger, agents=bench.agents, wakeups=bench.broker, clock=FixedClock())


def test_every_step_can_be_restored(make: Callable[..., Harness]) -> None:
    bench = make("new")
    bench.submit()
    states: dict[int, MarketingAgentState] = {}
    run([bench], states)
    assert sorted(states) == list(range(13))
    assert_restored(bench, states, range(13))


def test_a_long_list_is_written_once(make: Callable[..., Harness]) -> None:
    bench = make("new")
    bench.submit()
    bench.orchestrator.run_hop("c1")
    row = "SELECT in_row, jsonb_array_length(leads) FROM marketing.campaigns"
    held = ", ".join(f"patch ? '{key}'" for key in ("leads", "row:leads", "qualified_leads"))
    stored = f"SELECT {held} FROM marketing.checkpoints WHERE step = %s"
    assert bench.database.rows(row) == [({"leads": 0}, LONG)]
    assert bench.database.rows(stored, 0) == [(False, True, True)]  # short ones stand in both
    states: dict[int, MarketingAgentState] = {}
    run([bench], states)
    # Replaced at step 6: the first one moved to where it belongs, and the newest is in the row only.
    assert bench.database.rows(stored, 0) == [(True, False, True)]
    assert bench.database.rows(stored, 6) == [(False, True, False)]
    assert bench.database.rows("SELECT in_row FROM marketing.campaigns") == [
        ({"leads": 6, "qualified_leads": 6},)  # those of content and ads were replaced by short ones at the end
    ]


def test_going_back_and_on_keeps_both_lines_of_work(make: Callable[..., Harness]) -> None:
    bench = make("new")
    bench.submit()
    states: dict[int, MarketingAgentState] = {}
    run([bench], states)
    first = dict(states)
    for from_step in (5, 2, 1):
        verbs(bench).retry("c1", actor="test", from_step=from_step)
        run([bench], states)
        row = bench.ledger.load("c1")
        assert row is not None
        checkpoints = bench.ledger.checkpoints("c1")
        line = line_of(checkpoints, row.base_step)
        # All but the step that the line was left for: it began anew, with a message of its own.
        assert_restored(bench, states, [now for before, now in pairwise(line) if now == before + 1])
    # The line that was left first is whole too: its newest lists stood in the row when it was left.
    checkpoints = bench.ledger.checkpoints("c1")
    for step in range(13):
        assert restore(checkpoints, 12, step).state == first[step], step


def test_a_fork_begins_with_the_lists_of_its_step(make: Callable[..., Harness]) -> None:
    bench = make("new")
    bench.submit()
    states: dict[int, MarketingAgentState] = {}
    run([bench], states)
    for step in (3, 7):
        child = verbs(bench).fork("c1", step, actor="test", settings=Settings.from_env({}))
        row = bench.ledger.load(child)
        assert row is not None
        for name in ("leads", "qualified_leads", "generated_content", "ad_creatives"):
            assert getattr(row.state, name) == getattr(states[step], name)


def test_a_deleted_campaign_takes_its_rows_along_and_no_others(make: Callable[..., Harness]) -> None:
    bench = make("new")
    for name in ("c1", "c2"):
        bench.submit(name)
    for _ in range(20):
        bench.orchestrator.run_hop("c1")
    bench.database.run(
        "INSERT INTO marketing.approvals (approval_id, campaign_id, step, kind, request) "
        "VALUES ('a', 'c1', 0, 'ads', '{}')"
    )
    bench.database.run("DELETE FROM marketing.campaigns WHERE campaign_id = 'c1'")
    for table in ("units", "checkpoints", "events", "approvals"):
        left = bench.database.rows(f"SELECT DISTINCT campaign_id FROM marketing.{table}")
        assert left == ([] if table == "approvals" else [("c2",)]), table


def test_a_transition_changes_no_indexed_column(make: Callable[..., Harness]) -> None:
    """Else each would write every index: an update is only HOT (heap-only tuple) when no indexed column changes."""
    bench = make("new")
    keys = bench.database.rows(
        "SELECT DISTINCT a.attname FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid "
        "AND a.attnum = ANY(i.indkey) WHERE i.indrelid = 'marketing.campaigns'::regclass"
    )
    assert {name for (name,) in keys} == {"campaign_id", "idempotency_key", "created_at"}
    conditions = bench.database.rows(
        "SELECT pg_get_expr(indpred, indrelid) FROM pg_index "
        "WHERE indrelid = 'marketing.campaigns'::regclass AND indpred IS NOT NULL"
    )
    assert {condition.strip("(").split(" ")[0] for (condition,) in conditions} == {"status"}
