"""Facebook's table of refusals, row by row."""

from __future__ import annotations

import json
from typing import Any

import pytest

from integrations.ads.facebook.errors import facebook_error
from integrations.ads.facebook.usage import regain_seconds, slow_down_seconds
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


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        ({"code": 1}, TransientError),
        ({"code": 2}, TransientError),
        ({"code": 3}, CredentialsError),
        ({"code": 4, "error_subcode": 1504022}, RateLimitedError),
        ({"code": 10}, CredentialsError),
        ({"code": 17, "error_subcode": 2446079}, RateLimitedError),
        ({"code": 32}, RateLimitedError),
        ({"code": 100}, BadRequestError),
        ({"code": 100, "error_subcode": 33}, NotFoundError),
        ({"code": 100, "error_subcode": 1359188}, NeedsAttentionError),
        ({"code": 102}, CredentialsError),
        ({"code": 190}, CredentialsError),
        ({"code": 200}, CredentialsError),
        ({"code": 299}, CredentialsError),
        ({"code": 341}, RateLimitedError),
        ({"code": 368}, PolicyRefusedError),
        ({"code": 613, "error_subcode": 1487742}, RateLimitedError),
        ({"code": 803}, NotFoundError),
        ({"code": 2635}, NeedsAttentionError),
        ({"code": 80000}, RateLimitedError),
        ({"code": 80004}, RateLimitedError),
        ({"code": 80014}, RateLimitedError),
        ({"code": 999999, "is_transient": True}, TryAgainError),
        ({"code": 999999}, BadRequestError),  # unknown: by the status, which is 400 here
        ({"code": "no number"}, BadRequestError),
    ],
)
def test_codes(error: dict[str, Any], expected: type[IntegrationError]) -> None:
    found = facebook_error(400, error, {}, write=True)
    assert type(found) is expected


@pytest.mark.parametrize(
    ("status", "write", "expected"),
    [
        (200, True, OutcomeUnknownError),
        (200, False, TransientError),
        (None, True, OutcomeUnknownError),
        (None, False, TransientError),
        (502, True, OutcomeUnknownError),
        (504, True, OutcomeUnknownError),
        (502, False, TransientError),
        (500, True, TransientError),
        (503, True, TransientError),
        (429, True, RateLimitedError),
        (401, False, CredentialsError),
        (404, False, NotFoundError),
        (418, False, BadRequestError),
    ],
)
def test_answers_without_an_error_object(status: int | None, write: bool, expected: type[IntegrationError]) -> None:
    assert type(facebook_error(status, None, {}, write=write)) is expected


def test_a_limit_without_an_error_object_waits_as_long_as_the_headers_say() -> None:
    headers = {"x-business-use-case-usage": '{"1": [{"estimated_time_to_regain_access": 3}]}'}
    assert facebook_error(429, None, headers, write=False).retry_after == 180.0


def test_texts_of_the_answer_stay_out() -> None:
    told = {
        "code": 100,
        "message": "token EAAsecret of jane@example.com",
        "error_data": json.dumps({"blame_field_specs": [["targeting", "geo_locations"], ["name"]]}),
    }
    found = facebook_error(400, told, {}, write=True)
    assert "EAAsecret" not in str(found)
    assert "jane" not in str(found)
    assert found.detail == "code 100, fields targeting.geo_locations, name"


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"Retry-After": "7"}, 7.0),
        ({"x-business-use-case-usage": '{"1": [{"estimated_time_to_regain_access": 3}]}'}, 180.0),
        ({"x-business-use-case-usage": '{"1": [{"estimated_time_to_regain_access": 0}]}'}, None),
        ({"x-business-use-case-usage": "not json"}, None),
        ({"x-business-use-case-usage": "[" * 60_000}, None),
        ({"x-business-use-case-usage": '{"1": [{"estimated_time_to_regain_access": 1e999}]}'}, None),
        ({"x-business-use-case-usage": '{"1": 5, "2": [7]}'}, None),
        ({"x-ad-account-usage": '{"acc_id_util_pct": 100, "reset_time_duration": 120}'}, 120.0),
        ({"x-ad-account-usage": '{"acc_id_util_pct": 9.6, "reset_time_duration": 120}'}, None),
    ],
)
def test_how_long_to_wait(headers: dict[str, str], seconds: float | None) -> None:
    assert regain_seconds(headers) == seconds


#: Forms of the public documentation.
BUSINESS = (
    '{"66782684": [{"type": "ads_management", "call_count": %s, "total_cputime": 25, "total_time": 25, '
    '"estimated_time_to_regain_access": 0, "ads_api_access_tier": "development_access"}], '
    '"10153848260347724": [{"type": "ads_insights", "call_count": 100}]}'
)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, 0.0),
        ({"x-business-use-case-usage": BUSINESS % 95}, 900.0),  # the other object's 100 %
        ({"x-business-use-case-usage": '{"1": [{"call_count": 85, "total_time": 80}, {"total_cputime": 76}]}'}, 360.0),
        ({"x-app-usage": '{"call_count": 28, "total_time": 77.5, "total_cputime": 25}'}, 90.0),
        ({"x-app-usage": '{"call_count": 75, "total_time": 0, "total_cputime": 0}'}, 0.0),
        ({"x-ad-account-usage": '{"acc_id_util_pct": 9.67, "reset_time_duration": 100}'}, 0.0),
        ({"x-ad-account-usage": '{"acc_id_util_pct": 100, "reset_time_duration": 100}'}, 25.0),
        ({"x-ad-account-usage": '{"acc_id_util_pct": "100", "reset_time_duration": true}'}, 0.0),
        ({"x-app-usage": "[]", "x-ad-account-usage": "<html>"}, 0.0),
        ({"x-business-use-case-usage": '{"1": 5, "2": [7], "3": [{"call_count": null}]}'}, 0.0),
    ],
)
def test_how_long_no_new_work_begins(headers: dict[str, str], seconds: float) -> None:
    assert slow_down_seconds(headers) == pytest.approx(seconds)
