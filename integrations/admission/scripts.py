"""Typed functions over the Lua scripts, which map arguments to keys and replies to values.

Invariant: this module alone knows the keys in Redis and the order in which a script takes them. Every key begins with
``adm:`` and has an expiry or a bound:

    adm:circuit:<circuit>           hash   state, until, probe, probe_until, changed; counters
    adm:failures:<circuit>          zset   token -> time; fewer than the threshold
    adm:account:<account>           hash   tail, lease_tail, blocked, slow, mean, void
    adm:log:<account>               list   times of the last admissions, newest first; as many as the limit
    adm:slots:<account>             zset   holder -> reserved time; kept until two minutes after it
    adm:share:<account>:<campaign>  zset   the same, of one campaign
    adm:leases:<account>            zset   token -> end of lease
    adm:circuits                    zset   circuit -> last seen; a week

Redis holds times in whole microseconds; this side has seconds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from hashlib import sha1
from importlib.resources import files
from typing import cast

from redis import Redis
from redis.exceptions import NoScriptError

from integrations.admission.circuit import Breaker, BreakerChange, BreakerState, Circuit
from integrations.admission.limit import Limit
from integrations.admission.ticket import Ticket, Verdict

#: A lease is so many seconds longer than the call's own time-out, for the way to Redis and back.
LEASE_MARGIN_S = 5.0

_CIRCUITS = "adm:circuits"


@dataclass(frozen=True, slots=True, kw_only=True)
class AdmitReply:
    """Reply of :meth:`Scripts.admit`."""

    reason: str  #: "admitted", or the reason for a refusal
    at: float
    wait_s: float
    probe: bool
    change: BreakerChange | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusReply:
    """Reply of :meth:`Scripts.status`, with the raw figures of one circuit and its account."""

    at: float
    fields: dict[str, str]
    failures: int
    blocked_until: float
    requests: int
    leases: int
    waiting: int
    slowed_until: float


class Scripts:
    """Scripts that run on one client, which has to decode its answers.

    Errors of redis-py pass through.
    """

    def __init__(self, client: Redis) -> None:
        self._client = client

    def admit(
        self,
        circuit: Circuit,
        *,
        token: str,
        holder: str,
        campaign: str,
        lease_s: float,
        limit: Limit,
        continuation: bool,
        needed: int,
        now: float | None,
    ) -> AdmitReply:
        """Admit the call ``token``, or return the reason for a refusal and how long to wait."""
        name, account = circuit.key, circuit.account_key
        keys = (
            f"adm:circuit:{name}",
            f"adm:account:{account}",
            f"adm:log:{account}",
            f"adm:slots:{account}",
            f"adm:leases:{account}",
            f"adm:share:{account}:{campaign}",
            _CIRCUITS,
        )
        arguments = (
            _test_time(now),
            name,
            token,
            holder,
            _microseconds(lease_s + LEASE_MARGIN_S),
            limit.requests or 0,
            _microseconds(limit.period_s),
            _microseconds(limit.spacing_s),
            limit.share,
            limit.concurrency or 0,
            limit.burst,
            int(continuation),
            needed,
        )
        reason, at, wait, probe = cast("tuple[str, int, int, int]", self._run("admit", keys, arguments))
        change = None
        if probe == 2:
            change = _change(circuit, "open", "half_open", "probe", at)
        return AdmitReply(reason=reason, at=at / 1e6, wait_s=wait / 1e6, probe=probe > 0, change=change)

    def settle(
        self, ticket: Ticket, verdict: Verdict, *, pause_s: float, slow_s: float, now: float | None
    ) -> BreakerChange | None:
        """Record how the call ended, and return the change of state that this caused."""
        name, account = ticket.circuit.key, ticket.circuit.account_key
        breaker = ticket.breaker
        keys = (f"adm:circuit:{name}", f"adm:failures:{name}", f"adm:account:{account}", f"adm:leases:{account}")
        arguments = (
            _test_time(now),
            ticket.token,
            _microseconds(ticket.at),
            verdict.value,
            breaker.failure_threshold,
            _microseconds(breaker.window_s),
            _microseconds(breaker.recovery_timeout_s),
            _microseconds(pause_s),
            int(ticket.leased),
            _microseconds(slow_s),
        )
        at, before, after, reason = cast("tuple[int, str, str, str]", self._run("settle", keys, arguments))
        return _change(ticket.circuit, before, after, reason, at) if after else None

    def reset(self, circuit: Circuit, *, now: float | None) -> BreakerChange | None:
        """Close the circuit, and return the change of state if it was not closed."""
        name = circuit.key
        keys = (f"adm:circuit:{name}", f"adm:failures:{name}")
        at, before = cast("tuple[int, str]", self._run("reset", keys, (_test_time(now),)))
        return _change(circuit, before, "closed", "reset", at) if before else None

    def circuits(self) -> list[Circuit]:
        """Return every circuit that was used in the last week."""
        names: list[str] = self._client.zrange(_CIRCUITS, 0, -1)  # type: ignore[assignment]  # typed for async too
        return [Circuit.parse(name) for name in sorted(names)]

    def status(self, circuit: Circuit, breaker: Breaker, limit: Limit, *, now: float | None) -> StatusReply:
        """Return the raw figures of one circuit and its account."""
        name, account = circuit.key, circuit.account_key
        keys = (
            f"adm:circuit:{name}",
            f"adm:failures:{name}",
            f"adm:account:{account}",
            f"adm:log:{account}",
            f"adm:slots:{account}",
            f"adm:leases:{account}",
        )
        arguments = (_test_time(now), _microseconds(breaker.window_s), _microseconds(limit.period_s))
        at, fields, failures, blocked, requests, leases, waiting, slow = cast(
            "tuple[int, list[str], int, int, int, int, int, int]", self._run("status", keys, arguments)
        )
        return StatusReply(
            at=at / 1e6,
            fields=dict(zip(fields[::2], fields[1::2], strict=True)),
            failures=failures,
            blocked_until=blocked / 1e6,
            requests=requests,
            leases=leases,
            waiting=waiting,
            slowed_until=slow / 1e6,
        )

    def _run(self, name: str, keys: Sequence[str], arguments: Sequence[str | int]) -> object:
        text, digest = _script(name)
        try:
            return self._client.evalsha(digest, len(keys), *keys, *arguments)
        except NoScriptError:  # a Redis that was restarted or flushed; EVAL loads the script
            return self._client.eval(text, len(keys), *keys, *arguments)


@cache
def _script(name: str) -> tuple[str, str]:
    """Return the text of a script with the prelude before it, and its SHA-1."""
    folder = files("integrations.admission")
    text = "\n".join((folder / f"{part}.lua").read_text(encoding="utf-8") for part in ("prelude", name))
    return text, sha1(text.encode(), usedforsecurity=False).hexdigest()


def _microseconds(seconds: float) -> int:
    return round(seconds * 1e6)


def _test_time(now: float | None) -> str | int:
    return "" if now is None else _microseconds(now)


def _change(circuit: Circuit, before: str, after: str, reason: str, at: int) -> BreakerChange:
    return BreakerChange(
        circuit=circuit.key, before=BreakerState(before), after=BreakerState(after), reason=reason, at=at / 1e6
    )
