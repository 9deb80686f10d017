"""``schedule list|pause|resume``: campaigns whose ads are measured and improved again and again.

Invariant: a schedule is a campaign that waits for its next optimisation, or is at work between two; pausing it
pauses a waiting campaign, whose ads go on. One that is at work has nothing to pause at that moment, and that is said.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from workers.cli.bulk import Chosen, Verb, actor, apply
from workers.cli.output import clean, console, json_option, print_json, say
from workers.cli.wording import moment, span, state

if TYPE_CHECKING:
    from orchestration.handle import CampaignHandle

some_campaigns = click.argument("campaign_ids", metavar="[ID]...", nargs=-1)


@click.group("schedule")
def schedule_group() -> None:
    """List, pause and resume the schedules by which running ads are optimised."""


@schedule_group.command("list")
@json_option
def list_schedules(as_json: bool) -> int:
    """List schedules, the next to run first."""
    from workers.cli.connection import campaigns

    with campaigns(start=True) as client:
        found = client.reports.schedules()
    if as_json:
        print_json(found)
        return 0
    if not found:
        say("No campaign has a schedule of optimisations.")
        return 0
    from rich.table import Table
    from rich.text import Text

    now = datetime.now(UTC)
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("Campaign", no_wrap=True)
    table.add_column("Name", overflow="fold", ratio=1)
    for name in ("Every", "Next run (UTC)", "Ends", "Status"):
        table.add_column(name, no_wrap=True)
    for one in found:
        at = one["next_run_at"]
        due = "" if at is None else f"{moment(at)[:16]}, in {span(max(0.0, (at - now).total_seconds()))}"
        table.add_row(
            one["campaign_id"],
            Text(clean(one["name"])),
            _every(one["optimize_every"]),
            due,
            moment(one["ends_at"])[:10],
            state(one["status"], one["mode"]),
        )
    console(one_line=True).print(table)
    return 0


@schedule_group.command("pause")
@some_campaigns
@json_option
def pause_schedule(campaign_ids: tuple[str, ...], as_json: bool) -> int:
    """Pause the schedules of campaigns, or all, while the ads go on."""
    return _each(campaign_ids, lambda one: one.pause(actor=actor()), as_json=as_json)


@schedule_group.command("resume")
@some_campaigns
@json_option
def resume_schedule(campaign_ids: tuple[str, ...], as_json: bool) -> int:
    """Resume the schedules of campaigns, or all, and make up once for runs that were missed."""
    return _each(campaign_ids, lambda one: one.resume(actor=actor()), as_json=as_json)


def _each(campaign_ids: tuple[str, ...], verb: Verb, *, as_json: bool) -> int:
    from orchestration.control.verbs import VerbRefusedError
    from workers.cli.connection import campaigns

    with campaigns(start=True, acts=True) as client:
        known = [str(one["campaign_id"]) for one in client.reports.schedules() if one["next_run_at"]]

        def checked(one: CampaignHandle) -> object:
            if one.campaign_id not in known:
                raise VerbRefusedError(
                    f"campaign {one.campaign_id} is {state(one.status)}: no schedule of it waits for its next run"
                )
            return verb(one)

        if campaign_ids:
            chosen = Chosen(tuple(dict.fromkeys(campaign_ids)), many=len(campaign_ids) > 1)
        else:
            chosen = Chosen(known, many=True, by_status=True)
        return apply(client, chosen, checked, as_json=as_json)


def _every(text: str | None) -> str:
    """``P1DT12H`` -> ``36:00:00``, ``P7D`` -> ``7 days``."""
    from datetime import timedelta

    from pydantic import TypeAdapter

    return "" if text is None else span(TypeAdapter(timedelta).validate_python(text).total_seconds())
