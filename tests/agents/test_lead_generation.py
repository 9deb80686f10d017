"""Lead generation in one process against the sandbox: sources, bounds, suppression, outages, dirty real input."""

from __future__ import annotations

import csv
import io
import json
import random
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from agent_context import Execution
from raw_server import raw_server
from stack import Sandbox

from agents.base import HopFailedError, run_unit
from agents.config import CampaignConfig
from agents.lead_generation import LeadGeneration
from agents.lead_generation.lead_file import parse
from agents.scoring import QUALIFIED_SCORE, LeadCriteria, lead_score
from agents.state import MarketingAgentState
from agents.unit import Stage, StageResult, Unit, UnitResult, UnitStatus
from integrations.sandbox.hunter import KNOWN_SHARE
from integrations.sandbox.sites import SitesSandbox
from integrations.sandbox.world import Mail, Person, World, chance

AGENT = LeadGeneration()
NOW = datetime(2026, 1, 1, tzinfo=UTC)
WORLD = World.build(7)


def state(campaign_id: str = "c-1", **config: Any) -> MarketingAgentState:
    given = {"target_audience": {"industry": "saas"}, **config}
    return MarketingAgentState.initial(CampaignConfig.parse(given), campaign_id=campaign_id, now=NOW)


def from_file(rows: list[Mapping[str, Any]], execution: Execution, **config: Any) -> MarketingAgentState:
    execution.lead_files.files["f-1"] = rows
    return state(lead_sources=[{"type": "file", "path": "mine.csv", "file_id": "f-1"}], **config)


@pytest.fixture
def execution(sandbox: Sandbox) -> Execution:
    return Execution.against(sandbox.url, sandbox.dns_resolver)


def worker(*, known: bool = True, **wanted: Any) -> Person:
    """Somebody whose company takes mail, whom Hunter knows or not."""
    return next(
        person
        for company in WORLD.companies
        if company.mail is Mail.MX
        for person in company.people
        if (chance("hunter", 7, person.email) < KNOWN_SHARE) is known
        and {"objected": person.objected, "slow": person.slow} == {"objected": False, "slow": False, **wanted}
    )


def check(after: MarketingAgentState) -> None:
    """What holds for every finished hop."""
    assert {lead.lead_id for lead in after.qualified_leads} == {
        lead.lead_id for lead in after.leads if (lead.score or 0) >= QUALIFIED_SCORE
    }
    assert len({lead.lead_id for lead in after.leads}) == len(after.leads)
    criteria = LeadCriteria.of(after.target_audience)
    for lead in after.leads:
        score = lead_score(lead, criteria)
        assert (lead.score, lead.score_reasons) == (score.value, score.reasons)
        assert (lead.qualified_at is not None) is score.qualified
        assert lead.email or (lead.name and (lead.company or lead.domain or lead.profile_url))
        assert lead.sources
    emails = [lead.email for lead in after.leads if lead.email]
    assert len(emails) == len(set(emails))


def test_a_plain_audience_gives_qualified_leads(execution: Execution) -> None:
    after = AGENT.execute(state(), execution)
    check(after)
    assert 0 < len(after.qualified_leads) < len(after.leads)
    assert after.errors == ()
    assert {source for lead in after.leads for source in lead.sources} == {"search", "web", "hunter"}
    assert any(lead.email_status == "valid" for lead in after.leads)
    assert all(lead.collected_at == execution.clock.now() for lead in after.leads)
    report = after.agent_messages[-1].payload
    assert report["leads"] == len(after.leads)
    assert report["set_aside"]["duplicate"] > 0


def test_the_same_campaign_ends_equal(execution: Execution, sandbox: Sandbox) -> None:
    first = AGENT.execute(state(), execution)
    sandbox.reset()
    again = Execution.against(sandbox.url, sandbox.dns_resolver)
    assert AGENT.execute(state(), again) == first
    assert [unit.key for unit in again.units] == [unit.key for unit in execution.units]


def test_every_unit_calls_one_provider_and_every_call_is_seen(execution: Execution, sandbox: Sandbox) -> None:
    AGENT.execute(state(), execution)  # the context refuses a call to any provider but the unit's own
    wire = sandbox.get("/_sandbox/state")["calls"]
    seen = Counter(execution.calls)
    assert seen["hunter"] == wire["hunter"]
    assert seen["serpapi"] == wire["serpapi"]
    assert seen["web"] > 0


def test_robots_txt_is_obeyed_throughout(execution: Execution, sandbox: Sandbox) -> None:
    AGENT.execute(state(), execution)
    endpoints = [call["endpoint"] for call in sandbox.get("/_sandbox/calls?provider=web")]
    assert endpoints
    rules = SitesSandbox()
    for company in WORLD.companies:
        for line in rules.robots(company).partition("User-agent: *\n")[2].splitlines():
            closed = f"GET {company.domain}{line.removeprefix('Disallow: ')}"
            hits = [e for e in endpoints if e.startswith(closed) and not e.endswith("/robots.txt")]
            assert hits == []
    assert not any("linkedin" in endpoint for endpoint in endpoints)


def test_planning_is_pure_and_keys_hold_no_personal_data(execution: Execution) -> None:
    before = state()
    done: list[StageResult] = []
    while (stage := AGENT.plan(before, done)) is not None:
        assert AGENT.plan(before, done) == stage
        assert len({unit.key for unit in stage.units}) == len(stage.units) > 0
        assert not any("@" in unit.key for unit in stage.units)
        done.append(finish(stage, execution, len(done)))
    assert [stage.name for stage in done] == ["discover", "scrape", "enrich", "resolve", "verify"]
    # The ledger gives results back as JSON.
    stored = [
        StageResult(
            name=stage.name,
            results=[
                UnitResult(unit=r.unit, status=r.status, output=json.loads(json.dumps(r.output))) for r in stage.results
            ],
        )
        for stage in done
    ]
    assert AGENT.update_state(before, stored, NOW) == AGENT.update_state(before, done, NOW)


def finish(stage: Stage, execution: Execution, number: int) -> StageResult:
    results = [run_unit(AGENT, unit, execution.for_unit("c-1", 0, number, unit)) for unit in stage.units]
    return StageResult(name=stage.name, results=results)


# The user's own file


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


@pytest.mark.parametrize("with_address", [True, False])
def test_people_who_objected_elsewhere_are_left_out(execution: Execution, with_address: bool) -> None:
    person = worker(objected=True)
    domain = person.email.partition("@")[2]
    row = {"name": person.name, "domain": domain} | ({"email": person.email} if with_address else {})
    after = AGENT.execute(from_file([row], execution), execution)
    assert after.leads == ()
    assert (person.email in execution.suppression.emails) is with_address


# Sites


PAGES = {
    b"/robots.txt": ("text/plain", "User-agent: *\nDisallow: /internal"),
    b"/": (
        "text/html",
        '<title>Acme</title><a href="/people">People</a><a href="/internal/x">x</a> Acme is a SaaS company.',
    ),
    b"/people": (
        "text/html",
        "<p>We are 120 employees.<table><tr><td>Jane Doe</td><td>CEO</td><td>jane@acme.example</td></tr>"
        "<tr><td>Bob Ray</td><td>Art Director</td><td>bob@acme.example</td></tr></table>",
    ),
}


def test_a_small_site_on_loopback(execution: Execution) -> None:
    def answer(peer: Any, _over: Any) -> None:
        path = server.requests[-1].split(b" ")[1]
        kind, text = PAGES.get(path, ("text/html", "nothing"))
        status = "200 OK" if path in PAGES else "404 Not Found"
        head = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(text)}\r\nConnection: close\r\n\r\n"
        peer.sendall((head + text).encode())

    with raw_server(answer) as server:
        sources = [{"type": "web", "url": f"{server.url}/"}]
        after = AGENT.execute(state(lead_sources=sources), execution)
    check(after)
    found = {lead.name: (lead.email, lead.company, lead.domain, lead.company_size, lead.score) for lead in after.leads}
    assert found == {
        "Jane Doe": ("jane@acme.example", "Acme", "acme.example", 120, 1.0),
        "Bob Ray": ("bob@acme.example", "Acme", "acme.example", 120, 0.6),
    }
    assert [request.split(b" ")[1] for request in server.requests] == [b"/robots.txt", b"/", b"/people"]


def test_a_given_site_that_is_closed_fails_visibly(execution: Execution, sandbox: Sandbox) -> None:
    rules = SitesSandbox()
    closed = next(c for c in WORLD.companies if rules.robots(c).endswith("*\nDisallow: /\n") and c.mail is Mail.MX)
    url = f"http://{closed.domain}:{sandbox.url.rpartition(':')[2]}/"
    with pytest.raises(HopFailedError, match=r"robots\.txt"):
        AGENT.execute(state(lead_sources=[{"type": "web", "url": url}]), execution)


# Bounds and switches


def test_paid_lookups_are_bounded(execution: Execution, sandbox: Sandbox) -> None:
    after = AGENT.execute(state(enrichment={"max_lookups": 25}), execution)
    check(after)
    calls = sandbox.get("/_sandbox/state")["calls"]["hunter"]
    assert calls <= 25 + 3  # a verification that is still running is asked for again, free of charge
    assert any(lead.email_status == "unverified" for lead in after.leads)


@pytest.mark.parametrize(
    ("enrichment", "providers"),
    [
        ({"find_emails": False, "verify": "none"}, {"serpapi", "web"}),
        ({"find_emails": False, "verify": "dns"}, {"serpapi", "web", "dns"}),
        ({"find_emails": False, "max_lookups": 0}, {"serpapi", "web", "dns"}),
        ({"max_lookups": 0}, {"serpapi", "web", "dns"}),
    ],
)
def test_enrichment_can_be_switched_off(execution: Execution, enrichment: dict[str, Any], providers: set[str]) -> None:
    after = AGENT.execute(state(enrichment=enrichment), execution)
    check(after)
    assert set(execution.calls) == providers
    assert {lead.email_status for lead in after.leads} == {"unverified"}


def test_an_audience_nobody_serves_gives_no_leads(execution: Execution) -> None:
    after = AGENT.execute(state(target_audience={"industry": "xyzzy"}), execution)
    assert after.leads == ()
    assert after.errors == ()


# Outages


def test_search_down_fails_a_campaign_that_has_nothing_else(execution: Execution, sandbox: Sandbox) -> None:
    sandbox.post("/_sandbox/faults", {"provider": "serpapi", "mode": "down"})
    with pytest.raises(HopFailedError, match="serpapi"):
        AGENT.execute(state(), execution)


@pytest.mark.parametrize("provider", ["hunter", "web", "dns"])
def test_other_outages_leave_scored_leads_and_errors(execution: Execution, sandbox: Sandbox, provider: str) -> None:
    sandbox.post("/_sandbox/faults", {"provider": provider, "mode": "down"})
    execution.timeout_s = 2.0
    after = AGENT.execute(state(), execution)
    check(after)
    assert after.leads
    assert {error.provider for error in after.errors} <= {provider, "web"}
    assert after.errors
    assert not any("@" in error.message or "@" in error.unit for error in after.errors)


def test_a_second_attempt_pays_only_for_what_is_missing(execution: Execution, sandbox: Sandbox) -> None:
    emails = [
        p.email for c in WORLD.companies[:40] if c.mail is Mail.MX for p in c.people if not (p.slow or p.objected)
    ][:10]
    unit = Unit(key="verify:0000", kind="verify", provider="hunter", input={"emails": emails})
    sandbox.post("/_sandbox/faults", {"provider": "hunter", "mode": "down", "rate": 0.3})
    attempts = 0
    while True:
        attempts += 1
        result = run_unit(AGENT, unit, execution.for_unit("c-1", 0, 4, unit))
        if result.ok:
            break
        assert attempts < 30
    assert attempts > 1
    answered = [call for call in sandbox.get("/_sandbox/calls?provider=hunter") if call["status"] == 200]
    assert len(answered) == len(emails)
    assert result.output is not None
    assert set(result.output["emails"].values()) == {"valid"}


def test_pages_of_search_results_are_paid_once(execution: Execution, sandbox: Sandbox) -> None:
    unit = Unit(key="search:1", kind="search", provider="serpapi", input={"query": "saas companies", "limit": 20})
    first = run_unit(AGENT, unit, execution.for_unit("c-1", 0, 0, unit))
    assert run_unit(AGENT, unit, execution.for_unit("c-1", 0, 0, unit)) == first
    assert first.status is UnitStatus.SUCCEEDED
    assert sandbox.get("/_sandbox/state")["calls"] == {"serpapi": 1}


def test_a_site_with_failing_pages_is_tried_again(execution: Execution, sandbox: Sandbox) -> None:
    company = next(c for c in WORLD.companies if c.mail is Mail.MX)
    url = f"http://{company.domain}:{sandbox.url.rpartition(':')[2]}/"
    unit = Unit(key="site:1", kind="site", provider="web", input={"url": url, "max_pages": 6, "given": True})
    sandbox.post("/_sandbox/faults", {"provider": "web", "mode": "down", "rate": 0.3})
    attempts = 0
    while not (result := run_unit(AGENT, unit, execution.for_unit("c-1", 0, 0, unit))).ok:
        attempts += 1
        assert result.error is not None
        assert result.error["code"] == "transient"
        assert attempts < 30
    assert result.output is not None
    assert result.output["pages"] >= 1


def test_the_agent_describes_itself() -> None:
    before = state()
    assert AGENT.tools == ()
    assert "objected" in AGENT.get_system_prompt(before)
    assert AGENT.build_input(before)["sources"] == ["search"]
