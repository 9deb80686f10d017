"""Where the embedded services live and as whom: private folders, locks, ports, odd paths, odd users."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from embedded import OwnerProcess, family, gone, keep, kept, query, users
from sqlalchemy import make_url

from workers.services import EmbeddedServices, Home, ServiceError
from workers.services import launch as launch_module
from workers.services.identity import choose_identity
from workers.services.ports import choose_port, is_free
from workers.services.postgres import find_binaries
from workers.services.private_socket import database_url, make_private, socket_dir

WaitUntil = Callable[..., Any]
AS_ROOT = pytest.mark.skipif(os.geteuid() != 0 or sys.platform != "linux", reason="about root on Linux")


@pytest.fixture
def folder() -> Iterator[Path]:
    """A private folder with a short path."""
    path = Path(tempfile.mkdtemp(prefix="srv-"))
    yield path
    shutil.rmtree(path)


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
    assert users(pids) == {65534}
    owner.end(kill=kill)
    wait_until(lambda: all(gone(pid) for pid in pids))
