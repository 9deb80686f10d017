"""Who is declared dead, and what becomes of a worker that was and answers after all."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from orchestrator_harness import Harness
from toys import toys

PAST = "clock_timestamp() - interval '60 seconds'"


@pytest.fixture
def bench(database_url: str) -> Iterator[Callable[..., Harness]]:
    made: list[Harness] = []

    def make(worker: str) -> Harness:
        made.append(Harness(database_url, toys(), worker=worker))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture
def taken(bench: Callable[..., Harness], monkeypatch: pytest.MonkeyPatch) -> tuple[Harness, Harness]:
    """A worker that took two units a minute ago and a judge, both silent since, on a Postgres that is up for long."""
    monkeypatch.setattr("orchestration.ledger.ledger.LEASE_S", 0.5)
    worker, judge = bench("worker-a"), bench("judge")
    worker.submit()
    assert len(worker.ledger.take("c1", 0, 0, 2)) == 2
    worker.ledger.beat()
    judge.ledger.beat()
    judge.database.run(f"UPDATE marketing.workers SET beat_at = {PAST}, fresh_since = {PAST}")
    judge.database.run(f"UPDATE marketing.units SET started_at = {PAST} WHERE started_at IS NOT NULL")
    return worker, judge


def crashes(one: Harness) -> list[tuple[str, int]]:
    return one.database.rows("SELECT status, crashes FROM marketing.units ORDER BY key")


def judge_again(judge: Harness) -> None:
    """Let the judge have beaten without a gap for long."""
    judge.ledger.beat()
    judge.database.run(f"UPDATE marketing.workers SET fresh_since = {PAST} WHERE worker = 'judge'")
    judge.ledger.reconcile()


def test_a_judge_that_was_away_itself_declares_nobody_dead(taken: tuple[Harness, Harness]) -> None:
    _, judge = taken
    judge.ledger.reconcile()  # its own last beat is old: Postgres was away for both
    assert crashes(judge) == [("running", 0), ("running", 0), ("pending", 0)]
    judge.ledger.beat()  # back, just now
    judge.ledger.reconcile()
    assert crashes(judge) == [("running", 0), ("running", 0), ("pending", 0)]


def test_who_claimed_something_just_now_is_not_dead(taken: tuple[Harness, Harness]) -> None:
    worker, judge = taken
    assert len(worker.ledger.take("c1", 0, 0, 1)) == 1
    judge.database.run("UPDATE marketing.units SET started_at = clock_timestamp() + interval '1 hour' WHERE key = 'u2'")
    judge_again(judge)
    assert crashes(judge) == [("pending", 1), ("pending", 1), ("running", 0)]


def test_a_worker_that_answers_after_all_has_not_crashed(taken: tuple[Harness, Harness]) -> None:
    worker, judge = taken
    for times in (1, 2):
        judge_again(judge)
        assert crashes(judge) == [("pending", 1), ("pending", 1), ("pending", 0)]
        worker.ledger.beat()
        # What it was at goes on elsewhere; nothing is counted against the units.
        assert crashes(judge) == [("pending", 0), ("pending", 0), ("pending", 0)]
        worker.ledger.beat()
        assert crashes(judge) == [("pending", 0), ("pending", 0), ("pending", 0)]
        history = "SELECT count(*) FROM marketing.fleet_events WHERE kind = 'worker_back'"
        assert judge.database.value(history) == times
        assert len(worker.ledger.take("c1", 0, 0, 2)) == 2
        judge.database.run(f"UPDATE marketing.units SET started_at = {PAST} WHERE status = 'running'")
        judge.database.run(f"UPDATE marketing.workers SET beat_at = {PAST} WHERE worker = 'worker-a'")


def test_what_was_really_lost_counts(taken: tuple[Harness, Harness], bench: Callable[..., Harness]) -> None:
    _, judge = taken
    judge_again(judge)
    bench("worker-b").ledger.beat()  # the process that was started in its place
    judge_again(judge)
    assert crashes(judge) == [("pending", 1), ("pending", 1), ("pending", 0)]
