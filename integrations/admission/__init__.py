"""Admission control: circuit breakers and rate limits of the whole fleet, checked before every call to a provider.

One atomic script in Redis decides for all processes, by Redis' clock (:mod:`~integrations.admission.admission`).
Invariants: once a circuit is open, only calls already under way and one probe per recovery reach the provider; in no
window of a limit's period are more calls admitted than it allows; a caller that has to wait for a limit is told its
own time. Admission knows holders and campaigns as names only.
"""

from integrations.admission.admission import Admission
from integrations.admission.circuit import Breaker, BreakerChange, BreakerState, Circuit
from integrations.admission.limit import Limit
from integrations.admission.published import limits_from_env, published_limits
from integrations.admission.status import CircuitStatus
from integrations.admission.ticket import Ticket

__all__ = [
    "Admission",
    "Breaker",
    "BreakerChange",
    "BreakerState",
    "Circuit",
    "CircuitStatus",
    "Limit",
    "Ticket",
    "limits_from_env",
    "published_limits",
]
