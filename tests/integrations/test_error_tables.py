"""Each row of each provider's error table, through its real client: what the sandbox has no fault for.

A row that is added without a test of its own fails here. Faults of the sandbox are in test_provider_faults.py, the
model server's rows without codes in test_llm_errors.py.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from provider_calls import READING, SECRET, SENTENCE, WRITING, failure
from scripted_http import Script, scripted_server

from integrations import clearbit, hunter, pdl, serpapi, x
from integrations.ads.facebook import errors as facebook_errors
from integrations.ads.linkedin import wire as linkedin_wire
from integrations.errors import (
    BadRequestError,
    CredentialsError,
    IntegrationError,
    InvalidAnswerError,
    NeedsAttentionError,
    NotFoundError,
    OutcomeUnknownError,
    PolicyRefusedError,
    QuotaExhaustedError,
    RateLimitedError,
    TooMuchAskedError,
    TransientError,
    TryAgainError,
)
from integrations.http_errors import AMBIGUOUS_STATUSES, DEFAULT_ERRORS
from integrations.llm import errors as llm_errors
from integrations.settings import Settings
from integrations.web.fetch import ERRORS as WEB_ERRORS
from integrations.web.fetch import WebFetcher


@dataclass(frozen=True, kw_only=True)
class Row:
    """What a provider answers, and what that is to a reading and to a writing call."""

    provider: str
    status: int
    body: Any = None
    expected: type[IntegrationError]
    writing: type[IntegrationError] | None = None  #: where it differs
    detail: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def id(self) -> str:
        return f"{self.provider}-{self.status}-{self.detail}"


@pytest.fixture(scope="module")
def peer() -> Iterator[Script]:
    with scripted_server() as script:
        yield script


# The tables, written down a second time: a wrong class there is a difference here.

SERPAPI: Mapping[int, type[IntegrationError]] = {
    400: BadRequestError,
    401: CredentialsError,
    403: CredentialsError,
    410: NotFoundError,
    429: RateLimitedError,
    503: TransientError,
}
HUNTER: Mapping[int, type[IntegrationError]] = {
    400: BadRequestError,
    401: CredentialsError,
    403: RateLimitedError,
    404: NotFoundError,
    422: BadRequestError,
    429: QuotaExhaustedError,
    451: PolicyRefusedError,
}
CLEARBIT: Mapping[int, type[IntegrationError]] = {
    400: BadRequestError,
    401: CredentialsError,
    402: QuotaExhaustedError,
    404: NotFoundError,
    422: BadRequestError,
    429: RateLimitedError,
}
X: Mapping[int, type[IntegrationError]] = {
    400: BadRequestError,
    401: CredentialsError,
    402: QuotaExhaustedError,
    403: CredentialsError,
    404: NotFoundError,
    429: RateLimitedError,
}
PDL: Mapping[int, type[IntegrationError]] = {
    400: BadRequestError,
    401: CredentialsError,
    402: QuotaExhaustedError,
    403: CredentialsError,
    404: NotFoundError,
    429: RateLimitedError,
}
FACEBOOK: Mapping[int, type[IntegrationError]] = {
    **dict.fromkeys((1, 2), TransientError),
    **dict.fromkeys((4, 17, 32, 341, 613), RateLimitedError),
    **dict.fromkeys((3, 10, 101, 102, 104, 190), CredentialsError),
    100: BadRequestError,
    368: PolicyRefusedError,
    **dict.fromkeys((803, 1487301, 1487366), NotFoundError),
    **dict.fromkeys((2635, 2655, 2663), NeedsAttentionError),
    **dict.fromkeys((2650, 2654, 2656), BadRequestError),
}
FACEBOOK_SUBCODES: Mapping[tuple[int, int], type[IntegrationError]] = {
    (100, 33): NotFoundError,
    (100, 1359188): NeedsAttentionError,
    (100, 1487007): NotFoundError,
    (100, 1487390): TryAgainError,
    **dict.fromkeys(((100, 1487301), (100, 1487366)), NotFoundError),
    **dict.fromkeys(((100, 1713230), (200, 1870034), (200, 1870047), (200, 1870090)), NeedsAttentionError),
    (2650, 1870145): TryAgainError,
    (2654, 1713007): TryAgainError,
    (2654, 1713092): CredentialsError,
}
LINKEDIN: Mapping[int, type[IntegrationError]] = {
    409: TryAgainError,
    412: TryAgainError,
    422: BadRequestError,
    426: NeedsAttentionError,
}
LINKEDIN_CODES: Mapping[str, type[IntegrationError]] = {
    "NONEXISTENT_VERSION": NeedsAttentionError,
    "VERSION_MISSING": NeedsAttentionError,
    "SEGMENT_LIMIT_EXCEEDED": NeedsAttentionError,
    "REVOKED_ACCESS_TOKEN": CredentialsError,
    "EXPIRED_ACCESS_TOKEN": CredentialsError,
}
OPENAI: Mapping[int, type[IntegrationError]] = {
    **dict.fromkeys((400, 413, 422), BadRequestError),
    **dict.fromkeys((401, 403), CredentialsError),
    402: QuotaExhaustedError,
    404: NotFoundError,
    **dict.fromkeys((408, 409, 425), TransientError),
    429: RateLimitedError,
}
OPENAI_CODES: Mapping[str, type[IntegrationError]] = {
    "insufficient_quota": QuotaExhaustedError,
    "billing_hard_limit_reached": QuotaExhaustedError,
    "billing_not_active": QuotaExhaustedError,
    "content_filter": PolicyRefusedError,
    "content_policy_violation": PolicyRefusedError,
    "invalid_prompt": PolicyRefusedError,
    "invalid_api_key": CredentialsError,
    "account_deactivated": CredentialsError,
    "model_not_found": NotFoundError,
    "context_length_exceeded": BadRequestError,
}
WEB: Mapping[int, type[IntegrationError]] = {
    **dict.fromkeys((401, 403, 451), PolicyRefusedError),
    **dict.fromkeys((404, 410), NotFoundError),
    **dict.fromkeys((408, 425), TransientError),
    429: RateLimitedError,
}
#: What is left to :mod:`integrations.http_errors`.
COMMON: Mapping[int, type[IntegrationError]] = {
    **dict.fromkeys((400, 405, 413, 418), BadRequestError),
    **dict.fromkeys((401, 403), CredentialsError),
    402: QuotaExhaustedError,
    **dict.fromkeys((404, 410), NotFoundError),
    **dict.fromkeys((408, 425, 500, 502, 503, 504, 520), TransientError),
    429: RateLimitedError,
    451: PolicyRefusedError,
}
TABLES: list[tuple[Mapping[Any, Any], Mapping[Any, Any]]] = [
    (serpapi.ERRORS, SERPAPI),
    (hunter.ERRORS, HUNTER),
    (clearbit.ERRORS, CLEARBIT),
    (x.ERRORS, X),
    (pdl.ERRORS, PDL),
    (facebook_errors.CODES, FACEBOOK),
    (facebook_errors.SUBCODES, FACEBOOK_SUBCODES),
    (linkedin_wire.STATUS_ERRORS, LINKEDIN),
    (linkedin_wire.CODE_ERRORS, LINKEDIN_CODES),
    (llm_errors.STATUSES, OPENAI),
    (llm_errors.CODES, OPENAI_CODES),
    (WEB_ERRORS, WEB),
]


def test_no_row_of_a_table_is_left_out() -> None:
    for table, tested in TABLES:
        assert set(table) == set(tested)
    assert set(DEFAULT_ERRORS) | AMBIGUOUS_STATUSES <= set(COMMON)


def serpapi_rows() -> list[Row]:
    def row(
        status: int, expected: type[IntegrationError], said: str = SENTENCE, detail: str | None = None, **more: object
    ) -> Row:
        return Row(provider="serpapi", status=status, body={"error": said, **more}, expected=expected, detail=detail)

    return [
        *(row(status, found) for status, found in SERPAPI.items()),
        row(401, CredentialsError, f"Invalid API key {SECRET}.", "invalid_key"),
        row(429, QuotaExhaustedError, "Your account has run out of searches.", "out_of_searches"),
        row(429, RateLimitedError, "You are exceeding the throughput limit per hour.", "hourly_throughput"),
        row(400, BadRequestError, f"Missing query {SENTENCE}", "missing_argument"),
        row(400, BadRequestError, f"Unsupported `{SENTENCE}` location.", "unsupported_argument"),
        row(200, TransientError, f"Something failed for {SENTENCE}."),
        row(200, TransientError, "", "Error", search_metadata={"status": "Error"}),
        row(200, TransientError, "", "Processing", search_metadata={"status": "Processing"}),
    ]


def hunter_rows() -> list[Row]:
    def body(status: int) -> dict[str, Any]:
        return {"errors": [{"id": "wrong_params", "code": status, "details": SENTENCE}]}

    return [
        Row(provider="hunter", status=status, body=body(status), expected=expected, detail="wrong_params")
        for status, expected in HUNTER.items()
    ]


def clearbit_rows() -> list[Row]:
    def body(kind: object) -> dict[str, Any]:
        return {"error": {"type": kind, "message": SENTENCE}}

    return [
        *(
            Row(provider="clearbit", status=status, body=body("some_type"), expected=expected, detail="some_type")
            for status, expected in CLEARBIT.items()
        ),
        Row(provider="clearbit", status=200, body={"name": "Acme"}, expected=InvalidAnswerError, detail="domain"),
    ]


def x_rows() -> list[Row]:
    def row(status: int, expected: type[IntegrationError], problem: str) -> Row:
        kind = f"https://api.twitter.com/2/problems/{problem}"
        body = {"title": SENTENCE, "detail": SENTENCE, "type": kind, "status": status}
        return Row(provider="x", status=status, body=body, expected=expected, detail=problem)

    def lacking(body: dict[str, Any], field: str) -> Row:
        return Row(provider="x", status=200, body=body, expected=InvalidAnswerError, detail=field)

    return [
        *(row(status, expected, "some-problem") for status, expected in X.items()),
        row(429, QuotaExhaustedError, "usage-capped"),
        row(429, RateLimitedError, "rate-limit-exceeded"),
        Row(
            provider="x",
            status=429,
            body={"title": "Too Many Requests", "detail": SENTENCE, "type": "about:blank"},
            expected=RateLimitedError,
        ),
        lacking({"data": []}, "meta.result_count"),
        lacking({"meta": {"result_count": 1}}, "data"),
        lacking({"meta": {"result_count": 1}, "data": [{"id": "1", "author_id": "2"}]}, "includes.users"),
    ]


def pdl_rows() -> list[Row]:
    return [
        *(
            Row(
                provider="pdl",
                status=status,
                body={"status": status, "error": {"type": "some_error", "message": SENTENCE}},
                expected=expected,
                detail="some_error",
            )
            for status, expected in PDL.items()
        ),
        Row(provider="pdl", status=200, body={"status": 200}, expected=InvalidAnswerError, detail="name"),
    ]


def facebook_rows() -> list[Row]:
    def row(status: int, error: dict[str, Any], expected: type[IntegrationError], **more: Any) -> Row:
        body = {"error": {"message": SENTENCE, "type": "FacebookApiException", **error}}
        code, subcode = error["code"], error.get("error_subcode")
        given = {"detail": f"code {code}" + (f", subcode {subcode}" if subcode else ""), **more}
        return Row(provider="facebook_ads", status=status, body=body, expected=expected, **given)

    blamed = {"code": 100, "error_data": json.dumps({"blame_field_specs": [["targeting", "geo_locations"]]})}
    return [
        *(row(400, {"code": code}, found) for code, found in FACEBOOK.items()),
        *(
            row(400, {"code": code, "error_subcode": subcode}, found)
            for (code, subcode), found in FACEBOOK_SUBCODES.items()
        ),
        # Ranges, and statuses beside the usual 400: the code decides.
        *(row(403, {"code": code}, CredentialsError) for code in (200, 294, 299)),
        *(row(400, {"code": code}, RateLimitedError) for code in (80000, 80004, 80014)),
        row(200, {"code": 17}, RateLimitedError),
        row(503, {"code": 2, "is_transient": True}, TransientError),
        row(400, blamed, BadRequestError, detail="code 100, fields targeting.geo_locations"),
        # Codes that nobody knows: the flag, else the status.
        row(400, {"code": 9999, "is_transient": True}, TryAgainError),
        row(503, {"code": 9999, "is_transient": True}, TransientError),
        row(400, {"code": 9999}, BadRequestError, detail=None),
        row(200, {"code": 9999}, TransientError, writing=OutcomeUnknownError, detail=None),
        row(502, {"code": 9999}, TransientError, writing=OutcomeUnknownError, detail=None),
    ]


def linkedin_rows() -> list[Row]:
    def row(status: int, code: str, expected: type[IntegrationError]) -> Row:
        body = {"status": status, "code": code, "message": SENTENCE}
        return Row(provider="linkedin_ads", status=status, body=body, expected=expected, detail=code)

    return [
        *(row(status, "SOME_CODE", found) for status, found in LINKEDIN.items()),
        *(row(400, code, found) for code, found in LINKEDIN_CODES.items()),
        row(401, "EXPIRED_ACCESS_TOKEN", CredentialsError),
        row(400, "PARAM_INVALID", BadRequestError),
        row(429, "TOO_MANY_REQUESTS", RateLimitedError),
        row(429, "SEGMENT_LIMIT_EXCEEDED", NeedsAttentionError),
        replace(row(413, "SOME_CODE", TooMuchAskedError), writing=BadRequestError),
    ]


def openai_rows() -> list[Row]:
    def row(status: int, expected: type[IntegrationError], code: str | None = None) -> Row:
        body = {"error": {"message": f"Refused: {SENTENCE}", "type": "some_error", "param": None, "code": code}}
        return Row(provider="openai", status=status, body=body, expected=expected, detail=code or str(status))

    return [
        *(row(400, found, code) for code, found in OPENAI_CODES.items()),
        row(429, QuotaExhaustedError, "billing_hard_limit_reached"),
        row(403, QuotaExhaustedError, "billing_not_active"),
        *(row(status, found) for status, found in OPENAI.items()),
    ]


def common_rows() -> list[Row]:
    own: Mapping[str, Mapping[int, object]] = {
        "serpapi": SERPAPI,
        "hunter": HUNTER,
        "clearbit": CLEARBIT,
        "x": X,
        "pdl": PDL,
        "linkedin_ads": {**LINKEDIN, 413: TooMuchAskedError},
        "facebook_ads": {},
    }
    return [
        Row(
            provider=provider,
            status=status,
            body=f"<html>{SENTENCE}</html>".encode(),
            expected=expected,
            writing=OutcomeUnknownError if status in (502, 504) else None,
        )
        for provider, table in own.items()
        for status, expected in COMMON.items()
        if status not in table
    ]


ROWS = [
    *serpapi_rows(),
    *hunter_rows(),
    *clearbit_rows(),
    *x_rows(),
    *pdl_rows(),
    *facebook_rows(),
    *linkedin_rows(),
    *openai_rows(),
    *common_rows(),
]
#: Classes that say: the provider itself failed.
OUTAGES = (TransientError, OutcomeUnknownError)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
def test_each_row_to_a_reading_call(peer: Script, row: Row) -> None:
    error = failure(peer, READING[row.provider], row.status, row.body, row.headers)
    assert (type(error), error.detail) == (row.expected, row.detail)
    assert error.outage is (row.expected in OUTAGES)


@pytest.mark.parametrize("row", [row for row in ROWS if row.provider in WRITING], ids=lambda row: row.id)
def test_each_row_to_a_writing_call(peer: Script, row: Row) -> None:
    error = failure(peer, WRITING[row.provider], row.status, row.body, row.headers)
    expected = row.writing or row.expected
    assert (type(error), error.detail) == (expected, row.detail)
    assert error.outage is (expected in OUTAGES)


@pytest.mark.parametrize("status", WEB)
def test_each_row_of_web_sites(peer: Script, status: int) -> None:
    """robots.txt answers like the page: a refusal of it is none, 429 and 5xx close the site for now."""
    web = WebFetcher(Settings.from_env({}))
    peer.status, peer.body, peer.headers = 404, b"", {}
    with pytest.raises(NotFoundError):
        web.fetch(f"{peer.url}/first", timeout=10)
    peer.status, peer.body = status, SENTENCE.encode()
    with pytest.raises(IntegrationError) as caught:
        web.fetch(f"{peer.url}/page", timeout=10)
    assert type(caught.value) is WEB[status]
    assert caught.value.outage is (WEB[status] is TransientError)
    assert "jane" not in str(caught.value.to_dict())
