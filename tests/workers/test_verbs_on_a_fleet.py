"""The verbs on real workers: what stops, what goes on, and what never reaches a platform unasked."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import checkout
import pytest
import redis
import stack
from fleet_fixture import RunningFleet, running_fleet

from agents.config import CampaignConfig
from agents.unit import effect_key

PLATFORMS = ("facebook_ads", "linkedin_ads")
#: Small on purpose: what matters is where a campaign stops and goes on, not how much it writes.
SMALL: dict[str, Any] = {
    "name": "Launch",
    "target_audience": {"industry": "saas", "job_titles": ["CTO"]},
    "lead_sources": [{"type": "search", "limit": 5}],
    "ad_platforms": ["facebook", "linkedin"],
    "budget": 3000,
    "content_requirements": [
        {"content_type": "blog_post", "topic": "Faster releases", "target_length": 100},
        {"content_type": "email", "topic": "A look inside", "target_length": 60},
    ],
}
#: Few slots, so that units wait for one; and a provider that is back is soon found to be.
SETTINGS = {"UNIT_SLOTS": "4", "BREAKER_RECOVERY_TIMEOUT": "1"}
QUEUES = ("lead_generation", "content_creation", "ad_management", "analytics")


@pytest.fixture(scope="module")
def fleet(
    run_folder: Path, databases: stack.Databases, redis_databases: stack.RedisDatabases
) -> Iterator[RunningFleet]:
    url = databases.create()
    with (
        stack.running_sandbox(run_folder) as sandbox,
        running_fleet(run_folder / "verbs", url, redis_databases.next(), sandbox, env=SETTINGS) as running,
    ):
        yield running
    databases.drop(url)


def submit(on: RunningFleet, **config: Any) -> Any:
    return on.campaigns.submit(CampaignConfig.parse({**SMALL, **config}))


def wait_for(on: RunningFleet, handles: list[Any], status: str, timeout: float = 60.0) -> None:
    stack.wait_until(
        lambda: on.look_after() or all(h.status == status for h in handles),
        timeout=timeout,
        message=lambda: f"campaigns to be {status}: {[(h.status, h.reason) for h in handles]}",
        interval=0.1,
    )


def ads_of(on: RunningFleet, campaign_id: str) -> list[dict[str, Any]]:
    """What the platforms hold for a campaign."""
    keys = {effect_key(campaign_id, platform) for platform in PLATFORMS}
    return [ad for ad in on.sandbox.get("/_sandbox/state")["ad_campaigns"] if ad["effect_key"] in keys]


def enabled(on: RunningFleet, campaign_id: str) -> list[str]:
    """Providers on which an ad of the campaign is shown to people."""
    return sorted(ad["provider"] for ad in ads_of(on, campaign_id) if ad["status"].upper() == "ACTIVE")


def calls(on: RunningFleet) -> Counter[str]:
    """Calls to each provider so far."""
    return Counter(on.sandbox.get("/_sandbox/state")["calls"])


def rows(on: RunningFleet, sql: str, *args: Any) -> Any:
    return on.campaigns.database.rows(sql, *args)


def units(on: RunningFleet, ids: list[str], where: str) -> int:
    found = rows(on, f"SELECT count(*) FROM marketing.units WHERE campaign_id = ANY(%s) AND {where}", ids)
    return int(found[0][0])


def test_pause_stops_new_units_within_two_seconds_and_resume_finishes(fleet: RunningFleet) -> None:
    pieces = [{"content_type": "email", "topic": f"Look {n}", "target_length": 30} for n in range(48)]
    before = calls(fleet)["openai"]
    fleet.sandbox.post("/_sandbox/faults", {"provider": "openai", "mode": "slow", "delay": 1.5})
    handles = [submit(fleet, content_requirements=pieces, ad_platforms=[])]
    ids = [handle.campaign_id for handle in handles]
    writes = "agent = 'content_creation' AND status = "
    try:
        stack.wait_until(lambda: calls(fleet)["openai"] >= before + 8, 30, "units in their calls")
        for handle in handles:
            assert handle.pause() == "paused"
        stack.wait_until(lambda: units(fleet, ids, "status = 'running'") == 0, 30, "running units to end")
        paused = max(e.at.timestamp() for h in handles for e in h.history() if e.kind == "paused")
        stack.wait_until(lambda: time.time() > paused + 3.5, 10, "a while in which nothing may be called")
        asked = [call["at"] for call in fleet.sandbox.get("/_sandbox/calls?provider=openai")]
    finally:
        fleet.sandbox.post("/_sandbox/faults", {"provider": "openai", "mode": "ok"})
    assert units(fleet, ids, f"{writes} 'pending'") > 0
    assert max(asked) < paused + 2
    assert [handle.status for handle in handles] == ["paused"]
    for handle in handles:
        assert handle.resume() == "running"
    for shown in fleet.finish(handles):
        assert shown["status"] == "completed"
        assert len(shown["state"]["generated_content"]) == len(pieces)
    assert units(fleet, ids, "status <> 'succeeded'") == 0


def test_cancel_leaves_no_ad_enabled(fleet: RunningFleet) -> None:
    handle = submit(fleet, measure_after="2h")
    wait_for(fleet, [handle], "waiting")
    assert enabled(fleet, handle.campaign_id) == sorted(PLATFORMS)
    assert handle.cancel(reason="wrong market") == "cancelling"
    (shown,) = fleet.finish([handle])
    assert shown["status"] == "cancelled"
    assert shown["reason"] == "cancelled by client: wrong market"
    assert [e.data for e in handle.history() if e.kind == "cancelling"] == [{"reason": "wrong market"}]
    assert enabled(fleet, handle.campaign_id) == []
    assert len(ads_of(fleet, handle.campaign_id)) == 2
    assert {ad["status"] for ad in shown["state"]["ad_creatives"]} == {"paused"}


@pytest.mark.slow
@pytest.mark.parametrize("provider", PLATFORMS)
def test_cancel_in_the_middle_of_a_deployment_leaves_no_ad_enabled(fleet: RunningFleet, provider: str) -> None:
    fleet.sandbox.post("/_sandbox/faults", {"provider": provider, "mode": "slow", "delay": 1.5})
    try:
        handle = submit(fleet)
        stack.wait_until(
            lambda: units(fleet, [handle.campaign_id], "status = 'running' AND effect_key IS NOT NULL"),
            timeout=30,
            message="an effect at work",
        )
        handle.cancel()
        (shown,) = fleet.finish([handle])
    finally:
        fleet.sandbox.post("/_sandbox/faults", {"provider": provider, "mode": "ok"})
    assert shown["status"] == "cancelled"
    assert enabled(fleet, handle.campaign_id) == []


def test_ads_pause_with_their_campaign_and_go_on_with_it(fleet: RunningFleet) -> None:
    handle = submit(fleet, measure_after="2h")
    wait_for(fleet, [handle], "waiting")
    assert enabled(fleet, handle.campaign_id) == sorted(PLATFORMS)
    before = handle.show()
    assert handle.pause(ads=True, actor="ann") == "paused"
    wait_for_reason(fleet, handle, "paused by ann, and its ads")
    assert enabled(fleet, handle.campaign_id) == []
    assert {ad["status"] for ad in handle.show()["state"]["ad_creatives"]} == {"paused"}
    handle.resume(actor="ann")
    wait_for(fleet, [handle], "waiting")
    assert enabled(fleet, handle.campaign_id) == sorted(PLATFORMS)
    after = handle.show()
    assert {key: after[key] for key in ("reason", "due_at", "step", "state")} == {
        key: before[key] for key in ("reason", "due_at", "step", "state")
    }
    end_wait = "UPDATE marketing.campaigns SET due_at = now() WHERE campaign_id = %s"
    fleet.campaigns.database.run(end_wait, handle.campaign_id)
    stack.wait_until(
        lambda: fleet.look_after() or _ended_or_measured_again(fleet, handle, end_wait),
        timeout=90,
        message=lambda: f"the campaign to end: {handle.status, handle.reason}",
        interval=0.2,
    )
    assert handle.status == "completed"
    assert enabled(fleet, handle.campaign_id) == sorted(PLATFORMS)
    assert len(ads_of(fleet, handle.campaign_id)) == 2


def _ended_or_measured_again(on: RunningFleet, handle: Any, end_wait: str) -> bool:
    """A round of optimisation gathers figures too: they need not be waited for."""
    if handle.status == "waiting":
        on.campaigns.database.run(end_wait, handle.campaign_id)
    return handle.status in ("completed", "failed")


def wait_for_reason(on: RunningFleet, handle: Any, reason: str, timeout: float = 60.0) -> None:
    stack.wait_until(
        lambda: on.look_after() or handle.reason == reason,
        timeout=timeout,
        message=lambda: f"{reason!r}: {handle.status, handle.reason}",
        interval=0.1,
    )


@pytest.mark.slow
@pytest.mark.parametrize("provider", PLATFORMS)
def test_ads_are_paused_in_the_middle_of_a_deployment_and_the_campaign_completes_later(
    fleet: RunningFleet, provider: str
) -> None:
    fleet.sandbox.post("/_sandbox/faults", {"provider": provider, "mode": "slow", "delay": 1.5})
    try:
        handle = submit(fleet)
        stack.wait_until(
            lambda: units(fleet, [handle.campaign_id], "status = 'running' AND effect_key IS NOT NULL"),
            timeout=30,
            message="an effect at work",
        )
        handle.pause(ads=True, actor="ann")
        wait_for_reason(fleet, handle, "paused by ann, and its ads", timeout=90)
    finally:
        fleet.sandbox.post("/_sandbox/faults", {"provider": provider, "mode": "ok"})
    assert enabled(fleet, handle.campaign_id) == []
    handle.resume(actor="ann")
    (shown,) = fleet.finish([handle])
    assert shown["status"] == "completed"
    assert enabled(fleet, handle.campaign_id) == sorted(PLATFORMS)
    assert len(ads_of(fleet, handle.campaign_id)) == 2


@pytest.mark.slow
def test_a_platform_that_is_down_is_said_and_its_ad_paused_when_it_is_back(fleet: RunningFleet) -> None:
    handle = submit(fleet, measure_after="2h")
    wait_for(fleet, [handle], "waiting")
    fleet.sandbox.post("/_sandbox/faults", {"provider": "facebook_ads", "mode": "down"})
    try:
        handle.pause(ads=True, actor="ann")
        stack.wait_until(
            lambda: "the ads on facebook_ads can't be paused yet" in (handle.reason or ""),
            timeout=60,
            message=lambda: f"it to be said: {handle.reason}",
        )
        assert enabled(fleet, handle.campaign_id) == ["facebook_ads"]
    finally:
        fleet.sandbox.post("/_sandbox/faults", {"provider": "facebook_ads", "mode": "ok"})
    wait_for_reason(fleet, handle, "paused by ann, and its ads", timeout=110)
    assert enabled(fleet, handle.campaign_id) == []
    assert handle.cancel() == "cancelling"
    wait_for(fleet, [handle], "cancelled")


def test_a_fork_runs_with_the_parents_leads_and_touches_none_of_its_ads(fleet: RunningFleet) -> None:
    parent = submit(fleet)
    (before,) = fleet.finish([parent])
    ads = ads_of(fleet, parent.campaign_id)
    assert len(ads) == 2
    asked = calls(fleet)
    child = parent.fork(1, changes={"name": "Second try", "approval": {"gate": "none"}, "budget": 500})
    (shown,) = fleet.finish([child])
    assert (shown["status"], shown["route"][0]) == ("completed", "content_creation")
    assert shown["state"]["leads"] == before["state"]["leads"]
    assert shown["state"]["qualified_leads"] == before["state"]["qualified_leads"]
    own = ads_of(fleet, child.campaign_id)
    assert Counter(ad["provider"] for ad in own) == dict.fromkeys(PLATFORMS, 1)
    assert not {ad["id"] for ad in own} & {ad["id"] for ad in ads}
    assert ads_of(fleet, parent.campaign_id) == ads
    assert parent.show()["state"] == before["state"]
    for provider in ("serpapi", "hunter", "web"):  # the leads were not looked for again
        assert calls(fleet)[provider] == asked[provider]


def test_retry_repeats_only_what_failed(fleet: RunningFleet) -> None:
    fleet.sandbox.post("/_sandbox/faults", {"provider": "facebook_ads", "mode": "down"})
    try:
        handle = submit(fleet, ad_platforms=["facebook"])
        stack.wait_until(
            lambda: fleet.look_after() or (a_day_passes(fleet, handle), handle.status == "failed")[1],
            timeout=90,
            message=lambda: f"the outage to last for too long: {handle.status, handle.reason}",
            interval=0.5,
        )
    finally:
        fleet.sandbox.post("/_sandbox/faults", {"provider": "facebook_ads", "mode": "ok"})
    shown = handle.show()
    assert shown["reason"].startswith("ad_management: ")
    assert "was not available for 24 hours" in shown["reason"]
    assert shown["units"]["failed"] == 1
    done = units(fleet, [handle.campaign_id], "status = 'succeeded'")
    asked = calls(fleet)
    assert handle.retry() == "running"
    (shown,) = fleet.finish([handle])
    assert (shown["status"], shown["reason"]) == ("completed", None)
    for provider in ("serpapi", "hunter", "web"):
        assert calls(fleet)[provider] == asked[provider]
    assert units(fleet, [handle.campaign_id], "claims > 1 AND key <> 'validate:facebook_ads'") == 0
    assert shown["units"]["succeeded"] > done + 1
    assert "failed" not in shown["units"]
    assert enabled(fleet, handle.campaign_id) == ["facebook_ads"]


def a_day_passes(on: RunningFleet, handle: Any) -> None:
    """What waits for a provider has done so for long, and looks again."""
    on.campaigns.database.run(
        "UPDATE marketing.units SET due_at = now(), journal = journal || jsonb_build_object('waiting_since', now() - "
        "interval '25 hours') WHERE campaign_id = %s AND status = 'pending' AND journal ? 'waiting_since'",
        handle.campaign_id,
    )
    on.campaigns.database.run(
        "UPDATE marketing.campaigns SET due_at = now() WHERE campaign_id = %s AND status = 'waiting'",
        handle.campaign_id,
    )


@pytest.mark.parametrize("waiting", [3, pytest.param(100, marks=[pytest.mark.slow, pytest.mark.timeout(400)])])
def test_campaigns_wait_for_approval_across_a_restart_of_everything(
    run_folder: Path, databases: stack.Databases, redis_databases: stack.RedisDatabases, waiting: int
) -> None:
    url, redis_url = databases.create(), redis_databases.next()
    folder = run_folder / f"approval{waiting}"
    options: dict[str, Any] = {"workers": 1 if waiting < 10 else 2, "concurrency": 2}  # fewer slots than wait
    with stack.running_sandbox(run_folder) as sandbox:
        with running_fleet(folder, url, redis_url, sandbox, **options) as first:
            handles = [submit(first, approval={"gate": "ads"}, content_required=False) for _ in range(waiting)]
            ids = [handle.campaign_id for handle in handles]
            wait_for(first, handles, "awaiting_approval", timeout=30 + 2 * waiting)
            # Nothing has reached a platform, and nobody is kept busy by those that wait.
            assert sandbox.get("/_sandbox/state")["ad_campaigns"] == []
            assert created(sandbox) == []
            assert units(first, ids, "status = 'running'") == 0
            passing = submit(first, name="Passing")
            assert first.finish([passing])[0]["status"] == "completed"
            with redis.Redis.from_url(redis_url) as broker:
                assert {name: broker.llen(name) for name in QUEUES} == dict.fromkeys(QUEUES, 0)
            assert {handle.status for handle in handles} == {"awaiting_approval"}
            asked = handles[0].approval()
        for number in (0, 1):
            base, _, at = redis_url.rpartition("/")
            with redis.Redis.from_url(f"{base}/{int(at) + number}") as broker:
                broker.flushdb()
        with running_fleet(folder, url, redis_url, sandbox, **options) as second:
            handles = [second.campaigns.get(one) for one in ids]
            assert second.finish([submit(second, ad_platforms=[])])[0]["status"] == "completed"  # it is at work
            assert {handle.status for handle in handles} == {"awaiting_approval"}
            assert handles[0].approval() == asked
            assert [ad for one in ids for ad in ads_of(second, one)] == []
            for handle in handles[:10]:
                assert handle.approve(actor="ann") == "running"
            approve_to_the_end(second, handles[:10], timeout=90)
            assert {handle.status for handle in handles[10:]} <= {"awaiting_approval"}
            for shown in [handle.show() for handle in handles[:10]]:
                assert shown["status"] == "completed"
                own = ads_of(second, shown["campaign_id"])
                assert Counter(ad["provider"] for ad in own) == dict.fromkeys(PLATFORMS, 1)
    databases.drop(url)


def approve_to_the_end(on: RunningFleet, handles: list[Any], timeout: float) -> None:
    """A round of optimisation writes new ads, and these ask anew."""

    def ended() -> bool:
        on.look_after()
        for handle in handles:
            if handle.status == "awaiting_approval":
                handle.approve(actor="ann")
        return all(handle.status in ("completed", "failed") for handle in handles)

    stack.wait_until(
        ended, timeout, lambda: f"campaigns to end: {[(h.status, h.reason) for h in handles]}", interval=0.2
    )


def created(sandbox: stack.Sandbox) -> list[str]:
    """Calls that would make something at a platform. (Facebook's dry run is a POST of the campaign alone.)"""
    made = []
    for provider in PLATFORMS:
        for call in sandbox.get(f"/_sandbox/calls?provider={provider}"):
            method, _, path = call["endpoint"].partition(" ")
            if method != "GET" and not (provider == "facebook_ads" and path.endswith("/campaigns")):
                made.append(call["endpoint"])
    return made


@pytest.mark.slow
def test_an_embedded_run_asks_goes_on_following_and_is_answered_from_another_terminal(run_folder: Path) -> None:
    home = run_folder / "asked"
    env = {**os.environ, "MARKETING_HOME": str(home)}
    command = [sys.executable, "-c", "from workers.cli import main; main()"]
    example = str(checkout.ROOT / "examples" / "saas_launch.yaml")
    told = []
    out = run_folder / "asked.json"  # a file: a pipe that nobody reads yet would fill up
    with (
        out.open("w") as stdout,
        subprocess.Popen(
            [*command, "run", example, "--embedded", "--json", "--set", "approval.gate=ads"],
            stdout=stdout,
            stderr=subprocess.PIPE,
            text=True,
            env=env,
        ) as run,
    ):
        try:
            for line in run.stderr or ():
                told.append(line)
                if "campaigns approve" in line:
                    arguments = ["approve", line.split()[-1], "--json"]
                    done = subprocess.run(
                        [*command, *arguments], env=env, capture_output=True, text=True, timeout=60, check=False
                    )
                    assert done.returncode == 0, done.stderr
                    assert json.loads(done.stdout)["status"] == "running"
            assert run.wait(60) == 0, told[-3:]
        finally:
            run.terminate()
    shown = json.loads(out.read_text())
    text = "".join(told)
    assert "Status: awaiting approval (approval of ads); the question does not expire" in text
    assert "At most 3,000.00 USD is spent over 30 days." in text
    assert (shown["status"], shown["approval"]) == ("completed", None)
    asked = sum(message["message_type"] == "approval_request" for message in shown["state"]["agent_messages"])
    assert asked == text.count("Approval wanted: ads on ") >= 1
