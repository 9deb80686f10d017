"""A supervisor that restarts child processes when they die and stops all of them when it ends.

Used for Postgres, Redis, the sandbox, workers, beat and Flower on one machine. Invariants:

* A child that dies is restarted, however often, after a backoff that grows to a few seconds and is reset once
  the child has been up for a while. A frozen child (SIGSTOP) is not dead and is left alone.
* No process is left behind: :meth:`Supervisor.stop` ends with SIGKILL for children that don't exit, and on Linux
  each child has asked the kernel for a signal in case this process is killed (``launch.py``). The kernel ties that
  to the *thread* that forked, so one long-lived thread must start all children: the first thread that starts a
  child is the only one allowed to.
* One thread, no signal handlers of its own: the caller of :meth:`Supervisor.poll` decides when to stop.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Literal

import psutil

#: Seconds between two checks of the children.
TICK_S = 0.05
#: A child that was up for this many seconds counts as healthy: its backoff is reset.
HEALTHY_S = 10.0
#: :meth:`Supervisor.start` gives up on a child that dies this often before it was ever ready.
MAX_FAILED_STARTS = 3
#: A log file larger than this is rotated (one generation is kept) when its child starts.
MAX_LOG_BYTES = 20_000_000

_BACKOFF_FIRST_S, _BACKOFF_MAX_S = 0.1, 3.0
_LAUNCH = Path(__file__).with_name("services") / "launch.py"


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


EventKind = Literal["started", "ready", "exited", "restarted", "blocked", "stopped"]


@dataclass(frozen=True)
class Event:
    """A change in the state of a child.

    ``started``: a process was spawned (each time). ``ready``: it is ready for the first time.
    ``exited``: it ended unexpectedly. ``restarted``: a restarted child is ready. ``blocked``: it can't be restarted
    for now (detail says why; starting is retried). ``stopped``: it ended because it was told to.
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


@dataclass
class _Child:
    spec: ChildSpec
    process: subprocess.Popen[bytes] | None = None
    adopted: psutil.Process | None = None
    pid: int = 0
    ready: bool = False
    was_ready: bool = False
    failures: int = 0
    failed_starts: int = 0
    spawned_at: float = 0.0
    start_at: float = 0.0
    deadline: float = 0.0
    stopping: bool = False

    @property
    def running(self) -> bool:
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


class Supervisor:
    """Starts, restarts and stops child processes.

    All times are in seconds.

    Args:
        logs: folder for ``<name>.log``, which gets each child's stdout and stderr.
        on_event: called with each :class:`Event`, in the supervising thread.
    """

    def __init__(self, logs: Path, *, on_event: Callable[[Event], None] | None = None) -> None:
        self._logs = logs
        self._on_event = on_event
        self._groups: list[list[_Child]] = []
        self._thread: int | None = None

    # ---- public interface ----

    @property
    def pids(self) -> dict[str, int]:
        """Pids of the running children, by name."""
        return {child.spec.name: child.pid for child in self._children() if child.running}

    @property
    def owned(self) -> dict[str, tuple[int, ChildSpec]]:
        """Pids and specs of the running children that were not adopted, by name."""
        return {child.spec.name: (child.pid, child.spec) for child in self._children() if child.process is not None}

    def start(self, *specs: ChildSpec, interrupted: Callable[[], bool] = lambda: False) -> None:
        """Start a group of children in parallel and return when all are ready.

        :meth:`stop` stops a group together, after the groups that were started later.

        Raises ChildFailedError when one isn't ready in time or dies again and again (nothing is stopped then), and
        StartInterruptedError when ``interrupted()`` returns true.
        """
        now = time.monotonic()
        group = [_Child(spec, deadline=now + spec.ready_timeout) for spec in specs]
        self._groups.append(group)
        while True:
            self._tick(strict=group)
            waiting = [child for child in group if not child.ready]
            if not waiting:
                return
            for child in waiting:
                if child.failed_starts >= MAX_FAILED_STARTS:
                    raise self._failure(child, f"died {child.failed_starts} times before it answered")
                if time.monotonic() > child.deadline:
                    raise self._failure(child, f"didn't answer within {child.spec.ready_timeout:g} s")
            if interrupted():
                raise StartInterruptedError("stopped while starting")
            time.sleep(TICK_S)

    def poll(self, timeout: float = 0.0) -> None:
        """Check and restart children for ``timeout`` seconds (0: check once).

        A signal handler doesn't cut this short.
        """
        deadline = time.monotonic() + timeout
        while True:
            self._tick()
            left = deadline - time.monotonic()
            if left <= 0:
                return
            time.sleep(min(left, TICK_S))

    def stop(self, *, force: Callable[[], bool] = lambda: False) -> None:
        """Stop all children, the last started group first, while the earlier groups are kept running.

        Returns when every child has ended. When ``force()`` returns true, children that lose nothing by SIGKILL
        (those whose death signal it is) are killed at once.
        """
        while self._groups:
            group = self._groups[-1]
            for child in reversed(group):
                child.stopping = True
                if child.process is None:
                    continue
                child.deadline = time.monotonic() + child.spec.stop_timeout
                _signal(child.pid, child.spec.stop_signal)
                # A frozen child must run to exit cleanly.
                _signal(child.pid, signal.SIGCONT)
            quitting: set[str] = set()
            while any(child.process is not None for child in group):
                self._tick()
                for child in group:
                    if child.process is not None:
                        self._escalate(child, quitting, force=force())
                time.sleep(TICK_S / 5)
            self._groups.pop()

    # ---- one check ----

    def _children(self) -> list[_Child]:
        return [child for group in self._groups for child in group]

    def _tick(self, strict: Sequence[_Child] = ()) -> None:
        for child in self._children():
            self._check_exit(child)
            if not child.running and not child.stopping and time.monotonic() >= child.start_at:
                try:
                    self._spawn(child)
                except (ServiceError, OSError) as error:
                    if any(child is one for one in strict):
                        raise
                    child.failures += 1
                    child.start_at = time.monotonic() + backoff_s(child.failures)
                    self._emit("blocked", child, str(error))
            if child.running and not child.ready and not child.stopping:
                self._check_ready(child)

    def _check_exit(self, child: _Child) -> None:
        if child.process is not None:
            status = child.process.poll()
            if status is None:
                return
            # Its own children, which are in its process group, end with it.
            _signal_group(child.pid, signal.SIGKILL)
            detail = describe_exit(status)
        elif child.adopted is not None:
            if child.adopted.is_running() and child.adopted.status() != psutil.STATUS_ZOMBIE:
                return
            detail = "gone"
        else:
            return
        lived = time.monotonic() - child.spawned_at
        child.failures = 1 if child.ready and lived >= HEALTHY_S else child.failures + 1
        child.failed_starts += 0 if child.was_ready else 1
        child.start_at = time.monotonic() + backoff_s(child.failures)
        child.process, child.adopted, child.ready = None, None, False
        self._emit("stopped" if child.stopping else "exited", child, detail)

    def _check_ready(self, child: _Child) -> None:
        if child.spec.ready is not None and not child.spec.ready(child.pid):
            return
        child.ready = True
        kind: EventKind = "restarted" if child.was_ready else "ready"
        child.was_ready = True
        self._emit(kind, child)

    def _spawn(self, child: _Child) -> None:
        spec = child.spec
        if self._thread not in (None, threading.get_ident()):
            raise RuntimeError("children are tied to the thread that started the first one: poll from there")
        self._thread = threading.get_ident()
        if spec.adopt is not None and (pid := spec.adopt()) is not None:
            try:
                child.adopted, child.pid = psutil.Process(pid), pid
            except psutil.NoSuchProcess:
                return  # it ended just now; checked again at the next tick
            child.spawned_at = time.monotonic()
            self._emit("started", child, "already running")
            return
        if spec.prepare is not None and not spec.prepare():
            return
        argv = spec.argv() if callable(spec.argv) else spec.argv
        launch = [sys.executable, "-I", "-S", str(_LAUNCH), str(os.getpid()), str(int(spec.death_signal))]
        with self._open_log(spec.name) as log:
            child.process = subprocess.Popen(
                [*launch, spec.identity, *argv],
                env=None if spec.env is None else dict(spec.env),
                cwd=spec.cwd,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C in the terminal must not reach children directly
            )
        child.pid = child.process.pid
        child.spawned_at = time.monotonic()
        self._emit("started", child)

    def _escalate(self, child: _Child, quitting: set[str], *, force: bool) -> None:
        """Send a stronger signal to a child that has not stopped in time."""
        spec = child.spec
        if force and spec.death_signal == signal.SIGKILL:
            _signal_group(child.pid, signal.SIGKILL)
        elif time.monotonic() > child.deadline:
            if spec.quit_signal is not None and spec.name not in quitting:
                quitting.add(spec.name)
                child.deadline = time.monotonic() + spec.stop_timeout
                _signal(child.pid, spec.quit_signal)
            else:
                _signal_group(child.pid, signal.SIGKILL)

    # ---- logs and events ----

    def log_path(self, name: str) -> Path:
        """Return the path of a child's log."""
        return self._logs / f"{name}.log"

    def _open_log(self, name: str) -> IO[bytes]:
        path = self.log_path(name)
        if path.exists() and path.stat().st_size > MAX_LOG_BYTES:
            path.replace(path.with_suffix(".log.1"))
        return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab")

    def _failure(self, child: _Child, what: str) -> ChildFailedError:
        path = self.log_path(child.spec.name)
        tail = log_tail(path)
        return ChildFailedError(f"{child.spec.name} {what}; see {path}" + (f":\n{tail}" if tail else ""))

    def _emit(self, kind: EventKind, child: _Child, detail: str = "") -> None:
        if self._on_event is not None:
            self._on_event(Event(kind, child.spec.name, child.pid, detail))


def log_tail(path: Path, *, lines: int = 12, offset: int = 0) -> str:
    """Return the last lines of a log from byte ``offset`` on, or an empty text when there is no log."""
    try:
        with path.open("rb") as stream:
            size = stream.seek(0, os.SEEK_END)
            stream.seek(max(size - 16_384, offset if offset <= size else 0))
            text = stream.read().decode("utf-8", "replace")
    except OSError:
        return ""
    return "\n".join(text.splitlines()[-lines:])


def _signal(pid: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):  # it has ended already
        os.kill(pid, number)


def _signal_group(pid: int, number: signal.Signals) -> None:
    # The group is empty; macOS says "not permitted" for a group of zombies.
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, number)
