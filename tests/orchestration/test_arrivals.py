"""Whatever arrives: each edge gives values that can be stored, or a refusal in words; nothing else is ever raised."""

from __future__ import annotations

import random
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

import pytest
from mutations import VALUES, arrivals, bent, bent_bytes, bent_json, spoilt
from pydantic import TypeAdapter
from spreadsheets import xlsx

from agents.config import CampaignConfig
from agents.config_problems import ConfigError
from agents.lead_files.reading import parse
from agents.lead_generation.clean import clean, record_of
from agents.lead_generation.extract import extract
from agents.lead_generation.queries import Result, companies_of, people_of, sites_to_read
from agents.lead_generation.x_authors import Author, companies_of_authors, people_of_authors
from agents.registry import agents
from integrations import clearbit, pdl, x
from integrations.errors import IntegrationError
from integrations.host_names import ascii_name
from integrations.http import HttpReply
from integrations.http_errors import error_class, retry_after
from integrations.hunter import email_of, facts_of, verdict_of
from integrations.outbound import Reach
from integrations.serpapi import page_of
from integrations.values import faults
from integrations.web.fetch import decode
from integrations.web.guard import check_url
from integrations.web.links import ranked_links
from integrations.web.robots import parse as parse_robots
from orchestration.control.received import checked_key, received, refusal_key
from orchestration.control.submission import prepare
from orchestration.ledger.database import encode
from workers.cli.files import CampaignFileError, from_yaml, with_change

pytestmark = pytest.mark.timeout(400)  # the thorough profile, on a busy machine
NOW = datetime(2026, 3, 1, tzinfo=UTC)
JSON: TypeAdapter[Any] = TypeAdapter(Any)


def stored(value: object) -> None:
    """Check that a value can be written to Postgres as it is."""
    dumped = JSON.dump_python(value, mode="python")
    assert list(faults(_plain(dumped))) == []
    encode(dumped)


def _plain(value: object) -> object:
    if hasattr(value, "__dataclass_fields__"):
        return {name: _plain(getattr(value, name)) for name in value.__dataclass_fields__}
    if isinstance(value, dict):
        return {str(key): _plain(one) for key, one in value.items()}
    return [_plain(one) for one in value] if isinstance(value, list | tuple) else value


def reply(provider: str, body: bytes, status: int = 200) -> HttpReply:
    return HttpReply(provider=provider, method="GET", status=status, headers={}, body=body)


SEARCH = {
    "search_metadata": {"status": "Success"},
    "search_information": {"organic_results_state": "Results for exact spelling"},
    "organic_results": [
        {"position": 1, "title": "Jane Roe - CEO - Acme | LinkedIn", "link": "https://www.linkedin.com/in/janeroe"},
        {"position": 2, "title": "Acme", "link": "https://acme.example/", "snippet": "We build.", "source": "Acme"},
    ],
    "serpapi_pagination": {"next": "https://serpapi.com/search.json?start=10"},
}


@arrivals()
def test_a_search_answer(start: int) -> None:
    rng = random.Random(start)
    try:
        page = page_of(reply("serpapi", bent_json(SEARCH, rng)))
    except IntegrationError as error:
        stored(error.to_dict())
        return
    results = [Result(position=r.position, title=r.title, link=r.link, snippet=r.snippet) for r in page.results]
    stored([result.model_dump() for result in results])
    stored([people_of(results), companies_of(results), sites_to_read([results], [])])


PERSON = {"email": "jane@acme.example", "score": 97, "position": "CEO", "company": "Acme", "domain": "acme.example"}
FACTS = {
    "domain": "acme.example",
    "organization": "Acme",
    "industry": "Software",
    "headcount": "51-200",
    "city": "Oslo",
    "accept_all": False,
    "emails": [
        {"value": "jane@acme.example", "type": "personal", "first_name": "Jane", "last_name": "Roe", "confidence": 9}
    ],
}


@arrivals()
def test_an_answer_of_hunter(start: int) -> None:
    rng = random.Random(start)
    good, read = rng.choice(((PERSON, email_of), ({"status": "valid", "score": 90}, verdict_of), (FACTS, facts_of)))
    try:
        found = read(reply("hunter", bent_json({"data": good}, rng), rng.choice((200, 200, 202, 222))))
    except IntegrationError as error:
        stored(error.to_dict())
        return
    stored(found)
    people = [record_of({"email": p.email, "name": p.first_name}, "hunter") for p in getattr(found, "people", ())]
    stored(clean(people))


CLEARBIT_COMPANY = {
    "domain": "acme.example",
    "name": "Acme",
    "category": {"sector": "IT", "industryGroup": "Software", "industry": "Software"},
    "metrics": {"employees": 120, "employeesRange": "51-250"},
    "geo": {"city": "Oslo", "country": "Norway"},
    "indexedAt": "2026-01-01T00:00:00.000Z",
}
CLEARBIT_PERSON = {
    "person": {"name": {"fullName": "Jane Roe"}, "employment": {"title": "CEO", "name": "Acme", "domain": "a.example"}},
    "company": CLEARBIT_COMPANY,
}
X_POSTS = {
    "data": [{"id": "1", "text": "hi", "author_id": "2"}],
    "includes": {
        "users": [
            {
                "id": "2",
                "name": "Jane Roe",
                "username": "jane",
                "description": "CEO at Acme. Mine.",
                "location": "Oslo",
                "entities": {"url": {"urls": [{"expanded_url": "https://acme.example/"}]}},
            }
        ]
    },
    "meta": {"result_count": 1, "next_token": "b26"},
}
PDL_PERSON = {"full_name": "jane roe", "job_title": "ceo", "job_company_name": "acme", "work_email": "j@acme.example"}
PDL_ANSWERS: tuple[tuple[dict[str, Any], Callable[[HttpReply], Any]], ...] = (
    ({"status": 200, "data": [PDL_PERSON, PDL_PERSON], "scroll_token": "1$2", "total": 2}, pdl.page_of),
    ({"status": 200, "likelihood": 9, "data": PDL_PERSON}, pdl.person_of),
    ({"name": "acme", "size": "51-200", "employee_count": 120, "website": "a.example"}, pdl.company_of),
)


@arrivals()
def test_an_answer_of_clearbit_or_people_data_labs(start: int) -> None:
    rng = random.Random(start)
    answers = ((CLEARBIT_COMPANY, clearbit.company_of), (CLEARBIT_PERSON, clearbit.person_of), *PDL_ANSWERS)
    good, read = rng.choice(answers)
    try:
        stored(read(reply("clearbit", bent_json(good, rng), rng.choice((200, 200, 200, 202)))))
    except IntegrationError as error:
        stored(error.to_dict())


@arrivals()
def test_posts_of_x(start: int) -> None:
    rng = random.Random(start)
    try:
        page = x.page_of(reply("x", bent_json(X_POSTS, rng)))
    except IntegrationError as error:
        stored(error.to_dict())
        return
    authors = [Author(post_id=post.id, **asdict(post.author)) for post in page.posts]
    stored([author.model_dump() for author in authors])
    stored([people_of_authors(authors), [company.model_dump() for company in companies_of_authors(authors)]])
    stored(clean(people_of_authors(authors)))


PAGE = b"""<!doctype html><html><head><meta charset="utf-8"><title>Acme | Team</title>
<base href="/a/"><meta name="description" content="Tools">
<script type="application/ld+json">{"@type": "Organization", "name": "Acme", "numberOfEmployees": {"value": 51},
"employee": [{"@type": "Person", "name": "Jane Roe", "jobTitle": "CEO", "email": "jane@acme.example"}]}</script></head>
<body><h1>Team</h1><h3>John Poe</h3><p>CTO, john [at] acme [dot] example</p><a href="mailto:amy%40acme.example">Amy</a>
<table><tr><td>Bo Day</td><td>COO</td></tr></table><dl><dt>Employees<dd>about 120</dl>
<a href="/team?x=1">Team</a> <a href="about">About</a> We are a team of 45 people.</body></html>"""
TYPES = (
    "text/html",
    "text/html; charset=utf-8",
    "text/html; charset=punycode",
    "text/html; charset=x\xff",
    "a;charset=utf-16",
)


@arrivals()
def test_a_page(start: int) -> None:
    rng = random.Random(start)
    html = decode(bent_bytes(PAGE, rng), rng.choice(TYPES))
    links = ranked_links(html, "https://acme.example/")
    for _, url in links:
        check_url(url, Reach.LOOPBACK)
    facts = extract([("https://acme.example/", html)])
    stored([html, links, facts])
    stored(
        clean([record_of({"email": p.email, "name": p.name, "job_title": p.job_title}, "web") for p in facts.people])
    )


ROBOTS = b"User-agent: *\nDisallow: /private\nCrawl-delay: 2\n\nUser-agent: Bot\nAllow: /"


@arrivals(3_000)
def test_rules_for_robots(start: int) -> None:
    rng = random.Random(start)
    rules = parse_robots(bent_bytes(ROBOTS, rng).replace(b"2", rng.choice((b"2", b"1e999", b"nan", b"-5"))), "Bot")
    assert isinstance(rules.allows("https://acme.example/pr\u00fcf?x=%00"), bool)
    assert 0.0 <= rules.delay_s() <= 30.0


@arrivals()
def test_a_name_an_address_and_a_header(start: int) -> None:
    rng = random.Random(start)
    for good, read, refusal in (
        ("https://b\u00fccher.example:8080/team?x=1", lambda text: check_url(text, Reach.LOOPBACK), IntegrationError),
        ("b\u00fccher.example", ascii_name, ValueError),
    ):
        with suppress(refusal):
            stored(str(read(spoilt(good, rng))))
    seconds = retry_after({"Retry-After": spoilt(rng.choice(("120", "Fri, 31 Dec 1999 23:59:59 GMT")), rng)}, NOW)
    assert seconds is None or 0.0 <= seconds < float("inf")
    error = error_class("GET", rng.randint(400, 600))(
        "web", spoilt("no", rng), detail=spoilt("x", rng), retry_after=seconds
    )
    stored(error.to_dict())


FILES = (
    (
        "leads.csv",
        b"email,first name,last name,company,employees\njane@acme.example,Jane,Roe,Acme,51-200\n,,Poe,Bolt,9\n",
    ),
    ("leads.csv", 'sep=;\nEmail;Name\n"j\u00f6@b.example";"J\u00f6 ""B"""\n'.encode("utf-16")),
    ("leads.json", b'{"contacts": [{"email": "a@b.example", "name": "A B", "size": 5, "company": {"name": "Q"}}]}'),
    ("leads.vcf", b"BEGIN:VCARD\nN:Roe;Jane;;;\nORG:Acme;Sales\nEMAIL;TYPE=WORK:jane@acme.example\nEND:VCARD\n"),
    ("leads.xls", b"<table><tr><th>Name<th>E-Mail</tr><tr><td>J&ouml;<td>j@b.example</tr></table>"),
    ("leads.txt", b"Jane Roe <jane@acme.example>; bo@bolt.example\n"),
    ("leads.xlsx", xlsx({"Leads": [["Name", "E-Mail", "Size"], ["Jane Roe", "jane@acme.example", 5]]})),
    ("leads.jsonl", b'{"email": "a@b.example"}\n{"name": "Bo Day", "company": "Bolt"}\n'),
)


@arrivals()
def test_a_lead_file(start: int) -> None:
    rng = random.Random(start)
    name, good = rng.choice(FILES)
    try:
        found = parse(bent_bytes(good, rng), spoilt(name, rng) if rng.random() < 0.1 else name, {})
    except ConfigError as error:
        stored(error.problems)
        return
    stored([list(found.rows), found.summary()])
    stored(clean([record_of(row, "file:leads.csv") for row in found.rows]))


CONFIG: dict[str, Any] = {
    "name": "Launch",
    "target_audience": {"industry": "saas", "titles": ["CEO"], "company_size": "51-200", "description": "all"},
    "lead_sources": [{"type": "search", "queries": ["q"], "limit": 5}, {"type": "web", "urls": ["https://a.example"]}],
    "ad_platforms": ["facebook"],
    "budget": 500,
    "currency": "EUR",
    "content_requirements": [{"content_type": "email", "topic": "T", "keywords": ["k"], "target_length": 60}],
    "brand": {"name": "B", "website": "https://b.example", "guidelines": ["g"]},
    "models": {"default": "m", "fallbacks": ["n"], "template_after": "1h", "temperature": 0.2, "seed": 7},
    "enrichment": {"find_emails": True, "verify": "dns", "max_lookups": 5},
    "schedule": {"days": 30},
    "approval": {"gate": "none", "expires_after": "2d"},
    "limits": {"llm": 1, "ads": 600, "ads_per_day": 20},
    "optimize_every": "1d",
    "measure_after": 3600,
    "agents": {},
}


@arrivals()
def test_a_configuration(start: int) -> None:
    try:
        config = CampaignConfig.parse(bent(CONFIG, random.Random(start)))
    except ConfigError as error:
        stored(error.problems)
        return
    stored(config.model_dump())
    assert CampaignConfig.model_validate(config.model_dump(mode="json")) == config


@arrivals()
def test_a_submission_by_task_name(start: int) -> None:
    rng = random.Random(start)
    key = rng.choice(VALUES) if rng.random() < 0.5 else "launch-1"
    sent = bent({**CONFIG, "ad_platforms": [], "lead_sources": [{"type": "file", "file_id": "0" * 32}]}, rng)
    assert refusal_key(key, "task-1") in (key, "task-1")
    try:
        config, checked = received(sent, key)
        row, stage = prepare(config, agents(), now=NOW, campaign_id="c1", idempotency_key=checked)
    except ConfigError as error:
        stored(error.problems)
        return
    assert checked_key(checked) == key
    stored([row, [unit.input for unit in stage.units]])


YAML = """name: Launch
target_audience: {industry: saas, titles: [CEO, "CTO"], company_size: 51-200}
lead_sources: [{type: search, limit: 5}]
budget: 500
schedule: &s {days: 30}
approval: {gate: none, expires_after: 2d}
"""


@arrivals(2_000)
def test_a_campaign_file_and_a_change_to_it(start: int) -> None:
    rng = random.Random(start)
    text = bent_bytes(YAML.encode(), rng).decode("utf-8", "replace")
    try:
        data = from_yaml(text, "campaign.yaml")
        changed = with_change(data if isinstance(data, dict) else {}, spoilt("target_audience.titles.0=CEO", rng))
        config = CampaignConfig.parse(changed)
    except CampaignFileError:
        return
    except ConfigError as error:
        stored(error.problems)
        return
    stored(config.model_dump())
