"""Erasure of a person: what every table is left with, and what a hop in flight can't write back."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import address_search
import pytest
from orchestrator_harness import Harness
from toys import toys

from agents.config_problems import ConfigError
from agents.erasure import Erasing, hashes_in
from agents.lead_generation.clean import record_of
from agents.lead_generation.screen import hashes_of
from agents.ports import UnitContext
from agents.state import Lead
from agents.unit import Stage, Unit, UnitResult, UnitStatus
from integrations.address_hash import address_hash
from integrations.settings import Mode
from integrations.usage import Usage
from orchestration.flow.transition import Transition
from orchestration.ledger.database import encode
from orchestration.stores.knowledge import KnowledgeBase
from orchestration.stores.lead_files import LeadFileStore, StoredFile
from orchestration.stores.refusals import Refusals
from orchestration.stores.suppression import SuppressionList

JANE = "Jane.Doe@Acme.example"
OTHER = {"email": "joan@acme.example", "name": "Joan Roe", "company": "Acme", "source": "file:a.csv"}
RECORD = {"email": "jane.doe@acme.example", "name": "Jane Doe", "company": "Acme", "source": "file:a.csv"}
NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def one(database_url: str) -> Iterator[Harness]:
    harness = Harness(database_url, toys(stages=(2, 1)))
    yield harness
    harness.close()


def erase(one: Harness) -> Any:
    return SuppressionList(one.database).erase(JANE, "asked")


def put(one: Harness, table: str, column: str, value: object, where: str = "true") -> None:
    one.database.run(f"UPDATE marketing.{table} SET {column} = %s WHERE {where}", value)


def stored(one: Harness, table: str, column: str, where: str = "true") -> Any:
    return one.database.value(f"SELECT {column} FROM marketing.{table} WHERE {where}")


JSON_COLUMNS: dict[tuple[str, str], tuple[object, object]] = {
    ("campaigns", "leads"): ([RECORD, OTHER], [OTHER]),
    ("campaigns", "qualified_leads"): ([RECORD], []),
    ("campaigns", "generated_content"): ([{"body": f"Ask {JANE}."}], [{"body": "Ask [erased]."}]),
    ("campaigns", "ad_creatives"): ([{"texts": [f"<{JANE}>"]}], [{"texts": ["<[erased]>"]}]),
    ("campaigns", "agent_messages"): ([{"payload": {JANE: [JANE]}}], [{"payload": {"[erased]": ["[erased]"]}}]),
    ("campaigns", "hold"): ({"kind": f"to {JANE}"}, {"kind": "to [erased]"}),
    ("checkpoints", "patch"): ({"leads": [RECORD, OTHER], "n": JANE}, {"leads": [OTHER], "n": "[erased]"}),
    ("events", "data"): ({"why": f"refused:{JANE}"}, {"why": "refused:[erased]"}),
    ("units", "input"): ({"emails": [JANE, OTHER["email"]]}, {"emails": [OTHER["email"]]}),
    ("units", "result"): ({"emails": {JANE.lower(): "valid", "n": 1}}, {"emails": {"n": 1}}),
    ("units", "error"): ({"message": f"no mail to {JANE}, sorry"}, {"message": "no mail to [erased], sorry"}),
    ("units", "journal"): ({"find.1": {"email": JANE}, "n": [f"({JANE})"]}, {"n": ["([erased])"]}),
}


@pytest.mark.parametrize(("table", "column"), JSON_COLUMNS, ids=".".join)
def test_a_person_leaves_every_json_column(one: Harness, table: str, column: str) -> None:
    one.submit()
    before, after = JSON_COLUMNS[table, column]
    put(one, table, column, encode(before))
    assert address_search.in_tables(one.database, JANE)
    removed = erase(one)
    assert stored(one, table, column) == after
    assert address_search.in_tables(one.database, JANE) == {}
    assert (removed.rows.keys(), removed.campaigns, removed.newly_suppressed) == ({table}, ("c1",), True)


@pytest.mark.parametrize(
    ("table", "column"),
    [
        ("campaigns", "name"), ("campaigns", "reason"), ("campaigns", "paused_reason"),
        ("campaigns", "idempotency_key"), ("events", "actor"), ("units", "worker"), ("units", "model"),
    ],
)  # fmt: skip
def test_a_person_leaves_every_text_column(one: Harness, table: str, column: str) -> None:
    one.submit()
    put(one, table, column, f"of {JANE}")
    erase(one)
    assert "[erased" in one.database.value(f"SELECT min({column}) FROM marketing.{table}")
    assert address_search.in_tables(one.database, JANE) == {}


def test_a_person_leaves_the_state_whose_configuration_can_still_be_read(one: Harness) -> None:
    one.submit(brand={"name": "Acme", "description": JANE, "guidelines": [f"never write to {JANE}"]})
    erase(one)
    brand = one.reports.row("c1").state.campaign_config.brand
    assert (brand.description, brand.guidelines) == ("[erased]", ("never write to [erased]",))
    assert address_search.in_tables(one.database, JANE) == {}


def test_a_person_leaves_what_is_of_no_campaign(one: Harness) -> None:
    rows = encode([{"email": JANE, "name": "Jane Doe"}, {"email": "joan@acme.example"}])
    file = StoredFile(filename=f"{JANE}.csv", rows=rows, summary={"warnings": [f"twice: {JANE}"]})
    LeadFileStore(one.database).add(file)
    KnowledgeBase(one.database).add_text(f"About {JANE}", f"/docs/{JANE}.md", f"Write to {JANE} for help.")
    Refusals(one.database).record(f"key of {JANE}", [f"{JANE}: unknown key"])
    one.database.run("INSERT INTO marketing.fleet_events (kind, data) VALUES ('x', %s)", encode({"by": JANE}))
    removed = erase(one)
    assert address_search.in_tables(one.database, JANE) == {}
    assert LeadFileStore(one.database).rows(file.file_id) == [{"email": "joan@acme.example"}]
    assert [p.text for p in KnowledgeBase(one.database).query_knowledge("help")] == ["Write to [erased] for help."]
    assert set(removed.rows) == {"lead_files", "documents", "chunks", "refusals", "fleet_events"}
    # Neither comes back with the same file and document.
    LeadFileStore(one.database).add(StoredFile(filename="b.csv", rows=rows[:-1] + "]", summary={}))
    LeadFileStore(one.database).add(StoredFile(filename="c.csv", rows=f" {rows}", summary={}))
    KnowledgeBase(one.database).add_text("About", "/docs/other.md", f"Write to {JANE} for help.")
    Refusals(one.database).record("key", [f"{JANE}: unknown key"])
    assert address_search.in_tables(one.database, JANE) == {}


def test_other_records_of_the_same_person_in_a_campaign_go_too(one: Harness) -> None:
    one.submit()
    profile = "https://www.linkedin.example/in/jane-doe"
    found = {"title": "Jane Doe - CTO", "link": profile}
    namesake = {"name": "Jane Doe", "company": "Globex", "source": "search"}
    bare = {"name": "Jane DOE", "company": "Acme, Inc.", "source": "search"}
    put(one, "campaigns", "leads", encode([{**RECORD, "profile_url": profile}, bare, namesake]))
    put(one, "units", "result", encode({"records": [RECORD, OTHER], "suppressed": []}), "key = 'u0'")
    put(one, "units", "result", encode({"query": "cto", "results": [found]}), "key = 'u1'")
    erase(one)
    assert stored(one, "campaigns", "leads") == [namesake]
    assert stored(one, "units", "result", "key = 'u1'") == {"query": "cto", "results": []}
    answer = stored(one, "units", "result", "key = 'u0'")
    assert answer["records"] == [OTHER]
    assert len(answer["suppressed"]) == 3, "hashes keep other sources from her"


@pytest.mark.parametrize(
    "neighbour",
    ["xjane.doe@acme.example", "jane.doe@acme.example.org", "jane.doe@beta.acme.example", "mary.jane.doe@acme.example"],
)
def test_another_address_that_looks_alike_stays(one: Harness, neighbour: str) -> None:
    one.submit()
    put(one, "campaigns", "leads", encode([{"email": neighbour}]))
    erase(one)
    assert stored(one, "campaigns", "leads") == [{"email": neighbour}]


def test_a_list_that_only_the_row_holds_is_not_moved_to_its_checkpoint(one: Harness) -> None:
    one.submit()
    many = [{"email": f"p{n}@acme.example", "name": "x" * 200} for n in range(100)]
    put(one, "campaigns", "leads", encode([RECORD, *many]))
    put(one, "campaigns", "in_row", encode({"leads": -1}))
    put(one, "checkpoints", "patch", encode({"row:leads": True}))
    erase(one)
    assert stored(one, "campaigns", "in_row") == {"leads": -1}
    assert stored(one, "checkpoints", "patch") == {"row:leads": True}
    assert one.ledger.checkpoints("c1")[-1].patch["leads"] == many


def test_who_objects_to_a_provider_is_erased_as_well_and_known_by_name(one: Harness) -> None:
    one.submit()
    put(one, "campaigns", "leads", encode([RECORD]))
    listed = SuppressionList(one.database)
    listed.suppress(JANE.lower(), "objected, says hunter")
    assert address_search.in_tables(one.database, JANE) == {}
    assert listed.suppressed([JANE.lower(), "joan@acme.example"]) == {JANE.lower()}
    by_name = hashes_of(record_of({"name": "Jane Doe", "company": "ACME Inc"}, "search"))
    assert listed.barred({*by_name, "other"}) == by_name


def test_erasing_again_and_someone_unknown_find_nothing(one: Harness) -> None:
    one.submit()
    put(one, "campaigns", "leads", encode([RECORD]))
    assert erase(one).known
    again = erase(one)
    assert (again.known, again.rows, again.newly_suppressed) == (False, {}, False)
    with pytest.raises(ConfigError, match="is no e-mail address"):
        SuppressionList(one.database).erase("jane", "asked")


# Hops in flight.


def body_that_finds(unit: Unit, ctx: UnitContext) -> Mapping[str, Any]:
    ctx.journal("page", {"people": [RECORD, OTHER]})
    return {"value": 1, "records": [RECORD, OTHER], "suppressed": []}


def test_a_result_that_arrives_after_the_erasure_is_recorded_without_the_person(one: Harness) -> None:
    one.submit()
    entered = one.ledger.enter("c1", None, limit=2, most=9)
    assert entered is not None
    erase(one)
    answer = {"value": 1, "records": [RECORD, OTHER], "suppressed": []}
    results = [UnitResult(unit=c.unit, status=UnitStatus.SUCCEEDED, output=answer) for c in entered.claimed]
    assert one.ledger.finish(entered.row.position, results[:1]) == 1
    assert one.ledger.finish(entered.row.position, results[1:]) == 0
    assert address_search.in_tables(one.database, JANE) == {}
    assert [r.output["records"] for r in one.ledger.results("c1", 0)[0].results if r.output] == [[OTHER], [OTHER]]


def test_a_journal_an_error_and_an_intent_are_written_without_the_person(one: Harness) -> None:
    one.submit()
    entered = one.ledger.enter("c1", None, limit=2, most=9)
    assert entered is not None
    erase(one)
    first, second = entered.claimed
    usage = Usage(provider="openai", model="m", input_tokens=5, output_tokens=7, cost=None)
    one.ledger.journal(first, {"find.1": {"email": JANE}}, None)
    one.ledger.journal(first, {"page": {"people": [RECORD, OTHER], "next": 2}}, None)
    one.ledger.journal(second, {"answer": {"text": f"Write to {JANE}", "to": JANE}}, usage)
    assert one.ledger.intend(second, {"intent.send": {"to": JANE}})
    assert one.ledger.give_back(
        first, status="pending", delay_s=9.0, error={"code": "x", "message": f"not to {JANE}"}, attempt=True
    )
    assert address_search.in_tables(one.database, JANE) == {}
    assert stored(one, "units", "journal", "key = 'u0'") == {"page": {"people": [OTHER], "next": 2}}
    journal = {"answer": {"text": "Write to [erased]", "to": "[erased]"}, "intent.send": {"to": "[erased]"}}
    assert stored(one, "units", "journal", "key = 'u1'") == journal
    assert stored(one, "units", "output_tokens", "key = 'u1'") == 7, "what was paid for is counted"


class Racing(type(toys()["lead_generation"])):  # type: ignore[misc]
    """Finds people, and lets something happen between the decision and the commit."""

    meanwhile: Any = None

    def update_state(self, state: Any, result: Any, now: datetime) -> Any:
        outputs = [out for stage in result for out in stage.outputs()]
        barred = {one for out in outputs for one in out["suppressed"]}
        found = [row for out in outputs for row in out["records"] if not hashes_of(record_of(row, "")) & barred]
        leads = tuple(Lead(lead_id=str(n), email=row.get("email"), name=row["name"]) for n, row in enumerate(found))
        if self.meanwhile is not None:
            meanwhile, self.meanwhile = self.meanwhile, None
            meanwhile()
        return state.evolve(leads=leads, qualified_leads=leads)


def racing(one: Harness, meanwhile: Any) -> None:
    agents = toys(stages=(1,), body=body_that_finds)
    agents["lead_generation"] = found = Racing("lead_generation", (1,), body_that_finds)
    found.meanwhile = meanwhile
    one.agents = agents
    object.__setattr__(one.orchestrator, "agents", agents)


def finish(one: Harness) -> Any:
    """Run the campaign as a fleet does: whatever has no message gets one."""
    for _ in range(20):
        one.orchestrator.run_hop("c1")
        one.deliver()
        if one.reports.status("c1")[0] == "completed":
            return one.reports.row("c1").state
    raise AssertionError(one.reports.show("c1"))


def test_a_transition_that_was_decided_before_the_erasure_is_made_anew(one: Harness) -> None:
    racing(one, lambda: erase(one))
    one.submit()
    assert [lead.email for lead in finish(one).leads] == [OTHER["email"]]
    assert address_search.in_tables(one.database, JANE) == {}


def test_a_transition_that_knows_the_person_by_name_alone_is_made_anew(one: Harness) -> None:
    bare = {"name": "Jane Doe", "company": "Acme", "source": "search"}
    racing(one, lambda: erase(one))
    one.agents["lead_generation"].body = lambda unit, ctx: {"value": 1, "records": [bare, OTHER], "suppressed": []}  # type: ignore[attr-defined]
    one.submit()
    put(one, "units", "journal", encode({"page": {"records": [RECORD]}}))
    one.database.run(
        "INSERT INTO marketing.units SELECT (jsonb_populate_record(u, %s)).* FROM marketing.units u WHERE key = 'u0'",
        encode({"key": "earlier", "status": "succeeded", "result": {"records": [RECORD], "suppressed": []}}),
    )
    assert [lead.name for lead in finish(one).leads] == [OTHER["name"]]


def test_a_transition_without_results_that_holds_the_person_is_committed_without_them(one: Harness) -> None:
    racing(one, lambda: erase(one))
    one.submit()
    entered = one.ledger.enter("c1", None, limit=1, most=9)
    assert entered is not None
    answer = {"value": 1, "records": [RECORD, OTHER], "suppressed": []}
    (claimed,) = entered.claimed
    result = UnitResult(unit=claimed.unit, status=UnitStatus.SUCCEEDED, output=answer)
    assert one.ledger.finish(entered.row.position, [result]) == 0
    one.orchestrator.advance("c1", 0, 0)
    assert [lead.email for lead in finish(one).leads] == [OTHER["email"]]
    assert address_search.in_tables(one.database, JANE) == {}


def test_a_fork_that_was_decided_before_the_erasure_has_no_lead_of_the_person(one: Harness) -> None:
    racing(one, None)
    one.submit()
    state = finish(one)
    assert len(state.leads) == 2
    stage = Stage(name="s0", units=[Unit(key="u0", kind="toy", provider="local", input={"people": [RECORD]})])
    forked = state.evolve(campaign_id="c2")
    moved = Transition(before=forked, state=forked, step=1, stage=stage, agent="content_creation", status="running")
    erase(one)
    one.ledger.changes.fork("c2", "c1", Mode.SANDBOX, "fork", "h", moved, NOW)
    assert address_search.in_tables(one.database, JANE) == {}
    assert [lead.email for lead in one.reports.row("c2").state.leads] == [OTHER["email"]]


def test_json_that_was_erased_is_json_that_was_read() -> None:

    value = {
        "a": f"line\n{JANE}\tend",
        "b": [f'"{JANE}"', f"mailto:{JANE}?subject=x", f"href='{JANE}'", f"{JANE}. Next"],
    }
    assert address_hash(JANE) in hashes_in(json.dumps(value)), "also where an escape stands before it"
    left = Erasing(frozenset({address_hash(JANE)})).records(value)
    assert JANE.lower() not in json.dumps(left).lower()
