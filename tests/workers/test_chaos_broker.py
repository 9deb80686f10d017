"""The broker loses everything, is merely slow, or ticks too often: messages are wake-up calls and no more."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
import redis
import stack
from chaos import ALL_PLATFORMS, CONFIG, EVERYWHERE, PLATFORMS, Chaos, NoMessage, audited_fleet

from agents.config import CampaignConfig
from orchestration.client import Campaigns
from orchestration.execution.canvas import producer
from workers.fleet import Fleet

AGENTS = ("lead_generation", "content_creation", "ad_management", "analytics")
LONG = 5000


@pytest.fixture(scope="module")
def sandbox(run_folder: Path) -> Iterator[stack.Sandbox]:
    with stack.running_sandbox(run_folder) as found:
        yield found


def wipe(redis_url: str) -> int:
    """Empty the broker and its results; how many keys went."""
    with redis.Redis.from_url(redis_url) as client:
        gone = int(client.dbsize())
        client.flushdb()
    return gone


def submit_without_messages(chaos: Chaos, number: int) -> list[Any]:
    quiet = Campaigns(chaos.campaigns.settings, wakeups=NoMessage(), database=chaos.campaigns.database)
    config = CampaignConfig.parse(CONFIG)
    return [quiet.submit(config, idempotency_key=f"n{n}") for n in range(number)]


def assert_each_unit_ran_once(chaos: Chaos) -> None:
    """Nothing died, so no unit was claimed twice, and no call of a model was made twice."""
    again = chaos.rows(
        "SELECT campaign_id, step, key, claims, status FROM marketing.units "
        "WHERE claims > 1 OR (claims = 0 AND status <> 'pending')"
    )
    assert again == []
    chaos.in_flight = 0
    chaos.assert_nothing_paid_twice()


@pytest.mark.slow
@pytest.mark.parametrize("placement", ["local", "chord"])
def test_reconcile_alone_finishes_what_has_no_message(
    run_folder: Path,
    databases: stack.Databases,
    redis_databases: stack.RedisDatabases,
    sandbox: stack.Sandbox,
    placement: str,
) -> None:
    sandbox.reset()
    url, redis_url = databases.create(), redis_databases.next()
    with audited_fleet(
        run_folder / f"alone-{placement}", url, redis_url, sandbox, workers=2, env={"STAGE_PLACEMENT": placement}
    ) as chaos:
        handles = submit_without_messages(chaos, 20)
        wiped: list[int] = []
        timetable = [(at, lambda: wiped.append(wipe(redis_url))) for at in (3.0, 6.0, 9.0)]
        chaos.run(handles, timetable, timeout=100)
        assert sum(wiped) > 0
        chaos.assert_all_completed(handles)
        chaos.assert_one_ad_each(handles)
        assert_each_unit_ran_once(chaos)
    databases.drop(url)


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_a_long_queue_gets_no_duplicates(
    run_folder: Path, databases: stack.Databases, redis_databases: stack.RedisDatabases, sandbox: stack.Sandbox
) -> None:
    sandbox.reset()
    url, redis_url = databases.create(), redis_databases.next()
    with audited_fleet(run_folder / "long", url, redis_url, sandbox, workers=1, concurrency=2) as chaos:
        config = CampaignConfig.parse({"target_audience": {"industry": "saas"}, "content_required": False})
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda n: chaos.campaigns.submit(config, idempotency_key=f"l{n}"), range(LONG)))
        chaos.run([], [(25.0, lambda: None)], timeout=60)
        with redis.Redis.from_url(redis_url) as client:
            names = Counter(json.loads(raw)["headers"]["task"] for raw in client.lrange("lead_generation", 0, -1))
        sql = "SELECT count(*), sum(publishes) FROM marketing.campaigns WHERE status = 'queued'"
        queued, woken = chaos.rows(sql)[0]
        assert queued > LONG / 2, "the queue was not long"
        # A campaign that has not begun has its one message; wake-ups of others would be duplicates. Slots of stages
        # that are spread wait in the same queue and make it longer still.
        hops = names["lead_generation.hop"]
        assert queued - 10 <= hops <= queued + LONG / 100, (names, queued, woken)
        assert woken < LONG / 100
        assert names["lead_generation.unit"] > 0
    databases.drop(url)


@pytest.mark.slow
def test_a_broker_that_lost_a_long_queue_is_refilled(
    databases: stack.Databases, redis_databases: stack.RedisDatabases, run_folder: Path, sandbox: stack.Sandbox
) -> None:
    sandbox.reset()
    url, redis_url = databases.create(), redis_databases.next()
    # Nobody serves the agents' queues, so what is published stays to be counted.
    with audited_fleet(run_folder / "refill", url, redis_url, sandbox, workers=1, queues=("orchestration",)) as chaos:
        config = CampaignConfig.parse(CONFIG)
        handles = [chaos.campaigns.submit(config, idempotency_key=f"r{n}") for n in range(300)]
        with redis.Redis.from_url(redis_url) as client:
            assert int(client.llen("lead_generation")) == len(handles)
            # One whose message was sent just before the loss is taken for waiting until the queue is past it.
            chaos.run([], [(4.0, lambda: wipe(redis_url))], timeout=30)

            def refilled() -> bool:
                chaos.fleet.poll(0.1)
                return int(client.llen("lead_generation")) >= len(handles)

            stack.wait_until(refilled, timeout=60, message="all wake-ups once more")
            chaos.run([], [(5.0, lambda: None)], timeout=30)
            assert int(client.llen("lead_generation")) <= len(handles) * 1.01
    databases.drop(url)


@contextmanager
def five_beats(folder: Path, url: str, redis_url: str, sandbox: stack.Sandbox) -> Iterator[Any]:
    """Two workers, five processes that tick each second, and what sends fifty ticks at once."""
    folder.mkdir()
    with audited_fleet(folder / "0", url, redis_url, sandbox, workers=2) as chaos, ExitStack() as more:
        others = [
            more.enter_context(
                Fleet(
                    folder / str(n), database_url=url, redis_url=redis_url, sandbox_url=sandbox.url, env=chaos.env,
                    workers=0, flower=False,
                )
            )
            for n in range(1, 5)
        ]  # fmt: skip
        assert all("beat" in other.pids for other in [chaos.fleet, *others])
        app = more.enter_context(producer(redis_url))

        def tick() -> None:
            with ThreadPoolExecutor(10) as pool:
                send = {"queue": "orchestration", "ignore_result": True}
                list(pool.map(lambda _: app.send_task("orchestration.execution.reconcile", **send), range(50)))

        yield chaos, tick


@pytest.mark.slow
def test_five_beats_and_fifty_ticks_at_once_run_nothing_twice(
    run_folder: Path, databases: stack.Databases, redis_databases: stack.RedisDatabases, sandbox: stack.Sandbox
) -> None:
    sandbox.reset()
    url, redis_url = databases.create(), redis_databases.next()
    with five_beats(run_folder / "beats", url, redis_url, sandbox) as (chaos, tick):
        handles = submit_without_messages(chaos, 10)
        chaos.run(handles, [(at, tick) for at in (0.5, 3.5, 4.0, 8.0)], timeout=90)
        chaos.assert_all_completed(handles)
        chaos.assert_one_ad_each(handles)
        assert_each_unit_ran_once(chaos)
    databases.drop(url)


ROUNDS = 3  #: of optimisation, per cycle


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_no_schedule_fires_twice_and_missed_runs_do_not_pile_up(
    run_folder: Path, databases: stack.Databases, redis_databases: stack.RedisDatabases, sandbox: stack.Sandbox
) -> None:
    sandbox.reset(world={"platforms": {"*": {"quality": 0.05}}})  # surely below every bar
    url, redis_url = databases.create(), redis_databases.next()
    with five_beats(run_folder / "schedules", url, redis_url, sandbox) as (chaos, tick):
        small = {**CONFIG, "content_requirements": CONFIG["content_requirements"][:1]}
        config = CampaignConfig.parse({**small, "optimize_every": "1d"})
        handles = [chaos.campaigns.submit(config, idempotency_key=f"s{n}") for n in range(4)]
        wait_for_next_runs(chaos, handles)
        for cycle in (1, 2):
            # Five runs were missed while nobody was at work.
            chaos.campaigns.database.run("UPDATE marketing.campaigns SET due_at = now() - interval '5 days'")
            chaos.run([], [(at, tick) for at in (0.0, 0.5, 1.0, 3.0)], timeout=60)
            wait_for_next_runs(chaos, handles)
            chaos.run([], [(0.0, tick), (3.0, lambda: None)], timeout=60)  # and nothing comes after
            wait_for_next_runs(chaos, handles)
            assert_cycles(chaos, handles, cycle)
        chaos.assert_one_ad_each(handles)
        assert_each_unit_ran_once(chaos)
    databases.drop(url)


def wait_for_next_runs(chaos: Chaos, handles: list[Any]) -> None:
    """Until every campaign waits for a run that is still to come."""
    sql = (
        "SELECT count(*) FROM marketing.schedules WHERE status = 'waiting' AND next_run_at > now() + interval '1 hour'"
    )
    stack.wait_until(
        lambda: chaos.fleet.poll(0.1) or chaos.rows(sql)[0][0] == len(handles),
        timeout=100,
        message=lambda: chaos.describe(handles),
    )


def assert_cycles(chaos: Chaos, handles: list[Any], fired: int) -> None:
    """Each campaign was woken ``fired`` times, and measured once each time and once for each round that it had."""
    measured = {}
    for handle in handles:
        happened = Counter((e.kind, e.agent) for e in handle.history())
        assert happened["wait_over", "analytics"] == fired
        rounds = happened["hop_finished", "content_creation"] - 1
        assert 1 <= rounds <= (fired + 1) * ROUNDS
        measured[handle.campaign_id] = happened["hop_finished", "analytics"]
        assert measured[handle.campaign_id] == fired + 1 + rounds
        assert happened["hop_started", "analytics"] == fired + 2 + rounds  # the next run's, which waits
        assert handle.state.optimization_attempts == 0
    units = chaos.rows(
        "SELECT campaign_id, count(*) FILTER (WHERE kind = 'measure' AND status = 'succeeded'), count(DISTINCT step) "
        "FROM marketing.units WHERE agent = 'analytics' GROUP BY campaign_id"
    )
    assert sorted(units) == sorted((one, number * len(PLATFORMS), number + 1) for one, number in measured.items())


#: Agents whose workers speak to Google by its own package.
PLACES_OR_MEASURES = {"ad_management", "analytics"}


@pytest.mark.slow
@pytest.mark.timeout(360)
def test_four_workers_of_one_queue_each_finish_twenty_campaigns(
    run_folder: Path, databases: stack.Databases, redis_databases: stack.RedisDatabases, sandbox: stack.Sandbox
) -> None:
    sandbox.reset()
    url, redis_url = databases.create(), redis_databases.next()
    folder = run_folder / "queues"
    folder.mkdir()
    with (
        audited_fleet(folder / "0", url, redis_url, sandbox, workers=1, queues=("orchestration", AGENTS[0])) as chaos,
        ExitStack() as more,
    ):
        served = {AGENTS[0]: next(iter(chaos.workers.values()))}
        for agent in AGENTS[1:]:
            fleet = Fleet(
                folder / agent, database_url=url, redis_url=redis_url, sandbox_url=sandbox.url, env=chaos.env,
                workers=1, concurrency=8, flower=False, queues=(agent,),
            )  # fmt: skip
            more.enter_context(fleet)
            served[agent] = fleet.pids["worker-1"]
        config = CampaignConfig.parse(EVERYWHERE)
        handles = [chaos.campaigns.submit(config, idempotency_key=f"q{n}") for n in range(20)]
        chaos.run(handles, [], timeout=300)
        chaos.assert_all_completed(handles)
        chaos.assert_one_ad_each(handles, ALL_PLATFORMS)
        assert_each_unit_ran_once(chaos)
        # Before its first hop a campaign has its ad accounts looked at, in the worker that has the campaign.
        found = chaos.rows(
            "SELECT DISTINCT agent, split_part(worker, ':', 2)::integer FROM marketing.units "
            "WHERE stage_name <> 'check'"
        )
        assert dict(found) == served
        assert len(found) == len(served)
        loaded = {
            agent: "cygrpc" in Path(f"/proc/{pid}/maps").read_text(encoding="utf-8") for agent, pid in served.items()
        }
        assert loaded == {name: name in PLACES_OR_MEASURES for name in served}, "Google's package is loaded elsewhere"
        print({agent: f"{resident_mb(pid)} MB" for agent, pid in served.items()})
    databases.drop(url)


def resident_mb(pid: int) -> int:
    """Resident memory of a process."""
    (line,) = re.findall(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text(encoding="utf-8"))
    return int(line) // 1024
