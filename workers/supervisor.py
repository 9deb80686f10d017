"""Keeps a set of child processes alive, and takes every one of them along when it goes.

Used for Postgres, Redis, the sandbox, workers, beat and Flower on one machine. Invariants:

* A child that dies is started again, however often, after a pause that grows to a few seconds and shrinks
  back once the child has lived a while. A frozen child (SIGSTOP) is not dead and is left alone.
* No process is left behind: :meth:`Supervisor.stop` ends with SIGKILL for what doesn't leave by itself, and
  on Linux each child has asked the kernel for a signal should this process be killed (``launch.py``). The
  kernel ties that to the *thread* that forked, so one long-lived thread must do all starting: the first
  thread that starts a child is the only one allowed to.
* One thread, no signal handlers of its own: whoever drives :meth:`Supervisor.poll` decides when to stop.
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
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Literal

import psutil

#: Seconds between two looks at the children.
TICK_SECONDS = 0.05
#: A child that lived this long is taken to be healthy: its next restart is quick again.
HEALTHY_SECONDS = 10.0
#: A child that dies this often before it ever answered makes :meth:`Supervisor.start` give up.
MAX_FAILED_STARTS = 3
#: A log file is put aside (one generation) when its child starts and it is larger than this.
MAX_LOG_BYTES = 20_000_000

_BACKOFF_FIRST, _BACKOFF_MOST = 0.1, 3.0
_LAUNCH = Path(__file__).with_name("services") / "launch.py"


class ServiceError(Exception):
    """Raised when a service can't be started or reached. The text names the cause and the way out."""


class ChildFailed(ServiceError):
    """Raised when a child doesn't come up; the text ends with the tail of its log."""


class StartInterrupted(ServiceError):
    """Raised when a stop signal arrived before everything had started."""


EventKind = Literal["started", "ready", "exited", "restarted", "blocked", "stopped"]


@dataclass(frozen=True)
class Event:
    """Something that happened to a child.

    ``started``: a process was spawned (each time). ``ready``: it answers, for the first time.
    ``exited``: it died unasked. ``restarted``: its successor answers. ``blocked``: it can't be started again
    for now (detail says why; it is tried on). ``stopped``: it ended because it was told to.
    """

    kind: EventKind
    name: str
    pid: int
    detail: str = ""


@dataclass(frozen=True, kw_only=True)
class ChildSpec:
    """One child, as declared. Times in seconds."""

    name: str
    #: program (absolute path) and arguments; a callable is asked before each start
    argv: Sequence[str] | Callable[[], Sequence[str]]
    #: None: this process's environment
    env: Mapping[str, str] | None = None
    cwd: Path | None = None
    #: given the pid, whether the child answers; None: it does once it runs
    ready: Callable[[int], bool] | None = None
    ready_timeout: float = 60.0
    #: called before each start; False means "not yet" and is asked again. May raise ServiceError
    prepare: Callable[[], bool] | None = None
    #: the pid of a process that already does the child's work, started by somebody else: it is used, never
    #: stopped, and replaced by a child of our own once it dies
    adopt: Callable[[], int | None] | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    stop_timeout: float = 10.0
    #: sent when stop_timeout is over, with as long again until SIGKILL; None: SIGKILL at once
    quit_signal: signal.Signals | None = None
    #: what the kernel sends the child when we die (Linux)
    death_signal: signal.Signals = signal.SIGKILL
    #: see launch.py
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
    deadline: float = field(default=0.0)
    stopping: bool = False

    @property
    def running(self) -> bool:
        return self.process is not None or self.adopted is not None


def backoff_seconds(failures: int) -> float:
    """The pause before the start that follows the n-th death in a row (n from 1): 0.1, 0.2, ... at most 3."""
    return float(min(_BACKOFF_FIRST * 2.0 ** (min(failures, 10) - 1), _BACKOFF_MOST))


def describe_exit(status: int) -> str:
    """A ``Popen.returncode`` in words."""
    if status >= 0:
        return f"exit status {status}"
    try:
        return f"killed by {signal.Signals(-status).name}"
    except ValueError:
        return f"killed by signal {-status}"


class Supervisor:
    """Starts, watches and stops children. All times in seconds.

    Args:
        logs: folder for ``<name>.log``, which gets each child's stdout and stderr.
        on_event: told of each :class:`Event`, in the supervising thread.
    """

    def __init__(self, logs: Path, *, on_event: Callable[[Event], None] | None = None) -> None:
        self._logs = logs
        self._on_event = on_event
        self._groups: list[list[_Child]] = []
        self._thread: int | None = None

    # ---- what others ask ----

    @property
    def pids(self) -> dict[str, int]:
        """The pid of each child that runs now, by name."""
        return {child.spec.name: child.pid for child in self._children() if child.running}

    @property
    def owned(self) -> dict[str, tuple[int, ChildSpec]]:
        """Those of :attr:`pids` that are our own children, with their specs."""
        return {child.spec.name: (child.pid, child.spec) for child in self._children() if child.process is not None}

    def start(self, *specs: ChildSpec, interrupted: Callable[[], bool] = lambda: False) -> None:
        """Start children side by side and return when all are ready. They will be stopped together, after
        all that was started later.

        Raises:
            ChildFailed: one didn't answer in its time, or died again and again. Nothing is stopped.
            StartInterrupted: ``interrupted()`` became true.
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
                raise StartInterrupted("stopped while starting")
            time.sleep(TICK_SECONDS)

    def poll(self, timeout: float = 0.0) -> None:
        """Look after the children for ``timeout`` seconds (0: one look). A signal handler ends no poll."""
        deadline = time.monotonic() + timeout
        while True:
            self._tick()
            left = deadline - time.monotonic()
            if left <= 0:
                return
            time.sleep(min(left, TICK_SECONDS))

    def stop(self, *, hurry: Callable[[], bool] = lambda: False) -> None:
        """Stop all children, the last started group first; those below are kept alive meanwhile.

        Returns when every process we started is gone. When ``hurry()`` becomes true, children that survive
        SIGKILL without loss (those whose death signal it is) are killed at once.
        """
        while self._groups:
            group = self._groups[-1]
            for child in reversed(group):
                child.stopping = True
                if child.process is None:
                    continue
                child.deadline = time.monotonic() + child.spec.stop_timeout
                _signal(child.pid, child.spec.stop_signal)
                # One that was frozen gets its chance to leave in order.
                _signal(child.pid, signal.SIGCONT)
            quitting: set[str] = set()
            while any(child.process is not None for child in group):
                self._tick()
                for child in group:
                    if child.process is not None:
                        self._press(child, quitting, hurry=hurry())
                time.sleep(TICK_SECONDS / 5)
            self._groups.pop()

    # ---- one look ----

    def _children(self) -> list[_Child]:
        return [child for group in self._groups for child in group]

    def _tick(self, strict: Sequence[_Child] = ()) -> None:
        for child in self._children():
            self._notice_exit(child)
            if not child.running and not child.stopping and time.monotonic() >= child.start_at:
                try:
                    self._spawn(child)
                except (ServiceError, OSError) as error:
                    if any(child is one for one in strict):
                        raise
                    child.failures += 1
                    child.start_at = time.monotonic() + backoff_seconds(child.failures)
                    self._tell("blocked", child, str(error))
            if child.running and not child.ready and not child.stopping:
                self._notice_ready(child)

    def _notice_exit(self, child: _Child) -> None:
        if child.process is not None:
            status = child.process.poll()
            if status is None:
                return
            # Whatever it had started in its own group goes with it.
            _signal_group(child.pid, signal.SIGKILL)
            detail = describe_exit(status)
        elif child.adopted is not None:
            if child.adopted.is_running() and child.adopted.status() != psutil.STATUS_ZOMBIE:
                return
            detail = "gone"
        else:
            return
        lived = time.monotonic() - child.spawned_at
        child.failures = 1 if child.ready and lived >= HEALTHY_SECONDS else child.failures + 1
        child.failed_starts += 0 if child.was_ready else 1
        child.start_at = time.monotonic() + backoff_seconds(child.failures)
        child.process, child.adopted, child.ready = None, None, False
        self._tell("stopped" if child.stopping else "exited", child, detail)

    def _notice_ready(self, child: _Child) -> None:
        if child.spec.ready is not None and not child.spec.ready(child.pid):
            return
        child.ready = True
        kind: EventKind = "restarted" if child.was_ready else "ready"
        child.was_ready = True
        self._tell(kind, child)

    def _spawn(self, child: _Child) -> None:
        spec = child.spec
        if self._thread not in (None, threading.get_ident()):
            raise RuntimeError("children are tied to the thread that started the first one: poll from there")
        self._thread = threading.get_ident()
        if spec.adopt is not None and (pid := spec.adopt()) is not None:
            try:
                child.adopted, child.pid = psutil.Process(pid), pid
            except psutil.NoSuchProcess:
                return  # gone in this moment; look again
            child.spawned_at = time.monotonic()
            self._tell("started", child, "already running")
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
                start_new_session=True,  # Ctrl-C in the terminal is ours alone to pass on
            )
        child.pid = child.process.pid
        child.spawned_at = time.monotonic()
        self._tell("started", child)

    def _press(self, child: _Child, quitting: set[str], *, hurry: bool) -> None:
        """Sharper signals for a child that is told to stop and takes too long."""
        spec = child.spec
        if hurry and spec.death_signal == signal.SIGKILL:
            _signal_group(child.pid, signal.SIGKILL)
        elif time.monotonic() > child.deadline:
            if spec.quit_signal is not None and spec.name not in quitting:
                quitting.add(spec.name)
                child.deadline = time.monotonic() + spec.stop_timeout
                _signal(child.pid, spec.quit_signal)
            else:
                _signal_group(child.pid, signal.SIGKILL)

    # ---- logs and words ----

    def log_path(self, name: str) -> Path:
        return self._logs / f"{name}.log"

    def _open_log(self, name: str) -> IO[bytes]:
        path = self.log_path(name)
        if path.exists() and path.stat().st_size > MAX_LOG_BYTES:
            path.replace(path.with_suffix(".log.1"))
        return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab")

    def _failure(self, child: _Child, what: str) -> ChildFailed:
        path = self.log_path(child.spec.name)
        tail = log_tail(path)
        return ChildFailed(f"{child.spec.name} {what}; see {path}" + (f":\n{tail}" if tail else ""))

    def _tell(self, kind: EventKind, child: _Child, detail: str = "") -> None:
        if self._on_event is not None:
            self._on_event(Event(kind, child.spec.name, child.pid, detail))


def log_tail(path: Path, *, lines: int = 12, offset: int = 0) -> str:
    """The last lines of a log, from byte ``offset`` on; empty when there is none."""
    try:
        with path.open("rb") as stream:
            size = stream.seek(0, os.SEEK_END)
            stream.seek(max(size - 16_384, offset if offset <= size else 0))
            text = stream.read().decode("utf-8", "replace")
    except OSError:
        return ""
    return "\n".join(text.splitlines()[-lines:])


def _signal(pid: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):  # it has left already
        os.kill(pid, number)


def _signal_group(pid: int, number: signal.Signals) -> None:
    # Nobody left in the group; macOS says "not permitted" for a group of zombies.
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, number)
