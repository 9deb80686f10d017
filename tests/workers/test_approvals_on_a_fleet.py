"""Approvals on real workers: nothing reaches a platform unasked, across restarts and from another terminal."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import checkout
import pytest
import redis
import stack
from fleet_fixture import RunningFleet, running_fleet
from verbs_on_a_fleet import PLATFORMS, ads_of, submit, units, wait_for

QUEUES = ("lead_generation", "content_creation", "ad_management", "analytics")


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
