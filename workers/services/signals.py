"""Signal handlers that count stop signals instead of raising an exception.

Ctrl-C must not interrupt a supervisor that is starting or draining. While the handlers are installed, SIGINT, SIGTERM
and SIGHUP (the terminal was closed) are only counted: the first asks to stop, the second to stop at once.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from types import FrameType

_Handler = Callable[[int, FrameType | None], object] | int | None  # as signal.signal returns it

_STOP = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class SignalTrap:
    """A counter of the stop signals between :meth:`install` and :meth:`restore`.

    It has no effect outside the main thread, where Python allows no signal handlers.
    """

    def __init__(self) -> None:
        self.count = 0
        #: the first signal received; None: none yet
        self.first: signal.Signals | None = None
        self._previous: dict[signal.Signals, _Handler] = {}

    @property
    def installed(self) -> bool:
        """Whether the handlers are installed."""
        return bool(self._previous)

    def install(self) -> None:
        """Install the handlers, unless they are installed."""
        if self.installed or threading.current_thread() is not threading.main_thread():
            return
        for number in _STOP:
            self._previous[number] = signal.signal(number, self._count)

    def restore(self) -> None:
        """Restore the previous handlers."""
        for number, handler in self._previous.items():
            # None is a handler that wasn't installed from Python and can't be restored.
            signal.signal(number, signal.SIG_DFL if handler is None else handler)
        self._previous = {}

    def _count(self, number: int, _frame: FrameType | None) -> None:
        self.count += 1
        self.first = self.first or signal.Signals(number)
