"""May this call start now? One answer for the whole fleet, before every call to a provider.

Invariant: what is refused was not sent and costs the caller nothing but time; what is admitted has been counted
against the limits and let through by the breaker, both in one atomic step. Redis is a guard, not the truth: without
it reading calls go on carefully and calls with effects wait.
"""

from __future__ import annotations

import logging
import os
import random
import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import ParamSpec, TypeVar

from redis import BlockingConnectionPool, Redis
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as NoConnection
from redis.exceptions import RedisError
from redis.retry import Retry

from integrations.admission.circuit import Breaker, BreakerChange, Circuit
from integrations.admission.limit import UNLIMITED, Limit
from integrations.admission.presence import Presence
from integrations.admission.refusal import away, refusal
from integrations.admission.scripts import Scripts
from integrations.admission.status import CircuitStatus, read
from integrations.admission.ticket import Ticket, Verdict, asked_pause_s, verdict_of

logger = logging.getLogger(__name__)

P = ParamSpec("P")
T = TypeVar("T")

#: Connections of one process at most. A question takes well under a millisecond, so threads wait for one rather
#: than each having its own; mind Redis' ``maxclients`` (10,000): this many per worker process beside Celery's.
MAX_CONNECTIONS = 16
#: Redis is away when it has not answered for so many seconds.
SOCKET_TIMEOUT_S = 1.0


class _Away(Exception):
    """Redis did not answer, or is not worth asking yet."""


class Admission:
    """The fleet's circuit breakers and limits. Safe to use from several threads and after a fork.

    Args:
        redis_url: where every process of the fleet keeps them.
        breaker: of the calls that bring none of their own.
        limits: by provider's name; a provider that is not in it has none.
        on_change: told each change of a circuit's state that this process causes, in the calling thread. What it
            raises is logged: a broken listener must not cost a call.
        chance: numbers in [0, 1) that spread those who come back.

    ``now`` (epoch seconds) replaces Redis' clock; for tests only.
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
        self._pool = BlockingConnectionPool.from_url(
            redis_url,
            max_connections=MAX_CONNECTIONS,
            timeout=SOCKET_TIMEOUT_S,
            socket_timeout=SOCKET_TIMEOUT_S,
            socket_connect_timeout=SOCKET_TIMEOUT_S,
            # A lost connection is made anew at once; a time-out is not waited for twice. To ask again is safe: a
            # token takes one lease and one probe however often it is sent.
            retry=Retry(NoBackoff(), 1, (NoConnection,)),
            decode_responses=True,
            protocol=2,
        )
        self._scripts = Scripts(Redis(connection_pool=self._pool))
        self._presence, self._pid = Presence(), os.getpid()

    def admit(
        self,
        circuit: Circuit,
        *,
        holder: str,
        campaign: str,
        effect: bool = False,
        lease_s: float,
        breaker: Breaker | None = None,
        goes_on: bool = False,
        needed: int = 1,
        now: float | None = None,
    ) -> Ticket:
        """Leave to make one call; give the ticket to :meth:`settle` when the call has ended.

        Args:
            holder: who asks, the same each time it comes back: its reservation is kept under this name.
            campaign: whose share of the limit the reservation is part of.
            effect: the call changes the outside world; it is never made unguarded.
            lease_s: no longer than this does the call last (its own time-out). A caller that was killed holds its
                place, or the circuit's probe, a few seconds longer and no more.

            goes_on: an earlier call of the same piece of work was admitted just now, and a wait would undo it: no slot
                of its own is needed, only room within the limit.
            needed: so many calls have to be made without a wait between them (as far as the limit allows so many).

        Raises:
            CircuitOpenError: the breaker lets nobody through.
            OverLimitError: a limit has no room; come back after ``retry_after``, to a slot that is reserved unless
                ``detail`` is "share" (the campaign has enough reservations) or "provider" (it asked for a pause).
            NotNowError: Redis is away (``detail`` "admission_away"), and the call has effects or would not be the only
                one of this process to its provider.
        """
        breaker = breaker or self.breaker
        limit = self._limits.get(circuit.provider, UNLIMITED)
        token = secrets.token_hex(8)
        try:
            reply = self._ask(
                self._scripts.admit,
                circuit,
                token=token,
                holder=holder,
                campaign=campaign,
                lease_s=lease_s,
                limit=limit,
                goes_on=goes_on,
                needed=needed,
                now=now,
            )
        except _Away:
            if not effect and self._here().take(circuit.provider, token, lease_s):
                return Ticket(circuit=circuit, breaker=breaker, token=token, at=0.0, unguarded=True)
            raise away(circuit.provider, chance=self._chance()) from None
        if reply.reason != "admitted":
            raise refusal(
                circuit.provider, reply.reason, reply.wait_s, breaker=breaker, limit=limit, chance=self._chance()
            )
        self._tell(reply.change)
        return Ticket(
            circuit=circuit,
            breaker=breaker,
            token=token,
            at=reply.at,
            probe=reply.probe,
            leased=limit.concurrency is not None,
        )

    def settle(self, ticket: Ticket, error: BaseException | None, *, now: float | None = None) -> None:
        """Note that the call has ended, well or in ``error``. Never raises: the call's own outcome matters more.

        Costs nothing for a success that holds neither lease nor probe.
        """
        if ticket.unguarded:
            self._here().give_back(ticket.circuit.provider, ticket.token)
            return
        verdict, pause_s = verdict_of(error), asked_pause_s(error)
        if verdict is not Verdict.FAILED and not (ticket.probe or ticket.leased or pause_s):
            return
        try:
            change = self._ask(self._scripts.settle, ticket, verdict, pause_s=pause_s, now=now)
        except _Away:
            return  # leases and probes expire by themselves
        self._tell(change)

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
        goes_on: bool = False,
        needed: int = 1,
    ) -> Iterator[Ticket]:
        """``with admission.call(...):`` :meth:`admit` before, :meth:`settle` after, by the class of what was raised."""
        ticket = self.admit(
            circuit,
            holder=holder,
            campaign=campaign,
            effect=effect,
            lease_s=lease_s,
            breaker=breaker,
            goes_on=goes_on,
            needed=needed,
        )
        with self.settling(ticket):
            yield ticket

    @contextmanager
    def settling(self, ticket: Ticket) -> Iterator[None]:
        """``with admission.settling(ticket):`` :meth:`settle` after, by the class of what was raised."""
        try:
            yield
        except BaseException as error:
            self.settle(ticket, error)
            raise
        self.settle(ticket, None)

    def limit(self, provider: str) -> Limit:
        """The limit of a provider's accounts."""
        return self._limits.get(provider, UNLIMITED)

    def status(self, *, now: float | None = None) -> list[CircuitStatus]:
        """Every circuit used in the last week, by key. NotNowError while Redis is away."""
        found = []
        for circuit in self._must(self._scripts.circuits):
            limit = self._limits.get(circuit.provider)
            seen = self._must(self._scripts.status, circuit, self.breaker, limit or UNLIMITED, now=now)
            found.append(read(circuit, limit, seen))
        return found

    def reset(self, provider: str, *, now: float | None = None) -> list[BreakerChange]:
        """Close every circuit of ``provider`` by hand and forget its failures; the changes this made.

        NotNowError while Redis is away.
        """
        changes = []
        for circuit in self._must(self._scripts.circuits):
            if circuit.provider == provider:
                change = self._must(self._scripts.reset, circuit, now=now)
                if change is not None:
                    self._tell(change)
                    changes.append(change)
        return changes

    @property
    def healthy(self) -> bool:
        """False while Redis is away, as far as this process knows: it finds out by asking."""
        return self._here().here

    def close(self) -> None:
        """Close the connections. Using it again opens new ones."""
        self._pool.disconnect()

    def _here(self) -> Presence:
        if self._pid != os.getpid():  # a forked child: the lock may be held by a thread that is not here
            self._presence, self._pid = Presence(), os.getpid()
        return self._presence

    def _ask(self, question: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        presence = self._here()
        if not presence.worth_asking():
            raise _Away
        try:
            answer = question(*args, **kwargs)
        except RedisError as error:
            presence.silent(error)
            raise _Away from None
        presence.answered()
        return answer

    def _must(self, question: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return self._ask(question, *args, **kwargs)
        except _Away:
            raise away("redis", chance=self._chance()) from None

    def _tell(self, change: BreakerChange | None) -> None:
        if change is None or self._on_change is None:
            return
        try:
            self._on_change(change)
        except Exception:
            logger.exception("the listener failed to take note of %s", change)
