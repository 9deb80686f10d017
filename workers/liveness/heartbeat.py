"""Heartbeat of a worker, over a connection of its own.

Invariant: no other use of the database, and no state of it, keeps the heartbeat from trying again within seconds.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence

from agents.effects import seconds_since_boot
from orchestration.ledger.database import DatabaseUnavailableError
from orchestration.ledger.lease import HEARTBEAT_S
from orchestration.ledger.ledger import Ledger, StopSignals
from orchestration.ledger.own_connection import OwnConnection
from orchestration.ledger.world import WrongWorldError
from workers.liveness.periodic import Periodic

log = logging.getLogger(__name__)

DEADLINE_S = 5.0  #: of one heartbeat; a third of the lease
SILENCE_S = 10.0  #: between two log lines about heartbeats that fail


class Heartbeat:
    """Tells the ledger each second that this worker is alive and what it has counted.

    Args:
        ledger: names the worker.
        counted: returns the counters of this process.
        heard: called with what was stopped, after each heartbeat.
    """

    def __init__(
        self,
        ledger: Ledger,
        *,
        counted: Callable[[], Sequence[Mapping[str, object]]],
        heard: Callable[[StopSignals], None],
    ) -> None:
        self._ledger, self._counted, self._heard = ledger, counted, heard
        self._connection = OwnConnection(ledger.database.url, deadline_s=DEADLINE_S)
        self._thread = Periodic("heartbeat", HEARTBEAT_S, self.beat)
        self._beaten_at = self._tried_at = seconds_since_boot()
        self._silent_until = 0.0

    @property
    def age_s(self) -> float:
        """Seconds since the last heartbeat that the ledger took."""
        return seconds_since_boot() - self._beaten_at

    @property
    def untried_s(self) -> float:
        """Seconds since the last heartbeat that came to an end, well or not."""
        return seconds_since_boot() - self._tried_at

    def start(self) -> None:
        """Start to send heartbeats."""
        self._thread.start()

    def stop(self) -> None:
        """Stop, and close the connection."""
        self._thread.stop(2 * DEADLINE_S)
        self._connection.close()

    def beat(self) -> None:
        """Send one heartbeat, or log that it did not arrive."""
        try:
            self._heard(self._ledger.beat(self._counted(), over=self._connection))
            self._beaten_at = seconds_since_boot()
        except (DatabaseUnavailableError, WrongWorldError) as error:
            if seconds_since_boot() >= self._silent_until:
                self._silent_until = seconds_since_boot() + SILENCE_S
                log.warning("no heartbeat for %.0f s: %s", self.age_s, error)
        finally:
            self._tried_at = seconds_since_boot()
