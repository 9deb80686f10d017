"""Using a fleet that another process runs.

Invariant: a guest starts and stops nothing. While it is there it holds the guest lock, so that an owner that
ends its own work can wait for it; whether the owner is still there is asked anew each time.
"""

from __future__ import annotations

from types import TracebackType
from typing import Self

from pydantic import Field

from integrations.fleet_note import FleetNote, Whereabouts
from workers.services.errors import NoOwner
from workers.services.home import FileLock, Home
from workers.services.ownership import join, living, read_owner


class FleetInfo(Whereabouts):
    """Where a whole fleet can be reached."""

    database_url: str = Field(repr=False)
    redis_url: str = Field(repr=False)
    mode: str


class GuestFleet:
    """A running fleet of another process, in use by us until :meth:`stop`; its owner may wait for that."""

    owner = False

    def __init__(self, home: Home, record: FleetNote, lock: FileLock) -> None:
        self.home = home
        self._lock = lock
        self._record = record

    @property
    def info(self) -> FleetInfo:
        """Where the fleet is; the pids are those of this moment.

        Raises:
            NoOwner: the owner has died or ended.
        """
        record = read_owner(self.home)
        if record is None or record.owner != self._record.owner:
            raise NoOwner(f"the owner of {self.home.path} (process {self._record.owner.pid}) is gone")
        return FleetInfo.model_validate(record.model_dump())

    @property
    def alive(self) -> bool:
        """Whether the owner still runs."""
        return living(self._record.owner) is not None

    def stop(self) -> None:
        """Leave. The fleet runs on."""
        self._lock.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def attach(home: Home, *, timeout: float) -> GuestFleet:
    """See :meth:`workers.fleet.Fleet.attach`."""
    record, lock = join(home, kinds=("fleet",), timeout=timeout)
    return GuestFleet(home, record, lock)
