"""Task events for hops and units that run without a Celery message of their own, so that Flower shows them.

A hop that continues in the same worker saves a broker round trip, but Celery sends no events for it. This module sends
them through the worker's event dispatcher, under the name of the agent's task. Invariant: an event that can't be sent
is dropped and never fails the work.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol
from uuid import uuid4

from integrations.log_context import log_context
from orchestration.execution.canvas import hop_task, unit_task
from orchestration.wakeups import Observer

log = logging.getLogger(__name__)


class EventDispatcher(Protocol):
    """Members of ``celery.events.EventDispatcher`` that are used here."""

    enabled: bool

    def send(self, type: str, **fields: object) -> object:
        """Send one event."""


class TaskEvents(Observer):
    """Observer that sends Celery's task events."""

    def __init__(self) -> None:
        self._dispatcher: Callable[[], EventDispatcher | None] = lambda: None

    def use_dispatcher(self, dispatcher: Callable[[], EventDispatcher | None]) -> None:
        """Send events through the dispatcher that a callable returns.

        It is called for each event, because the dispatcher is replaced when the worker reconnects.
        """
        self._dispatcher = dispatcher

    @contextmanager
    def hop(self, campaign_id: str, agent: str, step: int) -> Iterator[None]:
        """Send the events of a hop that continues in this worker."""
        with (
            log_context(campaign=campaign_id, step=step, agent=agent),
            self._shown(hop_task(agent), (campaign_id, step)),
        ):
            log.info("hop begins in the same worker")
            yield

    @contextmanager
    def unit(self, campaign_id: str, agent: str, key: str) -> Iterator[None]:
        """Send the events of a unit that runs in the worker of its hop."""
        with self._shown(unit_task(agent), (campaign_id, key)):
            yield

    @contextmanager
    def _shown(self, name: str, args: tuple[object, ...]) -> Iterator[None]:
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

    def _send(self, kind: str, **fields: object) -> None:
        dispatcher = self._dispatcher()
        if dispatcher is None:
            return
        try:
            dispatcher.send(kind, **fields)
        except Exception as error:  # the broker is down: any exception of its client is ignored
            log.debug("event %s dropped (%s)", kind, type(error).__name__)
