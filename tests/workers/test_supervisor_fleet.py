"""A whole fleet of real processes around a small Celery app: order, names, kill -9, attached processes, signals."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from celery import Celery
from embedded import family, gone
from settled_home import Settle

from integrations.shown_url import hide_secrets
from workers.child import Event
from workers.fleet import AttachedFleet, Fleet, open_fleet
from workers.services import EmbeddedServices, HomeInUseError, NoOwnerError, ServiceError
from workers.services.processes import child_environment, http_status, sandbox_answers

WaitUntil = Callable[..., Any]

APP = """
import os
from celery import Celery, signals

app = Celery("fleet_app", broker=os.environ["REDIS_URL"], backend=os.environ["REDIS_URL"])
app.conf.task_default_queue = "orchestration"
app.conf.broker_connection_retry_on_startup = True
app.conf.result_backend_transport_options = {"retry_policy": {"timeout": 5.0}}

@app.task(name="orchestration.pid")
def pid():
    return os.getpid()

@signals.worker_ready.connect
@signals.beat_init.connect
def ready(**_):
    with open(os.environ["MARKETING_READY_FILE"], "w") as stream:
        stream.write(str(os.getpid()))
"""


@pytest.fixture
def folder(settle: Settle) -> Iterator[Path]:
    """A private folder with the app in ``app`` and, in ``home``, a Postgres that was started before."""
    path = Path(tempfile.mkdtemp(prefix="flt-"))
    settle(path / "home")
    (path / "app").mkdir()
    (path / "app/fleet_app.py").write_text(APP)
    yield path
    shutil.rmtree(path)


def environment(folder: Path) -> dict[str, str]:
    inherited = os.environ.get("PYTHONPATH", "")
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, [str(folder / "app"), inherited]))}


def small_fleet(folder: Path, *, home: str = "home", **options: Any) -> Fleet:
    """One worker of two slots, neither sandbox nor Flower unless asked for."""
    settings = {"workers": 1, "concurrency": 2, "flower": False, "mode": "live", "app": "fleet_app"}
    return Fleet(folder / home, env=environment(folder), **{**settings, **options})


def ask_worker(redis_url: str) -> int:
    """The pid of the worker that served a task."""
    with Celery(broker=redis_url, backend=redis_url) as client:
        result = client.send_task("orchestration.pid", queue="orchestration")
        return int(result.get(timeout=20))


class FleetProcess:
    """A fleet run by a process of its own, as ``campaigns up`` does: prints a line when ready, and one more
    when it has stopped."""

    def __init__(self, folder: Path, *, workers: int = 1) -> None:
        program = textwrap.dedent(f"""
            import json
            from workers.fleet import Fleet
            fleet = Fleet({str(folder / "home")!r}, workers={workers}, concurrency=2, flower=False, mode="live",
                          app="fleet_app", trap_signals=True)
            info = fleet.start()
            print(json.dumps({{"pids": dict(info.pids), "redis_url": info.redis_url}}), flush=True)
            fleet.run_until_signal()
            fleet.stop()
            print("stopped", flush=True)
        """)
        self.process = subprocess.Popen(
            [sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, env=environment(folder)
        )
        assert self.process.stdout is not None
        ready = json.loads(self.process.stdout.readline())
        self.pids: dict[str, int] = ready["pids"]
        self.redis_url: str = ready["redis_url"]

    def end(self, number: signal.Signals) -> str:
        self.process.send_signal(number)
        return self.process.communicate(timeout=60)[0]


def test_a_whole_fleet(folder: Path, wait_until: WaitUntil) -> None:
    events: list[Event] = []
    migrated: list[str] = []
    fleet = small_fleet(folder, workers=2, flower=True, on_event=events.append, migrate=migrated.append)
    with fleet:
        info = fleet.info
        assert list(info.pids) == ["postgres", "redis", "worker-1", "worker-2", "beat", "flower"]
        assert migrated == [info.database_url]
        names = [event.name for event in events if event.kind == "ready"]
        assert set(names[:2]) == {"postgres", "redis"}
        assert ask_worker(info.redis_url) in {info.pids["worker-1"], info.pids["worker-2"]}
        assert http_status(f"{info.flower_url}/healthcheck") == 200
        assert info.environment["DATABASE_URL"] == info.database_url
        everybody = family(dict(info.pids))

        # Workers and Redis die; all comes back at the same address.
        for name in ("worker-1", "worker-2", "redis"):
            os.kill(info.pids[name], signal.SIGKILL)

        def restarted() -> bool:
            fleet.poll(0.05)
            return {e.name for e in events if e.kind == "restarted"} == {"worker-1", "worker-2", "redis"}

        wait_until(restarted, timeout=40)
        assert fleet.info.redis_url == info.redis_url
        assert ask_worker(info.redis_url) in {fleet.pids["worker-1"], fleet.pids["worker-2"]}
        record = json.loads((folder / "home/run/fleet.json").read_text())
        assert record["pids"] == fleet.pids
        assert record["redis_url"] == hide_secrets(info.redis_url) != info.redis_url
        everybody += family(fleet.pids)
    assert all(gone(pid) for pid in everybody)
    assert fleet.pids == {}
    with pytest.raises(ServiceError, match="isn't running"):
        _ = fleet.info


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_signal_ends_it_in_order(folder: Path, number: signal.Signals) -> None:
    owner = FleetProcess(folder, workers=1 if number == signal.SIGTERM else 0)
    pids = family(owner.pids)
    assert owner.end(number) == "stopped\n"
    assert owner.process.returncode == 0
    assert all(gone(pid) for pid in pids)
    with pytest.raises(NoOwnerError):
        Fleet.attach(folder / "home")


def test_kill_9_of_the_owner_then_a_new_one(folder: Path, wait_until: WaitUntil) -> None:
    owner = FleetProcess(folder)
    pids = family(owner.pids)
    owner.end(signal.SIGKILL)
    with small_fleet(folder) as fleet:
        assert fleet.info.redis_url == owner.redis_url
        assert ask_worker(fleet.info.redis_url) == fleet.pids["worker-1"]
        wait_until(lambda: all(gone(pid) for pid in pids))


def test_an_attached_process_is_waited_for(folder: Path, wait_until: WaitUntil) -> None:
    owner = FleetProcess(folder)
    with pytest.raises(HomeInUseError, match=f"process {owner.process.pid}"):
        small_fleet(folder).start()
    with open_fleet(small_fleet(folder)) as attached:
        assert isinstance(attached, AttachedFleet)
        assert attached.info.pids == owner.pids
        assert attached.alive
        assert ask_worker(attached.info.redis_url) == owner.pids["worker-1"]
        with EmbeddedServices(folder / "home") as services:
            assert services.redis_url == owner.redis_url
        # `up` doesn't wait for attached processes.
        assert owner.end(signal.SIGTERM) == "stopped\n"
        with pytest.raises(NoOwnerError):
            _ = attached.info


def test_the_end_of_a_with_block_waits_for_attached_processes(folder: Path) -> None:
    attached_program = textwrap.dedent(f"""
        import sys
        from workers.fleet import Fleet
        with Fleet.attach({str(folder / "home")!r}) as attached:
            print("here", flush=True)
            input()
            print(attached.alive, flush=True)
    """)
    with small_fleet(folder, workers=0, detach_timeout=30.0) as fleet:
        attached = subprocess.Popen(
            [sys.executable, "-c", attached_program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert attached.stdout is not None
        assert attached.stdin is not None
        assert attached.stdout.readline() == "here\n"
        pids = fleet.pids
        # It leaves only once the owner has begun to wait: ended by a helper that watches for nothing else.
        ender = subprocess.Popen(["/bin/sleep", "0.5"])
        poll = fleet.poll

        def poll_and_release(timeout: float = 0.0) -> None:
            poll(timeout)
            assert attached.stdin is not None
            if ender.poll() is not None and not attached.stdin.closed:
                attached.stdin.write("\n")
                attached.stdin.close()

        fleet.poll = poll_and_release  # type: ignore[method-assign]  # the moment to act is inside the wait
    assert attached.stdout.read() == "True\n"
    attached.stdout.close()
    assert attached.wait(10) == 0
    assert all(gone(pid) for pid in pids.values())


def test_what_does_not_come_up_takes_all_down_again(folder: Path) -> None:
    pids: list[int] = []

    def note(event: Event) -> None:
        pids.append(event.pid)

    (folder / "app/fleet_app.py").write_text("raise RuntimeError('this app is broken')")
    with pytest.raises(ServiceError, match="this app is broken"):
        small_fleet(folder, on_event=note).start()
    assert pids
    assert all(gone(pid) for pid in pids)
    assert not (folder / "home/run/fleet.json").exists()


def test_given_servers_are_used(folder: Path) -> None:
    with (
        EmbeddedServices(folder / "home") as services,
        small_fleet(folder, home="other", database_url=services.database_url, redis_url=services.redis_url) as fleet,
    ):
        assert list(fleet.pids) == ["worker-1", "beat"]
        assert ask_worker(services.redis_url) == fleet.pids["worker-1"]


def test_a_sandbox_elsewhere_that_does_not_answer_is_refused(folder: Path) -> None:
    fleet = small_fleet(folder, mode="sandbox", sandbox_url="http://127.0.0.2:1")
    with pytest.raises(ServiceError, match=r"SANDBOX_URL=http://127\.0\.0\.2:1"):
        fleet.start()
    assert fleet.pids == {}


@pytest.mark.skipif(
    find_spec("integrations.sandbox.__main__") is None, reason="the sandbox can't be started on its own yet"
)
def test_the_sandbox_is_started_at_its_url_or_used_where_it_answers(folder: Path) -> None:
    with small_fleet(folder, workers=0, mode="sandbox") as fleet:
        info = fleet.info
        assert info.sandbox_url is not None
        assert list(info.pids) == ["postgres", "redis", "sandbox", "beat"]
        assert info.environment["SANDBOX_URL"] == info.sandbox_url
        assert info.dns_resolver is not None
        assert sandbox_answers(info.sandbox_url)
        settings = {"database_url": info.database_url, "redis_url": info.redis_url, "workers": 0}
        second = Fleet(
            folder / "second",
            env=environment(folder),
            flower=False,
            app="fleet_app",
            sandbox_url=info.sandbox_url,
            **settings,  # type: ignore[arg-type]  # a mix of strings and numbers
        )
        with second:
            assert list(second.pids) == ["beat"]
            assert second.info.sandbox_url == info.sandbox_url


def test_children_import_our_code_and_hide_nothing() -> None:
    root = str(Path(__file__).resolve().parents[2])
    env = child_environment({"DATABASE_URL": "x"}, {"PYTHONPATH": "/one", "KEPT": "1"})
    assert env["PYTHONPATH"].split(os.pathsep) == [root, "/one"]
    assert (env["DATABASE_URL"], env["KEPT"]) == ("x", "1")
