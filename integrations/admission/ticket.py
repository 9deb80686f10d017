"""Tickets of admitted calls, and what the outcome of a call says about its provider.

Invariant: the class of the error alone decides the verdict (``IntegrationError.outage``), so that breaker and retry
policy read the same table.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from integrations.admission.circuit import Breaker, Circuit
from integrations.errors import MAX_DELAY_S, IntegrationError, NotNowError, RateLimitedError


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """Permission to make one call, given back with ``Admission.settle``.

    Settling it twice does no harm.
    """

    circuit: Circuit
    breaker: Breaker
    token: str  #: unique for the call
    at: float  #: when it was admitted, epoch seconds by Redis' clock; 0.0 when unguarded
    probe: bool = False  #: the one call that a half-open circuit lets through
    leased: bool = False  #: it holds a lease of the limit of concurrent calls
    unguarded: bool = False  #: admitted without a check, because Redis is down


class Verdict(StrEnum):
    """What the outcome of a call says about its provider."""

    WORKS = "works"  #: it answered, even if with a refusal
    FAILED = "failed"  #: it failed, which counts for its circuit breaker
    NONE = "none"  #: nothing: the call was not sent, or the error is our own


def verdict_of(error: BaseException | None) -> Verdict:
    """Return the verdict on a call that ended in ``error``, or successfully for None."""
    if error is None:
        return Verdict.WORKS
    if isinstance(error, NotNowError) or not isinstance(error, IntegrationError):
        return Verdict.NONE
    return Verdict.FAILED if error.outage else Verdict.WORKS


def requested_pause_s(error: BaseException | None) -> float:
    """Return the seconds for which the provider wants no calls from this account, 0 when it named none."""
    if isinstance(error, RateLimitedError) and error.retry_after is not None:
        return max(0.0, min(MAX_DELAY_S, error.retry_after))
    return 0.0
