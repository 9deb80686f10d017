"""One verb for one campaign or for many: what is named, what is told, and how it ends.

Invariant: a verb that can't be done for one campaign is done for the others all the same. A single campaign's
refusal ends the command as any error does; of several, each is told and the worst decides the exit status.
Campaigns that were chosen by status and have moved on meanwhile are no error.
"""

from __future__ import annotations

import getpass
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import click

from workers.cli.output import clean, note, print_json, say
from workers.cli.wording import count, state

if TYPE_CHECKING:
    from orchestration.client import Campaigns
    from orchestration.handle import CampaignHandle

Verb = Callable[["CampaignHandle"], object]


def actor() -> str:
    """Return who tells the campaign: ``cli:<user of the operating system>``."""
    try:
        return f"cli:{getpass.getuser()}"
    except (KeyError, OSError):  # a user without a name, as in some containers
        return f"cli:{os.getuid()}"


@dataclass(frozen=True, slots=True)
class Chosen:
    """Campaigns that a verb is for."""

    ids: Sequence[str]
    many: bool  #: told as a list, even when it holds one
    by_status: bool = False  #: nobody named them one by one
    errors: list[tuple[str, Exception]] = field(default_factory=list)


def choose(client: Campaigns, ids: Sequence[str], statuses: Iterable[str] = ()) -> Chosen:
    """Return the campaigns with these ids or, when ``statuses`` are given, in these statuses (oldest first)."""
    wanted = tuple(statuses)
    if wanted:
        found = [one.campaign_id for status in wanted for one in reversed(client.list(status=status))]
        return Chosen(found, many=True, by_status=True)
    return Chosen(tuple(dict.fromkeys(ids)), many=len(ids) > 1)


def named_or_all(ids: Sequence[str], *, every: bool, option: str) -> None:
    """Check that campaigns are named, or that ``option`` chooses them, and not both.

    Raises UsageError otherwise.
    """
    if ids and every:
        raise click.UsageError(f"{option} chooses the campaigns itself; leave the ids out")
    if not ids and not every:
        raise click.UsageError(f"Name one campaign or more, or give {option}")


def apply(client: Campaigns, chosen: Chosen, verb: Verb, *, as_json: bool, follow: bool = False) -> int:
    """Do ``verb`` for each campaign, tell how it stands after, and return the exit status.

    Raises what the verb raises when exactly one campaign was named.
    """
    from orchestration.control.verbs import VerbRefusedError
    from orchestration.reports.campaigns import CampaignNotFoundError

    documents: list[Mapping[str, object]] = []
    done: list[str] = []
    code = 0
    for campaign_id in chosen.ids:
        try:
            handle = client.get(campaign_id)
            verb(handle)
        except (VerbRefusedError, CampaignNotFoundError) as error:
            if not chosen.many:
                raise
            missing = isinstance(error, CampaignNotFoundError)
            if not chosen.by_status:
                code = max(code, 3 if missing else 2)
            note(clean(error))
            kind = "not_found" if missing else "refused"
            documents.append({"campaign_id": campaign_id, "error": kind, "problems": [str(error)]})
            continue
        done.append(campaign_id)
        if as_json:
            documents.append(handle.show())
        else:
            say(standing(handle))
    if as_json:
        print_json(documents if chosen.many else documents[0])
        return code
    if chosen.by_status:
        say(f"{count(len(done), 'campaign')}.")
    elif follow and len(done) == 1:
        say(f"Follow it with: campaigns watch {done[0]}")
    if done:
        note_if_nobody_works(client)
    return code


def standing(handle: CampaignHandle) -> str:
    """Write one line: which campaign, and how it stands."""
    reason = handle.reason
    return f"{handle.campaign_id}: {state(handle.status, handle.mode)}" + (f" ({clean(reason, 200)})" if reason else "")


def note_if_nobody_works(client: Campaigns) -> None:
    """Say so when no worker would carry out what was told."""
    from orchestration.reports.fleet import live_workers

    if not live_workers(client.database):
        note("No worker is running, so nothing goes on until `campaigns up`.")
