"""What each provider says of our access, through the real clients over the wire: good, refused, down, slow, garbage."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Mapping
from datetime import date
from typing import Any

import pytest
from ad_platforms import load_google
from live_world import live_env
from scripted_http import scripted_server
from stack import Sandbox

from integrations.ads.linkedin.online import ends
from integrations.errors import TransientError
from integrations.online import OnlineCheck, Standing, ask
from integrations.provider_registry import provider_specs
from integrations.provider_specs import ProviderSpec
from integrations.settings import Settings

TODAY = date(2026, 11, 27)
SECRET = "s3cr3t-k3y-0123456789"
#: The variable with the key that a provider's answer depends on.
KEY = {
    "openai": "OPENAI_API_KEY",
    "serpapi": "SERPAPI_API_KEY",
    "hunter": "HUNTER_API_KEY",
    "facebook_ads": "FACEBOOK_ACCESS_TOKEN",
    "linkedin_ads": "LINKEDIN_ADS_ACCESS_TOKEN",
    "google_ads": "GOOGLE_ADS_REFRESH_TOKEN",
    "x": "X_BEARER_TOKEN",
    "clearbit": "CLEARBIT_API_KEY",
    "pdl": "PDL_API_KEY",
}
#: How questions end that are sent by POST and read all the same.
READING_POSTS = ("/token", "/googleAds:search")
BUILT_IN = sorted(KEY)


@pytest.fixture(scope="module", autouse=True)
def _loaded(_sandbox_process: Sandbox) -> None:
    load_google(_sandbox_process.url)


def standing(name: str, env: Mapping[str, str], *, timeout_s: float = 10.0, today: date = TODAY) -> Standing:
    return ask(provider_specs()[name], Settings.from_env(env), timeout_s=timeout_s, today=today)


def check(found: Standing) -> OnlineCheck:
    assert found.check is not None, found
    return found.check


@pytest.mark.parametrize("name", BUILT_IN)
def test_good_credentials(sandbox: Sandbox, name: str) -> None:
    found = standing(name, live_env(sandbox.url, **{KEY[name]: SECRET}))

    assert (found.state, found.configured, found.reachable, found.accepted) == ("ok", True, True, True)
    assert (found.problems, found.notes) == ((), ())
    assert SECRET not in repr(found)
    assert "@" not in repr(found)
    calls = [call["endpoint"] for call in sandbox.get(f"/_sandbox/calls?provider={name}")]
    assert [call for call in calls if call.startswith("POST") and not call.endswith(READING_POSTS)] == []


def test_what_they_tell(sandbox: Sandbox) -> None:
    env = live_env(sandbox.url)
    assert check(standing("openai", env)).account == "models: 2, with sandbox-1"
    assert check(standing("serpapi", env)).remaining == "5000 of 5000 searches"
    assert check(standing("hunter", env)).remaining == "500 searches, 1000 verifications"
    sandbox.reset(world={"platforms": {"*": {}}})
    assert check(standing("facebook_ads", env)).rights == ("ads_management", "ads_read", "pages_read_engagement")
    assert check(standing("facebook_ads", env)).version == "v26.0"
    linkedin = check(standing("linkedin_ads", env))
    assert (linkedin.rights, linkedin.version_ends) == (("CAMPAIGN_MANAGER",), date(2027, 10, 1))
    assert check(standing("x", env)).remaining == "10000 of 10000 posts, 25.50 USD of credit"
    assert check(standing("clearbit", env)).account == "limit of 600 requests"
    assert check(standing("pdl", env)).rights == ("person/search", "person/enrich", "company/enrich")
    sandbox.reset(world={"currency": "EUR"})
    google = check(standing("google_ads", env))
    assert google.account == "ad account 5000000000 in EUR, time zone Etc/UTC"
    assert (google.rights, google.version_ends) == (("account 5000000000",), date(2027, 11, 1))


@pytest.mark.parametrize(("name", "statuses"), [("clearbit", {422}), ("pdl", {400})])
def test_a_look_up_that_asks_for_nothing_is_refused_and_so_not_billed(
    sandbox: Sandbox, name: str, statuses: set[int]
) -> None:
    standing(name, live_env(sandbox.url))
    assert {call["status"] for call in sandbox.get(f"/_sandbox/calls?provider={name}")} == statuses


@pytest.mark.parametrize("name", BUILT_IN)
def test_refused_credentials_name_the_variable(sandbox: Sandbox, name: str) -> None:
    found = standing(name, live_env(sandbox.url, **{KEY[name]: "invalid"}))

    assert (found.state, found.reachable, found.accepted) == ("wrong", True, False)
    assert KEY[name] in found.problems[0]


@pytest.mark.parametrize(("mode", "state", "reachable"), [("down", "wrong", False), ("rate_limited", "warning", True)])
@pytest.mark.parametrize("name", BUILT_IN)
def test_outages_and_limits(sandbox: Sandbox, name: str, mode: str, state: str, reachable: bool) -> None:
    sandbox.post("/_sandbox/faults", {"provider": name, "mode": mode})
    found = standing(name, live_env(sandbox.url))
    assert (found.state, found.reachable, found.accepted) == (state, reachable, None)
    assert found.problems or found.notes


@pytest.mark.parametrize("name", BUILT_IN)
def test_nothing_listens_and_nothing_answers_in_time(name: str) -> None:
    gone = standing(name, live_env("http://127.0.0.1:9", **{KEY[name]: SECRET}))
    assert (gone.state, gone.reachable) == ("wrong", False)
    assert provider_specs()[name].base_url_variable in gone.problems[0]
    with scripted_server() as server:
        server.hang = threading.Event()
        began = time.monotonic()
        slow = standing(name, live_env(server.url, **{KEY[name]: SECRET}), timeout_s=0.5)
    assert (slow.state, slow.reachable) == ("wrong", False)
    assert time.monotonic() - began < 5
    assert SECRET not in f"{gone!r}{slow!r}"


@pytest.mark.parametrize("body", [b"<html>Sign in</html>", b"{}", b"[]", b'{"data": 5}', b'{"data": {"requests": 1}}'])
@pytest.mark.parametrize("name", BUILT_IN)
def test_an_answer_that_is_none_is_no_good_standing(name: str, body: bytes) -> None:
    with scripted_server() as server:
        server.body = body
        found = standing(name, live_env(server.url))
    # LinkedIn's account may hold anything; the listing of roles must be one.
    assert (found.state, found.reachable) == ("wrong", False)


@pytest.mark.parametrize("name", BUILT_IN)
def test_keys_that_are_missing_in_live_mode_are_named_and_nobody_is_asked(name: str) -> None:
    spec = provider_specs()[name]
    nothing = {key: value for key, value in live_env().items() if key not in spec.credentials.values()}
    with scripted_server() as server:
        found = standing(name, {**nothing, spec.base_url_variable: server.url})
        assert (found.state, found.configured, found.reachable) == ("warning", False, None)
        assert found.missing == tuple(spec.credentials.values())
        assert found.notes == (f"set {', '.join(found.missing)}",)
        half = standing(name, {**live_env(server.url), next(iter(spec.credentials.values())): ""})
        assert half.state == ("wrong" if len(spec.credentials) > 1 else "warning")
        assert server.requests == []


def test_rights_that_are_missing(sandbox: Sandbox) -> None:
    facebook = standing("facebook_ads", live_env(sandbox.url, FACEBOOK_ACCESS_TOKEN="forbidden"))
    assert (facebook.state, facebook.accepted) == ("wrong", True)
    assert facebook.problems == ("the credentials lack ads_management",)
    linkedin = standing("linkedin_ads", live_env(sandbox.url, LINKEDIN_ADS_ACCESS_TOKEN="viewer"))
    assert (linkedin.state, check(linkedin).rights) == ("wrong", ("VIEWER",))
    assert "CAMPAIGN_MANAGER" in linkedin.problems[0]
    search = standing("serpapi", live_env(sandbox.url, SERPAPI_API_KEY="exhausted"))
    assert (search.state, search.problems) == ("wrong", ("no searches are left until the plan renews",))
    hunter = standing("hunter", live_env(sandbox.url, HUNTER_API_KEY="exhausted"))
    assert (hunter.state, check(hunter).remaining) == ("warning", "0 searches, 0 verifications")
    posts = standing("x", live_env(sandbox.url, X_BEARER_TOKEN="exhausted"))
    assert (posts.state, posts.problems) == ("wrong", ("no posts are left until the cap is reset",))
    plan = standing("x", live_env(sandbox.url, X_BEARER_TOKEN="unenrolled"))
    assert (plan.state, plan.accepted) == ("wrong", False)
    people = standing("pdl", live_env(sandbox.url, PDL_API_KEY="exhausted"))
    assert (people.state, people.problems) == ("wrong", ("no credits are left until the plan renews",))
    lookups = standing("clearbit", live_env(sandbox.url, CLEARBIT_API_KEY="exhausted"))
    assert (lookups.state, lookups.accepted) == ("wrong", True)
    model = standing("openai", live_env(sandbox.url, LLM_MODEL="gpt-9"))
    assert (model.state, model.accepted) == ("warning", True)
    assert "LLM_MODEL" in model.notes[0]


def test_hunter_s_own_count_of_what_is_left_goes_first() -> None:
    with scripted_server() as server:
        credits = {"used": 320, "available": 700, "remaining": 180}
        server.body = json.dumps({"data": {"plan_name": "Starter", "requests": {"credits": credits}}}).encode()
        assert check(standing("hunter", live_env(server.url))).remaining == "180 credits"


def test_a_key_that_may_not_list_models_is_no_trouble() -> None:
    with scripted_server() as server:
        server.status, server.body = 403, b'{"error": {"message": "Missing scopes: api.model.read"}}'
        found = standing("openai", live_env(server.url))
    assert (found.state, found.accepted) == ("warning", True)


@pytest.mark.parametrize(
    ("today", "state"), [(date(2027, 8, 1), "ok"), (date(2027, 8, 3), "warning"), (date(2027, 10, 1), "warning")]
)
def test_the_end_of_a_version_is_told_in_time(sandbox: Sandbox, today: date, state: str) -> None:
    found = standing("linkedin_ads", live_env(sandbox.url), today=today)
    assert found.state == state
    assert bool(found.notes) is (state == "warning")
    assert all("LINKEDIN_VERSION" in note for note in found.notes)


def test_a_version_that_has_ended_is_wrong(sandbox: Sandbox) -> None:
    found = standing("linkedin_ads", live_env(sandbox.url, LINKEDIN_VERSION="202401"))
    assert (found.state, found.reachable) == ("wrong", True)
    assert [ends(text) for text in ("202512", "202513", "latest", "")] == [date(2026, 12, 1), None, None, None]


def test_a_provider_of_another_package_brings_its_question(sandbox: Sandbox) -> None:
    def down(settings: Settings, timeout: float) -> OnlineCheck:
        raise TransientError("own", f"did not finish within {timeout:g} s")

    env = Settings.from_env({"SANDBOX_URL": sandbox.url})
    base: dict[str, Any] = {
        "name": "hunter",
        "live_url": "x",
        "sandbox_path": "/x",
        "base_url_variable": "OWN_BASE_URL",
    }
    silent = ask(ProviderSpec(**base), env, timeout_s=1.0, today=TODAY)
    assert (silent.state, silent.reachable) == ("ok", None)
    found = ask(ProviderSpec(**base, online=down), env, timeout_s=1.0, today=TODAY)
    assert (found.state, found.reachable) == ("wrong", False)
