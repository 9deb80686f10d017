"""``campaigns doctor --online``: every provider is asked, the fleet's admission is only read, no secret is shown."""

from __future__ import annotations

import os
from typing import Any

import pytest
from ad_platforms import load_google
from command_line import Command
from live_world import live_env, make_live
from stack import Sandbox

from integrations.admission import Breaker, Circuit
from integrations.errors import TransientError
from integrations.provider_registry import provider_specs
from integrations.settings import Settings
from orchestration.execution.call_guard import account_of, admission

SECRET = "s3cr3t-k3y-0123456789"


@pytest.fixture
def here(sandbox: Sandbox, database_url: str, redis_url: str) -> None:
    os.environ |= {"SANDBOX_URL": sandbox.url, "DATABASE_URL": database_url, "REDIS_URL": redis_url}


@pytest.fixture(scope="module", autouse=True)
def _loaded(_sandbox_process: Sandbox) -> None:
    load_google(_sandbox_process.url)


def provider(answer: Any, name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(one for one in answer.json["providers"] if one["provider"] == name)
    return found


def test_the_doctor_asks_all_and_leaves_the_fleet_s_admission_alone(
    campaigns: Command, here: None, sandbox: Sandbox
) -> None:
    settings = Settings.from_env()
    circuit = Circuit(provider="hunter", account=account_of(settings, "hunter"))
    fleet = admission(settings)
    assert fleet is not None
    breaker = Breaker(failure_threshold=1, recovery_timeout_s=300)
    fleet.settle(
        fleet.admit(circuit, holder="u", campaign="c", lease_s=5.0, breaker=breaker),
        TransientError("hunter", "is down"),
    )
    before = fleet.status()

    answer = campaigns("doctor", "--online", "--json")

    assert (answer.code, answer.json["ok"]) == (0, True), answer.out
    assert [one["provider"] for one in answer.json["providers"]] == list(provider_specs())
    unasked = [one["provider"] for one in answer.json["providers"] if not one["accepted"]]
    assert unasked == ["webhook"], "every other built-in provider has a question"
    google = provider(answer, "google_ads")
    assert (google["rights"], google["version_ends"]) == (["account 5000000000"], "2027-11-01")
    assert provider(answer, "x")["remaining"] == "10000 of 10000 posts, 25.50 USD of credit"
    hunter = provider(answer, "hunter")
    assert (hunter["accepted"], set(hunter["breakers"].values())) == (True, {"open"})
    after = fleet.status()
    fleet.close()
    assert [(one.key, one.state, one.failures, one.admitted) for one in after] == [
        (one.key, one.state, one.failures, one.admitted) for one in before
    ]
    assert "providers" not in campaigns("doctor", "--json").json


def test_the_doctor_is_red_for_a_provider_that_can_not_be_used(
    campaigns: Command, sandbox: Sandbox, database_url: str, redis_url: str
) -> None:
    keys = {"HUNTER_API_KEY": "invalid", "FACEBOOK_APP_SECRET": SECRET, "GOOGLE_ADS_REFRESH_TOKEN": "forbidden"}
    env = live_env(sandbox.url, LIMIT_SERPAPI="10/s,4", **keys)
    os.environ |= {**env, "DATABASE_URL": make_live(database_url), "REDIS_URL": redis_url}
    answer = campaigns("doctor", "--online", "--json")

    assert (answer.code, answer.json["ok"]) == (1, False)
    assert provider(answer, "hunter")["accepted"] is False
    assert provider(answer, "hunter")["limit"] == {"requests": 300, "period_s": 60.0, "concurrency": None}
    assert provider(answer, "hunter")["limit_from"] == "published"
    assert provider(answer, "serpapi")["limit"] == {"requests": 10, "period_s": 1.0, "concurrency": 4}
    assert provider(answer, "serpapi")["limit_from"] == "LIMIT_SERPAPI"
    assert provider(answer, "google_ads")["lacking"] == ["access to account 5000000000"]
    text = campaigns("doctor", "--online")
    assert text.code == 1
    assert "look at HUNTER_API_KEY" in text.words
    assert "4 at once (LIMIT_SERPAPI)" in text.words
    assert SECRET not in answer.out + text.out
