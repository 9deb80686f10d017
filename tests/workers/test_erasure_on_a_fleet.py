"""A person is erased while workers are at their campaign: no table, message or result holds the address afterwards."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import address_search
import pytest
import redis
import stack
from celery import Celery
from fleet_fixture import RunningFleet, running_fleet
from lead_campaigns import WORLD, worker

from agents.config import CampaignConfig
from integrations.ads.registry import platforms
from integrations.sandbox.world import Mail

pytestmark = pytest.mark.slow

LISTED = sorted(name for name, spec in platforms().items() if spec.audiences is not None)
PERSON = worker()
COLLEAGUES = [
    person
    for company in WORLD.companies
    if company.mail is Mail.MX
    for person in company.people
    if not person.objected and not person.slow and person.email != PERSON.email
][:30]


@pytest.fixture
def fleet(
    placement: str, tmp_path: Path, run_folder: Path, database_url: str, redis_url: str
) -> Iterator[RunningFleet]:
    with (
        stack.running_sandbox(run_folder) as sandbox,
        running_fleet(tmp_path / "f", database_url, redis_url, sandbox, env={"STAGE_PLACEMENT": placement}) as running,
    ):
        yield running


def lead_file(path: Path) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(["Name", "Email", "Title", "Company", "Website", "Industry", "Employees", "Legal basis"])
        for person in (PERSON, *COLLEAGUES):
            company = next(one for one in WORLD.companies if person in one.people)
            address = person.email.upper() if person is PERSON else person.email
            rows.writerow([person.name, address, "CTO", company.name, company.domain, "SaaS", "120", "consent"])
    return path


def submit(fleet: RunningFleet, path: Path, name: str, **more: Any) -> Any:
    config = {
        "name": name,
        "target_audience": {"industry": "saas", "job_titles": ["CTO"]},
        "lead_sources": [{"type": "file", "path": str(path)}, {"type": "search", "limit": 10}],
        "content_requirements": [{"content_type": "email", "topic": "A look inside", "target_length": 60}],
        **more,
    }
    return fleet.campaigns.submit(CampaignConfig.parse(config))


def listed(fleet: RunningFleet) -> list[str]:
    """Platforms whose customer lists have the person on them."""
    return [
        one["provider"]
        for one in fleet.sandbox.get("/_sandbox/state")["audiences"]
        if platforms()[one["provider"]].audiences.member(PERSON.email) in one["members"]
    ]


@pytest.mark.timeout(240)
@pytest.mark.parametrize(("placement", "kind"), [("local", "site"), ("chord", "verify"), ("local", "deploy")])
def test_no_decoded_column_key_or_message_holds_the_address(fleet: RunningFleet, tmp_path: Path, kind: str) -> None:
    ads = {"ad_platforms": LISTED, "budget": 900, "customer_list": {"use": "exclude"}}
    before = submit(fleet, lead_file(tmp_path / "mine.csv"), "Before", **ads)
    assert fleet.finish([before])[0]["status"] == "completed"
    assert any(lead.email == PERSON.email for lead in before.state.leads)
    assert sorted(listed(fleet)) == LISTED
    provider = {"site": "web", "verify": "hunter", "deploy": "facebook_ads"}[kind]
    fleet.sandbox.post("/_sandbox/faults", {"provider": provider, "mode": "slow", "seconds": 30, "rate": 1, "delay": 1})
    during = submit(fleet, tmp_path / "mine.csv", "During", **ads)
    at_work = "SELECT count(*) FROM marketing.units WHERE campaign_id = %s AND kind = %s AND status = 'running'"
    stack.wait_until(lambda: fleet.campaigns.database.value(at_work, during.campaign_id, kind), timeout=60)
    assert {"campaigns", "units"} <= address_search.in_tables(fleet.campaigns.database, PERSON.email).keys()
    removed = fleet.campaigns.erase(PERSON.email)
    assert set(removed.campaigns) == {before.campaign_id, during.campaign_id}
    assert fleet.campaigns.database.value(at_work, during.campaign_id, kind), "a hop was at work meanwhile"
    assert set(removed.lists_left) <= {provider}
    assert removed.lists >= len(LISTED) - 1
    fleet.sandbox.post("/_sandbox/faults", {"provider": provider, "mode": "ok"})
    after = submit(fleet, tmp_path / "mine.csv", "After", **ads)
    store = redis.Redis.from_url(fleet.env["REDIS_URL"])
    ended = fleet.finish([during, after])
    assert address_search.in_tables(fleet.campaigns.database, PERSON.email) == {}
    assert address_search.in_redis(store, PERSON.email) == []
    assert store.dbsize() > 0
    assert listed(fleet) == []
    assert [(one["status"], one["reason"]) for one in ended] == [("completed", None)] * 2
    for handle in (during, after):
        leads = handle.state.leads
        assert len({lead.email for lead in leads} & {person.email for person in COLLEAGUES}) > 20
        assert not [lead for lead in leads if lead.name == PERSON.name]


@pytest.mark.parametrize("placement", ["auto"])
def test_a_worker_removes_people_whose_retention_is_over(fleet: RunningFleet, tmp_path: Path) -> None:
    ended = submit(fleet, lead_file(tmp_path / "mine.csv"), "Ended", retention="30d")
    (shown,) = fleet.finish([ended])
    assert shown["status"] == "completed"
    fleet.campaigns.database.run("UPDATE marketing.campaigns SET updated_at = now() - interval '31 days'")
    with Celery(broker=fleet.env["REDIS_URL"]) as app:
        app.send_task("orchestration.execution.retention", queue="orchestration")  # as beat does, each minute
        stack.wait_until(lambda: ended.show()["retention"]["swept_at"], timeout=30)
    assert address_search.in_tables(fleet.campaigns.database, PERSON.email) == {}
    assert len(ended.state.leads) == len(shown["state"]["leads"])
    assert not any(lead.name or lead.email for lead in ended.state.leads)
