"""Units that were running when their worker died, three times: they run alone, so that only the guilty one dies.

When a worker is killed, every unit that it held counts a crash. One of them may have killed it. Invariant: a
suspect shares its process with no other unit, so from then on a crash is its own, and the sixth fails it alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Condition

SUSPECT_CRASHES = 3  #: from so many crashes on a unit runs alone


class Quarantine:
    """Lets many units run together, or one alone; one per worker process."""

    def __init__(self) -> None:
        self._change = Condition()
        self._together = 0
        self._alone = False
        self._suspects = 0  #: waiting; nobody new is let in before them

    @contextmanager
    def unit(self, crashes: int) -> Iterator[None]:
        """Entered around a unit's body."""
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
