"""Facebook's way of saying no, as one table.

Pure: (status, error object, headers, was it a write) → our error. Sources: "Handle Errors" and "Rate
Limits" of the Marketing API documentation, and the defects of the SDK listed in
:mod:`integrations.ads.facebook.wire`. Reading order:

    code and subcode of SUBCODES, code of CODES, 200-299, 80000-80014     their class
    another code with ``is_transient``                                    TransientError
    another code, or no error object: by the status                       :mod:`integrations.http_errors`
    "success" that nobody can read                                        TransientError, OutcomeUnknownError to a write

A rate limit waits as long as the usage headers say (:func:`regain_seconds`), else Retry-After. Invariant:
neither a token nor a text of the answer gets into the error: Facebook's messages may quote both; codes say enough.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

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
)
from integrations.http_errors import error_class, retry_after
from integrations.values import parse_json

PROVIDER = "facebook_ads"

#: code -> (class, what it means). Ranges are in :func:`_by_code`.
CODES: Mapping[int, tuple[type[IntegrationError], str]] = {
    1: (TransientError, "an unknown error at Facebook"),
    2: (TransientError, "the service is temporarily unavailable"),
    3: (CredentialsError, "the app lacks the capability"),
    4: (RateLimitedError, "the app's rate limit is reached"),
    10: (CredentialsError, "the app lacks the permission"),
    17: (RateLimitedError, "the user's rate limit is reached"),
    32: (RateLimitedError, "the page's rate limit is reached"),
    100: (BadRequestError, "a parameter is refused"),
    101: (CredentialsError, "the app's id is unknown"),
    102: (CredentialsError, "the session has expired"),
    104: (CredentialsError, "the proof made with the app's secret is wrong"),
    190: (CredentialsError, "the access token is invalid or has expired"),
    341: (RateLimitedError, "the application limit is reached"),
    368: (PolicyRefusedError, "the action is blocked as abusive or against the policies"),
    613: (RateLimitedError, "a custom rate limit is reached"),
    803: (NotFoundError, "the object does not exist"),
    2635: (NeedsAttentionError, "the version of the API is no longer served; the SDK has to be upgraded"),
}
#: (code, subcode) -> (class, meaning), looked at first.
SUBCODES: Mapping[tuple[int, int], tuple[type[IntegrationError], str]] = {
    (100, 33): (NotFoundError, "the object does not exist or can't be seen"),
    (100, 1359188): (NeedsAttentionError, "the ad account has no valid way of payment"),
    (100, 1487007): (NotFoundError, "the campaign has been deleted"),
}
_PERMISSION_CODES = range(200, 300)
_BUSINESS_LIMIT_CODES = range(80000, 80015)


def facebook_error(
    status: int | None, error: Mapping[str, Any] | None, headers: Mapping[str, str], *, write: bool
) -> IntegrationError:
    """Return the error for an answer that is not a success.

    ``error`` is the JSON object under "error", None when the answer had none. A write that only a gateway
    answered (502, 504), or that "succeeded" with nothing we can read, may have been carried out:
    OutcomeUnknownError.
    """
    if error is not None:
        code, subcode = _number(error.get("code")), _number(error.get("error_subcode"))
        found = SUBCODES.get((code, subcode)) or _by_code(code)
        if found is None and error.get("is_transient") is True:
            found = (TransientError, "a temporary error")
        if found is not None:
            detail = f"code {code}" + (f", subcode {subcode}" if subcode else "") + _blamed(error)
            wait = regain_seconds(headers) if issubclass(found[0], TransientError) else None
            return found[0](PROVIDER, found[1], detail=detail, retry_after=wait)
    return _by_status(status, write=write, headers=headers)


def _by_code(code: int) -> tuple[type[IntegrationError], str] | None:
    if code in CODES:
        return CODES[code]
    if code in _BUSINESS_LIMIT_CODES:
        return (RateLimitedError, "the business use case's rate limit is reached")
    if code in _PERMISSION_CODES:
        return (CredentialsError, "the token lacks a permission")
    return None


def _by_status(status: int | None, *, write: bool, headers: Mapping[str, str]) -> IntegrationError:
    if status is None or status < 400:
        unreadable = OutcomeUnknownError if write else TransientError
        return unreadable(PROVIDER, "answered with something that is no answer of the Graph API")
    found = error_class("POST" if write else "GET", status)
    return found(PROVIDER, f"answered {status}", retry_after=regain_seconds(headers))


def regain_seconds(headers: Mapping[str, str]) -> float | None:
    """Return how long the usage headers ask us to wait.

    ``x-business-use-case-usage`` holds ``estimated_time_to_regain_access`` in minutes per business object;
    ``x-ad-account-usage`` holds ``reset_time_duration`` in seconds. The longest counts; else Retry-After.
    None when there is no such header.
    """
    found = []
    usage = _json(headers.get("x-business-use-case-usage"))
    for entries in usage.values():
        for entry in entries if isinstance(entries, list) else []:
            minutes = entry.get("estimated_time_to_regain_access") if isinstance(entry, dict) else None
            if isinstance(minutes, int | float) and minutes > 0:
                found.append(60.0 * minutes)
    account = _json(headers.get("x-ad-account-usage"))
    used, reset = account.get("acc_id_util_pct"), account.get("reset_time_duration")
    if isinstance(used, int | float) and isinstance(reset, int | float) and used >= 100 and reset > 0:
        found.append(float(reset))
    return max(found) if found else retry_after(headers)


def _blamed(error: Mapping[str, Any]) -> str:
    """Return the names of the refused fields (``error_data.blame_field_specs``), which are Facebook's own words."""
    data = error.get("error_data")
    data = _json(data) if isinstance(data, str) else data
    specs = data.get("blame_field_specs") if isinstance(data, dict) else None
    if not isinstance(specs, list):
        return ""
    names = [".".join(map(str, spec)) if isinstance(spec, list) else str(spec) for spec in specs]
    return f", fields {', '.join(name[:60] for name in names[:5])}" if names else ""


def _number(value: Any) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else 0


def _json(text: str | None) -> dict[str, Any]:
    try:
        found = parse_json(text or "{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
