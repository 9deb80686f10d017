"""Facebook's way of saying no, as one table and a rule on its words.

Pure: (status, error object, headers, was it a write) → our error. Sources: "Handle Errors", "Rate Limits", "Error
Codes" and "Customer File Custom Audiences" of the Marketing API documentation, and the defects of the SDK listed in
:mod:`integrations.ads.facebook.wire`. Reading order:

    "reduce the amount of data" to a reading call, under any code      TooMuchAskedError
    2654 with "source audience is too small"                           ListTooShortError
    code and subcode of SUBCODES, code of CODES, 200-299, 80000-80014  their class, but where that is BadRequestError:
        ``is_transient``, or words that say "try later", below 500     TryAgainError
        words that say that an object does not exist                   NotFoundError
    another code with ``is_transient`` or such words                   TryAgainError below 500, else TransientError
    another code, or no error object: by the status                    :mod:`integrations.http_errors`
    "success" that nobody can read                                     TransientError, OutcomeUnknownError to a write

The message ends with what Facebook wrote for its user (``error_user_title``, ``error_user_msg``), else with its
``message``. A rate limit waits as long as the usage headers say (:func:`regain_seconds`), else Retry-After. Invariant:
no token and no address of a person gets into the error (:mod:`integrations.ads.words`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from integrations.ads.facebook.usage import regain_seconds
from integrations.ads.words import own_words, says_missing, says_too_much, says_try_later
from integrations.errors import (
    BadRequestError,
    CredentialsError,
    IntegrationError,
    ListTooShortError,
    NeedsAttentionError,
    NotFoundError,
    OutcomeUnknownError,
    PolicyRefusedError,
    RateLimitedError,
    TooMuchAskedError,
    TransientError,
    TryAgainError,
)
from integrations.http_errors import error_class
from integrations.values import parse_json

PROVIDER = "facebook_ads"

_TERMS = "the terms for custom audiences have not been accepted for the ad account"

_NOT_MADE = 2654

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
    1487301: (NotFoundError, "the customer list is not there or not shared with the ad account"),
    1487366: (NotFoundError, "the customer list has been deleted"),
    2635: (NeedsAttentionError, "the version of the API is no longer served; the SDK has to be upgraded"),
    2650: (BadRequestError, "the customer list could not be changed"),
    _NOT_MADE: (BadRequestError, "the customer list could not be made"),
    2655: (NeedsAttentionError, _TERMS),
    2656: (BadRequestError, "the customer list could not be deleted"),
    2663: (NeedsAttentionError, _TERMS),
}
#: (code, subcode) -> (class, meaning), looked at first.
SUBCODES: Mapping[tuple[int, int], tuple[type[IntegrationError], str]] = {
    (100, 33): (NotFoundError, "the object does not exist or can't be seen"),
    (100, 1359188): (NeedsAttentionError, "the ad account has no valid way of payment"),
    (100, 1487007): (NotFoundError, "the campaign has been deleted"),
    # "Oops, something went wrong. Please try again later": it comes and goes for the same request.
    (100, 1487390): (TryAgainError, "an object could not be made this time"),
    (100, 1487301): (NotFoundError, "the customer list is not there or not shared with the ad account"),
    (100, 1487366): (NotFoundError, "the customer list has been deleted"),
    (100, 1713230): (NeedsAttentionError, "the customer list is flagged and may not be changed"),
    (200, 1870034): (NeedsAttentionError, _TERMS),
    (200, 1870047): (NeedsAttentionError, "too few people would be left on the customer list; delete it as a whole"),
    (200, 1870090): (NeedsAttentionError, _TERMS),
    (2650, 1870145): (TryAgainError, "the customer list is being changed"),
    # Two lookalike audiences of the same list, country and size: one is there already, and is found when looked for.
    (2654, 1713007): (TryAgainError, "the lookalike audience is there already"),
    (2654, 1713092): (CredentialsError, "the token may not write to the customer list"),
}
#: A parameter names an object that is not there (yet).
_NO_SUCH_PARENT = re.compile(r"\b(?:campaign_id|adset_id|creative(?:_id)?)\b[^.]{0,20} must be a valid", re.IGNORECASE)
#: The origin of a lookalike audience has fewer than 100 people of one country.
_TOO_SHORT = re.compile(r"\bsource audience is too small\b", re.IGNORECASE)
_PERMISSION_CODES = range(200, 300)
_BUSINESS_LIMIT_CODES = range(80000, 80015)


def facebook_error(
    status: int | None,
    error: Mapping[str, Any] | None,
    headers: Mapping[str, str],
    *,
    write: bool,
    secrets: Iterable[str] = (),
) -> IntegrationError:
    """Return the error for an answer that is not a success.

    ``error`` is the JSON object under "error", None when the answer had none; ``secrets`` are credentials that it may
    quote. A write that only a gateway answered (502, 504), or that "succeeded" with nothing we can read, may have been
    carried out: OutcomeUnknownError.
    """
    if error is None:
        return _by_status(status, "", write=write, headers=headers)
    code, subcode = _number(error.get("code")), _number(error.get("error_subcode"))
    told = [error.get(name) for name in ("error_user_title", "error_user_msg")]
    said = " ".join(text for text in (*told, error.get("message")) if isinstance(text, str))
    words = own_words(*told, secrets=secrets) or own_words(error.get("message"), secrets=secrets)
    found = _found(status, code, subcode, said, transient=error.get("is_transient") is True, write=write)
    if found is None:
        return _by_status(status, words, write=write, headers=headers)
    detail = f"code {code}" + (f", subcode {subcode}" if subcode else "") + _blamed(error)
    wait = regain_seconds(headers) if issubclass(found[0], TransientError) else None
    message = f"{found[1]}: {words}" if words else found[1]
    return found[0](PROVIDER, message, detail=detail, retry_after=wait)


def _found(
    status: int | None, code: int, subcode: int, said: str, *, transient: bool, write: bool
) -> tuple[type[IntegrationError], str] | None:
    """Return the class and its meaning by the tables and by the words, None where only the status is left."""
    if not write and says_too_much(said):
        return (TooMuchAskedError, "less has to be asked for at once")
    if code == _NOT_MADE and _TOO_SHORT.search(said):
        return (ListTooShortError, "there are too few people on the customer list")
    found = SUBCODES.get((code, subcode)) or _by_code(code)
    if found is not None and found[0] is not BadRequestError:
        return found
    if transient or says_try_later(said):
        # A 5xx tells nothing of what was done: it stays a failure of the provider's.
        below_500 = status is not None and 400 <= status < 500
        return (TryAgainError if below_500 else TransientError, "a temporary error")
    if found is not None and (says_missing(said) or _NO_SUCH_PARENT.search(said)):
        return (NotFoundError, "an object does not exist or can't be seen")
    return found


def _by_code(code: int) -> tuple[type[IntegrationError], str] | None:
    if code in CODES:
        return CODES[code]
    if code in _BUSINESS_LIMIT_CODES:
        return (RateLimitedError, "the business use case's rate limit is reached")
    if code in _PERMISSION_CODES:
        return (CredentialsError, "the token lacks a permission")
    return None


def _by_status(status: int | None, words: str, *, write: bool, headers: Mapping[str, str]) -> IntegrationError:
    said = f": {words}" if words else ""
    if status is None or status < 400:
        unreadable = OutcomeUnknownError if write else TransientError
        return unreadable(PROVIDER, f"answered with something that is no answer of the Graph API{said}")
    found = error_class("POST" if write else "GET", status)
    return found(PROVIDER, f"answered {status}{said}", retry_after=regain_seconds(headers))


def _blamed(error: Mapping[str, Any]) -> str:
    """Return the names of the refused fields (``error_data.blame_field_specs``), which are Facebook's own words."""
    data = error.get("error_data")
    data = _json(data) if isinstance(data, str) else data
    specs = data.get("blame_field_specs") if isinstance(data, dict) else None
    if not isinstance(specs, list):
        return ""
    names = [".".join(map(str, spec)) if isinstance(spec, list) else str(spec) for spec in specs]
    shown = [own_words(name)[:60] for name in names[:5]]
    return f", fields {', '.join(shown)}" if shown else ""


def _number(value: Any) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else 0


def _json(text: str | None) -> dict[str, Any]:
    try:
        found = parse_json(text or "{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
