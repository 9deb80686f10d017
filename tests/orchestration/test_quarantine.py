"""A suspect runs alone, and is not kept waiting for ever."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event, Lock

from orchestration.execution.executor import SUSPECT_CRASHES, Quarantine


def test_innocent_units_run_together() -> None:
    ward, together = Quarantine(), Barrier(3)

    def run(_: int) -> int:
        with ward.unit(SUSPECT_CRASHES - 1):
            return together.wait(5)

    with ThreadPoolExecutor(3) as pool:
        assert sorted(pool.map(run, range(3))) == [0, 1, 2]


def test_a_suspect_shares_with_nobody() -> None:
    ward, guard, inside, most = Quarantine(), Lock(), 0, []

    def run(crashes: int) -> None:
        nonlocal inside
        with ward.unit(crashes):
            with guard:
                inside += 1
                most.append((crashes, inside))
            with guard:
                inside -= 1

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(run, [0, 0, SUSPECT_CRASHES, 0, SUSPECT_CRASHES + 1, 0, 0] * 20))
    assert len(most) == 140
    assert all(count == 1 for crashes, count in most if crashes >= SUSPECT_CRASHES)


def test_a_waiting_suspect_goes_before_newcomers() -> None:
    ward, hold, waiting, order = Quarantine(), Event(), Event(), []

    def first() -> None:
        with ward.unit(0):
            waiting.set()
            assert hold.wait(5)

    def enter(name: str, crashes: int) -> None:
        with ward.unit(crashes):
            order.append(name)

    with ThreadPoolExecutor(3) as pool:
        pool.submit(first)
        assert waiting.wait(5)
        suspect = pool.submit(enter, "suspect", SUSPECT_CRASHES)
        while not ward._suspects:  # it has taken its place
            pass
        newcomer = pool.submit(enter, "newcomer", 0)
        hold.set()
        suspect.result(5)
        newcomer.result(5)
    assert order == ["suspect", "newcomer"]
