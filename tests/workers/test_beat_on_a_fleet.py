"""Duties of beat on real workers: one that is switched off, and the sweep of what an ended campaign left."""

from __future__ import annotations

from pathlib import Path

import pytest
import stack
from fleet_fixture import running_fleet
from verbs_on_a_fleet import enabled, submit, wait_for

from orchestration.execution.canvas import producer

OVER = "UPDATE marketing.campaigns SET due_at = now() - interval '1 second' WHERE campaign_id = %s"
ENDED = "UPDATE marketing.campaigns SET created_at = created_at - interval '31 days' WHERE campaign_id = %s"


@pytest.mark.slow
def test_without_its_entry_nothing_is_optimised_but_what_a_person_asks_for(
    run_folder: Path, databases: stack.Databases, redis_databases: stack.RedisDatabases, sandbox: stack.Sandbox
) -> None:
    sandbox.reset()
    url, redis_url = databases.create(), redis_databases.next()
    env = {"BEAT_OFF": "optimizations"}
    with running_fleet(run_folder / "beat_off", url, redis_url, sandbox, workers=1, env=env) as fleet:
        again = submit(fleet, content_required=False, optimize_every="1d")
        wait_for(fleet, [again], "waiting")
        before = len(again.history())
        database = fleet.campaigns.database
        database.run(OVER, again.campaign_id)
        once = submit(fleet, content_required=False, measure_after="1h")
        wait_for(fleet, [once], "waiting")
        database.run(OVER, once.campaign_id)
        assert fleet.finish([once])[0]["status"] == "completed"  # so reconcile has ticked, and ends other waits
        assert (again.status, len(again.history())) == ("waiting", before)
        assert again.measure_now(actor="ann") == "running"
        wait_for(fleet, [again], "waiting")
        assert ("hop_finished", "analytics") in {(event.kind, event.agent) for event in again.history()[before:]}

        database.run(ENDED, once.campaign_id)
        others = enabled(fleet, again.campaign_id)
        assert enabled(fleet, once.campaign_id)
        with producer(redis_url) as app:  # beat does so every few minutes
            app.send_task("orchestration.execution.sweep", queue="orchestration", ignore_result=True)
        stack.wait_until(
            lambda: any(event.kind == "ads_swept" for event in once.history()),
            timeout=30,
            message=lambda: str(once.show()),
        )
        assert enabled(fleet, once.campaign_id) == []
        assert enabled(fleet, again.campaign_id) == others
    databases.drop(url)
