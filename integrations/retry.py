"""What to do about an error: one pure function, one policy, no effects.

Units declare a :class:`RetryPolicy`; :func:`decide` turns an error and the number of attempts so
far into a :class:`Decision`; the ledger carries it out. Invariant: the decision depends on its
arguments only (jitter comes in as a number), so it is tested as a table.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from integrations.errors import IntegrationError, NotNowError, OutcomeUnknownError, TransientError

#: No provider's Retry-After is obeyed beyond this many seconds in one go; it is asked again then.
MAX_DELAY_S = 900.0


class Action(StrEnum):
    """What the ledger does with the unit."""

    RETRY = "retry"  #: back to pending, an attempt is burnt
    DEFER = "defer"  #: back to pending, no attempt is burnt
    PROBE = "probe"  #: the outcome is unknown: look before doing anything
    ATTEND = "attend"  #: a person has to act; the unit is kept for then
    FAIL = "fail"  #: a failed result


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """How often and how fast a unit is tried again."""

    max_retries: int = 3  #: retries after the first attempt
    first_delay_s: float = 1.0  #: delay before the first retry, before jitter
    backoff: float = 2.0  #: each further delay is this many times longer
    max_delay_s: float = 300.0  #: upper bound of the computed delay
    probe_delay_s: float = 0.0  #: wait before an unknown outcome is probed


@dataclass(frozen=True, slots=True)
class Decision:
    """The action, and after how many seconds."""

    action: Action
    delay_s: float = 0.0


def decide(
    error: IntegrationError,
    attempt: int,
    policy: RetryPolicy,
    *,
    jitter: float = 1.0,
    effect: bool = False,
    unsettled: bool = False,
) -> Decision:
    """Decide about ``error``, the outcome of call number ``attempt`` (from 1).

    ``jitter`` is a number in [0, 1] drawn by the caller: full jitter multiplies the exponential
    delay by it (Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015). A
    provider's own ``retry_after`` is honoured as it is, capped at ``MAX_DELAY_S``. An unknown
    outcome is probed when the unit is an ``effect``, as often as it takes (how often it is *sent* is bounded
    in ``agents.effects``); a reading unit is simply asked again. ``unsettled``: something that the effect sent
    may have been carried out, so giving up needs a person to look.
    """
    if isinstance(error, NotNowError):
        return Decision(Action.DEFER, _bounded(error.retry_after or policy.first_delay_s))
    if isinstance(error, OutcomeUnknownError) and effect:
        return Decision(
            Action.PROBE, _bounded(policy.probe_delay_s if error.retry_after is None else error.retry_after)
        )
    retryable = isinstance(error, TransientError | OutcomeUnknownError)
    if not retryable or attempt > policy.max_retries:
        return Decision(Action.ATTEND if unsettled else Action.FAIL)
    if error.retry_after is not None:
        return Decision(Action.RETRY, _bounded(error.retry_after))
    delay = min(policy.max_delay_s, policy.first_delay_s * policy.backoff ** (attempt - 1))
    return Decision(Action.RETRY, delay * jitter)


def _bounded(seconds: float) -> float:
    return max(0.0, min(MAX_DELAY_S, seconds))
