"""The real parts that tests run against: databases on the embedded Postgres, logical Redis databases,
the sandbox.

Invariant: every test that asks for one starts from a clean one, and every process started here is
stopped by its own pid at the end.
"""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from tests.support.used_database import AsNew

T = TypeVar("T")

_TEMPLATE = "test_template"
_MOST_USES = 25  #: of one database
_INSUFFICIENT_PRIVILEGE = "42501"  #: SQLSTATE


def wait_until(
    condition: Callable[[], T],
    timeout: float = 10.0,
    message: str | Callable[[], str] = "the condition",
    *,
    interval: float = 0.02,
) -> T:
    """The first truthy value of ``condition()``, asked every ``interval`` seconds.

    AssertionError with ``message`` when ``timeout`` seconds bring none; a callable message is asked
    only then.
    """
    deadline = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() >= deadline:
            text = message() if callable(message) else message
            raise AssertionError(f"waited {timeout:g} s in vain for {text}; last value: {value!r}")
        time.sleep(interval)


def forgo_fsync(database_url: str) -> None:
    """Have the run's own Postgres leave writing to the disk to the operating system.

    Tests kill processes, not machines: what a process has written survives it all the same, and the hundreds of
    databases that a run makes and drops take a third of the time. Fleets that bring their own Postgres keep fsync.
    """
    from sqlalchemy import create_engine, make_url, text
    from sqlalchemy.pool import NullPool

    engine = create_engine(
        make_url(database_url).set(username="postgres"), isolation_level="AUTOCOMMIT", poolclass=NullPool
    )
    with engine.connect() as connection:
        connection.execute(text("ALTER SYSTEM SET fsync = off"))
        connection.execute(text("SELECT pg_reload_conf()"))


class Databases:
    """Fresh, migrated databases on one Postgres server: copies of a template that is migrated once.

    A copy that was given back is handed out again a few times (dead rows pile up in it), then dropped.
    """

    def __init__(self, server_url: str, migrate: Callable[[str], object]) -> None:
        from sqlalchemy import make_url

        self._server = make_url(server_url)
        self._numbers = itertools.count(1)
        self._uses: Counter[str] = Counter()
        self._free: list[str] = []
        self._as_new: AsNew | None = None
        self._execute(f"DROP DATABASE IF EXISTS {_TEMPLATE} WITH (FORCE)", f"CREATE DATABASE {_TEMPLATE}")
        migrate(self._url(_TEMPLATE))
        # A template can be copied only while nobody is connected to it.
        self._execute(
            f"ALTER DATABASE {_TEMPLATE} WITH ALLOW_CONNECTIONS false",
            f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{_TEMPLATE}'",
        )

    def create(self) -> str:
        """The SQLAlchemy URL of a database with the current schema and no rows."""
        return self._free.pop() if self._free else self.new()

    def new(self) -> str:
        """The URL of such a database that nobody has used."""
        name = f"test_{next(self._numbers)}"
        self._execute(
            f"DROP DATABASE IF EXISTS {name} WITH (FORCE)",
            f"CREATE DATABASE {name} TEMPLATE {_TEMPLATE}",
        )
        url = self._url(name)
        if self._as_new is None:
            self._as_new = AsNew.of(url)
        return url

    def give_back(self, url: str) -> None:
        """Let a database made by :meth:`create` be handed out again, emptied; one that was altered is dropped."""
        self._uses[url] += 1
        if self._as_new is not None and self._uses[url] < _MOST_USES and self._as_new.restore(url):
            self._free.append(url)
        else:
            self.drop(url)

    def drop(self, url: str) -> None:
        """Remove a database made by :meth:`create`, whoever is still connected to it."""
        from sqlalchemy import make_url
        from sqlalchemy.exc import ProgrammingError

        def dropped() -> bool:
            try:
                self._execute(f"DROP DATABASE IF EXISTS {make_url(url).database} WITH (FORCE)")
            except ProgrammingError as error:
                if getattr(error.orig, "pgcode", None) != _INSUFFICIENT_PRIVILEGE:
                    raise
                return False  # an autovacuum worker, which is not ours to end, is in it for a moment
            return True

        wait_until(dropped, timeout=20, message=f"{url} to be left alone", interval=0.2)

    def _url(self, database: str) -> str:
        return self._server.set(database=database).render_as_string(hide_password=False)

    def _execute(self, *statements: str) -> None:
        from sqlalchemy import create_engine, text
        from sqlalchemy.pool import NullPool

        engine = create_engine(self._server, isolation_level="AUTOCOMMIT", poolclass=NullPool)
        with engine.connect() as connection:
            for statement in statements:
                connection.execute(text(statement))


class RedisDatabases:
    """Logical databases of one Redis server, handed out in turn, each flushed first."""

    def __init__(self, server_url: str) -> None:
        self._server = server_url.rsplit("/", 1)[0]
        self._numbers = itertools.cycle(range(16))

    def next(self) -> str:
        """The URL of the next database, empty."""
        import redis

        url = f"{self._server}/{next(self._numbers)}"
        with redis.Redis.from_url(url) as client:
            client.flushdb()
        return url


@dataclass(frozen=True, kw_only=True)
class Sandbox:
    """A running sandbox world."""

    url: str
    dns_resolver: str | None  #: host:port of its DNS server, for DNS_RESOLVER
    pid: int
    announced: dict[str, Any]  #: the whole line it printed when it listened

    def get(self, path: str) -> Any:
        """GET ``path``; the JSON of the answer."""
        return self._call(path, None)

    def post(self, path: str, body: dict[str, Any]) -> Any:
        """POST ``body`` as JSON to ``path``; the JSON of the answer, None when it is empty."""
        return self._call(path, json.dumps(body).encode())

    def reset(self, seed: int = 7, world: dict[str, Any] | None = None) -> None:
        """Back to an empty world of this ``seed``."""
        self.post("/_sandbox/reset", {"seed": seed, "world": world})

    def _call(self, path: str, body: bytes | None) -> Any:
        request = urllib.request.Request(self.url + path, body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=10) as answer:
            text = answer.read()
        return json.loads(text) if text else None


@contextmanager
def running_sandbox(folder: Path, *arguments: str, env: Mapping[str, str] | None = None) -> Iterator[Sandbox]:
    """A sandbox process on free ports; its output is kept in ``folder``. ``env``: on top of this process' own."""
    out, err = folder / "sandbox.out", folder / "sandbox.err"
    with out.open("wb") as stdout, err.open("wb") as stderr:
        process = subprocess.Popen(
            [sys.executable, "-m", "integrations.sandbox", "--port", "0", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=stderr,
            env={**os.environ, **(env or {})},
        )
    try:
        line = wait_until(
            lambda: _first_line(out) or process.poll() is not None,
            timeout=30,
            message=lambda: f"the sandbox to listen\n{err.read_text(errors='replace')}",
        )
        if not isinstance(line, bytes):
            raise AssertionError(f"the sandbox ended with {process.returncode}:\n{err.read_text(errors='replace')}")
        announced = json.loads(line)
        yield Sandbox(
            url=announced["url"].rstrip("/"),
            dns_resolver=announced.get("dns_resolver"),
            pid=process.pid,
            announced=announced,
        )
    finally:
        stop(process)


def _first_line(path: Path) -> bytes | None:
    line, newline, _ = path.read_bytes().partition(b"\n")
    return line if newline else None


def stop(process: subprocess.Popen[Any], timeout: float = 10.0) -> None:
    """End ``process``: SIGTERM, and SIGKILL after ``timeout`` seconds."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(timeout)
        except subprocess.TimeoutExpired:
            process.kill()
    process.wait(timeout)
