"""Ads that can't do what they are for are refused at submit."""

from __future__ import annotations

from typing import Any

import pytest
from live_world import live_env

from agents.config import CampaignConfig, ConfigError
from integrations.settings import Settings
from orchestration.control.submission import check

ADS: dict[str, Any] = {"target_audience": {"industry": "saas"}, "ad_platforms": ["facebook"], "budget": 900}


def submitted(env: dict[str, str], **keys: Any) -> None:
    check(CampaignConfig.parse({**ADS, **keys}), Settings.from_env(env))


@pytest.mark.parametrize(
    ("brand", "words"),
    [({}, "brand.website: is missing"), ({"website": "https://www.example.com/x"}, "is a name for examples")],
)
def test_live_ads_lead_to_the_brands_own_page(brand: dict[str, str], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        submitted(live_env(), brand=brand)
    submitted(live_env(), brand={"website": "https://acme.test/"})
    submitted(live_env(), brand=brand, ad_platforms=[])
    submitted({}, brand=brand)
