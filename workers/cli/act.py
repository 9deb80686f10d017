"""``act`` and ``undo``: what a person wants done about a campaign's live ads at once, and taking it back.

Invariant: the kinds, their keys and what they do are read off the models of the actions; what may be done is decided by
the client.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from workers.cli.bulk import actor
from workers.cli.output import json_option

if TYPE_CHECKING:
    from agents.state import MarketingAgentState


class _ListsKinds(click.Command):
    """A command whose help ends with the kinds of actions."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write each kind with its keys and what it does."""
        from agents.action_kinds import kinds

        with formatter.section("Kinds, with their keys ([]: may be left out)"):
            for number, kind in enumerate(kinds().values()):
                if number:
                    formatter.write_paragraph()
                formatter.write_text(f"{kind.name}  {kind.form}")
                with formatter.indentation():
                    formatter.write_text(kind.does)
        with formatter.section("For example"):
            for example in (
                "campaigns act ID pause_ad platform=facebook ad=ad.2",
                "campaigns act ID shift_budget moves='{facebook: 12, linkedin: 8}'",
                "campaigns act ID bid platform=facebook cap=2.50",
                "campaigns act ID schedule platform=google end=2026-12-20T18:00Z",
                "campaigns act ID new_variant platform=facebook "
                "headlines='[Ask your team]' descriptions='[Free trial.]'",
            ):
                formatter.write_text(example)


@click.command("act", cls=_ListsKinds)
@click.argument("campaign_id", metavar="ID")
@click.argument("kind", metavar="[KIND", required=False)
@click.argument("keys", metavar="KEY=VALUE...]", nargs=-1)
@click.option("--proposal", metavar="ACTION", help="Carry out an action that was proposed (`campaigns actions ID`).")
@json_option
def act_command(campaign_id: str, kind: str | None, keys: tuple[str, ...], proposal: str | None, as_json: bool) -> int:
    """Change a campaign's live ads on their platforms, at once.

    Waits until it is done. Values are read as YAML: lists as [a, b].
    """
    from workers.cli.carried_out import carried_out
    from workers.cli.connection import campaigns

    if (kind is None) == (proposal is None):
        raise click.UsageError("Say what to do: a KIND with its keys, or --proposal ACTION")
    given = {} if kind is None else _given(keys)
    if kind is not None:
        _check(kind, given)
    with campaigns(start=True, acts=True) as client:
        handle = client.get(campaign_id)
        wanted = proposal if kind is None else completed({"kind": kind, **given}, handle.state)
        action_id = handle.act(wanted or "", actor=actor())
        if not action_id:
            raise click.UsageError("that is the budget already, or no ads run yet; see: campaigns budget ID")
        return carried_out(client, handle, action_id, undo=False, as_json=as_json)


@click.command("undo")
@click.argument("campaign_id", metavar="ID")
@click.argument("action_id", metavar="ACTION")
@json_option
def undo_command(campaign_id: str, action_id: str, as_json: bool) -> int:
    """Put back what an action has changed on the platforms.

    `campaigns actions ID` lists them; the beginning of an action's id is enough. Waits until it is done.
    """
    from workers.cli.carried_out import carried_out
    from workers.cli.connection import campaigns

    with campaigns(start=True, acts=True) as client:
        handle = client.get(campaign_id)
        return carried_out(client, handle, handle.undo(action_id, actor=actor()), undo=True, as_json=as_json)


def completed(keys: dict[str, object], state: MarketingAgentState) -> dict[str, object]:
    """Return an order's keys in full: platforms by their own names, the campaign's currency, and amounts as moves.

    ``moves: {facebook: 12}`` is the daily budget after the move; the one before it is what runs now.
    """
    from agents.action_kinds import CURRENCY, kinds
    from agents.ad_management.daily_budgets import standing

    found = dict(keys)
    if isinstance(found.get("platform"), str):
        found["platform"] = _own_name(found["platform"])
    if CURRENCY in kinds()[str(keys["kind"])].keys:
        found.setdefault(CURRENCY, state.campaign_config.currency)
    if isinstance(moves := found.get("moves"), dict):
        runs = standing(state)
        named = {_own_name(name): move for name, move in moves.items()}
        found["moves"] = {
            name: move if isinstance(move, dict) else {"before": str(runs.get(name, 0)), "after": str(move)}
            for name, move in named.items()
        }
    return found


def _own_name(given: object) -> str:
    from integrations.ads.registry import canonical

    return canonical(str(given)) or str(given)


def _given(keys: Sequence[str]) -> dict[str, object]:
    from workers.cli.files import from_yaml

    found: dict[str, object] = {}
    for one in keys:
        key, separator, text = one.partition("=")
        name = key.strip()
        if not separator or not name:
            raise click.UsageError(f"{one!r}: write KEY=VALUE, for example ad=ad.2")
        if name in found:
            raise click.UsageError(f"{name} is given twice")
        found[name] = from_yaml(text, name)
    return found


def _check(kind: str, given: dict[str, object]) -> None:
    """Refuse what has no such name before a service is looked for."""
    from agents.action_kinds import wrong

    problem = wrong(kind, given)
    if problem:
        raise click.UsageError(problem)
