"""The servers that all contenders share, and a fresh place on them for each.

Invariant: one Postgres with fsync and synchronous_commit on and one Redis with its append-only file, as the
project ships them; each contender gets an empty database and an empty broker, and the last one's are gone.
"""

from __future__ import annotations

import itertools
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import create_engine, make_url, text
from sqlalchemy.pool import NullPool

from integrations.settings import Mode
from orchestration.ledger.schema import migrate
from tests.bench.contender import Contender, Place
from tests.support.clean_environment import clean
from tests.support.stack import Databases, RedisDatabases
from workers.services import EmbeddedServices
from workers.services.processes import child_environment


class Stage:
    """Running servers."""

    def __init__(self, services: EmbeddedServices, folder: Path, environment: Mapping[str, str]) -> None:
        self._services, self._folder, self._environment = services, folder, environment
        self._databases = Databases(services.database_url, lambda url: migrate(url, Mode.SANDBOX))
        self._redis = RedisDatabases(services.redis_url)
        self._numbers = itertools.count(1)

    @property
    def servers(self) -> dict[str, Sequence[int]]:
        """Pids of the servers by group."""
        pids = self._services.pids
        return {"postgres": [pids["postgres"]], "redis": [pids["redis"]]}

    def settle(self) -> None:
        """Write dirty pages now, so that nobody pays for the one before."""
        self._as_superuser("CHECKPOINT")

    def version(self) -> str:
        """Postgres' version."""
        return self._as_superuser("SHOW server_version").split()[0]

    @contextmanager
    def started(self, contender: Contender) -> Iterator[None]:
        """Start the contender on a fresh place; afterwards stop it and drop the place."""
        database_url = self._databases.create()
        folder = self._folder / f"{next(self._numbers)}-{contender.name}"
        folder.mkdir()
        place = Place(
            database_url=database_url,
            redis_url=self._redis.next(),
            folder=folder,
            environment=self._environment,
        )
        try:
            contender.start(place)
            yield
        finally:
            contender.stop()
            self._databases.drop(database_url)

    def _as_superuser(self, statement: str) -> str:
        url = make_url(self._services.database_url).set(username="postgres")
        engine = create_engine(url, isolation_level="AUTOCOMMIT", poolclass=NullPool)
        with engine.connect() as connection:
            result = connection.execute(text(statement))
            return str(result.scalar()) if result.returns_rows else ""


@contextmanager
def open_stage() -> Iterator[Stage]:
    """Start the servers in a folder of their own; everything is gone afterwards."""
    # Short: Unix sockets lie in here.
    folder = Path(tempfile.mkdtemp(prefix="bench-"))
    try:
        clean(os.environ, home=str(folder / "home"))
        with EmbeddedServices(folder / "services") as services:
            yield Stage(services, folder, child_environment({}))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
