"""Lead generation over the wire: the real clients against the sandbox's servers, and a site of the test's own."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest
from agent_context import Execution
from comparable import comparable
from lead_campaigns import WORLD, check, execution_of, state
from memory_leads import MemoryLeads
from raw_server import raw_server
from stack import Sandbox

from agents.lead_generation import LeadGeneration
from integrations.sandbox.sites import SitesSandbox
from integrations.sandbox.world import Mail

AGENT = LeadGeneration()


@pytest.fixture
def execution(sandbox: Sandbox) -> Execution:
    return Execution.against(sandbox.url, sandbox.dns_resolver)


def test_a_hop_ends_as_the_one_in_memory_and_every_call_is_seen(execution: Execution, sandbox: Sandbox) -> None:
    leads = MemoryLeads()
    after = AGENT.execute(state(), execution)  # the context refuses a call to any provider but the unit's own
    check(after)
    port = sandbox.url.rpartition(":")[2]
    there = json.dumps(comparable(after)).replace(f":{port}/", "/")
    assert json.loads(there) == comparable(AGENT.execute(state(), execution_of(leads)))
    wire = sandbox.get("/_sandbox/state")["calls"]
    seen = Counter(execution.calls)
    assert seen["hunter"] == wire["hunter"] == leads.counts["hunter"]
    assert seen["serpapi"] == wire["serpapi"] == leads.counts["serpapi"]
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


@pytest.mark.parametrize("name", ["company_search", "linkedin_search", "website_scraping", "x_search"])
def test_each_source_brings_leads_by_itself(execution: Execution, sandbox: Sandbox, name: str) -> None:
    port = sandbox.url.rpartition(":")[2]
    rules = SitesSandbox()
    saas = [c for c in WORLD.companies if c.industry == "saas" and c.mail is Mail.MX and c.size > 50]
    readable = [c for c in saas if not rules.robots(c).endswith("*\nDisallow: /\n")]
    urls = [f"http://{company.domain}:{port}/" for company in readable[:3]]
    source = {"type": name, **({"urls": urls} if name == "website_scraping" else {})}
    after = AGENT.execute(state(lead_sources=[source]), execution)
    check(after)
    assert after.qualified_leads
    assert any(lead.email_status == "valid" for lead in after.leads)


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
