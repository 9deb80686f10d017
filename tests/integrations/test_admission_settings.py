"""Names of circuits, figures of limits and breakers, and the settings that overrule what providers publish."""

from __future__ import annotations

import pytest

from integrations.admission import Breaker, Circuit, Limit, limits_from_env, published_limits
from integrations.settings import SettingsError


def test_a_circuits_key_names_the_account_without_showing_it() -> None:
    circuit = Circuit.of("openai", "sk-a-secret", model="gpt-4.1")
    assert circuit.key == "openai/9b595a05777e/gpt-4.1"
    assert circuit.account_key == f"openai/{circuit.account}"
    assert len(circuit.account) == 12
    assert "secret" not in repr(circuit) + circuit.key
    assert circuit == Circuit.of("openai", "sk-a-secret", model="gpt-4.1")
    assert circuit.account != Circuit.of("openai", "sk-another").account


@pytest.mark.parametrize(
    ("circuit", "key"),
    [
        (Circuit("web"), "web/-"),
        (Circuit("openai", model="org/model-7b"), "openai/-/org/model-7b"),
        (Circuit("hunter", "0123456789ab"), "hunter/0123456789ab"),
        (Circuit("openai", "0123456789ab", "gpt-4.1"), "openai/0123456789ab/gpt-4.1"),
    ],
)
def test_keys_can_be_read_back(circuit: Circuit, key: str) -> None:
    assert circuit.key == key
    assert Circuit.parse(key) == circuit


def test_a_key_in_place_of_its_hash_is_refused_and_not_repeated() -> None:
    with pytest.raises(ValueError, match=r"use Circuit\.of") as caught:
        Circuit("openai", "sk-a-secret")
    assert "secret" not in str(caught.value)
    for provider in ("", "a/b"):
        with pytest.raises(ValueError, match="provider's name"):
            Circuit(provider)


@pytest.mark.parametrize(
    "build",
    [
        lambda: Breaker(failure_threshold=0),
        lambda: Breaker(recovery_timeout_s=0),
        lambda: Breaker(window_s=float("nan")),
        lambda: Limit(requests=0),
        lambda: Limit(concurrency=0),
        lambda: Limit(1, 0),
        lambda: Limit(1, float("inf")),
    ],
)
def test_figures_are_positive(build: object) -> None:
    assert callable(build)
    with pytest.raises(ValueError, match=r"at least 1|positive number of seconds"):
        build()


@pytest.mark.parametrize(
    ("text", "limit"),
    [
        ("10/s", Limit(10, 1.0)),
        ("600/min", Limit(600, 60.0)),
        ("450/15min", Limit(450, 900.0)),
        ("1000/h", Limit(1000, 3600.0)),
        ("15000/d", Limit(15000, 86400.0)),
        ("10/s,4", Limit(10, 1.0, 4)),
        (" 10/S , 4 ", Limit(10, 1.0, 4)),
        (",4", Limit(None, 1.0, 4)),
    ],
)
def test_a_setting_states_a_limit(text: str, limit: Limit) -> None:
    assert limits_from_env({"LIMIT_SERPAPI": text}, published={})["serpapi"] == limit


@pytest.mark.parametrize(
    "text", ["ten/s", "10", "10/week", "10/s,", "0/s", "10/0s", ",0", "-1/s", "1.5/s", ",", "10/s,4,5"]
)
def test_another_form_is_refused_with_what_would_be_right(text: str) -> None:
    with pytest.raises(SettingsError) as caught:
        limits_from_env({"LIMIT_SERPAPI": text}, published={})
    assert "LIMIT_SERPAPI" in str(caught.value)
    assert repr(text) in str(caught.value)
    assert "600/min" in str(caught.value)


def test_settings_overrule_what_is_published() -> None:
    published = published_limits()
    assert published["facebook_ads"] == Limit(3000, 300.0)
    assert limits_from_env({"PATH": "/bin", "LIMIT_HUNTER": " "}, published) == published
    assert limits_from_env({"LIMIT_HUNTER": "none"}, published) == {k: v for k, v in published.items() if k != "hunter"}
    assert limits_from_env({"LIMIT_FACEBOOK_ADS": "20/5min"}, published)["facebook_ads"] == Limit(20, 300.0)
    assert limits_from_env({"LIMIT_OPENAI": "none"}, published={}) == {}
