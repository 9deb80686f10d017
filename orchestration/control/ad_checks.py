"""Ads that can't do what they are for, told at submit: what is asked of a campaign beside its settings.

Pure; nobody is asked. Invariant: each problem names the key or the variable, and what would be right.
"""

from __future__ import annotations

from agents.config import CampaignConfig
from integrations.ads.landing import is_example
from integrations.settings import Mode, Settings


def ad_problems(config: CampaignConfig, settings: Settings) -> list[str]:
    """Return why the ads of ``config`` can't work under ``settings``, nothing for a campaign without ads."""
    return _landing(config, settings.mode) if config.ad_platforms else []


def _landing(config: CampaignConfig, mode: Mode) -> list[str]:
    """Return what is wrong with the page that the ads lead to, which matters in live only."""
    website = config.brand.website
    if mode is not Mode.LIVE:
        return []
    if website is None:
        return ["brand.website: is missing; write the page that the ads lead to, such as https://www.your-brand.com/"]
    if is_example(website):
        return [f"brand.website={website}: is a name for examples; write the brand's own page that the ads lead to"]
    return []
