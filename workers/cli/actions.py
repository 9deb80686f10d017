"""``actions``: what was done about a campaign's live ads, or is proposed, by whom and with what effect."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from workers.cli.output import console, json_option, note, print_json, say
from workers.cli.wording import moment

if TYPE_CHECKING:
    from agents.action_log import ActionRecord
    from workers.cli.layout import Rows

SHORTEST = 6  #: characters of an id that are shown


@click.command("actions")
@click.argument("campaign_id", metavar="ID")
@json_option
def actions_command(campaign_id: str, as_json: bool) -> int:
    """List what was done about a campaign's live ads, and what is proposed.

    Times are UTC. An action is named by its id or the beginning of it.
    """
    from workers.cli.carried_out import document
    from workers.cli.connection import campaigns

    with campaigns(start=True) as client:
        records = client.get(campaign_id).actions()
    if as_json:
        print_json([document(one) for one in records])
        return 0
    if not records:
        say("Nothing was changed and nothing is proposed.")
        return 0
    console().print(table(records))
    if any(one.proposed for one in records):
        note(f"Carry out a proposed one: campaigns act {campaign_id} --proposal ACTION")
    return 0


def table(records: Sequence[ActionRecord]) -> Rows:
    """Draw the actions, oldest first."""
    from agents.analytics.action_words import detail
    from workers.cli.layout import Rows
    from workers.cli.sections import said

    short = shortened([one.action_id for one in records])
    rows = Rows(["Action", "When", "By", "Status", "What"], wide=4)
    for one in records:
        by = one.by or "itself"
        rows.add(short[one.action_id], moment(one.at)[:16], by, one.status, said(detail(one)))
    return rows


def shortened(ids: Sequence[str]) -> dict[str, str]:
    """Return the beginning of each id that names it alone."""
    length = SHORTEST
    while len({one[:length] for one in ids}) < len(set(ids)):
        length += 1
    return {one: one[:length] for one in ids}
