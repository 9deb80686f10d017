"""Worker start and stop: the runtime's life follows Celery's signals.

Invariant: a worker that has said it is ready has a migrated schema, beats, and consumes its queues; a
draining worker takes no new hop and ends at the next border.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from celery import signals
from celery.worker.consumer import Consumer

from agents.registry import agent_names
from workers.app import app
from workers.runtime import runtime

log = logging.getLogger(__name__)


def _exit_on_error(step: Callable[[], None]) -> None:
    """Celery logs what a signal's receiver raises and goes on; a worker without its runtime must not."""
    try:
        step()
    except Exception as error:  # whatever it is, a supervisor should see the process end
        log.exception("the worker can't start")
        raise SystemExit(f"the worker can't start: {error}") from error


@signals.worker_init.connect  # type: ignore[untyped-decorator]  # celery is untyped
def _start(**_: Any) -> None:
    _exit_on_error(lambda: runtime().start())


@signals.worker_ready.connect  # type: ignore[untyped-decorator]  # celery is untyped
def _ready(sender: Consumer, **_: Any) -> None:
    _exit_on_error(lambda: _announce(sender))


def _announce(sender: Consumer) -> None:
    process = runtime()
    process.served = lambda: frozenset(agent_names()) & frozenset(app.amqp.queues.consume_from)
    process.events.follow(lambda: sender.event_dispatcher)
    note = os.environ.get("MARKETING_READY_FILE")
    if note:
        Path(note).write_text(str(os.getpid()), encoding="ascii")


@signals.worker_shutting_down.connect  # type: ignore[untyped-decorator]  # celery is untyped
def _drain(**_: Any) -> None:
    runtime().draining.set()


@signals.worker_shutdown.connect  # type: ignore[untyped-decorator]  # celery is untyped
def _stop(**_: Any) -> None:
    runtime().stop()
