"""Small JSON files that are hints for other processes: the fleet's note, the list of its child processes.

Invariant: writing or removing one never raises. On a full disk the fleet matters more than its notes: the trouble is
told once, and :meth:`Records.catch_up` writes what is missing when that is possible again.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from pydantic import JsonValue

from workers.services.home import write_json

#: Seconds between two attempts to write what could not be written.
RETRY_S = 2.0


class Records:
    """Files of one process that are hints, as they shall be.

    ``on_trouble`` is called with the reason when a file can't be written, once for each reason until all are written.
    """

    def __init__(self, on_trouble: Callable[[str], None] = lambda reason: None) -> None:
        self._on_trouble = on_trouble
        self._unwritten: dict[Path, JsonValue] = {}
        self._told: set[str] = set()
        self._retry_at = 0.0

    def write(self, path: Path, value: JsonValue) -> bool:
        """Replace the file by ``value`` and return whether that worked."""
        try:
            write_json(path, value)
        except OSError as error:
            self._unwritten[path] = value
            self._retry_at = time.monotonic() + RETRY_S
            reason = f"{path} can't be written: {error.strerror or error}"
            if reason not in self._told:
                self._told.add(reason)
                self._on_trouble(reason)
            return False
        self._unwritten.pop(path, None)
        return True

    def catch_up(self) -> None:
        """Write again what could not be written, at most every RETRY_S seconds."""
        if self._unwritten and time.monotonic() >= self._retry_at:
            for path, value in tuple(self._unwritten.items()):
                self.write(path, value)
            if not self._unwritten:
                self._told.clear()

    def remove(self, *paths: Path) -> None:
        """Remove the files, as far as that is possible."""
        for path in paths:
            self._unwritten.pop(path, None)
            with suppress(OSError):
                path.unlink(missing_ok=True)
