"""Watch over the progress of a fleet's own workers, in a thread of its own.

A supervisor sees that a process runs, not that it works. Every few seconds this thread asks Postgres and Redis and
judges its fleet's workers by :mod:`orchestration.reports.progress`. Invariants: the supervising thread never waits for
a store; a look that hangs judges no worker; the thread starts and signals no process.
"""

from __future__ import annotations

import logging
import socket
import time
from collections.abc import Mapping, Sequence
from threading import Event, Thread

from orchestration.ledger.database import DatabaseUnavailableError
from orchestration.reports.progress import OwnWorker, StoreRefusesError, Useless, suspicious, useless
from orchestration.reports.standing import LedgerLook
from workers.liveness.broker_look import BrokerLook, RedisUnavailableError

log = logging.getLogger(__name__)

#: Seconds between two looks.
INTERVAL_S = 5.0


class FleetWatch:
    """A thread that judges the workers it is told of, from :meth:`start` to :meth:`stop`."""

    def __init__(
        self, database_url: str, redis_url: str, queues: Sequence[str], *, interval_s: float = INTERVAL_S
    ) -> None:
        self._ledger = LedgerLook(database_url)
        self._broker = BrokerLook(redis_url, queues)
        self._queues = frozenset(queues)
        self._interval_s = interval_s
        self._host = socket.gethostname()
        self._ready: Mapping[str, tuple[int, float]] = {}
        self._useless: tuple[Useless, ...] = ()
        self._looked_at = self._well_since = 0.0
        self._stopped = Event()
        self._thread = Thread(target=self._run, name="watch", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread, or leave it behind when it hangs in a look."""
        self._stopped.set()
        self._thread.join(timeout=2.0)

    def useless(self, ready: Mapping[str, tuple[int, float]]) -> tuple[Useless, ...]:
        """Say which workers are ready (pid and seconds by name), and return those found useless by the newest look."""
        self._ready = ready
        found, self._useless = self._useless, ()
        return found

    def _run(self) -> None:
        try:
            while not self._stopped.wait(self._interval_s):
                self._useless = tuple(self._look())
        finally:
            self._ledger.close()
            self._broker.close()

    def _look(self) -> list[Useless]:
        began, own = time.monotonic(), self._own()
        try:
            queues = self._broker.queues()
            ledger = self._ledger.facts(closely=False)
            if ledger is not None and suspicious(ledger, queues, own):
                ledger = self._ledger.facts(closely=True)
        except (DatabaseUnavailableError, RedisUnavailableError, StoreRefusesError) as error:
            log.debug("no judgement: %s", error)
            self._well_since = 0.0
            return []
        now = time.monotonic()
        # A gap, because this process was frozen or a store hung: the workers had a pause as well.
        if not self._well_since or now - self._looked_at > 2 * self._interval_s + 5.0:
            self._well_since = now
        self._looked_at = now
        if ledger is None or now - began > self._interval_s:
            return []
        return useless(ledger, queues, own, well_for_s=now - self._well_since)

    def _own(self) -> list[OwnWorker]:
        return [
            OwnWorker(name=name, host=self._host, pid=pid, ready_for_s=seconds, queues=self._queues)
            for name, (pid, seconds) in self._ready.items()
        ]
