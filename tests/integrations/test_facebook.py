"""Facebook ads over the wire: the official SDK against the sandbox, and against odd answers."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from ad_platforms import KEY, START, Steps, Wire, spec
from ad_platforms import ad_campaigns as campaigns
from raw_server import Answer, raw_server, saying, silent, trickling
from scripted_http import Script, scripted_server

from integrations.ads.facebook.client import FacebookAds
from integrations.ads.facebook.money import minor_units
from integrations.ads.facebook.report import ad_reports
from integrations.ads.platform import AdPlatform, RemoteCampaign, per_day
from integrations.ads.registry import build
from integrations.errors import (
    BadRequestError,
    CredentialsError,
    IntegrationError,
    InvalidAnswerError,
    NotFoundError,
    OutcomeUnknownError,
    RateLimitedError,
    TransientError,
)
from integrations.settings import Settings

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n"
SINCE = START.date() - timedelta(days=1)


def settings(url: str, **environment: str) -> Settings:
    return Settings.from_env({"SANDBOX_URL": url, **environment})


@pytest.fixture
def platform(sandbox: Any) -> AdPlatform:
    return build("facebook_ads", settings(sandbox.url))


def test_created_paused_then_enabled_then_reported(sandbox: Any, platform: AdPlatform) -> None:
    wire, steps = Wire(), Steps()
    assert platform.find_by_key(KEY, wire=wire) is None
    made = platform.create(spec(), wire=wire, steps=steps)
    assert made.status == "paused"
    assert campaigns(sandbox)[0]["status"] == "paused"
    assert list(steps) == ["campaign", "ad_set", "creative.1", "ad.1", "creative.2", "ad.2"]
    assert per_day(platform.report(made, SINCE, wire=wire)) == []
    platform.enable(made, wire=wire)
    row = campaigns(sandbox)[0]
    assert (row["status"], row["effect_key"], row["daily_budget"]) == ("active", KEY, "16.66")
    days = per_day(platform.report(made, SINCE, wire=wire))
    assert len(days) == 7
    assert days == per_day(platform.report(made, SINCE, wire=wire))  # asking changes nothing
    assert all(day.spend <= Decimal("16.66") for day in days)
    assert days[0].day == START.date()
    sandbox.post("/_sandbox/advance", {"days": 3})
    assert per_day(platform.report(made, SINCE, wire=wire))[:7] == days
    assert len(per_day(platform.report(made, SINCE, wire=wire))) == 10
    assert per_day(platform.report(made, SINCE, START.date(), wire=wire)) == days[:1]


def test_found_by_key_with_all_its_parts(platform: AdPlatform) -> None:
    wire = Wire()
    made = platform.create(spec(), wire=wire, steps=Steps())
    found = platform.find_by_key(KEY, wire=wire)
    assert found is not None
    assert found.id == made.id
    assert {k: v for k, v in made.ids.items() if not k.startswith("creative")} == found.ids
    assert platform.find_by_key("ffffffffffff", wire=wire) is None


def test_an_update_changes_the_same_campaign(sandbox: Any, platform: AdPlatform) -> None:
    wire = Wire()
    made = platform.create(spec(), wire=wire, steps=Steps())
    platform.enable(made, wire=wire)
    before = per_day(platform.report(made, SINCE, wire=wire))
    found = platform.find_by_key(KEY, wire=wire)
    assert found is not None
    changed = spec(revision=2, headlines=("3 ways to price SaaS",), daily_budget=Decimal("20.00"))
    updated = platform.update(found, changed, wire=wire, steps=Steps())
    assert (updated.id, updated.status) == (made.id, "active")
    assert [row["daily_budget"] for row in campaigns(sandbox)] == ["20"]
    again = platform.find_by_key(KEY, wire=wire)
    assert again is not None
    assert again.ids["ad.1"] == updated.ids["ad.1"] != made.ids["ad.1"]
    assert "ad.2" not in again.ids
    assert isinstance(platform, FacebookAds)
    statuses = {
        str(ad["id"]): ad["status"] for ad in platform._graph.pages(made.id, "ads", wire=wire, fields="id,status")
    }
    assert statuses == {made.ids["ad.1"]: "PAUSED", made.ids["ad.2"]: "PAUSED", again.ids["ad.1"]: "ACTIVE"}
    after = per_day(platform.report(again, SINCE, wire=wire))
    assert len(after) == 7
    assert after[0].day == before[-1].day + timedelta(days=1)


def test_the_same_name_twice_makes_two_campaigns(sandbox: Any, platform: AdPlatform) -> None:
    """The platform does not protect us; the look-up by key does."""
    platform.create(spec(), wire=Wire(), steps=Steps())
    platform.create(spec(), wire=Wire(), steps=Steps())
    rows = campaigns(sandbox)
    assert len(rows) == 2
    assert len({row["id"] for row in rows}) == 2
    assert rows[0]["name"] == rows[1]["name"]


@pytest.mark.parametrize(("token", "expected"), [("invalid", CredentialsError), ("forbidden", CredentialsError)])
def test_bad_tokens_need_a_person_and_never_show(sandbox: Any, token: str, expected: type[IntegrationError]) -> None:
    url = f"{sandbox.url}/facebook"
    environment = {"FACEBOOK_BASE_URL": url, "FACEBOOK_ACCESS_TOKEN": token, "FACEBOOK_APP_SECRET": "s3cr3t"}
    refused = build("facebook_ads", settings(sandbox.url, **environment))
    with pytest.raises(expected) as found:
        refused.find_by_key(KEY, wire=Wire())
    assert found.value.__cause__ is None
    for secret in (f"={token}", "s3cr3t", "access_token", "appsecret_proof"):
        assert secret not in str(found.value)


def test_validate_is_a_dry_run(sandbox: Any, platform: AdPlatform) -> None:
    assert platform.validate(spec(), wire=Wire()) == []
    assert campaigns(sandbox) == []
    problems = platform.validate(
        spec(headlines=("x" * 41, " "), daily_budget=Decimal(0), landing_url="ftp://x", end=START), wire=Wire()
    )
    assert problems == [
        "headline 1 is 41 characters long; at most 40 are allowed",
        "headline 2 is empty",
        "the landing page is no http(s) address",
        "a daily budget of 0 USD is not above 0",
        "the end is not after the start",
    ]


def test_a_currency_that_is_not_the_accounts_is_refused(sandbox: Any, platform: AdPlatform) -> None:
    sandbox.reset(1, {"currency": "JPY"})
    assert platform.validate(spec(), wire=Wire()) == ["the ad account counts in JPY, the campaign in USD"]
    assert platform.validate(spec(currency="JPY"), wire=Wire()) == []


def test_unknown_places_are_refused_before_anything_is_shown(platform: AdPlatform) -> None:
    nowhere = replace(spec().audience, locations=("Nowhere at all",))
    with pytest.raises(BadRequestError, match="none of the places Nowhere at all"):
        platform.create(spec(audience=nowhere), wire=Wire(), steps=Steps())


def test_what_is_gone_is_not_found(platform: AdPlatform) -> None:
    with pytest.raises(NotFoundError):
        platform.get("120000000000000001", wire=Wire())


def test_more_campaigns_than_a_page_holds(sandbox: Any, platform: AdPlatform) -> None:
    """Written through the SDK as another tool would, so that ours is on the second page."""
    assert isinstance(platform, FacebookAds)
    graph = platform._graph
    fields = {
        "objective": "OUTCOME_TRAFFIC",
        "status": "PAUSED",
        "special_ad_categories": [],
        "is_adset_budget_sharing_enabled": False,
    }
    for number in range(101):
        graph.created("act_1000", "campaigns", timeout=5, name=f"Other {number}", **fields)
    made = platform.create(spec(), wire=Wire(), steps=Steps())
    wire = Wire()
    found = platform.find_by_key(KEY, wire=wire)
    assert found is not None
    assert found.id == made.id
    assert wire.calls == 4  # two pages, ad sets, ads


def test_the_budget_in_the_accounts_own_units() -> None:
    assert minor_units(Decimal("16.66"), "USD") == 1666
    assert minor_units(Decimal("16.669"), "EUR") == 1666
    assert minor_units(Decimal("1666.66"), "JPY") == 1666


def test_no_conversion_counts_twice() -> None:
    row = {
        "date_start": "2026-03-01",
        "impressions": "10",
        "inline_link_clicks": "5",
        "spend": "1.25",
        "actions": [
            {"action_type": "link_click", "value": "5"},
            {"action_type": "lead", "value": "2"},
            {"action_type": "offsite_conversion.fb_pixel_lead", "value": "2"},
            {"action_type": "purchase", "value": "1"},
        ],
    }
    (day,) = ad_reports([{**row, "ad_id": "7"}], {"7": "ad.2"})
    assert (day.ad, day.conversions, day.clicks, day.spend) == ("ad.2", 3, 5, Decimal("1.25"))


@pytest.mark.parametrize(
    "row",
    [
        {},
        {"date_start": "yesterday"},
        {"date_start": "2026-03-01", "spend": "much"},
        {"date_start": "2026-03-01", "spend": "NaN"},
        {"date_start": "2026-03-01", "impressions": None},
        {"date_start": "2026-03-01", "actions": [{"action_type": "lead"}]},
    ],
)
def test_a_row_that_can_not_be_read_is_no_zero(row: dict[str, Any]) -> None:
    with pytest.raises(InvalidAnswerError):
        ad_reports([row], {})


@pytest.fixture
def odd() -> Any:
    with scripted_server() as script:
        yield script


@pytest.mark.parametrize(
    ("status", "body", "reading", "writing"),
    [
        (502, b"<html>Bad gateway</html>", TransientError, OutcomeUnknownError),
        (504, b"<html>success</html>", TransientError, OutcomeUnknownError),
        (500, b'{"trace": "no error object"}', TransientError, TransientError),
        (500, b"", TransientError, TransientError),
        (429, b"Too many calls", RateLimitedError, RateLimitedError),
        (200, b"", TransientError, OutcomeUnknownError),
        (200, b"[]", TransientError, OutcomeUnknownError),
        (200, b"{}", TransientError, OutcomeUnknownError),  # success without data, without an id
        (200, b"success", TransientError, OutcomeUnknownError),
        (200, b'"error"', TransientError, OutcomeUnknownError),
        (400, b'{"error": "a string"}', BadRequestError, BadRequestError),
        (400, b'{"error": {"code": 100, "error_data": "not json"}}', BadRequestError, BadRequestError),
        (302, b"", TransientError, OutcomeUnknownError),
    ],
)
def test_defects_of_the_sdk_are_fenced_in(
    odd: Script, status: int, body: bytes, reading: type[IntegrationError], writing: type[IntegrationError]
) -> None:
    odd.status, odd.body = status, body
    if status == 302:
        odd.headers = {"Location": "/elsewhere"}
    platform = build("facebook_ads", settings(odd.url))
    with pytest.raises(IntegrationError) as read:
        platform.find_by_key(KEY, wire=Wire())
    bare = replace(spec().audience, locations=(), industries=(), titles=())
    with pytest.raises(IntegrationError) as written:
        platform.create(spec(audience=bare, keywords=()), wire=Wire(), steps=Steps())
    assert (type(read.value), type(written.value)) == (reading, writing)
    assert "access_token" not in f"{read.value}{written.value}"


@pytest.mark.parametrize("body", [b'{"success": false}', b"{}", b'{"success": "yes"}', b'{"id": "1"}'])
def test_only_success_is_agreement_to_a_change(odd: Script, body: bytes) -> None:
    odd.body = body
    with pytest.raises(OutcomeUnknownError):
        build("facebook_ads", settings(odd.url)).pause(RemoteCampaign(id="1"), wire=Wire())


def test_a_search_without_data_does_not_widen_the_audience(odd: Script) -> None:
    odd.body = b'{"id": "1"}'  # to the creation a good answer, to the search none
    with pytest.raises(TransientError, match="without the field data"):
        build("facebook_ads", settings(odd.url)).create(spec(), wire=Wire(), steps=Steps())


@pytest.mark.parametrize("body", [b"{}", b'{"name": "x"}', b'{"id": ""}'])
def test_an_object_without_an_id_is_no_answer(odd: Script, body: bytes) -> None:
    odd.body = body
    with pytest.raises(TransientError, match="without the field id"):
        build("facebook_ads", settings(odd.url)).get("1", wire=Wire())


def test_a_redirect_is_not_followed(odd: Script) -> None:
    odd.status, odd.headers = 302, {"Location": f"{odd.url}/elsewhere"}
    platform = build("facebook_ads", settings(odd.url))
    with pytest.raises(TransientError):
        platform.get("1", wire=Wire())
    with pytest.raises(OutcomeUnknownError):
        platform.pause(RemoteCampaign(id="1"), wire=Wire())
    assert len(odd.requests) == 2, "it would carry the token to another address"


@pytest.mark.parametrize("answer", [trickling(HEAD + b"Content-Length: 1000\r\n\r\n"), silent])
def test_a_slow_answer_ends_by_its_timeout(answer: Answer) -> None:
    """The peers go on until the block ends: without a bound of ours, so would the calls."""
    with raw_server(answer) as server:
        platform = build("facebook_ads", settings(server.url))
        with pytest.raises(TransientError):
            platform.get("1", wire=Wire(timeout=0.3))
        with pytest.raises(OutcomeUnknownError):
            platform.pause(RemoteCampaign(id="1"), wire=Wire(timeout=0.3))


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(saying(HEAD + b"Content-Length: 9000\r\n\r\n" + b" " * 9000), id="too long"),
        pytest.param(saying(HEAD + b"Content-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc"), id="not gzip"),
        pytest.param(saying(HEAD + b"Content-Encoding: br\r\nContent-Length: 3\r\n\r\nabc"), id="brotli"),
        pytest.param(saying(HEAD + b"Content-Length: 20\r\n\r\n{}"), id="cut short"),
        pytest.param(saying(b"HTTP/1.1 302 x\r\nLocation: http://[bad\r\nContent-Length: 0\r\n\r\n"), id="redirect"),
    ],
)
def test_an_answer_that_nobody_can_read(answer: Answer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("integrations.ads.facebook.wire.MAX_BYTES", 1000)
    with raw_server(answer) as server:
        platform = build("facebook_ads", settings(server.url))
        with pytest.raises(TransientError):
            platform.get("1", wire=Wire())
        with pytest.raises(OutcomeUnknownError):
            platform.pause(RemoteCampaign(id="1"), wire=Wire())


def test_a_hanging_server_is_left(odd: Script) -> None:
    odd.hang = threading.Event()
    platform = build("facebook_ads", settings(odd.url))
    with pytest.raises(TransientError):
        platform.find_by_key(KEY, wire=Wire(timeout=0.2))


def test_the_token_and_its_proof_travel_as_facebook_wants(odd: Script) -> None:
    odd.body = b'{"data": []}'
    build("facebook_ads", settings(odd.url)).find_by_key(KEY, wire=Wire())
    (method, path) = odd.requests[0]
    assert method == "GET"
    assert path.startswith("/facebook/v26.0/act_1000/campaigns?")
    assert "access_token=sandbox" in path
    assert "appsecret_proof=" in path


def test_importing_the_package_loads_no_sdk() -> None:
    import subprocess
    import sys

    code = (
        "import sys, integrations.ads, integrations.ads.facebook.client, integrations.ads.linkedin.client;"
        "sys.exit(any(m.split('.')[0] == 'facebook_business' for m in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_since_leaves_out_earlier_days(platform: AdPlatform) -> None:
    made = platform.create(spec(), wire=Wire(), steps=Steps())
    platform.enable(made, wire=Wire())
    days = per_day(platform.report(made, date(2026, 3, 5), wire=Wire()))
    assert [day.day.day for day in days] == [5, 6, 7]
