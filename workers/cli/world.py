"""``world show|set``: whether this database is of the sandbox or live, and the only way to change that.

Invariant: a change is refused while campaigns of the world that is left are unfinished, is said in words before it is
made, and is an event in the fleet's history with its actor.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from workers.cli.bulk import actor
from workers.cli.output import clean, console, json_option, note, print_json, say
from workers.cli.wording import amounts, count, moment

if TYPE_CHECKING:
    from integrations.settings import Settings
    from orchestration.client import Campaigns
    from orchestration.ledger.database import Database
    from workers.cli.finding import Finding

_MEANS = {
    "live": (
        "From now on every new campaign of this database reaches the real providers: what it publishes is public, and "
        "what it spends is real money. Ads ask for approval unless a campaign says otherwise."
    ),
    "sandbox": (
        "From now on every new campaign of this database is simulated: nothing is published or spent, and ads ask for "
        "no approval unless a campaign says so."
    ),
}
_BESIDE = (
    "Campaigns that have ended keep their world and are never continued in another one; each world's money stands by "
    "itself. Workers, beat and Flower that run now stop working for this database: start them again with "
    "MARKETING_MODE={mode}."
)


@click.group("world")
def world_group() -> None:
    """Show whether this database is of the sandbox or live, and change it."""


@world_group.command("show")
@json_option
def show_world(as_json: bool) -> int:
    """Show the database's world, since when, and who made it so."""
    from workers.cli.connection import campaigns

    with campaigns(start=True) as client:
        document, row, here = _document(client), client.world.read(), client.world.mode
    if as_json:
        print_json(document)
        return 0
    say(f"This database is {row.mode}, since {moment(row.since)} UTC (by {clean(row.by)}).")
    if here is not row.mode:
        note(f"MARKETING_MODE here is {here}: this shell can only read.")
    return 0


@world_group.command("set")
@click.argument("mode", type=click.Choice(("sandbox", "live")))
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
def set_world(mode: str, yes: bool, as_json: bool) -> int:
    """Make this database one of the sandbox, or live.

    Refused while campaigns of the other world are unfinished.
    """
    from integrations.settings import Mode
    from orchestration.ledger.world import WrongWorldError, in_the_way
    from workers.cli.connection import campaigns
    from workers.cli.verbs import asks

    wanted = Mode(mode)
    with campaigns(start=True) as client:
        now = client.world.read().mode
        if now is not wanted:
            if number := client.world.unfinished(wanted):
                raise WrongWorldError(in_the_way(number, now))
            if not as_json:
                change = f"This database is {now}, and becomes {wanted}."
                console().print("\n".join((change, _MEANS[mode], _BESIDE.format(mode=mode), *_still_on_air(client))))
            if not yes:
                if as_json or not asks():
                    raise click.UsageError(f"This would make a {now} database {wanted}; add --yes to do it")
                if not click.confirm(f"Make this database {wanted}?"):
                    say("Nothing was changed.")
                    return 0
        changed = client.world.change(wanted, actor=actor())
        document = _document(client)
    if as_json:
        print_json({**document, "changed": changed})
    else:
        say(f"This database is {wanted} now." if changed else f"This database is {wanted} already.")
    return 0


def _still_on_air(client: Campaigns) -> list[str]:
    """Return what is to be said when ads of campaigns that have ended may still run in the world that is left."""
    running = client.spend()["today"]["ads_per_day"]
    if not running:
        return []
    return [
        f"Ads of campaigns that have ended may still run ({amounts(running)} a day): cancel those campaigns first, for "
        "in the other world no verb reaches them."
    ]


def _document(client: Campaigns) -> dict[str, object]:
    """Return {"mode", "since", "by", "process": this shell's mode, "history": [{"at", "actor", "from", "to"}]}."""
    from orchestration.ledger.waiting import Deferrals
    from orchestration.ledger.world import CHANGED

    row = client.world.read()
    events = [one for one in Deferrals(client.database).history(limit=10_000) if one.kind == CHANGED]
    return {
        "mode": row.mode,
        "since": row.since,
        "by": row.by,
        "process": client.world.mode,
        "history": [{"at": one.at, "actor": one.actor, **one.data} for one in events],
    }


def world_findings(database: Database, settings: Settings) -> list[Finding]:
    """Return what doctor says: the database's world, and whether this shell is of it."""
    from orchestration.ledger.world import World, WrongWorldError
    from workers.cli.finding import Finding

    world = World(database, settings.mode)
    row = world.read()
    told = [Finding("World", "ok", f"{row.mode}, since {moment(row.since)} UTC (by {row.by})")]
    if number := world.unfinished(row.mode):
        text = f"{count(number, 'campaign')} of the other world unfinished: workers of this database leave them alone"
        told.append(Finding("World", "warning", text))
    try:
        world.require()
    except WrongWorldError as error:
        told.append(Finding("World", "warning", f"{error}; until then this shell can only read"))
    return told
