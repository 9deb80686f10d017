"""A thousand leads arrive at three places and on a customer list, each once, with workers killed meanwhile."""

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
from integrations.ads.registry import platforms

pytestmark = pytest.mark.slow

ROWS = int(os.environ.get("DELIVERY_ROWS", "1000"))
PLACES = ["hubspot", "salesforce", "webhook"]
PEOPLE = [f"p{n}@firm{n}.example" for n in range(ROWS)]
ERASED = PEOPLE[ROWS // 2]
LATE = PEOPLE[ROWS // 3]  #: erased while batches are under way
KILLS = 5
LISTED = "facebook_ads"  #: platform of the customer list


def submit(fleet: RunningFleet, path: Path) -> Any:
    with path.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(["Name", "Email", "Title", "Company", "Industry", "Employees", "Legal basis"])
        rows.writerows(
            [f"Pat {n}", email, "CTO", f"Firm {n}", "SaaS", "120", "consent"] for n, email in enumerate(PEOPLE)
        )
    config = {
        "name": "Thousand",
        "target_audience": {"industry": "saas", "job_titles": ["CTO"]},
        "lead_sources": [{"type": "file", "path": str(path)}],
        "enrichment": {"find_emails": False, "verify": "none"},
        "content_requirements": [{"content_type": "email", "topic": "A look inside", "target_length": 60}],
        "ad_platforms": [LISTED],
        "customer_list": {"use": "target", "legal_basis": ["consent"]},
        "budget": 900,
        "deliver": PLACES,
        "approval": {"gate": "leads"},
    }
    return fleet.campaigns.submit(CampaignConfig.parse(config))


def arrived(fleet: RunningFleet) -> dict[str, Counter[str]]:
    """Place -> address -> records there."""
    found = fleet.sandbox.get("/_sandbox/state")["deliveries"]
    return {place: Counter(one["email"] for one in found if one["provider"] == place) for place in PLACES}


def on_lists(fleet: RunningFleet) -> list[Counter[str]]:
    """Members of each customer list."""
    return [Counter(one["members"]) for one in fleet.sandbox.get("/_sandbox/state")["audiences"]]


def kill(fleet: RunningFleet, random: Random) -> bool:
    """Kill a worker and wait until another is in its place; False when there is none."""
    workers = [pid for name, pid in sorted(fleet.fleet.pids.items()) if "worker" in name]
    if not workers:
        return False
    os.kill(random.choice(workers), signal.SIGKILL)

    def replaced() -> bool:
        fleet.look_after()
        return sum("worker" in name for name in fleet.fleet.pids) >= len(workers)

    stack.wait_until(replaced, timeout=60)
    return True


@pytest.mark.timeout(900)
@pytest.mark.parametrize("placement", ["local", "chord"])
def test_each_arrives_once_and_erased_people_are_nowhere(
    placement: str, tmp_path: Path, run_folder: Path, database_url: str, redis_url: str
) -> None:
    random = Random(placement)
    env = {"STAGE_PLACEMENT": placement, "HTTP_TIMEOUT": "5", "BREAKER_RECOVERY_TIMEOUT": "2"}
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
        at_work = "SELECT count(*) FROM marketing.units WHERE kind = %s AND status = 'running'"
        killed: Counter[str] = Counter()
        while not killed["deploy"] and handle.status not in ("completed", "failed"):
            fleet.look_after()
            for kind, most in (("deliver", KILLS), ("deploy", 1)):
                if killed[kind] < most and fleet.campaigns.database.value(at_work, kind) and kill(fleet, random):
                    killed[kind] += 1
                    if killed == {"deliver": 2}:
                        fleet.campaigns.erase(LATE)
        assert killed["deliver"] >= 2, "workers died at work"
        assert killed["deploy"] == 1
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
        member = platforms()[LISTED].audiences.member
        assert on_lists(fleet) == [Counter(member(email) for email in everybody)]
        assert all(set(lead.delivered) == set(PLACES) for lead in handle.state.qualified_leads)
        assert len(handle.state.qualified_leads) == ROWS - 2
        for person in (ERASED, LATE):
            assert address_search.in_tables(fleet.campaigns.database, person) == {}
