"""Who owns a home, who else is using it, and what a dead owner left behind.

Invariants: one living process owns a home (``run/owner.lock``, exclusive); everything that its note
(:mod:`integrations.fleet_note`) says is believed only while that process lives; the next owner first stops what the
record of a killed owner still names, so no two generations of servers ever share a data folder.

A *guest* uses a running home without owning it. It holds ``run/guests.lock`` shared, so that an owner that
ends its work can wait for it.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Mapping
from typing import Any

import psutil

from integrations.fleet_note import FleetNote, OwnerKind, ProcessMark, Whereabouts, note_path, read_note
from workers.services.errors import HomeInUse, NoOwner
from workers.services.home import FileLock, Home, read_json, write_json
from workers.supervisor import ChildSpec

#: Start times read twice from the kernel may differ a little when the wall clock is corrected.
_SAME_START_SECONDS = 2.0


def process_mark(pid: int) -> ProcessMark:
    """Mark a running process. Raises psutil.NoSuchProcess when it doesn't run."""
    return ProcessMark(pid=pid, started=psutil.Process(pid).create_time())


def living(mark: ProcessMark) -> psutil.Process | None:
    """Find the marked process; None when it has ended (a zombie has)."""
    try:
        process = psutil.Process(mark.pid)
        same = abs(process.create_time() - mark.started) < _SAME_START_SECONDS
        return process if same and process.status() != psutil.STATUS_ZOMBIE else None
    except psutil.Error:
        return None


def read_owner(home: Home) -> FleetNote | None:
    """Read the note of a living owner; None when there is none."""
    note = read_note(home.path)
    return note if note is not None and living(note.owner) else None


class Ownership:
    """The owner's side: the lock, the record, the children's marks and the wait for guests."""

    def __init__(self, home: Home, kind: OwnerKind) -> None:
        self._home = home
        self._kind = kind
        self._lock = home.lock("owner")
        self._guests = home.lock("guests")
        self._marks: dict[str, dict[str, Any]] = {}

    def take(self, *, timeout: float = 0.2) -> None:
        """Become the owner and stop what a killed owner left.

        Raises:
            HomeInUse: somebody else is.
        """
        self._home.create()
        if not self._lock.acquire(timeout=timeout):
            record = read_owner(self._home)
            who = f" by process {record.owner.pid}" if record else ""
            raise HomeInUse(f"{self._home.path} is in use{who}. Join it, or set MARKETING_HOME to another folder.")
        self.publish(Whereabouts(), ready=False)
        stop_leftovers(self._home)

    def publish(self, where: Whereabouts, *, ready: bool) -> None:
        """Tell guests and clients what runs where."""
        known = {name: getattr(where, name) for name in Whereabouts.model_fields}
        note = FleetNote(**known, kind=self._kind, owner=process_mark(os.getpid()), ready=ready)
        write_json(note_path(self._home.path), note.model_dump(mode="json"))

    def note_children(self, owned: Mapping[str, tuple[int, ChildSpec]]) -> None:
        """Write down our children's marks for the next owner, should we be killed."""
        marks: dict[str, dict[str, Any]] = {}
        for name, (pid, spec) in owned.items():
            known = self._marks.get(name)
            if known is None or known["pid"] != pid:
                try:
                    started = process_mark(pid).started
                except psutil.Error:
                    continue  # gone already; its exit will be noticed
                known = {
                    "pid": pid,
                    "started": started,
                    "stop_signal": int(spec.stop_signal),
                    "stop_timeout": spec.stop_timeout,
                }
            marks[name] = known
        if marks != self._marks:
            self._marks = marks
            write_json(self._home.run / "children.json", marks)

    def wait_for_guests(self, timeout: float, meanwhile: Callable[[], None]) -> bool:
        """Wait until no guest is left and let no new one in; False when time is over. ``meanwhile()`` is
        called over and over and takes the time it takes (a poll of the supervisor)."""
        deadline = time.monotonic() + timeout
        while not self._guests.acquire():
            if time.monotonic() >= deadline:
                return False
            meanwhile()
        return True

    def release(self) -> None:
        """Give the home back, after everything was stopped."""
        if self._lock.held:
            for record in (note_path(self._home.path), self._home.run / "children.json"):
                record.unlink(missing_ok=True)
        self._marks = {}
        self._guests.release()
        self._lock.release()


def join(home: Home, *, kinds: tuple[OwnerKind, ...], timeout: float) -> tuple[FleetNote, FileLock]:
    """Become a guest: the living owner's record and the guest lock, to be released at the end.

    Args:
        kinds: the kinds of owner that will do.
        timeout: seconds to wait for an owner that is still starting.

    Raises:
        NoOwner: nobody owns the home, or the owner is ending, or is not ready in time.
        HomeInUse: the owner is of another kind.
    """
    if not home.run.is_dir():
        raise NoOwner(f"nothing runs in {home.path}")
    guest = home.lock("guests")
    deadline = time.monotonic() + timeout
    while True:
        record = read_owner(home)
        if record is None:
            guest.release()
            raise NoOwner(f"nothing runs in {home.path}")
        if record.kind not in kinds:
            guest.release()
            raise HomeInUse(
                f"{home.path} is in use by process {record.owner.pid}, which runs {record.kind} only. "
                "Set MARKETING_HOME to another folder."
            )
        # The lock first, then the record again: an owner about to end takes the lock for itself.
        if record.ready and guest.held:
            return record, guest
        if not guest.acquire(shared=True) or not record.ready:
            if time.monotonic() > deadline:
                guest.release()
                raise NoOwner(f"the owner of {home.path} (process {record.owner.pid}) is starting or ending")
            time.sleep(0.05)


def stop_leftovers(home: Home) -> None:
    """Stop the children of an owner that was killed, as gently as their specs ask, then firmly.

    On Linux they have been signalled by the kernel already and this only waits for them to be gone.
    """
    value = read_json(home.run / "children.json")
    left: list[tuple[psutil.Process, float]] = []
    for mark in value.values() if isinstance(value, dict) else ():
        try:
            process = living(ProcessMark(pid=mark["pid"], started=mark["started"]))
            if process is None:
                continue
            process.send_signal(signal.Signals(mark["stop_signal"]))
            process.send_signal(signal.SIGCONT)  # a frozen one gets to leave in order
            left.append((process, time.monotonic() + float(mark["stop_timeout"])))
        except (KeyError, TypeError, ValueError, psutil.NoSuchProcess):
            continue
    for process, deadline in left:
        try:
            process.wait(max(deadline - time.monotonic(), 0))
        except psutil.TimeoutExpired:
            process.kill()
            process.wait(5)
    (home.run / "children.json").unlink(missing_ok=True)
