"""Postgres and Redis of one home as a context manager: for test fixtures, scripts and notebooks.

Invariant: whoever enters first owns the home and its servers, and stops them when it leaves; whoever enters
while they run uses them as a guest, and the owner waits (a while) for its guests before it stops.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from types import TracebackType
from typing import Self

from integrations.fleet_note import Whereabouts
from workers.services.errors import HomeInUse, NoOwner, ServiceError
from workers.services.home import FileLock, Home
from workers.services.ownership import Ownership, join
from workers.services.postgres import PostgresServer
from workers.services.redis import RedisServer
from workers.supervisor import Event, Supervisor

#: How long an owner that has ended its own work waits for its guests, in seconds.
GUEST_SECONDS = 60.0


class EmbeddedServices:
    """``with EmbeddedServices(home) as services: services.database_url, services.redis_url``.

    Enter and leave it in the same, long-lived thread: on Linux the servers stop when that thread ends.
    A server that dies is started again by the next :meth:`poll`.

    Args:
        home: a :class:`Home` or the path of one.
        on_event: told what happens to the servers.

    Raises:
        ServiceError: on entering, when a server can't be started.
    """

    def __init__(self, home: Home | str | os.PathLike[str], *, on_event: Callable[[Event], None] | None = None) -> None:
        self.home = home if isinstance(home, Home) else Home(home)
        self._on_event = on_event
        self._ownership: Ownership | None = None
        self._supervisor: Supervisor | None = None
        self._postgres: PostgresServer | None = None
        self._guest: FileLock | None = None
        self._urls: dict[str, str] = {}

    @property
    def database_url(self) -> str:
        """SQLAlchemy URL of the database ``marketing``."""
        return self._urls["database_url"]

    @property
    def redis_url(self) -> str:
        """URL of the server's logical database 0 (it has 16)."""
        return self._urls["redis_url"]

    @property
    def owner(self) -> bool:
        """Whether the servers are this process's children."""
        return self._ownership is not None

    @property
    def pids(self) -> dict[str, int]:
        """Pids of our servers by name; empty for a guest."""
        return self._supervisor.pids if self._supervisor is not None else {}

    def start(self) -> Self:
        """Own the home and start the servers, or join those that run."""
        for attempt in range(3):
            try:
                return self._start_own()
            except HomeInUse:
                pass
            try:
                return self._join()
            except NoOwner:  # it ended in between, so the home is free now or soon
                if attempt == 2:
                    raise
        raise AssertionError("unreachable")

    def poll(self, timeout: float = 0.0) -> None:
        """Look after the servers for ``timeout`` seconds (nothing to do for a guest)."""
        if self._supervisor is not None:
            self._supervisor.poll(timeout)

    def stop(self, *, guest_seconds: float = GUEST_SECONDS) -> None:
        """Wait for guests, stop the servers and give the home back; a guest just leaves. Idempotent."""
        if self._guest is not None:
            self._guest.release()
            self._guest = None
        if self._ownership is None:
            return
        ownership, supervisor, postgres = self._ownership, self._supervisor, self._postgres
        try:
            if supervisor is not None:
                if self._urls:
                    ownership.wait_for_guests(guest_seconds, lambda: supervisor.poll(0.1))
                    ownership.publish(self._whereabouts(), ready=False)
                supervisor.stop()
            if postgres is not None:
                postgres.tidy()
        finally:
            ownership.release()
            self._ownership = self._supervisor = self._postgres = None
            self._urls = {}

    def _start_own(self) -> Self:
        ownership = Ownership(self.home, "services")
        ownership.take()
        self._ownership = ownership
        try:
            supervisor = self._supervisor = Supervisor(self.home.logs, on_event=self._notice)
            self._postgres, redis = PostgresServer(self.home), RedisServer(self.home)
            supervisor.start(self._postgres.spec, redis.spec)
            self._urls = {"database_url": self._postgres.url, "redis_url": redis.url}
            ownership.publish(self._whereabouts(), ready=True)
        except BaseException:
            self.stop(guest_seconds=0)
            raise
        return self

    def _join(self) -> Self:
        record, guest = join(self.home, kinds=("services", "fleet"), timeout=60)
        if not record.embedded or record.database_url is None or record.redis_url is None:
            guest.release()
            raise ServiceError(
                f"{self.home.path} is in use by process {record.owner.pid} with services of its own "
                "(DATABASE_URL, REDIS_URL): set MARKETING_HOME to another folder"
            )
        self._guest = guest
        self._urls = {"database_url": record.database_url, "redis_url": record.redis_url}
        return self

    def _whereabouts(self) -> Whereabouts:
        return Whereabouts(database_url=self.database_url, redis_url=self.redis_url, embedded=True, pids=self.pids)

    def _notice(self, event: Event) -> None:
        if self._ownership is not None and self._supervisor is not None:
            self._ownership.note_children(self._supervisor.owned)
        if self._on_event is not None:
            self._on_event(event)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
