"""What tests of the verbs on real workers share: a small campaign, and questions to the ledger and the platforms."""

from __future__ import annotations

from collections import Counter
from typing import Any

import stack
from fleet_fixture import RunningFleet

from agents.config import CampaignConfig
from agents.unit import effect_key

PLATFORMS = ("facebook_ads", "linkedin_ads")
#: Small on purpose: what matters is where a campaign stops and goes on, not how much it writes.
SMALL: dict[str, Any] = {
    "name": "Launch",
    "brand": {"website": "https://launch.test/"},
    "target_audience": {"industry": "saas", "job_titles": ["CTO"]},
    "lead_sources": [{"type": "search", "limit": 5}],
    "ad_platforms": ["facebook", "linkedin"],
    "budget": 3000,
    "content_requirements": [
        {"content_type": "blog_post", "topic": "Faster releases", "target_length": 100},
        {"content_type": "email", "topic": "A look inside", "target_length": 60},
    ],
}


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
