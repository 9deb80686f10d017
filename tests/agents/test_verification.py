"""Verification of addresses: what has no verdict yet, who objected, which addresses no one is written to at."""

from __future__ import annotations

from typing import Any

import pytest
from agent_context import Execution
from lead_campaigns import WORLD, check, execution_of, from_file, worker
from memory_leads import MemoryLeads

from agents.base import run_unit
from agents.lead_generation import LeadGeneration
from agents.state import MarketingAgentState
from agents.unit import Unit
from integrations.sandbox.world import Mail

AGENT = LeadGeneration()


@pytest.fixture
def leads() -> MemoryLeads:
    return MemoryLeads()


@pytest.fixture
def execution(leads: MemoryLeads) -> Execution:
    return execution_of(leads)


def statuses_of(after: MarketingAgentState) -> dict[str, str]:
    return {lead.email: lead.email_status for lead in after.leads if lead.email}


def verified(emails: list[str], execution: Execution) -> Any:
    unit = Unit(key="verify:0000", kind="verify", provider="hunter", input={"emails": emails})
    return run_unit(AGENT, unit, execution.for_unit("c-1", 0, 4, unit))


def test_a_mail_server_that_failed_is_asked_for_later_and_unknown_in_the_end(
    execution: Execution, leads: MemoryLeads
) -> None:
    emails = ["greylisted@acme.example", worker().email]
    for _ in range(3):
        waiting = verified(emails, execution)
        assert waiting.error is not None
        assert (waiting.error["code"], waiting.error["retry_after"]) == ("still_working", 60.0)
    done = verified(emails, execution)
    assert done.output is not None
    assert done.output["emails"] == {emails[0]: "unknown", emails[1]: "valid"}
    assert leads.statuses("hunter") == [222, 200, 222, 222, 222], "a verdict is paid once, and 222 is asked once a try"


def test_a_running_verification_is_asked_for_again(execution: Execution, leads: MemoryLeads) -> None:
    done = verified([worker(slow=True).email], execution)
    assert done.output is not None
    assert set(done.output["emails"].values()) == {"valid"}
    assert leads.statuses("hunter") == [202, 200]


def test_who_objected_is_suppressed_for_good(execution: Execution, leads: MemoryLeads) -> None:
    person = worker(objected=True)
    rows = [{"name": person.name, "email": person.email, "job_title": "CEO", "industry": "saas", "company_size": "80"}]
    enrichment = {"find_emails": False}
    after = AGENT.execute(from_file(rows, execution, enrichment=enrichment), execution)
    assert after.leads == ()
    assert execution.suppression.emails == {person.email: "objected, says hunter"}
    assert leads.statuses("hunter") == [451]
    again = AGENT.execute(from_file(rows, execution, enrichment=enrichment), execution)
    assert again.leads == ()
    assert leads.statuses("hunter") == [451], "the list is asked before Hunter is"


def test_what_the_address_alone_tells_is_not_verified(execution: Execution, leads: MemoryLeads) -> None:
    silent = next(c for c in WORLD.companies if c.mail is Mail.NULL_MX)
    good = worker()
    employer = next(c for c in WORLD.companies if good in c.people)
    rows = [
        {"name": "Dis Posable", "email": "dis@mailinator.com", "company": "Acme Disposable"},
        {"name": "Null Mx", "email": f"null@{silent.domain}", "company": silent.name},
        {"name": "No Syntax", "email": "no syntax@", "company": "Acme Broken"},
        {"name": good.name, "email": good.email, "company": employer.name},
        {"email": f"info@{employer.domain}", "company": employer.name},
    ]
    after = AGENT.execute(from_file(rows, execution, enrichment={"providers": ["clearbit"]}), execution)
    check(after)
    assert statuses_of(after)["info@" + employer.domain] == "role"
    statuses = {lead.name: (lead.email, lead.email_status) for lead in after.leads}
    assert statuses["Dis Posable"] == (None, "unverified")
    assert statuses["Null Mx"] == (None, "unverified")
    assert statuses["No Syntax"] == (None, "unverified")
    assert statuses[good.name] == (good.email, "valid")
    assert leads.statuses("hunter") == [200, 200], "only an address that may take mail is verified"
    set_aside = after.agent_messages[-1].payload["set_aside"]
    assert set_aside["disposable e-mail address"] == 1
    assert set_aside["undeliverable e-mail address"] == 1
    assert set_aside["broken e-mail address"] == 1


def test_a_name_server_that_does_not_answer_takes_no_address_away(execution: Execution, leads: MemoryLeads) -> None:
    leads.trouble("dns")
    person = worker()
    rows = [{"name": person.name, "email": person.email, "job_title": "CEO"}]
    wanted = {"find_emails": False, "verify": "dns"}
    after = AGENT.execute(from_file(rows, execution, enrichment=wanted), execution)
    assert [lead.email for lead in after.leads] == [person.email]
    assert {error.provider for error in after.errors} == {"dns"}
