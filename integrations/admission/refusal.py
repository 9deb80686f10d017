"""Errors for calls that may not start now, each with the caller's own time to retry.

Invariant: two callers refused for the same cause are not given the same time. A reserved slot belongs to one caller;
everything else is spread at random.
"""

from __future__ import annotations

from integrations.admission.circuit import Breaker
from integrations.admission.limit import Limit
from integrations.errors import CircuitOpenError, NotNowError, OverLimitError

#: A process tries a Redis that did not answer again after so many seconds.
REDIS_RETRY_S = 1.0

_LIMITS = {
    "rate": "the limit of requests has no room yet",
    "concurrency": "as many calls as allowed are under way",
    "early": "it is not yet the time that was reserved",
    "share": "the campaign has reserved as much as it may",
    "provider": "it asked for a pause",
    "usage": "much of its own limit is used, so no new work begins",
}


def refusal_error(
    provider: str, reason: str, wait_s: float, *, breaker: Breaker, limit: Limit, chance: float
) -> NotNowError:
    """Return the error for a refusal by ``admit.lua``, whose ``reason`` becomes the ``detail``.

    ``wait_s`` is the script's wait in seconds, and ``chance`` in [0, 1] spreads the callers.
    """
    if reason in ("open", "half_open"):
        # Half-open: the probe's end is not known. Callers that come back before it are refused once more.
        retry_after = (
            wait_s + chance * breaker.spread_s if reason == "open" else (0.1 + 0.9 * chance) * breaker.spread_s
        )
        message = "its circuit is open" if reason == "open" else "its circuit is open and being probed"
        return CircuitOpenError(provider, message, detail=reason, retry_after=retry_after)
    if reason in ("provider", "usage"):
        wait_s += chance * min(5.0, 0.5 + wait_s / 10)
    elif reason == "share":
        wait_s += chance * limit.spacing_s
    return OverLimitError(provider, _LIMITS[reason], detail=reason, retry_after=wait_s)


def redis_down_error(provider: str, *, chance: float) -> NotNowError:
    """Return the error for a call that may not start while limits and breakers can't be read."""
    message = "the fleet's limits and breakers can't be asked"
    return NotNowError(provider, message, detail="admission_away", retry_after=REDIS_RETRY_S * (1 + chance / 2))
