"""What a contender is: started for a round, asked for campaigns one at a time and for a burst, stopped.

Invariant: a burst returns only when every campaign has ended, and raises :class:`BrokenPromiseError` when the
contender's own records don't show each piece of work done exactly once.
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeVar

from tests.bench.workload import Workload

T = TypeVar("T")

PROCESSES = 2
SLOTS = 16  #: campaigns (or tasks) at once, per process


class BrokenPromiseError(AssertionError):
    """The records after a run show work that is missing, doubled or failed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a contender may work in one round: fresh and its own."""

    database_url: str
    redis_url: str
    folder: Path
    environment: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Latencies:
    """Of campaigns that ran one at a time, in seconds."""

    hops: Sequence[float]  #: between the starts of two following hops
    campaigns: Sequence[float]  #: from submit to end


class Contender(Protocol):
    """One row of the table."""

    name: str
    title: str

    def start(self, place: Place) -> None:
        """Start the processes and return when they take work."""
        ...

    def pids(self) -> Sequence[int]:
        """Roots of its processes, this one excepted."""
        ...

    def alone(self, workload: Workload, campaigns: int) -> Latencies:
        """Run campaigns one at a time."""
        ...

    def burst(self, workload: Workload, campaigns: int) -> None:
        """Submit campaigns at once and wait for the last to end."""
        ...

    def verify(self, workload: Workload, campaigns: int) -> None:
        """Check the records of the last burst; BrokenPromiseError when they don't add up."""
        ...

    def stop(self) -> None:
        """End the processes; safe to repeat."""
        ...


def wait_for(condition: Callable[[], T], *, timeout: float, every: float, what: str) -> T:
    """The first truthy value of ``condition()``; TimeoutError after ``timeout`` seconds."""
    deadline = time.monotonic() + timeout
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {timeout:g} s in vain for {what}")
        time.sleep(every)
    return value


@contextmanager
def ended_on_failure(contender: Contender) -> Iterator[None]:
    """Stop the contender when what is inside raises."""
    try:
        yield
    except BaseException:
        contender.stop()
        raise


def end(processes: Sequence[subprocess.Popen[str]], timeout: float = 15.0) -> None:
    """SIGTERM to all, then SIGKILL to those that are left after ``timeout`` seconds."""
    for process in processes:
        if process.poll() is None:
            process.terminate()
    deadline = time.monotonic() + timeout
    for process in processes:
        try:
            process.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(10)
