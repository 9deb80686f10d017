"""Hops and units that run without a message of their own, shown as tasks all the same.

A hop that goes on in the same worker saves a broker round trip; Flower would not see it. Its events are
sent through the worker's own dispatcher, under the agent's task name. Invariant: showing is never worth a
failure: an event that can't be sent is dropped.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

from integrations.log_context import log_context
from orchestration.execution.canvas import hop_task, unit_task

log = logging.getLogger(__name__)


class TaskEvents:
    """An ``orchestration.wakeups.Observer`` that speaks Celery's event protocol."""

    def __init__(self) -> None:
        self._dispatcher: Callable[[], Any] = lambda: None

    def follow(self, dispatcher: Callable[[], Any]) -> None:
        """Use the consumer's dispatcher; a callable, because a reconnect replaces it."""
        self._dispatcher = dispatcher

    @contextmanager
    def hop(self, campaign_id: str, agent: str, step: int) -> Iterator[None]:
        """Show a hop that goes on in this worker."""
        with (
            log_context(campaign=campaign_id, step=step, agent=agent),
            self._shown(hop_task(agent), (campaign_id, step)),
        ):
            log.info("hop begins in the same worker")
            yield

    @contextmanager
    def unit(self, campaign_id: str, agent: str, key: str) -> Iterator[None]:
        """Show a unit that runs beside its hop."""
        with self._shown(unit_task(agent), (campaign_id, key)):
            yield

    @contextmanager
    def _shown(self, name: str, args: tuple[Any, ...]) -> Iterator[None]:
        dispatcher = self._dispatcher()
        if dispatcher is None or not dispatcher.enabled:
            yield
            return
        uuid, begun = str(uuid4()), time.monotonic()
        self._send(
            "task-received", uuid=uuid, name=name, args=repr(args), kwargs="{}", root_id=uuid, parent_id=None,
            retries=0, eta=None, expires=None,
        )  # fmt: skip
        self._send("task-started", uuid=uuid)
        try:
            yield
        except BaseException as error:
            self._send("task-failed", uuid=uuid, exception=type(error).__name__, traceback="")
            raise
        self._send("task-succeeded", uuid=uuid, result="''", runtime=time.monotonic() - begun)

    def _send(self, kind: str, **fields: Any) -> None:
        dispatcher = self._dispatcher()
        if dispatcher is None:
            return
        try:
            dispatcher.send(kind, **fields)
        except Exception as error:  # the broker is away: whatever its client raises, the work goes on
            log.debug("event %s dropped (%s)", kind, type(error).__name__)
