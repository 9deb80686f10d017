"""Retention: when people leave a campaign that has ended, and what stays."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import address_search
import pytest
from orchestrator_harness import Harness
from toys import toys

from agents.ports import SystemClock
from integrations.settings import Settings
from orchestration.control.verbs import VerbRefusedError, Verbs
from orchestration.ledger.database import encode
from orchestration.stores.lead_files import LeadFileStore, StoredFile
from orchestration.stores.retention import Retention

JANE = "jane.doe@acme.example"
LEADS = [
    {"lead_id": "lead-a7", "email": JANE, "name": "Jane Doe", "company": "Acme", "phone": "+1", "score": 0.9,
     "email_status": "valid", "sources": ["file:a.csv"]},
    {"lead_id": "b8", "name": "Joan Roe", "profile_url": "https://li.example/joan", "score": 0.2},
]  # fmt: skip
FILE = StoredFile(filename="a.csv", rows=encode([{"email": JANE}]), summary={})


@pytest.fixture
def one(database_url: str) -> Iterator[Harness]:
    harness = Harness(database_url, toys())
    yield harness
    harness.close()


def ended(one: Harness, campaign_id: str = "c1", *, days_ago: int = 31, **config: Any) -> None:
    """A campaign that ended some days ago, with people wherever they can be."""
    LeadFileStore(one.database).add(FILE)
    source = {"type": "file", "path": "a.csv", "file_id": FILE.file_id}
    one.submit(campaign_id, **{"retention": "30d", "lead_sources": [source], **config})
    one.orchestrator.run_hop(campaign_id)
    assert one.reports.status(campaign_id)[0] == "completed"
    people, patch = encode(LEADS), encode({"leads": LEADS, "step": 1})
    run = one.database.run
    run(
        "UPDATE marketing.campaigns SET leads = %s, qualified_leads = %s, in_row = NULL, "
        "updated_at = now() - make_interval(days => %s) WHERE campaign_id = %s",
        people, encode(LEADS[:1]), days_ago, campaign_id,
    )  # fmt: skip
    run("UPDATE marketing.checkpoints SET patch = patch || %s WHERE campaign_id = %s AND step = 0", patch, campaign_id)
    found = encode({"records": LEADS})
    run(
        "UPDATE marketing.units SET input = %s, result = %s, journal = %s WHERE campaign_id = %s",
        found, found, found, campaign_id,
    )  # fmt: skip


def verbs_of(one: Harness) -> Verbs:
    return Verbs(ledger=one.ledger, agents=one.agents, wakeups=one.broker, clock=SystemClock())


def test_people_leave_when_the_time_is_over_and_figures_stay(one: Harness) -> None:
    ended(one)
    before = one.reports.show("c1")
    assert Retention(one.database).sweep() == 1
    for trace in (JANE, "Jane Doe", "Joan Roe", "li.example", "lead-a7"):
        assert address_search.in_tables(one.database, trace) == {}, trace
    after = one.reports.show("c1")
    state = after["state"]
    assert isinstance(state, dict)
    assert [(lead["lead_id"], lead["score"], lead["email"]) for lead in state["leads"]] == [
        ("1", 0.9, None),
        ("2", 0.2, None),
    ]
    assert [lead["lead_id"] for lead in state["qualified_leads"]] == ["1"]
    assert (after["units"], after["spend"], after["route"]) == (before["units"], before["spend"], before["route"])
    assert one.ledger.checkpoints("c1")[0].patch["leads"] == [
        {"lead_id": "1", "email_status": "valid", "sources": ["file:a.csv"], "score": 0.9},
        {"lead_id": "2", "score": 0.2},
    ]
    assert one.reports.events("c1")[-1].kind == "people_removed"
    assert Retention(one.database).sweep() == 0, "once"


@pytest.mark.parametrize(
    ("days_ago", "status", "retention"),
    [(29, "completed", "30d"), (31, "paused", "30d"), (31, "completed", None)],
)
def test_people_stay_until_then(one: Harness, days_ago: int, status: str, retention: str | None) -> None:
    ended(one, days_ago=days_ago, retention=retention)
    one.database.run("UPDATE marketing.campaigns SET status = %s", status)
    assert Retention(one.database).sweep() == 0
    assert {"campaigns", "checkpoints", "units", "lead_files"} <= address_search.in_tables(one.database, JANE).keys()


def test_a_lead_file_stays_for_another_campaign_that_needs_it(one: Harness) -> None:
    ended(one)
    ended(one, "c2", retention="90d")
    assert Retention(one.database).sweep() == 1
    assert LeadFileStore(one.database).rows(FILE.file_id)
    one.database.run("UPDATE marketing.campaigns SET updated_at = now() - interval '91 days' WHERE campaign_id = 'c2'")
    assert Retention(one.database).sweep() == 1
    assert address_search.in_tables(one.database, JANE) == {}
    with pytest.raises(KeyError):
        LeadFileStore(one.database).rows(FILE.file_id)


def test_the_report_says_until_when_and_a_swept_campaign_is_not_repeated(one: Harness) -> None:
    ended(one)
    kept = one.reports.retention("c1")
    assert kept is not None
    assert kept.until is not None
    assert kept.swept_at is None
    Retention(one.database).sweep()
    shown = one.reports.show("c1")["retention"]
    assert isinstance(shown, dict)
    assert shown["swept_at"] is not None
    verbs = verbs_of(one)
    with pytest.raises(VerbRefusedError, match="has lost its people"):
        verbs.retry("c1", actor="ann", from_step=1)
    with pytest.raises(VerbRefusedError, match="has lost its people"):
        verbs.fork("c1", 1, actor="ann", settings=Settings.from_env({}))


def test_a_fork_keeps_people_as_long_as_its_parent_after_its_own_end(one: Harness) -> None:
    ended(one, days_ago=1)
    new_id = verbs_of(one).fork("c1", 1, actor="ann", settings=Settings.from_env({}))
    kept = Retention(one.database).of(new_id)
    assert kept is not None
    assert kept.until is None
