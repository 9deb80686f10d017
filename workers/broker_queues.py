"""What can be seen of the broker's queues: when the oldest waiting message was sent.

Reads kombu's Redis layout (a list per queue, pushed at the left, popped at the right) without taking
anything. Invariant: a message that can't be read counts as very old, so that no campaign is called lost
because of it.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime

from celery import Celery

from orchestration.execution.canvas import SENT_AT_HEADER

LONG_AGO = datetime.fromtimestamp(0, UTC)


class BrokerQueues:
    """The queues of a Celery app's Redis broker."""

    def __init__(self, app: Celery) -> None:
        self._app = app

    def oldest(self, queue: str) -> datetime | None:
        """When the oldest waiting message of ``queue`` was sent; None for an empty queue."""
        with self._app.connection_for_read() as connection:
            raw = connection.default_channel.client.lindex(queue, -1)
        return None if raw is None else sent_at(raw)


def sent_at(raw: bytes | str) -> datetime:
    """The time in a message's headers."""
    try:
        return datetime.fromtimestamp(float(json.loads(raw)["headers"][SENT_AT_HEADER]), UTC)
    except (ValueError, KeyError, TypeError):
        return LONG_AGO
