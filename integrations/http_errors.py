"""What an HTTP answer that is no success means: the table under every provider's own.

Pure: (method, status, headers) → class and seconds to wait. Where a provider's table says nothing:

    400, 405, 413, 422 and other 4xx       BadRequestError
    401, 403                               CredentialsError
    402                                    QuotaExhaustedError
    404, 410                               NotFoundError
    408, 425                               TransientError
    429                                    RateLimitedError, after Retry-After when there is one
    451                                    PolicyRefusedError
    502, 504 to a writing method           OutcomeUnknownError: a gateway gave up, the server behind it may not have
    5xx otherwise                          TransientError
    no answer, or one that can't be read   TransientError to a reading method, OutcomeUnknownError to a writing one

Invariant: total. Whatever a stranger's status or header is, an answer comes out, and it is a finite number or None.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from integrations.errors import (
    BadRequestError,
    CredentialsError,
    IntegrationError,
    NotFoundError,
    OutcomeUnknownError,
    PolicyRefusedError,
    QuotaExhaustedError,
    RateLimitedError,
    TransientError,
)

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})  #: reading ones (RFC 9110 §9.2.1)
DEFAULT_ERRORS: Mapping[int, type[IntegrationError]] = {
    401: CredentialsError,
    402: QuotaExhaustedError,
    403: CredentialsError,
    404: NotFoundError,
    408: TransientError,
    410: NotFoundError,
    425: TransientError,
    429: RateLimitedError,
    451: PolicyRefusedError,
}
#: A gateway gave up on the server behind it: the request may well have been carried out there.
AMBIGUOUS_STATUSES = frozenset({502, 504})


def error_class(
    method: str, status: int, errors: Mapping[int, type[IntegrationError]] | None = None
) -> type[IntegrationError]:
    """The class of an error status (400 and above): the provider's own table ``errors`` first."""
    if errors and status in errors:
        return errors[status]
    if status in DEFAULT_ERRORS:
        return DEFAULT_ERRORS[status]
    if status in AMBIGUOUS_STATUSES and method not in SAFE_METHODS:
        return OutcomeUnknownError
    return TransientError if status >= 500 else BadRequestError


def unanswered(provider: str, method: str, text: str) -> IntegrationError:
    """The error for a request that was sent and got no answer, or one that nobody can read."""
    return (TransientError if method in SAFE_METHODS else OutcomeUnknownError)(provider, text)


def retry_after(headers: Mapping[str, str], now: datetime | None = None) -> float | None:
    """Seconds of a Retry-After header (RFC 9110 §10.2.3: seconds or an HTTP date), at least 0; None without one."""
    raw = (headers.get("Retry-After") or "").strip()
    if not raw:
        return None
    try:
        seconds = float(raw)
    except ValueError:
        try:
            at = parsedate_to_datetime(raw)
        except (ValueError, TypeError, OverflowError):
            return None
        at = at if at.tzinfo else at.replace(tzinfo=UTC)
        seconds = (at - (now or datetime.now(UTC))).total_seconds()
    return max(0.0, seconds) if math.isfinite(seconds) else None
