"""The verbs on real workers: what stops, what goes on, and whose ads are touched."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import stack
from fleet_fixture import RunningFleet, running_fleet
from verbs_on_a_fleet import PLATFORMS, ads_of, calls, enabled, submit, units, wait_for

#: Few slots, so that units wait for one; and a provider that is back is soon found to be.
SETTINGS = {"UNIT_SLOTS": "4", "BREAKER_RECOVERY_TIMEOUT": "1"}


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
        stack.wait_until(lambda: time.time() > paused + 2.5, 10, "a while in which nothing may be called")
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
    creatives = handle.show()["state"]["ad_creatives"]
    assert enabled(fleet, handle.campaign_id) == sorted(ad["platform"] for ad in creatives if not ad["resting"])
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
    child = parent.fork(1, changes={"name": "Second try", "approval": {"gate": "none"}, "budget": 600})
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
    """What waits for a provider has done so for long, and looks again; what is tried again is tried now."""
    on.campaigns.database.run(
        "UPDATE marketing.units SET due_at = now(), journal = journal || jsonb_build_object('waiting_since', now() - "
        "interval '25 hours') WHERE campaign_id = %s AND status = 'pending' AND journal ? 'waiting_since'",
        handle.campaign_id,
    )
    on.campaigns.database.run(
        "UPDATE marketing.units SET due_at = now() WHERE campaign_id = %s AND status = 'pending' AND due_at > now()",
        handle.campaign_id,
    )
    on.campaigns.database.run(
        "UPDATE marketing.campaigns SET due_at = now() WHERE campaign_id = %s AND status = 'waiting'",
        handle.campaign_id,
    )
