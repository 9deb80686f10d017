"""Google Ads over the wire, against answers of a script: each row of its error table, recorded answers, slow ones."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from typing import Any

import pytest
from ad_platforms import KEY, START, Steps, Wire, fitting
from recorded import paths, recorded, shown, without
from scripted_google import ScriptedGoogle, scripted_google

from integrations.ads.google import errors
from integrations.ads.google.client import GoogleAds
from integrations.ads.google.oauth import REFUSED as REFUSED_TOKENS
from integrations.ads.google.sandbox_failures import Fault, response
from integrations.ads.platform import Audience, RemoteCampaign
from integrations.ads.registry import build
from integrations.errors import (
    BadRequestError,
    CredentialsError,
    IntegrationError,
    InvalidAnswerError,
    NeedsAttentionError,
    NotFoundError,
    OutcomeUnknownError,
    PolicyRefusedError,
    RateLimitedError,
    TooMuchAskedError,
    TransientError,
    TryAgainError,
)
from integrations.sandbox.protocol import RpcResponse
from integrations.settings import Settings

REMOTE = RemoteCampaign(id="21", ids={"ad.1": "31~41"})
FIRST = START.date().replace(month=11, day=1)

#: The table, written down a second time: kind of an error -> class, with one of its codes.
KINDS: Mapping[str, tuple[str, type[IntegrationError]]] = {
    "authenticationError": ("OAUTH_TOKEN_REVOKED", CredentialsError),
    "authorizationError": ("USER_PERMISSION_DENIED", CredentialsError),
    "headerError": ("INVALID_LOGIN_CUSTOMER_ID", CredentialsError),
    "internalError": ("INTERNAL_ERROR", TransientError),
    "policyFindingError": ("POLICY_FINDING", PolicyRefusedError),
    "policyViolationError": ("POLICY_ERROR", PolicyRefusedError),
    "quotaError": ("RESOURCE_EXHAUSTED", RateLimitedError),
}
CODES: Mapping[tuple[str, str], type[IntegrationError]] = {
    ("adGroupAdError", "CANNOT_OPERATE_ON_REMOVED_ADGROUPAD"): NotFoundError,
    ("authenticationError", "OAUTH_TOKEN_EXPIRED"): TryAgainError,
    ("authorizationError", "ACTION_NOT_PERMITTED_FOR_SUSPENDED_ACCOUNT"): NeedsAttentionError,
    ("authorizationError", "CLOUD_PROJECT_NOT_APPROVED_FOR_PRODUCTION"): NeedsAttentionError,
    ("authorizationError", "CUSTOMER_NOT_ENABLED"): NeedsAttentionError,
    ("authorizationError", "DEVELOPER_TOKEN_NOT_APPROVED"): NeedsAttentionError,
    ("authorizationError", "INCOMPLETE_SIGNUP"): NeedsAttentionError,
    ("authorizationError", "MISSING_TOS"): NeedsAttentionError,
    ("campaignBudgetError", "DUPLICATE_NAME"): TryAgainError,
    ("campaignError", "DUPLICATE_CAMPAIGN_NAME"): TryAgainError,
    ("campaignBudgetError", "CAMPAIGN_BUDGET_REMOVED"): NotFoundError,
    ("criterionError", "CANNOT_ADD_USER_LIST_PENDING_PRIVACY_REVIEW"): NeedsAttentionError,
    ("criterionError", "CANNOT_TARGET_CUSTOMER_MATCH_USER_LIST"): NeedsAttentionError,
    ("customConversionGoalError", "CUSTOM_GOAL_DUPLICATE_NAME"): TryAgainError,
    ("customConversionGoalError", "DUPLICATE_CONVERSION_ACTION_LIST"): TryAgainError,
    ("databaseError", "CONCURRENT_MODIFICATION"): TryAgainError,
    ("mutateError", "RESOURCE_ALREADY_EXISTS"): TryAgainError,
    ("mutateError", "RESOURCE_NOT_FOUND"): NotFoundError,
    ("operationAccessDeniedError", "OPERATION_NOT_PERMITTED_FOR_REMOVED_RESOURCE"): NotFoundError,
    ("quotaError", "ACCESS_PROHIBITED"): CredentialsError,
    ("requestError", "EXPIRED_PAGE_TOKEN"): TryAgainError,
    ("requestError", "RESOURCE_NOT_FOUND"): NotFoundError,
    ("requestError", "RPC_DEADLINE_TOO_SHORT"): TransientError,
    ("requestError", "UNSUPPORTED_VERSION"): NeedsAttentionError,
    ("sizeLimitError", "RESPONSE_SIZE_LIMIT_EXCEEDED"): TooMuchAskedError,
}
#: Statuses of gRPC without a failure -> number, class.
STATUSES: Mapping[str, tuple[int, type[IntegrationError]]] = {
    "INVALID_ARGUMENT": (3, BadRequestError),
    "NOT_FOUND": (5, NotFoundError),
    "ALREADY_EXISTS": (6, TryAgainError),
    "PERMISSION_DENIED": (7, CredentialsError),
    "RESOURCE_EXHAUSTED": (8, RateLimitedError),
    "FAILED_PRECONDITION": (9, BadRequestError),
    "ABORTED": (10, TryAgainError),
    "OUT_OF_RANGE": (11, BadRequestError),
    "UNIMPLEMENTED": (12, NeedsAttentionError),
    "UNAUTHENTICATED": (16, CredentialsError),
}
#: Statuses that tell nothing: was it carried out?
UNTOLD = {"CANCELLED": 1, "UNKNOWN": 2, "DEADLINE_EXCEEDED": 4, "INTERNAL": 13, "DATA_LOSS": 15}
#: Statuses of HTTP without a failure.
HTTP: Mapping[int, type[IntegrationError]] = {
    400: BadRequestError,
    401: CredentialsError,
    403: CredentialsError,
    404: NotFoundError,
    429: RateLimitedError,
    **dict.fromkeys((500, 502, 503, 504), TransientError),
}
#: Refusals of OAuth (RFC 6749, section 5.2) that need a person.
REFUSED = ("access_denied", "deleted_client", "invalid_client", "invalid_grant", "unauthorized_client")
ROWS = [
    *((kind, code, expected) for kind, (code, expected) in KINDS.items()),
    *((kind, code, expected) for (kind, code), expected in CODES.items()),
    ("fieldError", "REQUIRED", BadRequestError),
]


@pytest.fixture(scope="module")
def google() -> Iterator[ScriptedGoogle]:
    with scripted_google() as running:
        yield running


@pytest.fixture(scope="module")
def loaded(google: ScriptedGoogle) -> GoogleAds:
    """A client that has its token and its connection, and all that is loaded once."""
    found = client(google)
    google.rpc = searched({})
    assert found.find_by_key(KEY, wire=Wire(60)) is None
    return found


def client(google: ScriptedGoogle, **settings: str) -> GoogleAds:
    found = build("google_ads", Settings.from_env({"GOOGLE_ADS_BASE_URL": google.url, **settings}))
    assert isinstance(found, GoogleAds)
    return found


def find(ads: GoogleAds) -> object:
    return ads.find_by_key(KEY, wire=Wire(10))


def pause(ads: GoogleAds) -> object:
    ads.pause(REMOTE, wire=Wire(10))
    return "paused"


def account(ads: GoogleAds) -> object:
    return ads.account(wire=Wire(10))


def failure(call: Callable[[GoogleAds], object], ads: GoogleAds) -> IntegrationError:
    with pytest.raises(IntegrationError) as caught:
        call(ads)
    assert caught.value.__cause__ is None
    return caught.value


def error_of(call: Callable[[GoogleAds], object], ads: GoogleAds) -> IntegrationError | None:
    try:
        call(ads)
    except IntegrationError as error:
        return error
    return None


def searched(*answers: Any, unknown: bool = False) -> Callable[[str, bytes], bytes]:
    """Answers to searches, in their order, the last of them for ever; ``unknown``: with fields that nobody knows."""
    from google.ads.googleads.v26.services.types.google_ads_service import SearchGoogleAdsResponse
    from google.protobuf.json_format import ParseDict

    left = list(answers)

    def answer(_name: str, _message: bytes) -> bytes:
        body = left.pop(0) if len(left) > 1 else left[0]
        found = ParseDict(body, SearchGoogleAdsResponse.pb()())
        if unknown:
            for message in (found, *found.results, *(row.campaign for row in found.results)):
                message.MergeFromString(b"\xf8\x3f\x01\xfa\x3f\x01x")  # number 1023, as a number and as text
        data: bytes = found.SerializeToString()
        return data

    return answer


def mutated(body: Any) -> Callable[[str, bytes], bytes]:
    from google.ads.googleads.v26.services.types.google_ads_service import MutateGoogleAdsResponse
    from google.protobuf.json_format import ParseDict

    return lambda _name, _message: ParseDict(body, MutateGoogleAdsResponse.pb()()).SerializeToString()


# The error table


def test_no_row_of_the_table_is_left_out() -> None:
    assert set(errors.KINDS) == set(KINDS)
    assert set(errors.CODES) == set(CODES)
    assert set(errors.STATUSES) == set(STATUSES)
    assert set(REFUSED_TOKENS) == set(REFUSED)


@pytest.mark.parametrize(("kind", "code", "expected"), ROWS, ids=lambda value: str(value) if value else None)
def test_each_row_over_grpc_and_over_rest(
    google: ScriptedGoogle, loaded: GoogleAds, kind: str, code: str, expected: type[IntegrationError]
) -> None:
    told = response([Fault(kind=kind, code=code, message="Said so.", path=("operations", 2, "name"))])
    google.rpc, google.rest = lambda _name, _message: told, (told.status, told.body)
    for call in (find, pause, account):
        error = failure(call, loaded)
        assert (type(error), error.detail) == (expected, f"{kind}.{code} at operations[2].name")
        assert error.outage is (expected is TransientError)
        assert error.message.endswith(": Said so.")


@pytest.mark.parametrize("status", STATUSES)
def test_each_status_without_a_failure(google: ScriptedGoogle, loaded: GoogleAds, status: str) -> None:
    number, expected = STATUSES[status]
    google.rpc = lambda _name, _message: RpcResponse(code=number, message="Said so.", trailers=(("x", "y"),))
    for call in (find, pause):
        error = failure(call, loaded)
        assert (type(error), error.detail, error.outage) == (expected, status, False)


@pytest.mark.parametrize("status", UNTOLD)
def test_a_status_that_tells_nothing_is_no_answer(google: ScriptedGoogle, loaded: GoogleAds, status: str) -> None:
    google.rpc = lambda _name, _message: RpcResponse(code=UNTOLD[status], message="Hm.", trailers=(("x", "y"),))
    assert [type(failure(call, loaded)) for call in (find, pause)] == [TransientError, OutcomeUnknownError]


@pytest.mark.parametrize("status", HTTP)
def test_each_status_of_rest_without_a_failure(google: ScriptedGoogle, loaded: GoogleAds, status: int) -> None:
    for body in (b"<html>Sign in</html>", {"error": {"code": status}}, {"error": {"details": [{"errors": []}]}}):
        google.rest = status, body
        error = failure(account, loaded)
        assert (type(error), error.outage) == (HTTP[status], HTTP[status] is TransientError)


@pytest.mark.parametrize(
    ("status", "code", "expected"),
    [
        *((400, code, CredentialsError) for code in REFUSED),
        (401, "invalid_client", CredentialsError),
        (400, "invalid_request", BadRequestError),
        (429, "rate_limit_exceeded", RateLimitedError),
        (500, "internal_failure", TransientError),
        (503, "temporarily_unavailable", TransientError),
    ],
)
def test_each_refusal_of_a_token(
    google: ScriptedGoogle, status: int, code: str, expected: type[IntegrationError]
) -> None:
    google.token = status, {"error": code, "error_description": "Said so."}
    try:
        error = failure(account, client(google))
    finally:
        google.token = 200, recorded("google_token")
    assert (type(error), error.detail) == (expected, code)


# Recorded answers over gRPC ("Search Google Ads", "Mutating resources" of the documentation); REST's are in
# test_recorded_answers.py.


def report(ads: GoogleAds) -> object:
    return ads.report(REMOTE, FIRST, wire=Wire(10))


FOUND = [recorded("google_campaigns"), recorded("google_ads")]


def test_recorded_rows_are_read_whatever_is_added(google: ScriptedGoogle, loaded: GoogleAds) -> None:
    for unknown in (False, True):
        google.rpc = searched(*FOUND, unknown=unknown)
        found: Any = find(loaded)
        assert (found.id, found.status) == ("21", "paused")
        assert dict(found.ids) == {"campaign": "21", "budget": "11", "ad_group": "31", "ad.1": "31~41"}
        google.rpc = searched(recorded("google_metrics"), unknown=unknown)
        (day,) = loaded.report(REMOTE, FIRST, wire=Wire(10))
        assert (day.day, day.ad, day.clicks, day.conversions, day.spend) == (FIRST, "ad.1", 41, 3, Decimal("41.52"))
    google.rpc = mutated(recorded("google_mutate"))
    assert pause(loaded) == "paused"


@pytest.mark.parametrize(
    ("file", "call", "answers", "needed"),
    [
        (
            "google_campaigns",
            find,
            lambda body: searched(body, FOUND[1]),
            {"results[0].campaign", "results[0].campaign.id", "results[0].campaign.name"},
        ),
        (
            "google_metrics",
            report,
            searched,
            {"results[0].metrics", "results[0].segments", "results[0].segments.date"},
        ),
        (
            "google_mutate",
            pause,
            mutated,
            {
                f"mutateOperationResponses{field}"
                for field in ("", "[0].campaignResult", "[0].campaignResult.resourceName")
            },
        ),
    ],
)
def test_what_a_row_lacks_is_named_where_it_is_needed(
    google: ScriptedGoogle,
    loaded: GoogleAds,
    file: str,
    call: Callable[[GoogleAds], object],
    answers: Callable[[Any], Callable[[str, bytes], bytes]],
    needed: set[str],
) -> None:
    lacking = set()
    for path in paths(recorded(file)):
        google.rpc = answers(without(recorded(file), path))
        error = error_of(call, loaded)
        if error is not None:
            lacking.add(shown(path))
            names = "|".join(key for key in path if isinstance(key, str))
            assert re.search(rf"without the field \S*\b({names})\b", error.message), f"{shown(path)}: {error}"
    assert lacking == needed


def test_a_listing_that_never_ends_is_left(
    google: ScriptedGoogle, loaded: GoogleAds, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("integrations.ads.google.wire.MAX_OBJECTS", 3)
    google.rpc = searched({**recorded("google_metrics"), "nextPageToken": "again"})
    with pytest.raises(TransientError, match="did not end within 3 objects"):
        report(loaded)


def test_a_time_zone_that_is_missing_is_named(google: ScriptedGoogle, loaded: GoogleAds) -> None:
    google.rpc = searched({"results": [{"customer": {"id": "1"}}]})
    with pytest.raises(InvalidAnswerError, match=r"without the field customer.timeZone"):
        loaded.create(fitting(loaded, audience=Audience(titles=("CFO",))), wire=Wire(10), steps=Steps())


# What is sent, and slow answers


def test_keys_and_the_manager_account_go_with_every_call(google: ScriptedGoogle) -> None:
    keys = {"GOOGLE_ADS_LOGIN_CUSTOMER_ID": "123-456-7890", "GOOGLE_ADS_DEVELOPER_TOKEN": "dev-token"}
    ads = client(google, **keys)
    google.rpc, google.rest = searched({}), (200, recorded("google_customer"))
    find(ads)
    account(ads)
    token = recorded("google_token")["access_token"]
    for name in ("/Search", "/googleAds:search"):
        sent = google.came(name)
        assert (sent["developer-token"], sent["login-customer-id"]) == ("dev-token", "1234567890")
        assert sent["authorization"] == f"Bearer {token}"
    without_manager = client(google)
    account(without_manager)
    assert "login-customer-id" not in google.came("/googleAds:search")


def test_an_answer_that_comes_a_byte_at_a_time_ends_by_the_time_out(google: ScriptedGoogle, loaded: GoogleAds) -> None:
    """No single wait is too long: gRPC's deadline holds for the whole call."""
    google.rpc = searched(*FOUND)
    google.drips = True
    began = time.monotonic()
    try:
        with pytest.raises(TransientError) as read:
            loaded.find_by_key(KEY, wire=Wire(0.5))
        with pytest.raises(OutcomeUnknownError) as written:
            loaded.pause(REMOTE, wire=Wire(0.5))
    finally:
        google.drips = False
    assert [caught.value.detail for caught in (read, written)] == ["DEADLINE_EXCEEDED"] * 2
    assert time.monotonic() - began < 5
