"""A Celery app (``-A dead_consumer``) whose first worker process takes no message: its consumer believes it is full.

The file named by DEAD_CONSUMER says that there has been one. The watchdog's patience is short here.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from celery import bootsteps

import workers.liveness.usefulness
import workers.liveness.watchdog
from workers.app import app
from workers.channel_guard import ChannelGuard

__all__ = ["app"]

workers.liveness.usefulness.IDLE_S = 3.0
workers.liveness.usefulness.OLD_S = workers.liveness.watchdog.OLD_S = 1.0


class Full(bootsteps.StartStopStep):  # type: ignore[misc]  # celery is untyped
    """Takes the consumer's slots away."""

    requires = (ChannelGuard,)

    def start(self, c: Any) -> None:
        """Do it once."""
        try:
            Path(os.environ["DEAD_CONSUMER"]).touch(exist_ok=False)
        except FileExistsError:
            return
        c.task_consumer.channel.qos.can_consume = lambda: False


app.steps["consumer"].add(Full)
