"""A child process as its supervisor sees it: how it is started and stopped, and what happens to it."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import psutil

_BACKOFF_FIRST_S, _BACKOFF_MAX_S = 0.1, 3.0


class ServiceError(Exception):
    """A service can't be started or reached.

    The message names the cause and what to do about it.
    """


class ChildFailedError(ServiceError):
    """A child process did not become ready.

    The message ends with the last lines of its log.
    """


class StartInterruptedError(ServiceError):
    """A stop signal arrived while children were starting."""


EventKind = Literal["started", "ready", "exited", "replaced", "restarted", "blocked", "unwritten", "stopped"]


@dataclass(frozen=True)
class Event:
    """A change in the state of a child.

    ``started``: a process was spawned (each time). ``ready``: it is ready for the first time.
    ``exited``: it ended unexpectedly. ``replaced``: it runs and is of no use (detail says why), so it was told to end.
    ``restarted``: a restarted child is ready. ``blocked``: it can't be started for now (detail says why; starting is
    retried). ``unwritten``: its log or a note about it can't be written (detail says why; told once). ``stopped``: it
    ended because it was told to.
    """

    kind: EventKind
    name: str
    pid: int
    detail: str = ""


@dataclass(frozen=True, kw_only=True)
class ChildSpec:
    """How to start, check and stop one child process.

    Times are in seconds.
    """

    name: str
    #: program (absolute path) and arguments; a callable is called before each start
    argv: Sequence[str] | Callable[[], Sequence[str]]
    #: None: this process's environment
    env: Mapping[str, str] | None = None
    cwd: Path | None = None
    #: readiness check, given the pid; None: the child is ready once it runs
    ready: Callable[[int], bool] | None = None
    ready_timeout: float = 60.0
    #: called before each start; False means "not yet" and it is called again. May raise ServiceError
    prepare: Callable[[], bool] | None = None
    #: returns the pid of a process that already does the child's work and is not a child of this process. It is
    #: adopted: used, never stopped, and replaced by a child of our own when it dies
    adopt: Callable[[], int | None] | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    stop_timeout: float = 10.0
    #: sent after stop_timeout, followed by SIGKILL after another stop_timeout; None: SIGKILL at once
    quit_signal: signal.Signals | None = None
    #: sent by the kernel to the child when this process dies (Linux)
    death_signal: signal.Signals = signal.SIGKILL
    #: the user to run as, in the notation of launch.py
    identity: str = "same"
    #: a ready child that has been frozen (SIGSTOP) for longer than this is replaced; None: it is left alone
    frozen_timeout: float | None = None


@dataclass
class Child:
    """State of one child of a supervisor, with times of the monotonic clock in seconds."""

    spec: ChildSpec
    process: subprocess.Popen[bytes] | None = None
    adopted: psutil.Process | None = None
    pid: int = 0
    ready: bool = False
    was_ready: bool = False
    failures: int = 0
    failed_starts: int = 0
    spawned_at: float = 0.0
    ready_at: float = 0.0
    start_at: float = 0.0
    deadline: float = 0.0
    stopping: bool = False
    quit_sent: bool = False
    #: why it is being replaced; empty: it isn't
    useless: str = ""
    frozen_since: float | None = None
    #: why it could not be started the last time, or its log not be opened; empty: it could
    blocked: str = ""
    unlogged: str = ""

    @property
    def running(self) -> bool:
        """Whether a process does the child's work."""
        return self.process is not None or self.adopted is not None


def backoff_s(failures: int) -> float:
    """Return the seconds to wait before a restart, after so many failures in a row: 0.1, 0.2, 0.4, at most 3."""
    return float(min(_BACKOFF_FIRST_S * 2.0 ** (min(failures, 10) - 1), _BACKOFF_MAX_S))


def describe_exit(status: int) -> str:
    """Describe a ``Popen.returncode`` in words."""
    if status >= 0:
        return f"exit status {status}"
    try:
        return f"killed by {signal.Signals(-status).name}"
    except ValueError:
        return f"killed by signal {-status}"
