"""The thread that judges a fleet's workers, over real stores: what it says, and that it says nothing in an outage."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import redis

from orchestration.ledger.database import Database
from orchestration.reports import progress
from orchestration.reports.progress import SILENT_S
from workers.liveness.watch import FleetWatch

WaitUntil = Callable[..., Any]

#: This process in place of a worker.
READY = {"worker-1": (os.getpid(), 1000.0)}
GRACE_S = 0.6


@pytest.fixture
def watch(database_url: str, redis_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[FleetWatch]:
    monkeypatch.setattr(progress, "GRACE_S", GRACE_S)
    made = FleetWatch(database_url, redis_url, ("orchestration",), interval_s=0.02)
    made.start()
    yield made
    made.stop()


def beat(database_url: str, *, ago: float) -> None:
    database = Database(database_url, pool_size=1)
    database.run(
        "INSERT INTO marketing.workers (worker, beat_at) VALUES (%s, clock_timestamp() - make_interval(secs => %s)) "
        "ON CONFLICT (worker) DO UPDATE SET beat_at = excluded.beat_at",
        f"{socket.gethostname()}:{os.getpid()}:aa", ago,
    )  # fmt: skip
    database.close()


def quiet(watch: FleetWatch) -> bool:
    """Whether it names no worker for a while."""
    watch.useless(READY)
    deadline = time.monotonic() + 1.3 * GRACE_S
    while time.monotonic() < deadline:
        if watch.useless(READY):
            return False
        time.sleep(0.02)
    return True


def test_a_silent_worker_is_named_until_it_beats_again(
    watch: FleetWatch, database_url: str, wait_until: WaitUntil
) -> None:
    beat(database_url, ago=SILENT_S + 40)
    (found,) = wait_until(lambda: watch.useless(READY))
    assert (found.name, found.pid) == ("worker-1", os.getpid())
    assert found.why.startswith("it runs, but has sent no heartbeat for 1")
    beat(database_url, ago=0)
    time.sleep(0.1)  # a look that had begun before
    assert quiet(watch)


def test_no_worker_is_named_while_a_store_refuses_or_just_after(
    watch: FleetWatch, database_url: str, redis_url: str, wait_until: WaitUntil
) -> None:
    beat(database_url, ago=SILENT_S + 1)
    wait_until(lambda: watch.useless(READY))
    with redis.Redis.from_url(redis_url) as client:
        client.config_set("min-replicas-to-write", "1")
        try:
            time.sleep(0.2)  # a look that had begun before
            assert quiet(watch)
        finally:
            client.config_set("min-replicas-to-write", "0")
    began = time.monotonic()
    assert wait_until(lambda: watch.useless(READY))
    assert time.monotonic() - began > 0.8 * GRACE_S
