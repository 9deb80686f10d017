"""What a provider itself says of our access: one cheap, free, reading question each.

``campaigns doctor --online`` asks it through the provider's real client, but outside the fleet's admission: it takes no
slot of a limit, no failure of it counts for a breaker, and an open breaker doesn't stop it. A spec names its question
as ``ProviderSpec.online`` (docs/extending.md). Invariants: a question changes nothing and costs nothing; no key and no
address of a person is in what comes back; a provider that isn't configured is not asked.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from integrations.ads.words import own_words
from integrations.errors import (
    CredentialsError,
    IntegrationError,
    InvalidAnswerError,
    NotFoundError,
    OutOfReachError,
    QuotaExhaustedError,
    RateLimitedError,
    TransientError,
)
from integrations.provider_specs import ProviderSpec
from integrations.settings import Settings
from integrations.values import MAX_INTEGER

#: Days before its end from which on a version of an API is warned about.
VERSION_WARNING_DAYS = 60

State = Literal["ok", "warning", "wrong"]


@dataclass(frozen=True, slots=True, kw_only=True)
class OnlineCheck:
    """What a provider that is there and takes the credentials answers to the question."""

    asked: bool = True  #: False: it can't be asked here, for what ``notes`` say
    rights: tuple[str, ...] = ()  #: scopes, permissions or roles that the credentials have
    lacking: tuple[str, ...] = ()  #: those that are needed and are missing
    account: str = ""  #: plan, currency and the like, in words
    remaining: str = ""  #: what the provider says is left, in words
    version: str = ""  #: of the API that is asked
    version_ends: date | None = None  #: about when the provider stops serving it; None: it doesn't say
    problems: tuple[str, ...] = ()  #: why calls would fail, in words
    notes: tuple[str, ...] = ()  #: what may be wrong, in words


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Standing of one provider, where None means that nothing is known."""

    provider: str
    state: State
    configured: bool
    missing: tuple[str, ...] = ()  #: variables to set
    reachable: bool | None = None  #: it answered as itself, in time
    accepted: bool | None = None  #: it takes the credentials
    check: OnlineCheck | None = None
    problems: tuple[str, ...] = ()  #: in words, the worst first
    notes: tuple[str, ...] = ()


def ask(spec: ProviderSpec, settings: Settings, *, timeout_s: float, today: date) -> Standing:
    """Ask one provider, with ``timeout_s`` for each request of its question."""
    provider = settings.provider(spec.name)
    if provider.missing:
        begun = any(provider.credentials.values())
        told = f"set {', '.join(provider.missing)}"
        return Standing(
            provider=spec.name,
            state="wrong" if begun else "warning",
            configured=False,
            missing=provider.missing,
            problems=(told,) if begun else (),
            notes=() if begun else (told,),
        )
    if spec.online is None:
        note = "nothing can be asked of it here"
        return Standing(provider=spec.name, state="ok", configured=True, notes=(note,))
    try:
        check = spec.online(settings, timeout_s)
    except IntegrationError as error:
        return _failed(spec, error)
    problems = (*_lacking(check), *check.problems)
    notes = (*check.notes, *_ending(spec, check, today))
    return Standing(
        provider=spec.name,
        state="wrong" if problems else "warning" if notes else "ok",
        configured=True,
        reachable=True if check.asked else None,
        accepted=True if check.asked else None,
        check=check,
        problems=problems,
        notes=notes,
    )


def _failed(spec: ProviderSpec, error: IntegrationError) -> Standing:
    """Return the standing of a provider whose answer was an error, or none."""
    more = error.detail if error.detail and error.detail not in error.message else ""
    told = f"{error.message} ({more})" if more else error.message
    if isinstance(error, RateLimitedError):
        return Standing(provider=spec.name, state="warning", configured=True, reachable=True, notes=(told,))
    if isinstance(error, CredentialsError):
        told = f"{told}; look at {', '.join(spec.credentials.values())}"
    elif isinstance(error, TransientError | InvalidAnswerError | OutOfReachError | NotFoundError):
        told = f"{told}; its address is set by {spec.base_url_variable}"
    accepted = isinstance(error, QuotaExhaustedError) or None
    return Standing(
        provider=spec.name,
        state="wrong",
        configured=True,
        reachable=not isinstance(error, TransientError | InvalidAnswerError | OutOfReachError),
        accepted=False if isinstance(error, CredentialsError) else accepted,
        problems=(told,),
    )


def _lacking(check: OnlineCheck) -> tuple[str, ...]:
    return (f"the credentials lack {', '.join(check.lacking)}",) if check.lacking else ()


def _ending(spec: ProviderSpec, check: OnlineCheck, today: date) -> tuple[str, ...]:
    """Say when the version of the API ends, once that is near."""
    if check.version_ends is None or today + timedelta(days=VERSION_WARNING_DAYS) < check.version_ends:
        return ()
    option = spec.options.get("version")
    where = f"set a newer {option.variable}" if option else "upgrade this program"
    ends = "has ended about" if check.version_ends <= today else "ends about"
    return (f"version {check.version} of the API {ends} {check.version_ends}: {where}",)


def word(found: Mapping[str, object], key: str, most: int = 60) -> str:
    """Return a short text of an answer, without addresses and keys, or "" where there is none."""
    value = found.get(key)
    return own_words(value)[:most] if isinstance(value, str) else ""


def whole(found: Mapping[str, object], key: str) -> int | None:
    """Return a count of an answer, or None where there is none."""
    value = found.get(key)
    counted = isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= MAX_INTEGER
    return int(value) if counted and isinstance(value, int | float) else None


def left(found: Mapping[str, object], remaining: str, total: str, what: str) -> str:
    """Say how much is left, such as "95 of 100 searches", or "" where the answer doesn't tell."""
    count, of = whole(found, remaining), whole(found, total)
    if count is None:
        return ""
    return f"{count} {what}" if of is None else f"{count} of {of} {what}"
