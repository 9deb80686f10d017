"""Stop signals as a number to look at, instead of an exception at any line.

A supervisor that is starting or draining must not be torn out of its work by Ctrl-C. While the trap is set,
SIGINT, SIGTERM and SIGHUP (the terminal was closed) are only counted: the first asks to stop, the second to
hurry.
"""

from __future__ import annotations

import signal
import threading
from types import FrameType
from typing import Any

_STOP = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class SignalTrap:
    """Counts stop signals between :meth:`set` and :meth:`lift`. Without effect outside the main thread,
    where Python allows no handlers."""

    def __init__(self) -> None:
        self.count = 0
        #: the first one that came
        self.first: signal.Signals | None = None
        self._before: dict[signal.Signals, Any] = {}

    @property
    def is_set(self) -> bool:
        return bool(self._before)

    def set(self) -> None:
        if self.is_set or threading.current_thread() is not threading.main_thread():
            return
        for number in _STOP:
            self._before[number] = signal.signal(number, self._note)

    def lift(self) -> None:
        """Put back what was there before."""
        for number, handler in self._before.items():
            # None stands for a handler that wasn't installed from Python: nothing we could put back.
            signal.signal(number, signal.SIG_DFL if handler is None else handler)
        self._before = {}

    def _note(self, number: int, _frame: FrameType | None) -> None:
        self.count += 1
        self.first = self.first or signal.Signals(number)
