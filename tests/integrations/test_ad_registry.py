"""Where ad platforms come from: installed packages, ours first of all, and what a wrong package is told."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import checkout
import pytest
from ad_platforms import without_client
from plugin_package import describe, importable, install

from agents.config import CampaignConfig
from agents.config_problems import ConfigError
from agents.state import MarketingAgentState
from agents.versions import UnknownVersionError
from integrations.admission import Limit, published_limits
from integrations.ads import registry
from integrations.errors import BadRequestError
from integrations.plugins import PLATFORMS, PluginError
from integrations.provider_registry import provider_specs
from integrations.sandbox.catalog import providers
from integrations.settings import Settings, SettingsError

EXAMPLE = checkout.ROOT / "examples/plugins/marketing-tiktok-ads"
OURS = ("facebook_ads", "google_ads", "linkedin_ads")
FAKE = """
from dataclasses import replace
from integrations.ads.google.spec import SPEC as GOOGLE

SPEC = replace(
    replace(GOOGLE, client=None, audiences=None, sandbox=None, provider=None, goals={{}}), {changes}
)
"""


@pytest.fixture
def tiktok(tmp_path: Path) -> Iterator[None]:
    """The example is installed."""
    install(EXAMPLE, tmp_path)
    with importable(tmp_path):
        yield


def test_ours_come_in_alphabetical_order() -> None:
    assert (tuple(registry.platforms()), registry.available()) == (OURS, OURS)
    assert all(spec.title and spec.benchmark.ctr > 0 for spec in registry.platforms().values())


@pytest.mark.parametrize(
    ("given", "name"),
    [
        *((name, name) for name in OURS),
        ("google", "google_ads"),
        (" Facebook ", "facebook_ads"),
        ("META", "facebook_ads"),
        ("linkedin", "linkedin_ads"),
        ("tiktok", None),
        ("", None),
    ],
)
def test_aliases(given: str, name: str | None) -> None:
    assert registry.canonical(given) == name


def test_a_platform_without_a_client_can_not_be_built(monkeypatch: pytest.MonkeyPatch) -> None:
    without_client(monkeypatch, "google_ads")
    for name in ("google_ads", "myspace_ads"):
        with pytest.raises(BadRequestError, match="is not supported; use one of facebook_ads, linkedin_ads"):
            registry.build(name, Settings.from_env({}))


def test_an_installed_platform_is_everywhere(tiktok: None) -> None:
    assert tuple(registry.platforms()) == (*OURS, "tiktok_ads")
    assert registry.available() == (*OURS, "tiktok_ads")
    config = CampaignConfig.parse({"target_audience": {"industry": "saas"}, "platforms": ["TikTok"], "budget": 9})
    assert config.ad_platforms == ("tiktok_ads",)
    assert {provider.name for provider in providers()} >= {"tiktok_ads", "facebook_ads"}
    assert published_limits()["tiktok_ads"] == Limit(600, 60.0)
    sandbox = Settings.from_env({"SANDBOX_URL": "http://127.0.0.1:1"}).provider("tiktok_ads")
    assert (sandbox.base_url, sandbox.credential("advertiser_id")) == ("http://127.0.0.1:1/tiktok_ads", "5000")
    live = Settings.from_env({"MARKETING_MODE": "live", "TIKTOK_ADS_ACCESS_TOKEN": "t"})
    with pytest.raises(SettingsError, match="tiktok_ads: TIKTOK_ADS_ADVERTISER_ID"):
        live.require(["tiktok_ads"])


def test_nothing_is_left_of_a_package_that_is_gone(tmp_path: Path) -> None:
    install(EXAMPLE, tmp_path)
    given: dict[str, Any] = {"target_audience": {"industry": "saas"}, "ad_platforms": ["tiktok"], "budget": 9}
    with importable(tmp_path):
        stored = MarketingAgentState.initial(CampaignConfig.parse(given), campaign_id="c1").model_dump(mode="json")
    with pytest.raises(ConfigError, match="'tiktok' is not an ad platform; use facebook_ads, google_ads or linkedin"):
        CampaignConfig.parse(given)
    assert "tiktok_ads" not in provider_specs()
    with pytest.raises(UnknownVersionError, match="ad platform 'tiktok_ads' is not installed here"):
        MarketingAgentState.load(stored)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ("name='other_ads', aliases=()", "'toy_ads' leads to the platform 'other_ads'"),
        ("name='toy_ads', aliases=('meta',)", "'toy_ads' claims the alias 'meta' of 'facebook_ads'"),
        ("name='toy_ads', aliases=('facebook_ads',)", "claims the alias 'facebook_ads' of 'facebook_ads'"),
        ("name='toy_ads', aliases=('Toy',)", "the alias 'Toy' is not a word in lower case"),
        ("name='toy_ads', aliases=(), client=print", "a client needs a provider"),
        ("name='toy_ads'), dict(", "'toy_ads' is a tuple, not a PlatformSpec"),
        ("name=nothing", "NameError"),
    ],
)
def test_a_wrong_plug_in_is_told_what_is_wrong(tmp_path: Path, changes: str, told: str) -> None:
    (tmp_path / "toy_platform.py").write_text(FAKE.format(changes=changes))
    describe(tmp_path, "toy-platform", "1.0", {PLATFORMS: {"toy_ads": "toy_platform:SPEC"}})
    with importable(tmp_path), pytest.raises(PluginError) as wrong:
        registry.platforms()
    assert told in str(wrong.value)


def test_two_packages_can_not_bring_one_platform(tmp_path: Path) -> None:
    describe(tmp_path, "my-facebook", "1.0", {PLATFORMS: {"facebook_ads": "mine:SPEC"}})
    with importable(tmp_path), pytest.raises(PluginError, match=r"my-facebook.*both bring 'facebook_ads'"):
        registry.platforms()


def test_a_platform_can_not_take_another_providers_name(tmp_path: Path) -> None:
    (tmp_path / "toy_platform.py").write_text(
        FAKE.format(changes="name='hunter', aliases=(), provider=replace(OWN[2])").replace(
            "\n\nSPEC", "\nfrom integrations.provider_specs import OWN\n\nSPEC"
        )
    )
    describe(tmp_path, "toy-platform", "1.0", {PLATFORMS: {"hunter": "toy_platform:SPEC"}})
    with importable(tmp_path), pytest.raises(PluginError, match="there is a provider 'hunter' already"):
        provider_specs()


def test_a_sandbox_half_answers_where_the_client_asks(tmp_path: Path) -> None:
    install(EXAMPLE, tmp_path)
    module = tmp_path / "marketing_tiktok_ads" / "sandbox.py"
    module.write_text(module.read_text().replace('prefix = "/tiktok_ads"', 'prefix = "/tiktok"'))
    with importable(tmp_path), pytest.raises(PluginError, match="answers as 'tiktok_ads' at '/tiktok', not as"):
        providers()
