"""Outages of a fleet's own Postgres and Redis: each is begun, lasts, and is over.

Invariant: only processes that the fleet under test started are signalled, and what was changed is changed back.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass
from typing import Any

import psutil
import psycopg2
import redis
from chaos import Chaos
from silent_proxy import SilentProxy


@dataclass(frozen=True)
class Outage:
    """One kind of trouble, for so many seconds."""

    name: str
    seconds: float
    trouble: Callable[[Chaos], AbstractContextManager[None]]

    def strike(self, chaos: Chaos) -> None:
        """Bring the trouble, look after the fleet while it lasts, and end it."""
        chaos.log.append(f"{self.name} for {self.seconds:g} s")
        with self.trouble(chaos):
            begun = time.monotonic()
            while time.monotonic() - begun < self.seconds:
                chaos.fleet.poll(0.1)


@contextmanager
def as_administrator(chaos: Chaos) -> Iterator[Any]:
    """A cursor of the database's owner, who has a connection whatever others use up."""
    url = chaos.env["DATABASE_URL"].replace("+psycopg2", "")
    with closing(psycopg2.connect(url.replace("marketing@", "postgres@"))) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute("SET default_transaction_read_only = off")
            yield cursor


# ---- Postgres ----


@contextmanager
def read_only(chaos: Chaos) -> Iterator[None]:
    """A primary that was demoted and still answers."""
    with as_administrator(chaos) as admin:
        admin.execute("ALTER SYSTEM SET default_transaction_read_only = on")
        admin.execute("SELECT pg_reload_conf()")
        try:
            yield
        finally:
            admin.execute("ALTER SYSTEM RESET default_transaction_read_only")
            admin.execute("SELECT pg_reload_conf()")


@contextmanager
def hung(chaos: Chaos) -> Iterator[None]:
    """All its processes are stopped in the middle of whatever they do."""
    postgres = psutil.Process(chaos.fleet.pids["postgres"])
    family = [postgres, *postgres.children(recursive=True)]
    for process in family:
        os.kill(process.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for process in family:
            if process.is_running():
                os.kill(process.pid, signal.SIGCONT)


@contextmanager
def used_up(chaos: Chaos) -> Iterator[None]:
    """Every session is ended, and there is no connection for anybody."""
    with as_administrator(chaos) as admin:
        admin.execute("ALTER ROLE marketing CONNECTION LIMIT 0")
        admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'marketing'")
        try:
            yield
        finally:
            admin.execute("ALTER ROLE marketing CONNECTION LIMIT -1")


@contextmanager
def restarted(chaos: Chaos) -> Iterator[None]:
    """An immediate shutdown, as by a power cut."""
    chaos.restart_postgres()
    yield


def cut_off(proxy: SilentProxy) -> Callable[[Chaos], AbstractContextManager[None]]:
    """The way to it swallows what is sent, and nobody is told."""

    @contextmanager
    def silence(_: Chaos) -> Iterator[None]:
        proxy.fall_silent()
        try:
            yield
        finally:
            proxy.speak_again()

    return silence


# ---- Redis ----


@contextmanager
def _client(chaos: Chaos) -> Iterator[redis.Redis]:
    with redis.Redis.from_url(chaos.env["REDIS_URL"]) as client:
        yield client


@contextmanager
def out_of_memory(chaos: Chaos) -> Iterator[None]:
    """It takes no writes for want of memory."""
    with _client(chaos) as client:
        client.config_set("maxmemory", "1mb")
        try:
            yield
        finally:
            client.config_set("maxmemory", "0")


@contextmanager
def replica(chaos: Chaos) -> Iterator[None]:
    """It has become a read-only replica of a primary that is not there."""
    with _client(chaos) as client:
        client.replicaof("127.0.0.1", "1")
        try:
            yield
        finally:
            client.replicaof("NO", "ONE")


def paused(seconds: float) -> Callable[[Chaos], AbstractContextManager[None]]:
    """It answers nobody for so long."""

    @contextmanager
    def pause(chaos: Chaos) -> Iterator[None]:
        with _client(chaos) as client:
            client.client_pause(int(seconds * 1000))
        yield

    return pause


@contextmanager
def flushed(chaos: Chaos) -> Iterator[None]:
    """Queues, results, chords and limits are gone."""
    chaos.flush_redis()
    yield


@contextmanager
def killed(chaos: Chaos) -> Iterator[None]:
    """It dies, and its supervisor starts it again with what its file holds."""
    os.kill(chaos.fleet.pids["redis"], signal.SIGKILL)
    yield
