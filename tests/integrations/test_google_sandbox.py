"""What the sandbox's Google Ads refuses, as Google does: queries, operations, connections."""

from __future__ import annotations

import socket
import urllib.request
from copy import deepcopy
from typing import Any

import pytest
import stack
from ad_platforms import KEY, Wire, ad_campaigns, fitting

from integrations.ads.google.client import GoogleAds
from integrations.ads.google.operations import Operation
from integrations.ads.google.sandbox_failures import Refused
from integrations.ads.google.sandbox_gaql import parse, select
from integrations.ads.registry import build
from integrations.errors import IntegrationError, NeedsAttentionError
from integrations.settings import Settings


@pytest.fixture(scope="module", autouse=True)
def _loaded(_sandbox_process: stack.Sandbox) -> None:
    """Loading Google's messages takes a second, more on a busy machine, here and in the sandbox."""
    build("google_ads", Settings.from_env({"SANDBOX_URL": _sandbox_process.url})).find_by_key(KEY, wire=Wire(60))


@pytest.fixture
def google(sandbox: Any) -> GoogleAds:
    found = build("google_ads", Settings.from_env({"SANDBOX_URL": sandbox.url}))
    assert isinstance(found, GoogleAds)
    return found


@pytest.fixture
def whole(google: GoogleAds) -> list[Operation]:
    """The operations of a good creation: budget, campaign, two criteria, ad group, keyword, ad."""
    return google._operations(fitting(google), Wire())


# Queries


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("SELECT campaign.nam FROM campaign", "UNRECOGNIZED_FIELD"),
        ("SELECT campaign FROM campaign", "UNRECOGNIZED_FIELD"),
        ("SELECT campaign.id FROM campaing", "BAD_RESOURCE_TYPE_IN_FROM_CLAUSE"),
        ("SELECT ad_group.id FROM campaign", "PROHIBITED_RESOURCE_TYPE_IN_SELECT_CLAUSE"),
        ("SELECT campaign.id FROM campaign WHERE campaign.status = 'ON'", "BAD_ENUM_CONSTANT"),
        ("SELECT campaign.id FROM campaign WHERE campaign.name ~ 'x'", "BAD_SYMBOL"),
        ("SELECT campaign.id FROM campaign WHERE campaign.name IS 'x'", "BAD_OPERATOR"),
        ("SELECT campaign.id FROM campaign WHERE campaign.name = 'x", "STRING_NOT_TERMINATED"),
        ("SELECT campaign.id FROM campaign WHERE campaign.id IN ()", "EXPECTED_SINGLE_VALUE"),
        ("SELECT campaign.id FROM campaign LIMIT all", "BAD_LIMIT_VALUE"),
        ("SELECT campaign.id", "EXPECTED_FROM"),
        ("UPDATE campaign", "EXPECTED_SELECT"),
        ("SELECT campaign.id FROM campaign; DROP", "BAD_SYMBOL"),
        ("SELECT campaign.id FROM campaign campaign", "UNEXPECTED_INPUT"),
        ("SELECT segments.date, metrics.clicks FROM ad_group_ad", "EXPECTED_FILTERS_ON_DATE_RANGE"),
        ("SELECT campaign.id FROM ad_group_ad WHERE segments.date = 'today'", "INVALID_DATE_FORMAT"),
    ],
)
def test_a_query_that_google_refuses(query: str, code: str) -> None:
    with pytest.raises(Refused) as caught:
        parse(query)
    assert [(fault.kind, fault.code) for fault in caught.value.faults] == [("queryError", code)]


@pytest.mark.parametrize(
    ("where", "names"),
    [
        ("campaign.name LIKE '%[[]a]%'", ["x [a] y"]),
        ("campaign.name LIKE 'x%'", ["x [a] y", "x_b"]),
        ("campaign.name LIKE 'x[_]b'", ["x_b"]),
        ("campaign.name = 'O\\'Brien'", ["O'Brien"]),
        ("campaign.id >= 2 AND campaign.status != 'REMOVED'", ["x_b"]),
        ("campaign.id BETWEEN 1 AND 2 ORDER BY campaign.id DESC", ["x_b", "x [a] y"]),
        ("campaign.status IN ('PAUSED', 'REMOVED') LIMIT 1", ["x_b"]),
    ],
)
def test_rows_that_a_query_selects(where: str, names: list[str]) -> None:
    rows: list[dict[str, Any]] = [
        {"campaign": {"id": "1", "name": "x [a] y", "status": "ENABLED"}},
        {"campaign": {"id": "2", "name": "x_b", "status": "PAUSED"}},
        {"campaign": {"id": "10", "name": "O'Brien", "status": "REMOVED"}},
    ]
    found = select(parse(f"SELECT campaign.name FROM campaign WHERE {where}"), rows)
    assert [row["campaign"] for row in found] == [{"name": name} for name in names]


# Operations


def part(operations: list[Operation], kind: str) -> Any:
    """What the first operation of a kind creates."""
    return next(one[f"{kind}_operation"]["create"] for one in operations if f"{kind}_operation" in one)


def refused(google: GoogleAds, operations: list[Operation]) -> str:
    with pytest.raises(IntegrationError) as caught:
        google._api.mutate(operations, wire=Wire())
    return caught.value.detail or ""


@pytest.mark.parametrize(
    ("kind", "changes", "code"),
    [
        ("campaign_budget", {"amount_micros": 10_001_000}, "NON_MULTIPLE_OF_MINIMUM_CURRENCY_UNIT"),
        ("campaign_budget", {"amount_micros": 0}, "NEGATIVE_MONEY_AMOUNT"),
        ("campaign", {"name": ""}, "fieldError.REQUIRED"),
        ("campaign", {"name": "a\nb"}, "INVALID_CAMPAIGN_NAME"),
        ("campaign", {"contains_eu_political_advertising": None}, "EU_POLITICAL_ADVERTISING_DECLARATION_REQUIRED"),
        ("campaign", {"target_spend": None}, "fieldError.REQUIRED"),
        ("campaign", {"campaign_budget": "customers/5000000000/campaignBudgets/-9"}, "RESOURCE_NOT_FOUND"),
        ("campaign", {"end_date_time": "2020-01-01 23:59:59"}, "START_DATE_AFTER_END_DATE"),
        ("campaign", {"start_date_time": "2026-03-01"}, "INVALID_STRING_DATE_TIME_SECONDS"),
        (
            "campaign_criterion",
            {"location": {"geo_target_constant": "geoTargetConstants/1"}},
            "CANNOT_TARGET_CRITERION",
        ),
        ("ad_group_criterion", {"keyword": {"text": "a!b", "match_type": "EXACT"}}, "KEYWORD_HAS_INVALID_CHARS"),
        ("ad_group_criterion", {"keyword": {"text": "x " * 11, "match_type": "EXACT"}}, "KEYWORD_HAS_TOO_MANY_WORDS"),
        ("ad_group_criterion", {"keyword": {"text": "x" * 81, "match_type": "EXACT"}}, "KEYWORD_TEXT_TOO_LONG"),
        ("ad_group_ad", {"ad": {"final_urls": ["https://a.example/"]}}, "INVALID_AD_TYPE"),
        ("ad_group_ad", {"ad": {"responsive_search_ad": {}}}, "fieldError.REQUIRED"),
    ],
)
def test_a_wrong_part_is_refused_by_its_code(
    sandbox: Any, google: GoogleAds, whole: list[Operation], kind: str, changes: dict[str, Any], code: str
) -> None:
    wrong = deepcopy(whole)
    item = part(wrong, kind)
    for name, value in changes.items():
        if value is None:
            del item[name]
        else:
            item[name] = value
    assert code in refused(google, wrong)
    assert ad_campaigns(sandbox) == []
    google._api.mutate(whole, wire=Wire())
    assert len(ad_campaigns(sandbox)) == 1


def test_what_is_not_defined_before_it_is_used_is_not_there(google: GoogleAds, whole: list[Operation]) -> None:
    assert "mutateError.RESOURCE_NOT_FOUND at mutate_operations[0]" in refused(google, whole[::-1])


def test_a_temporary_name_holds_inside_one_request(google: GoogleAds, whole: list[Operation]) -> None:
    google._api.mutate(whole[:1], wire=Wire())
    assert "RESOURCE_NOT_FOUND" in refused(google, whole[1:])
    assert "DUPLICATE_TEMP_IDS" in refused(google, [whole[0], whole[0]])


def test_all_errors_of_a_request_are_told(google: GoogleAds, whole: list[Operation]) -> None:
    wrong = deepcopy(whole)
    part(wrong, "campaign_budget")["amount_micros"] = 0
    part(wrong, "ad_group_criterion")["keyword"]["text"] = "!"
    told = refused(google, wrong)
    assert "mutate_operations[0]" in told
    assert "RESOURCE_NOT_FOUND" in told, "the campaign's budget was refused"


def test_a_budget_in_use_is_not_removed(google: GoogleAds, whole: list[Operation]) -> None:
    (budget, *_) = google._api.mutate(whole, wire=Wire())
    assert "CAMPAIGN_BUDGET_IN_USE" in refused(google, [{"campaign_budget_operation": {"remove": budget}}])


# Connections


def test_a_method_that_is_not_there_needs_an_upgrade(google: GoogleAds) -> None:
    google.find_by_key(KEY, wire=Wire())
    channel = google._api._service.transport.grpc_channel
    import grpc

    call = channel.unary_unary("/google.ads.googleads.v9.services.GoogleAdsService/Search")
    with pytest.raises(grpc.RpcError) as caught:
        call(b"", timeout=5)
    error = google._api._refused(caught.value, google._api._service, "t", write=False)
    assert isinstance(error, NeedsAttentionError)


def test_http_and_tls_share_an_address_and_odd_connections_hurt_neither(sandbox: Any, google: GoogleAds) -> None:
    host, _, port = sandbox.url.removeprefix("http://").rpartition(":")
    for said in (b"", b"\x16", b"\x16\x03\x01garbage that is no handshake", b"\x00\x01"):
        with socket.create_connection((host, int(port)), timeout=5) as odd:
            odd.sendall(said)
    assert google.find_by_key(KEY, wire=Wire()) is None
    with urllib.request.urlopen(f"{sandbox.url}/_sandbox/state", timeout=5) as answer:
        assert answer.headers["X-Sandbox"] == "true"
