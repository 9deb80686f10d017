"""``campaigns erase``: remove a person from everything that is stored, and suppress them.

Invariant: the address is printed nowhere, so that it is in no log of a terminal either.
"""

from __future__ import annotations

from dataclasses import asdict

import click

from workers.cli.output import json_option, print_json, say
from workers.cli.wording import count

UNKNOWN = 3  #: exit status: nothing was stored about the person


@click.command("erase")
@click.option("--email", required=True, metavar="ADDRESS", help="Address of the person.")
@json_option
def erase_command(email: str, as_json: bool) -> int:
    """Remove a person from all that is stored, and never store or address them again.

    Exits with 3 when nothing was known about the person, who is suppressed all the same.
    """
    from workers.cli.connection import campaigns

    with campaigns(start=True, acts=True) as client:
        removed = client.erase(email)
    if as_json:
        print_json({**asdict(removed), "known": removed.known})
        return 0 if removed.known else UNKNOWN
    if removed.known:
        say(f"Removed from {count(len(removed.campaigns), 'campaign')}; rows that held the person, by table:")
        for table, rows in removed.rows.items():
            say(f"  {table}: {rows}")
    else:
        say("Nothing was stored about this person.")
    if removed.lists:
        say(f"Taken off {count(removed.lists, 'customer list')} at ad platforms.")
    for platform, reason in removed.lists_left.items():
        say(f"Not yet taken off customer lists at {platform}; the fleet goes on with it. {reason}".rstrip())
    if removed.places:
        say(f"Taken off {count(removed.places, 'place')} that leads were delivered to.")
    for place, reason in removed.places_left.items():
        say(f"Not yet taken off {place}; the fleet goes on with it. {reason}".rstrip())
    for place in removed.places_stay:
        say(f"{place} had the person before a campaign did: what is there stays, and is yours to delete.")
    say("Suppressed: will not be stored or addressed again." if removed.newly_suppressed else "Suppressed before.")
    return 0 if removed.known else UNKNOWN
