"""The worker of the project under measurement: its own application with the bench's agents put in.

Invariant: everything but the agents is what ``workers.app`` ships. ``BENCH_EVENTS=0`` turns task events off,
``BENCH_HOP_MESSAGES=1`` makes every hop a message (a worker that never goes on by itself).
"""

from __future__ import annotations

import os
from dataclasses import replace
from typing import Any

from celery import signals

from tests.bench.workload import bench_agents
from workers.app import app
from workers.runtime import runtime

__all__ = ["app"]

app.conf.worker_send_task_events = os.environ.get("BENCH_EVENTS", "0") == "1"


@signals.worker_init.connect  # type: ignore[untyped-decorator]  # celery is untyped
def _put_agents_in(**_: Any) -> None:
    process = runtime()
    process.orchestrator = replace(process.orchestrator, agents=bench_agents())
    if os.environ.get("BENCH_HOP_MESSAGES") == "1":
        process.orchestrator = replace(process.orchestrator, serves=lambda _agent: False)
