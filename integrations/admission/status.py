"""Status of a circuit, as ``campaigns breaker status``, the doctor and metrics show it.

Invariant: reading the status of a circuit never changes it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from integrations.admission.circuit import BreakerState, Circuit
from integrations.admission.limit import Limit
from integrations.admission.scripts import StatusReply

_DEFERRED = "deferred:"


@dataclass(frozen=True, slots=True, kw_only=True)
class CircuitStatus:
    """Status of one circuit and of its account's limit, with times in epoch seconds by Redis' clock."""

    circuit: Circuit
    state: BreakerState  #: half-open as soon as a probe is due
    failures: int  #: within the breaker's window, while closed
    due_at: float | None  #: when an open or half-open circuit is, or was, to be probed
    probe_held: bool  #: a probe is under way
    admitted: int  #: calls let through since the circuit's first call
    deferred: Mapping[str, int] = field(default_factory=dict)  #: refusals by reason
    limit: Limit | None  #: of the account; None: none is known
    requests: int  #: admitted within the limit's period, of all circuits of the account
    in_flight: int  #: leases of concurrent calls held, of all circuits of the account
    waiting: int  #: reservations of future slots
    blocked_until: float | None  #: the provider asked for a pause until then
    slowed_until: float | None  #: much of the provider's own limit is used: no new work begins before then

    @property
    def key(self) -> str:
        """Key of the circuit, see :attr:`Circuit.key`."""
        return self.circuit.key


def circuit_status(circuit: Circuit, limit: Limit | None, reply: StatusReply) -> CircuitStatus:
    """Return the status of a circuit from the raw figures of the script's reply."""
    fields = reply.fields
    state = BreakerState(fields.get("state", BreakerState.CLOSED))
    due_at = float(fields["until"]) / 1e6 if state is not BreakerState.CLOSED else None
    if due_at is not None and due_at <= reply.at:
        state = BreakerState.HALF_OPEN
    return CircuitStatus(
        circuit=circuit,
        state=state,
        failures=reply.failures,
        due_at=due_at,
        probe_held=float(fields.get("probe_until", 0)) / 1e6 > reply.at,
        admitted=int(fields.get("admitted", 0)),
        deferred={
            name.removeprefix(_DEFERRED): int(value)
            for name, value in sorted(fields.items())
            if name.startswith(_DEFERRED)
        },
        limit=limit,
        requests=reply.requests,
        in_flight=reply.leases,
        waiting=reply.waiting,
        blocked_until=reply.blocked_until if reply.blocked_until > reply.at else None,
        slowed_until=reply.slowed_until if reply.slowed_until > reply.at else None,
    )
