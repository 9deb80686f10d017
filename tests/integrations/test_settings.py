"""Sandbox and live differ by addresses and credentials, and a missing key is named."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import checkout
import pytest
from pydantic import ValidationError

from integrations.llm.prices import Price
from integrations.outbound import Reach
from integrations.provider_registry import provider_specs
from integrations.settings import Mode, Settings, SettingsError


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
    assert settings.web_reach is Reach.PUBLIC


def test_secrets_are_not_in_the_repr() -> None:
    settings = Settings.from_env(
        {"OPENAI_API_KEY": "sk-real", "OPENAI_BASE_URL": "http://127.0.0.1:9", "DATABASE_URL": "postgresql://u:pw@h/d"}
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
        ("HTTP_TIMEOUT", "-1", "HTTP_TIMEOUT='-1' is not a number of seconds >= 0"),
        ("LLM_TIMEOUT", "nan", "LLM_TIMEOUT='nan' is not a number of seconds >= 0"),
        ("BREAKER_RECOVERY_TIMEOUT", "0", "BREAKER_RECOVERY_TIMEOUT='0' is not a number of seconds > 0"),
        ("BREAKER_FAILURE_THRESHOLD", "0", "BREAKER_FAILURE_THRESHOLD='0' is not a whole number from 1"),
        ("DNS_RESOLVER", ":53", "DNS_RESOLVER=':53' is not host:port, for example 127.0.0.1:5353"),
        ("DNS_RESOLVER", "127.0.0.1:0", "DNS_RESOLVER='127.0.0.1:0' is not host:port"),
        ("LLM_STRUCTURED_MODE", "xml", "'xml' is not one of json_schema, function_calling, json_mode"),
        ("LOG_FORMAT", "xml", "LOG_FORMAT='xml' is not one of text, json"),
        ("LOG_LEVEL", "loud", "LOG_LEVEL='loud' is not one of DEBUG, INFO, WARNING, ERROR, CRITICAL"),
        ("DAILY_CAP_LLM", "10000000000", "DAILY_CAP_LLM='10000000000' is not an amount of USD"),
        ("LIMIT_SERPAPY", "10/s", "LIMIT_SERPAPY: 'serpapy' is no provider; did you mean LIMIT_SERPAPI?"),
        ("LIMIT_FACEBOOK_AD", "10/s", "did you mean LIMIT_FACEBOOK_ADS?"),
        ("LIMIT_QQQ", "10/s", "'qqq' is no provider; there are clearbit, dns, facebook_ads, google_ads, hubspot"),
        ("FLOWER_PORT", "99999", "FLOWER_PORT='99999' is not a port number"),
        ("LLM_PRICES", "llama=1:2", "LLM_PRICES='llama=1:2' has 'llama=1:2', which is not model="),
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


def test_all_that_is_wrong_is_said_at_once_and_no_secret() -> None:
    env = {
        "HTTP_TIMEOUT": "fast",
        "DAILY_CAP_ADS": "much",
        "LIMIT_HUNTR": "1/s",
        "DATABASE_URL": "postgresql://u:hidden@h/d",
        "OPENAI_API_KEY": "sk-hidden",
    }
    with pytest.raises(SettingsError) as caught:
        Settings.from_env(env)
    assert [problem.partition("=")[0].partition(":")[0] for problem in caught.value.problems] == [
        "DAILY_CAP_ADS", "HTTP_TIMEOUT", "LIMIT_HUNTR",
    ]  # fmt: skip
    assert str(caught.value) == "; ".join(caught.value.problems)
    assert "hidden" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_what_is_written_is_read() -> None:
    settings = Settings.from_env(
        {
            "MARKETING_HOME": "~/fleet",
            "STAGE_PLACEMENT": " Chord ",
            "DNS_RESOLVER": "[::1]:5353",
            "HTTP_TIMEOUT": "0.5",
            "FLOWER_PORT": "0",
            "BREAKER_FAILURE_THRESHOLD": "7",
            "LOG_FORMAT": "JSON",
            "LOG_LEVEL": "debug",
            "WEB_DELAY": "",
            "LIMIT_WEB": "1/s",
            "LIMIT_NOBODY": " ",
        }
    )
    assert settings.home == Path("~/fleet").expanduser()
    assert settings.stage_placement == "chord"
    assert settings.dns_resolver == ("::1", 5353)
    assert (settings.http_timeout_s, settings.flower_port, settings.breaker_failure_threshold) == (0.5, 0, 7)
    assert (settings.log_format, settings.log_level) == ("json", "DEBUG")
    assert settings.web_delay_s == 0.0
    assert settings.limits == {"LIMIT_WEB": "1/s", "LIMIT_NOBODY": " "}


def test_defaults_follow_the_mode() -> None:
    sandbox, live = (Settings.from_env({"MARKETING_MODE": mode}) for mode in ("", "LIVE"))
    assert (sandbox.llm_model, sandbox.web_delay_s, sandbox.probe_delay_s) == ("sandbox-1", 0.0, 0.0)
    assert (live.llm_model, live.web_delay_s, live.probe_delay_s) == ("gpt-4.1-mini", 2.0, 60.0)
    assert (sandbox.web_reach, sandbox.limits_published) == (Reach.LOOPBACK, False)
    assert (live.web_reach, live.limits_published) == (Reach.PUBLIC, True)
    assert Settings.from_env({"MARKETING_MODE": "live", "WEB_DELAY": "0"}).web_delay_s == 0.0


def test_settings_are_frozen_and_copied_with_changes() -> None:
    settings = Settings.from_env({})
    with pytest.raises(ValidationError, match="frozen"):
        settings.llm_model = "another"  # type: ignore[misc]
    assert settings.model_copy(update={"llm_model": "another"}).llm_model == "another"
    assert settings.llm_model == "sandbox-1"


def test_every_variable_is_documented() -> None:
    readme = checkout.read("README.md")
    assert not {name for name in Settings.variables() if f"`{name}`" not in readme}


EACH_THEIR_OWN = ("salesforce", "webhook")  #: each user has an address of their own


def test_every_provider_has_an_address_in_both_worlds() -> None:
    for spec in provider_specs().values():
        assert spec.live_url.startswith("https://") or (spec.name in EACH_THEIR_OWN and not spec.live_url)
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
