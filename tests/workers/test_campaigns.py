"""Whole campaigns on real workers, Postgres, Redis and the sandbox's wire."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import stack
from comparable import comparable
from fleet_fixture import RunningFleet, running_fleet

from agents.config import CampaignConfig
from agents.registry import agents
from agents.state import MarketingAgentState
from integrations.settings import Settings
from orchestration.execution.context import Resources
from orchestration.execution.inprocess import MemoryExecution, run_campaign
from orchestration.ledger.database import Database

LAUNCH: dict[str, Any] = {
    "name": "Launch",
    "target_audience": {"industry": "saas", "job_titles": ["CTO", "VP Engineering"]},
    "ad_platforms": ["facebook", "linkedin"],
    "budget": 3000,
    "content_requirements": [
        {
            "content_type": "blog_post",
            "topic": "Faster releases",
            "keywords": ["release automation"],
            "target_length": 300,
        },
        {"content_type": "email", "topic": "A look inside", "target_length": 120},
    ],
}
ROUTE = ["lead_generation", "content_creation", "ad_management", "analytics"]
JSON_LINES = {"LOG_FORMAT": "json", "LOG_LEVEL": "DEBUG"}
_numbers = count()


@pytest.fixture(scope="module")
def fleet(
    run_folder: Path, databases: stack.Databases, redis_databases: stack.RedisDatabases
) -> Iterator[RunningFleet]:
    url = databases.create()
    with (
        stack.running_sandbox(run_folder) as sandbox,
        running_fleet(
            run_folder / "fleet", url, redis_databases.next(), sandbox, flower=True, env=JSON_LINES
        ) as running,
    ):
        yield running
    databases.drop(url)


def assert_kept_its_promises(shown: dict[str, Any], config: dict[str, Any]) -> None:
    """What every finished campaign must show."""
    state = shown["state"]
    assert (shown["status"], shown["reason"]) == ("completed", None)
    assert shown["route"][:4] == ROUTE
    assert all(lead["score"] >= 0.7 and lead["qualified_at"] for lead in state["qualified_leads"])
    assert 0 < len(state["qualified_leads"]) < len(state["leads"])
    assert len(state["generated_content"]) == len(config["content_requirements"])
    assert {c["platform"] for c in state["ad_creatives"]} == {"facebook_ads", "linkedin_ads"}
    assert all(c["status"] == "active" for c in state["ad_creatives"])
    assert 0 <= state["campaign_performance"]["overall_score"] <= 1
    assert state["optimization_attempts"] <= 3
    assert set(shown["units"]) <= {"succeeded", "failed", "skipped"}


def logged(fleet: RunningFleet, campaign_id: str) -> list[dict[str, Any]]:
    """The lines that the workers wrote about a campaign."""
    files = sorted((fleet.fleet.home.path / "logs").glob("worker-*.log"))
    written = [line for file in files for line in file.read_text("utf-8").splitlines() if line.startswith("{")]
    return [line for line in map(json.loads, written) if line.get("campaign") == campaign_id]


def ads_of(sandbox: stack.Sandbox, campaign_id: str) -> Counter[str]:
    """Ad campaigns that the sandbox holds for a campaign, by provider."""
    from agents.unit import effect_key

    keys = {effect_key(campaign_id, platform) for platform in ("facebook_ads", "linkedin_ads")}
    return Counter(a["provider"] for a in sandbox.get("/_sandbox/state")["ad_campaigns"] if a["effect_key"] in keys)


def test_a_campaign_goes_from_leads_to_a_score(fleet: RunningFleet) -> None:
    handle = fleet.campaigns.submit(CampaignConfig.parse(LAUNCH))
    (shown,) = fleet.finish([handle])
    assert_kept_its_promises(shown, LAUNCH)
    assert ads_of(fleet.sandbox, handle.campaign_id) == {"facebook_ads": 1, "linkedin_ads": 1}
    assert set(shown) >= {"campaign_id", "status", "reason", "step", "state", "units", "spend", "route"}
    assert float(shown["spend"]["llm"]["USD"]) > 0
    json.dumps(shown)

    lines = logged(fleet, handle.campaign_id)
    assert all(line["worker"] and line["agent"] in ROUTE for line in lines)
    hops = {(line["step"], line["agent"]) for line in lines if line["message"].startswith("hop ")}
    assert hops >= set(enumerate(ROUTE))
    units = [line for line in lines if line["message"].startswith("unit begins")]
    assert {line["agent"] for line in units} == set(ROUTE)
    assert len({(line["step"], line["unit"]) for line in units}) == sum(shown["units"].values())


def test_an_audience_alone_gives_a_campaign_that_works(fleet: RunningFleet) -> None:
    handle = fleet.campaigns.submit(CampaignConfig.parse({"target_audience": {"industry": "saas"}}))
    (shown,) = fleet.finish([handle])
    assert shown["status"] == "completed"
    assert shown["route"][:4] == ROUTE
    assert shown["state"]["generated_content"]
    assert shown["state"]["campaign_performance"]["overall_score"] is not None


def test_placements_and_one_process_end_equal(
    run_folder: Path, databases: stack.Databases, redis_databases: stack.RedisDatabases
) -> None:
    ends = {}
    with stack.running_sandbox(run_folder) as sandbox:
        for placement, workers in (("local", 1), ("chord", 2)):
            sandbox.reset()
            url = databases.create()
            redis_url = redis_databases.next()
            env = {"STAGE_PLACEMENT": placement}
            folder = run_folder / f"f-{placement}"
            with running_fleet(folder, url, redis_url, sandbox, workers=workers, env=env) as running:
                handle = running.campaigns.submit(CampaignConfig.parse(LAUNCH), campaign_id="same")
                (shown,) = running.finish([handle])
                assert_kept_its_promises(shown, LAUNCH)
                ends[placement] = comparable(handle.state)
            databases.drop(url)
        sandbox.reset()
        url = databases.create()
        settings = Settings.from_env({"SANDBOX_URL": sandbox.url, "DNS_RESOLVER": sandbox.dns_resolver or ""})
        database = Database(url)
        state = MarketingAgentState.initial(CampaignConfig.parse(LAUNCH), campaign_id="same")
        alone = run_campaign(state, agents(), MemoryExecution(Resources.of(settings, database)))
        ends["one process"] = comparable(alone)
        database.close()
        databases.drop(url)
    assert ends["local"] == ends["one process"]
    assert ends["chord"] == ends["one process"]


def complete_at_once(running: RunningFleet, number: int, timeout: float = 110) -> None:
    """Submit campaigns from several threads: each completes, no unit is claimed twice, and Flower counts it all."""
    with ThreadPoolExecutor(5) as pool:
        config = CampaignConfig.parse(LAUNCH)
        handles = list(pool.map(lambda n: running.campaigns.submit(config, idempotency_key=f"n{n}"), range(number)))
    for shown in running.finish(handles, timeout=timeout):
        assert_kept_its_promises(shown, LAUNCH)
        assert ads_of(running.sandbox, shown["campaign_id"]) == {"facebook_ads": 1, "linkedin_ads": 1}
    ids = [handle.campaign_id for handle in handles]
    again, workers = running.campaigns.database.rows(
        "SELECT count(*) FILTER (WHERE claims <> 1), count(DISTINCT worker) FILTER (WHERE status = 'succeeded') "
        "FROM marketing.units WHERE campaign_id = ANY(%s)",
        ids,
    )[0]
    assert (again, workers) == (0, 2)
    metrics = running.flower("/metrics")
    for agent in ROUTE:
        for kind in ("hop", "unit"):
            assert f'task="{agent}.{kind}",type="task-succeeded"' in metrics
    for figure in ("marketing_workers 2.0", "marketing_database_up 1.0", "marketing_breakers_up 1.0"):
        assert figure in metrics


def test_six_at_once_all_complete(fleet: RunningFleet) -> None:
    complete_at_once(fleet, 6)


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("placement", ["auto", "chord"])
def test_twenty_at_once_all_complete(
    run_folder: Path, databases: stack.Databases, redis_databases: stack.RedisDatabases, placement: str
) -> None:
    url = databases.create()
    redis_url = redis_databases.next()
    folder, env = run_folder / f"t-{placement}", {"STAGE_PLACEMENT": placement}
    with (
        stack.running_sandbox(run_folder) as sandbox,
        running_fleet(folder, url, redis_url, sandbox, flower=True, env=env) as running,
    ):
        complete_at_once(running, 20, timeout=280)
    databases.drop(url)


#: A market in which ads surely stay far below the benchmarks.
POOR_WORLD = {"platforms": {"*": {"quality": 0.3}}}


def test_a_poor_world_is_rewritten_by_the_loop_without_new_ads(fleet: RunningFleet) -> None:
    fleet.sandbox.reset(7, POOR_WORLD)
    try:
        handle = fleet.campaigns.submit(CampaignConfig.parse({**LAUNCH, "budget": 3000}))
        (shown,) = fleet.finish([handle])
        assert_kept_its_promises(shown, LAUNCH)
        rounds = [r["overall_score"] for r in shown["state"]["campaign_performance"]["rounds"]]
        assert shown["state"]["optimization_attempts"] >= 1
        assert rounds[0] < 0.7
        assert max(c["revision"] for c in shown["state"]["ad_creatives"]) > 1
        assert max(p["revision"] for p in shown["state"]["generated_content"]) > 1
        assert ads_of(fleet.sandbox, handle.campaign_id) == {"facebook_ads": 1, "linkedin_ads": 1}
    finally:
        fleet.sandbox.reset()


def test_a_campaign_sent_by_task_name_needs_none_of_our_packages(fleet: RunningFleet) -> None:
    from celery import Celery

    with Celery(broker=fleet.env["REDIS_URL"], set_as_current=False) as producer:
        for key, config in (
            ("by-name", {"target_audience": {"industry": "saas"}, "content_required": False}),
            ("by-name-bad", {"target_audience": {}}),
        ):
            producer.send_task(
                "campaigns.submit",
                kwargs={"config": config, "idempotency_key": key},
                queue="orchestration",
                ignore_result=True,
            )
    rows = stack.wait_until(
        lambda: fleet.campaigns.database.rows(
            "SELECT campaign_id FROM marketing.campaigns WHERE idempotency_key = 'by-name'"
        ),
        timeout=20,
        message="the campaign's row",
    )
    assert fleet.finish([fleet.campaigns.get(rows[0][0])])[0]["status"] == "completed"
    refusal = stack.wait_until(lambda: fleet.campaigns.refusal("by-name-bad"), timeout=20, message="the refusal")
    assert refusal == ['target_audience: is empty; say whom to reach, for example {"industry": "saas"}']


def test_a_dead_worker_is_replaced_and_its_campaign_completes(fleet: RunningFleet) -> None:
    """A short form; crash points and chaos have tests of their own."""
    import os
    import signal

    fleet.sandbox.post("/_sandbox/faults", {"provider": "openai", "mode": "slow", "seconds": 4, "delay": 2})
    handle = fleet.campaigns.submit(CampaignConfig.parse(LAUNCH))
    stack.wait_until(
        lambda: fleet.campaigns.database.rows(
            "SELECT 1 FROM marketing.units WHERE campaign_id = %s AND status = 'running' AND provider = 'openai'",
            handle.campaign_id,
        ),
        timeout=30,
        message="a unit in its call",
    )
    for name, pid in fleet.fleet.pids.items():
        if "worker" in name:
            os.kill(pid, signal.SIGKILL)
    # The lease of the dead runs out at once.
    fleet.campaigns.database.run("UPDATE marketing.workers SET beat_at = beat_at - interval '15 seconds'")
    (shown,) = fleet.finish([handle], timeout=100)
    assert_kept_its_promises(shown, LAUNCH)
    assert ads_of(fleet.sandbox, handle.campaign_id) == {"facebook_ads": 1, "linkedin_ads": 1}
    assert "unit_lost" in {e.kind for e in handle.history()}
