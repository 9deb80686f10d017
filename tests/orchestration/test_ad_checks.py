"""Ads that can't do what they are for are refused at submit."""

from __future__ import annotations

from typing import Any

import pytest
from live_world import live_env

from agents.config import CampaignConfig
from agents.config_problems import ConfigError
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


@pytest.mark.parametrize(
    ("keys", "env", "words"),
    [
        ({"goal": "sales"}, {}, "goal=sales: Facebook needs FACEBOOK_PIXEL_ID in the environment"),
        ({"goal": "leads", "ad_platforms": ["linkedin"]}, {}, "LINKEDIN_LEAD_FORM_ID or LINKEDIN_CONVERSION_ID"),
        ({"goal": "leads", "ad_platforms": ["google"]}, {}, "Google needs GOOGLE_ADS_CONVERSION_ACTION_ID in the"),
        ({"goal": "sales", "ad_platforms": ["google"]}, {"GOOGLE_ADS_CONVERSION_ACTION_ID": "1"}, ""),
        ({"goal": "leads"}, {"FACEBOOK_LEAD_FORM_ID": "1"}, ""),
        ({"goal": "leads"}, {"FACEBOOK_PIXEL_ID": "1"}, ""),
        ({"goal": "traffic"}, {}, ""),
        ({"goal": "sales", "ad_platforms": []}, {}, ""),
    ],
)
def test_a_goal_needs_what_counts_it(keys: dict[str, Any], env: dict[str, str], words: str) -> None:
    brand = {"website": "https://acme.test/"}
    if words:
        with pytest.raises(ConfigError, match=words):
            submitted(live_env(**env), brand=brand, **keys)
    else:
        submitted(live_env(**env), brand=brand, **keys)


@pytest.mark.parametrize("goal", ["traffic", "leads", "sales"])
def test_the_sandbox_has_all_that_its_platforms_need(goal: str) -> None:
    submitted({}, goal=goal, ad_platforms=["facebook", "google", "linkedin"])


def test_a_goal_that_there_is_not_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(ConfigError, match=r"goal='fame': Input should be 'traffic', 'leads' or 'sales'"):
        CampaignConfig.parse({**ADS, "goal": "fame"})
