"""What a campaign's configuration accepts, and how it refuses the rest."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from agents.config import CampaignConfig
from agents.config_problems import ConfigError
from agents.lead_generation.sources.file import FileSource
from agents.lead_generation.sources.search import SearchSource
from agents.lead_generation.sources.web import WebSource

AUDIENCE = {"target_audience": {"industry": "saas"}}


def test_an_audience_alone_is_a_campaign() -> None:
    config = CampaignConfig.parse(AUDIENCE)
    assert config.target_audience.industries == ("saas",)
    assert config.lead_sources == (SearchSource(),)
    assert (config.content_required, config.ad_platforms, config.currency) == (True, (), "USD")


def test_what_users_write() -> None:
    config = CampaignConfig.parse(
        {
            **AUDIENCE,
            "platforms": ["Meta", "linkedin", "facebook"],
            "budget": "1500.50",
            "currency": "eur",
            "lead_sources": [{"type": "web", "url": "http://acme.biz/"}, {"type": "file", "path": "leads.csv"}],
            "content_requirements": {"content_type": "email", "keywords": "crm"},
            "approval": {"expires_after": "36h"},
            "retention": "P90D",
        }
    )
    assert config.ad_platforms == ("facebook_ads", "linkedin_ads")
    assert (config.budget, config.currency) == (Decimal("1500.50"), "EUR")
    web, file = config.lead_sources
    assert isinstance(web, WebSource)
    assert web.urls == ("http://acme.biz/",)
    assert isinstance(file, FileSource)
    assert config.content_requirements[0].keywords == ("crm",)
    assert config.approval.expires_after == timedelta(hours=36)
    assert config.retention == timedelta(days=90)


def test_the_keyword_form_of_the_contract() -> None:
    config = CampaignConfig(
        name="Launch",
        target_audience={"industry": "saas"},  # type: ignore[arg-type]  # pydantic reads the dict
        ad_platforms=["google", "linkedin"],  # type: ignore[arg-type]  # and the list
        budget=1000,  # type: ignore[arg-type]  # and the int
    )
    assert config.ad_platforms == ("google_ads", "linkedin_ads")


def test_a_configuration_survives_its_json() -> None:
    config = CampaignConfig.parse({**AUDIENCE, "ad_platforms": ["google"], "budget": 10, "retention": "7d"})
    assert CampaignConfig.model_validate(config.model_dump(mode="json")) == config


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"buget": 5}, "buget: unknown key; did you mean 'budget'?"),
        ({"target_audience": {"industri": "x"}}, "target_audience.industri: unknown key; did you mean 'industries'?"),
        ({"target_audience": {}}, "target_audience: is empty; say whom to reach"),
        ({"target_audience": {"industry": " "}}, "target_audience.industry.0=' '"),
        ({"budget": -1}, "budget=-1: Input should be greater than 0"),
        ({"budget": "NaN"}, "budget='NaN'"),
        ({"budget": "1.001"}, "budget='1.001'"),
        ({"ad_platforms": ["myspace"], "budget": 5}, "'myspace' is not an ad platform; use facebook_ads, google_ads"),
        ({"ad_platforms": ["meta"]}, "budget is needed where ad_platforms are given"),
        ({"budget": 50, "limits": {"ads": 10}}, "budget 50 is above limits.ads 10"),
        ({"lead_sources": []}, "lead_sources is empty"),
        ({"lead_sources": [{"type": "web"}]}, "lead_sources.0.urls: is missing"),
        (
            {"lead_sources": [{"type": "web", "url": "file:///etc/passwd"}]},
            "lead_sources.0.url.0='file:///etc/passwd': write a URL that",
        ),
        ({"lead_sources": [{"type": "linkedin", "driver": "scraper"}]}, "lead_sources.0.driver='scraper'"),
        ({"lead_sources": [{"type": "carrier_pigeon"}]}, "lead_sources.0"),
        ({"currency": "dollars"}, "currency='dollars': write a currency of three letters"),
        ({"schedule": {"days": 0}}, "schedule.days=0"),
        ({"approval": {"expires_after": "soon"}}, "approval.expires_after='soon'"),
        (
            {"approval": {"gate": "adds"}},
            "approval.gate='adds': is no approval gate; use leads, content, ads, all, none",
        ),
        ({"approval": {"gate": ["ads"]}}, "approval.gate=['ads']: Input should be a valid string"),
        ({"content_requirements": [{"target_length": 10**9}]}, "content_requirements.0.target_length=1000000000"),
        (
            {"lead_sources": [{"type": "file", "path": "a\0b"}]},
            r"lead_sources.0.path='a\x00b': holds a",
        ),
        ({"models": {"default": "m\x07"}}, r"models.default='m\x07': holds a control character"),
        ({"models": {"seed": 10**20}}, "models.seed=a number beyond 64 bits"),
        ({"models": {"temperature": float("nan")}}, "models.temperature=nan: Input should be a finite number"),
        ({"brand": {"website": "https://[bad"}}, "brand.website='https://[bad': write a URL that begins with http://"),
        ({"optimize_every": "9" * 400 + "d"}, "optimize_every='999"),
        ({"target_audience": {"industry": "x", "company_size": 10**7}}, "write a number of employees from 1 to"),
    ],
)
def test_a_refusal_names_key_value_and_what_is_right(change: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        CampaignConfig.parse({**AUDIENCE, **change})
    assert said in str(caught.value)


def test_all_problems_are_listed_at_once() -> None:
    with pytest.raises(ConfigError) as caught:
        CampaignConfig.parse({"budget": 0, "nam": "x"})
    assert len(caught.value.problems) == 3


@pytest.mark.parametrize("junk", ["text", 5, None, [1]])
def test_only_a_mapping_is_a_campaign(junk: Any) -> None:
    with pytest.raises(ConfigError, match="a campaign is a mapping of keys"):
        CampaignConfig.parse(junk)
