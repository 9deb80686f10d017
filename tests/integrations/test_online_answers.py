"""What is read off an answer about our access: recorded answers, plans that lack something, missing fields."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

import pytest
from ad_platforms import load_google
from bending_proxy import Bend, Call, Rule, bending_proxy
from live_world import live_env
from recorded import recorded
from scripted_http import Script, scripted_server
from stack import Sandbox

from integrations.ads.google.online import ENDS
from integrations.ads.google.rest import VERSION
from integrations.ads.spec import Package
from integrations.online import OnlineCheck, Standing, ask
from integrations.provider_registry import provider_specs
from integrations.settings import Settings

TODAY = date(2026, 11, 27)

#: "Usage limits", docs.peopledatalabs.com.
PDL_HEADERS = {
    "x-call-credits-spent": "0",
    "x-ratelimit-reset": "2022-02-23T20:19:55Z",
    "x-ratelimit-remaining": "{'minute': 1200}",
    "x-lifetime-used": "984152",
    "x-totallimit-remaining": "1342",
    "x-totallimit-purchased-remaining": "342",
}
PDL_REFUSAL = recorded("pdl_refusal")


@pytest.fixture(scope="module", autouse=True)
def _loaded(_sandbox_process: Sandbox) -> None:
    load_google(_sandbox_process.url)


def standing(name: str, url: str, **settings: str) -> Standing:
    return ask(provider_specs()[name], Settings.from_env(live_env(url, **settings)), timeout_s=10.0, today=TODAY)


def check(found: Standing) -> OnlineCheck:
    assert found.check is not None, found
    return found.check


@pytest.fixture
def peer() -> Iterator[Script]:
    with scripted_server() as script:
        yield script


@pytest.fixture
def bend(sandbox: Sandbox) -> Iterator[Bend]:
    with bending_proxy(sandbox.url) as found:
        yield found


def answered(peer: Script, body: object, status: int = 200, headers: dict[str, str] | None = None) -> Script:
    peer.status, peer.body, peer.headers = status, json.dumps(body).encode(), headers or {}
    return peer


def at(edge: str, status: int, body: object) -> Rule:
    """A provider that answers so at one edge, and is itself at all others."""

    def rule(call: Call) -> tuple[int, Any] | None:
        return (status, body) if call.path.partition("?")[0].endswith(edge) else None

    return rule


# X


def test_x_counts_in_numbers_or_in_text(peer: Script) -> None:
    found = check(standing("x", answered(peer, recorded("x_usage")).url))
    assert found.account == "5000000000 posts a cycle, cap_reset_day 10"
    assert found.remaining == "4999956565 of 5000000000 posts", "the same answer says nothing about credit"
    assert "usage.fields=cap_reset_day%2Cproject_cap%2Cproject_usage" in peer.requests[0][1]
    counted = check(standing("x", answered(peer, {"data": {"project_cap": 100, "project_usage": 130}}).url))
    assert (counted.remaining, counted.account) == ("0 of 100 posts", "100 posts a cycle")
    unread = check(standing("x", answered(peer, {"data": {"project_cap": 100}}).url))
    assert (unread.remaining, unread.problems) == ("", ())


@pytest.mark.parametrize(
    ("status", "body", "told"),
    [
        (200, {"data": {"total_balance": 12}}, ", 12.00 USD of credit"),
        (200, {"data": {"total_balance": "12"}}, ""),
        (200, {"data": {"total_balance": True}}, ""),
        (404, {"title": "Not Found"}, ""),
        (403, {"title": "Forbidden"}, ""),
        (500, {}, ""),
    ],
)
def test_the_credit_at_x_is_told_where_x_tells_it(bend: Bend, status: int, body: object, told: str) -> None:
    bend.rule = at("/usage/credits", status, body)
    found = standing("x", bend.url)
    assert (found.state, check(found).remaining) == ("ok", f"10000 of 10000 posts{told}")


def test_no_credit_at_x_is_worth_a_word(bend: Bend) -> None:
    bend.rule = at("/usage/credits", 200, {"data": {"total_balance": 0, "prepaid_balance": -3}})
    found = standing("x", bend.url)
    assert (found.state, check(found).remaining) == ("warning", "10000 of 10000 posts, 0.00 USD of credit")
    assert "402" in found.notes[0]


# People Data Labs


def test_credits_of_people_data_labs_are_in_the_headers_of_a_refusal(peer: Script) -> None:
    found = check(standing("pdl", answered(peer, PDL_REFUSAL, 400, PDL_HEADERS).url))
    assert found.remaining.startswith("1342 credits for person/search, 1342 credits for person/enrich")
    assert [path.partition("/v5/")[2] for _, path in peer.requests] == [
        "person/search",
        "person/enrich",
        "company/enrich",
    ], "without any parameter, so that nothing can match"
    silent = standing("pdl", answered(peer, PDL_REFUSAL, 400).url)
    assert (silent.state, check(silent).remaining) == ("ok", "")


def test_a_plan_of_people_data_labs_may_lack_an_endpoint(bend: Bend) -> None:
    refused = {"status": 403, "error": {"type": "some_error", "message": "no"}}
    bend.rule = at("/person/search", 403, refused)
    found = standing("pdl", bend.url)
    assert (found.state, found.notes) == ("warning", ("the plan has no person/search",))
    assert check(found).rights == ("person/enrich", "company/enrich")
    bend.rule = lambda _call: (403, refused)
    none = standing("pdl", bend.url)
    assert (none.state, check(none).lacking) == ("wrong", ("person/search", "person/enrich", "company/enrich"))
    bend.rule = at("/company/enrich", 402, {"status": 402, "error": {"type": "payment_required"}})
    used = standing("pdl", bend.url)
    assert (used.state, used.notes) == ("warning", ("no credits are left for company/enrich",))


# Google


def test_google_tells_which_accounts_are_within_reach(sandbox: Sandbox) -> None:
    google = f"{sandbox.url}/google_ads"
    lost = standing("google_ads", sandbox.url, GOOGLE_ADS_BASE_URL=google, GOOGLE_ADS_REFRESH_TOKEN="forbidden")
    assert (lost.state, lost.accepted, check(lost).rights) == ("wrong", True, ("account 6000000000",))
    assert lost.problems[0] == "the credentials lack access to account 5000000000"
    assert "GOOGLE_ADS_LOGIN_CUSTOMER_ID" in lost.problems[1]


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"GOOGLE_ADS_DEVELOPER_TOKEN": "test"}, "DEVELOPER_TOKEN_NOT_APPROVED"),
        ({"GOOGLE_ADS_CUSTOMER_ID": "12"}, "account 12 can't be used: .*INVALID_CUSTOMER_ID"),
    ],
)
def test_an_account_that_google_does_not_give_is_told(sandbox: Sandbox, settings: dict[str, str], told: str) -> None:
    found = standing("google_ads", sandbox.url, **settings)
    assert (found.state, found.accepted) == ("wrong", True)
    assert re.search(told, found.problems[0])


def test_a_developer_token_that_is_none_is_refused(sandbox: Sandbox) -> None:
    found = standing("google_ads", sandbox.url, GOOGLE_ADS_DEVELOPER_TOKEN="invalid")
    assert (found.state, found.reachable, found.accepted) == ("wrong", True, False)
    assert "GOOGLE_ADS_DEVELOPER_TOKEN" in found.problems[0]


@pytest.mark.parametrize(
    ("fields", "state", "told"),
    [
        ({"status": "SUSPENDED"}, "wrong", "it is suspended"),
        ({"manager": True}, "wrong", "manager account"),
        ({"testAccount": True}, "warning", "test account"),
    ],
)
def test_an_account_at_google_that_shows_no_ads(
    sandbox: Sandbox, fields: dict[str, Any], state: str, told: str
) -> None:
    sandbox.reset(world={"accounts": {"google_ads": {"fields": fields}}})
    found = standing("google_ads", sandbox.url)
    assert (found.state, found.accepted) == (state, True)
    assert told in (*found.problems, *found.notes)[0]


def test_many_accounts_at_google_are_counted(bend: Bend) -> None:
    names = [f"customers/{number}" for number in range(1, 31)]
    bend.rule = at("customers:listAccessibleCustomers", 200, {"resourceNames": names})
    rights = check(standing("google_ads", bend.url)).rights
    assert (rights[0], rights[-1], len(rights)) == ("account 1", "20 more accounts", 11)
    bend.rule = at("customers:listAccessibleCustomers", 200, {})
    assert check(standing("google_ads", bend.url)).rights == ()


def test_the_version_of_google_s_api_that_is_used_has_an_end() -> None:
    assert VERSION in ENDS, "look its month up in Google's schedule"


def test_google_is_not_asked_without_its_package(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Package, "missing", lambda _self: "needs the package google-ads")
    found = standing("google_ads", sandbox.url)
    assert (found.state, found.reachable, found.accepted) == ("warning", None, None)
    assert found.notes == ("needs the package google-ads",)
    assert sandbox.get("/_sandbox/calls?provider=google_ads") == []


# Answers that lack something

MISSING: list[tuple[str, Callable[[Script], Script], str]] = [
    ("openai", lambda peer: answered(peer, {"object": "list"}), "data"),
    ("serpapi", lambda peer: answered(peer, {"plan_name": "Free"}), "total_searches_left"),
    ("hunter", lambda peer: answered(peer, {"data": {"plan_name": "Free"}}), "data.requests"),
    ("facebook_ads", lambda peer: answered(peer, {"paging": {}}), "data"),
    ("x", lambda peer: answered(peer, {"data": {"project_usage": "1"}}), "data.project_cap"),
    ("clearbit", lambda peer: answered(peer, {"message": "no"}, 422), "error.type"),
    ("clearbit", lambda peer: answered(peer, {"domain": "uber.com"}), "error.type"),
    ("clearbit", lambda peer: answered(peer, {"error": {"type": "queued"}}, 202), "error.type"),
    ("pdl", lambda peer: answered(peer, {"message": "no Route matched with those values"}, 404), "error.type"),
    ("pdl", lambda peer: answered(peer, {"status": 200, "data": {}}), "error.type"),
]


@pytest.mark.parametrize(("name", "script", "field"), MISSING)
def test_the_field_that_an_answer_lacks_is_named(
    peer: Script, name: str, script: Callable[[Script], Script], field: str
) -> None:
    found = standing(name, script(peer).url)
    assert (found.state, found.reachable) == ("wrong", False)
    assert f"without the field {field};" in found.problems[0]
    assert provider_specs()[name].base_url_variable in found.problems[0]


@pytest.mark.parametrize(
    ("edge", "body", "field"),
    [
        ("googleAds:search", {"results": []}, "results[0].customer"),
        ("googleAds:search", {"results": [{"campaign": {}}]}, "results[0].customer"),
        ("customers:listAccessibleCustomers", {"resourceNames": "customers/1"}, "resourceNames"),
    ],
)
def test_the_field_that_google_s_answer_lacks_is_named(bend: Bend, edge: str, body: object, field: str) -> None:
    bend.rule = at(edge, 200, body)
    found = standing("google_ads", bend.url)
    assert (found.state, found.reachable) == ("wrong", False)
    assert f"without the field {field};" in found.problems[0]
