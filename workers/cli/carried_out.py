"""Waiting until an order about live ads is carried out, and telling what became of it.

Invariant: an order that was taken in is carried out whether or not a person waits for it; an end of the waiting is told
with how to look at it later.
"""

from __future__ import annotations

import signal
import time
from typing import TYPE_CHECKING

from workers.cli.bulk import standing
from workers.cli.output import clean, note, print_json, say
from workers.cli.stopping import Stopped

if TYPE_CHECKING:
    from agents.action_log import ActionRecord
    from orchestration.client import Campaigns
    from orchestration.handle import CampaignHandle

POLL_S = 0.2
LOOK_S = 5.0  #: how often it is told why it takes so long, and looked whether anybody works
DONE, NOT_DONE, NOBODY_WORKS = 0, 1, 4  #: exit statuses


def carried_out(client: Campaigns, handle: CampaignHandle, action_id: str, *, undo: bool, as_json: bool) -> int:
    """Wait until an action is carried out, or taken back with ``undo``, print its line, and return the exit status.

    That is 0 when it was done everywhere, 1 when a platform refused or the campaign ended before, and 4 when no worker
    is there to do it.
    """
    from agents.action_log import record_of

    code = _wait(client, handle, action_id)
    record = record_of(handle.actions(), action_id)
    if as_json:
        found = None if record is None else document(record)
        print_json({"campaign_id": handle.campaign_id, "status": handle.status, "action": found})
    elif record is not None and code == DONE:
        say(sentence(record))
    if code != DONE:
        note(f"It is ordered, but no worker is running: start `campaigns up`. {_later(handle)}")
        return code
    if record is None:
        note(f"It was not carried out. {standing(handle)}")
        return NOT_DONE
    return DONE if record.status == ("undone" if undo else "applied") else NOT_DONE


def sentence(record: ActionRecord) -> str:
    """Tell of an action in one line."""
    from agents.analytics.action_words import told
    from workers.cli.sections import said

    return said(told(record))


def document(record: ActionRecord) -> dict[str, object]:
    """Return all of a record, with its status, for programs."""
    return {**record.model_dump(mode="json"), "status": record.status}


def _wait(client: Campaigns, handle: CampaignHandle, action_id: str) -> int:
    from orchestration.control.ordering import open_orders
    from orchestration.reports.fleet import live_workers

    said, look = "", 0.0
    try:
        while action_id in open_orders(client.verbs, handle.campaign_id):
            if time.monotonic() >= look:
                if not live_workers(client.database):
                    return NOBODY_WORKS
                reason = standing(handle)
                if look and reason != said:
                    note(clean(reason, 300))
                    said = reason
                look = time.monotonic() + LOOK_S
            time.sleep(POLL_S)
    except (KeyboardInterrupt, Stopped) as stop:
        number = stop.number if isinstance(stop, Stopped) else signal.SIGINT
        raise Stopped(number, f"it is carried out all the same. {_later(handle)}") from None
    return DONE


def _later(handle: CampaignHandle) -> str:
    return f"Look at it with: campaigns actions {handle.campaign_id}"
