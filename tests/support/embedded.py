"""The embedded services as tests look at them: a query, a kept value, the processes, an owner to be killed."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import psycopg2
import redis

from workers.services import EmbeddedServices


def query(url: str, sql: str) -> Any:
    """One statement over libpq, with the documented way from our URL to a libpq URI."""
    connection = psycopg2.connect(url.replace("+psycopg2", ""))
    try:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(sql)
            return cursor.fetchone()[0] if cursor.description else None
    finally:
        connection.close()


def redis_client(url: str) -> redis.Redis:
    return redis.Redis.from_url(url, decode_responses=True)


def keep(services: EmbeddedServices, value: str) -> None:
    query(services.database_url, f"CREATE TABLE IF NOT EXISTS kept AS SELECT '{value}' AS value")
    with redis_client(services.redis_url) as client:
        client.set("kept", value)
        client.bgrewriteaof()  # written out now: everysec may lose the last second


def kept(services: EmbeddedServices) -> tuple[str, str | None]:
    with redis_client(services.redis_url) as client:
        return query(services.database_url, "SELECT value FROM kept"), client.get("kept")


def gone(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def family(pids: dict[str, int]) -> list[int]:
    """The servers and the processes they started."""
    return [one for pid in pids.values() for one in (pid, *(c.pid for c in psutil.Process(pid).children(True)))]


def users(pids: list[int]) -> set[int]:
    """As whom the processes run; those that have ended meanwhile (a connection's) are left out."""
    found = set()
    for pid in pids:
        with suppress(psutil.NoSuchProcess):
            found.add(psutil.Process(pid).uids().effective)
    return found


class OwnerProcess:
    """A process of its own that owns the services of a home and waits to be killed."""

    def __init__(self, home: Path, *, prefix: list[str] | None = None) -> None:
        program = textwrap.dedent(f"""
            from workers.services import EmbeddedServices
            with EmbeddedServices({str(home)!r}) as services:
                print(*services.pids.values(), flush=True)
                input()
        """)
        self.process = subprocess.Popen(
            [*(prefix or []), sys.executable, "-c", program],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, "the owner didn't start"
        postgres, server = line.split()
        self.pids = {"postgres": int(postgres), "redis": int(server)}

    def end(self, *, kill: bool) -> int:
        if kill:
            self.process.kill()
        self.process.communicate()
        return self.process.returncode
