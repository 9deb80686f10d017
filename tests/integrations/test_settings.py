"""Sandbox and live differ by addresses and credentials, and a missing key is named."""

from __future__ import annotations

from decimal import Decimal

import pytest

from integrations.llm.prices import Price
from integrations.settings import PROVIDERS, Mode, Settings, SettingsError


def test_the_sandbox_is_the_default_and_never_gets_a_real_key() -> None:
    settings = Settings.from_env({"OPENAI_API_KEY": "sk-real", "SANDBOX_URL": "http://127.0.0.1:9/"})
    openai = settings.provider("openai")
    assert settings.mode is Mode.SANDBOX
    assert openai.base_url == "http://127.0.0.1:9/openai/v1"
    assert openai.credential("api_key") == "sandbox"


def test_a_base_url_of_the_users_own_gets_their_key_in_either_mode() -> None:
    env = {"OPENAI_API_KEY": "sk-real", "OPENAI_BASE_URL": "http://127.0.0.1:11434/v1/", "LLM_MODEL": "llama"}
    settings = Settings.from_env(env)
    assert settings.provider("openai").base_url == "http://127.0.0.1:11434/v1"
    assert settings.provider("openai").credential("api_key") == "sk-real"
    assert settings.provider("serpapi").credential("api_key") == "sandbox"
    assert settings.llm_model == "llama"


def test_live_mode_names_every_missing_variable() -> None:
    settings = Settings.from_env({"MARKETING_MODE": "live", "OPENAI_API_KEY": "k"})
    assert settings.provider("serpapi").base_url == "https://serpapi.com"
    settings.require(["openai"])
    with pytest.raises(SettingsError, match=r"serpapi: SERPAPI_API_KEY; linkedin_ads: LINKEDIN_ADS_ACCESS_TOKEN"):
        settings.require(["openai", "serpapi", "linkedin_ads"])
    with pytest.raises(SettingsError, match="HUNTER_API_KEY"):
        settings.provider("hunter").credential("api_key")
    assert not settings.web_private_hosts


def test_secrets_are_not_in_the_repr() -> None:
    settings = Settings.from_env(
        {"OPENAI_API_KEY": "sk-real", "OPENAI_BASE_URL": "http://x.example", "DATABASE_URL": "postgresql://u:pw@h/d"}
    )
    assert "sk-real" not in repr(settings)
    assert "pw" not in repr(settings)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("MARKETING_MODE", "prod", "MARKETING_MODE='prod' is not one of sandbox, live"),
        ("STAGE_PLACEMENT", "remote", "STAGE_PLACEMENT='remote' is not one of auto, local, chord"),
        ("DNS_RESOLVER", "127.0.0.1", "DNS_RESOLVER='127.0.0.1' is not host:port"),
        ("HTTP_TIMEOUT", "fast", "HTTP_TIMEOUT='fast' is not a number of seconds"),
        ("FLOWER_PORT", "99999", "FLOWER_PORT='99999' is not a port number"),
        ("LLM_PRICES", "llama=1:2", "'llama=1:2' is not model=input:cached:output in USD per million tokens"),
        ("DAILY_CAP_LLM", "5 EUR", "DAILY_CAP_LLM='5 EUR' is not an amount of USD"),
        ("DAILY_CAP_LLM", "-1", "DAILY_CAP_LLM='-1' is not an amount of USD"),
        ("DAILY_CAP_LLM", "inf", "DAILY_CAP_LLM='inf' is not an amount of USD"),
        ("DAILY_CAP_ADS", "500", "DAILY_CAP_ADS='500' is not an amount and its currency, for example 500 EUR"),
        ("DAILY_CAP_ADS", "EUR 500", "DAILY_CAP_ADS='EUR 500' is not an amount and its currency"),
        ("DAILY_CAP_ADS", "500 EURO", "DAILY_CAP_ADS='500 EURO' is not an amount and its currency"),
    ],
)
def test_a_bad_value_is_refused_by_name(name: str, value: str, said: str) -> None:
    with pytest.raises(SettingsError) as caught:
        Settings.from_env({name: value})
    assert said in str(caught.value)


def test_every_provider_has_an_address_in_both_worlds() -> None:
    for spec in PROVIDERS.values():
        assert spec.live_url.startswith("https://")
        assert spec.sandbox_path.startswith("/")


def test_caps_and_prices_of_the_fleet() -> None:
    env = {"DAILY_CAP_LLM": "25.50", "DAILY_CAP_ADS": "500 eur", "LLM_PRICES": "llama3:8b=0.10:0.05:0.40"}
    settings = Settings.from_env(env)
    assert settings.llm_daily_cap == Decimal("25.50")
    assert settings.ads_daily_cap == (Decimal(500), "EUR")
    assert settings.llm_prices == {"llama3:8b": Price(Decimal("0.10"), Decimal("0.05"), Decimal("0.40"))}
    assert Settings.from_env({"DAILY_CAP_LLM": "0 USD"}).llm_daily_cap == 0
    nothing = Settings.from_env({"DAILY_CAP_LLM": "", "DAILY_CAP_ADS": "", "LLM_PRICES": ""})
    assert (nothing.llm_daily_cap, nothing.ads_daily_cap, nothing.llm_prices) == (None, None, {})
