"""A waterfall on the ledger, over the wire to the sandbox: the second enricher takes over from the first."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from orchestrator_harness import Harness
from stack import Sandbox

from agents.registry import agents
from integrations.sandbox.world import Mail, World
from integrations.settings import Settings
from orchestration.execution.call_guard import CallGuard
from orchestration.execution.context import Resources
from orchestration.stores.lead_files import LeadFileStore, StoredFile

PEOPLE = [company.people[0] for company in World.build(7).companies if company.mail is Mail.MX][:4]
FILE = StoredFile(
    filename="mine.csv",
    rows=json.dumps([{"name": person.name, "email": person.email, "job_title": "CEO"} for person in PEOPLE]),
    summary={},
)
WATERFALL: dict[str, Any] = {
    "lead_sources": [{"type": "file", "path": "mine.csv", "file_id": FILE.file_id}],
    "enrichment": {"providers": ["clearbit", "hunter"], "verify": "none"},
    "content_required": False,
}


@pytest.fixture
def one(database_url: str, sandbox: Sandbox) -> Iterator[Harness]:
    harness = Harness(database_url, agents(), placement="local")
    use(harness, sandbox)
    LeadFileStore(harness.database).add(FILE)
    yield harness
    harness.close()


def use(one: Harness, sandbox: Sandbox, *switched_off: str) -> None:
    """Have the campaign's providers in the sandbox, some of them switched off by hand."""
    settings = Settings.from_env({"SANDBOX_URL": sandbox.url, "DNS_RESOLVER": sandbox.dns_resolver or ""})
    guard = CallGuard(settings, switched_off=lambda: frozenset(switched_off))
    resources = Resources.of(settings, one.database, guard=guard)
    one.orchestrator = replace(one.orchestrator, resources=resources)


def finish(one: Harness) -> dict[str, Any]:
    """Run the campaign, making at once due what waits, and return its state."""
    for _ in range(8):
        one.orchestrator.run_hop("c1")
        if one.reports.status("c1")[0] == "completed":
            break
        one.database.run("UPDATE marketing.units SET due_at = NULL WHERE status = 'pending'")
        one.database.run("UPDATE marketing.campaigns SET due_at = clock_timestamp() WHERE due_at IS NOT NULL")
    assert one.reports.status("c1")[0] == "completed"
    found: dict[str, Any] = one.reports.show("c1")["state"]
    return found


def lookups(one: Harness) -> list[tuple[str, str | None, int]]:
    """Provider, stand-in and attempts of each unit that looked up companies."""
    return one.database.rows(
        "SELECT provider, result ->> 'stood_in', attempts FROM marketing.units WHERE kind = 'companies'"
    )


def says_who_answered(state: dict[str, Any]) -> None:
    report = next(m["payload"] for m in state["agent_messages"] if "stand_ins" in m["payload"])
    assert report["stand_ins"] == {"hunter for clearbit": 1}
    assert report["company_facts_from"] == {"hunter": 4}
    assert [lead["company_facts_from"] for lead in state["leads"]] == [["hunter"]] * 4


def test_the_second_answers_while_the_first_is_down(one: Harness, sandbox: Sandbox) -> None:
    sandbox.post("/_sandbox/faults", {"provider": "clearbit", "mode": "down"})
    one.submit(**WATERFALL)
    says_who_answered(finish(one))
    assert lookups(one) == [("clearbit", "hunter", 1)]
    assert len(sandbox.get("/_sandbox/calls?provider=clearbit")) == 2, "one more try, then the next"


def test_the_second_answers_at_once_while_the_circuit_of_the_first_is_open(one: Harness, sandbox: Sandbox) -> None:
    use(one, sandbox, "clearbit")
    one.submit(**WATERFALL)
    one.orchestrator.run_hop("c1")
    assert one.reports.status("c1")[0] == "completed"
    says_who_answered(one.reports.show("c1")["state"])
    assert lookups(one) == [("clearbit", "hunter", 0)]
    assert sandbox.get("/_sandbox/calls?provider=clearbit") == []


@pytest.mark.parametrize("key", ["exhausted", "invalid"])
def test_the_second_answers_where_the_first_needs_a_person(one: Harness, sandbox: Sandbox, key: str) -> None:
    settings = Settings.from_env(
        {
            "SANDBOX_URL": sandbox.url,
            "DNS_RESOLVER": sandbox.dns_resolver or "",
            "CLEARBIT_BASE_URL": f"{sandbox.url}/clearbit",
            "CLEARBIT_API_KEY": key,
        }
    )
    one.orchestrator = replace(one.orchestrator, resources=Resources.of(settings, one.database))
    one.submit(**WATERFALL)
    says_who_answered(finish(one))
