"""Sources of leads as plug-ins: what the registry accepts, and what it says about the rest."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

import pytest

from agents.config import CampaignConfig, SourceConfig
from agents.config_problems import ConfigError
from agents.lead_generation import source_registry
from agents.lead_generation.agent import LeadGeneration
from agents.lead_generation.answers import Company, Screened
from agents.lead_generation.clean import Record
from agents.lead_generation.source import LeadSource
from agents.lead_generation.sources.web import SITE, SiteAnswer
from agents.state import MarketingAgentState
from agents.unit import Unit, UnitResult, UnitStatus
from agents.unit_kind import Part, UnitKind
from integrations import plugins


class Nothing(Part):
    """An input, and an output that is no answer."""


class OtherConfig(SourceConfig):
    type: Literal["other"] = "other"


def answer(given: Nothing, ctx: object) -> Screened:
    raise NotImplementedError


OTHER = UnitKind(name="other", input=Nothing, output=Screened, run=answer)
GOOD: dict[str, Any] = {
    "name": "other",
    "title": "Other",
    "config": OtherConfig,
    "kinds": (OTHER,),
    "units": lambda config, audience: [],
}


@pytest.fixture
def brought(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, object]]:
    """What further packages bring: name -> object."""
    objects: dict[str, object] = {}
    names, load = plugins.names, plugins.load
    monkeypatch.setattr(plugins, "names", lambda group: tuple(sorted({*names(group), *objects})))
    monkeypatch.setattr(plugins, "load", lambda group, name: objects.get(name) or load(group, name))
    for cached in (source_registry.source, source_registry.unit_kinds):
        cached.cache_clear()
    yield objects
    for cached in (source_registry.source, source_registry.unit_kinds):
        cached.cache_clear()


def test_the_built_in_sources_bring_no_provider_of_their_own() -> None:
    # Else Settings, which loads the sources of other packages only, would not know it.
    assert [(one.name, one.provider, one.sandbox) for one in source_registry.installed()] == [
        (name, None, None) for name in ("file", "linkedin", "search", "web", "x")
    ]


def test_a_source_that_is_brought_is_one_of_them(brought: dict[str, object]) -> None:
    brought["other"] = LeadSource(**GOOD)
    assert source_registry.names() == ("file", "linkedin", "other", "search", "web", "x")
    assert source_registry.read({"type": "other"}) == OtherConfig()
    assert source_registry.unit_kinds().keys() == {
        *("file", "search", "site", "posts", "profiles", "licensed", "other"),
    }


@pytest.mark.parametrize(
    ("made", "said"),
    [
        ("no source", "'other' is a str, not a LeadSource"),
        ({"name": "another"}, "'other' calls itself 'another'; its entry point must have that name"),
        ({"config": Nothing}, "'other' has a config Nothing that is no SourceConfig"),
        ({"config": SourceConfig}, """'other' has a config SourceConfig whose type is not Literal["other"]"""),
        (
            {"kinds": [UnitKind(name="x", input=Nothing, output=Nothing, run=lambda given, ctx: given)]},
            "'other' has unit kinds whose output is no Answer: x",
        ),
    ],
)
def test_what_is_no_source_is_refused(brought: dict[str, object], made: Any, said: str) -> None:
    brought["other"] = LeadSource(**{**GOOD, **made}) if isinstance(made, dict) else made
    with pytest.raises(plugins.PluginError) as caught:
        source_registry.source("other")
    assert said in str(caught.value)


def test_two_kinds_of_one_name_are_refused(brought: dict[str, object]) -> None:
    taken = UnitKind(name="site", input=Nothing, output=Screened, run=answer)
    brought["other"] = LeadSource(**{**GOOD, "kinds": (taken,)})
    with pytest.raises(plugins.PluginError, match="unit kind 'site' that another source has"):
        source_registry.unit_kinds()


def test_a_source_may_plan_another_ones_units(brought: dict[str, object]) -> None:
    brought["other"] = LeadSource(**{**GOOD, "kinds": (SITE,)})
    assert source_registry.unit_kinds()["site"] is SITE


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("search", "search"),
        ("company_search", "search"),
        ("linkedin_search", "linkedin"),
        ({"type": "linkedin_search", "driver": "pdl"}, "linkedin"),
        ({"type": "website_scraping", "url": "http://acme.biz/"}, "web"),
        ("x_search", "x"),
    ],
)
def test_sources_have_other_words_too(given: object, name: str) -> None:
    config = CampaignConfig.parse({"target_audience": {"industry": "saas"}, "lead_sources": given})
    assert [source.type for source in config.lead_sources] == [name]
    assert CampaignConfig.parse(config.model_dump(mode="json")) == config


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("website_scraping", "lead_sources.0.urls: is missing"),
        ({"type": "linkedin_search", "drivr": "pdl"}, "lead_sources.0.drivr: unknown key; did you mean 'driver'?"),
        ("scraping", "is no source of leads; use file, linkedin, search, web, x"),
    ],
)
def test_what_is_wrong_under_another_word_is_said(given: object, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        CampaignConfig.parse({"target_audience": {"industry": "saas"}, "lead_sources": given})
    assert said in str(caught.value)


def test_two_sources_that_ask_the_same_ask_once() -> None:
    site = {"type": "web", "url": ["http://acme.biz/", "http://acme.biz"]}
    config = CampaignConfig.parse({"target_audience": {"industry": "saas"}, "lead_sources": [site, site]})
    stage = LeadGeneration().plan(MarketingAgentState.initial(config, campaign_id="c-1"), [])
    assert stage is not None
    assert len(stage.units) == 1


def test_the_ledger_holds_only_what_is_known() -> None:
    found = SiteAnswer(records=(Record(source="web", name="Ann Lee"),), company=Company(company="Acme"), pages=2)
    stored = found.model_dump(mode="json")
    assert stored == {
        "records": [{"source": "web", "name": "Ann Lee"}],
        "suppressed": [],
        "company": {"company": "Acme", "domain": None, "industry": None, "company_size": None, "location": None},
        "pages": 2,
    }
    unit = Unit(key="site:1", kind="site", provider="web")
    assert SITE.answer(UnitResult(unit=unit, status=UnitStatus.SUCCEEDED, output=stored)) == found
