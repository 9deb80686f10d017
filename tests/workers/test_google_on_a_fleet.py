"""Ads at Google on a real fleet: beside the other platforms, alone, and with workers that die while they are placed."""

from __future__ import annotations

import os
import signal
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import checkout
import pytest
import stack
import yaml
from chaos import Chaos, audited_fleet

from agents.config import CampaignConfig
from agents.unit import effect_key

#: The brief's test of the whole workflow.
WORKFLOW = {
    "name": "Test Campaign",
    "target_audience": {"industry": "technology"},
    "platforms": ["google_ads"],
    "budget": 1000,
}
PLATFORMS = ("facebook_ads", "google_ads", "linkedin_ads")
MUTATE = "POST /google.ads.googleads.v26.services.GoogleAdsService/Mutate"

pytestmark = pytest.mark.slow


@pytest.fixture
def chaos(
    run_folder: Path, databases: stack.Databases, redis_databases: stack.RedisDatabases, request: pytest.FixtureRequest
) -> Iterator[Chaos]:
    folder = run_folder / f"g{abs(hash(request.node.name)) % 10**6}"
    folder.mkdir()
    url = databases.create()
    with (
        stack.running_sandbox(folder) as sandbox,
        audited_fleet(folder / "home", url, redis_databases.next(), sandbox, workers=2) as running,
    ):
        yield running
    databases.drop(url)


def ended(chaos: Chaos, config: dict[str, Any], timeout: float = 110) -> Any:
    """The handle of a campaign that has come to its end."""
    handle = chaos.campaigns.submit(CampaignConfig.parse(config))
    chaos.run([handle], [], timeout=timeout)
    chaos.assert_all_completed([handle])
    return handle


@pytest.mark.timeout(180)
def test_the_whole_funnel_on_three_platforms(chaos: Chaos) -> None:
    handle = ended(chaos, yaml.safe_load(checkout.read("examples/full_funnel.yaml")))
    state = handle.state
    assert {c.platform: c.status for c in state.ad_creatives} == dict.fromkeys(PLATFORMS, "active")
    chaos.assert_one_ad_each([handle], PLATFORMS)
    assert {one.platform for one in state.campaign_performance.platforms} == set(PLATFORMS)
    google = next(one for one in state.campaign_performance.platforms if one.platform == "google_ads")
    assert google.clicks > 0
    assert google.spend > 0


@pytest.mark.timeout(180)
def test_the_workflow_of_the_brief(chaos: Chaos) -> None:
    handle = ended(chaos, WORKFLOW)
    assert handle.campaign_id
    state = handle.state
    assert state.qualified_leads
    assert state.generated_content
    assert state.campaign_performance is not None
    assert state.campaign_performance.overall_score is not None
    chaos.assert_one_ad_each([handle], ["google_ads"])


@pytest.mark.timeout(240)
def test_workers_killed_while_ads_are_placed_leave_one_campaign_a_platform(chaos: Chaos) -> None:
    config = {**yaml.safe_load(checkout.read("examples/full_funnel.yaml")), "content_required": False}
    config.pop("content_requirements")
    handle = chaos.campaigns.submit(CampaignConfig.parse(config))

    def made() -> bool:
        """Whether Google has carried out a creation, whose answer its slowness still holds back."""
        chaos.fleet.poll(0.05)
        listed = chaos.sandbox.get("/_sandbox/state")["ad_campaigns"]
        return any(ad["provider"] == "google_ads" for ad in listed)

    def mutates() -> int:
        chaos.fleet.poll(0.05)
        calls = chaos.sandbox.get("/_sandbox/calls?provider=google_ads")
        return Counter(call["endpoint"] for call in calls)[MUTATE]

    stack.wait_until(mutates, timeout=100, message="the dry run at Google")
    chaos.sandbox.post("/_sandbox/faults", {"provider": "google_ads", "mode": "slow", "delay": 4})
    stack.wait_until(made, timeout=60, message="the creation at Google")
    for pid in chaos.workers.values():
        os.kill(pid, signal.SIGKILL)
    chaos.sandbox.post("/_sandbox/faults", {"provider": "google_ads", "mode": "ok"})
    chaos.run([handle], [], timeout=150)
    chaos.assert_all_completed([handle])
    chaos.assert_one_ad_each([handle], PLATFORMS)
    creations = chaos.rows(
        "SELECT journal->'intent:campaign' FROM marketing.units WHERE provider = 'google_ads' AND effect_key = %s "
        "AND journal ? 'intent:campaign'",
        effect_key(handle.campaign_id, "google_ads"),
    )
    assert len(creations) == 1
