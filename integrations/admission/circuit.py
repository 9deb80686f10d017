"""Circuits, which are failure domains of a provider, and the circuit breaker's settings and states.

Invariant: nothing here holds a credential. An account is named by a short hash of what identifies it, which is
enough to keep two accounts apart and to find the same one again from every process.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from math import isfinite

_HASH = re.compile(r"[0-9a-f]{12}")


@dataclass(frozen=True, slots=True)
class Circuit:
    """A failure domain: one account of a provider, and one model where the provider has several.

    The breaker is keyed by all three parts, the limits by provider and account. Build it with :meth:`of`, which hashes
    what identifies the account. Raises ValueError when the provider is no plain name, or ``account`` is no hash (the
    message does not quote it: it may be a key).
    """

    provider: str
    account: str = ""  #: 12 hex digits, or empty: the provider has one account
    model: str = ""  #: of a language model, else empty

    def __post_init__(self) -> None:
        if not self.provider or "/" in self.provider:
            raise ValueError(f"a provider's name is not empty and has no slash: {self.provider!r}")
        if self.account and not _HASH.fullmatch(self.account):
            raise ValueError(f"the account of {self.provider} must be a hash of 12 hex digits: use Circuit.of")

    @classmethod
    def of(cls, provider: str, identity: str = "", *, model: str = "") -> Circuit:
        """Return the circuit of the account that an API key or an account number identifies."""
        account = sha256(identity.encode()).hexdigest()[:12] if identity else ""
        return cls(provider, account, model)

    @classmethod
    def parse(cls, key: str) -> Circuit:
        """Return the circuit that has this :attr:`key`."""
        provider, account, model = (*key.split("/", 2), "", "")[:3]
        return cls(provider, "" if account == "-" else account, model)

    @property
    def account_key(self) -> str:
        """Provider and account, such as ``openai/3fa2b1c04d5e``, which limits are kept by."""
        return f"{self.provider}/{self.account or '-'}"

    @property
    def key(self) -> str:
        """Such as ``openai/3fa2b1c04d5e/gpt-4.1``: what the breaker is kept by."""
        return f"{self.account_key}/{self.model}" if self.model else self.account_key


@dataclass(frozen=True, slots=True)
class Breaker:
    """Settings of a circuit breaker: when a circuit opens and for how long.

    Raises ValueError when a figure is not positive.
    """

    failure_threshold: int = 5  #: failures within the window that open the circuit
    recovery_timeout_s: float = 300.0  #: seconds that a circuit stays open before a probe is let through
    window_s: float = 60.0  #: seconds for which a failure counts; successes in between change nothing

    def __post_init__(self) -> None:
        if self.failure_threshold < 1:
            raise ValueError(f"failure_threshold is at least 1, not {self.failure_threshold}")
        for name in ("recovery_timeout_s", "window_s"):
            value = getattr(self, name)
            if not (value > 0 and isfinite(value)):
                raise ValueError(f"{name} is a positive number of seconds, not {value}")

    @property
    def spread_s(self) -> float:
        """Seconds over which refused callers are spread, so that they don't come back all at once."""
        return min(10.0, self.recovery_timeout_s / 2)


class BreakerState(StrEnum):
    """States of a circuit breaker, which say what calls are let through."""

    CLOSED = "closed"  #: all calls
    OPEN = "open"  #: none
    HALF_OPEN = "half_open"  #: one probe at a time in the whole fleet


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakerChange:
    """A circuit's change of state, reported once, by the process that caused it."""

    circuit: str  #: Circuit.key
    before: BreakerState
    after: BreakerState
    reason: str  #: failures | probe | probe_failed | probe_succeeded | reset
    at: float  #: epoch seconds by Redis' clock
