"""A slot of the threads pool is free again whatever is raised around its task."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from celery import Celery, concurrency
from celery.worker import state
from celery.worker.request import Request
from kombu.message import Message

from workers.thread_pool import ThreadPool

APP = Celery("pool", broker="memory://", set_as_current=False)


@APP.task(name="late", acks_late=True)  # type: ignore[untyped-decorator]  # celery is untyped
def late() -> None:
    """Never run: the pool is given something else to run."""


@pytest.fixture
def pool() -> Iterator[ThreadPool]:
    """Two threads."""
    made = ThreadPool(limit=2)
    made.start()
    yield made
    made.stop()


def a_request(acknowledged: list[str]) -> Request:
    """A reserved request of a task that is acknowledged late."""
    message = Message(
        b"[[], {}, {}]",
        content_type="application/json",
        content_encoding="utf-8",
        headers={"id": "t1", "task": "late", "lang": "py"},
        delivery_info={},
    )
    found = Request(message, app=APP, task=late, on_ack=lambda *_: acknowledged.append("t1"))
    state.task_reserved(found)
    return found


def boom(*_: Any, **__: Any) -> None:
    """What Celery's tracer does when a result can't be stored."""
    raise ConnectionError("OOM command not allowed")


def test_threads_means_this_pool() -> None:
    import workers.app  # noqa: F401

    assert concurrency.get_implementation("threads") is ThreadPool


@pytest.mark.parametrize("where", ["target", "accepted", "ended"])
def test_what_is_raised_around_a_task_frees_its_slot(pool: ThreadPool, where: str) -> None:
    acknowledged: list[str] = []
    request = a_request(acknowledged)
    if where == "ended":
        request.send_event = boom
    pool.on_apply(
        boom if where == "target" else lambda: (0, None, 0.1),
        args=(),
        callback=request.on_success,
        accept_callback=boom if where == "accepted" else request.on_accepted if where == "target" else None,
    ).get()
    assert acknowledged == ["t1"]
    assert request not in state.reserved_requests
    assert "t1" not in state.requests
    assert (pool.taken, pool.running, pool.free) == (1, 0, 2)


def test_it_counts_what_its_threads_do(pool: ThreadPool) -> None:
    seen: list[tuple[int, int]] = []
    pool.on_apply(lambda: seen.append((pool.running, pool.free)), args=(), callback=lambda _: None).get()
    assert seen == [(1, 1)]
    assert (pool.taken, pool.running, pool.free) == (1, 0, 2)
