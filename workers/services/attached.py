"""A fleet that another process runs, as seen by a process that attaches to it.

Invariant: an attached process starts and stops nothing. It holds the shared lock on ``run/attached.lock`` until it
detaches, so that an ending owner can wait for it. Whether the owner still runs is checked at each use.
"""

from __future__ import annotations

from types import TracebackType
from typing import Self

from pydantic import Field

from integrations.fleet_note import FleetNote, Whereabouts
from workers.services.errors import NoOwnerError
from workers.services.home import FileLock, Home
from workers.services.ownership import attach_to_owner, living, read_owner


class FleetInfo(Whereabouts):
    """Addresses of a complete fleet."""

    database_url: str = Field(repr=False)
    redis_url: str = Field(repr=False)
    mode: str


class AttachedFleet:
    """A fleet run by another process, to which this process is attached until :meth:`stop`."""

    #: an attached process doesn't own the fleet's processes
    owner = False

    def __init__(self, home: Home, note: FleetNote, lock: FileLock) -> None:
        self.home = home
        self._lock = lock
        self._note = note

    @property
    def info(self) -> FleetInfo:
        """Addresses of the fleet, with its current pids.

        Raises NoOwnerError when the owner has ended.
        """
        note = read_owner(self.home)
        if note is None or note.owner != self._note.owner:
            raise NoOwnerError(f"the owner of {self.home.path} (process {self._note.owner.pid}) is gone")
        return FleetInfo.model_validate(note.model_dump())

    @property
    def alive(self) -> bool:
        """Whether the owner still runs."""
        return living(self._note.owner) is not None

    def stop(self) -> None:
        """Detach from the fleet, which keeps running."""
        self._lock.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def attach(home: Home, *, timeout: float) -> AttachedFleet:
    """Attach to the fleet in ``home``, as described at :meth:`workers.fleet.Fleet.attach`."""
    note, lock = attach_to_owner(home, kinds=("fleet",), timeout=timeout)
    return AttachedFleet(home, note, lock)
