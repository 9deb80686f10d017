"""Google Ads' way of saying no, as one table over both of its forms.

Pure: (gRPC status, GoogleAdsFailure as JSON or None, was it a write) → our error. A GoogleAdsFailure names its errors
as one code of one kind (``{"errorCode": {"quotaError": "RESOURCE_EXHAUSTED"}}``), over gRPC and over REST alike. The
first of its errors decides; reading order:

    code of CODES, kind of KINDS                        their class, BadRequestError for all others
    status of STATUSES, where there is no failure       its class
    UNAVAILABLE                                         TransientError when Google said it, or nothing was sent
    no answer (dropped, too late, unreadable)           TransientError, OutcomeUnknownError to a write

The message ends with Google's own sentences, cleaned by :mod:`integrations.ads.words`; ``detail`` has the code and the
refused field. A rate limit waits as long as Google says (``quotaErrorDetails.retryDelay``, ``RetryInfo``). Sources:
"Understand API errors", "Error types" and "Quota limits" of the Google Ads API documentation, v26, and the enumerations
of google-ads 34. Invariant: no token and no address of a person gets into the error.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from integrations.ads.words import own_words
from integrations.errors import (
    BadRequestError,
    CredentialsError,
    IntegrationError,
    NeedsAttentionError,
    NotFoundError,
    OutcomeUnknownError,
    PolicyRefusedError,
    RateLimitedError,
    TooMuchAskedError,
    TransientError,
    TryAgainError,
)

PROVIDER = "google_ads"
MAX_CODES = 240  #: characters of codes and fields
MAX_TOLD = 3  #: errors of one failure whose sentences are shown

_Found = tuple[type[IntegrationError], str]
KINDS: Mapping[str, _Found] = {
    "authenticationError": (CredentialsError, "it refuses who we are"),
    "authorizationError": (CredentialsError, "a permission is missing"),
    "headerError": (CredentialsError, "the manager account's id is refused"),
    "internalError": (TransientError, "an error inside Google Ads"),
    "policyFindingError": (PolicyRefusedError, "the ad is against its policies"),
    "policyViolationError": (PolicyRefusedError, "the ad is against its policies"),
    "quotaError": (RateLimitedError, "a quota is used up for now"),
}
CODES: Mapping[tuple[str, str], _Found] = {
    ("adGroupAdError", "CANNOT_OPERATE_ON_REMOVED_ADGROUPAD"): (NotFoundError, "the ad has been removed"),
    ("authenticationError", "OAUTH_TOKEN_EXPIRED"): (TryAgainError, "the access token has expired"),
    ("authorizationError", "ACTION_NOT_PERMITTED_FOR_SUSPENDED_ACCOUNT"): (
        NeedsAttentionError,
        "the account is suspended",
    ),
    ("authorizationError", "CLOUD_PROJECT_NOT_APPROVED_FOR_PRODUCTION"): (
        NeedsAttentionError,
        "the Cloud project may use test accounts only",
    ),
    ("authorizationError", "CUSTOMER_NOT_ENABLED"): (NeedsAttentionError, "the account is not enabled"),
    ("authorizationError", "DEVELOPER_TOKEN_NOT_APPROVED"): (
        NeedsAttentionError,
        "the developer token may use test accounts only",
    ),
    ("authorizationError", "INCOMPLETE_SIGNUP"): (NeedsAttentionError, "the account's sign-up is not complete"),
    ("authorizationError", "MISSING_TOS"): (NeedsAttentionError, "the terms of the API have to be accepted"),
    # The name carries our key: another attempt has made it, and looks for it before it makes one.
    ("campaignBudgetError", "DUPLICATE_NAME"): (TryAgainError, "a budget of that name is there already"),
    ("campaignError", "DUPLICATE_CAMPAIGN_NAME"): (TryAgainError, "a campaign of that name is there already"),
    ("campaignBudgetError", "CAMPAIGN_BUDGET_REMOVED"): (NotFoundError, "the budget has been removed"),
    # Another campaign of the account has made the custom goal meanwhile; it is looked for before one is made.
    ("customConversionGoalError", "CUSTOM_GOAL_DUPLICATE_NAME"): (
        TryAgainError,
        "a conversion goal of that name is there already",
    ),
    ("customConversionGoalError", "DUPLICATE_CONVERSION_ACTION_LIST"): (
        TryAgainError,
        "a conversion goal of the same action is there already",
    ),
    # Aiming, unlike excluding, is for accounts of 90 days that have spent 50 000 USD ("Customer Match policy").
    ("criterionError", "CANNOT_TARGET_CUSTOMER_MATCH_USER_LIST"): (
        NeedsAttentionError,
        "the account may exclude customer lists, but not aim at them",
    ),
    ("criterionError", "CANNOT_ADD_USER_LIST_PENDING_PRIVACY_REVIEW"): (
        NeedsAttentionError,
        "the customer list waits for Google's privacy review",
    ),
    ("databaseError", "CONCURRENT_MODIFICATION"): (TryAgainError, "another change was under way"),
    ("mutateError", "RESOURCE_ALREADY_EXISTS"): (TryAgainError, "it is there already"),
    ("mutateError", "RESOURCE_NOT_FOUND"): (NotFoundError, "the object does not exist"),
    ("operationAccessDeniedError", "OPERATION_NOT_PERMITTED_FOR_REMOVED_RESOURCE"): (
        NotFoundError,
        "the object has been removed",
    ),
    ("quotaError", "ACCESS_PROHIBITED"): (CredentialsError, "the developer token is blocked"),
    ("requestError", "EXPIRED_PAGE_TOKEN"): (TryAgainError, "a listing took too long"),
    ("requestError", "RESOURCE_NOT_FOUND"): (NotFoundError, "the object does not exist"),
    ("requestError", "RPC_DEADLINE_TOO_SHORT"): (TransientError, "the time-out was too short"),
    ("requestError", "UNSUPPORTED_VERSION"): (
        NeedsAttentionError,
        "the version of the API is no longer served; the SDK has to be upgraded",
    ),
    ("sizeLimitError", "RESPONSE_SIZE_LIMIT_EXCEEDED"): (TooMuchAskedError, "less has to be asked for at once"),
}
#: gRPC's own statuses, for answers without a GoogleAdsFailure.
STATUSES: Mapping[str, _Found] = {
    "ABORTED": (TryAgainError, "another change was under way"),
    "ALREADY_EXISTS": (TryAgainError, "it is there already"),
    "FAILED_PRECONDITION": (BadRequestError, "the request is refused"),
    "INVALID_ARGUMENT": (BadRequestError, "the request is refused"),
    "NOT_FOUND": (NotFoundError, "the object does not exist"),
    "OUT_OF_RANGE": (BadRequestError, "the request is refused"),
    "PERMISSION_DENIED": (CredentialsError, "a permission is missing"),
    "RESOURCE_EXHAUSTED": (RateLimitedError, "a quota is used up for now"),
    "UNAUTHENTICATED": (CredentialsError, "it refuses who we are"),
    "UNIMPLEMENTED": (NeedsAttentionError, "the version of the API is not served; the SDK has to be upgraded"),
}
#: How gRPC begins what it says about a call that was not sent.
_NOT_CONNECTED = ("failed to connect", "DNS resolution failed")


def failure_error(failure: Mapping[str, Any], *, write: bool, secrets: Iterable[str] = ()) -> IntegrationError | None:
    """Return the error that a GoogleAdsFailure in JSON form means, None for one without an error.

    ``secrets`` are credentials that it may quote.
    """
    listed = failure.get("errors")
    errors = [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
    if not errors:
        return None
    kind, code = _code(errors[0])
    found, meaning = CODES.get((kind, code)) or KINDS.get(kind) or (BadRequestError, "the request is refused")
    if (kind, code) == ("internalError", "DEADLINE_EXCEEDED") and write:
        found = OutcomeUnknownError
    told = [part for one in errors[:MAX_TOLD] for part in (one.get("message"), *_more(one))]
    words = own_words(*told, secrets=secrets)
    waits = [seconds for one in errors if (seconds := _retry_delay(one)) is not None]
    return found(
        PROVIDER,
        f"{meaning}: {words}" if words else meaning,
        detail=own_words(_detail(errors), secrets=secrets)[:MAX_CODES] or None,
        retry_after=max(waits) if waits else None,
    )


def status_error(
    status: str, said: str, *, write: bool, answered: bool, wait: float | None = None, secrets: Iterable[str] = ()
) -> IntegrationError:
    """Return the error that a gRPC status without a GoogleAdsFailure means.

    ``answered``: the status is the server's own, not what gRPC here made of a connection that broke.
    """
    known = STATUSES.get(status)
    if known is not None:
        words = own_words(said, secrets=secrets)
        message = f"{known[1]}: {words}" if words else known[1]
        return known[0](PROVIDER, message, detail=status, retry_after=wait)
    if status == "UNAVAILABLE" and not answered and said.startswith(_NOT_CONNECTED):
        return TransientError(PROVIDER, "can't be reached", detail=status)
    if answered and status == "UNAVAILABLE":
        return TransientError(PROVIDER, "is unavailable", detail=status, retry_after=wait)
    unanswered = OutcomeUnknownError if write else TransientError
    return unanswered(PROVIDER, "gave no answer that we can read", detail=status, retry_after=wait)


def policy_reasons(entries: Any) -> str:
    """Return the names of the policies in ``policyTopicEntries``, "" without one."""
    topics = [entry.get("topic") for entry in entries if isinstance(entry, dict)] if isinstance(entries, list) else []
    return own_words(", ".join(dict.fromkeys(topic for topic in topics if isinstance(topic, str))))


def _code(error: Mapping[str, Any]) -> tuple[str, str]:
    """Return kind and name of an error's code, which has one member."""
    found = error.get("errorCode")
    for kind, code in found.items() if isinstance(found, dict) else ():
        if isinstance(code, str):
            return kind, code
    return "", ""


def _detail(errors: Iterable[Mapping[str, Any]]) -> str:
    """Return the codes, each with the path of its field, such as ``operations[2].create.name``."""
    parts = []
    for error in list(errors)[:MAX_TOLD]:
        location = error.get("location")
        elements = location.get("fieldPathElements") if isinstance(location, dict) else None
        path = (
            ".".join(_element(one) for one in elements if isinstance(one, dict)) if isinstance(elements, list) else ""
        )
        code = ".".join(part for part in _code(error) if part)
        parts.append(f"{code} at {path}" if path else code)
    return "; ".join(part for part in parts if part)


def _element(element: Mapping[str, Any]) -> str:
    name = str(element.get("fieldName", ""))
    return f"{name}[{element['index']}]" if isinstance(element.get("index"), int) else name


def _more(error: Mapping[str, Any]) -> list[str]:
    """Return what an error's details tell a person: policies, and the least daily budget in major units."""
    details = error.get("details")
    if not isinstance(details, dict):
        return []
    finding, budget = details.get("policyFindingDetails"), details.get("budgetPerDayMinimumErrorDetails")
    reasons = policy_reasons(finding.get("policyTopicEntries")) if isinstance(finding, dict) else ""
    found = [f"policies: {reasons}"] if reasons else []
    if isinstance(budget, dict):
        try:
            least = Decimal(str(budget.get("budgetPerDayMinimumMicros"))) / 1_000_000
            found.append(f"the least daily budget is {least:f} {budget.get('currencyCode', '')}".rstrip())
        except InvalidOperation:
            pass
    return found


def _retry_delay(error: Mapping[str, Any]) -> float | None:
    details = error.get("details")
    quota = details.get("quotaErrorDetails") if isinstance(details, dict) else None
    return duration_s(quota.get("retryDelay")) if isinstance(quota, dict) else None


def duration_s(value: Any) -> float | None:
    """Return a protobuf duration in its JSON form, such as ``"30s"``, in seconds, None for anything else."""
    if not isinstance(value, str) or not value.endswith("s"):
        return None
    try:
        found = Decimal(value[:-1])
    except InvalidOperation:
        return None
    return float(found) if found.is_finite() and found >= 0 else None
