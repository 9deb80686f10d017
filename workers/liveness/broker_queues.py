"""Age of the oldest message in each queue of the broker.

Reads kombu's Redis layout (a list per queue, pushed at the left, popped at the right) without consuming a message.
Invariant: a message that can't be read counts as very old, so that no campaign counts as lost because of it.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from orchestration.execution.canvas import SENT_AT_HEADER

if TYPE_CHECKING:
    from celery import Celery

#: Time of a message that can't be read.
LONG_AGO = datetime.fromtimestamp(0, UTC)


class BrokerQueues:
    """Queues of a Celery app's Redis broker."""

    def __init__(self, app: Celery) -> None:
        self._app = app

    def oldest(self, queue: str) -> datetime | None:
        """Return when the oldest waiting message of ``queue`` was sent, or None for an empty queue."""
        with self._app.connection_for_read() as connection:
            raw = connection.default_channel.client.lindex(queue, -1)
        return None if raw is None else sent_at(raw)


def sent_at(raw: bytes | str) -> datetime:
    """Return the time in a message's headers, or :data:`LONG_AGO` when it can't be read."""
    try:
        return datetime.fromtimestamp(float(json.loads(raw)["headers"][SENT_AT_HEADER]), UTC)
    except (ValueError, KeyError, TypeError):
        return LONG_AGO
