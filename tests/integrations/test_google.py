"""Google Ads over gRPC/TLS and OAuth, against the sandbox; what all platforms do is in test_ad_platform_contract.py."""

from __future__ import annotations

import pickle
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import checkout
import pytest
import stack
from ad_platforms import KEY, START, Steps, Wire, ad_campaigns, fault, fitting

from integrations.ads.goal import Goal
from integrations.ads.google import gaql
from integrations.ads.google.client import GoogleAds
from integrations.ads.google.criteria import group_keywords
from integrations.ads.google.errors import failure_error, status_error
from integrations.ads.google.goals import aim
from integrations.ads.google.money import micros
from integrations.ads.google.operations import ad_operations, creation
from integrations.ads.keywords import Keyword, keywords, unmarked
from integrations.ads.platform import AdSpec, Audience
from integrations.ads.registry import build
from integrations.ads.spec import Package
from integrations.errors import (
    BadRequestError,
    CredentialsError,
    IntegrationError,
    NeedsAttentionError,
    NotFoundError,
    OutcomeUnknownError,
    PolicyRefusedError,
    RateLimitedError,
    TransientError,
    TryAgainError,
)
from integrations.settings import Settings

HEADLINES = ("5 checks for SaaS billing", "Book a 15 minute demo", "Plan SaaS pricing today")
DESCRIPTIONS = ("Plan your SaaS pricing in 3 steps. Book a short demo.", "Compare 4 plans in one table.")
FIRST = START.date()


def client(sandbox: Any, **environment: str) -> GoogleAds:
    url = f"{sandbox.url}/google_ads"
    found = build(
        "google_ads", Settings.from_env({"SANDBOX_URL": sandbox.url, "GOOGLE_ADS_BASE_URL": url, **environment})
    )
    assert isinstance(found, GoogleAds)
    return found


@pytest.fixture(scope="module", autouse=True)
def _loaded(_sandbox_process: stack.Sandbox) -> None:
    """Loading Google's messages takes a second, more on a busy machine, here and in the sandbox."""
    client(_sandbox_process).find_by_key(KEY, wire=Wire(60))


@pytest.fixture
def google(sandbox: Any) -> GoogleAds:
    return client(sandbox)


def wanted(google: GoogleAds, **changes: Any) -> AdSpec:
    return fitting(google, **{"headlines": HEADLINES, "descriptions": DESCRIPTIONS, **changes})


def calls(sandbox: Any) -> list[str]:
    listed = sandbox.get("/_sandbox/calls?provider=google_ads")
    return [call["endpoint"].rpartition("/")[2] for call in listed if not call["endpoint"].endswith("/token")]


def test_a_campaign_is_one_atomic_mutate(sandbox: Any, google: GoogleAds) -> None:
    steps = Steps()
    google.create(wanted(google), wire=Wire(), steps=steps)
    assert calls(sandbox) == ["Search", "Search", "Mutate"], "places, time zone, all of the campaign"
    assert set(steps) == {"budget", "campaign", "ad_group", "ad.1"}


def test_one_refused_part_leaves_nothing(sandbox: Any, google: GoogleAds) -> None:
    with pytest.raises(BadRequestError) as caught:
        google.create(wanted(google, headlines=("x" * 31, *HEADLINES)), wire=Wire(), steps=Steps())
    assert "stringLengthError.TOO_LONG at mutate_operations[" in (caught.value.detail or "")
    assert "responsive_search_ad.headlines[0].text" in (caught.value.detail or "")
    assert ad_campaigns(sandbox) == []
    assert google.create(wanted(google), wire=Wire(), steps=Steps()).status == "paused"


def test_a_dry_run_is_googles_own_and_stores_nothing(sandbox: Any, google: GoogleAds) -> None:
    assert google.validate(wanted(google), wire=Wire()) == []
    assert calls(sandbox)[-1] == "Mutate"
    sandbox.reset(world={"accounts": {"google_ads": {"min_daily": "20"}}})
    (problem,) = google.validate(wanted(google), wire=Wire())
    assert "the least daily budget is 20 USD" in problem
    assert ad_campaigns(sandbox) == []


def test_a_dry_run_of_a_campaign_that_is_there_is_no_duplicate(google: GoogleAds) -> None:
    google.create(wanted(google), wire=Wire(), steps=Steps())
    assert google.validate(wanted(google, revision=2), wire=Wire()) == []


def test_a_second_creation_is_refused_and_found(sandbox: Any, google: GoogleAds) -> None:
    google.create(wanted(google), wire=Wire(), steps=Steps())
    with pytest.raises(TryAgainError) as caught:
        google.create(wanted(google), wire=Wire(), steps=Steps())
    assert "DUPLICATE_CAMPAIGN_NAME" in (caught.value.detail or "")
    assert len(ad_campaigns(sandbox)) == 1


def test_an_update_is_one_mutate_with_the_new_ad_and_the_old_one_paused(sandbox: Any, google: GoogleAds) -> None:
    made = google.create(wanted(google), wire=Wire(), steps=Steps())
    changed = wanted(google, revision=2, headlines=HEADLINES[::-1], keywords=("pricing", "billing", "-free"))
    updated = google.update(made, changed, wire=Wire(), steps=Steps())
    assert calls(sandbox).count("Mutate") == 2
    contents = google._contents(made.id, made.name, Wire())
    assert {ad: contents.shown[name] for name, ad in contents.ads.items()} == {
        made.ids["ad.1"]: False,
        updated.ids["ad.1"]: True,
    }
    assert group_keywords(google._api, made.id, Wire()).keys() == {
        Keyword("pricing", "PHRASE"),
        Keyword("billing", "PHRASE"),
    }


def test_texts_of_several_ads_are_ads_of_their_own(sandbox: Any, google: GoogleAds) -> None:
    texts = {"headlines": tuple(f"{word} SaaS pricing" for word in "ABCDEFGHI"), "combined": 3}
    several = wanted(google, **texts, descriptions=tuple(f"Compare {number} plans." for number in range(6)))
    assert google.validate(several, wire=Wire()) == []
    made, steps = google.create(several, wire=Wire(), steps=Steps()), Steps()
    google.enable(made, wire=Wire())
    ads = {step for step in made.ids if step.startswith("ad.")}
    assert ads == {"ad.1", "ad.2", "ad.3"}
    assert google.get(made.id, wire=Wire()).ids == made.ids
    assert {one.ad for one in google.report(made, FIRST, wire=Wire())} == ads
    changed = several.model_copy(update={"revision": 2, "headlines": several.headlines[::-1]})
    updated = google.update(made, changed, wire=Wire(), steps=steps)
    assert set(steps) >= ads
    assert google.update(made, changed, wire=Wire(), steps=Steps()).ids == updated.ids, "a repetition makes no more"
    contents = google._contents(made.id, made.name, Wire())
    assert {ad for name, ad in contents.ads.items() if contents.shown[name]} == {updated.ids[step] for step in ads}
    assert len(contents.ads) == 6


def test_ads_that_texts_cannot_be_split_over_are_named(google: GoogleAds) -> None:
    uneven = wanted(google, combined=2)
    said = google.validate(uneven, wire=Wire())
    assert f"{len(HEADLINES)} headlines can't be split evenly over 2 ads" in said
    assert "4 ads of several headlines; 3 are allowed" in google.validate(wanted(google, combined=4), wire=Wire())


def test_texts_that_come_back_are_a_new_ad(google: GoogleAds) -> None:
    made = google.create(wanted(google), wire=Wire(), steps=Steps())
    second = google.update(made, wanted(google, revision=2, headlines=HEADLINES[::-1]), wire=Wire(), steps=Steps())
    third = google.update(second, wanted(google, revision=3), wire=Wire(), steps=Steps())
    assert len({one.ids["ad.1"] for one in (made, second, third)}) == 3
    assert google.get(made.id, wire=Wire()).ids["ad.1"] == third.ids["ad.1"]


def test_metrics_per_day_and_search_terms(sandbox: Any, google: GoogleAds) -> None:
    made = google.create(wanted(google, keywords=("saas pricing", "[billing]")), wire=Wire(), steps=Steps())
    google.enable(made, wire=Wire())
    days = google.report(made, FIRST, wire=Wire())
    terms = google.search_terms(made, FIRST, wire=Wire())
    assert [day.day.day for day in days] == [1, 2, 3, 4, 5, 6, 7]
    assert terms[0].clicks > 0
    assert {"saas pricing", "billing"} <= {term.text for term in terms}
    assert sum(term.clicks for term in terms) <= sum(day.clicks for day in days)
    sandbox.reset(world={"accounts": {"google_ads": {"page_rows": 2}}})
    made = google.create(wanted(google), wire=Wire(), steps=Steps())
    google.enable(made, wire=Wire())
    wire = Wire()
    assert len(google.report(made, FIRST, wire=wire)) == 7
    assert wire.calls == 4, "one call a page"


def test_what_the_review_refuses_is_told(sandbox: Any, google: GoogleAds) -> None:
    sandbox.reset(world={"accounts": {"google_ads": {"ads_refused": "MISLEADING_CONTENT"}}})
    made = google.create(wanted(google), wire=Wire(), steps=Steps())
    assert google.refusals(made, wire=Wire()) == {"ad.1": "MISLEADING_CONTENT"}


def test_what_was_made_is_taken_off(sandbox: Any, google: GoogleAds) -> None:
    steps = Steps()
    google.create(wanted(google), wire=Wire(), steps=steps)
    for _ in range(2):
        google.remove(steps, wire=Wire())
    assert ad_campaigns(sandbox) == []
    with pytest.raises(NotFoundError):
        google.get(steps["campaign"], wire=Wire())
    google.create(wanted(google), wire=Wire(), steps=Steps())


@pytest.mark.parametrize(
    ("environment", "expected", "code"),
    [
        ({"GOOGLE_ADS_REFRESH_TOKEN": "invalid"}, CredentialsError, "invalid_grant"),
        ({"GOOGLE_ADS_CLIENT_SECRET": "invalid"}, CredentialsError, "invalid_client"),
        ({"GOOGLE_ADS_REFRESH_TOKEN": "forbidden"}, CredentialsError, "USER_PERMISSION_DENIED"),
        ({"GOOGLE_ADS_DEVELOPER_TOKEN": "invalid"}, CredentialsError, "DEVELOPER_TOKEN_INVALID"),
        ({"GOOGLE_ADS_DEVELOPER_TOKEN": "test"}, NeedsAttentionError, "DEVELOPER_TOKEN_NOT_APPROVED"),
        ({"GOOGLE_ADS_CUSTOMER_ID": "12"}, BadRequestError, "INVALID_CUSTOMER_ID"),
    ],
)
def test_what_is_refused_is_refused_alike_by_grpc_and_by_rest(
    sandbox: Any, environment: dict[str, str], expected: type[IntegrationError], code: str
) -> None:
    refused = client(sandbox, **environment)
    for ask in (lambda: refused.find_by_key(KEY, wire=Wire()), lambda: refused.account(wire=Wire())):
        with pytest.raises(IntegrationError) as caught:
            ask()
        assert type(caught.value) is expected
        assert code in (caught.value.detail or "")


@pytest.mark.parametrize(
    ("fields", "trouble"),
    [
        ({"status": "SUSPENDED"}, "it is suspended (SUSPENDED)"),
        ({"status": "UNKNOWN"}, "it is UNKNOWN"),
        ({"manager": True}, "it is a manager account, which runs no ads; name the account below it"),
    ],
)
def test_an_account_that_can_not_run_ads(sandbox: Any, fields: dict[str, Any], trouble: str) -> None:
    sandbox.reset(world={"currency": "EUR", "accounts": {"google_ads": {"fields": fields}}})
    found = client(sandbox).account(wire=Wire())
    assert (found.currency, found.trouble) == ("EUR", trouble)


def test_a_sandbox_that_is_started_again_has_another_certificate(tmp_path: Path) -> None:
    """A connection that broke is made anew, with what the peer shows then."""
    with stack.running_sandbox(tmp_path) as first:
        google = client(first)
        assert google.find_by_key(KEY, wire=Wire(60)) is None
    with pytest.raises(TransientError):
        google.find_by_key(KEY, wire=Wire())
    with stack.running_sandbox(tmp_path, "--port", first.url.rpartition(":")[2]):
        assert google.find_by_key(KEY, wire=Wire(60)) is None


def test_errors_survive_pickling(sandbox: Any, google: GoogleAds) -> None:
    google.account(wire=Wire())
    with fault(sandbox, "google_ads", "rate_limited", retry_after=7.5), pytest.raises(RateLimitedError) as caught:
        google.find_by_key(KEY, wire=Wire())
    again = pickle.loads(pickle.dumps(caught.value))
    assert again.to_dict() == caught.value.to_dict()
    assert again.detail == "quotaError.RESOURCE_TEMPORARILY_EXHAUSTED"


# Texts, money, targeting


def test_keywords_are_written_as_people_write_them_at_google() -> None:
    written = (
        "SaaS  Pricing",
        "[best CRM]",
        '"sales tool"',
        "-free",
        "-[crm jobs]",
        "a" * 81,
        "x " * 11,
        "!!",
        "-saas pricing",
    )
    assert keywords(written) == [
        Keyword("saas pricing", "PHRASE"),
        Keyword("best crm", "EXACT"),
        Keyword("sales tool", "PHRASE"),
        Keyword("free", "PHRASE", negative=True),
        Keyword("crm jobs", "EXACT", negative=True),
    ]


def test_whoever_needs_words_only_sees_no_marks() -> None:
    assert unmarked(("SaaS Pricing", "[best CRM]", '"sales tool"', "-free", " ", "[]")) == (
        "SaaS Pricing",
        "best CRM",
        "sales tool",
    )


@pytest.mark.parametrize(
    ("amount", "currency", "expected"),
    [
        ("16.666", "USD", 16_660_000),
        ("1000.9", "JPY", 1_000_000_000),
        ("1.2345", "KWD", 1_230_000),
        ("0.01", "EUR", 10_000),
    ],
)
def test_money_in_micros_is_rounded_down_to_what_the_currency_has(amount: str, currency: str, expected: int) -> None:
    assert micros(Decimal(amount), currency) == expected


def test_wide_characters_count_twice(google: GoogleAds) -> None:
    assert google.validate(wanted(google, headlines=("価格" * 7 + "ab", *HEADLINES[1:])), wire=Wire()) == []
    (problem,) = google.validate(wanted(google, headlines=("価格" * 8, *HEADLINES[1:])), wire=Wire())
    assert problem == "headline 1 is 32 characters long; at most 30 are allowed"


def test_places_that_are_all_unknown_are_an_error(google: GoogleAds) -> None:
    with pytest.raises(BadRequestError, match="knows none of the places Nowhere"):
        google.create(wanted(google, audience=Audience(locations=("Nowhere",))), wire=Wire(), steps=Steps())


def test_a_campaign_without_keywords_takes_the_audiences_words(google: GoogleAds) -> None:
    made = google.create(wanted(google, keywords=()), wire=Wire(), steps=Steps())
    assert group_keywords(google._api, made.id, Wire()).keys() == {Keyword("saas", "PHRASE"), Keyword("cfo", "PHRASE")}
    with pytest.raises(BadRequestError, match="needs a keyword"):
        google.create(wanted(google, keywords=("-free",), audience=Audience()), wire=Wire(), steps=Steps())


def test_the_days_of_a_campaign_are_those_of_its_schedule(google: GoogleAds) -> None:
    from zoneinfo import ZoneInfo

    from integrations.ads.google.targeting import Targeting

    whom = Targeting(places=(), language="languageConstants/1000", keywords=())
    made = creation(wanted(google), whom, "1", ZoneInfo("America/New_York"), aim(Goal.TRAFFIC, {}), None)
    campaign = made[1]["campaign_operation"]["create"]
    assert (campaign["start_date_time"], campaign["end_date_time"]) == ("2026-02-28 00:00:00", "2026-03-29 23:59:59")


def test_the_link_of_an_ad_tells_the_ad(google: GoogleAds) -> None:
    spec = wanted(google)
    (made,) = ad_operations(spec, "customers/1/adGroups/-3")
    ad = made["ad_group_ad_operation"]["create"]["ad"]
    assert ad["final_urls"] == [spec.link(1)]
    assert f"utm_content=r{spec.token}.1" in spec.link(1)


def test_values_in_queries_stay_values() -> None:
    assert gaql.text("O'Brien \\ co\nx") == r"'O\'Brien \\ co x'"
    assert gaql.containing("[ma:1]%") == "'%[[]ma:1[]][%]%'"


# Errors


def failure(kind: str, code: str, message: str = "", **details: Any) -> dict[str, Any]:
    return {"errors": [{"errorCode": {kind: code}, "message": message, "details": details}]}


@pytest.mark.parametrize(
    ("kind", "code", "expected"),
    [
        ("quotaError", "RESOURCE_EXHAUSTED", RateLimitedError),
        ("quotaError", "ACCESS_PROHIBITED", CredentialsError),
        ("authenticationError", "OAUTH_TOKEN_REVOKED", CredentialsError),
        ("authenticationError", "OAUTH_TOKEN_EXPIRED", TryAgainError),
        ("authorizationError", "CUSTOMER_NOT_ENABLED", NeedsAttentionError),
        ("databaseError", "CONCURRENT_MODIFICATION", TryAgainError),
        ("internalError", "TRANSIENT_ERROR", TransientError),
        ("internalError", "DEADLINE_EXCEEDED", OutcomeUnknownError),
        ("policyFindingError", "POLICY_FINDING", PolicyRefusedError),
        ("requestError", "UNSUPPORTED_VERSION", NeedsAttentionError),
        ("fieldError", "REQUIRED", BadRequestError),
        ("neverHeardOf", "ANYTHING", BadRequestError),
    ],
)
def test_codes(kind: str, code: str, expected: type[IntegrationError]) -> None:
    found = failure_error(failure(kind, code, "Said by s3cr3t-t0ken."), write=True, secrets=["s3cr3t-t0ken"])
    assert type(found) is expected
    assert found.detail == f"{kind}.{code}"
    assert "s3cr3t" not in str(found.to_dict())


def test_details_are_told() -> None:
    told = failure(
        "policyFindingError",
        "POLICY_FINDING",
        "Refused.",
        policyFindingDetails={"policyTopicEntries": [{"topic": "ALCOHOL"}]},
    )
    found = failure_error(told, write=True)
    assert found is not None
    assert found.message == "the ad is against its policies: Refused. policies: ALCOHOL"
    waiting = failure("quotaError", "RESOURCE_EXHAUSTED", quotaErrorDetails={"retryDelay": "30.5s"})
    assert (limited := failure_error(waiting, write=False)) is not None
    assert limited.retry_after == 30.5
    assert failure_error({"errors": "odd"}, write=True) is None


@pytest.mark.parametrize(
    ("status", "said", "answered", "expected"),
    [
        ("UNAVAILABLE", "failed to connect to all addresses", False, TransientError),
        ("UNAVAILABLE", "DNS resolution failed for ads.example:443", False, TransientError),
        ("UNAVAILABLE", "Socket closed", False, OutcomeUnknownError),
        ("UNAVAILABLE", "down", True, TransientError),
        ("DEADLINE_EXCEEDED", "Deadline Exceeded", False, OutcomeUnknownError),
        ("INTERNAL", "Exception deserializing response!", False, OutcomeUnknownError),
        ("CANCELLED", "", False, OutcomeUnknownError),
        ("", "", False, OutcomeUnknownError),
        ("RESOURCE_EXHAUSTED", "", True, RateLimitedError),
        ("UNIMPLEMENTED", "", True, NeedsAttentionError),
    ],
)
def test_statuses_to_a_write(status: str, said: str, answered: bool, expected: type[IntegrationError]) -> None:
    assert type(status_error(status, said, write=True, answered=answered)) is expected


# The package


def test_a_missing_package_is_told_with_its_extra(google: GoogleAds, monkeypatch: pytest.MonkeyPatch) -> None:
    assert Package(name="google-ads", extra="google").missing() == ""
    lacking = Package(name="no-such-package-of-ours", extra="google").missing()
    assert lacking == "needs the package no-such-package-of-ours: pip install 'marketing-agents[google]'"
    monkeypatch.setattr(Package, "missing", lambda _self: lacking)
    assert google.account(wire=Wire()).trouble == "", "whose REST interface needs no package"
    with pytest.raises(NeedsAttentionError, match="needs the package"):
        google.find_by_key(KEY, wire=Wire())


def test_who_asks_for_the_account_loads_no_sdk(sandbox: Any) -> None:
    """Checks of accounts run in the workers of whatever agent begins a campaign."""
    program = f"""
import sys
import workers.app, orchestration.client, integrations.ads.registry as ads
from integrations.settings import Settings
client = ads.build("google_ads", Settings.from_env({{"SANDBOX_URL": {sandbox.url!r}}}))
client.account(wire=lambda send: send(10.0))
loaded = [name for name in sys.modules if name.startswith(("google.ads", "grpc", "google.api_core"))]
assert not loaded, loaded[:5]
"""
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=checkout.ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
