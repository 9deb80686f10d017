"""What a campaign file may say of its customer list and of a lookalike audience."""

from __future__ import annotations

from typing import Any

import pytest

from agents.config import CampaignConfig
from agents.config_problems import ConfigError
from integrations.ads.lookalike import Lookalike
from integrations.settings import Settings
from orchestration.control.submission import check


def parsed(wanted: dict[str, Any], *locations: str, platforms: tuple[str, ...] = ("facebook",)) -> CampaignConfig:
    audience = {"industry": "saas", "locations": list(locations)}
    ads = {"ad_platforms": list(platforms), "budget": 900}
    return CampaignConfig.parse({"target_audience": audience, **ads, "customer_list": wanted})


@pytest.mark.parametrize(
    ("keys", "locations", "country", "percent"),
    [
        ({}, ("Germany",), "DE", 1),
        ({}, ("Berlin", "Bavaria"), "DE", 1),
        ({"country": "AT"}, ("DACH",), "AT", 1),
        ({"country": "Germany", "ratio": "3 %"}, (), "DE", 3),
        ({"country": "gb", "ratio": 20}, ("Leeds",), "GB", 20),
        ({"country": "DE"}, ("Somewhere Unheard",), "DE", 1),
    ],
)
def test_country_and_ratio(keys: dict[str, Any], locations: tuple[str, ...], country: str, percent: int) -> None:
    config = parsed({"use": "lookalike", **keys}, *locations)
    assert config.customer_list is not None
    found = config.customer_list.lookalike(config.target_audience.locations)
    assert found == Lookalike(country=country, percent=percent)
    assert CampaignConfig.parse(config.model_dump(mode="json")) == config


@pytest.mark.parametrize(
    ("wanted", "locations", "said"),
    [
        ({"use": "lookalike"}, (), r"customer_list.country: is missing, and there are no locations; .* country: DE"),
        ({"use": "lookalike"}, ("DACH",), r"target_audience.locations \(DACH\) tell no single one"),
        ({"use": "lookalike"}, ("Berlin", "Paris"), r"\(Berlin, Paris\) tell no single one"),
        ({"use": "lookalike", "country": "FR"}, ("Berlin",), r"country=FR: the ads are shown in .*\(Berlin\)"),
        ({"use": "lookalike", "country": "Europe"}, (), r"country='Europe': is no country; write one, such as DE"),
        ({"use": "lookalike", "country": "DE", "ratio": 0}, (), r"ratio=0: write a whole number of percent from 1"),
        ({"use": "lookalike", "country": "DE", "ratio": 21}, (), r"ratio=21: write a whole number"),
        ({"use": "lookalike", "country": "DE", "ratio": 0.01}, (), r"ratio=0.01: write a whole number"),
        ({"use": "lookalike", "country": "DE", "ratio": True}, (), r"to 20"),
        ({"use": "target", "ratio": 3}, (), r"ratio: are for use: lookalike, not for use: target; leave them out"),
        ({"use": "similar"}, (), r"use='similar': Input should be 'target', 'exclude' or 'lookalike'"),
    ],
)
def test_what_is_refused(wanted: dict[str, Any], locations: tuple[str, ...], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        parsed(wanted, *locations)


@pytest.mark.parametrize(
    ("platform", "said"),
    [
        (
            "linkedin",
            "customer_list.use=lookalike: LinkedIn has made no lookalike audiences since February 2024; write",
        ),
        ("google", "customer_list.use=lookalike: Google has lookalike segments for Demand Gen campaigns only"),
        ("google", "write use: target or use: exclude, or leave google_ads out of ad_platforms"),
    ],
)
def test_a_platform_without_them_is_refused_at_submit(platform: str, said: str) -> None:
    wanted = {"use": "lookalike", "country": "DE"}
    check(parsed(wanted), Settings.from_env({}))
    with pytest.raises(ConfigError, match=said):
        check(parsed(wanted, platforms=("facebook", platform)), Settings.from_env({}))
