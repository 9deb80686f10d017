"""The supervisor on real processes: what dies comes back, what is frozen is left alone, nothing stays behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from workers import supervisor as supervisor_module
from workers.child import ChildFailedError, ChildSpec, Event, StartInterruptedError, backoff_s, describe_exit
from workers.supervisor import Supervisor

WaitUntil = Callable[..., Any]

SLEEP = ["/bin/sleep", "300"]


class Watched:
    """A supervisor, and what it told."""

    def __init__(self, logs: Path) -> None:
        self.events: list[Event] = []
        self.supervisor = Supervisor(logs, on_event=self.events.append)

    def kinds(self, name: str) -> list[str]:
        return [event.kind for event in self.events if event.name == name]


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Watched]:
    watched = Watched(tmp_path)
    yield watched
    watched.supervisor.stop()


def shell(name: str, script: str, **options: Any) -> ChildSpec:
    return ChildSpec(name=name, argv=["/bin/sh", "-c", script], **options)


def gone(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def test_backoff_grows_to_a_few_seconds() -> None:
    assert [backoff_s(n) for n in (1, 2, 3, 4)] == pytest.approx([0.1, 0.2, 0.4, 0.8])
    assert backoff_s(50) == 3.0


def test_exit_in_words() -> None:
    assert describe_exit(3) == "exit status 3"
    assert describe_exit(-9) == "killed by SIGKILL"


def test_a_dead_child_comes_back_however_often(watched: Watched, wait_until: WaitUntil) -> None:
    supervisor = watched.supervisor
    supervisor.start(ChildSpec(name="a", argv=SLEEP), ChildSpec(name="b", argv=SLEEP))
    other = supervisor.pids["b"]
    for round_number in range(1, 4):
        victim = supervisor.pids["a"]
        os.kill(victim, signal.SIGKILL)

        def restarted(times: int = round_number) -> bool:
            supervisor.poll()
            return watched.kinds("a").count("restarted") == times

        wait_until(restarted, timeout=10)
        assert supervisor.pids["a"] != victim
    assert supervisor.pids["b"] == other
    assert watched.kinds("a")[:5] == ["started", "ready", "exited", "started", "restarted"]


def test_ready_is_waited_for(watched: Watched, tmp_path: Path) -> None:
    flag = tmp_path / "flag"
    spec = shell("slow", f"sleep 0.3; touch '{flag}'; exec sleep 300", ready=lambda _pid: flag.exists())
    watched.supervisor.start(spec)
    assert flag.exists()


def test_a_child_that_never_comes_up_is_reported_with_its_log(watched: Watched) -> None:
    with pytest.raises(ChildFailedError, match=r"(?s)broken died 3 times.*the reason why") as caught:
        watched.supervisor.start(shell("broken", "echo the reason why; exit 3", ready=lambda _pid: False))
    assert "broken.log" in str(caught.value)


def test_a_child_that_never_answers_is_reported(watched: Watched) -> None:
    with pytest.raises(ChildFailedError, match=r"mute didn't answer within 0\.3 s"):
        watched.supervisor.start(ChildSpec(name="mute", argv=SLEEP, ready=lambda _pid: False, ready_timeout=0.3))


def test_a_missing_program_is_reported(watched: Watched) -> None:
    spec = ChildSpec(name="absent", argv=["/nowhere/program"], ready=lambda _pid: False)
    with pytest.raises(ChildFailedError, match="/nowhere/program can't be started"):
        watched.supervisor.start(spec)


def test_start_can_be_interrupted(watched: Watched) -> None:
    with pytest.raises(StartInterruptedError):
        watched.supervisor.start(ChildSpec(name="mute", argv=SLEEP, ready=lambda _pid: False), interrupted=lambda: True)


def test_stop_goes_in_reverse_order_and_leaves_nobody(watched: Watched) -> None:
    supervisor = watched.supervisor
    supervisor.start(ChildSpec(name="first", argv=SLEEP))
    supervisor.start(ChildSpec(name="second", argv=SLEEP), ChildSpec(name="third", argv=SLEEP))
    pids = supervisor.pids
    supervisor.stop()
    assert [event.name for event in watched.events if event.kind == "stopped"][-1] == "first"
    assert all(gone(pid) for pid in pids.values())
    assert supervisor.pids == {}


def test_a_child_that_ignores_its_stop_signal_is_killed_in_time(watched: Watched) -> None:
    supervisor = watched.supervisor
    started = "trap '' TERM; echo here; while :; do sleep 0.1; done"
    log = supervisor.log_path("deaf")
    supervisor.start(shell("deaf", started, stop_timeout=0.3, ready=lambda _pid: "here" in log.read_text()))
    began = time.monotonic()
    supervisor.stop()
    assert 0.3 <= time.monotonic() - began < 3
    assert watched.events[-1].detail == "killed by SIGKILL"


def test_force_kills_what_may_be_killed(watched: Watched) -> None:
    supervisor = watched.supervisor
    log = supervisor.log_path("deaf")
    script = "trap '' TERM; echo here; while :; do sleep 0.1; done"
    supervisor.start(shell("deaf", script, stop_timeout=60, ready=lambda _pid: "here" in log.read_text()))
    began = time.monotonic()
    supervisor.stop(force=lambda: True)
    assert time.monotonic() - began < 3


def test_lower_groups_are_kept_alive_while_higher_ones_drain(watched: Watched, wait_until: WaitUntil) -> None:
    supervisor = watched.supervisor
    supervisor.start(ChildSpec(name="server", argv=SLEEP))
    server = supervisor.pids["server"]
    log = supervisor.log_path("worker")
    script = f"trap 'kill -9 {server}; sleep 0.6; exit 0' TERM; echo here; while :; do sleep 0.05; done"
    supervisor.start(shell("worker", script, ready=lambda _pid: "here" in log.read_text()))
    supervisor.stop()
    assert "restarted" in watched.kinds("server")
    assert watched.kinds("server")[-1] == "stopped"


def test_a_frozen_child_is_not_dead(watched: Watched, wait_until: WaitUntil) -> None:
    supervisor = watched.supervisor
    supervisor.start(ChildSpec(name="frozen", argv=SLEEP, stop_timeout=5))
    pid = supervisor.pids["frozen"]
    os.kill(pid, signal.SIGSTOP)
    wait_until(lambda: psutil.Process(pid).status() == psutil.STATUS_STOPPED)
    supervisor.poll(0.3)
    assert supervisor.pids["frozen"] == pid
    supervisor.stop()
    assert watched.events[-1].detail == "killed by SIGTERM"  # it was thawed, and left by itself


def test_what_a_child_started_goes_with_it(watched: Watched, wait_until: WaitUntil, tmp_path: Path) -> None:
    file = tmp_path / "grandchild"
    script = f"sleep 300 & echo $! > '{file}'; wait"
    watched.supervisor.start(shell("parent", script, ready=lambda _pid: file.exists() and file.read_text()))
    grandchild = int(file.read_text())
    watched.supervisor.stop()
    wait_until(lambda: gone(grandchild))


def test_prepare_is_asked_until_it_agrees(watched: Watched) -> None:
    answers = [False, False, True]
    watched.supervisor.start(ChildSpec(name="late", argv=SLEEP, prepare=lambda: answers.pop(0)))
    assert answers == []


def test_a_process_of_somebody_else_is_used_replaced_when_dead_and_never_stopped(
    watched: Watched, wait_until: WaitUntil
) -> None:
    stranger = subprocess.Popen(SLEEP)
    spec = ChildSpec(name="server", argv=SLEEP, adopt=lambda: stranger.pid if stranger.poll() is None else None)
    watched.supervisor.start(spec)
    assert watched.supervisor.pids == {"server": stranger.pid}
    watched.supervisor.stop()
    assert stranger.poll() is None

    watched.supervisor.start(spec)
    stranger.kill()
    stranger.wait()

    def replaced() -> bool:
        watched.supervisor.poll()
        return "restarted" in watched.kinds("server")

    wait_until(replaced)
    assert watched.supervisor.pids["server"] != stranger.pid


def test_children_are_started_by_one_thread_only(watched: Watched) -> None:
    supervisor = watched.supervisor
    supervisor.start(ChildSpec(name="a", argv=SLEEP))
    errors: list[BaseException] = []

    def other_thread() -> None:
        try:
            supervisor.start(ChildSpec(name="b", argv=SLEEP))
        except RuntimeError as error:
            errors.append(error)

    thread = threading.Thread(target=other_thread)
    thread.start()
    thread.join()
    assert len(errors) == 1


def test_a_large_log_is_put_aside(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor_module, "MAX_LOG_BYTES", 10)
    log = watched.supervisor.log_path("a")
    log.write_text("x" * 11)
    watched.supervisor.start(ChildSpec(name="a", argv=SLEEP))
    assert log.with_suffix(".log.1").read_text() == "x" * 11
    assert log.read_text() == ""


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's parent-death signal exists on Linux only")
def test_a_killed_supervisor_takes_its_children_along(tmp_path: Path, wait_until: WaitUntil) -> None:
    program = f"""
import pathlib, signal
from workers.child import ChildSpec
from workers.supervisor import Supervisor
supervisor = Supervisor(pathlib.Path({str(tmp_path)!r}))
supervisor.start(ChildSpec(name="a", argv={SLEEP!r}), ChildSpec(name="b", argv={SLEEP!r}))
print(*supervisor.pids.values(), flush=True)
supervisor.poll(300)
"""
    owner = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    assert owner.stdout is not None
    pids = [int(part) for part in owner.stdout.readline().split()]
    assert len(pids) == 2
    owner.kill()
    owner.wait()
    owner.stdout.close()
    wait_until(lambda: all(gone(pid) for pid in pids))
