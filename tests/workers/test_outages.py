"""Providers that are down, slow or metered, and a Redis that is away: a fleet waits, tells why, and goes on.

Everything is counted by the sandbox, at the other end of the wire.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import psutil
import pytest
import stack
from chaos import CONFIG, Chaos, audited_fleet

from agents.config import CampaignConfig
from orchestration.ledger.waiting import Deferrals

RECOVERY_S = 3.0
WRITERS: dict[str, Any] = {
    "name": "Writers",
    "target_audience": {"industry": "saas", "job_titles": ["CTO"]},
    "content_requirements": [
        {"content_type": "email", "topic": f"Faster releases, part {n}", "target_length": 60} for n in range(3)
    ],
}


@pytest.fixture(scope="module")
def sandbox(run_folder: Path) -> Iterator[stack.Sandbox]:
    with stack.running_sandbox(run_folder, "--latency-ms", "20") as found:
        yield found


def submit(chaos: Chaos, config: dict[str, Any], number: int) -> list[Any]:
    parsed = CampaignConfig.parse(config)
    return [chaos.campaigns.submit(parsed, idempotency_key=f"o{n}") for n in range(number)]


def fault(chaos: Chaos, provider: str, mode: str, **more: Any) -> None:
    chaos.sandbox.post("/_sandbox/faults", {"provider": provider, "mode": mode, **more})


def calls(chaos: Chaos, provider: str) -> list[float]:
    """When the sandbox was called, refused calls included."""
    return sorted(call["at"] for call in chaos.sandbox.get(f"/_sandbox/calls?provider={provider}"))


def happened(chaos: Chaos, kind: str) -> list[float]:
    """When events of a kind happened in the fleet."""
    sql = "SELECT extract(epoch FROM at)::float8 FROM marketing.fleet_events WHERE kind = %s ORDER BY id"
    return [row[0] for row in chaos.rows(sql, kind)]


def opened_at(chaos: Chaos) -> list[float]:
    """When a breaker of the fleet opened (first, or again after a probe)."""
    return happened(chaos, "breaker_open")


def assert_no_attempt_was_burnt_by_waiting(chaos: Chaos) -> None:
    failed = chaos.rows("SELECT key, attempts, error FROM marketing.units WHERE status = 'failed' OR attempts > 4")
    assert failed == []


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_sixty_units_wait_for_a_provider_that_is_down_and_one_probe_at_a_time_reaches_it(
    run_folder: Path, databases: stack.Databases, redis_databases: stack.RedisDatabases, sandbox: stack.Sandbox
) -> None:
    sandbox.reset()
    url, redis_url = databases.create(), redis_databases.next()
    env = {"BREAKER_RECOVERY_TIMEOUT": str(RECOVERY_S)}
    with audited_fleet(run_folder / "down", url, redis_url, sandbox, workers=3, concurrency=16, env=env) as chaos:
        fault(chaos, "openai", "down")
        handles = submit(chaos, WRITERS, 20)
        stack.wait_until(lambda: chaos.fleet.poll(0.1) or opened_at(chaos), timeout=90, message="an open breaker")
        chaos.run([], [(20.0, lambda: None)], timeout=60)

        def almost_all_wait() -> bool:
            chaos.fleet.poll(0.1)
            return chaos.statuses(handles).get("waiting", 0) >= 15

        stack.wait_until(almost_all_wait, timeout=30, message="15 of 20 campaigns that wait")
        reasons = {reason for (reason,) in chaos.rows("SELECT DISTINCT reason FROM marketing.campaigns")}
        over, known = time.time(), len(calls(chaos, "openai"))
        fault(chaos, "openai", "ok")
        chaos.run(handles, [], timeout=120)

        first = opened_at(chaos)[0]
        probes = [at for at in happened(chaos, "breaker_half_open") if at < over]
        assert 1 <= len(probes) <= (over - first) / RECOVERY_S, probes
        assert all(later - earlier > RECOVERY_S for earlier, later in pairwise([first, *probes])), probes
        # What was admitted before the breaker opened may arrive late, as many as there are threads; then only probes.
        assert known <= 3 * 16 + len(probes), calls(chaos, "openai")
        assert any(str(reason).startswith("circuit_open: openai") for reason in reasons), reasons
        assert_no_attempt_was_burnt_by_waiting(chaos)
        chaos.assert_all_completed(handles)
    databases.drop(url)


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_a_killed_prober_delays_recovery_by_its_lease_only(
    run_folder: Path, databases: stack.Databases, redis_databases: stack.RedisDatabases, sandbox: stack.Sandbox
) -> None:
    sandbox.reset()
    url, redis_url = databases.create(), redis_databases.next()
    env = {"BREAKER_RECOVERY_TIMEOUT": str(RECOVERY_S), "LLM_TIMEOUT": "4"}
    with audited_fleet(run_folder / "prober", url, redis_url, sandbox, workers=2, concurrency=16, env=env) as chaos:
        fault(chaos, "openai", "slow", delay=60)
        handles = submit(chaos, WRITERS, 8)
        stack.wait_until(lambda: chaos.fleet.poll(0.1) or opened_at(chaos), timeout=60, message="an open breaker")

        def prober() -> int | None:
            """The worker that holds the one call that is under way."""
            chaos.fleet.poll(0.02)
            sql = (
                "SELECT DISTINCT split_part(worker, ':', 2)::integer FROM marketing.units WHERE provider = 'openai' "
                "AND status = 'running' AND started_at > to_timestamp(%s)"
            )
            found = [row[0] for row in chaos.rows(sql, opened_at(chaos)[-1] + RECOVERY_S / 2)]
            return found[0] if len(found) == 1 else None

        pid = stack.wait_until(prober, timeout=60, message="a probe", interval=0.01)
        assert pid in chaos.workers.values()
        os.kill(pid, signal.SIGKILL)
        killed = time.time()
        fault(chaos, "openai", "ok")
        chaos.run(handles, [], timeout=120)
        after = [at for at in calls(chaos, "openai") if at > killed]
        lease_s = 4 + 5
        assert after[0] - killed < 3 * (lease_s + RECOVERY_S), "nobody took the probe over"
        chaos.assert_all_completed(handles)
        assert_no_attempt_was_burnt_by_waiting(chaos)
    databases.drop(url)


@pytest.mark.slow
@pytest.mark.timeout(480)
def test_one_campaign_waits_through_five_minutes_and_completes(
    run_folder: Path, databases: stack.Databases, redis_databases: stack.RedisDatabases, sandbox: stack.Sandbox
) -> None:
    sandbox.reset()
    url, redis_url = databases.create(), redis_databases.next()
    env = {"BREAKER_RECOVERY_TIMEOUT": str(RECOVERY_S)}
    with audited_fleet(run_folder / "long-wait", url, redis_url, sandbox, workers=1, env=env) as chaos:
        fault(chaos, "openai", "down")
        handles = submit(chaos, WRITERS, 1)
        stack.wait_until(
            lambda: chaos.fleet.poll(0.1) or handles[0].status == "waiting", timeout=60, message="the campaign to wait"
        )
        seen: list[tuple[str, str | None]] = []
        chaos.run(
            [],
            [(float(at), lambda: seen.append((handles[0].status, handles[0].reason))) for at in range(10, 300, 10)],
            timeout=330,
        )
        assert {status for status, _ in seen} <= {"waiting", "running"}
        assert sum(status == "waiting" for status, _ in seen) >= len(seen) / 2
        assert all(reason and "openai" in reason for status, reason in seen if status == "waiting")
        probes = len(calls(chaos, "openai"))
        fault(chaos, "openai", "ok")
        chaos.run(handles, [], timeout=90)
        assert probes <= 300 / RECOVERY_S + 20
        kinds = [event.kind for event in handles[0].history()]
        assert len(kinds) < 200, "each look was told"
        assert_no_attempt_was_burnt_by_waiting(chaos)
        chaos.assert_all_completed(handles)
    databases.drop(url)


def most_within(seconds: float, moments: Sequence[float]) -> int:
    """The most calls in any window of so many seconds."""
    best = first = 0
    for last, at in enumerate(moments):
        while at - moments[first] >= seconds:
            first += 1
        best = max(best, last - first + 1)
    return best


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_limit_is_shared_by_the_fleet_used_up_and_fair(
    run_folder: Path, databases: stack.Databases, redis_databases: stack.RedisDatabases, sandbox: stack.Sandbox
) -> None:
    sandbox.reset()
    url, redis_url = databases.create(), redis_databases.next()
    env = {"LIMIT_SERPAPI": "10/s"}
    many = [
        {"type": "search", "queries": [f"saas companies {s}-{n}" for n in range(200)], "limit": 1} for s in range(5)
    ]
    few = [{"type": "search", "queries": [f"finance companies {n}" for n in range(10)], "limit": 1}]
    searches = (
        "SELECT count(*) FROM marketing.units WHERE campaign_id = %s AND kind = 'search' AND status <> 'succeeded'"
    )
    with audited_fleet(run_folder / "metered", url, redis_url, sandbox, workers=3, concurrency=16, env=env) as chaos:
        audience = {"target_audience": {"industry": "saas"}, "content_required": False}
        big = chaos.campaigns.submit(CampaignConfig.parse({**audience, "lead_sources": many}), idempotency_key="big")
        stack.wait_until(
            lambda: chaos.fleet.poll(0.1) or len(calls(chaos, "serpapi")) > 50,
            timeout=60,
            message="the big one's calls",
        )
        small = chaos.campaigns.submit(CampaignConfig.parse({**audience, "lead_sources": few}), idempotency_key="small")
        before = sum(sum(psutil.Process(pid).cpu_times()[:2]) for pid in chaos.workers.values())
        began = time.monotonic()
        ended: dict[str, float] = {}

        def over() -> bool:
            chaos.fleet.poll(0.1)
            for name, handle in (("small", small), ("big", big)):
                if name not in ended and chaos.rows(searches, handle.campaign_id)[0][0] == 0:
                    ended[name] = time.monotonic() - began
            return len(ended) == 2

        stack.wait_until(over, timeout=240, message=lambda: f"all searches; {ended}", interval=0.2)
        busy = sum(sum(psutil.Process(pid).cpu_times()[:2]) for pid in chaos.workers.values()) - before
        moments = calls(chaos, "serpapi")
        big.pause()
        assert len(moments) == 1010
        # The admission clock allows 10 (tests of integrations.admission); a busy machine delivers some of them late.
        assert most_within(1.0, moments) <= 13
        # Used up whenever the machine has time for it: 9.5 a second by the slots' spacing.
        per_s = len(moments) / (moments[-1] - moments[0])
        assert most_within(10.0, moments) >= 85, per_s
        assert per_s >= 4.0
        assert ended["small"] < ended["big"] / 3
        assert busy / ended["big"] < 0.9, "cores of three workers, near idle"
        attempts = chaos.rows("SELECT max(attempts), avg(claims)::float8 FROM marketing.units WHERE kind = 'search'")[0]
        assert attempts[0] == 0
        assert attempts[1] < 3.0, "units were deferred again and again"
    databases.drop(url)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_work_goes_on_after_redis_was_away(
    run_folder: Path, databases: stack.Databases, sandbox: stack.Sandbox
) -> None:
    from chaos import chaotic_fleet

    sandbox.reset()
    with chaotic_fleet(run_folder / "no-redis", sandbox, workers=3) as chaos:
        handles = submit(chaos, CONFIG, 20)
        stack.wait_until(
            lambda: chaos.fleet.poll(0.1) or len(calls(chaos, "openai")) > 5, timeout=60, message="a run in its middle"
        )
        redis = chaos.fleet.pids["redis"]
        os.kill(redis, signal.SIGSTOP)
        said: list[int] = []
        sql = (
            "SELECT count(*) FROM marketing.workers w, jsonb_array_elements(w.metrics) AS m "
            "WHERE m ->> 'counter' = 'admission_up' AND (m ->> 'value')::integer = 0"
        )
        try:
            look = [(float(at), lambda: said.append(chaos.rows(sql)[0][0])) for at in range(2, 30, 2)]
            chaos.run([], [*look, (30.0, lambda: None)], timeout=60)
        finally:
            os.kill(redis, signal.SIGCONT)
        chaos.run(handles, [], timeout=180)
        assert max(said) > 0, "nobody said that Redis was away"
        assert chaos.rows(sql) == [(0,)]
        chaos.assert_all_completed(handles)
        chaos.assert_one_ad_each(handles)
        chaos.assert_nothing_paid_twice()


def test_a_provider_switched_off_by_hand_is_called_by_nobody_until_it_is_on_again(
    run_folder: Path, databases: stack.Databases, redis_databases: stack.RedisDatabases, sandbox: stack.Sandbox
) -> None:
    sandbox.reset()
    url, redis_url = databases.create(), redis_databases.next()
    with audited_fleet(run_folder / "switch", url, redis_url, sandbox, workers=1) as chaos:
        switches = Deferrals(chaos.campaigns.database)
        switches.switch_off("openai", actor="test", reason="a rehearsal")
        stack.wait_until(lambda: chaos.fleet.poll(0.1) or _heard(chaos), timeout=10, message="a beat")
        (handle,) = submit(chaos, WRITERS, 1)
        stack.wait_until(
            lambda: chaos.fleet.poll(0.1) or handle.status == "waiting", timeout=60, message="the campaign to wait"
        )
        assert handle.reason == "circuit_open: openai: is switched off by hand"
        assert calls(chaos, "openai") == []
        switches.switch_on("openai", actor="test")
        chaos.run([handle], [], timeout=60)
        assert handle.status == "completed"
        assert calls(chaos, "openai")
    databases.drop(url)


def _heard(chaos: Chaos) -> bool:
    """Has every worker beaten since the switch was thrown?"""
    sql = "SELECT min(w.beat_at) > max(k.at) FROM marketing.workers w, marketing.kill_switches k"
    return bool(chaos.rows(sql)[0][0])
