"""Default error table of HTTP statuses, for providers whose own table doesn't have the status.

Pure: (method, status, headers) → class and seconds to wait.

    400, 405, 413, 422 and other 4xx       BadRequestError
    401, 403                               CredentialsError
    402                                    QuotaExhaustedError
    404, 410                               NotFoundError
    408, 425                               TransientError
    429                                    RateLimitedError, after Retry-After when there is one
    451                                    PolicyRefusedError
    502, 504 to a writing method           OutcomeUnknownError: the server behind the gateway may have carried it out
    5xx otherwise                          TransientError
    no answer, or an unreadable one        TransientError to a reading method, OutcomeUnknownError to a writing one

Invariant: no status or header of a peer makes these functions raise, and a wait is a finite number or None.
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

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})  #: reading methods (RFC 9110 §9.2.1)
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
#: A gateway got no answer from the server behind it, which may have carried the request out.
AMBIGUOUS_STATUSES = frozenset({502, 504})


def error_class(
    method: str, status: int, errors: Mapping[int, type[IntegrationError]] | None = None
) -> type[IntegrationError]:
    """Return the class for an error status (400 and above), by the provider's own table ``errors`` first."""
    if errors and status in errors:
        return errors[status]
    if status in DEFAULT_ERRORS:
        return DEFAULT_ERRORS[status]
    if status in AMBIGUOUS_STATUSES and method not in SAFE_METHODS:
        return OutcomeUnknownError
    return TransientError if status >= 500 else BadRequestError


def unanswered(provider: str, method: str, text: str) -> IntegrationError:
    """Return the error for a request that was sent and got no answer, or an unreadable one."""
    return (TransientError if method in SAFE_METHODS else OutcomeUnknownError)(provider, text)


def retry_after(headers: Mapping[str, str], now: datetime | None = None) -> float | None:
    """Return the seconds of a Retry-After header, at least 0, or None without one.

    The header holds seconds or an HTTP date (RFC 9110 §10.2.3).
    """
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


def seconds_until(headers: Mapping[str, str], name: str, now: datetime | None = None) -> float | None:
    """Return the seconds, at least 0, until the moment in the header ``name``, or None when it holds none.

    The moment is a Unix time, or of ISO 8601, in UTC where it names no zone.
    """
    raw = (headers.get(name) or "").strip()
    try:
        at = float(raw)
    except ValueError:
        try:
            moment = datetime.fromisoformat(raw)
            at = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
        except (ValueError, OverflowError):
            return None
    seconds = at - (now or datetime.now(UTC)).timestamp()
    return max(0.0, seconds) if math.isfinite(seconds) else None
