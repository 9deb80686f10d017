"""Leads that somebody excludes by hand: out of batches and customer lists, whatever hop is at work meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from orchestrator_harness import Harness
from toys import toys

from agents.ports import SystemClock
from agents.state import Lead
from orchestration.client import BestEffort
from orchestration.control.excluding import NoSuchLeadError, exclude, include
from orchestration.control.verbs import Verbs
from orchestration.ledger.database import encode
from orchestration.reports.leads import LeadFilter, LeadRow, leads_of
from orchestration.stores.exclusions import CampaignExclusions
from orchestration.stores.retention import Retention
from orchestration.stores.suppression import SuppressionList

ANN = Lead(lead_id="a", email="ann@acme.example", name="Ann Lee", company="Acme", score=0.9, delivered=("webhook",))
BEN = Lead(lead_id="b", email="ben@acme.example", other_emails=("b.fox@gmail.com",), name="Ben Fox", score=0.4)
CLEO = Lead(lead_id="c", name="Cleo Day", company="Day", score=0.7)


@pytest.fixture
def bench(database_url: str) -> Iterator[Harness]:
    made = Harness(database_url, toys())
    made.submit("c1")
    put(made, ANN, BEN, CLEO)
    yield made
    made.close()


def put(bench: Harness, *leads: Lead) -> None:
    bench.database.run("UPDATE marketing.campaigns SET leads = %s", encode([one.model_dump() for one in leads]))


def verbs(bench: Harness) -> Verbs:
    return Verbs(
        ledger=bench.ledger, agents=bench.agents, wakeups=BestEffort(lambda: bench.broker), clock=SystemClock()
    )


def out(bench: Harness, campaign_id: str = "c1") -> dict[str, str]:
    rows = leads_of(bench.database, campaign_id)
    return {row.lead_id: row.excluded for row in rows if row.excluded is not None}


def events(bench: Harness) -> list[tuple[Any, ...]]:
    sql = "SELECT kind, actor, data FROM marketing.events WHERE kind ~ 'lead_' ORDER BY id"
    return [tuple(row) for row in bench.database.rows(sql)]


def test_who_is_excluded_is_kept_out_once_with_a_reason_and_an_actor(bench: Harness) -> None:
    first = exclude(verbs(bench), "c1", "b", actor="ann", reason=" a friend\x1b[31m of ours ")
    again = exclude(verbs(bench), "c1", "B.Fox+x@googlemail.com", actor="eve", reason="other")
    assert (first.lead_id, first.new, first.delivered) == ("b", True, ())
    assert (again.lead_id, again.new) == ("b", False)
    assert out(bench) == {"b": "a friend of ours"}
    assert events(bench) == [("lead_excluded", "ann", {"lead": "b", "reason": "a friend of ours"})]
    assert "@" not in str(bench.database.rows("SELECT t::text FROM marketing.exclusions t"))


def test_who_is_somewhere_already_is_said(bench: Harness) -> None:
    assert exclude(verbs(bench), "c1", "a", actor="me").delivered == ("webhook",)


def test_an_exclusion_is_taken_back(bench: Harness) -> None:
    exclude(verbs(bench), "c1", "ann@acme.example", actor="me")
    assert include(verbs(bench), "c1", "Ann@Acme.example", actor="me")
    assert not include(verbs(bench), "c1", "a", actor="me")
    assert out(bench) == {}
    assert [kind for kind, *_ in events(bench)] == ["lead_excluded", "lead_included"]


def test_a_person_stays_out_under_another_id_and_address(bench: Harness) -> None:
    exclude(verbs(bench), "c1", "b", actor="me")
    exclude(verbs(bench), "c1", "c", actor="me")
    put(bench, BEN.model_copy(update={"lead_id": "b2", "email": "bfox@gmail.com", "other_emails": ()}),
        CLEO.model_copy(update={"lead_id": "c2", "email": "cleo@day.example"}), ANN)  # fmt: skip
    assert sorted(out(bench)) == ["b2", "c2"]
    assert include(verbs(bench), "c1", "b2", actor="me")
    assert sorted(out(bench)) == ["c2"]


def test_no_hop_that_writes_the_state_undoes_it(bench: Harness) -> None:
    row = bench.ledger.load("c1")
    assert row is not None
    exclude(verbs(bench), "c1", "b", actor="me")
    bench.orchestrator.run_hop("c1")
    bench.deliver()
    assert bench.reports.row("c1").status == "completed", "a hop at work was not disturbed"
    put(bench, ANN, BEN)
    assert out(bench) == {"b": ""}


def test_a_fork_has_the_exclusions_of_its_parent(bench: Harness) -> None:
    bench.orchestrator.run_hop("c1")
    bench.deliver()
    put(bench, BEN)
    exclude(verbs(bench), "c1", "b", actor="me", reason="r")
    from integrations.settings import Settings

    new = verbs(bench).fork("c1", 1, actor="me", settings=Settings.from_env({}))
    (one,) = CampaignExclusions(bench.database, new).listed()
    assert (one.lead_id, one.reason, one.by) == ("b", "r", "me")


def test_what_an_exclusion_knows_goes_with_the_people(bench: Harness) -> None:
    bench.submit("c2", retention="30d")
    put(bench, BEN, CLEO)
    exclude(verbs(bench), "c2", "b", actor="me")
    exclude(verbs(bench), "c2", "c", actor="me", reason="knows ben@acme.example")
    SuppressionList(bench.database).erase("ben@acme.example", "asked")
    left = bench.database.rows("SELECT lead_id, reason FROM marketing.exclusions")
    assert left == [("c", "knows [erased]")]
    bench.database.run("UPDATE marketing.campaigns SET status = 'completed', updated_at = '2026-01-01Z'")
    assert Retention(bench.database).sweep() == 1
    assert bench.database.value("SELECT count(*) FROM marketing.exclusions WHERE campaign_id = 'c2'") == 0


def test_leads_that_are_not_there_are_refused_and_two_of_one_address_are_named(bench: Harness) -> None:
    put(bench, ANN, BEN.model_copy(update={"email": "ann@acme.example"}))
    with pytest.raises(NoSuchLeadError, match=r"2 leads have this address; name one by its id: a, b$"):
        exclude(verbs(bench), "c1", "ann@acme.example", actor="me")
    for name in ("nobody@acme.example", "x", "@", ""):
        with pytest.raises(NoSuchLeadError) as caught:
            exclude(verbs(bench), "c1", name, actor="me")
        assert "nobody" not in str(caught.value)


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (LeadFilter(), ["a", "c", "b"]),
        (LeadFilter(qualified=True), ["a"]),
        (LeadFilter(qualified=False), ["c", "b"]),
        (LeadFilter(delivered=False), ["c", "b"]),
        (LeadFilter(delivered=True, min_score=0.95), []),
        (LeadFilter(min_score=0.7), ["a", "c"]),
        (LeadFilter(company="ACM"), ["a"]),
        (LeadFilter(source="FILE"), ["a", "b"]),
        (LeadFilter(source="file:mine.csv"), ["a"]),
        (LeadFilter(source="fil"), []),
        (LeadFilter(excluded=True), ["c"]),
    ],
)
def test_filters(bench: Harness, wanted: LeadFilter, found: list[str]) -> None:
    ann = {"qualified_at": SystemClock().now(), "sources": ("search", "file:mine.csv")}
    put(bench, BEN.model_copy(update={"sources": ("file:other.csv",)}), CLEO, ANN.model_copy(update=ann))
    exclude(verbs(bench), "c1", "c", actor="me")
    rows: list[LeadRow] = leads_of(bench.database, "c1", wanted)
    assert [row.lead_id for row in rows] == found
