"""Data Manager's way of saying no: google.rpc.Status in JSON, with the reasons in its details.

Pure: (the answer's ``error``, was it a write) → our error, None where the HTTP status alone decides. Reading order:

    reason of REASONS, of the fields' violations first       its class
    status of errors.STATUSES                                 its class
    none of them (INTERNAL, UNAVAILABLE, DEADLINE_EXCEEDED)   by the HTTP status (:mod:`integrations.http_errors`)

A limit waits as long as ``RetryInfo`` says, else Retry-After. The message ends with Google's own sentences, cleaned by
:mod:`integrations.ads.words`; ``detail`` has the reasons and the refused fields. Sources: "Understand API errors",
"Limits and quotas" and ErrorReason of the Data Manager API reference, v1; google.api.ErrorReason for what every API of
Google answers. Invariant: no token, address or hash of one gets into the error.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from integrations.ads.google.errors import MAX_CODES, MAX_TOLD, PROVIDER, STATUSES, duration_s
from integrations.ads.words import own_words
from integrations.errors import (
    CredentialsError,
    IntegrationError,
    NeedsAttentionError,
    NotFoundError,
    PolicyRefusedError,
    TryAgainError,
)
from integrations.fields import Fields, inner, rows, text

SCOPE = "https://www.googleapis.com/auth/datamanager"
#: Data Manager doesn't tell a list that is gone from one without access.
DENIED = "PERMISSION_DENIED"
_NOT_CLEARED = (NeedsAttentionError, "the account may not use Customer Match")
_NOT_FIRST_HAND = (
    NeedsAttentionError,
    "the account may not use people whose addresses it has from others; a list may hold its own customers only",
)
REASONS: Mapping[str, tuple[type[IntegrationError], str]] = {
    # google.api.ErrorReason
    "ACCESS_TOKEN_EXPIRED": (TryAgainError, "the access token has expired"),
    "ACCESS_TOKEN_SCOPE_INSUFFICIENT": (
        CredentialsError,
        f"the refresh token was granted without the scope {SCOPE}; authorise anew with it",
    ),
    "SERVICE_DISABLED": (NeedsAttentionError, "the Data Manager API is not enabled in the Cloud project"),
    # google.ads.datamanager.v1.ErrorReason
    "ADVERTISER_NOT_ALLOWLISTED_FOR_THIRD_PARTY_PARTNER_DATA": _NOT_FIRST_HAND,
    "ADVERTISER_NOT_ALLOWLISTED_FOR_UPLOADED_DATA": _NOT_CLEARED,
    # The name carries our key: another attempt has made it, and looks for it before it makes one.
    "ALREADY_EXISTS": (TryAgainError, "it is there already"),
    "DATA_PARTNER_NOT_ALLOWLISTED_FOR_THIRD_PARTY_PARTNER_DATA": _NOT_FIRST_HAND,
    "DISPLAY_NAME_ALREADY_USED": (TryAgainError, "a list of that name is there already"),
    "EU_POLITICAL_ADVERTISING_DECLARATION_REQUIRED": (
        NeedsAttentionError,
        "campaigns of the account lack the declaration on EU political advertising",
    ),
    "INVALID_USER_LIST_ID": (NotFoundError, "the list does not exist"),
    "NOT_ALLOWLISTED": _NOT_CLEARED,
    "NOT_FOUND": (NotFoundError, "the list does not exist"),
    "SENSITIVE_USER_LIST_IMMUTABLE": (PolicyRefusedError, "Google has locked the list by its policies"),
    "TERMS_AND_CONDITIONS_NOT_SIGNED": (
        NeedsAttentionError,
        "the terms of Customer Match have to be accepted in the account",
    ),
    "USER_LIST_TYPE_NOT_SUPPORTED_FOR_ACCOUNT": (NeedsAttentionError, "this account can't have customer lists"),
}


def refusal(error: Fields, *, secrets: Iterable[str] = ()) -> IntegrationError | None:
    """Return the error that a google.rpc.Status in JSON means, None when it says nothing that we know.

    ``secrets`` are credentials that it may quote.
    """
    details = rows(error, "details")
    violations = [one for part in details for one in rows(part, "fieldViolations")]
    reasons = [reason for one in (*violations, *details) if (reason := text(one, "reason", 120))]
    known = next((REASONS[one] for one in reasons if one in REASONS), None)
    found = known or STATUSES.get(text(error, "status", 120) or "")
    if found is None:
        return None
    secrets = [*secrets]
    told = (error.get("message"), *(one.get("description") for one in violations[:MAX_TOLD]))
    words = own_words(*told, secrets=secrets)
    waits = [wait for part in details if (wait := duration_s(part.get("retryDelay"))) is not None]
    return found[0](
        PROVIDER,
        f"{found[1]}: {words}" if words else found[1],
        detail=codes(error, secrets=secrets),
        retry_after=max(waits) if waits else None,
    )


def codes(error: Fields, *, secrets: Sequence[str] = ()) -> str | None:
    """Return the reasons of a google.rpc.Status, each with its field or quota, else its status, None without any."""
    details = rows(error, "details")
    violations = [one for part in details for one in rows(part, "fieldViolations")]
    found = [_code(one, text(one, "field")) for one in violations[:MAX_TOLD]]
    found = found or [_code(one, text(inner(one, "metadata"), "quota_limit")) for one in details]
    shown = "; ".join(part for part in found if part) or text(error, "status", 120) or ""
    return own_words(shown, secrets=secrets)[:MAX_CODES] or None


def _code(item: Fields, place: str | None) -> str:
    """Return a reason with what it is about."""
    reason = text(item, "reason", 120) or ""
    return " at ".join(part for part in (reason, place) if part) if reason or "field" in item else ""
