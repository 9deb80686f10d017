"""Start, readiness, drain and stop of a worker's runtime, driven by Celery's signals.

Invariant: a worker that has announced that it is ready has a migrated schema, sends heartbeats and consumes its queues.
A draining worker starts no new hop and stops at the end of the current one.
"""

from __future__ import annotations

import gc
import logging
import os
from collections.abc import Callable
from pathlib import Path

from celery import signals
from celery.worker.consumer import Consumer

from agents.registry import agent_names
from orchestration.client import connected
from workers.app import app
from workers.channel_guard import ChannelGuard
from workers.runtime import runtime
from workers.thread_pool import ThreadPool
from workers.world import require_world

log = logging.getLogger(__name__)

app.steps["consumer"].add(ChannelGuard)


def _exit_on_error(step: Callable[[], None], process: str = "worker") -> None:
    """Run a step of the start, and end the process if it fails.

    Celery logs an exception of a signal's receiver and continues, but a worker can't work without its runtime.
    """
    try:
        step()
    except Exception as error:  # any failure must end the process, so that its supervisor sees it
        log.exception("the %s can't start", process)
        raise SystemExit(f"the {process} can't start: {error}") from error


@signals.worker_init.connect  # type: ignore[untyped-decorator]  # celery is untyped
def _start(**_: object) -> None:
    _exit_on_error(lambda: runtime().start())


@signals.beat_init.connect  # type: ignore[untyped-decorator]  # celery is untyped
def _start_beat(**_: object) -> None:
    _exit_on_error(lambda: require_world(connected()), "beat")


@signals.worker_ready.connect  # type: ignore[untyped-decorator]  # celery is untyped
def _ready(sender: Consumer, **_: object) -> None:
    _exit_on_error(lambda: _announce(sender))


def _announce(sender: Consumer) -> None:
    process = runtime()
    process.served = lambda: frozenset(agent_names()) & frozenset(app.amqp.queues.consume_from)
    if isinstance(sender.pool, ThreadPool):  # Celery's others don't count what they run
        process.watchdog.watch_queues(sender.pool, lambda: tuple(app.amqp.queues.consume_from))
    process.events.use_dispatcher(lambda: sender.event_dispatcher)
    # What imports and the start have made lives as long as the process: no collection needs to look at it again
    # (about 0.4 ms of CPU per campaign of twelve units).
    gc.collect()
    gc.freeze()
    _say_ready()


@signals.beat_init.connect  # type: ignore[untyped-decorator]  # celery is untyped
def _say_ready(**_: object) -> None:
    """Write the ready file of this worker or beat, which its supervisor waits for."""
    ready_file = os.environ.get("MARKETING_READY_FILE")
    if ready_file:
        try:
            Path(ready_file).write_text(str(os.getpid()), encoding="ascii")
        except OSError as error:  # a full disk: the supervisor takes a worker that lives on for a ready one
            log.warning("no ready file: %s", error)


@signals.worker_shutting_down.connect  # type: ignore[untyped-decorator]  # celery is untyped
def _drain(**_: object) -> None:
    runtime().draining.set()


@signals.worker_shutdown.connect  # type: ignore[untyped-decorator]  # celery is untyped
def _stop(**_: object) -> None:
    runtime().stop()
