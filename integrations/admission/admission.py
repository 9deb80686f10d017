"""Admission of calls to providers: decides for the whole fleet whether a call may start now.

Invariant: a refused call was not sent and costs the caller nothing but time. An admitted call has been counted
against the limits and let through by the breaker, both in one atomic step. Redis holds no state that can't be lost:
while it is down, reading calls go on one at a time and calls with effects wait.
"""

from __future__ import annotations

import logging
import os
import random
import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import ParamSpec, TypeVar

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as NoConnection
from redis.exceptions import RedisError
from redis.retry import Retry

from integrations.admission.circuit import Breaker, BreakerChange, Circuit
from integrations.admission.limit import UNLIMITED, Limit
from integrations.admission.redis_health import RedisHealth
from integrations.admission.refusal import redis_down_error, refusal_error
from integrations.admission.scripts import Scripts
from integrations.admission.status import CircuitStatus, circuit_status
from integrations.admission.ticket import Ticket, Verdict, requested_pause_s, verdict_of
from integrations.errors import MAX_DELAY_S
from integrations.redis_client import redis_pool
from integrations.slowing import heard

logger = logging.getLogger(__name__)

P = ParamSpec("P")
T = TypeVar("T")

#: Connections of one process at most. A script takes well under a millisecond, so threads share connections. Redis'
#: ``maxclients`` (10,000) has to cover this many per worker process beside Celery's.
MAX_CONNECTIONS = 16
#: Redis counts as down when it has not answered for so many seconds.
SOCKET_TIMEOUT_S = 1.0


class _RedisDownError(Exception):
    """Raised when Redis did not answer, or is not tried again yet."""


class Admission:
    """Circuit breakers and rate limits of the whole fleet, safe to use from several threads and after a fork.

    Args:
        redis_url: the Redis in which all processes of the fleet keep breakers and limits.
        breaker: settings of the breaker for calls that bring none of their own.
        limits: limits by provider name. A provider that is not in it has none.
        on_change: called in the calling thread with each change of a circuit's state that this process causes. What it
            raises is logged and never fails a call.
        chance: returns numbers in [0, 1) that spread the times at which refused callers come back.

    ``now`` (epoch seconds) replaces Redis' clock in tests.
    """

    def __init__(
        self,
        redis_url: str,
        *,
        breaker: Breaker,
        limits: Mapping[str, Limit],
        on_change: Callable[[BreakerChange], None] | None = None,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self.breaker = breaker
        self._limits = dict(limits)
        self._on_change = on_change
        self._chance = chance
        self._pool = redis_pool(
            redis_url,
            max_connections=MAX_CONNECTIONS,
            wait_s=SOCKET_TIMEOUT_S,
            socket_timeout=SOCKET_TIMEOUT_S,
            socket_connect_timeout=SOCKET_TIMEOUT_S,
            # A lost connection is made anew at once, but a time-out is not waited for twice. Sending a script again is
            # safe: a token takes one lease and one probe however often it is sent.
            retry=Retry(NoBackoff(), 1, (NoConnection,)),
            decode_responses=True,
            protocol=2,
        )
        self._scripts = Scripts(Redis(connection_pool=self._pool))
        self._redis_health, self._pid = RedisHealth(), os.getpid()

    def admit(
        self,
        circuit: Circuit,
        *,
        holder: str,
        campaign: str,
        effect: bool = False,
        lease_s: float,
        breaker: Breaker | None = None,
        continuation: bool = False,
        needed: int = 1,
        now: float | None = None,
    ) -> Ticket:
        """Admit one call and return its ticket, which goes to :meth:`settle` when the call has ended.

        Args:
            holder: name of the caller, the same at each retry: its reservation is kept under this name.
            campaign: name of the campaign whose share of the limit the reservation counts against.
            effect: whether the call changes the outside world. Such a call is never made unguarded.
            lease_s: seconds that the call can last at most (its own time-out). A caller that was killed holds its
                lease, or the circuit's probe, a few seconds longer and no more.
            continuation: whether an earlier call of the same piece of work was admitted just now, so that a wait would
                waste that work. Such a call needs room within the limit, but no time slot of its own.
            needed: number of calls to be made without a wait between them, as far as the limit allows so many.

        Raises CircuitOpenError when the breaker is open, or half-open with its probe under way. Raises OverLimitError
        when a limit has no room before ``retry_after``: a slot is reserved for then, unless ``detail`` is "share" (the
        campaign has enough reservations), "provider" (it asked for a pause) or "usage" (much of the provider's own
        limit is used: new work waits, a continuation does not). Raises NotNowError with ``detail``
        "admission_away" when Redis is down and the call has effects, or another unguarded call of this process to the
        provider is under way.
        """
        breaker = breaker or self.breaker
        limit = self._limits.get(circuit.provider, UNLIMITED)
        token = secrets.token_hex(8)
        try:
            reply = self._run(
                self._scripts.admit,
                circuit,
                token=token,
                holder=holder,
                campaign=campaign,
                lease_s=lease_s,
                limit=limit,
                continuation=continuation,
                needed=needed,
                now=now,
            )
        except _RedisDownError:
            if not effect and self._health().begin_unguarded(circuit.provider, token, lease_s):
                return Ticket(circuit=circuit, breaker=breaker, token=token, at=0.0, unguarded=True)
            raise redis_down_error(circuit.provider, chance=self._chance()) from None
        if reply.reason != "admitted":
            raise refusal_error(
                circuit.provider, reply.reason, reply.wait_s, breaker=breaker, limit=limit, chance=self._chance()
            )
        self._notify(reply.change)
        return Ticket(
            circuit=circuit,
            breaker=breaker,
            token=token,
            at=reply.at,
            probe=reply.probe,
            leased=limit.concurrency is not None,
        )

    def settle(
        self, ticket: Ticket, error: BaseException | None, *, slow_s: float = 0.0, now: float | None = None
    ) -> None:
        """Record that the call has ended, successfully or in ``error``.

        ``slow_s``: for so many seconds the provider wants no new work; what is under way is carried on. Never raises,
        because the call's own outcome matters more. Sends nothing for a success that holds neither a lease nor the
        probe and asks for nothing.
        """
        if ticket.unguarded:
            self._health().end_unguarded(ticket.circuit.provider, ticket.token)
            return
        verdict, pause_s = verdict_of(error), requested_pause_s(error)
        slow_s = max(0.0, min(MAX_DELAY_S, slow_s))
        if verdict is not Verdict.FAILED and not (ticket.probe or ticket.leased or pause_s or slow_s):
            return
        try:
            change = self._run(self._scripts.settle, ticket, verdict, pause_s=pause_s, slow_s=slow_s, now=now)
        except _RedisDownError:
            return  # leases and probes expire by themselves
        self._notify(change)

    @contextmanager
    def call(
        self,
        circuit: Circuit,
        *,
        holder: str,
        campaign: str,
        effect: bool = False,
        lease_s: float,
        breaker: Breaker | None = None,
        continuation: bool = False,
        needed: int = 1,
    ) -> Iterator[Ticket]:
        """Admit a call and settle it when the ``with`` block ends, by the class of what the block raised."""
        ticket = self.admit(
            circuit,
            holder=holder,
            campaign=campaign,
            effect=effect,
            lease_s=lease_s,
            breaker=breaker,
            continuation=continuation,
            needed=needed,
        )
        with self.settling(ticket):
            yield ticket

    @contextmanager
    def settling(self, ticket: Ticket) -> Iterator[None]:
        """Settle a ticket when the ``with`` block ends, by what it raised and by what the answer asked for."""
        with heard() as wish:
            try:
                yield
            except BaseException as error:
                self.settle(ticket, error, slow_s=wish.seconds)
                raise
        self.settle(ticket, None, slow_s=wish.seconds)

    def limit(self, provider: str) -> Limit:
        """Return the limit of each account of a provider."""
        return self._limits.get(provider, UNLIMITED)

    def status(self, *, now: float | None = None) -> list[CircuitStatus]:
        """Return the status of every circuit used in the last week, ordered by key.

        Raises NotNowError when Redis is down.
        """
        found = []
        for circuit in self._run_or_refuse(self._scripts.circuits):
            limit = self._limits.get(circuit.provider)
            seen = self._run_or_refuse(self._scripts.status, circuit, self.breaker, limit or UNLIMITED, now=now)
            found.append(circuit_status(circuit, limit, seen))
        return found

    def reset(self, provider: str, *, now: float | None = None) -> list[BreakerChange]:
        """Close every circuit of ``provider``, forget its failures and return the changes of state.

        Raises NotNowError when Redis is down.
        """
        changes = []
        for circuit in self._run_or_refuse(self._scripts.circuits):
            if circuit.provider == provider:
                change = self._run_or_refuse(self._scripts.reset, circuit, now=now)
                if change is not None:
                    self._notify(change)
                    changes.append(change)
        return changes

    @property
    def healthy(self) -> bool:
        """Whether Redis answered this process's last command."""
        return self._health().up

    def close(self) -> None:
        """Close the connections, which the next call opens again."""
        self._pool.disconnect()

    def _health(self) -> RedisHealth:
        if self._pid != os.getpid():  # a forked child: the lock may be held by a thread that it doesn't have
            self._redis_health, self._pid = RedisHealth(), os.getpid()
        return self._redis_health

    def _run(self, script: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        health = self._health()
        if not health.should_try():
            raise _RedisDownError
        try:
            reply = script(*args, **kwargs)
        except RedisError as error:
            health.mark_down(error)
            raise _RedisDownError from None
        health.mark_up()
        return reply

    def _run_or_refuse(self, script: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return self._run(script, *args, **kwargs)
        except _RedisDownError:
            raise redis_down_error("redis", chance=self._chance()) from None

    def _notify(self, change: BreakerChange | None) -> None:
        if change is None or self._on_change is None:
            return
        try:
            self._on_change(change)
        except Exception:
            logger.exception("the listener failed on %s", change)
