"""An ad platform that another package brings: a fleet that has it installed places its ads, and places them once."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import checkout
import pytest
import stack
from fleet_fixture import RunningFleet, running_fleet
from plugin_package import install, python_path

from agents.unit import effect_key
from integrations.sandbox.world import chance

EXAMPLE = checkout.ROOT / "examples/plugins/marketing-tiktok-ads"
CAMPAIGN = """
name: Launch
target_audience: {industry: saas, job_titles: [CTO]}
ad_platforms: [TikTok, facebook]
budget: 2000
content_required: false
brand: {name: Acme, product: Acme Flow, website: "https://acme.example/"}
"""
RATE = 0.1  #: of the platform's answers that are lost


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that the example is installed in."""
    folder: Path = tmp_path_factory.mktemp("site")
    install(EXAMPLE, folder)
    return folder


@pytest.fixture(scope="module")
def fleet(
    site: Path, run_folder: Path, databases: stack.Databases, redis_databases: stack.RedisDatabases
) -> Iterator[RunningFleet]:
    url, env = databases.create(), {"PYTHONPATH": python_path(site)}
    with (
        stack.running_sandbox(run_folder, env=env) as sandbox,
        running_fleet(run_folder / "plugged", url, redis_databases.next(), sandbox, env=env) as running,
    ):
        yield running
    databases.drop(url)


def command(fleet: RunningFleet, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The command ``campaigns`` of a user of the fleet who has the example installed as well."""
    program = "from workers.cli import main; main()"
    return subprocess.run(
        [sys.executable, "-c", program, *arguments],
        env=fleet.env,
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )


def seed_that_loses_the_first_creation() -> int:
    """A seed with which the platform's fourth answer is lost, and two or three more: too few to open its breaker."""

    def lost(seed: int) -> list[int]:
        return [call for call in range(1, 41) if chance("fault", seed, "tiktok_ads", call) < RATE]

    return next(seed for seed in range(1, 10_000) if lost(seed)[:1] == [4] and len(lost(seed)) in (3, 4))


def test_a_campaign_is_placed_once_though_replies_are_lost(fleet: RunningFleet, tmp_path: Path) -> None:
    fleet.sandbox.reset(seed_that_loses_the_first_creation())
    fleet.sandbox.post("/_sandbox/faults", {"provider": "tiktok_ads", "mode": "lost_reply", "rate": RATE})
    file = tmp_path / "campaign.yaml"
    file.write_text(CAMPAIGN)
    run = command(fleet, "run", str(file), "--json")
    assert run.returncode == 0, run.stderr
    shown = json.loads(run.stdout)
    assert (shown["status"], shown["reason"]) == ("completed", None)
    creatives = {creative["platform"]: creative for creative in shown["state"]["ad_creatives"]}
    assert {name: creative["status"] for name, creative in creatives.items()} == {
        "tiktok_ads": "active",
        "facebook_ads": "active",
    }
    found = fleet.sandbox.get("/_sandbox/state")["ad_campaigns"]
    assert Counter((ad["provider"], ad["effect_key"], ad["status"]) for ad in found) == {
        (name, effect_key(shown["campaign_id"], name), "active"): 1 for name in creatives
    }
    calls = fleet.sandbox.get("/_sandbox/calls?provider=tiktok_ads")
    assert (calls[3]["endpoint"], calls[3]["status"]) == ("POST /campaign/create/", 0), "this answer was lost"
    made = Counter(call["endpoint"] for call in calls if call["endpoint"].endswith("/create/"))
    assert made["POST /campaign/create/"] == made["POST /adgroup/create/"] == 1
    measured = {metrics["platform"] for metrics in shown["state"]["campaign_performance"]["platforms"]}
    assert measured == {"tiktok_ads", "facebook_ads"}

    summary = command(fleet, "show", shown["campaign_id"])
    assert "TikTok" in summary.stdout, summary.stderr


def test_where_it_is_not_installed_it_is_refused(fleet: RunningFleet, tmp_path: Path) -> None:
    file = tmp_path / "campaign.yaml"
    file.write_text(CAMPAIGN)
    bare = {**fleet.env, "PYTHONPATH": os.environ.get("PYTHONPATH", "")}
    stranger = RunningFleet(campaigns=fleet.campaigns, sandbox=fleet.sandbox, env=bare, fleet=fleet.fleet)
    refused = command(stranger, "submit", str(file))
    assert refused.returncode == 2
    assert "'TikTok' is not an ad platform; use facebook_ads, google_ads or linkedin_ads" in refused.stderr
