"""Embedded Postgres and Redis as a context manager, for test fixtures, scripts and notebooks.

Invariant: the first process to enter owns the home and its servers, and stops them when it leaves. A process that
enters while they run attaches to them, and the owner waits (up to a time limit) for attached processes before it
stops the servers.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from types import TracebackType
from typing import Self

from integrations.fleet_note import Whereabouts
from workers.child import Event
from workers.services.errors import HomeInUseError, NoOwnerError, ServiceError
from workers.services.home import FileLock, Home
from workers.services.ownership import Ownership, attach_to_owner
from workers.services.postgres import PostgresServer
from workers.services.redis import RedisServer
from workers.supervisor import Supervisor

#: Seconds that an owner waits for attached processes before it stops the servers.
DETACH_TIMEOUT_S = 60.0


class EmbeddedServices:
    """A context manager that provides ``database_url`` and ``redis_url`` of running servers.

    ::

        with EmbeddedServices(home) as services:
            connect(services.database_url, services.redis_url)

    Enter and leave it in the same, long-lived thread: on Linux the servers stop when that thread ends. A server that
    dies is restarted by the next :meth:`poll`. Entering raises ServiceError when a server can't be started.

    Args:
        home: a :class:`Home` or the path of one.
        on_event: called with each event of the servers' supervisor.
    """

    def __init__(self, home: Home | str | os.PathLike[str], *, on_event: Callable[[Event], None] | None = None) -> None:
        self.home = home if isinstance(home, Home) else Home(home)
        self._on_event = on_event
        self._ownership: Ownership | None = None
        self._supervisor: Supervisor | None = None
        self._postgres: PostgresServer | None = None
        self._attached: FileLock | None = None
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
        """Whether this process started the servers."""
        return self._ownership is not None

    @property
    def pids(self) -> dict[str, int]:
        """Pids of the servers that this process started, by name (empty when attached)."""
        return self._supervisor.pids if self._supervisor is not None else {}

    def start(self) -> Self:
        """Take the home and start the servers, or attach to servers that run.

        Raises ServiceError when neither works.
        """
        for attempt in range(3):
            try:
                return self._start_own()
            except HomeInUseError:
                pass
            try:
                return self._attach()
            except NoOwnerError:  # the owner ended in between, so the home is free now or soon
                if attempt == 2:
                    raise
        raise AssertionError("unreachable")

    def poll(self, timeout: float = 0.0) -> None:
        """Check and restart the servers for ``timeout`` seconds, or return at once when attached."""
        if self._supervisor is not None:
            self._supervisor.poll(timeout)

    def stop(self, *, detach_timeout: float = DETACH_TIMEOUT_S) -> None:
        """Wait for attached processes, stop the servers and release the home.

        An attached process only detaches. Idempotent. ``detach_timeout`` is the longest wait, in seconds.
        """
        if self._attached is not None:
            self._attached.release()
            self._attached = None
        if self._ownership is None:
            return
        ownership, supervisor, postgres = self._ownership, self._supervisor, self._postgres
        try:
            if supervisor is not None:
                try:
                    if self._urls:
                        ownership.wait_for_detach(detach_timeout, lambda: supervisor.poll(0.1))
                        ownership.publish(self._whereabouts(), ready=False)
                finally:
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
            supervisor = self._supervisor = Supervisor(self.home.logs, on_event=self._on_child_event)
            self._postgres, redis = PostgresServer(self.home), RedisServer(self.home)
            supervisor.start(self._postgres.spec, redis.spec)
            self._urls = {"database_url": self._postgres.url, "redis_url": redis.url}
            ownership.publish(self._whereabouts(), ready=True)
        except BaseException:
            self.stop(detach_timeout=0)
            raise
        return self

    def _attach(self) -> Self:
        note, lock = attach_to_owner(self.home, kinds=("services", "fleet"), timeout=60)
        if not note.embedded or note.database_url is None or note.redis_url is None:
            lock.release()
            raise ServiceError(
                f"{self.home.path} is in use by process {note.owner.pid} with services of its own "
                "(DATABASE_URL, REDIS_URL): set MARKETING_HOME to another folder"
            )
        self._attached = lock
        self._urls = {"database_url": note.database_url, "redis_url": note.redis_url}
        return self

    def _whereabouts(self) -> Whereabouts:
        return Whereabouts(database_url=self.database_url, redis_url=self.redis_url, embedded=True, pids=self.pids)

    def _on_child_event(self, event: Event) -> None:
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
