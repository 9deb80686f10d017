"""Faults that a test or a demo can switch on for one provider of the sandbox.

``POST /_sandbox/faults`` takes ``provider`` and ``mode``:

    ok            no fault
    down          a 5xx in the provider's own form
    slow          the answer after ``delay`` seconds (default 5); the call is carried out at once
    rate_limited  a refusal in the provider's own form
    lost_reply    the call is carried out, then the connection is dropped
    garbage       the call is carried out, then answered with HTML (DNS: with bytes that are no message)

and, all optional, ``seconds`` (how long; default: until it is cleared), ``rate`` (share of the calls that are hit,
default 1), ``delay`` and ``retry_after``: the seconds that ``down`` and ``rate_limited`` name, in the provider's own
form. Without it a rate limit names what the real one does: OpenAI and web sites 1 s, Facebook 60 s, the others nothing.
``down`` then names nothing.

Invariant: whether a call is hit depends on seed, provider and number of the call only, so that a run with a ``rate``
can be repeated. A fault ends by itself after its ``seconds``.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from integrations.sandbox.protocol import JsonObject
from integrations.sandbox.world import chance

MODES = ("ok", "down", "slow", "rate_limited", "lost_reply", "garbage")
DEFAULT_DELAY_S = 5.0  #: how long a slow answer takes


class FaultError(ValueError):
    """Raised when a fault is requested in a wrong form, with a message that says what would be right."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Fault of one provider."""

    mode: str
    until: float  #: of ``time.monotonic()``; infinity when it lasts until it is cleared
    rate: float = 1.0  #: share of the calls that it hits
    delay_s: float = DEFAULT_DELAY_S  #: only for ``slow``
    retry_after_s: float | None = None  #: only for ``down`` and ``rate_limited``; None: the provider's usual one

    @staticmethod
    def parse(data: JsonObject, now: float) -> Fault:
        """Parse the body of ``POST /_sandbox/faults``.

        Raises FaultError when a value is wrong.
        """
        mode = data.get("mode")
        if mode not in MODES:
            raise FaultError(f"mode={mode!r} is not one of {', '.join(MODES)}")
        seconds = _number(data, "seconds", float("inf"))
        rate = _number(data, "rate", 1.0)
        asked = data.get("retry_after")
        if rate > 1:
            raise FaultError(f"rate={rate!r} is not between 0 and 1")
        return Fault(
            mode=mode,
            until=now + seconds,
            rate=rate,
            delay_s=_number(data, "delay", DEFAULT_DELAY_S),
            retry_after_s=None if asked is None else _number(data, "retry_after", 0.0),
        )


@dataclass(slots=True)
class Faults:
    """Faults that are switched on, by provider."""

    seed: int
    clock: Callable[[], float] = time.monotonic
    _active: dict[str, Fault] = field(default_factory=dict)
    _drawn: dict[str, int] = field(default_factory=dict)

    def set(self, provider: str, fault: Fault) -> None:
        """Switch a fault on, or the provider's fault off when the mode is ``ok``."""
        if fault.mode == "ok":
            self._active.pop(provider, None)
        else:
            self._active[provider] = fault

    def draw(self, provider: str) -> Fault | None:
        """Return the fault that hits the provider's next call, if any."""
        fault = self._active.get(provider)
        if fault is None:
            return None
        if self.clock() >= fault.until:
            del self._active[provider]
            return None
        number = self._drawn[provider] = self._drawn.get(provider, 0) + 1
        return fault if chance("fault", self.seed, provider, number) < fault.rate else None

    def active(self) -> dict[str, str]:
        """Return the modes of the faults that are on now, by provider."""
        now = self.clock()
        return {provider: fault.mode for provider, fault in sorted(self._active.items()) if now < fault.until}

    def clear(self, seed: int) -> None:
        """Switch all faults off and restart the count of calls."""
        self.seed = seed
        self._active.clear()
        self._drawn.clear()


def _number(data: JsonObject, key: str, default: float) -> float:
    value = data.get(key)
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, int | float) or not value >= 0:
        raise FaultError(f"{key}={value!r} is not a number >= 0")
    return float(value)
