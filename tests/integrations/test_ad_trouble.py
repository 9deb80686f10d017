"""What Facebook and LinkedIn answer in the field, on the wire: too much, too early, and in their own words."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from ad_platforms import KEY, START, Steps, Wire, ad_campaigns, spec
from bending_proxy import Bend, Call, Rule, bending_proxy, graph_error, rest_error

from integrations.ads.account import AdAccount, account_problems
from integrations.ads.facebook.account import ad_account as facebook_account
from integrations.ads.facebook.account import refusal
from integrations.ads.facebook.errors import facebook_error
from integrations.ads.goal import Goal
from integrations.ads.linkedin.account import ad_account as linkedin_account
from integrations.ads.platform import AdPlatform, per_day
from integrations.ads.registry import build
from integrations.errors import (
    BadRequestError,
    IntegrationError,
    NotFoundError,
    RateLimitedError,
    TransientError,
    TryAgainError,
)
from integrations.settings import Settings

PLATFORMS = ["facebook_ads", "linkedin_ads"]
REDUCE = "Please reduce the amount of data you're asking for, then retry your request"
SINCE = START.date() - timedelta(days=1)


@pytest.fixture
def bend(sandbox: Any) -> Iterator[Bend]:
    with bending_proxy(sandbox.url) as found:
        yield found


def client(bend: Bend, name: str) -> AdPlatform:
    return build(name, Settings.from_env({"SANDBOX_URL": bend.url}))


def more_than(most: int) -> Rule:
    """A platform whose pages hold at most so many objects."""

    def rule(call: Call) -> tuple[int, Any] | None:
        if call.method == "GET" and int(call.asked("limit", "0")) > most and call.edge != "search":
            return graph_error(1, status=500, message=REDUCE)
        if call.method == "GET" and int(call.asked("pageSize", "0")) > most:
            return rest_error(413, "PAYLOAD_TOO_LARGE", "Response too large")
        return None

    return rule


@pytest.mark.parametrize("name", PLATFORMS)
@pytest.mark.parametrize("most", [25, 1])
def test_a_page_that_is_too_much_is_halved_and_that_is_remembered(bend: Bend, name: str, most: int) -> None:
    ads = client(bend, name)
    bend.rule = more_than(most)
    made = ads.create(spec(), wire=Wire(), steps=Steps())
    wire = Wire()
    found = ads.find_by_key(KEY, wire=wire)
    assert found is not None
    assert found.id == made.id
    sizes = {int(call.asked("limit", call.asked("pageSize", "0"))) for call in bend.calls}
    assert sizes - {0} - {1} == {size for size in (100, 50, 25, 12, 6, 3) if size >= most}
    bend.calls.clear()
    assert ads.find_by_key(KEY, wire=Wire()) == found
    asked = {int(call.asked("limit", call.asked("pageSize", "0"))) for call in bend.calls}
    assert asked == {most}, "what was too much once is not asked for again"


@pytest.mark.parametrize("name", PLATFORMS)
def test_a_listing_that_never_ends_is_left(bend: Bend, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(f"integrations.ads.{name.removesuffix('_ads')}.wire.MAX_OBJECTS", 3)
    one = {"id": "1", "name": "Somebody else's", "status": "ACTIVE"}
    more = {"paging": {"next": "x", "cursors": {"after": "again"}}, "metadata": {"nextPageToken": "again"}}
    bend.rule = lambda _call: (200, {"data": [one], "elements": [one], **more})
    wire = Wire()
    with pytest.raises(TransientError, match="did not end within 3 objects"):
        client(bend, name).find_by_key(KEY, wire=wire)
    assert wire.calls == 3


@pytest.mark.parametrize("name", PLATFORMS)
def test_a_draft_may_lack_a_name(bend: Bend, name: str) -> None:
    """All others have one: a campaign of ours that can't be told would be made once more."""
    listed = {"id": "1", "status": "DRAFT"}
    bend.rule = lambda _call: (200, {"data": [listed], "elements": [listed]})
    if name == "linkedin_ads":
        assert client(bend, name).find_by_key(KEY, wire=Wire()) is None
    else:
        with pytest.raises(TransientError, match="without the field name"):
            client(bend, name).find_by_key(KEY, wire=Wire())


@pytest.mark.parametrize("name", PLATFORMS)
def test_a_page_of_one_that_is_too_much_ends_in_the_platforms_words(bend: Bend, name: str) -> None:
    bend.rule = more_than(0)
    with pytest.raises(TryAgainError, match=r"reduce the amount of data|too large") as found:
        client(bend, name).find_by_key(KEY, wire=Wire())
    assert not found.value.outage


def test_linkedins_figures_are_asked_in_halves(bend: Bend) -> None:
    ads = client(bend, "linkedin_ads")
    made = ads.create(spec(headlines=("One", "Two", "Three")), wire=Wire(), steps=Steps())
    ads.enable(made, wire=Wire())
    whole = ads.report(made, SINCE, wire=Wire())
    bend.rule = lambda call: (
        rest_error(400, "TOO_LARGE", "The response is too large")
        if call.edge == "adAnalytics" and call.path.count("urn%3Ali") > 1
        else None
    )
    assert ads.report(made, SINCE, wire=Wire()) == whole
    assert len(per_day(whole)) == 7


@pytest.mark.parametrize(
    ("status", "error", "write", "expected"),
    [
        (
            400,
            {"code": 100, "error_subcode": 1487390, "error_user_msg": "Please try again later."},
            True,
            TryAgainError,
        ),
        (
            400,
            {"code": 100, "error_user_msg": "Oops, something went wrong. Please try again later."},
            True,
            TryAgainError,
        ),
        (400, {"code": 100, "is_transient": True}, True, TryAgainError),
        (500, {"code": 1, "message": "Please retry your request later"}, True, TransientError),
        (500, {"code": 100, "is_transient": True}, True, TransientError),
        (400, {"code": 80004, "message": "There have been too many calls"}, True, RateLimitedError),
        (400, {"code": 190, "message": "Session has expired. Please try again later."}, True, None),
        (400, {"code": 100, "message": "Object with ID '12345' does not exist"}, True, NotFoundError),
        (400, {"code": 100, "error_user_msg": "Change the name and try again."}, True, BadRequestError),
        (500, {"code": 1, "message": REDUCE}, True, TransientError),
    ],
)
def test_facebooks_try_later_in_whatever_coat(
    status: int, error: dict[str, Any], write: bool, expected: type[IntegrationError] | None
) -> None:
    found = facebook_error(status, error, {}, write=write)
    assert type(found) is expected if expected else not isinstance(found, TransientError)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (rest_error(409, "CONFLICT", "Concurrent modification, please retry"), TryAgainError),
        (rest_error(409, "DUPLICATE", "A campaign of that name already exists"), BadRequestError),
        (rest_error(400, "SOME", "Something went wrong. Try again later"), TryAgainError),
        (rest_error(422, "URN", "urn:li:sponsoredCampaign:12345 does not exist"), NotFoundError),
        (rest_error(503, "SERVICE_UNAVAILABLE", "Try again later"), TransientError),
    ],
)
def test_linkedins_try_later_in_whatever_coat(
    bend: Bend, answer: tuple[int, Any], expected: type[IntegrationError]
) -> None:
    bend.rule = lambda call: answer if call.method == "POST" else None
    with pytest.raises(IntegrationError) as found:
        client(bend, "linkedin_ads").create(spec(), wire=Wire(), steps=Steps())
    assert type(found.value) is expected
    assert answer[1]["message"] in found.value.message


def test_refusals_keep_the_platforms_words(bend: Bend) -> None:
    user = {"error_user_title": "Budget Is Too Low", "error_user_msg": "The daily budget must be at least $5.00."}
    blamed = {"error_data": {"blame_field_specs": [["daily_budget"]]}}
    bend.rule = lambda call: (
        graph_error(100, error_subcode=1885272, **user, **blamed) if call.edge == "adsets" else None
    )
    with pytest.raises(BadRequestError, match=r"Budget Is Too Low. The daily budget must be at least") as facebook:
        client(bend, "facebook_ads").create(spec(), wire=Wire(), steps=Steps())
    assert facebook.value.detail == "code 100, subcode 1885272, fields daily_budget"
    wrong = {"description": "at least 10.00 USD", "input": {"inputPath": {"fieldPath": "dailyBudget"}}, "code": "LOW"}
    answer = rest_error(422, "INVALID", "Budget refused", errorDetails={"inputErrors": [wrong]})
    bend.rule = lambda call: answer if call.edge == "adCampaigns" and call.method == "POST" else None
    with pytest.raises(BadRequestError, match=r"Budget refused. dailyBudget: at least 10.00 USD") as linkedin:
        client(bend, "linkedin_ads").create(spec(), wire=Wire(), steps=Steps())
    assert linkedin.value.detail == "INVALID; dailyBudget: LOW"


@pytest.mark.parametrize("name", PLATFORMS)
def test_accounts_are_told_in_words(sandbox: Any, bend: Bend, name: str) -> None:
    ads = client(bend, name)
    zones = {"facebook_ads": "America/Los_Angeles", "linkedin_ads": "UTC"}
    assert ads.account(wire=Wire()) == AdAccount(time_zone=zones.get(name, ""))
    fields = {"account_status": 2, "disable_reason": 3, "status": "CANCELED", "servingStatuses": ["BILLING_HOLD"]}
    world = {"currency": "EUR", "accounts": {name: {"fields": fields, "min_daily": "5.50"}}}
    sandbox.reset(7, world)
    account = ads.account(wire=Wire())
    assert account.currency == "EUR"
    trouble = {
        "facebook_ads": "it is disabled (a risky payment)",
        "linkedin_ads": "it is closed (CANCELED), it is on hold",
    }
    assert account.trouble.startswith(trouble[name])
    problems = ads.validate(spec(currency="EUR", daily_budget=Decimal(5)), wire=Wire())
    assert problems[0].startswith("the ad account can't run ads: it is ")
    if name == "facebook_ads":
        assert problems[1] == ("a daily budget of 5 EUR is too low: the ad account takes no less than 5.50 EUR a day")
    with pytest.raises(BadRequestError, match=r"must be at least"):
        ads.create(spec(currency="EUR", daily_budget=Decimal(5)), wire=Wire(), steps=Steps())


def test_what_an_account_may_answer_and_does_not_hurt() -> None:
    for odd in ({}, {"account_status": "1"}, {"account_status": None, "min_daily_budget": "x"}, {"currency": 7}):
        assert facebook_account(odd).trouble == linkedin_account(odd).trouble == ""
    assert linkedin_account({"status": "SOMETHING_NEW"}).trouble == "it is SOMETHING_NEW"
    assert facebook_account({"currency": "JPY", "min_daily_budget": "100"}).min_daily == 100
    told = AdAccount(currency="EUR", min_daily=Decimal(5))
    other = "the ad account counts in EUR, the campaign in USD"
    assert account_problems(told, "USD", Decimal(1), Goal.TRAFFIC) == [other]
    assert account_problems(told, "EUR", Decimal(5), Goal.TRAFFIC) == []
    uncounted = AdAccount(unserved={Goal.SALES: "nothing counts sales"})
    assert account_problems(uncounted, "EUR", Decimal(5), Goal.SALES) == ["nothing counts sales"]
    assert account_problems(uncounted, "EUR", Decimal(5), Goal.LEADS) == []


@pytest.mark.parametrize("name", PLATFORMS)
def test_refused_ads_are_told_with_the_reason(sandbox: Any, bend: Bend, name: str) -> None:
    sandbox.reset(7, {"accounts": {name: {"ads_refused": "Alcohol is not allowed"}}})
    ads = client(bend, name)
    made = ads.create(spec(), wire=Wire(), steps=Steps())
    ads.enable(made, wire=Wire())
    refused = ads.refusals(made, wire=Wire())
    step = "ad" if name == "facebook_ads" else "creative"
    assert sorted(refused) == [f"{step}.1", f"{step}.2"]
    assert all("Alcohol is not allowed" in reason for reason in refused.values())
    assert ads.report(made, SINCE, wire=Wire()) == []
    sandbox.reset(7)
    other = ads.create(spec(), wire=Wire(), steps=Steps())
    assert ads.refusals(other, wire=Wire()) == {}


def test_facebooks_reasons_come_in_two_forms() -> None:
    issue = {"error_summary": "Ad disapproved", "error_message": "Page is not published"}
    assert (
        refusal({"effective_status": "WITH_ISSUES", "issues_info": [issue]}) == "Ad disapproved. Page is not published"
    )
    assert refusal({"effective_status": "DISAPPROVED", "ad_review_feedback": "x"}) == "without a reason"
    assert refusal({"effective_status": "ACTIVE"}) is None


@pytest.mark.parametrize("name", PLATFORMS)
def test_what_is_removed_is_gone_however_often(sandbox: Any, bend: Bend, name: str) -> None:
    ads, steps = client(bend, name), Steps()
    ads.create(spec(), wire=Wire(), steps=steps)
    ads.remove(steps, wire=Wire())
    ads.remove(steps, wire=Wire())
    assert ad_campaigns(sandbox) == []
    assert ads.find_by_key(KEY, wire=Wire()) is None
    ads.remove({"campaign": "999", "group": "999"}, wire=Wire())
