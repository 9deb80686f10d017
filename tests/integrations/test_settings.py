"""Sandbox and live differ by addresses and credentials, and a missing key is named."""

from __future__ import annotations

import pytest

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
