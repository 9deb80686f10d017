"""Who owns a home, who else is using it, and what a dead owner left behind.

Invariants: one living process owns a home (``run/owner.lock``, exclusive); everything the owner's record
says is believed only while that process lives; the next owner first stops what the record of a killed owner
still names, so no two generations of servers ever share a data folder.

A *guest* uses a running home without owning it. It holds ``run/guests.lock`` shared, so that an owner that
ends its work can wait for it.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import psutil

from workers.services.errors import HomeInUse, NoOwner
from workers.services.home import FileLock, Home, read_json, write_json
from workers.supervisor import ChildSpec

#: Start times read twice from the kernel may differ a little when the wall clock is corrected.
_SAME_START_SECONDS = 2.0

OwnerKind = Literal["services", "fleet"]


@dataclass(frozen=True)
class ProcessMark:
    """A process, told apart from a later one with the same pid by its start time (epoch seconds)."""

    pid: int
    started: float

    @classmethod
    def of(cls, pid: int) -> ProcessMark:
        return cls(pid, psutil.Process(pid).create_time())

    def living(self) -> psutil.Process | None:
        """The process, when it still runs (a zombie doesn't)."""
        try:
            process = psutil.Process(self.pid)
            same = abs(process.create_time() - self.started) < _SAME_START_SECONDS
            return process if same and process.status() != psutil.STATUS_ZOMBIE else None
        except psutil.Error:
            return None


@dataclass(frozen=True)
class OwnerRecord:
    """What the owner of a home tells others (``run/fleet.json``)."""

    kind: OwnerKind
    owner: ProcessMark
    #: all answer
    ready: bool
    #: database_url, redis_url, ...: made for guests by the owner
    info: Mapping[str, Any]


def read_owner(home: Home) -> OwnerRecord | None:
    """The record of a living owner, else None."""
    value = read_json(home.run / "fleet.json")
    try:
        mark = ProcessMark(int(value["owner"]["pid"]), float(value["owner"]["started"]))
        info = {name: known for name, known in value.items() if name not in {"kind", "owner", "ready"}}
        record = OwnerRecord(value["kind"], mark, bool(value["ready"]), info)
    except (AttributeError, KeyError, TypeError, ValueError):
        return None
    return record if mark.living() else None


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
        self.publish({}, ready=False)
        stop_leftovers(self._home)

    def publish(self, info: Mapping[str, Any], *, ready: bool) -> None:
        """Tell guests what runs where."""
        me = ProcessMark.of(os.getpid())
        owner = {"pid": me.pid, "started": me.started}
        # The URLs stand at the top level: clients that know nothing of ownership read them as a hint.
        value = {**info, "kind": self._kind, "owner": owner, "ready": ready}
        write_json(self._home.run / "fleet.json", value)

    def note_children(self, owned: Mapping[str, tuple[int, ChildSpec]]) -> None:
        """Write down our children's marks for the next owner, should we be killed."""
        marks: dict[str, dict[str, Any]] = {}
        for name, (pid, spec) in owned.items():
            known = self._marks.get(name)
            if known is None or known["pid"] != pid:
                try:
                    started = ProcessMark.of(pid).started
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
            for name in ("fleet.json", "children.json"):
                (self._home.run / name).unlink(missing_ok=True)
        self._marks = {}
        self._guests.release()
        self._lock.release()


def join(home: Home, *, kinds: tuple[OwnerKind, ...], timeout: float) -> tuple[OwnerRecord, FileLock]:
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
            process = ProcessMark(int(mark["pid"]), float(mark["started"])).living()
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
