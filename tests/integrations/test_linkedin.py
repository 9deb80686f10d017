"""LinkedIn sponsored content over the wire, against the sandbox and against odd answers."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from ad_platforms import KEY, START, Steps, Wire, deaths, spec
from ad_platforms import ad_campaigns as campaigns
from scripted_http import Script, scripted_server

from integrations.ads.linkedin.client import LinkedInAds
from integrations.ads.linkedin.sandbox_answers import plain_text
from integrations.ads.linkedin.wire import text, urns
from integrations.ads.platform import AdPlatform, RemoteCampaign, per_day
from integrations.ads.registry import build
from integrations.errors import (
    BadRequestError,
    CredentialsError,
    IntegrationError,
    InvalidAnswerError,
    NeedsAttentionError,
    OutcomeUnknownError,
    RateLimitedError,
    TransientError,
    TryAgainError,
)
from integrations.settings import Settings

SINCE = START.date() - timedelta(days=1)


def settings(url: str, **environment: str) -> Settings:
    return Settings.from_env({"SANDBOX_URL": url, **environment})


@pytest.fixture
def platform(sandbox: Any) -> AdPlatform:
    return build("linkedin_ads", settings(sandbox.url))


def test_created_paused_then_enabled_then_reported(sandbox: Any, platform: AdPlatform) -> None:
    wire, steps = Wire(), Steps()
    assert platform.find_by_key(KEY, wire=wire) is None
    made = platform.create(spec(), wire=wire, steps=steps)
    assert made.status == "paused"
    assert list(steps) == ["group", "campaign", "creative.1", "creative.2"]
    assert per_day(platform.report(made, SINCE, wire=wire)) == []
    platform.enable(made, wire=wire)
    row = campaigns(sandbox)[0]
    assert (row["status"], row["effect_key"], row["daily_budget"]) == ("active", KEY, "16.66")
    days = per_day(platform.report(made, SINCE, wire=wire))
    assert len(days) == 7
    assert days[0].day == START.date()
    assert days == per_day(platform.report(made, SINCE, wire=wire))
    assert all(0 < day.spend <= Decimal("16.66") for day in days)
    assert per_day(platform.report(made, SINCE, date(2026, 3, 2), wire=wire)) == days[:2]
    platform.pause(made, wire=wire)
    sandbox.post("/_sandbox/advance", {"days": 3})
    assert per_day(platform.report(made, SINCE, wire=wire)) == days  # what is paused doesn't live


def test_found_by_key_with_all_its_parts(platform: AdPlatform) -> None:
    made = platform.create(spec(), wire=Wire(), steps=Steps())
    found = platform.find_by_key(KEY, wire=Wire())
    assert found is not None
    assert (found.id, dict(found.ids), found.status) == (made.id, dict(made.ids), "paused")
    assert platform.get(made.id, wire=Wire()) == found


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
    assert [row["daily_budget"] for row in campaigns(sandbox)] == ["20.00"]
    again = platform.find_by_key(KEY, wire=wire)
    assert again is not None
    assert again.ids["creative.1"] == updated.ids["creative.1"] != made.ids["creative.1"]
    assert "creative.2" not in again.ids
    assert isinstance(platform, LinkedInAds)
    shown = {item["id"]: item["intendedStatus"] for item in platform._creatives(made.id, wire).values()}
    assert shown == {
        made.ids["creative.1"]: "PAUSED",
        made.ids["creative.2"]: "PAUSED",
        again.ids["creative.1"]: "ACTIVE",
    }
    after = per_day(platform.report(again, SINCE, wire=wire))
    assert len(after) == 7
    assert after[0].day == before[-1].day + timedelta(days=1)


@pytest.mark.parametrize("journalled", [True, False])
def test_death_after_any_call_leaves_no_duplicate(sandbox: Any, platform: AdPlatform, journalled: bool) -> None:
    outcomes = list(deaths(platform, journalled=journalled))
    for wanted, made in outcomes:
        assert [row["effect_key"] for row in campaigns(sandbox)].count(wanted.effect_key) == 1
        again = platform.find_by_key(wanted.effect_key, wire=Wire())
        assert again is not None
        assert dict(again.ids) == dict(made.ids)
    groups = Wire()
    assert isinstance(platform, LinkedInAds)
    names = [
        item["name"] for item in platform._api.pages("/adAccounts/3000/adCampaignGroups", {"q": "search"}, wire=groups)
    ]
    assert len(names) == len(set(names)) == len(outcomes) + 1


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({"LINKEDIN_ADS_ACCESS_TOKEN": "invalid"}, CredentialsError),
        ({"LINKEDIN_ADS_ACCESS_TOKEN": "forbidden"}, CredentialsError),
        ({"LINKEDIN_VERSION": "202401"}, NeedsAttentionError),
        ({"LINKEDIN_VERSION": "next"}, NeedsAttentionError),
    ],
)
def test_what_needs_a_person(sandbox: Any, environment: dict[str, str], expected: type[IntegrationError]) -> None:
    url = f"{sandbox.url}/linkedin_ads"
    refused = build("linkedin_ads", settings(sandbox.url, LINKEDIN_ADS_BASE_URL=url, **environment))
    with pytest.raises(expected) as found:
        refused.find_by_key(KEY, wire=Wire())
    assert type(found.value) is expected
    assert "Bearer" not in str(found.value)
    if version := environment.get("LINKEDIN_VERSION"):
        assert f"Set LINKEDIN_VERSION, now '{version}', to a version that LinkedIn serves." in str(found.value)


def test_validate_stores_nothing(sandbox: Any, platform: AdPlatform) -> None:
    assert platform.validate(spec(), wire=Wire()) == []
    assert platform.validate(spec(headlines=()), wire=Wire()) == ["0 headlines; 1-3 are allowed"]
    assert campaigns(sandbox) == []
    sandbox.reset(1, {"currency": "EUR"})
    assert platform.validate(spec(), wire=Wire()) == ["the ad account counts in EUR, the campaign in USD"]


def test_refused_fields_are_named(sandbox: Any, platform: AdPlatform) -> None:
    sandbox.reset(1, {"currency": "EUR"})
    with pytest.raises(BadRequestError) as found:
        platform.create(spec(), wire=Wire(), steps=Steps())
    assert found.value.detail == "PARAM_INVALID; dailyBudget/currencyCode: PARAM_INVALID"


def test_unknown_places_are_refused(platform: AdPlatform) -> None:
    nowhere = replace(spec().audience, locations=("Nowhere at all",))
    with pytest.raises(BadRequestError, match="none of the places Nowhere at all"):
        platform.create(spec(audience=nowhere), wire=Wire(), steps=Steps())


def test_more_campaigns_than_a_page_holds(platform: AdPlatform) -> None:
    first = platform.create(spec(effect_key="000000000000"), wire=Wire(), steps=Steps())
    assert isinstance(platform, LinkedInAds)
    fields = platform._campaign_fields(spec(), first.ids["group"], {"include": {"and": [{}]}})
    for number in range(101):
        platform._api.create("/adAccounts/3000/adCampaigns", {**fields, "name": f"Other {number}"}, timeout=5)
    made = platform.create(spec(), wire=Wire(), steps=Steps())
    wire = Wire()
    found = platform.find_by_key(KEY, wire=wire)
    assert found is not None
    assert found.id == made.id
    assert wire.calls == 3  # two pages, creatives


def test_rest_li_text() -> None:
    assert urns(["urn:li:a:1", "urn:li:b:(2,3)"]) == "List(urn%3Ali%3Aa%3A1,urn%3Ali%3Ab%3A%282%2C3%29)"
    assert text("SaaS & more/ü") == "SaaS%20%26%20more%2F%C3%BC"


def test_marks_of_the_little_text_format_are_escaped(sandbox: Any, platform: AdPlatform) -> None:
    said = r"100 % (free) #1 [now] @you <b> *x* _y_ ~z~ {a|b} c:\d"
    platform.create(spec(descriptions=(said,)), wire=Wire(), steps=Steps())  # the sandbox refuses bare marks
    assert isinstance(platform, LinkedInAds)
    fields = platform._creative_fields(spec(), "1", 1, ("Headline", said))
    commentary = fields["inlineContent"]["post"]["commentary"]
    assert r"\(free\) \#1 \[now\] \@you" in commentary
    assert plain_text(commentary) == said


def test_yen_have_no_decimals(sandbox: Any, platform: AdPlatform) -> None:
    platform.create(spec(currency="JPY", daily_budget=Decimal("1666.66")), wire=Wire(), steps=Steps())
    assert campaigns(sandbox)[0]["daily_budget"] == "1666"


@pytest.fixture
def odd() -> Any:
    with scripted_server() as script:
        yield script


@pytest.mark.parametrize(
    ("status", "body", "headers", "reading", "writing"),
    [
        (200, b"{}", {}, TransientError, OutcomeUnknownError),  # no elements; no id
        (200, b"[]", {}, TransientError, OutcomeUnknownError),
        (201, b"", {}, TransientError, OutcomeUnknownError),
        (409, b"{}", {}, TryAgainError, TryAgainError),
        (422, b"{}", {}, BadRequestError, BadRequestError),
        (426, b"{}", {}, NeedsAttentionError, NeedsAttentionError),
        (429, b"", {"Retry-After": "5"}, RateLimitedError, RateLimitedError),
        (401, b'{"code": "EXPIRED_ACCESS_TOKEN"}', {}, CredentialsError, CredentialsError),
        (500, b"<html>", {}, TransientError, TransientError),
        (502, b"<html>", {}, TransientError, OutcomeUnknownError),
    ],
)
def test_odd_answers(
    odd: Script,
    status: int,
    body: bytes,
    headers: dict[str, str],
    reading: type[IntegrationError],
    writing: type[IntegrationError],
) -> None:
    odd.status, odd.body, odd.headers = status, body, headers
    platform = build("linkedin_ads", settings(odd.url))
    assert isinstance(platform, LinkedInAds)
    with pytest.raises(IntegrationError) as read:
        platform.find_by_key(KEY, wire=Wire())
    with pytest.raises(IntegrationError) as written:
        platform._api.create("/adAccounts/3000/adCampaignGroups", {}, timeout=5)
    assert (type(read.value), type(written.value)) == (reading, writing)
    if status == 429:
        assert read.value.retry_after == 5.0


@pytest.mark.parametrize(
    ("status", "body", "agreed"),
    [
        (204, b"", True),
        (200, b"", True),
        (200, b'{"id": 1}', True),
        (200, b"<html>", False),
        (200, b"[]", False),
        (202, b"", False),
        (302, b"", False),
    ],
)
def test_only_linkedin_agrees_to_a_change(odd: Script, status: int, body: bytes, agreed: bool) -> None:
    odd.status, odd.body = status, body
    platform = build("linkedin_ads", settings(odd.url))
    if agreed:
        platform.pause(RemoteCampaign(id="1"), wire=Wire())
    else:
        with pytest.raises(OutcomeUnknownError):
            platform.pause(RemoteCampaign(id="1"), wire=Wire())


@pytest.mark.parametrize("row", [b"{}", b'{"dateRange": {"start": {"year": 2026, "month": 13, "day": 1}}}'])
def test_a_row_that_can_not_be_read_is_no_zero(odd: Script, row: bytes) -> None:
    odd.body = b'{"elements": [' + row + b"]}"
    platform = build("linkedin_ads", settings(odd.url))
    with pytest.raises(InvalidAnswerError):
        platform.report(RemoteCampaign(id="1", ids={"creative.1": "urn:li:x:1"}), SINCE, wire=Wire())
