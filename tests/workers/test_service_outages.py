"""Postgres and Redis in trouble under a real fleet: everything completes, nothing is doubled, nobody is needed."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import Any

import psutil
import pytest
import redis
import stack
from chaos import CONFIG, Chaos, chaotic_fleet
from outages import as_administrator

from agents.config import CampaignConfig

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]


def wait(chaos: Chaos, seconds: float) -> None:
    """Look after the fleet for a while."""
    chaos.run([], [(seconds, lambda: None)], timeout=seconds + 30)


def submit(chaos: Chaos, count: int) -> list[Any]:
    config = CampaignConfig.parse(CONFIG)
    return [chaos.campaigns.submit(config) for _ in range(count)]


def amid_work(chaos: Chaos, count: int) -> list[Any]:
    """Campaigns whose units are running."""
    handles = submit(chaos, count)
    stack.wait_until(
        lambda: chaos.fleet.poll(0.1) or chaos.statuses(handles).get("running", 0) > 1, timeout=30, message="work"
    )
    return handles


def assert_no_trace(chaos: Chaos, handles: list[Any], pids: dict[str, int]) -> None:
    """All has completed, in the same processes, and no unit has a crash, an error of ours or a second ad to show."""
    chaos.assert_all_completed(handles)
    assert chaos.rows("SELECT max(crashes) FROM marketing.units") == [(0,)]
    assert chaos.rows("SELECT count(*) FROM marketing.events WHERE kind = 'unit_lost'") == [(0,)]
    chaos.assert_one_ad_each(handles)
    assert chaos.workers == pids


def test_postgres_read_only_hung_and_used_up(run_folder: Path, sandbox: stack.Sandbox) -> None:
    sandbox.reset()
    with chaotic_fleet(run_folder / "pg", sandbox, workers=2) as chaos:
        pids = dict(chaos.workers)
        handles = amid_work(chaos, 3)
        with as_administrator(chaos) as admin:
            admin.execute("ALTER SYSTEM SET default_transaction_read_only = on")
            admin.execute("SELECT pg_reload_conf()")
            wait(chaos, 8.0)
            admin.execute("ALTER SYSTEM RESET default_transaction_read_only")
            admin.execute("SELECT pg_reload_conf()")
        handles += amid_work(chaos, 3)
        postgres = psutil.Process(chaos.fleet.pids["postgres"])
        family = [postgres, *postgres.children(recursive=True)]
        for process in family:
            os.kill(process.pid, signal.SIGSTOP)
        try:
            begun = time.monotonic()
            while time.monotonic() - begun < 20:
                chaos.fleet.poll(0.2)
        finally:
            for process in family:
                if process.is_running():
                    os.kill(process.pid, signal.SIGCONT)
        handles += amid_work(chaos, 3)
        with as_administrator(chaos) as admin:
            admin.execute("ALTER ROLE marketing CONNECTION LIMIT 0")
            admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'marketing'")
            begun = time.monotonic()
            while time.monotonic() - begun < 6:
                chaos.fleet.poll(0.2)
            admin.execute("ALTER ROLE marketing CONNECTION LIMIT -1")
        handles += submit(chaos, 1)
        chaos.run(handles, [], timeout=120)
        assert_no_trace(chaos, handles, pids)


def test_redis_that_refuses_writes_and_rubbish_in_the_queues(run_folder: Path, sandbox: stack.Sandbox) -> None:
    sandbox.reset()
    with (
        chaotic_fleet(run_folder / "redis", sandbox, workers=2) as chaos,
        redis.Redis.from_url(chaos.env["REDIS_URL"]) as admin,
    ):
        pids = dict(chaos.workers)
        handles = amid_work(chaos, 4)
        admin.config_set("maxmemory", "1mb")
        try:
            wait(chaos, 10.0)
        finally:
            admin.config_set("maxmemory", "0")
        for queue in ("orchestration", "lead_generation"):
            admin.lpush(queue, "not json", "{}", "[]")
        handles += submit(chaos, 2)
        chaos.run(handles, [], timeout=120)
        assert_no_trace(chaos, handles, pids)
        stack.wait_until(
            lambda: chaos.fleet.poll(0.1) or admin.hlen("unacked") == 0, timeout=20, message="no message unacknowledged"
        )


def test_a_worker_whose_consumer_is_dead_ends_itself_and_is_started_again(
    run_folder: Path, sandbox: stack.Sandbox
) -> None:
    sandbox.reset()
    folder = run_folder / "dead"
    env = {"PYTHONPATH": str(Path(stack.__file__).parent), "DEAD_CONSUMER": str(run_folder / "dead-consumer")}
    with chaotic_fleet(folder, sandbox, workers=1, app="dead_consumer", env=env) as chaos:
        pids = dict(chaos.workers)
        (handle,) = submit(chaos, 1)
        chaos.run([handle], [], timeout=150)
        chaos.assert_all_completed([handle])
        assert chaos.workers.keys() == pids.keys()
        assert chaos.workers != pids
        log = (folder / "logs" / "worker-1.log").read_text()
        assert log.count("CRITICAL") == 1
        assert "it took no message" in log
