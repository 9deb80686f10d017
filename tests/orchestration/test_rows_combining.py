"""Calls that gather while one is under way go as one; whatever fails, each caller gets its own answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Event, Thread
from typing import Any

import pytest
from orchestrator_harness import Harness
from toys import toys

from agents.unit import UnitResult, UnitStatus
from orchestration.ledger.database import DatabaseUnavailableError, UnstorableError
from orchestration.ledger.group_commit import GroupCommit
from orchestration.ledger.ledger import DUPLICATE
from orchestration.ledger.rows import Position


class Away(Exception):
    """Nothing can be called any more."""


class Server:
    """Answers with ten times the number; negative ones are faulty. The first call of all waits for ``go``."""

    def __init__(self) -> None:
        self.made: list[tuple[int, ...]] = []
        self.go = Event()
        self.away = False
        self.combining = GroupCommit[int, int](self.alone, self.together, fatal=Away, most=3)

    def alone(self, call: int) -> int:
        self.made.append((call,))
        if len(self.made) == 1:
            self.go.wait(10)
        if call < 0:
            raise ValueError(call)
        return 10 * call

    def together(self, calls: Sequence[int]) -> Sequence[int]:
        self.made.append(tuple(calls))
        if self.away:
            raise Away
        if min(calls) < 0:
            raise ValueError(calls)
        return [10 * call for call in calls]

    def gathered(self) -> int:
        return len(self.combining._gathered)


@pytest.fixture
def served(wait_until: Callable[..., Any]) -> Iterator[Callable[[Sequence[int]], tuple[Server, list[Future[int]]]]]:
    """A server whose first call, 1, is under way while the given ones have come, in their order."""
    pool = ThreadPoolExecutor(16)

    def serve(calls: Sequence[int], *, away: bool = False) -> tuple[Server, list[Future[int]]]:
        server = Server()
        server.away = away
        futures = [pool.submit(server.combining, 1)]
        wait_until(lambda: server.made, message="the first call")
        for number, call in enumerate(calls, 1):
            futures.append(pool.submit(server.combining, call))
            wait_until(lambda n=number: server.gathered() == n, message="the call to gather")
        server.go.set()
        return server, futures

    yield serve
    pool.shutdown()


def test_calls_that_gather_go_together_and_each_caller_gets_its_answer(served: Callable[..., Any]) -> None:
    server, futures = served([2, 3, 4, 5])
    assert [future.result(10) for future in futures] == [10, 20, 30, 40, 50]
    assert server.made == [(1,), (2, 3, 4), (5,)]
    assert server.combining(6) == 60  # nobody is left behind as the one who leads
    assert server.made[-1] == (6,)


def test_a_faulty_call_fails_its_own_caller_only(served: Callable[..., Any]) -> None:
    server, futures = served([2, -3, 4])
    assert [futures[n].result(10) for n in (0, 1, 3)] == [10, 20, 40]
    with pytest.raises(ValueError, match="-3"):
        futures[2].result(10)
    assert server.made == [(1,), (2, -3, 4), (2,), (-3,), (4,)]


def test_when_nothing_can_be_called_nobody_waits_for_it_in_turn(served: Callable[..., Any]) -> None:
    server, futures = served([2, 3], away=True)
    assert futures[0].result(10) == 10
    for future in futures[1:]:
        with pytest.raises(Away):
            future.result(10)
    assert server.made == [(1,), (2, 3)]


def test_many_callers_each_get_their_own_answer() -> None:
    server = Server()
    server.go.set()
    with ThreadPoolExecutor(24) as pool:
        assert list(pool.map(server.combining, range(1, 2001))) == [10 * n for n in range(1, 2001)]
    assert sorted(call for calls in server.made for call in calls) == list(range(1, 2001))


@pytest.fixture
def bench(database_url: str) -> Iterator[Harness]:
    one = Harness(database_url, toys(stages=(3,)))
    yield one
    one.close()


def held_up(bench: Harness) -> tuple[Event, Event]:
    """Makes the ledger's next call wait: (it has come, let it go)."""
    came, go = Event(), Event()
    alone = bench.ledger._finishing._alone

    def waits(call: Any) -> int:
        if not came.is_set():
            came.set()
            go.wait(10)
        return alone(call)

    bench.ledger._finishing._alone = waits
    return came, go


def test_results_of_several_campaigns_are_one_statement_and_the_counters_are_right(
    bench: Harness, wait_until: Callable[..., Any]
) -> None:
    names = [f"c{n}" for n in range(6)]
    claimed = {}
    for name in names:
        bench.submit(name)
        found = bench.ledger.enter(name, None, limit=16, most=16)
        assert found is not None
        claimed[name] = found.claimed
    came, go = held_up(bench)
    together: list[int] = []
    several = bench.ledger._finishing._together

    def noted(calls: Any) -> Any:
        together.append(len(calls))
        return several(calls)

    bench.ledger._finishing._together = noted

    def finish(name: str, n: int, output: dict[str, Any]) -> int:
        result = UnitResult(unit=claimed[name][n].unit, status=UnitStatus.SUCCEEDED, output=output)
        return bench.ledger.finish(Position(name, 0, 0, 0), [result])

    with ThreadPoolExecutor(16) as pool:
        first = pool.submit(finish, "c0", 0, {"value": 0})
        assert came.wait(10)
        # Backwards: the statement takes them in order, and gives each its own code. One is a duplicate of another.
        others = [pool.submit(finish, name, 1, {"value": 1}) for name in reversed(names)]
        wait_until(lambda: len(bench.ledger._finishing._gathered) == 6, message="the calls to gather")
        twice = pool.submit(finish, "c3", 1, {"value": 1})
        wait_until(lambda: len(bench.ledger._finishing._gathered) == 7, message="the last one")
        go.set()
        assert first.result(10) == 2
        assert [future.result(10) for future in others] == [2, 2, 2, 2, 2, 1]
        assert twice.result(10) == DUPLICATE
    assert together == [7]
    rows = bench.database.rows("SELECT campaign_id, remaining FROM marketing.campaigns ORDER BY campaign_id")
    assert rows == [("c0", 1), ("c1", 2), ("c2", 2), ("c3", 2), ("c4", 2), ("c5", 2)]


def test_a_result_that_postgres_refuses_spoils_no_other(bench: Harness, wait_until: Callable[..., Any]) -> None:
    found = {}
    for name in ("c0", "c1", "c2"):
        bench.submit(name)
        found[name] = bench.ledger.enter(name, None, limit=16, most=16)
    came, go = held_up(bench)

    def finish(name: str, output: dict[str, Any]) -> int:
        entered = found[name]
        assert entered is not None
        result = UnitResult(unit=entered.claimed[0].unit, status=UnitStatus.SUCCEEDED, output=output)
        return bench.ledger.finish(entered.row.position, [result])

    with ThreadPoolExecutor(4) as pool:
        first = pool.submit(finish, "c0", {"value": 0})
        assert came.wait(10)
        bad = pool.submit(finish, "c1", {"value": "\0"})  # jsonb can't hold it
        good = pool.submit(finish, "c2", {"value": 2})
        wait_until(lambda: len(bench.ledger._finishing._gathered) == 2, message="the calls to gather")
        go.set()
        assert first.result(10) == 2
        assert good.result(10) == 2
        with pytest.raises(UnstorableError):
            bad.result(10)
    rows = bench.database.rows("SELECT campaign_id, remaining FROM marketing.campaigns ORDER BY campaign_id")
    assert rows == [("c0", 2), ("c1", 3), ("c2", 2)]


def test_an_interrupted_leader_leaves_nobody_waiting() -> None:
    """Not only errors end a call: a worker's thread may be told to exit in it."""
    go, came = Event(), Event()

    def alone(call: int) -> int:
        came.set()
        go.wait(10)
        raise SystemExit

    combining = GroupCommit[int, int](alone, lambda calls: [0 for _ in calls], fatal=DatabaseUnavailableError)
    ended: list[type[BaseException]] = []

    def call() -> None:
        try:
            combining(1)
        except BaseException as error:
            ended.append(type(error))

    threads = [Thread(target=call) for _ in range(2)]
    threads[0].start()
    assert came.wait(10)
    threads[1].start()
    go.set()
    for thread in threads:
        thread.join(10)
    assert ended == [SystemExit, SystemExit]
