"""What Data Manager answers: each row of its errors, published answers, odd ones; every method under every fault."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import stack
from ad_platforms import KEY, Wire, fault
from google_lists import (
    LISTS,
    OWN,
    PERSON,
    TOKEN,
    data_manager_peer,
    lists_client,
    status,
)
from routed_http import Routes

from integrations.ads.google.audience import GoogleAudiences
from integrations.ads.google.data_manager_errors import REASONS
from integrations.ads.naming import remote_name
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
    TransientError,
    TryAgainError,
)
from integrations.settings import Settings


@pytest.fixture(scope="module", autouse=True)
def _loaded(_sandbox_process: stack.Sandbox) -> None:
    """The sandbox's refusals need Google's messages, whose loading takes a second, more on a busy machine."""
    build("google_ads", Settings.from_env({"SANDBOX_URL": _sandbox_process.url})).find_by_key(KEY, wire=Wire(60))


@pytest.fixture
def google(sandbox: Any) -> GoogleAudiences:
    return lists_client(sandbox.url)


@pytest.fixture
def peer() -> Iterator[Routes]:
    with data_manager_peer() as routes:
        yield routes


# Error rows


ROWS: dict[str, type[IntegrationError]] = {
    "ACCESS_TOKEN_EXPIRED": TryAgainError,
    "ACCESS_TOKEN_SCOPE_INSUFFICIENT": CredentialsError,
    "SERVICE_DISABLED": NeedsAttentionError,
    "ADVERTISER_NOT_ALLOWLISTED_FOR_THIRD_PARTY_PARTNER_DATA": NeedsAttentionError,
    "ADVERTISER_NOT_ALLOWLISTED_FOR_UPLOADED_DATA": NeedsAttentionError,
    "ALREADY_EXISTS": TryAgainError,
    "DATA_PARTNER_NOT_ALLOWLISTED_FOR_THIRD_PARTY_PARTNER_DATA": NeedsAttentionError,
    "DISPLAY_NAME_ALREADY_USED": TryAgainError,
    "EU_POLITICAL_ADVERTISING_DECLARATION_REQUIRED": NeedsAttentionError,
    "INVALID_USER_LIST_ID": NotFoundError,
    "NOT_ALLOWLISTED": NeedsAttentionError,
    "NOT_FOUND": NotFoundError,
    "SENSITIVE_USER_LIST_IMMUTABLE": PolicyRefusedError,
    "TERMS_AND_CONDITIONS_NOT_SIGNED": NeedsAttentionError,
    "USER_LIST_TYPE_NOT_SUPPORTED_FOR_ACCOUNT": NeedsAttentionError,
}


def test_no_row_is_left_out() -> None:
    assert set(REASONS) == set(ROWS)


def added(peer: Routes, code: int, body: Any) -> IntegrationError:
    """The error of an addition that is answered so."""
    peer.answers["POST /google_ads/v1/audienceMembers:ingest"] = (code, body)
    with pytest.raises(IntegrationError) as caught:
        lists_client(peer.url).add("77", [PERSON], OWN, wire=Wire())
    error = caught.value
    assert pickle.loads(pickle.dumps(error)).to_dict() == error.to_dict()
    assert not any(quoted in str(error.to_dict()) for quoted in (TOKEN, PERSON, "jane", "http://"))
    assert len([one for one in peer.asked if one.path.endswith(":ingest")]) == 1
    return error


@pytest.mark.parametrize("inside", [False, True], ids=["ErrorInfo", "BadRequest"])
@pytest.mark.parametrize("reason", ROWS)
def test_each_row(peer: Routes, reason: str, inside: bool) -> None:
    said = f"Refused jane.doe@acme.example {PERSON} by {TOKEN} at http://acme.example/jane."
    if inside:
        violation = {"field": "audience_members", "description": said, "reason": reason}
        details = [{"@type": "type.googleapis.com/google.rpc.BadRequest", "fieldViolations": [violation]}]
        body = status(400, "INVALID_ARGUMENT", reason="INVALID_ARGUMENT", message=said, details=details)
    else:
        body = status(403, "PERMISSION_DENIED", reason=reason, message=said)
    error = added(peer, body["error"]["code"], body)
    assert type(error) is ROWS[reason]
    assert error.detail == (f"{reason} at audience_members" if inside else reason)
    assert error.message.startswith(REASONS[reason][1])


@pytest.mark.parametrize(
    ("code", "name", "expected"),
    [
        (400, "INVALID_ARGUMENT", BadRequestError),
        (400, "FAILED_PRECONDITION", BadRequestError),
        (401, "UNAUTHENTICATED", CredentialsError),
        (403, "PERMISSION_DENIED", CredentialsError),
        (404, "NOT_FOUND", NotFoundError),
        (409, "ABORTED", TryAgainError),
        (429, "RESOURCE_EXHAUSTED", RateLimitedError),
        (500, "INTERNAL", TransientError),
        (503, "UNAVAILABLE", TransientError),
        (504, "DEADLINE_EXCEEDED", OutcomeUnknownError),
        (400, "NEVER_HEARD_OF", BadRequestError),
    ],
)
def test_each_status(peer: Routes, code: int, name: str, expected: type[IntegrationError]) -> None:
    error = added(peer, code, status(code, name, message="Said."))
    assert (type(error), error.detail) == (expected, name)


@pytest.mark.parametrize("body", [b"<html>no</html>", [], {}, {"error": 3}, {"error": {"details": 3, "status": []}}])
def test_an_odd_refusal_is_judged_by_its_status(peer: Routes, body: Any) -> None:
    error = added(peer, 403, body)
    assert (type(error), error.detail) == (CredentialsError, None)


def test_a_quota_names_itself_and_waits(peer: Routes) -> None:
    retry = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "12.5s"}
    body = status(
        429,
        "RESOURCE_EXHAUSTED",
        reason="RATE_LIMIT_EXCEEDED",
        metadata={"quota_limit": "IngestionMutateRequestsPerMinutePerProject"},
        details=[retry],
    )
    error = added(peer, 429, body)
    assert type(error) is RateLimitedError
    assert error.retry_after == 12.5
    assert error.detail == "RATE_LIMIT_EXCEEDED at IngestionMutateRequestsPerMinutePerProject"


def test_a_refused_token_is_not_used_again(peer: Routes) -> None:
    google = lists_client(peer.url)
    peer.answers[f"GET {LISTS}/77"] = (401, status(401, "UNAUTHENTICATED", reason="ACCESS_TOKEN_EXPIRED"))
    with pytest.raises(TryAgainError):
        google.reference("77", wire=Wire())
    google.add("77", [PERSON], OWN, wire=Wire())
    assert [one.path for one in peer.asked].count("/google_ads/token") == 2


#: From "Understand API errors" and "Send audience members".
PUBLISHED = [
    (
        400,
        {"field": "destinations[0].login_account.account_id", "description": "String is not a valid number."},
        "INVALID_NUMBER_FORMAT",
        "the request is refused: There was a problem with the request. String is not a valid number.",
    ),
    (
        400,
        {
            "field": "audience_members.audience_members[0].composite_data.user_data.user_identifiers",
            "description": "Email is not hex encoded.",
        },
        "INVALID_HEX_ENCODING",
        "the request is refused: There was a problem with the request. Email is not hex encoded.",
    ),
    (
        400,
        {"field": "audience_members.audience_members[0].composite_data.user_data"},
        "INVALID_SHA256_FORMAT",
        "the request is refused: There was a problem with the request.",
    ),
]


@pytest.mark.parametrize(("code", "violation", "reason", "said"), PUBLISHED)
def test_published_refusals(peer: Routes, code: int, violation: dict[str, str], reason: str, said: str) -> None:
    request_id = "t-a8896317-069f-4198-afed-182a3872a660"
    bad = {"@type": "type.googleapis.com/google.rpc.BadRequest", "fieldViolations": [{**violation, "reason": reason}]}
    body = status(
        code,
        "INVALID_ARGUMENT",
        reason="INVALID_ARGUMENT",
        message="There was a problem with the request.",
        domain="datamanager.googleapis.com",
        metadata={"requestId": request_id},
        details=[{"@type": "type.googleapis.com/google.rpc.RequestInfo", "requestId": request_id}, bad],
    )
    error = added(peer, code, body)
    assert (type(error), error.detail) == (BadRequestError, f"{reason} at {violation['field']}")
    assert error.message == said


def test_the_published_refusal_of_a_project_without_the_api(peer: Routes) -> None:
    said = (
        "Data Manager API has not been used in project PROJECT_NUMBER before or it is disabled. Enable it by visiting "
        "https://console.cloud.google.com/apis/api/datamanager.googleapis.com/overview?project=PROJECT_NUMBER then "
        "retry. If you enabled this API recently, wait a few minutes for the action to propagate to our systems."
    )
    metadata = {"consumer": "projects/PROJECT_NUMBER", "service": "datamanager.googleapis.com"}
    body = status(403, "PERMISSION_DENIED", reason="SERVICE_DISABLED", message=said, metadata=metadata)
    error = added(peer, 403, body)
    assert (type(error), error.detail) == (NeedsAttentionError, "SERVICE_DISABLED")
    assert error.message.startswith("the Data Manager API is not enabled in the Cloud project: Data Manager API has")
    assert "?project" not in error.message


# Odd answers


def test_what_an_answer_holds_besides_is_ignored(peer: Routes) -> None:
    """A list as the reference shows it, with fields that nobody knows."""
    whole = {
        "name": "accountTypes/GOOGLE_ADS/accounts/5000000000/userLists/77",
        "id": "77",
        "readOnly": False,
        "membershipDuration": "46656000s",
        "accessReason": "OWNED",
        "sizeInfo": {"displayNetworkMembersCount": "0", "searchNetworkMembersCount": "0"},
        "targetNetworkInfo": {"eligibleForDisplay": True, "eligibleForSearch": True},
        "displayName": remote_name("Customers", KEY),
        "membershipStatus": "OPEN",
        "accountAccessStatus": "ENABLED",
        "ingestedUserListInfo": {
            "uploadKeyTypes": ["CONTACT_ID"],
            "contactIdInfo": {"dataSourceType": "DATA_SOURCE_TYPE_FIRST_PARTY", "matchRatePercentage": 0},
        },
        "neverHeardOf": {"a": [1]},
    }
    google = lists_client(peer.url)
    peer.answers[f"GET {LISTS}/77"] = (200, whole)
    peer.answers[f"GET {LISTS}"] = (200, {"userLists": [3, {"id": "78"}, whole], "more": 1})
    assert google.reference("77", wire=Wire()) == "customers/5000000000/userLists/77"
    assert google.find_by_key(KEY, wire=Wire()) == "77"


@pytest.mark.parametrize("answer", [{}, {"id": ""}, {"id": "x"}, {"id": None}, {"id": "-7"}])
def test_a_list_without_an_id(peer: Routes, answer: dict[str, Any]) -> None:
    google = lists_client(peer.url)
    peer.answers[f"POST {LISTS}"] = peer.answers[f"GET {LISTS}/77"] = (200, answer)
    named = {**answer, "displayName": remote_name("Customers", KEY)}
    peer.answers[f"GET {LISTS}"] = (200, {"userLists": [named]})
    with pytest.raises(OutcomeUnknownError, match="without the field id"):
        google.create("Customers", KEY, OWN, wire=Wire())
    for read in (lambda: google.reference("77", wire=Wire()), lambda: google.find_by_key(KEY, wire=Wire())):
        with pytest.raises(InvalidAnswerError, match="without the field id"):
            read()


def test_an_acceptance_without_a_request_id(peer: Routes) -> None:
    peer.answers["POST /google_ads/v1/audienceMembers:ingest"] = (200, {})
    with pytest.raises(OutcomeUnknownError, match="without the field requestId"):
        lists_client(peer.url).add("77", [PERSON], OWN, wire=Wire())


def test_lists_that_are_none(peer: Routes, monkeypatch: pytest.MonkeyPatch) -> None:
    google = lists_client(peer.url)
    peer.answers[f"GET {LISTS}"] = (200, {"userLists": {"id": "77"}})
    with pytest.raises(InvalidAnswerError, match="without the field userLists"):
        google.find_by_key(KEY, wire=Wire())
    peer.answers[f"GET {LISTS}"] = (200, {"userLists": [], "nextPageToken": "again"})
    monkeypatch.setattr("integrations.ads.google.audience.MAX_OBJECTS", 3)
    with pytest.raises(TransientError, match="did not end within 3 objects"):
        google.find_by_key(KEY, wire=Wire())


METHODS: dict[str, tuple[Callable[[GoogleAudiences, str, Wire], object], bool]] = {
    "find_by_key": (lambda google, _made, wire: google.find_by_key(KEY, wire=wire), False),
    "create": (lambda google, _made, wire: google.create("More", KEY, OWN, wire=wire), True),
    "reference": (lambda google, made, wire: google.reference(made, wire=wire), False),
    "add": (lambda google, made, wire: google.add(made, [PERSON], OWN, wire=wire), True),
    "remove": (lambda google, made, wire: google.remove(made, [PERSON], wire=wire), True),
    "delete": (lambda google, made, wire: google.delete(made, wire=wire), True),
}
FAULTS: dict[str, tuple[type[IntegrationError], type[IntegrationError]]] = {
    "down": (TransientError, TransientError),
    "slow": (TransientError, OutcomeUnknownError),
    "rate_limited": (RateLimitedError, RateLimitedError),
    "lost_reply": (TransientError, OutcomeUnknownError),
    "garbage": (TransientError, OutcomeUnknownError),
}


@pytest.mark.parametrize("mode", FAULTS)
@pytest.mark.parametrize("name", METHODS)
def test_every_method_under_every_fault(sandbox: Any, google: GoogleAudiences, name: str, mode: str) -> None:
    call, writes = METHODS[name]
    made = google.create("Customers", KEY, OWN, wire=Wire())
    before = len(sandbox.get("/_sandbox/calls?provider=google_ads"))
    asks = {"retry_after": 7.5} if mode in ("down", "rate_limited") else {}
    with fault(sandbox, "google_ads", mode, **asks), pytest.raises(IntegrationError) as caught:
        call(google, made, Wire(0.3 if mode == "slow" else 5.0))
    assert type(caught.value) is FAULTS[mode][writes]
    assert caught.value.retry_after == asks.get("retry_after")
    stack.wait_until(lambda: len(sandbox.get("/_sandbox/calls?provider=google_ads")) > before)
    assert len(sandbox.get("/_sandbox/calls?provider=google_ads")) == before + 1
