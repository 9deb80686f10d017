"""Ctrl-C and SIGTERM as exit statuses.

Invariant: a command that was told to stop cleans up first (no process stays behind) and then exits with
128 + the signal's number, as shells expect it.
"""

from __future__ import annotations

import signal
from types import FrameType


class Stopped(Exception):
    """Raised when the user, or the system, has asked this command to stop.

    ``number`` is the signal, ``text`` the last word.
    """

    def __init__(self, number: signal.Signals, text: str = "") -> None:
        super().__init__(text or f"stopped by {number.name}")
        self.number = number
        self.text = text

    @property
    def exit_code(self) -> int:
        """130 for Ctrl-C, 143 for SIGTERM."""
        return 128 + self.number


def stop_on_sigterm() -> None:
    """Let SIGTERM unwind the stack as Ctrl-C does, instead of ending the process on the spot."""
    signal.signal(signal.SIGTERM, _raise)


def _raise(number: int, _frame: FrameType | None) -> None:
    raise Stopped(signal.Signals(number))
