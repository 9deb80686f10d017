"""``breaker status|open|close``: the fleet's circuit breakers, and the switch that turns a provider off.

Invariants: turning a provider off is durable (a row in Postgres) and an event with who and why; turning it on also
closes its breakers and wakes what waited. Only providers that there are can be named.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from workers.cli.bulk import actor
from workers.cli.output import clean, console, json_option, note, print_json, say
from workers.cli.wording import moment, span, words

if TYPE_CHECKING:
    from integrations.admission import Admission, CircuitStatus
    from integrations.settings import Settings
    from orchestration.client import Campaigns
    from orchestration.ledger.waiting import FleetEvent, Switch

#: Providers without keys of their own.
_KEYLESS = ("dns", "web")
EVENTS_SHOWN = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """What there is to tell about the circuits of one provider, or of all."""

    redis: bool  #: it answered
    switches: Sequence[Switch]
    circuits: Sequence[CircuitStatus]
    events: Sequence[FleetEvent]  #: newest first

    def document(self) -> dict[str, object]:
        """Return the JSON of the commands: {"redis", "switched_off", "circuits", "history"}."""
        return {
            "redis": self.redis,
            "switched_off": [_switch(one) for one in self.switches],
            "circuits": [_circuit(one) for one in self.circuits],
            "history": [{"at": e.at, "kind": e.kind, "actor": e.actor, "data": dict(e.data)} for e in self.events],
        }


@click.group("breaker")
def breaker_group() -> None:
    """Show circuit breakers and limits, and turn a provider off and on again for the whole fleet."""


@breaker_group.command("status")
@click.argument("provider", required=False)
@json_option
def status(provider: str | None, as_json: bool) -> int:
    """Show the circuits of PROVIDER, or of all."""
    from workers.cli.connection import campaigns

    name = _known(provider) if provider else None
    with campaigns(start=True) as client:
        found = _look(client, name)
    if as_json:
        print_json(found.document())
        return 0
    _print(found)
    return 0


@breaker_group.command("open")
@click.argument("provider")
@click.option("--reason", metavar="TEXT", help="Why, for the others.")
@json_option
def open_breaker(provider: str, reason: str | None, as_json: bool) -> int:
    """Turn PROVIDER off, so that it is not called until it is closed again."""
    from orchestration.ledger.waiting import Deferrals
    from workers.cli.connection import campaigns

    name = _known(provider)
    with campaigns(start=True, acts=True) as client:
        changed = Deferrals(client.database).switch_off(name, actor=actor(), reason=clean(reason or "") or None)
        found = _look(client, name)
    if as_json:
        print_json(found.document())
    elif changed:
        say(f"{name} is off: workers stop calling it within a second; what needs it waits.")
        note(f"Turn it on again: campaigns breaker close {name}")
    else:
        say(f"{name} was off already.")
    return 0


@breaker_group.command("close")
@click.argument("provider")
@json_option
def close_breaker(provider: str, as_json: bool) -> int:
    """Turn PROVIDER on again, forget its failures and wake what waits for it."""
    from integrations.errors import NotNowError
    from orchestration.ledger.waiting import Deferrals
    from workers.cli.connection import campaigns

    name = _known(provider)
    with campaigns(start=True, acts=True) as client:
        deferrals = Deferrals(client.database)
        closed = 0
        breakers = _admission(client.settings)
        if breakers is not None:
            try:
                closed = len(breakers.reset(name))
            except NotNowError:
                note("Redis is away: breakers there could not be closed; they close by themselves once probed.")
            finally:
                breakers.close()
        changed = deferrals.switch_on(name, actor=actor())
        if closed:
            deferrals.note("breaker_closed_by_hand", {"provider": name, "circuits": closed}, actor=actor())
        found = _look(client, name)
    if as_json:
        print_json(found.document())
    elif changed or closed:
        say(f"{name} may be called again; what waited for it looks again now.")
    else:
        say(f"{name} was on, and none of its breakers was open.")
    return 0


def _known(provider: str) -> str:
    """Return the canonical name of a provider.

    Raises BadParameter, which lists what there is.
    """
    from integrations.ads.registry import canonical
    from integrations.provider_registry import provider_specs

    known = {*provider_specs(), *_KEYLESS}
    name = provider.strip().lower()
    name = canonical(name) or name
    if name not in known:
        raise click.BadParameter(
            f"{clean(provider)!r} is no provider; there are {', '.join(sorted(known))}",
            param_hint="PROVIDER",
        )
    return name


def _admission(settings: Settings) -> Admission | None:
    from orchestration.execution.call_guard import admission

    return admission(settings)


def _look(client: Campaigns, provider: str | None) -> _Found:
    from integrations.errors import NotNowError
    from orchestration.ledger.waiting import Deferrals

    deferrals = Deferrals(client.database)
    breakers, there = _admission(client.settings), True
    circuits: list[CircuitStatus] = []
    if breakers is not None:
        try:
            circuits = breakers.status()
        except NotNowError:
            there = False
        finally:
            breakers.close()
    events = [e for e in deferrals.history() if provider is None or provider in str(e.data)]
    return _Found(
        redis=there,
        switches=[one for one in deferrals.switches() if provider in (None, one.provider)],
        circuits=[one for one in circuits if provider in (None, one.circuit.provider)],
        events=events[:EVENTS_SHOWN],
    )


def _switch(one: Switch) -> dict[str, object]:
    return {"provider": one.provider, "reason": one.reason, "by": one.by, "at": one.at}


def _circuit(one: CircuitStatus) -> dict[str, object]:
    limit = one.limit
    return {
        "circuit": one.key,
        "provider": one.circuit.provider,
        "model": one.circuit.model or None,
        "state": one.state.value,
        "failures": one.failures,
        "due_at": _when(one.due_at),
        "probe_held": one.probe_held,
        "admitted": one.admitted,
        "deferred": dict(one.deferred),
        "limit": None
        if limit is None
        else {"requests": limit.requests, "period_s": limit.period_s, "concurrency": limit.concurrency},
        "requests": one.requests,
        "in_flight": one.in_flight,
        "waiting": one.waiting,
        "blocked_until": _when(one.blocked_until),
        "slowed_until": _when(one.slowed_until),
    }


def _when(at: float | None) -> datetime | None:
    return None if at is None else datetime.fromtimestamp(at, UTC)


def _print(found: _Found) -> None:
    from rich.table import Table
    from rich.text import Text

    for switch in found.switches:
        why = f": {clean(switch.reason)}" if switch.reason else ""
        say(f"{switch.provider} is switched off by {clean(switch.by)} since {moment(switch.at)[:16]}{why}")
    if not found.redis:
        note("Redis is away: reading calls go on one at a time, effects wait.")
        return
    if not found.circuits:
        say("No provider has been called in the last week.")
        return
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("Circuit", overflow="fold")
    for name in ("State", "Failures", "Next probe", "Let through", "Refused", "Limit"):
        table.add_column(name, no_wrap=True)
    now = datetime.now(UTC)
    for one in found.circuits:
        state, due = one.state.value, _when(one.due_at)
        colour = {"closed": "green", "open": "bold red"}.get(state, "yellow")
        probe = "" if due is None else f"in {span(max(0.0, (due - now).total_seconds()))}" if due > now else "now"
        table.add_row(
            Text(clean(one.key)), Text(words(state), style=colour), str(one.failures), probe,
            str(one.admitted), str(sum(one.deferred.values())), _limit(one),
        )  # fmt: skip
    console(one_line=True).print(table)


def _limit(one: CircuitStatus) -> str:
    limit = one.limit
    parts = []
    if limit is not None and limit.requests:
        parts.append(f"{one.requests} of {limit.requests} per {span(limit.period_s)}")
    if limit is not None and limit.concurrency:
        parts.append(f"{one.in_flight} of {limit.concurrency} at once")
    for why, until in (("paused", _when(one.blocked_until)), ("slowed down", _when(one.slowed_until))):
        if until is not None:
            parts.append(f"{why} for {span(max(0.0, (until - datetime.now(UTC)).total_seconds()))}")
    return ", ".join(parts)
