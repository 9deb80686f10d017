"""Leads from the user's own file, with the sandbox's world in memory: dirty rows, completion, people not to address."""

from __future__ import annotations

import csv
import io
import random
from collections import Counter
from datetime import UTC, datetime

import pytest
from agent_context import Execution
from lead_campaigns import WORLD, check, execution_of, from_file, state, worker
from memory_leads import MemoryLeads

from agents.config import CampaignConfig
from agents.fallbacks import MAIL_DOMAIN
from agents.lead_files.reading import parse
from agents.lead_generation import LeadGeneration
from agents.lead_generation.clean import identity
from agents.lead_generation.verify import VERIFY, VerifyAnswer, VerifyInput
from agents.legal_basis import notice_due
from integrations.sandbox.world import Mail

AGENT = LeadGeneration()


@pytest.fixture
def execution() -> Execution:
    return execution_of(MemoryLeads())


def dirty_csv() -> tuple[bytes, int]:
    """500 rows and 2 MB of what exports look like: mixed encodings, duplicates, holes, broken addresses.

    With the number of different people in it.
    """
    dice = random.Random(5)
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(
        ["E-Mail", "First Name", "Last Name", "Job Title", "Company Name", "Employees", "Industry", "Notes"]
    )
    people = [
        (
            f"person{n}@company{n % 90}.example",
            f"Zoë{chr(97 + n % 26)}",
            f"Müller{chr(97 + n // 26)}",
            dice.choice(["CEO", "VP Sales", "Instructor", "Contractor", "Director of IT", "", "Assistant to the CEO"]),
            f"Company {n % 90}, Inc.",
            dice.choice(["11-50", "51-200", "1-10,000", "500+", "12", "1,200", "", "n/a"]),
            dice.choice(["SaaS", "Financial Services", "Retail", "", "Information Technology"]),
        )
        for n in range(400)
    ]
    written = set()
    for number in range(500):
        person = people[number] if number < 400 else dice.choice(people)
        row = list(person)
        if number % 25 == 3:
            row[0] = dice.choice(["broken@", "no address", "a@@b.com", "=1+1", "N/A"])
        if number % 40 == 7:
            row[0] = row[0].upper() + " "
        if number % 50 == 9:
            row = [""] * len(row)
        else:
            written.add(person)
        writer.writerow([*row, "x" * 4_100 + '"quoted", and\nbroken'][: 8 if number % 30 else 5])
    lines = out.getvalue().split("\r\n")
    data = b"\r\n".join(line.encode("cp1252" if n % 3 else "utf-8") for n, line in enumerate(lines))
    return data, len(written)


def test_a_dirty_file_of_2_mb(execution: Execution) -> None:
    data, people = dirty_csv()
    assert 1_900_000 < len(data) < 2_300_000
    read = parse(data, "mine.csv")
    assert len(read.rows) + sum(read.rejected.values()) == 500
    assert read.rejected == {"empty row": 10}
    after = AGENT.execute(from_file(list(read.rows), execution), execution)
    check(after)
    assert len(after.leads) == people < 400
    assert 0 < len(after.qualified_leads) < len(after.leads)
    assert all(lead.name and lead.name.startswith("Zoë") for lead in after.leads)
    assert all(lead.sources == ("file:mine.csv",) for lead in after.leads)
    assert after.errors == ()
    report = after.agent_messages[-1].payload["set_aside"]
    assert report["broken e-mail address"] > 0
    assert report["duplicate"] > 50
    # 500 rows are not 500 units
    kinds = Counter(unit.kind for unit in execution.units)
    assert kinds["resolve"] <= 4
    assert sum(kinds.values()) < 80


def test_bad_rows_are_told_apart(execution: Execution) -> None:
    good = worker()
    dead = next(c for c in WORLD.companies if c.mail is Mail.NULL_MX)
    rows = [
        {"email": good.email, "name": good.name, "job_title": "CEO", "company_size": "51-200", "industry": "SaaS"},
        {"email": f"a@{dead.domain}", "name": "Ann Other", "company": dead.name},
        {"email": f"only@{dead.domain}"},
        {"email": "x@nxdomain.example"},
        {"email": "someone@gmail.com", "name": "Web Mail", "company": "Acme"},
        {"email": f"not.there@{good.email.partition('@')[2]}", "name": "Not There"},
        {"email": "t@mailsink.example", "name": "Throw Away"},
        {"company": "Acme"},
    ]
    after = AGENT.execute(from_file(rows, execution), execution)
    check(after)
    leads = {lead.name: lead for lead in after.leads}
    assert leads.keys() == {good.name, "Ann Other", "Web Mail", "Not There"}
    assert (leads[good.name].email_status, leads[good.name].score) == ("valid", 1.0)
    assert leads["Ann Other"].email is None
    assert leads["Web Mail"].email_status == "unknown"
    assert leads["Web Mail"].domain is None
    assert leads["Not There"].email is None
    assert after.agent_messages[-1].payload["set_aside"] == {
        "disposable e-mail address": 1,
        "nothing identifies a person": 2,
        "undeliverable e-mail address": 4,
    }


def test_missing_addresses_and_facts_are_found(execution: Execution) -> None:
    person = worker()
    company = WORLD.by_email[person.email][0]
    by_domain = {"name": person.name, "domain": company.domain}
    other = next(p for p in company.people if p is not person and not p.objected)
    by_company = {"name": other.name, "company": company.name.upper()}
    after = AGENT.execute(from_file([by_domain, by_company], execution), execution)
    check(after)
    # The user's list isn't padded with strangers.
    assert {lead.name for lead in after.leads} == {person.name, other.name}
    lead = next(lead for lead in after.leads if lead.name == person.name)
    assert (lead.email, lead.email_status, lead.company) == (person.email, "valid", company.name.upper())
    assert lead.company_size == company.headcount
    assert lead.sources == ("file:mine.csv", "hunter")


def test_a_running_verification_is_asked_for_again(execution: Execution) -> None:
    slow = worker(slow=True)
    (lead,) = AGENT.execute(from_file([{"email": slow.email}], execution), execution).leads
    assert lead.email_status == "valid"


# People who must not be addressed


def test_people_on_the_suppression_list_leave_no_trace(execution: Execution) -> None:
    person = worker()
    company = WORLD.by_email[person.email][0]
    execution.suppression.emails[person.email] = "asked us to stop"
    rows = [
        {"email": person.email.upper(), "name": person.name, "company": company.name},
        {"name": person.name, "company": company.name},
        {"email": "else@acme.com", "name": "Somebody Else", "company": company.name},
    ]
    after = AGENT.execute(from_file(rows, execution), execution)
    assert [lead.name for lead in after.leads] == ["Somebody Else"]
    assert after.agent_messages[-1].payload["set_aside"]["suppressed"] >= 1


def test_a_suppressed_address_that_is_found_later_is_not_used(execution: Execution) -> None:
    person = worker()
    domain = person.email.partition("@")[2]
    execution.suppression.emails[person.email] = "bounced"
    after = AGENT.execute(from_file([{"name": person.name, "domain": domain}], execution), execution)
    assert after.leads == ()


@pytest.mark.parametrize("fallback", [None, MAIL_DOMAIN])
def test_an_address_that_was_suppressed_after_it_was_found_is_not_verified(
    execution: Execution, fallback: str | None
) -> None:
    gone, other = worker(), worker(known=False)
    execution.suppression.emails[gone.email] = "erased on request"
    execution.fallback = fallback
    given = VerifyInput(emails=(gone.email, other.email))
    unit = VERIFY.unit("verify:0000", given, provider="hunter")
    answer = VerifyAnswer.model_validate(AGENT.run(unit, execution.for_unit("c-1", 0, 4, unit)))
    assert set(answer.emails) == {other.email}
    assert answer.suppressed == (identity(gone.email),)
    assert execution.calls == ([] if fallback else ["hunter"])


def test_who_is_suppressed_under_another_address_of_the_row_is_left_out(execution: Execution) -> None:
    person = worker()
    execution.suppression.emails[person.email] = "asked us to stop"
    rows = [
        {"email": "private@elsewhere.example", "email_2": person.email.upper(), "name": person.name, "company": "Acme"},
        {"email": "else@acme.com", "email_2": "other@acme.com", "name": "Somebody Else", "company": "Acme"},
        {"name": person.name, "company": "Acme"},
    ]
    after = AGENT.execute(from_file(rows, execution), execution)
    assert [(lead.name, lead.email) for lead in after.leads] == [("Somebody Else", "else@acme.com")]


@pytest.mark.parametrize("with_address", [True, False])
def test_people_who_objected_elsewhere_are_left_out(execution: Execution, with_address: bool) -> None:
    person = worker(objected=True)
    domain = person.email.partition("@")[2]
    row = {"name": person.name, "domain": domain} | ({"email": person.email} if with_address else {})
    after = AGENT.execute(from_file([row], execution), execution)
    assert after.leads == ()
    assert (person.email in execution.suppression.emails) is with_address


def test_who_objected_without_an_address_that_we_know_is_not_taken_from_any_source_again(execution: Execution) -> None:
    person = worker(objected=True)
    company = WORLD.by_email[person.email][0]
    AGENT.execute(
        from_file([{"name": person.name, "company": company.name, "domain": company.domain}], execution), execution
    )
    assert set(execution.suppression.identities.values()) == {"objected, says hunter"}
    execution.calls.clear()
    again = from_file(
        [{"name": person.name.upper(), "domain": company.domain}], execution, enrichment={"verify": "none"}
    )
    after = AGENT.execute(again, execution)
    assert after.leads == ()
    assert "hunter" not in execution.calls, "asked before enrichment"
    assert after.agent_messages[-1].payload["set_aside"] == {}


# Where a lead is from, and on which basis


def test_a_lead_says_where_it_is_from_on_which_basis_and_when_the_person_is_told(execution: Execution) -> None:
    rows = [
        {"email": "ann@acme.com", "name": "Ann Lee", "company": "Acme", "legal_basis": "consent"},
        {"email": "ben@acme.com", "name": "Ben Lee", "company": "Acme"},
    ]
    given = from_file(rows, execution)
    sources = [{"type": "file", "path": "mine.csv", "file_id": "f-1", "legal_basis": "contract"}]
    config = CampaignConfig.parse({"target_audience": {"industry": "saas"}, "lead_sources": sources})
    execution.clock.at = datetime(2026, 1, 31, 9, tzinfo=UTC)
    after = AGENT.execute(given.evolve(campaign_config=config), execution)
    assert {lead.email: lead.legal_basis for lead in after.leads} == {
        "ann@acme.com": "consent",
        "ben@acme.com": "contract",
    }
    assert {(lead.sources, lead.collected_at) for lead in after.leads} == {(("file:mine.csv",), execution.clock.at)}
    assert {lead.notice_due_at for lead in after.leads} == {datetime(2026, 2, 28, 9, tzinfo=UTC)}


def test_people_of_another_source_have_its_basis(execution: Execution) -> None:
    given = state(lead_sources=[{"type": "search", "limit": 5, "legal_basis": "public_task"}])
    after = AGENT.execute(given, execution)
    by_source = {lead.sources[0].partition(":")[0]: lead.legal_basis for lead in after.leads}
    assert by_source["search"] == "public_task"
    assert set(by_source.values()) <= {"public_task", "legitimate_interest"}


def test_a_row_of_a_file_that_names_no_basis_we_know_is_set_aside() -> None:
    found = parse(b"email,lawful basis\na@b.example,Legitimate Interests\nc@d.example,because\ne@f.example,\n", "a.csv")
    assert [row.get("legal_basis") for row in found.rows] == ["legitimate_interest", None]
    assert found.rejected == {"unknown legal basis": 1}


@pytest.mark.parametrize(
    ("collected", "due"), [("2026-01-31", "2026-02-28"), ("2026-12-15", "2027-01-15"), ("2028-01-30", "2028-02-29")]
)
def test_a_notice_is_due_after_a_month(collected: str, due: str) -> None:
    assert notice_due(datetime.fromisoformat(collected)) == datetime.fromisoformat(due)
