"""The Lua scripts as typed functions: keys and arguments in, replies as values out.

Invariant: here alone is it known where things lie in Redis and in which order a script takes them. Every key begins
with ``adm:`` and has an expiry or a bound:

    adm:circuit:<circuit>           hash   state, until, probe, probe_until, changed; counters
    adm:failures:<circuit>          zset   token -> time; fewer than the threshold
    adm:account:<account>           hash   tail, lease_tail, blocked, mean, void
    adm:log:<account>               list   times of the last admissions, newest first; as many as the limit
    adm:slots:<account>             zset   holder -> reserved time; forgotten two minutes after it
    adm:share:<account>:<campaign>  zset   the same, of one campaign
    adm:leases:<account>            zset   token -> end of lease
    adm:circuits                    zset   circuit -> last seen; a week

Times cross as whole microseconds and are seconds on this side.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from hashlib import sha1
from importlib.resources import files
from typing import Any

from redis import Redis
from redis.exceptions import NoScriptError

from integrations.admission.circuit import Breaker, BreakerChange, BreakerState, Circuit
from integrations.admission.limit import Limit
from integrations.admission.ticket import Ticket, Verdict

#: A call's lease outlives the call's own time-out by this, for the way there and back.
LEASE_MARGIN_S = 5.0

_KNOWN = "adm:circuits"


@dataclass(frozen=True, slots=True, kw_only=True)
class Admitted:
    """Reply to :meth:`Scripts.admit`."""

    reason: str  #: "admitted", or why not
    at: float
    wait_s: float
    probe: bool
    change: BreakerChange | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """Reply to :meth:`Scripts.status`: raw figures of one circuit and its account."""

    at: float
    fields: dict[str, str]
    failures: int
    blocked_until: float
    requests: int
    leases: int
    waiting: int


class Scripts:
    """The scripts on one client that decodes its answers. Errors of redis-py pass through."""

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
        goes_on: bool,
        needed: int,
        now: float | None,
    ) -> Admitted:
        """Admit the call ``token``, or say why not and for how long."""
        name, account = circuit.key, circuit.account_key
        reason, at, wait, probe = self._run(
            "admit",
            (
                f"adm:circuit:{name}",
                f"adm:account:{account}",
                f"adm:log:{account}",
                f"adm:slots:{account}",
                f"adm:leases:{account}",
                f"adm:share:{account}:{campaign}",
                _KNOWN,
            ),
            (
                _given(now),
                name,
                token,
                holder,
                _micro(lease_s + LEASE_MARGIN_S),
                limit.requests or 0,
                _micro(limit.period_s),
                _micro(limit.spacing_s),
                limit.share,
                limit.concurrency or 0,
                limit.burst,
                int(goes_on),
                needed,
            ),
        )
        change = None
        if probe == 2:
            change = _change(circuit, "open", "half_open", "probe", at)
        return Admitted(reason=reason, at=at / 1e6, wait_s=wait / 1e6, probe=probe > 0, change=change)

    def settle(self, ticket: Ticket, verdict: Verdict, *, pause_s: float, now: float | None) -> BreakerChange | None:
        """Note how the call ended; the change of state that this caused."""
        name, account = ticket.circuit.key, ticket.circuit.account_key
        breaker = ticket.breaker
        at, before, after, reason = self._run(
            "settle",
            (f"adm:circuit:{name}", f"adm:failures:{name}", f"adm:account:{account}", f"adm:leases:{account}"),
            (
                _given(now),
                ticket.token,
                _micro(ticket.at),
                verdict.value,
                breaker.failure_threshold,
                _micro(breaker.window_s),
                _micro(breaker.recovery_timeout_s),
                _micro(pause_s),
                int(ticket.leased),
            ),
        )
        return _change(ticket.circuit, before, after, reason, at) if after else None

    def reset(self, circuit: Circuit, *, now: float | None) -> BreakerChange | None:
        """Close the circuit by hand; the change, if it was not closed."""
        name = circuit.key
        at, before = self._run("reset", (f"adm:circuit:{name}", f"adm:failures:{name}"), (_given(now),))
        return _change(circuit, before, "closed", "reset", at) if before else None

    def circuits(self) -> list[Circuit]:
        """Every circuit that was asked for in the last week."""
        names: list[str] = self._client.zrange(_KNOWN, 0, -1)  # type: ignore[assignment]  # typed for async too
        return [Circuit.parse(name) for name in sorted(names)]

    def status(self, circuit: Circuit, breaker: Breaker, limit: Limit, *, now: float | None) -> Seen:
        """The figures of one circuit and its account."""
        name, account = circuit.key, circuit.account_key
        at, fields, failures, blocked, requests, leases, waiting = self._run(
            "status",
            (
                f"adm:circuit:{name}",
                f"adm:failures:{name}",
                f"adm:account:{account}",
                f"adm:log:{account}",
                f"adm:slots:{account}",
                f"adm:leases:{account}",
            ),
            (_given(now), _micro(breaker.window_s), _micro(limit.period_s)),
        )
        return Seen(
            at=at / 1e6,
            fields=dict(zip(fields[::2], fields[1::2], strict=True)),
            failures=failures,
            blocked_until=blocked / 1e6,
            requests=requests,
            leases=leases,
            waiting=waiting,
        )

    def _run(self, name: str, keys: Sequence[str], arguments: Sequence[str | int]) -> Any:
        text, digest = _script(name)
        try:
            return self._client.evalsha(digest, len(keys), *keys, *arguments)
        except NoScriptError:  # a Redis that was restarted or flushed; EVAL teaches it
            return self._client.eval(text, len(keys), *keys, *arguments)


@cache
def _script(name: str) -> tuple[str, str]:
    """Text of a script with the prelude before it, and its SHA-1."""
    folder = files("integrations.admission")
    text = "\n".join((folder / f"{part}.lua").read_text(encoding="utf-8") for part in ("prelude", name))
    return text, sha1(text.encode(), usedforsecurity=False).hexdigest()


def _micro(seconds: float) -> int:
    return round(seconds * 1e6)


def _given(now: float | None) -> str | int:
    return "" if now is None else _micro(now)


def _change(circuit: Circuit, before: str, after: str, reason: str, at: int) -> BreakerChange:
    return BreakerChange(
        circuit=circuit.key, before=BreakerState(before), after=BreakerState(after), reason=reason, at=at / 1e6
    )
