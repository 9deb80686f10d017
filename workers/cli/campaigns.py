"""``submit``, ``list``, ``show``, ``watch``, ``history``, ``export``: campaigns one by one and all together.

Invariant: these commands decide nothing; they call the client and print what it says. With ``--json`` each
prints one document (``watch``: one line per event), whatever the size.
"""

from __future__ import annotations

import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from workers.cli.output import (
    clean,
    console,
    json_option,
    note,
    print_json,
    print_json_line,
    say,
    to_json,
)
from workers.cli.private_file import write_private
from workers.cli.wording import LIVE, LIVE_NOTE, STATUSES, agent_title, event_text, moment, state, words

if TYPE_CHECKING:
    from orchestration.client import Campaigns
    from orchestration.reports.campaigns import CampaignEvent, CampaignSummary


@click.command()
@click.argument("file")
@click.option("--idempotency-key", metavar="KEY", help="The same key again gives the same campaign.")
@click.option("--set", "changes", multiple=True, metavar="KEY=VALUE", help="Change a key of the file; repeatable.")
@json_option
def submit(file: str, idempotency_key: str | None, changes: tuple[str, ...], as_json: bool) -> int:
    """Enqueue the campaign in FILE for the running workers."""
    from orchestration.control.received import checked_key
    from orchestration.control.submission import check
    from workers.cli.connection import campaigns, here
    from workers.cli.files import check_lead_files, load_config

    if idempotency_key is not None:
        checked_key(idempotency_key)
    config = load_config(file, changes)
    check_lead_files(config)
    check(config, here())  # before a service is looked for, so that a refusal is one also where none answers
    with campaigns() as client:
        handle = client.submit(config, idempotency_key=idempotency_key)
        if as_json:
            print_json(handle.show())
        else:
            say(f"Submitted {clean(config.name)}: {handle.campaign_id} ({state(handle.status, handle.mode)})")
            say(f"Follow it with: campaigns watch {handle.campaign_id}")
    return 0


@click.command("list")
@click.option("--status", type=click.Choice(STATUSES), help="Only campaigns in this state.")
@click.option("--failed", is_flag=True, help="Only failed ones (the same as --status failed).")
@json_option
def list_campaigns(status: str | None, failed: bool, as_json: bool) -> int:
    """List campaigns, newest first."""
    from workers.cli.connection import campaigns

    if failed and status not in (None, "failed"):
        raise click.UsageError(f"--failed and --status {status} exclude each other")
    with campaigns(start=True) as client:
        found = client.list(status="failed" if failed else status)
    if as_json:
        print_json([asdict(one) for one in found])
        return 0
    if not found:
        say("No campaigns" + (" in this state." if status or failed else " yet."))
        return 0
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("Campaign", no_wrap=True)
    if failed:
        table.add_column("Name", no_wrap=True, max_width=24)
        table.add_column("Reason", no_wrap=True, overflow="ellipsis")
        for one in found:
            reason = (f"{LIVE}: " if one.mode == LIVE else "") + clean(one.reason or "")
            table.add_row(one.campaign_id, Text(clean(one.name)), Text(reason))
    else:
        table.add_column("Name", overflow="fold", ratio=1)
        table.add_column("Status", overflow="fold")
        table.add_column("Submitted (UTC)", no_wrap=True)
        for one in found:
            table.add_row(one.campaign_id, Text(clean(one.name)), Text(_state(one)), moment(one.created_at)[:16])
    console(one_line=True).print(table)
    if failed:
        note("Repeat what failed: campaigns retry ID, or campaigns retry --all-failed")
    return 0


def _state(one: CampaignSummary) -> str:
    """Say the status, of a live one that it is, and of one that is at work or waits: with whom, or for what."""
    found = state(one.status, one.mode)
    if one.status == "running":
        return f"{found}, {agent_title(one.agent).lower()}"
    if one.status in ("waiting", "awaiting_approval") and one.reason:
        return f"{found}: {words(one.reason.partition(':')[0])}"
    return found


@click.command()
@click.argument("campaign_id", metavar="ID")
@json_option
def show(campaign_id: str, as_json: bool) -> int:
    """Show what a campaign has done so far."""
    from workers.cli.connection import campaigns
    from workers.cli.run import Result

    with campaigns(start=True) as client:
        result = Result(client, campaign_id)
    result.show(as_json=as_json)
    return 0


@click.command()
@click.argument("campaign_id", metavar="ID")
@json_option
def watch(campaign_id: str, as_json: bool) -> int:
    """Follow a campaign to its end, and exit with 1 when it failed."""
    from workers.cli.connection import campaigns
    from workers.cli.run import Result
    from workers.cli.run import watch as follow

    with campaigns() as client:
        client.get(campaign_id)
        if as_json:
            status = _stream(client, campaign_id)
        else:
            follow(client, campaign_id, time.sleep, as_json=False)
            result = Result(client, campaign_id)
            result.show(as_json=False)
            status = result.status
    return 0 if status == "completed" else 1


def _stream(client: Campaigns, campaign_id: str) -> str:
    handle = client.get(campaign_id)
    mode = handle.mode
    for event in handle.watch():
        print_json_line({"event": event.kind, **_fields(event, mode)})
    status, reason = client.reports.status(campaign_id)
    print_json_line({"event": "ended", "campaign_id": campaign_id, "status": status, "reason": reason})
    return status


@click.command()
@click.argument("campaign_id", metavar="ID")
@json_option
def history(campaign_id: str, as_json: bool) -> int:
    """Print what happened, one event per line, oldest first.

    A line before them says so of a live campaign.
    """
    from workers.cli.connection import campaigns

    with campaigns(start=True) as client:
        handle = client.get(campaign_id)
        mode, events = handle.mode, handle.history()
    if as_json:
        print_json([{"kind": event.kind, **_fields(event, mode)} for event in events])
        return 0
    if mode == LIVE:
        say(LIVE_NOTE)
    for event in events:
        actor = "" if event.actor == "system" else f"  [{clean(event.actor)}]"
        say(f"{moment(event.at)}  {event_text(event)}{actor}")
    return 0


def _fields(event: CampaignEvent, mode: str) -> dict[str, object]:
    return {
        "id": event.id,
        "mode": mode,
        "at": event.at,
        "actor": event.actor,
        "step": event.step,
        "agent": event.agent,
        "data": dict(event.data),
    }


@click.command()
@click.argument("campaign_id", metavar="ID")
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="Write to a file, not to stdout.")
@json_option
def export(campaign_id: str, output: Path | None, as_json: bool) -> int:
    """Write all that is stored about a campaign as JSON."""
    from workers.cli.connection import campaigns

    with campaigns(start=True) as client:
        everything = client.reports.export(campaign_id)
    if output is None:
        print_json(everything)
        return 0
    try:
        write_private(output, to_json(everything) + "\n")
    except OSError as error:
        raise click.BadParameter(f"{output} can't be written: {error.strerror}", param_hint="--output") from None
    if as_json:
        print_json({"campaign_id": campaign_id, "output": str(output)})
    else:
        of = " of a live campaign" if everything["mode"] == LIVE else ""
        note(f"Written to {output}; it holds personal data of the leads{of}.")
    return 0
