"""Why a call may not start now, as an error with the caller's own time to come back.

Invariant: two callers refused for the same cause are not told the same moment. A slot in time is the caller's own
already; everything else is spread by chance.
"""

from __future__ import annotations

from integrations.admission.circuit import Breaker
from integrations.admission.limit import Limit
from integrations.errors import CircuitOpenError, NotNowError, OverLimitError

#: For so long nobody asks a Redis that did not answer.
AWAY_S = 1.0

_LIMITS = {
    "rate": "the limit of requests has no room yet",
    "concurrency": "as many calls as allowed are under way",
    "early": "it is not yet the time that was reserved",
    "share": "the campaign has reserved as much as it may",
    "provider": "it asked for a pause",
}


def refusal(provider: str, reason: str, wait_s: float, *, breaker: Breaker, limit: Limit, chance: float) -> NotNowError:
    """The error for ``reason``, one of the words that ``admit.lua`` returns beside "admitted", with its ``wait_s``.

    ``chance`` in [0, 1] spreads the callers. ``detail`` is the reason.
    """
    if reason in ("open", "half_open"):
        # Half-open: nobody knows when the probe will end. Those who come early are refused once more.
        retry_after = (
            wait_s + chance * breaker.spread_s if reason == "open" else (0.1 + 0.9 * chance) * breaker.spread_s
        )
        message = "its circuit is open" if reason == "open" else "its circuit is open and being probed"
        return CircuitOpenError(provider, message, detail=reason, retry_after=retry_after)
    if reason == "provider":
        wait_s += chance * min(5.0, 0.5 + wait_s / 10)
    elif reason == "share":
        wait_s += chance * limit.spacing_s
    return OverLimitError(provider, _LIMITS[reason], detail=reason, retry_after=wait_s)


def away(provider: str, *, chance: float) -> NotNowError:
    """The error of a call that may not go on without the fleet's limits and breakers."""
    message = "the fleet's limits and breakers can't be asked"
    return NotNowError(provider, message, detail="admission_away", retry_after=AWAY_S * (1 + chance / 2))
