"""``campaigns erase`` over a real database: what it says, and its exit status."""

from __future__ import annotations

import os
from collections.abc import Iterator

import address_search
import pytest
from command_line import Command
from orchestrator_harness import Harness
from toys import toys

from agents.erasure import person_hashes
from agents.ports import SentLead
from orchestration.ledger.database import encode
from orchestration.stores.deliveries import CampaignDeliveries
from orchestration.stores.retention import Retention

JANE = "jane.doe@acme.example"


@pytest.fixture
def bench(database_url: str, redis_url: str) -> Iterator[Harness]:
    os.environ.update({"DATABASE_URL": database_url, "REDIS_URL": redis_url, "COLUMNS": "120"})
    made = Harness(database_url, toys())
    made.ledger.beat()
    made.submit("c1")
    made.database.run("UPDATE marketing.campaigns SET leads = %s", encode([{"email": JANE}]))
    yield made
    made.close()


def test_a_person_is_erased_and_the_tables_are_named(bench: Harness, campaigns: Command) -> None:
    done = campaigns("erase", "--email", f" {JANE.upper()}")
    assert done.code == 0
    assert "Removed from 1 campaign" in done.out
    assert "campaigns: 1" in done.out
    assert "Suppressed: will not be stored" in done.out
    assert JANE not in (done.out + done.err).lower()
    assert address_search.in_tables(bench.database, JANE) == {}
    assert "Person erased" in campaigns("history", "c1").out


def test_someone_unknown_is_suppressed_all_the_same(bench: Harness, campaigns: Command) -> None:
    assert campaigns("erase", "--email", JANE, "--json").json == {
        "rows": {"campaigns": 1},
        "campaigns": ["c1"],
        "newly_suppressed": True,
        "lists": 0,
        "lists_left": {},
        "places": 0,
        "places_left": {},
        "places_stay": [],
        "known": True,
    }
    done = campaigns("erase", "--email", "no.one@acme.example")
    assert done.code == 3
    assert "Nothing was stored" in done.out
    assert "Suppressed: will" in done.out
    assert campaigns("erase", "--email", JANE, "--json").code == 3


def test_places_that_leads_were_delivered_to_are_told_of(bench: Harness, campaigns: Command) -> None:
    def put(target: str, *, was_there: bool = False) -> None:
        lead = SentLead(
            key="k", lead_id="a", address="", hashes=frozenset(person_hashes({"email": JANE})), was_there=was_there
        )
        CampaignDeliveries(bench.database, "c1").sending(target, target, "", [lead])

    put("hubspot", was_there=True)
    put("salesforce")
    put("webhook")
    os.environ["SANDBOX_URL"] = "http://127.0.0.1:9"  # nothing listens there
    done = campaigns("erase", "--email", JANE)
    assert done.code == 0
    assert "deliveries: 3" in done.out
    for place in ("salesforce", "webhook"):
        assert f"Not yet taken off {place}; the fleet goes on with it. {place}: " in done.out
    assert "hubspot had the person before a campaign did" in done.out
    assert JANE not in done.out


def test_what_is_no_address_is_refused(bench: Harness, campaigns: Command) -> None:
    done = campaigns("erase", "--email", "jane")
    assert done.code == 2
    assert "email='jane': is no e-mail address" in done.err


def test_a_campaign_says_until_when_people_are_kept(bench: Harness, campaigns: Command) -> None:
    bench.submit("c2", retention="30d")
    assert "People are kept until its end" in campaigns("show", "c2").words
    bench.database.run("UPDATE marketing.campaigns SET status = 'completed', updated_at = '2026-01-01Z'")
    assert "People are kept until 2026-01-31" in campaigns("show", "c2").words
    assert campaigns("show", "c2", "--json").json["retention"]["swept_at"] is None
    assert Retention(bench.database).sweep() == 1
    assert "People were removed on 20" in campaigns("show", "c2").words
    assert campaigns("show", "c1", "--json").json["retention"] is None
