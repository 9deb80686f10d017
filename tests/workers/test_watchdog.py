"""The watchdog of a worker process: real queues and slots, and an end that is only noted."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import closing
from threading import Event
from types import SimpleNamespace
from typing import Any

import pytest
import redis
from celery import Celery

from integrations.settings import Mode
from orchestration.execution.canvas import stamp_messages
from orchestration.ledger.database import Database
from orchestration.ledger.ledger import Ledger
from workers.liveness.heartbeat import Heartbeat
from workers.liveness.watchdog import USELESS_EXIT, Watchdog
from workers.thread_pool import ThreadPool


@pytest.fixture
def dog(database_url: str, redis_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A worker that takes nothing from its queue ``work``, in which a message has waited for long."""
    for name, seconds in (("IDLE_S", 0.3), ("MUTE_S", 0.3), ("OLD_S", 0.2)):
        monkeypatch.setattr(f"workers.liveness.usefulness.{name}", seconds)
    monkeypatch.setattr("workers.liveness.watchdog.OLD_S", 0.2)
    monkeypatch.setattr("workers.liveness.watchdog.FINISH_S", 0.3)
    app = Celery("watched", broker=redis_url, set_as_current=False)
    app.conf.broker_transport_options = {"socket_timeout": 1}
    stamp_messages(app)
    app.send_task("some.task", queue="work")
    pool, ends, draining = ThreadPool(limit=1), list[int](), Event()
    pool.start()
    with closing(Database(database_url)) as database, redis.Redis.from_url(redis_url) as admin:
        ledger = Ledger(database, "worker-a", Mode.SANDBOX)
        heartbeat = Heartbeat(ledger, counted=list, heard=lambda _: None)
        heartbeat.beat()
        watchdog = Watchdog(app, ledger, heartbeat, draining=draining, leave=ends.append)
        watchdog.watch_queues(pool, lambda: ["work"])
        yield SimpleNamespace(
            watchdog=watchdog, pool=pool, ends=ends, draining=draining, admin=admin, ledger=ledger, heartbeat=heartbeat
        )
        watchdog.stop()
        heartbeat.stop()
    pool.stop()


def look(dog: Any, seconds: float = 1.0) -> None:
    """Look for a while, as long as it isn't at an end."""
    until = time.monotonic() + seconds
    while time.monotonic() < until and not dog.ends:
        dog.watchdog.look()
        time.sleep(0.05)


def test_a_worker_that_takes_nothing_ends_itself(dog: Any, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.CRITICAL):
        look(dog)
    assert dog.ends == [USELESS_EXIT]
    assert dog.draining.is_set()
    assert [record.levelname for record in caplog.records] == ["CRITICAL"]
    assert "it took no message" in caplog.text


def test_busy_slots_and_a_redis_that_takes_no_writes_are_no_reason(dog: Any) -> None:
    done = Event()
    dog.pool.on_apply(lambda: done.wait(10), args=(), callback=lambda _: None)
    look(dog)
    assert dog.ends == []
    done.set()
    dog.admin.config_set("min-replicas-to-write", "1")
    try:
        look(dog)
    finally:
        dog.admin.config_set("min-replicas-to-write", "0")
    assert dog.ends == []
    dog.admin.delete("work")
    look(dog)
    assert dog.ends == []


def test_a_worker_whose_heartbeat_alone_is_missing_ends(dog: Any) -> None:
    dog.admin.delete("work")
    time.sleep(0.3)
    look(dog)
    assert dog.ends == []  # nobody else has one either
    Ledger(dog.ledger.database, "worker-b", Mode.SANDBOX).beat()
    look(dog)
    assert dog.ends == [USELESS_EXIT]
