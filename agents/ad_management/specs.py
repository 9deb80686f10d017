"""From texts and budget to what each platform shall run.

Pure. Invariant: the effect key depends on campaign and platform only.
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from hashlib import sha256

from agents.ad_management.creative import Texts, changed
from agents.ad_management.running import creative_on
from agents.state import MarketingAgentState
from agents.unit import effect_key
from integrations.ads.platform import AdSpec, Audience
from integrations.ads.registry import platform as platform_spec
from integrations.ads.utm import campaign_link

#: Where ads lead in the sandbox when the brand has no web site; in live such a campaign is refused at submit.
SANDBOX_LANDING_URL = "https://example.com/"


def spec(state: MarketingAgentState, platform: str, texts: Texts, daily: Decimal) -> AdSpec:
    """Return what one platform shall run.

    Its start is the campaign's creation; deploying moves a past start to now.
    """
    config, audience = state.campaign_config, state.target_audience
    page = config.brand.website or SANDBOX_LANDING_URL
    landing = campaign_link(page, platform=platform, name=config.name, campaign_id=state.campaign_id)
    previous = creative_on(state, platform)
    revision = previous.revision if previous else 1
    if previous is not None and changed(texts, landing, previous):
        revision += 1
    keywords = [*audience.keywords, *(word for piece in state.generated_content for word in piece.keywords)]
    return AdSpec(
        name=config.name,
        effect_key=effect_key(state.campaign_id, platform),
        revision=revision,
        headlines=texts.headlines,
        descriptions=texts.descriptions,
        combined=len(texts.angles) if platform_spec(platform).limits.combined_ads else 1,
        call_to_action=texts.call_to_action,
        landing_url=landing,
        keywords=tuple(dict.fromkeys(keywords))[:20],
        audience=Audience(
            industries=audience.industries,
            titles=audience.job_titles,
            locations=audience.locations,
            interests=audience.interests,
        ),
        daily_budget=daily,
        currency=config.currency,
        start=state.created_at,
        end=state.created_at + timedelta(days=config.schedule.days),
        advertiser=config.brand.name or "",
        language=state.content_requirements[0].language if state.content_requirements else "en",
        goal=config.ads_goal,
    )


def content_hash(wanted: AdSpec) -> str:
    """Hash of what people see and what it may cost per day."""
    shown = [
        wanted.headlines,
        wanted.descriptions,
        wanted.call_to_action,
        wanted.landing_url,
        wanted.daily_budget,
        wanted.currency,
    ]
    return sha256(repr(shown).encode()).hexdigest()[:16]
