"""A thousand leads of a file arrive at three places, each once, with workers killed and answers lost meanwhile."""

from __future__ import annotations

import csv
import os
import signal
from collections import Counter
from pathlib import Path
from random import Random
from typing import Any

import address_search
import pytest
import stack
from celery import Celery
from fleet_fixture import RunningFleet, running_fleet

from agents.config import CampaignConfig

pytestmark = pytest.mark.slow

ROWS = int(os.environ.get("DELIVERY_ROWS", "1000"))
PLACES = ["hubspot", "salesforce", "webhook"]
PEOPLE = [f"p{n}@firm{n}.example" for n in range(ROWS)]
ERASED = PEOPLE[ROWS // 2]
LATE = PEOPLE[ROWS // 3]  #: erased while batches are under way
KILLS = 5


def submit(fleet: RunningFleet, path: Path) -> Any:
    with path.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(["Name", "Email", "Title", "Company", "Industry", "Employees"])
        rows.writerows([f"Pat {n}", email, "CTO", f"Firm {n}", "SaaS", "120"] for n, email in enumerate(PEOPLE))
    config = {
        "name": "Thousand",
        "target_audience": {"industry": "saas", "job_titles": ["CTO"]},
        "lead_sources": [{"type": "file", "path": str(path)}],
        "enrichment": {"find_emails": False, "verify": "none"},
        "content_required": False,
        "deliver": PLACES,
        "approval": {"gate": "leads"},
    }
    return fleet.campaigns.submit(CampaignConfig.parse(config))


def arrived(fleet: RunningFleet) -> dict[str, Counter[str]]:
    """Place -> address -> records there."""
    found = fleet.sandbox.get("/_sandbox/state")["deliveries"]
    return {place: Counter(one["email"] for one in found if one["provider"] == place) for place in PLACES}


@pytest.mark.timeout(900)
@pytest.mark.parametrize("placement", ["local", "chord"])
def test_each_arrives_once_and_erased_people_are_nowhere(
    placement: str, tmp_path: Path, run_folder: Path, database_url: str, redis_url: str
) -> None:
    random = Random(placement)
    env = {"STAGE_PLACEMENT": placement, "HTTP_TIMEOUT": "5"}
    with (
        stack.running_sandbox(run_folder, "--latency-ms", "100") as sandbox,
        running_fleet(tmp_path / "f", database_url, redis_url, sandbox, env=env) as fleet,
    ):
        handle = submit(fleet, tmp_path / "leads.csv")
        stack.wait_until(
            lambda: fleet.look_after() or handle.status in ("awaiting_approval", "failed"),
            timeout=300,
            message=lambda: f"the question: {handle.status} {handle.reason}",
        )
        assert len(handle.state.qualified_leads) == ROWS
        fleet.campaigns.erase(ERASED)
        for place in PLACES:
            sandbox.post("/_sandbox/faults", {"provider": place, "mode": "lost_reply", "rate": 0.3})
        handle.approve()
        at_work = "SELECT count(*) FROM marketing.units WHERE kind = 'deliver' AND status = 'running'"
        killed = 0
        while killed < KILLS and handle.status not in ("completed", "failed"):
            fleet.look_after()
            workers = [pid for name, pid in sorted(fleet.fleet.pids.items()) if "worker" in name]
            if workers and fleet.campaigns.database.value(at_work):
                os.kill(random.choice(workers), signal.SIGKILL)
                killed += 1
                if killed == 2:
                    fleet.campaigns.erase(LATE)
                before = len(workers)
                stack.wait_until(
                    lambda least=before: (
                        fleet.look_after() or sum("worker" in name for name in fleet.fleet.pids) >= least
                    ),
                    timeout=60,
                )
        assert killed >= 2, "workers died at work"
        for place in PLACES:
            sandbox.post("/_sandbox/faults", {"provider": place, "mode": "ok"})
        (shown,) = fleet.finish([handle], timeout=400)
        assert shown["status"] == "completed", shown["reason"]
        fleet.campaigns.database.run("UPDATE marketing.deliveries SET sending_until = NULL, removal_due_at = now() "
                                     "WHERE removal_due_at IS NOT NULL")  # fmt: skip
        with Celery(broker=fleet.env["REDIS_URL"]) as app:
            app.send_task("orchestration.execution.removals", queue="orchestration")  # as beat does, each minute
        left = "SELECT count(*) FROM marketing.deliveries WHERE removal_due_at IS NOT NULL"
        stack.wait_until(lambda: not fleet.campaigns.database.value(left), timeout=90)
        everybody = Counter(email for email in PEOPLE if email not in (ERASED, LATE))
        assert arrived(fleet) == dict.fromkeys(PLACES, everybody)
        assert all(set(lead.delivered) == set(PLACES) for lead in handle.state.qualified_leads)
        assert len(handle.state.qualified_leads) == ROWS - 2
        for person in (ERASED, LATE):
            assert address_search.in_tables(fleet.campaigns.database, person) == {}
