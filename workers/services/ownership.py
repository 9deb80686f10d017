"""Ownership of a home by one process, attachment of others, and cleanup after an owner that was killed.

Invariants: one running process owns a home (it holds ``run/owner.lock`` exclusively). The owner's note
(:mod:`integrations.fleet_note`) is valid only while the owner runs. A new owner first stops the child processes that
a killed owner recorded in ``run/children.json``, so two generations of servers never share a data folder.

An *attached* process uses the servers of a home that another process owns. It holds ``run/attached.lock`` shared, so
that an ending owner can wait until it detaches.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Mapping
from contextlib import suppress

import psutil

from integrations.fleet_note import FleetNote, OwnerKind, ProcessMark, Whereabouts, note_path, read_note
from integrations.fleet_secrets import credentials_of, credentials_path
from workers.child import ChildSpec
from workers.services.errors import HomeInUseError, NoOwnerError
from workers.services.home import FileLock, Home, read_json
from workers.services.records import Records

#: Start times of one process may differ by this many seconds, because the wall clock is corrected.
_SAME_START_S = 2.0

_CHILDREN = "children.json"


class ChildMark(ProcessMark):
    """A child process, with how to stop it if its owner is killed."""

    stop_signal: int
    stop_timeout: float


def process_mark(pid: int) -> ProcessMark:
    """Return the mark of a running process.

    Raises psutil.NoSuchProcess when it doesn't run.
    """
    return ProcessMark(pid=pid, started=psutil.Process(pid).create_time())


def living(mark: ProcessMark) -> psutil.Process | None:
    """Return the marked process, or None when it has ended (a zombie has)."""
    try:
        process = psutil.Process(mark.pid)
        same = abs(process.create_time() - mark.started) < _SAME_START_S
        return process if same and process.status() != psutil.STATUS_ZOMBIE else None
    except psutil.Error:
        return None


def read_owner(home: Home) -> FleetNote | None:
    """Return the note of the running owner, or None when no owner runs."""
    note = read_note(home.path)
    return note if note is not None and living(note.owner) else None


class Ownership:
    """Ownership of a home by this process, from :meth:`take` to :meth:`release`.

    What it writes are hints for other processes (:mod:`workers.services.records`); ``on_trouble`` is called with the
    reason when they can't be written.
    """

    def __init__(self, home: Home, kind: OwnerKind, *, on_trouble: Callable[[str], None] = lambda reason: None) -> None:
        self._home = home
        self._records = Records(on_trouble)
        self._kind = kind
        self._lock = home.lock("owner")
        self._attached = home.lock("attached")
        self._marks: dict[str, ChildMark] = {}

    def take(self, *, timeout: float = 0.2) -> None:
        """Become the owner, then stop the child processes left by a killed owner.

        Raises HomeInUseError when another process owns the home.
        """
        self._home.create()
        if not self._lock.acquire(timeout=timeout):
            note = read_owner(self._home)
            by = f" by process {note.owner.pid}" if note else ""
            raise HomeInUseError(f"{self._home.path} is in use{by}. Join it, or set MARKETING_HOME to another folder.")
        self.publish(Whereabouts(), ready=False)
        stop_leftovers(self._home)

    def publish(self, where: Whereabouts, *, ready: bool) -> None:
        """Write the note from which other processes learn the addresses of the servers, its secrets to a file apart."""
        self._records.write(
            credentials_path(self._home.path), dict(credentials_of(where.database_url, where.redis_url))
        )
        shown = where.shown()
        known = {name: getattr(shown, name) for name in Whereabouts.model_fields}
        note = FleetNote(**known, kind=self._kind, owner=process_mark(os.getpid()), ready=ready)
        self._records.write(note_path(self._home.path), note.model_dump(mode="json"))

    def note_children(self, owned: Mapping[str, tuple[int, ChildSpec]]) -> None:
        """Record the child processes, so that the next owner can stop them if this process is killed."""
        marks: dict[str, ChildMark] = {}
        for name, (pid, spec) in owned.items():
            known = self._marks.get(name)
            if known is None or known.pid != pid:
                try:
                    started = process_mark(pid).started
                except psutil.Error:
                    continue  # it has ended; the supervisor will see that
                known = ChildMark(
                    pid=pid, started=started, stop_signal=spec.stop_signal, stop_timeout=spec.stop_timeout
                )
            marks[name] = known
        if marks != self._marks:
            self._marks = marks
            self._records.write(
                self._home.run / _CHILDREN, {name: mark.model_dump(mode="json") for name, mark in marks.items()}
            )

    def catch_up(self) -> None:
        """Write what could not be written before, now and then."""
        self._records.catch_up()

    def wait_for_detach(
        self, timeout: float, poll: Callable[[], None], *, interrupted: Callable[[], bool] = lambda: False
    ) -> bool:
        """Wait until no process is attached, and return whether that was reached.

        From then on no process can attach. ``poll()`` is called in a loop and sets its pace (it polls the supervisor).
        The wait ends after ``timeout`` seconds, or when ``interrupted()`` returns true.
        """
        deadline = time.monotonic() + timeout
        while not self._attached.acquire():
            if time.monotonic() >= deadline:
                return False
            poll()
            if interrupted():
                return False
        return True

    def release(self) -> None:
        """Release the home after all child processes have ended."""
        if self._lock.held:
            home = self._home.path
            self._records.remove(note_path(home), credentials_path(home), self._home.run / _CHILDREN)
        self._marks = {}
        self._attached.release()
        self._lock.release()


def attach_to_owner(home: Home, *, kinds: tuple[OwnerKind, ...], timeout: float) -> tuple[FleetNote, FileLock]:
    """Attach to the running owner and return its note and a shared lock.

    The caller releases the lock to detach. Raises NoOwnerError when no process owns the home, or when the owner is
    ending or not ready in time, and HomeInUseError when the owner is of another kind.

    Args:
        kinds: the kinds of owner to accept.
        timeout: seconds to wait for an owner that is still starting.
    """
    if not home.run.is_dir():
        raise NoOwnerError(f"nothing runs in {home.path}")
    lock = home.lock("attached")
    deadline = time.monotonic() + timeout
    while True:
        note = read_owner(home)
        if note is None:
            lock.release()
            raise NoOwnerError(f"nothing runs in {home.path}")
        if note.kind not in kinds:
            lock.release()
            raise HomeInUseError(
                f"{home.path} is in use by process {note.owner.pid}, which runs {note.kind} only. "
                "Set MARKETING_HOME to another folder."
            )
        # The note is read again after locking, because an ending owner locks the file exclusively.
        if note.ready and lock.held:
            return note, lock
        if not lock.acquire(shared=True) or not note.ready:
            if time.monotonic() > deadline:
                lock.release()
                raise NoOwnerError(f"the owner of {home.path} (process {note.owner.pid}) is starting or ending")
            time.sleep(0.05)


def stop_leftovers(home: Home) -> None:
    """Stop the child processes of a killed owner by their own stop signals, then by SIGKILL.

    On Linux the kernel has signalled them already and this only waits until they have ended.
    """
    value = read_json(home.run / _CHILDREN)
    left: list[tuple[psutil.Process, float]] = []
    for child in value.values() if isinstance(value, dict) else ():
        try:
            mark = ChildMark.model_validate(child)
            process = living(mark)
            if process is None:
                continue
            process.send_signal(signal.Signals(mark.stop_signal))
            process.send_signal(signal.SIGCONT)  # a frozen process must run to exit cleanly
            left.append((process, time.monotonic() + mark.stop_timeout))
        except (ValueError, psutil.NoSuchProcess):
            continue
    for process, deadline in left:
        try:
            process.wait(max(deadline - time.monotonic(), 0))
        except psutil.TimeoutExpired:
            process.kill()
            process.wait(5)
    with suppress(OSError):  # they are known to have ended: a list that stays does no harm
        (home.run / _CHILDREN).unlink(missing_ok=True)
