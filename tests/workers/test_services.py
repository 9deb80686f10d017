"""The embedded Postgres and Redis, for real: start, reuse, and what is left after kill -9."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg2
import pytest
from embedded import OwnerProcess, family, gone, keep, kept, query, redis_client
from settled_home import Settle

from workers.services import EmbeddedServices, Home, ServiceError
from workers.services.postgres import PostgresServer
from workers.supervisor import Supervisor

WaitUntil = Callable[..., Any]


@pytest.fixture
def folder() -> Iterator[Path]:
    """A private folder with a short path."""
    path = Path(tempfile.mkdtemp(prefix="srv-"))
    yield path
    shutil.rmtree(path)


@pytest.fixture
def settled(folder: Path, settle: Settle) -> Path:
    """A home whose Postgres was started before."""
    settle(folder)
    return folder


# ---- start, reuse, stop ----


def test_start_stop_and_start_again_on_the_same_urls(folder: Path) -> None:
    with EmbeddedServices(folder / "home") as services:
        urls = services.database_url, services.redis_url
        pids = family(services.pids)
        keep(services, "one")
        assert query(urls[0], "SELECT current_user || '@' || current_database()") == "marketing@marketing"
        assert query(urls[0], "SHOW fsync") == query(urls[0], "SHOW synchronous_commit") == "on"
        assert query(urls[0], "SHOW listen_addresses") == ""
        assert query(urls[0], "SHOW max_connections") == "200"
        assert query(urls[0], "SELECT rolsuper FROM pg_roles WHERE rolname = current_user") is False
        with redis_client(urls[1]) as client:
            assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
            assert client.config_get("appendonly") == {"appendonly": "yes"}
            assert client.config_get("save") == {"save": ""}
    assert all(gone(pid) for pid in pids)
    with EmbeddedServices(folder / "home") as services:
        assert (services.database_url, services.redis_url) == urls
        assert kept(services) == ("one", "one")


def test_the_second_on_a_home_attaches_and_the_owner_waits_for_it(settled: Path, wait_until: WaitUntil) -> None:
    owner = OwnerProcess(settled)
    attached = EmbeddedServices(settled).start()
    assert not attached.owner
    assert attached.pids == {}
    assert owner.process.stdin is not None
    owner.process.stdin.write("\n")
    owner.process.stdin.flush()
    assert query(attached.database_url, "SELECT 1") == 1
    with pytest.raises(subprocess.TimeoutExpired):
        owner.process.wait(0.5)
    assert query(attached.database_url, "SELECT 1") == 1
    attached.stop()
    assert owner.end(kill=False) == 0
    assert all(gone(pid) for pid in owner.pids.values())


def test_two_homes_do_not_meet(folder: Path, settle: Settle) -> None:
    for name in ("one", "two"):
        settle(folder / name)
    with EmbeddedServices(folder / "one") as one, EmbeddedServices(folder / "two") as two:
        assert one.redis_url != two.redis_url
        keep(one, "one")
        keep(two, "two")
        assert (kept(one), kept(two)) == (("one", "one"), ("two", "two"))


def test_a_postgres_that_somebody_started_is_used_and_left(settled: Path) -> None:
    home = Home(settled)
    by_hand = Supervisor(home.logs)
    by_hand.start(PostgresServer(home).spec)
    try:
        with EmbeddedServices(settled) as services:
            assert services.pids["postgres"] == by_hand.pids["postgres"]
            assert query(services.database_url, "SELECT 1") == 1
        assert not gone(by_hand.pids["postgres"])
    finally:
        by_hand.stop()


# ---- kill -9 ----


def test_kill_9_of_the_owner_leaves_nobody_and_loses_nothing(settled: Path, wait_until: WaitUntil) -> None:
    with EmbeddedServices(settled) as services:
        keep(services, "one")
        urls = services.database_url, services.redis_url
    owner = OwnerProcess(settled)
    pids = family(owner.pids)
    owner.end(kill=True)
    with EmbeddedServices(settled) as services:  # at once, while the old ones are still on their way out
        assert (services.database_url, services.redis_url) == urls
        assert kept(services) == ("one", "one")
        assert not set(services.pids.values()) & set(pids)
        wait_until(lambda: all(gone(pid) for pid in pids))


def test_kill_9_of_owner_and_servers_together(settled: Path, wait_until: WaitUntil) -> None:
    with EmbeddedServices(settled) as services:
        keep(services, "one")
    owner = OwnerProcess(settled)
    pids = family(owner.pids)
    for pid in (*owner.pids.values(), owner.process.pid):
        os.kill(pid, signal.SIGKILL)
    owner.end(kill=True)
    assert (settled / "data/postgres/postmaster.pid").exists()
    with EmbeddedServices(settled) as services:
        assert kept(services) == ("one", "one")
        wait_until(lambda: all(gone(pid) for pid in pids))


def test_killed_servers_come_back_on_the_same_urls_with_their_data(settled: Path, wait_until: WaitUntil) -> None:
    restarted: list[str] = []
    with EmbeddedServices(
        settled, on_event=lambda event: restarted.append(event.name) if event.kind == "restarted" else None
    ) as services:
        keep(services, "one")
        urls = services.database_url, services.redis_url
        # A backend in the middle of a statement holds on to the shared memory for as long as it can.
        busy = psycopg2.connect(urls[0].replace("+psycopg2", ""), async_=True)
        wait_until(lambda: busy.poll() == psycopg2.extensions.POLL_OK)
        busy.cursor().execute("SELECT sum(i) FROM generate_series(1, 1000000000) AS i")
        for pid in services.pids.values():
            os.kill(pid, signal.SIGKILL)

        def both_back() -> bool:
            services.poll(0.05)
            return sorted(restarted) == ["postgres", "redis"]

        wait_until(both_back, timeout=12)
        busy.close()
        assert (services.database_url, services.redis_url) == urls
        assert kept(services) == ("one", "one")


def test_a_stale_postmaster_file_with_a_living_pid_is_no_obstacle(settled: Path) -> None:
    stale = settled / "data/postgres/postmaster.pid"
    stale.write_text(f"{os.getppid()}\n{stale.parent}\n1\n5432\n{settled}/run\n\n 1 1\nready   \n")
    with EmbeddedServices(settled) as services:
        assert query(services.database_url, "SELECT 1") == 1


def test_a_killed_initdb_leaves_nothing_half_made(folder: Path) -> None:
    draft = folder / "data/postgres.new"
    draft.mkdir(parents=True)
    (draft / "PG_VERSION").write_text("18\n")
    with EmbeddedServices(folder) as services:
        assert query(services.database_url, "SELECT 1") == 1


def test_data_of_another_postgres_is_refused(folder: Path) -> None:
    data = folder / "data/postgres"
    data.mkdir(parents=True)
    (data / "PG_VERSION").write_text("16\n")
    with pytest.raises(ServiceError, match="written by Postgres 16"), EmbeddedServices(folder):
        pass
    assert not (folder / "run/fleet.json").exists()
