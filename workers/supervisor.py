"""A supervisor that restarts child processes when they die and stops all of them when it ends.

Used for Postgres, Redis, the sandbox, workers, beat and Flower on one machine. Invariants:

* A child that dies is restarted, however often, after a backoff that grows to a few seconds and is reset once
  the child has been up for a while. A frozen child (SIGSTOP) is not dead: it is left alone, and replaced only when its
  spec says after how long (``frozen_timeout``). A child that runs and is of no use is replaced by :meth:`replace`.
* Nothing that happens to a child, a log, a note or a listener ends the supervision: a full disk blocks a start, which
  is tried again, and a listener that fails is logged.
* No process is left behind: :meth:`Supervisor.stop` ends with SIGKILL for children that don't exit, and on Linux
  each child has asked the kernel for a signal in case this process is killed (``launch.py``). The kernel ties that
  to the *thread* that forked, so one long-lived thread must start all children: the first thread that starts a
  child is the only one allowed to.
* One thread, no signal handlers of its own: the caller of :meth:`Supervisor.poll` decides when to stop.
"""

from __future__ import annotations

import errno
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO

import psutil

from workers.child import (
    Child,
    ChildFailedError,
    ChildSpec,
    Event,
    EventKind,
    ServiceError,
    StartInterruptedError,
    backoff_s,
    describe_exit,
)

log = logging.getLogger(__name__)

#: Seconds between two checks of the children.
TICK_S = 0.05
#: A child that was up for this many seconds counts as healthy: its backoff is reset.
HEALTHY_S = 10.0
#: :meth:`Supervisor.start` gives up on a child that dies this often before it was ever ready.
MAX_FAILED_STARTS = 3
#: A log file larger than this is rotated (one generation is kept) when its child starts.
MAX_LOG_BYTES = 20_000_000

_LAUNCH = Path(__file__).with_name("services") / "launch.py"

#: What may go wrong with one child, or in a listener, without an end of the supervision.
_FAILURES = (ServiceError, OSError, ValueError, psutil.Error, subprocess.SubprocessError)
#: What the machine has none of for now: starting is tried again from the first start on.
_SHORTAGES = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EAGAIN, errno.ENOMEM, errno.EMFILE, errno.ENFILE)


class Supervisor:
    """Starts, restarts and stops child processes.

    All times are in seconds.

    Args:
        logs: folder for ``<name>.log``, which gets each child's stdout and stderr.
        on_event: called with each :class:`Event`, in the supervising thread. Its errors are logged.
    """

    def __init__(self, logs: Path, *, on_event: Callable[[Event], None] | None = None) -> None:
        self._logs = logs
        self._on_event = on_event
        self._groups: list[list[Child]] = []
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

    @property
    def ready_for(self) -> dict[str, tuple[int, float]]:
        """Pids of the ready children that were not adopted, and for how many seconds they have been ready, by name."""
        now = time.monotonic()
        ready = (child for child in self._children() if child.process is not None and child.ready)
        return {child.spec.name: (child.pid, now - child.ready_at) for child in ready}

    def start(self, *specs: ChildSpec, interrupted: Callable[[], bool] = lambda: False) -> None:
        """Start a group of children in parallel and return when all are ready.

        :meth:`stop` stops a group together, after the groups that were started later.

        Raises ChildFailedError when one isn't ready in time or dies again and again (nothing is stopped then), and
        StartInterruptedError when ``interrupted()`` returns true.
        """
        now = time.monotonic()
        group = [Child(spec, deadline=now + spec.ready_timeout) for spec in specs]
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
                    why = f" ({child.blocked})" if child.blocked else ""
                    raise self._failure(child, f"didn't answer within {child.spec.ready_timeout:g} s{why}")
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

    def replace(self, name: str, pid: int, why: str) -> None:
        """Stop the child ``name``, which is of no use, by its stop signal, later by SIGKILL, and start another.

        Nothing happens when its process is not ``pid`` any more, or is being stopped already.
        """
        for child in self._children():
            present = child.spec.name == name and child.pid == pid and child.process is not None
            if present and not child.stopping and not child.useless:
                child.useless = why
                self._ask_to_end(child)
                self._emit("replaced", child, why)

    def stop(self, *, force: Callable[[], bool] = lambda: False) -> None:
        """Stop all children, the last started group first, while the earlier groups are kept running.

        Returns when every child has ended, and raises only then what went wrong in between. When ``force()`` returns
        true, children that lose nothing by SIGKILL (those whose death signal it is) are killed at once.
        """
        failed: Exception | None = None
        while self._groups:
            group = self._groups[-1]
            for child in reversed(group):
                child.stopping = True
                if child.process is not None:
                    self._ask_to_end(child)
            while any(child.process is not None for child in group):
                try:
                    self._tick()
                except Exception as error:  # whatever it is, no child may be left behind
                    failed = failed or error
                    for child in group:
                        self._check_exit(child)
                for child in group:
                    if child.process is not None:
                        self._escalate(child, force=force())
                time.sleep(TICK_S / 5)
            self._groups.pop()
        if failed is not None:
            raise failed

    # ---- one check ----

    def _children(self) -> list[Child]:
        return [child for group in self._groups for child in group]

    def _tick(self, strict: Sequence[Child] = ()) -> None:
        for child in self._children():
            self._check_exit(child)
            if not child.running and not child.stopping and time.monotonic() >= child.start_at:
                try:
                    self._spawn(child)
                    child.blocked = ""
                except _FAILURES as error:
                    short = isinstance(error, OSError) and error.errno in _SHORTAGES
                    if not short and any(child is one for one in strict):
                        if isinstance(error, ServiceError):
                            raise
                        raise ServiceError(f"{child.spec.name} can't be started: {error}") from error
                    self._block(child, str(error))
            if child.running and not child.ready and not child.stopping:
                self._check_ready(child)
            if child.process is not None and not child.stopping:
                self._check_frozen(child)
                if child.useless:
                    self._escalate(child, force=False)

    def _block(self, child: Child, why: str) -> None:
        child.failures += 1
        child.start_at = time.monotonic() + backoff_s(child.failures)
        if why != child.blocked:  # told once, not at each attempt
            child.blocked = why
            self._emit("blocked", child, why)

    def _check_exit(self, child: Child) -> None:
        if child.process is not None:
            status = child.process.poll()
            if status is None:
                return
            # Its own children, which are in its process group, end with it.
            _signal_group(child.pid, signal.SIGKILL)
            detail = describe_exit(status)
        elif child.adopted is not None:
            if _lives(child.adopted):
                return
            detail = "gone"
        else:
            return
        lived = time.monotonic() - child.spawned_at
        child.failures = 1 if child.ready and lived >= HEALTHY_S else child.failures + 1
        child.failed_starts += 0 if child.was_ready else 1
        child.start_at = time.monotonic() + backoff_s(child.failures)
        if child.useless:
            detail = f"{detail}, replaced: {child.useless}"
        child.process, child.adopted, child.ready = None, None, False
        child.useless, child.quit_sent, child.frozen_since = "", False, None
        self._emit("stopped" if child.stopping else "exited", child, detail)

    def _check_ready(self, child: Child) -> None:
        try:
            if child.spec.ready is not None and not child.spec.ready(child.pid):
                return
        except _FAILURES as error:
            log.debug("%s: its check failed: %s", child.spec.name, error)
            return
        child.ready, child.ready_at = True, time.monotonic()
        kind: EventKind = "restarted" if child.was_ready else "ready"
        child.was_ready = True
        self._emit(kind, child)

    def _check_frozen(self, child: Child) -> None:
        """Replace a child that has been frozen for longer than its spec allows."""
        limit = child.spec.frozen_timeout
        if limit is None or not child.ready or child.useless:
            return
        try:
            frozen = psutil.Process(child.pid).status() == psutil.STATUS_STOPPED
        except psutil.Error:
            return  # it has ended; seen at the next tick
        now = time.monotonic()
        child.frozen_since = (child.frozen_since or now) if frozen else None
        if child.frozen_since is not None and now - child.frozen_since > limit:
            self.replace(child.spec.name, child.pid, f"frozen (stopped by a signal) for {limit:g} s")

    def _spawn(self, child: Child) -> None:
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
        with self._open_log(child) as output:
            child.process = subprocess.Popen(
                [*launch, spec.identity, *argv],
                env=None if spec.env is None else dict(spec.env),
                cwd=spec.cwd,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C in the terminal must not reach children directly
            )
        child.pid = child.process.pid
        child.spawned_at = time.monotonic()
        self._emit("started", child)

    def _ask_to_end(self, child: Child) -> None:
        child.deadline = time.monotonic() + child.spec.stop_timeout
        _signal(child.pid, child.spec.stop_signal)
        # A frozen child must run to exit cleanly.
        _signal(child.pid, signal.SIGCONT)

    def _escalate(self, child: Child, *, force: bool) -> None:
        """Send a stronger signal to a child that has not stopped in time."""
        spec = child.spec
        if force and spec.death_signal == signal.SIGKILL:
            _signal_group(child.pid, signal.SIGKILL)
        elif time.monotonic() > child.deadline:
            if spec.quit_signal is not None and not child.quit_sent:
                child.quit_sent = True
                child.deadline = time.monotonic() + spec.stop_timeout
                _signal(child.pid, spec.quit_signal)
            else:
                _signal_group(child.pid, signal.SIGKILL)

    # ---- logs and events ----

    def log_path(self, name: str) -> Path:
        """Return the path of a child's log."""
        return self._logs / f"{name}.log"

    def _open_log(self, child: Child) -> IO[bytes]:
        """Open the child's log, or nothing's when that is not possible: a child is worth more than its log."""
        path = self.log_path(child.spec.name)
        try:
            if path.exists() and path.stat().st_size > MAX_LOG_BYTES:
                path.replace(path.with_suffix(".log.1"))
            opened = os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab")
            child.unlogged = ""
        except OSError as error:
            if child.unlogged != str(error):
                child.unlogged = str(error)
                self._emit("unwritten", child, f"no log: {error}")
            opened = os.fdopen(os.open(os.devnull, os.O_WRONLY), "ab")
        return opened

    def _failure(self, child: Child, what: str) -> ChildFailedError:
        path = self.log_path(child.spec.name)
        tail = log_tail(path)
        return ChildFailedError(f"{child.spec.name} {what}; see {path}" + (f":\n{tail}" if tail else ""))

    def _emit(self, kind: EventKind, child: Child, detail: str = "") -> None:
        if self._on_event is None:
            return
        event = Event(kind, child.spec.name, child.pid, detail)
        try:
            self._on_event(event)
        except _FAILURES as error:
            log.warning("%s: nobody could be told: %s", event, error)


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


def _lives(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def _signal(pid: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError, PermissionError):  # it has ended already, or its pid is somebody else's by now
        os.kill(pid, number)


def _signal_group(pid: int, number: signal.Signals) -> None:
    # The group is empty; macOS says "not permitted" for a group of zombies.
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, number)
