"""A thread that does something every few seconds for as long as its process lives.

Invariant: nothing that the work raises ends the thread. It is logged, and the work is done again.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from threading import Event, Thread

from orchestration.ledger.database import DatabaseUnavailableError

log = logging.getLogger(__name__)


class Periodic:
    """Calls ``work`` every ``seconds`` seconds, the first time after as many."""

    def __init__(self, name: str, seconds: float, work: Callable[[], object]) -> None:
        self._name, self._seconds, self._work = name, seconds, work
        self._stopped = Event()
        self._thread = Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self, timeout_s: float = 5.0) -> None:
        """Stop after the call that is under way, waiting up to ``timeout_s`` seconds for it."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join(timeout_s)

    def _run(self) -> None:
        while not self._stopped.wait(self._seconds):
            try:
                self._work()
            except DatabaseUnavailableError as error:
                log.warning("%s failed, and is tried again: %s", self._name, error)
            except Exception:  # whatever it is: the next time may go well
                log.exception("%s failed, and is tried again in %g s", self._name, self._seconds)
