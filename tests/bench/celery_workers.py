"""Celery worker processes of a contender, started as the project starts its own.

Invariant: a worker counts as started when it has said so itself, and what it wrote is shown when it doesn't.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.bench.contender import end, wait_for

QUEUES = ("orchestration", "lead_generation", "content_creation", "ad_management", "analytics")


class CeleryWorkers:
    """``processes`` workers of ``slots`` threads over one application."""

    def __init__(self, app: str, *, folder: Path, environment: Mapping[str, str]) -> None:
        self._app, self._folder, self._environment = app, folder, environment
        self._running: list[subprocess.Popen[str]] = []

    @property
    def pids(self) -> list[int]:
        """Their pids."""
        return [process.pid for process in self._running]

    def start(self, *, processes: int, slots: int, queues: Sequence[str] = QUEUES) -> None:
        """Start them and wait until all take messages. RuntimeError with their output when one ends."""
        for number in range(processes):
            note = self._folder / f"worker-{number}.ready"
            note.unlink(missing_ok=True)
            with self._log(number).open("w", encoding="utf-8") as log:
                self._running.append(
                    subprocess.Popen(
                        [
                            sys.executable, "-m", "celery", "-A", self._app, "worker", "-P", "threads",
                            "-c", str(slots), "-n", f"bench-{number}@%h", "-Q", ",".join(queues), "-l", "WARNING",
                            "--without-gossip", "--without-mingle", "--without-heartbeat",
                        ],
                        env={**self._environment, "MARKETING_READY_FILE": str(note), "LOG_LEVEL": "WARNING"},
                        stdin=subprocess.DEVNULL,
                        stdout=log,
                        stderr=subprocess.STDOUT,
                        text=True,
                    )
                )  # fmt: skip
        for number in range(processes):
            wait_for(lambda n=number: self._ready(n), timeout=60, every=0.05, what=f"worker {number}")  # type: ignore[misc]  # the default binds the loop's variable

    def stop(self) -> None:
        """End them."""
        end(self._running)
        self._running = []

    def said(self) -> str:
        """What they wrote: warnings and errors."""
        return "".join(log.read_text("utf-8") for log in sorted(self._folder.glob("worker-*.log")))

    def _ready(self, number: int) -> bool:
        if (status := self._running[number].poll()) is not None:
            raise RuntimeError(f"worker {number} ended with {status}:\n{self._log(number).read_text('utf-8')[-3000:]}")
        return (self._folder / f"worker-{number}.ready").exists()

    def _log(self, number: int) -> Path:
        return self._folder / f"worker-{number}.log"
