"""The one bounded executor of a worker process: units that run beside their hop take its threads.

Invariant: units never submit units, so a full executor delays work but can't deadlock it.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Lock
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


class UnitSlots:
    """``size`` threads for units, and how many of them are free."""

    def __init__(self, size: int) -> None:
        self.size = size
        self._executor = ThreadPoolExecutor(max_workers=size, thread_name_prefix="unit")
        self._busy = 0
        self._lock = Lock()

    @property
    def free(self) -> int:
        """Threads without work; a hint, it may change at once."""
        return max(0, self.size - self._busy)

    def submit(self, work: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> Future[R]:
        """Run ``work`` on a thread when one is free."""
        with self._lock:
            self._busy += 1
        future = self._executor.submit(work, *args, **kwargs)
        future.add_done_callback(self._done)
        return future

    def _done(self, _future: object) -> None:
        with self._lock:
            self._busy -= 1

    def close(self) -> None:
        """Wait for running units and end the threads."""
        self._executor.shutdown(wait=True)
