"""Bounded executor of a worker process, and isolation of units suspected of killing workers.

Units that run beside their hop take the executor's threads. When a worker is killed, every unit that it held counts a
crash; from three on a unit runs alone in its process, so that the next crash identifies it. Invariants: units never
submit units, so a full executor delays work but can't deadlock it; a suspect shares its process with no other unit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from threading import Condition, Lock
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
        """Number of threads without work, a hint that may change at once."""
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


SUSPECT_CRASHES = 3  #: from so many crashes on a unit runs alone


class Quarantine:
    """Lets many units of one worker process run together, or a suspect alone."""

    def __init__(self) -> None:
        self._change = Condition()
        self._together = 0
        self._alone = False
        self._suspects = 0  #: waiting; no other unit is let in before them

    @contextmanager
    def unit(self, crashes: int) -> Iterator[None]:
        """Wait until a unit with so many crashes may run, and let it run for as long as the context lasts."""
        suspect = crashes >= SUSPECT_CRASHES
        self._enter(suspect)
        try:
            yield
        finally:
            with self._change:
                if suspect:
                    self._alone = False
                else:
                    self._together -= 1
                self._change.notify_all()

    def _enter(self, suspect: bool) -> None:
        with self._change:
            if not suspect:
                self._change.wait_for(lambda: not self._alone and not self._suspects)
                self._together += 1
                return
            self._suspects += 1
            self._change.wait_for(lambda: not self._alone and not self._together)
            self._suspects -= 1
            self._alone = True
