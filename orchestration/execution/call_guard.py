"""Admission of every wire call: the kill switches, then the fleet's rate limits and circuit breakers.

Turns what a unit calls (a provider, perhaps a model or a host of it) into the circuit that fails by itself, and the
unit into the holder of a slot in time. Invariants: a provider that a person has switched off is never called, also
when Redis has lost its data; a refused call has sent nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256

from integrations.admission import Admission, Breaker, BreakerChange, Circuit, Ticket, limits_from_env, published_limits
from integrations.errors import CircuitOpenError, OverLimitError
from integrations.settings import Settings

SWITCHED_OFF_S = 60.0  #: how often units look whether a switch was thrown back; throwing it wakes them too

#: Shorter than ``EffectRules.late_s``: an effect that has committed its intent must not come late for it.
LONGEST_PAUSE_S = 2.0

#: What tells accounts of one provider apart; the address where no credential does.
_IDENTITIES = ("ad_account_id", "api_key", "access_token")


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Unit that wants to call, and what it calls for."""

    holder: str  #: the unit, as the owner of a reserved slot
    campaign: str  #: shares of a limit are kept apart by campaign
    effect: bool
    timeout_s: float  #: the call ends by then
    made: int = 0  #: calls that the unit has made in this attempt; a wait would have it make them again
    breaker: Breaker | None = None  #: of the unit's policy; None: the fleet's default
    needed: int = 1  #: so many calls it makes in one attempt, as far as it has learnt


class CallGuard:
    """Admits the wire calls of one process: without an ``admission`` only the kill switches are looked at."""

    def __init__(
        self,
        settings: Settings,
        admission: Admission | None = None,
        *,
        switched_off: Callable[[], Mapping[str, str] | frozenset[str]] = frozenset,
    ) -> None:
        self._admission = admission
        self._switched_off = switched_off
        self._accounts = {name: account_of(settings, name) for name in settings.providers}

    @property
    def healthy(self) -> bool:
        """Whether the limits and breakers of the fleet answer."""
        return self._admission is None or self._admission.healthy

    @contextmanager
    def call(self, caller: Caller, provider: str, scope: str = "") -> Iterator[bool]:
        """Admit one call for as long as the context lasts, and say whether it is a half-open breaker's probe.

        Raises NotNowError (CircuitOpenError, OverLimitError) when the call may not go out now. What is raised inside is
        told to the breaker by its class.
        """
        if provider in self._switched_off():
            raise CircuitOpenError(provider, "is switched off by hand", detail="switch", retry_after=SWITCHED_OFF_S)
        if self._admission is None:
            yield False
            return
        ticket = self._admit(self._admission, caller, Circuit(provider, self._accounts.get(provider, ""), scope))
        with self._admission.settling(ticket):
            yield ticket.probe

    def _admit(self, admission: Admission, caller: Caller, circuit: Circuit) -> Ticket:
        """Return the ticket of an admitted call.

        Where a limit is smaller than what the unit does in one go, it waits here for its next slot, a second or two,
        because giving up would have it repeat its calls for ever.
        """
        continuation = caller.made > 0
        small = (admission.limit(circuit.provider).requests or caller.needed) < caller.needed
        while True:
            try:
                return admission.admit(
                    circuit,
                    holder=caller.holder,
                    campaign=caller.campaign,
                    effect=caller.effect,
                    lease_s=caller.timeout_s,
                    breaker=caller.breaker,
                    continuation=continuation,
                    needed=max(1, caller.needed - caller.made),
                )
            except OverLimitError as error:
                if not (small and continuation and (error.retry_after or 0.0) <= LONGEST_PAUSE_S):
                    raise
                time.sleep(error.retry_after or 0.0)


def admission(settings: Settings, *, on_change: Callable[[BreakerChange], None] | None = None) -> Admission | None:
    """Return the fleet's breakers and limits under these settings, or None where no Redis is named.

    Raises SettingsError when a limit can't be read.
    """
    limits = limits_from_env(settings.limits, published_limits() if settings.limits_published else {})
    if settings.redis_url is None:
        return None
    breaker = Breaker(
        failure_threshold=settings.breaker_failure_threshold, recovery_timeout_s=settings.breaker_recovery_timeout_s
    )
    return Admission(settings.redis_url, breaker=breaker, limits=limits, on_change=on_change)


def account_of(settings: Settings, provider: str) -> str:
    """Return 12 hex digits that tell the account at ``provider`` from others, or "" when it has no settings."""
    found = settings.providers.get(provider)
    if found is None:
        return ""
    named = next((found.credentials[name] for name in _IDENTITIES if found.credentials.get(name)), "")
    return sha256(f"{found.base_url}\x1f{named}".encode()).hexdigest()[:12]
