"""Watch of a worker over itself: looks, and ends the process when it is of no use.

It has a thread, a clock and connections of its own, so that what is stuck elsewhere can't hold it up. What it sees is
judged by :mod:`workers.liveness.usefulness`. Invariant: a process that ends itself logs why (CRITICAL), has had time to
finish what it was at, and has the exit status USELESS_EXIT.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from threading import Event, Thread
from typing import Any, Protocol

from celery import Celery

from agents.effects import seconds_since_boot
from orchestration.ledger.database import DatabaseUnavailableError
from orchestration.ledger.ledger import Ledger
from orchestration.ledger.own_connection import OwnConnection
from workers.liveness.broker_queues import sent_at
from workers.liveness.heartbeat import Heartbeat
from workers.liveness.periodic import Periodic
from workers.liveness.usefulness import OLD_S, Look, Watch, judge

log = logging.getLogger(__name__)

LOOK_S = 2.0  #: between two looks
USELESS_EXIT = 75  #: exit status of a worker that ends itself: the cause may pass (EX_TEMPFAIL)
PROBE_KEY = "marketing:watchdog"  #: written to see whether Redis takes writes
FINISH_S = 15.0  #: for running tasks to reach the end of their hop before the process ends
GIVE_UP_S = 3.0  #: for giving back the claims of those that did not


class Slots(Protocol):
    """Slots for tasks of a worker process."""

    @property
    def free(self) -> int:
        """How many run no task."""
        ...

    @property
    def running(self) -> int:
        """How many run a task."""
        ...

    @property
    def taken(self) -> int:
        """How many tasks they were given since the process began."""
        ...


class Watchdog:
    """Looks at this worker process every two seconds.

    Args:
        app: the Celery app, for a connection to the broker.
        ledger: names the worker.
        heartbeat: of this worker.
        draining: set when the worker shall take nothing more; the watchdog sets it before it ends the process.
        leave: ends the process; replaced in tests.
    """

    def __init__(
        self,
        app: Celery,
        ledger: Ledger,
        heartbeat: Heartbeat,
        *,
        draining: Event,
        leave: Callable[[int], object] = os._exit,
    ) -> None:
        self._app, self._ledger, self._heartbeat, self._draining, self._leave = app, ledger, heartbeat, draining, leave
        self._slots: Slots | None = None
        self._queues: Callable[[], Sequence[str]] = tuple
        self._database = OwnConnection(ledger.database.url, deadline_s=LOOK_S)
        self._broker: Any = None  # kombu is untyped
        self._watch = Watch()
        self._thread = Periodic("watchdog", LOOK_S, self.look)

    def start(self) -> None:
        """Start to look at the heartbeat."""
        self._thread.start()

    def watch_queues(self, slots: Slots, queues: Callable[[], Sequence[str]]) -> None:
        """Look at the queues too, now that the worker consumes them."""
        self._slots, self._queues = slots, queues

    def stop(self) -> None:
        """Stop, and close the connections."""
        self._thread.stop()
        self._database.close()
        self._disconnect()

    def look(self) -> None:
        """Look once, and end the process if that is the verdict."""
        slots = self._slots
        look = Look(
            at=seconds_since_boot(),
            beat_age=self._heartbeat.age_s,
            untried=self._heartbeat.untried_s,
            others_beat=self._heartbeat.age_s > OLD_S and self._others_beat(),
            oldest=self._oldest() if slots is not None and slots.free else None,
            free=slots.free if slots is not None else 0,
            taken=slots.taken if slots is not None else 0,
            stopping=self._draining.is_set(),
        )
        self._watch, verdict = judge(self._watch, look)
        if verdict is not None:
            self._end(verdict)

    def _others_beat(self) -> bool:
        try:
            return self._ledger.others_beat(over=self._database)
        except DatabaseUnavailableError:
            return False

    def _oldest(self) -> float | None:
        """Return the age in seconds of the oldest message in this worker's queues.

        None when none is seen, and when Redis takes no writes, so that nobody can take a message.
        """
        try:
            if self._broker is None:
                self._broker = self._app.connection_for_read()
            client = self._broker.default_channel.client
            found = [client.lindex(queue, -1) for queue in self._queues()]
            oldest = min((sent_at(raw) for raw in found if raw is not None), default=None)
            age = None if oldest is None else (datetime.now(UTC) - oldest).total_seconds()
            if age is not None and age >= OLD_S:
                client.set(PROBE_KEY, self._ledger.worker, ex=60)
            return age
        except Exception as error:  # of any class of the broker's client: then nothing is seen
            log.debug("the queues can't be seen (%s)", type(error).__name__)
            self._disconnect()
            return None

    def _disconnect(self) -> None:
        broker, self._broker = self._broker, None
        if broker is not None:
            with suppress(Exception):
                broker.release()

    def _end(self, verdict: str) -> None:
        log.critical("this worker is of no use and ends, to be started again: %s", verdict)
        self._draining.set()
        deadline = time.monotonic() + FINISH_S
        while self._slots is not None and self._slots.running and time.monotonic() < deadline:
            time.sleep(0.1)
        giving_up = Thread(target=self._give_up, daemon=True)
        giving_up.start()
        giving_up.join(GIVE_UP_S)
        self._leave(USELESS_EXIT)

    def _give_up(self) -> None:
        """Give back what is still claimed: a process that ends by itself has not crashed in it."""
        try:
            self._ledger.give_up(self._ledger.running_here())
        except Exception as error:  # reconcile repairs it later
            log.warning("claims could not be given back: %s", type(error).__name__)
