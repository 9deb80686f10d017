"""Using a fleet that another process runs.

Invariant: a guest starts and stops nothing. While it is there it holds the guest lock, so that an owner that
ends its own work can wait for it; whether the owner is still there is asked anew each time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from types import TracebackType
from typing import Self

from workers.services.errors import NoOwner
from workers.services.home import FileLock, Home
from workers.services.ownership import OwnerRecord, join, read_owner


@dataclass(frozen=True)
class FleetInfo:
    """Where a fleet can be reached."""

    database_url: str
    redis_url: str
    sandbox_url: str | None
    flower_url: str | None
    #: host:port of the sandbox's DNS; None: the system's own
    dns_resolver: str | None
    mode: str
    #: pid by name: postgres, redis, sandbox, worker-1..n, beat, flower (those we started)
    pids: Mapping[str, int] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        """The settings that make a process a part, or a client, of this fleet."""
        settings = {
            "DATABASE_URL": self.database_url,
            "REDIS_URL": self.redis_url,
            "SANDBOX_URL": self.sandbox_url,
            "DNS_RESOLVER": self.dns_resolver,
            "MARKETING_MODE": self.mode,
        }
        return {name: value for name, value in settings.items() if value is not None}


class GuestFleet:
    """A running fleet of another process, in use by us until :meth:`stop`; its owner may wait for that."""

    owner = False

    def __init__(self, home: Home, record: OwnerRecord, lock: FileLock) -> None:
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
        known = {one.name for one in fields(FleetInfo)}
        return FleetInfo(**{name: value for name, value in record.info.items() if name in known})

    @property
    def alive(self) -> bool:
        """Whether the owner still runs."""
        return self._record.owner.living() is not None

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
