"""The judgement of progress, on facts: what is told to people, and which workers are replaced."""

from __future__ import annotations

from typing import Any

import pytest

from orchestration.ledger.lease import LEASE_S
from orchestration.reports.progress import (
    BUSY_STANDSTILL_S,
    GRACE_S,
    REPLACE_STANDSTILL_S,
    SILENT_S,
    STANDSTILL_S,
    LedgerFacts,
    OwnWorker,
    QueueFact,
    WorkerFact,
    standing,
    standstills,
    suspicious,
    useless,
)

LONG = 10_000.0


def worker(pid: int = 7, *, beat: float = 0.5, fresh: float = LONG, running: int = 0, host: str = "here") -> WorkerFact:
    return WorkerFact(worker=f"{host}:{pid}:ab12", beat_age_s=beat, fresh_for_s=fresh, running=running)


def own(pid: int = 7, *, ready: float = LONG) -> OwnWorker:
    return OwnWorker(name=f"worker-{pid}", host="here", pid=pid, ready_for_s=ready, queues=frozenset({"analytics"}))


def queue(age: float | None, *, name: str = "analytics", same: float = LONG) -> QueueFact:
    return QueueFact(name=name, length=3, oldest_age_s=age, same_head_s=same)


def replaced(ledger: LedgerFacts, *queues: QueueFact, mine: OwnWorker | None = None, well: float = LONG) -> list[str]:
    return [one.why for one in useless(ledger, queues, [mine or own()], well_for_s=well)]


def test_a_silent_worker_is_replaced_once_the_stores_have_been_well_for_long() -> None:
    silent = LedgerFacts(workers=[worker(beat=SILENT_S + 1), worker(8)])
    (why,) = replaced(silent)
    assert why == "it runs, but has sent no heartbeat for 61 s while Postgres answered"
    assert replaced(silent, well=GRACE_S - 1) == []  # they were away just now: every worker is behind
    assert replaced(silent, mine=own(ready=GRACE_S - 1)) == []
    assert replaced(LedgerFacts(workers=[worker(beat=SILENT_S - 1)])) == []


def test_a_worker_that_the_ledger_does_not_know_is_left_alone() -> None:
    elsewhere = worker(beat=LONG, host="there")
    assert replaced(LedgerFacts(workers=[elsewhere, worker(9, beat=LONG)]), mine=own(7)) == []


def test_the_newest_worker_of_a_pid_counts() -> None:
    assert replaced(LedgerFacts(workers=[worker(beat=LONG), worker(beat=1.0)])) == []


def test_a_worker_that_takes_nothing_is_replaced_unless_it_has_something_in_hand() -> None:
    old = queue(REPLACE_STANDSTILL_S + 30)
    (why,) = replaced(LedgerFacts(workers=[worker()]), old)
    assert why == "it takes nothing from the queue analytics, whose oldest message is 150 s old"
    older, busy = queue(BUSY_STANDSTILL_S), LedgerFacts(workers=[worker(), worker(8, running=1)])
    assert replaced(busy, old) == []  # all slots may be in use
    assert len(replaced(busy, older)) == 1
    assert replaced(busy, older, mine=own(8)) == []
    other_queue = queue(LONG, name="content_creation")
    assert replaced(LedgerFacts(workers=[worker()]), other_queue) == []
    assert replaced(LedgerFacts(workers=[worker()]), old, mine=own(ready=REPLACE_STANDSTILL_S - 1)) == []


@pytest.mark.parametrize(
    ("stands", "ledger", "waiting"),
    [
        (True, {}, queue(STANDSTILL_S)),
        (False, {}, queue(STANDSTILL_S - 1)),
        (False, {}, queue(None)),
        (False, {}, queue(LONG, same=0.0)),  # long, and moving
        (False, {"still_s": {"analytics": STANDSTILL_S - 1}}, queue(LONG)),  # a unit was claimed meanwhile
        (True, {"still_s": {"analytics": LONG, "seo": 1.0}}, queue(LONG)),  # units of another agent don't count
        (False, {"workers": [worker(running=1)]}, queue(BUSY_STANDSTILL_S - 1)),  # all slots may be in use
        (True, {"workers": [worker(running=1)]}, queue(BUSY_STANDSTILL_S)),
        (False, {"workers": [worker(fresh=STANDSTILL_S - 1)]}, queue(LONG)),  # it has only just come
        (False, {"workers": []}, queue(LONG)),  # that no worker is there is told in other words
    ],
)
def test_a_queue_stands_still(stands: bool, ledger: dict[str, Any], waiting: QueueFact) -> None:
    facts = LedgerFacts(**{"workers": [worker()], **ledger})
    assert bool(standing(facts, [waiting])) is stands


def test_work_that_moves_or_is_not_there_is_no_trouble() -> None:
    assert standstills(LedgerFacts(), []) == []
    dead = worker(8, beat=LONG)
    busy = LedgerFacts(workers=[worker(running=3), dead], at_work=5, still_s={"analytics": 0.1})
    assert standstills(busy, [queue(2.0)]) == []


def test_each_standstill_is_told() -> None:
    assert standstills(LedgerFacts(at_work=2), []) == [
        "no worker is there for 2 queued or running campaigns: start `campaigns up`"
    ]
    silent = worker(8, beat=LEASE_S + 5)
    facts = LedgerFacts(workers=[worker(), silent], at_work=1, orphaned=1, overdue=2, overdue_s=90.0)
    assert standstills(facts, [queue(75.0)], running=frozenset({silent.place})) == [
        "worker process 8 on here runs, but has sent no heartbeat for 20 s",
        "queue analytics stands still: 3 messages, the oldest 75 s old, and no worker takes one",
        "1 unit held by dead workers, and no worker gives them back",
        "2 campaigns should have gone on 90 s ago: no tick of beat reaches a worker",
    ]


def test_a_closer_look_is_for_suspicions() -> None:
    well = LedgerFacts(workers=[worker(), worker(9, beat=LONG)])
    assert not suspicious(well, [queue(STANDSTILL_S - 1), queue(None)], [own()])
    assert suspicious(well, [queue(STANDSTILL_S)], [own()])
    assert suspicious(LedgerFacts(workers=[worker(beat=LEASE_S + 1)]), [], [own()])


def test_a_worker_of_another_name_has_no_place() -> None:
    assert WorkerFact(worker="worker-a", beat_age_s=0, fresh_for_s=0).place == ("", 0)
