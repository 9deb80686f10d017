"""How an effect is made once: intents, probes, and senders that wake too late.

An outside system without idempotency keys can't be asked to make something once, so what was sent is never
sent again blindly. Before a creation its intent is committed; an intent without a result is *unknown*, and
whoever comes next looks for the object by its key first. Found: adopted. Not found: looked for again, and only
after two negative looks ``probe_delay_s`` apart, and after the longest moment at which the earlier sender's call
could still arrive, is it sent anew. Three sends that all stay unknown are a person's business.

What an attempt made a moment ago may not be known yet everywhere at the outside system: "does not exist" about it is an
answer to try again after, a bounded number of times. An effect that fails for good takes off what it has made
(:func:`made`).

Invariants: an intent is committed only by the attempt that holds the unit, in the campaign's present line of
work; a sender that was frozen between its intent and its call for longer than ``late_s`` does not send; no
call of an effect is made more than ``late_s`` after its attempt was last seen to hold the unit. What is
promised is "no duplicate that a probe can detect": an object that the outside system has made and does not list
within these times can't be seen. Clocks of the machines are taken to agree within a few seconds.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, TypeVar
from uuid import uuid4

from agents.ports import UnitContext
from integrations.ads.words import named_ids
from integrations.errors import (
    BadRequestError,
    IntegrationError,
    NeedsAttentionError,
    NotFoundError,
    NotNowError,
    OutcomeUnknownError,
    PolicyRefusedError,
    RateLimitedError,
    TryAgainError,
)

T = TypeVar("T")

INTENT = "intent:"  #: + step: {token, at, sends} of the newest creation that was begun
REMOTE = "remote:"  #: + step: the id of what was made or adopted
PROBE = "probe:"  #: + step: {token, at} of the first negative look after an intent
ENDED = "ended:"  #: + token: how the call of an intent ended, where the sender lived to see it
SAID = "said"  #: what the outside system said last to a creation that may have been carried out
SPREADING = "spreading"  #: so often an object made a moment ago was answered not to exist
HELD = "held"  #: when the attempt was last seen to hold the unit

MAX_SENDS = 3  #: of one object, each after negative looks at the one before
SPREAD_S = 120.0  #: what was made longer ago than this is known everywhere
UNSETTLED = "unsettled"  #: ``detail`` of the NeedsAttentionError for what probes can't settle

#: Answers that say nothing was made. Whatever else a creation raises leaves it unknown: a 500, an unreadable answer.
_REFUSALS = (
    BadRequestError,
    PolicyRefusedError,
    NotFoundError,
    NeedsAttentionError,
    RateLimitedError,
    TryAgainError,
    NotNowError,
)
_REFUSED, _UNKNOWN = "refused", "unknown"


class EffectSteps:
    """One attempt at an effect on ``provider``: its journal (``Steps``) and its wire (``Wire``)."""

    def __init__(self, ctx: UnitContext, provider: str, *, ticks: Callable[[], float] | None = None) -> None:
        self._ctx = ctx
        self._provider = provider
        self._ticks = ticks or seconds_since_boot
        self._held_at = float("-inf")  #: when, in ticks, the attempt was last known to hold the unit
        self._sending: str | None = None  #: token of the intent whose call comes next

    def get(self, step: str) -> str | None:
        """Return the id that this or an earlier attempt committed."""
        found = self._ctx.journaled(REMOTE + step)
        return found if isinstance(found, str) else None

    def put(self, step: str, remote_id: str) -> None:
        """Commit the id of what was made or adopted."""
        self._ctx.journal(REMOTE + step, remote_id)

    def intend(self, step: str) -> None:
        """Commit that the object of ``step``, which was looked for and not found, is created by the next call.

        Raises OutcomeUnknownError while an earlier creation of it may still turn up (``retry_after`` says when to look
        again), NeedsAttentionError when too many stayed unknown, and NotNowError when another attempt holds the unit.
        """
        now = self._ctx.clock.now()
        earlier, sends = self._ctx.journaled(INTENT + step), 1
        if earlier is not None:
            ended = self._ctx.journaled(ENDED + earlier["token"])
            sends = int(earlier["sends"])
            if ended != _REFUSED:
                self._settle(step, earlier, ended == _UNKNOWN, now)
                sends += 1
        if sends > MAX_SENDS:
            said = self._ctx.journaled(SAID)
            last = f" (it said last: {said})" if said else ""
            raise NeedsAttentionError(
                self._provider,
                f"{step} was sent {MAX_SENDS} times without an answer and can't be found: look at the platform{last}",
                detail=UNSETTLED,
            )
        token = uuid4().hex[:12]
        ticks = self._ticks()
        self._ctx.intend(INTENT + step, {"token": token, "at": now.isoformat(), "sends": sends})
        self._held_at, self._sending = ticks, token

    def wire(self, send: Callable[[float], T], /) -> T:
        """Make one wire call, which after :meth:`intend` is the creation."""
        token, self._sending = self._sending, None
        try:
            return self._ctx.call(self._provider, lambda timeout: send(self._in_time(timeout, creating=bool(token))))
        except IntegrationError as error:
            if token is not None:
                # Keyed by the intent's own token: one who wakes late can't overwrite what a successor wrote.
                refused = isinstance(error, _REFUSALS)
                if not refused:
                    self._ctx.journal(SAID, error.message)
                self._ctx.journal(ENDED + token, _REFUSED if refused else _UNKNOWN)
            if isinstance(error, NotFoundError) and self._spreads(error):
                raise self._later(error) from None
            raise

    def _spreads(self, error: NotFoundError) -> bool:
        """Return whether what was not found may be an object that this unit made a moment ago."""
        since = self._ctx.clock.now() - timedelta(seconds=SPREAD_S)
        young = [
            remote_id
            for step, remote_id in made(self._ctx.entries).items()
            if datetime.fromisoformat(self._ctx.entries[INTENT + step]["at"]) >= since
        ]
        named = named_ids(error.message)
        return any(not named or remote_id.endswith(named) for remote_id in young)

    def _later(self, error: NotFoundError) -> TryAgainError:
        waits = self._ctx.journaled(SPREADING) or 0
        self._ctx.journal(SPREADING, waits + 1)
        return TryAgainError(self._provider, error.message, detail=error.detail, retry_after=3.0 ** min(waits, 3))

    def _in_time(self, timeout: float, *, creating: bool) -> float:
        """Return ``timeout`` when the attempt surely still holds the unit, as asked at the last moment before sending.

        Raises NotNowError when it may not.
        """
        ticks = self._ticks()
        if ticks - self._held_at > self._ctx.effects.late_s:
            if creating:
                raise NotNowError(self._provider, "woke too late to send what it intended; looks first")
            self._ctx.intend(HELD, self._ctx.clock.now().isoformat())
            self._held_at = ticks
        return timeout

    def _settle(self, step: str, intent: Mapping[str, Any], sender_lived: bool, now: datetime) -> None:
        """Check that an intent without a result can be taken for not carried out.

        Raises OutcomeUnknownError as long as it can't, and says when to look again.
        """
        rules, sent = self._ctx.effects, datetime.fromisoformat(intent["at"])
        # Of a sender that died or froze we know only when its call must have ended.
        safe = sent if sender_lived else sent + timedelta(seconds=rules.late_s + rules.call_timeout_s)
        look = self._ctx.journaled(PROBE + step)
        if look is None or look["token"] != intent["token"]:
            self._ctx.intend(PROBE + step, {"token": intent["token"], "at": now.isoformat()})
            looks, due = 1, max(safe, now + timedelta(seconds=rules.probe_delay_s))
        else:
            first = datetime.fromisoformat(look["at"])
            looks, due = 2, max(safe, first + timedelta(seconds=rules.probe_delay_s))
            if now >= due:
                return
        raise OutcomeUnknownError(
            self._provider,
            f"{step} may have been made and was not found at look {looks}",
            detail=UNSETTLED,
            retry_after=max(0.0, (due - now).total_seconds()),
        )


def made(journal: Mapping[str, Any]) -> dict[str, str]:
    """Return what the attempts of this journal made themselves, by step, without what they found there."""
    found = {entry.removeprefix(REMOTE): value for entry, value in journal.items() if entry.startswith(REMOTE)}
    return {step: value for step, value in found.items() if isinstance(value, str) and INTENT + step in journal}


def unsettled(journal: Mapping[str, Any]) -> list[str]:
    """Return the steps that may have been carried out at the platform although the journal knows no id."""
    return sorted(
        step
        for entry, intent in journal.items()
        if entry.startswith(INTENT)
        and not isinstance(journal.get(REMOTE + (step := entry.removeprefix(INTENT))), str)
        and journal.get(ENDED + intent["token"]) != _REFUSED
    )


def taken_off(journal: Mapping[str, Any]) -> dict[str, Any]:
    """Return the journal entries after everything that was :func:`made` has been removed: it may be made again."""
    gone = made(journal)
    refused = {ENDED + journal[INTENT + step]["token"]: _REFUSED for step in gone}
    return {**{REMOTE + step: None for step in gone}, **refused}


def settling_entries(journal: Mapping[str, Any], step: str, remote_id: str | None) -> dict[str, Any]:
    """Return the journal entries that settle ``step`` by a person's word.

    ``remote_id`` is the id of its object at the platform, None when it was not made.
    """
    if remote_id is not None:
        return {REMOTE + step: remote_id}
    return {ENDED + journal[INTENT + step]["token"]: _REFUSED}


def seconds_since_boot() -> float:
    """Return the seconds of a clock that is never set and that (on Linux) goes on while the machine sleeps."""
    boot: int | None = getattr(time, "CLOCK_BOOTTIME", None)
    return time.clock_gettime(boot) if boot is not None else time.monotonic()
