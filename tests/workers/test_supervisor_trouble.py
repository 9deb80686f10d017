"""What ends no supervision: full disks, failing listeners, useless children; and a stop that stops all the same."""

from __future__ import annotations

import errno
import json
import os
import shutil
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from embedded import gone
from live_world import make_live

from workers.child import ChildSpec, Event, ServiceError
from workers.services import records
from workers.services.records import Records
from workers.supervisor import Supervisor

WaitUntil = Callable[..., Any]

SLEEP = ["/bin/sleep", "300"]
DEAF = ["/bin/sh", "-c", "trap '' TERM; echo here; while :; do sleep 0.05; done"]


class Watched:
    """A supervisor, and what it told."""

    def __init__(self, logs: Path) -> None:
        self.events: list[Event] = []
        self.supervisor = Supervisor(logs, on_event=self.events.append)

    def told(self, kind: str) -> list[str]:
        return [event.detail for event in self.events if event.kind == kind]

    def until(self, wait_until: WaitUntil, kind: str, times: int = 1) -> None:
        def seen() -> bool:
            self.supervisor.poll()
            return len(self.told(kind)) >= times

        wait_until(seen)


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Watched]:
    watched = Watched(tmp_path)
    yield watched
    watched.supervisor.stop()


def no_space(*_: object) -> Any:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def short_of_space(times: int) -> Callable[..., bool]:
    """A step that finds no space so many times, and then works."""
    left = iter(range(times))

    def step(*_: object) -> bool:
        return no_space() if next(left, None) is not None else True

    return step


def test_a_listener_that_fails_ends_nothing(tmp_path: Path, wait_until: WaitUntil) -> None:
    supervisor = Supervisor(tmp_path, on_event=no_space)
    supervisor.start(ChildSpec(name="a", argv=SLEEP))
    first = supervisor.pids["a"]
    os.kill(first, signal.SIGKILL)
    wait_until(lambda: supervisor.poll() or supervisor.pids.get("a") not in (None, first))
    supervisor.stop()
    assert supervisor.pids == {}


def test_a_log_that_cannot_be_opened_is_told_once_and_ends_nothing(
    watched: Watched, tmp_path: Path, wait_until: WaitUntil
) -> None:
    watched.supervisor.log_path("a").mkdir()
    watched.supervisor.start(ChildSpec(name="a", argv=SLEEP))
    os.kill(watched.supervisor.pids["a"], signal.SIGKILL)
    watched.until(wait_until, "restarted")
    (told,) = watched.told("unwritten")
    assert "no log: " in told


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device that is always full exists on Linux only")
def test_a_child_on_a_full_disk_lives_and_stops(watched: Watched, tmp_path: Path) -> None:
    watched.supervisor.log_path("a").symlink_to("/dev/full")
    watched.supervisor.start(ChildSpec(name="a", argv=["/bin/sh", "-c", "echo x; exec sleep 300"]))
    watched.supervisor.poll(0.2)
    assert watched.told("exited") == []


def test_a_start_without_space_is_tried_again(watched: Watched) -> None:
    watched.supervisor.start(ChildSpec(name="a", argv=SLEEP, prepare=short_of_space(2)))
    assert watched.told("blocked") == ["[Errno 28] No space left on device"]


def test_a_start_without_space_for_too_long_says_so(watched: Watched) -> None:
    with pytest.raises(ServiceError, match="No space left on device"):
        watched.supervisor.start(ChildSpec(name="a", argv=SLEEP, prepare=no_space, ready_timeout=0.2))


def test_another_error_at_the_first_start_is_reported(watched: Watched) -> None:
    def refused() -> bool:
        raise PermissionError(errno.EACCES, "Permission denied")

    with pytest.raises(ServiceError, match=r"a can't be started: .*Permission denied"):
        watched.supervisor.start(ChildSpec(name="a", argv=SLEEP, prepare=refused))


def test_a_check_that_fails_is_a_no(watched: Watched) -> None:
    watched.supervisor.start(ChildSpec(name="a", argv=SLEEP, ready=short_of_space(2)))
    assert list(watched.supervisor.pids) == ["a"]


def test_a_useless_child_is_replaced(watched: Watched, wait_until: WaitUntil) -> None:
    supervisor = watched.supervisor
    log = supervisor.log_path("deaf")
    spec = ChildSpec(name="deaf", argv=DEAF, stop_timeout=0.3, ready=lambda _pid: "here" in log.read_text())
    supervisor.start(spec)
    pid = supervisor.pids["deaf"]
    supervisor.replace("deaf", pid + 1, "another process")
    assert watched.told("replaced") == []
    began = time.monotonic()
    supervisor.replace("deaf", pid, "it takes nothing")
    supervisor.replace("deaf", pid, "once more")
    watched.until(wait_until, "restarted")
    assert time.monotonic() - began > 0.3  # it had its time to end by itself
    assert watched.told("replaced") == ["it takes nothing"]
    assert watched.told("exited") == ["killed by SIGKILL, replaced: it takes nothing"]
    assert supervisor.pids["deaf"] != pid


def test_a_child_that_is_frozen_for_too_long_is_replaced(watched: Watched, wait_until: WaitUntil) -> None:
    watched.supervisor.start(ChildSpec(name="a", argv=SLEEP, frozen_timeout=0.2), ChildSpec(name="b", argv=SLEEP))
    pids = watched.supervisor.pids
    for pid in pids.values():
        os.kill(pid, signal.SIGSTOP)
    watched.until(wait_until, "restarted")
    assert watched.told("replaced") == ["frozen (stopped by a signal) for 0.2 s"]
    assert watched.supervisor.pids["b"] == pids["b"]  # its spec allows it


def test_a_stop_ends_all_children_whatever_else_goes_wrong(watched: Watched) -> None:
    supervisor = watched.supervisor
    prepared: list[int] = []

    def prepare() -> bool:
        prepared.append(1)
        if len(prepared) > 1:
            raise RuntimeError("a defect")
        return True

    supervisor.start(ChildSpec(name="server", argv=SLEEP, prepare=prepare))
    server, log = supervisor.pids["server"], supervisor.log_path("worker")
    script = f"trap 'kill -9 {server}; sleep 0.4; exit 0' TERM; echo here; while :; do sleep 0.05; done"
    worker = ["/bin/sh", "-c", script]
    supervisor.start(ChildSpec(name="worker", argv=worker, ready=lambda _pid: "here" in log.read_text()))
    pids = supervisor.pids
    with pytest.raises(RuntimeError, match="a defect"):
        supervisor.stop()
    assert all(gone(pid) for pid in pids.values())
    assert supervisor.pids == {}


def test_records_are_written_when_that_is_possible_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    kept = Records(told.append)
    file = tmp_path / "gone" / "note.json"
    assert not kept.write(file, {"n": 1})
    assert not kept.write(file, {"n": 2})
    kept.remove(tmp_path / "gone" / "other.json")
    (reason,) = told
    assert reason.endswith("note.json can't be written: No such file or directory")
    file.parent.mkdir()
    kept.catch_up()
    assert not file.exists()  # not at once
    monkeypatch.setattr(records, "RETRY_S", 0.0)
    assert not kept.write(tmp_path / "gone", 1)  # a folder
    kept.catch_up()
    assert json.loads(file.read_text()) == {"n": 2}


FULL = """
import os, pathlib, resource, signal, sys, time
from workers.child import ChildSpec
from workers.services import records
from workers.services.home import Home
from workers.services.ownership import Ownership
from workers.supervisor import Supervisor

records.RETRY_S = 0.1
told = []
home = Home(sys.argv[1])
owner = Ownership(home, "services", on_trouble=told.append)
owner.take()
_, most = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (0, most))  # as a full disk: no file can grow
supervisor = Supervisor(home.logs, on_event=lambda event: owner.note_children(supervisor.owned))
supervisor.start(ChildSpec(name="a", argv=["/bin/sh", "-c", "echo x; exec sleep 300"]))
first = supervisor.pids["a"]
os.kill(first, signal.SIGKILL)
while supervisor.pids.get("a") in (None, first):
    supervisor.poll(0.05)
second = supervisor.pids["a"]
resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
end, record = time.monotonic() + 10, home.run / "children.json"
while not record.exists() and time.monotonic() < end:
    supervisor.poll(0.1)
    owner.catch_up()
recorded = str(second) in record.read_text()
resource.setrlimit(resource.RLIMIT_FSIZE, (0, most))
supervisor.stop()
owner.release()
print(len(told), recorded, second, supervisor.pids, flush=True)
"""


def test_a_full_disk_ends_no_supervisor(tmp_path: Path) -> None:
    folder = tmp_path / "home"
    program = [sys.executable, "-c", textwrap.dedent(FULL), str(folder)]
    done = subprocess.run(program, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    told, recorded, pid, pids = done.stdout.split(maxsplit=3)
    assert (told, recorded, pids.strip()) == ("2", "True", "{}")  # each time the disk was full
    assert not psutil.pid_exists(int(pid))
    assert list((folder / "run").glob("*.json*")) == []


SPEAKER = """
import sys
from workers.cli.up import OutputLines
lines = OutputLines()
for _ in range(3):
    lines.say("ready")
sys.stdout.flush()
"""


@pytest.mark.parametrize("to", ["full", "closed"])
def test_up_goes_on_without_its_stdout(to: str) -> None:
    if to == "full" and not Path("/dev/full").exists():
        pytest.skip("a device that is always full exists on Linux only")
    reader, writer = os.pipe()
    os.close(reader)  # whoever read has gone
    with os.fdopen(writer, "wb") as closed, open("/dev/full" if to == "full" else os.devnull, "wb") as full:
        stdout = full if to == "full" else closed
        program = [sys.executable, "-c", SPEAKER]
        done = subprocess.run(program, stdout=stdout, stderr=subprocess.PIPE, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    (told,) = done.stderr.splitlines()
    assert told.startswith("Nothing more is printed on stdout (")


@pytest.mark.slow
def test_a_fleet_whose_folder_is_gone_stops_and_says_so(
    tmp_path: Path, database_url: str, redis_url: str, wait_until: WaitUntil
) -> None:
    from workers.fleet import Fleet

    told: list[Event] = []
    fleet = Fleet(
        tmp_path / "home",
        workers=0,
        flower=False,
        mode="live",
        database_url=make_live(database_url),
        redis_url=redis_url,
        on_event=told.append,
    )
    pids = fleet.start().pids
    shutil.rmtree(tmp_path / "home" / "run")
    for pid in pids.values():
        os.kill(pid, signal.SIGKILL)
    wait_until(lambda: fleet.poll(0.05) or any(event.kind == "exited" for event in told))
    with pytest.raises(ServiceError, match=r"stopped, but: .*No such file or directory"):
        fleet.stop(detach_timeout=1.0)
    assert fleet.pids == {}
    assert all(gone(pid) for pid in pids.values())
