"""What beat sends is what workers know."""

from __future__ import annotations

import celeryconfig
from workers import orchestrator_tasks
from workers.app import app


def test_every_task_of_the_schedule_is_registered_and_has_a_queue() -> None:
    assert orchestrator_tasks.retention_tick.name in app.tasks
    for entry in celeryconfig.beat_schedule.values():
        assert entry["task"] in app.tasks
        assert entry["options"]["queue"] == "orchestration"
