"""Who is erased leaves every place that leads were delivered to: also late, also when no answer said they arrived."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import address_search
import pytest
from delivering import arrived, delivering, environment, run, submit, verbs_of
from orchestrator_harness import Harness

from integrations.delivery.target import Item
from integrations.settings import Settings
from orchestration.client import Campaigns
from orchestration.control.excluding import exclude
from orchestration.execution.place_removals import take_off_places
from orchestration.reports.leads import leads_of
from orchestration.stores.deliveries import LeavingBook
from orchestration.stores.retention import Retention
from orchestration.stores.suppression import SuppressionList

PLACES = ["hubspot", "salesforce", "webhook"]
PEOPLE = [f"p{n}@acme.example" for n in range(4)]
GONE = PEOPLE[2]
LEFT = [PEOPLE[0], PEOPLE[1], PEOPLE[3]]


@pytest.fixture
def bench(database_url: str, sandbox: Any) -> Iterator[Harness]:
    with delivering(database_url, sandbox) as made:
        yield made


def delivered(bench: Harness, folder: Path, **more: Any) -> None:
    submit(bench, folder, PEOPLE, **{"deliver": PLACES, **more})
    found = run(bench)
    assert found["status"] == "completed", found["reason"]


def erase(bench: Harness) -> None:
    SuppressionList(bench.database).erase(GONE.upper(), "asked")


def where(sandbox: Any) -> dict[str, list[str]]:
    return {place: sorted(found) for place, found in arrived(sandbox).items()}


def everywhere(people: list[str]) -> dict[str, list[str]]:
    return dict.fromkeys(PLACES, people)


def due_now(bench: Harness) -> None:
    bench.database.run("UPDATE marketing.deliveries SET removal_due_at = now() WHERE removal_due_at IS NOT NULL")


def arrives_no_more(bench: Harness) -> None:
    bench.database.run("UPDATE marketing.deliveries SET sending_until = now() - interval '1 second'")


def test_a_client_takes_the_person_off_at_once(bench: Harness, sandbox: Any, tmp_path: Path, redis_url: str) -> None:
    delivered(bench, tmp_path, deliver=[*PLACES, {"to": "webhook", "path": "/crm", "fields": ["name"]}])
    env = {"DATABASE_URL": bench.database.url, "REDIS_URL": redis_url, **environment(sandbox)}
    client = Campaigns(Settings.from_env(env))
    removed = client.erase(GONE.upper())
    client.close()
    assert (removed.places, removed.places_left, removed.places_stay) == (4, {}, ())
    assert removed.rows["deliveries"] == 4
    found = sandbox.get("/_sandbox/state")["deliveries"]
    assert sorted(one["email"] for one in found if one["email"]) == sorted(LEFT * 3)
    assert len([one for one in found if one.get("path") == "/crm"]) == 3
    assert address_search.in_tables(bench.database, GONE) == {}
    assert bench.database.value("SELECT count(*) FROM marketing.deliveries") == 12


def test_a_place_that_is_down_is_told_later(bench: Harness, sandbox: Any, tmp_path: Path) -> None:
    delivered(bench, tmp_path)
    for place in PLACES:
        sandbox.post("/_sandbox/faults", {"provider": place, "mode": "down"})
    erase(bench)
    book, shared = LeavingBook(bench.database), bench.orchestrator.resources
    assert book.left() == dict.fromkeys(PLACES, ""), "who erases a person writes it down"
    assert take_off_places(shared) == 0
    assert all(book.left().values()), "why is said"
    assert take_off_places(shared) == 0, "not before its time"
    for place in PLACES:
        sandbox.post("/_sandbox/faults", {"provider": place, "mode": "ok"})
    due_now(bench)
    assert take_off_places(shared) == 3
    assert (where(sandbox), book.left()) == (everywhere(LEFT), {})


def test_who_may_have_arrived_without_an_answer_leaves_too(bench: Harness, sandbox: Any, tmp_path: Path) -> None:
    shared = bench.orchestrator.resources
    shared.providers.place("salesforce").online(timeout=5)  # its token, so that the next call is the batch
    for place, rate in (("salesforce", 1), ("webhook", 1), ("hubspot", 0.33)):  # HubSpot's first call is a question
        sandbox.post("/_sandbox/faults", {"provider": place, "mode": "lost_reply", "rate": rate})
    submit(bench, tmp_path, PEOPLE, deliver=PLACES)
    assert run(bench)["status"] == "running"
    assert where(sandbox) == everywhere(PEOPLE)
    rows = leads_of(bench.database, "c1")
    assert {(row.delivered, tuple(sorted(row.unconfirmed))) for row in rows} == {((), tuple(PLACES))}
    for place in PLACES:
        sandbox.post("/_sandbox/faults", {"provider": place, "mode": "ok"})
    erase(bench)
    assert GONE not in str(bench.database.rows("SELECT input FROM marketing.units")), "no unit knows the person"
    book = LeavingBook(bench.database)
    assert take_off_places(shared) == 3
    assert (where(sandbox), list(book.left())) == (everywhere(LEFT), PLACES), "the batch may still come"
    item = Item(key=key_of(bench), email=GONE, values={"Email": GONE, "email": GONE, "LastName": "P", "Company": "A"})
    for place in ("salesforce", "webhook"):  # HubSpot takes nobody who was deleted for good
        shared.providers.place(place).deliver([item], path="", key="b", wire=lambda send: send(5.0))
    arrives_no_more(bench)
    due_now(bench)
    assert take_off_places(shared) == 3
    assert (where(sandbox), book.left()) == (everywhere(LEFT), {})
    bench.database.run("UPDATE marketing.units SET due_at = now() WHERE status = 'unknown'")
    assert run(bench)["status"] == "completed"
    assert where(sandbox) == everywhere(LEFT)
    assert {row.delivered for row in leads_of(bench.database, "c1")} == {tuple(PLACES)}


def key_of(bench: Harness) -> str:
    """The idempotency key of the one who leaves."""
    sql = "SELECT DISTINCT key FROM marketing.deliveries WHERE removal_due_at IS NOT NULL"
    return str(bench.database.value(sql))


def test_who_is_erased_while_the_batch_is_on_its_way_leaves_as_well(
    bench: Harness, sandbox: Any, tmp_path: Path, wait_until: Callable[..., Any]
) -> None:
    submit(bench, tmp_path, PEOPLE, deliver=["webhook"])
    sandbox.post("/_sandbox/faults", {"provider": "webhook", "mode": "slow", "delay": 1})
    hop = threading.Thread(target=lambda: run(bench))
    hop.start()
    sending = "SELECT count(*) FROM marketing.deliveries WHERE sending_until IS NOT NULL"
    wait_until(lambda: bench.database.value(sending), timeout=60)
    erase(bench)
    sandbox.post("/_sandbox/faults", {"provider": "webhook", "mode": "ok"})
    take_off_places(bench.orchestrator.resources)
    hop.join()
    assert where(sandbox) == {"webhook": LEFT}
    due_now(bench)
    take_off_places(bench.orchestrator.resources)
    assert LeavingBook(bench.database).left() == {}
    assert bench.database.value("SELECT count(*) FROM marketing.deliveries") == 3


def test_a_contact_of_before_stays_and_that_is_said(bench: Harness, sandbox: Any, tmp_path: Path) -> None:
    item = Item(key="k", email=GONE, values={"email": GONE})
    hubspot = bench.orchestrator.resources.providers.place("hubspot")
    hubspot.deliver([item], path="", key="b", wire=lambda send: send(5.0))
    delivered(bench, tmp_path)
    removed = SuppressionList(bench.database).erase(GONE, "asked")
    assert removed.places_stay == ("hubspot",)
    assert take_off_places(bench.orchestrator.resources) == 2
    assert where(sandbox) == {**everywhere(LEFT), "hubspot": PEOPLE}


def test_who_was_delivered_is_reached_when_the_campaign_keeps_people_no_more(
    bench: Harness, sandbox: Any, tmp_path: Path
) -> None:
    delivered(bench, tmp_path, retention="30d")
    bench.database.run("UPDATE marketing.campaigns SET updated_at = now() - interval '31 days'")
    assert Retention(bench.database).sweep() == 1
    removed = SuppressionList(bench.database).erase(GONE, "asked")
    assert (removed.rows, removed.known, removed.campaigns) == ({"deliveries": 3}, True, ())
    assert take_off_places(bench.orchestrator.resources) == 3
    assert where(sandbox) == everywhere(LEFT)
    assert bench.database.value("SELECT count(*) FROM marketing.deliveries") == 9


def test_a_refused_lead_is_told_and_nowhere_to_be_taken_off(bench: Harness, sandbox: Any, tmp_path: Path) -> None:
    submit(bench, tmp_path, [*PEOPLE, "x@refused.example"], deliver=PLACES)
    run(bench)
    (row,) = [row for row in leads_of(bench.database, "c1") if row.email == "x@refused.example"]
    assert (row.delivered, row.unconfirmed) == (("webhook",), ())
    assert row.refused == ("hubspot: VALIDATION_ERROR", "salesforce: DUPLICATES_DETECTED")
    assert exclude(verbs_of(bench), "c1", row.lead_id, actor="me").delivered == ("webhook",)
    SuppressionList(bench.database).erase("x@refused.example", "asked")
    assert list(LeavingBook(bench.database).left()) == ["webhook"]
