"""Retry policy of units, and the pure function that decides what follows an error.

Units declare a :class:`RetryPolicy`. :func:`decide` turns an error and what has happened so far into one of

    Retry            try again after a backoff; an attempt is counted
    Defer            try again later; no attempt is counted
    Fallback         use the next fallback at once (the next model, the next verifier)
    Probe            find out an unknown outcome before anything else is sent
    WaitForOperator  keep the unit until a person has acted
    Fail             end the unit with a failed result

and the ledger carries it out. Invariants: the decision depends on its arguments only (jitter comes in as a number). An
outage never fails a unit before ``max_wait_s``. A refusal by admission never counts as an attempt.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from integrations.admission.circuit import Breaker
from integrations.errors import (
    MAX_DELAY_S,
    CircuitOpenError,
    IntegrationError,
    InvalidAnswerError,
    NeedsAttentionError,
    NotFoundError,
    NotNowError,
    OutcomeUnknownError,
    OverBudgetError,
    ProviderUnavailableError,
    TransientError,
    TryAgainError,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """Retries, delays and fallbacks of a unit."""

    max_retries: int = 3  #: retries after the first attempt
    first_delay_s: float = 1.0  #: delay before the first retry, before jitter
    backoff: float = 2.0  #: each further delay is this many times longer
    max_delay_s: float = 300.0  #: upper bound of the computed delay
    probe_delay_s: float = 0.0  #: wait before an unknown outcome is probed
    max_wait_s: float = 86_400.0  #: seconds to wait for an outage to end; 0: used-up retries fail the unit at once
    breaker: Breaker | None = None  #: when the provider's circuit opens; None: the fleet's default
    attend: bool = True  #: whether a refused key, a used-up quota or a full cap waits for a person, or fails the unit
    fallback: tuple[str, ...] = ()  #: fallbacks that the unit's body knows, best first
    last_resort: str | None = None  #: one more fallback, once the unit has waited ``last_resort_after_s``
    last_resort_after_s: float = 3600.0

    def fallbacks_after(self, waited_s: float) -> tuple[str, ...]:
        """Return the fallbacks of a unit that has waited so many seconds, best first."""
        if self.last_resort is None or waited_s < self.last_resort_after_s:
            return self.fallback
        return (*self.fallback, self.last_resort)

    def to_dict(self) -> dict[str, object]:
        """Return the JSON form."""
        return asdict(self)

    @staticmethod
    def from_dict(data: Mapping[str, Any]) -> RetryPolicy:
        """Rebuild the policy that :meth:`to_dict` of any release wrote.

        Missing keys get their default, and unknown keys are left out.
        """
        known = {name: data[name] for name in _FIELDS if name in data}
        breaker = known.get("breaker")
        fallback = tuple(known.get("fallback", ()))
        return RetryPolicy(**{**known, "fallback": fallback, "breaker": Breaker(**breaker) if breaker else None})


_FIELDS = tuple(field.name for field in fields(RetryPolicy))  #: a policy is read with every unit


@dataclass(frozen=True, slots=True)
class Retry:
    """Decision to try again after ``delay_s`` seconds, which counts as an attempt."""

    delay_s: float


@dataclass(frozen=True, slots=True)
class Defer:
    """Decision to try again after ``delay_s`` seconds, which counts as no attempt.

    ``outage`` says that a failure of the provider is the reason.
    """

    delay_s: float
    outage: bool = False


@dataclass(frozen=True, slots=True)
class Fallback:
    """Decision to use the next fallback at once, as this one may work again after ``delay_s`` seconds."""

    delay_s: float


@dataclass(frozen=True, slots=True)
class Probe:
    """Decision to probe an unknown outcome after ``delay_s`` seconds, which counts as no attempt."""

    delay_s: float


@dataclass(frozen=True, slots=True)
class WaitForOperator:
    """Decision to keep the unit until a person has acted."""


@dataclass(frozen=True, slots=True)
class Fail:
    """Decision to end the unit with ``error`` as its failed result."""

    error: IntegrationError


Decision = Retry | Defer | Fallback | Probe | WaitForOperator | Fail


def decide(
    error: IntegrationError,
    attempt: int,
    policy: RetryPolicy,
    *,
    jitter: float = 1.0,
    effect: bool = False,
    unsettled: bool = False,
    probing: bool = False,
    waited_s: float = 0.0,
    more_fallbacks: bool = False,
) -> Decision:
    """Decide what follows ``error``, in which call number ``attempt`` (from 1) ended.

    ``jitter`` is a number in [0, 1] drawn by the caller: full jitter multiplies the exponential
    delay by it (Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015). A
    provider's own ``retry_after`` is kept, up to ``MAX_DELAY_S``. An unknown
    outcome is probed when the unit is an ``effect``, without a bound (how often it is *sent* is bounded
    in ``agents.effects``). A reading unit is retried. A call that the provider wants to be tried again (TryAgainError)
    fails the unit once the retries are used up. ``unsettled``: something that the effect sent
    may have been carried out, so giving up needs a person to look. ``probing``: the call was the probe of a
    half-open breaker, so its failure counts as no attempt. ``waited_s``: seconds since the unit
    was first deferred by an outage. ``more_fallbacks``: a fallback is left.
    """
    if isinstance(error, CircuitOpenError):
        delay_s = _bounded(_or(error.retry_after, policy.first_delay_s))
        return _outage(error, policy, delay_s, unsettled, waited_s, more_fallbacks)
    if isinstance(error, OverBudgetError) and not (policy.attend or unsettled):
        return Fail(error)
    if isinstance(error, NotNowError):
        return Defer(_bounded(_or(error.retry_after, policy.first_delay_s)))
    if isinstance(error, NeedsAttentionError):
        if more_fallbacks and not unsettled:
            return Fallback(policy.max_delay_s)
        return WaitForOperator() if policy.attend or unsettled else Fail(error)
    if isinstance(error, OutcomeUnknownError) and effect:
        return Probe(_bounded(_or(error.retry_after, policy.probe_delay_s)))
    if not isinstance(error, TransientError | OutcomeUnknownError):
        if more_fallbacks and isinstance(error, InvalidAnswerError | NotFoundError):
            return Fallback(policy.max_delay_s)
        return WaitForOperator() if unsettled else Fail(error)
    if probing and error.outage:  # the breaker is open again and will say until when
        return _outage(error, policy, policy.first_delay_s, unsettled, waited_s, more_fallbacks)
    if isinstance(error, TryAgainError) and attempt > policy.max_retries and not more_fallbacks:
        return WaitForOperator() if unsettled else Fail(error)
    if attempt > policy.max_retries:
        # Each wait is as long as all waits before it: the longer an outage lasts, the fewer calls are made.
        least = policy.first_delay_s * policy.backoff**policy.max_retries
        delay_s = max(_or(error.retry_after, 0.0), min(policy.max_delay_s, max(least, waited_s)))
        return _outage(error, policy, _bounded(delay_s), unsettled, waited_s, more_fallbacks)
    if error.retry_after is not None:
        return Retry(_bounded(error.retry_after))
    return Retry(min(policy.max_delay_s, policy.first_delay_s * policy.backoff ** (attempt - 1)) * jitter)


def _outage(
    error: IntegrationError, policy: RetryPolicy, delay_s: float, unsettled: bool, waited_s: float, more_fallbacks: bool
) -> Decision:
    """Decide what follows an outage or used-up retries: a fallback, a wait, or the end after ``max_wait_s``."""
    if more_fallbacks and not unsettled:
        return Fallback(delay_s)
    if waited_s < policy.max_wait_s:
        return Defer(delay_s, outage=True)
    if unsettled:
        return WaitForOperator()
    if policy.max_wait_s <= 0 and not isinstance(error, NotNowError):
        return Fail(error)
    hours = f"{policy.max_wait_s / 3600:g} hours" if policy.max_wait_s >= 3600 else f"{policy.max_wait_s:g} s"
    return Fail(
        ProviderUnavailableError(
            error.provider, f"was not available for {hours}; the last answer: {error.message}", detail=error.code
        )
    )


def _or(value: float | None, default: float) -> float:
    return default if value is None else value


def _bounded(seconds: float) -> float:
    return max(0.0, min(MAX_DELAY_S, seconds))
