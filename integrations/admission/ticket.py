"""The leave to make one call, and what the call's end says about the provider.

Invariant: the verdict is decided by the class of the error alone (``IntegrationError.outage``), so that breaker and
retry policy read the same table.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from integrations.admission.circuit import Breaker, Circuit
from integrations.errors import MAX_DELAY_S, IntegrationError, NotNowError, RateLimitedError


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """One admitted call. Give it back with ``settle``, once; a second time does no harm."""

    circuit: Circuit
    breaker: Breaker
    token: str  #: unique for the call
    at: float  #: when it was admitted, epoch seconds by Redis' clock; 0.0 when unguarded
    probe: bool = False  #: the one call that a half-open circuit lets through
    leased: bool = False  #: it holds a place among the concurrent calls
    unguarded: bool = False  #: admitted without asking anybody, for Redis is away


class Verdict(StrEnum):
    """What a call's end says about its provider."""

    WORKS = "works"  #: it answered, be it with a refusal
    FAILED = "failed"
    NONE = "none"  #: nothing was sent, or the error is of our own making


def verdict_of(error: BaseException | None) -> Verdict:
    """The verdict of a call that ended in ``error``, or well."""
    if error is None:
        return Verdict.WORKS
    if isinstance(error, NotNowError) or not isinstance(error, IntegrationError):
        return Verdict.NONE
    return Verdict.FAILED if error.outage else Verdict.WORKS


def asked_pause_s(error: BaseException | None) -> float:
    """For how many seconds the provider wants no calls from this account; 0 when it didn't say."""
    if isinstance(error, RateLimitedError) and error.retry_after is not None:
        return max(0.0, min(MAX_DELAY_S, error.retry_after))
    return 0.0
