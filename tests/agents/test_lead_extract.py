"""Facts and people out of pages: every layout, torn markup, and text that tries to give orders."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from agents.config import TargetAudience
from agents.email_address import plain_addresses
from agents.lead_generation.extract import FoundPerson, SiteFacts, extract
from agents.lead_generation.page_text import read_page
from agents.lead_generation.person_text import is_name, is_title
from agents.lead_generation.queries import Result, companies_of, people_of, search_queries, sites_to_read
from integrations.sandbox.protocol import Request
from integrations.sandbox.sites import SitesSandbox
from integrations.sandbox.world import Company, Quirk, World
from integrations.web.fetch import decode

WORLD = World.build(7)


def one(html: str, url: str = "http://acme.example/team") -> SiteFacts:
    return extract([(url, html)])


def people(html: str) -> list[tuple[str | None, str | None, str | None]]:
    return [(p.name, p.job_title, p.email) for p in one(html).people]


JANE = ("Jane Doe", "Chief Executive Officer", "jane@acme.example")
BOB = ("Bob van Dijk", "VP, Sales", None)


@pytest.mark.parametrize(
    "html",
    [
        """<div><h3>Jane Doe</h3><p>Chief Executive Officer</p><a href="mailto:jane@acme.example">write</a></div>
        <div><h3>Bob van Dijk</h3><p>VP, Sales</p></div>""",
        """<table><tr><th>Name</th><th>Role</th><th>Mail</th></tr>
        <tr><td>Jane Doe</td><td>Chief Executive Officer</td><td>jane@acme.example</td></tr>
        <tr><td>Bob van Dijk</td><td>VP, Sales</td><td></td></tr></table>""",
        """<table><tr><td>Chief Executive Officer</td><td>jane@acme.example</td><td>Jane Doe</td></tr>
        <tr><td>VP, Sales</td><td></td><td>Bob van Dijk</td></tr></table>""",
        """<table><tr><td>Jane</td><td>Doe</td><td>Chief Executive Officer</td><td>jane@acme.example</td></tr>
        <tr><td>Bob van Dijk</td><td>VP, Sales</td></tr></table>""",
        "<ul><li>Jane Doe – Chief Executive Officer (jane@acme.example)<li>Bob van Dijk, VP, Sales</ul>",
        "<p>Chief Executive Officer: Jane Doe jane [at] acme [dot] example</p><p>VP, Sales: Bob van Dijk</p>",
        "<p>Chief Executive Officer<p>Jane Doe<p>jane@acme.example<p>VP, Sales<p>Bob van Dijk",
        "<div>Jane Doe<br>Chief Executive Officer<br>Mail: jane (at) acme (dot) example</div>Bob van Dijk<br>VP, Sales",
        """<script type="application/ld+json">{"@type": "Organization", "employee": [
        {"@type": "Person", "name": "Jane Doe", "jobTitle": "Chief Executive Officer",
         "email": "mailto:jane@acme.example"},
        {"@type": "Person", "name": "Bob van Dijk", "jobTitle": "VP, Sales"}]}</script>""",
        "<div><span>Jane Doe<div>Chief Executive Officer<div>jane@acme.example<section>Bob van Dijk<p>VP, Sales",
    ],
)
def test_layouts(html: str) -> None:
    assert people(html) == [JANE, BOB]


def test_page_furniture_is_nobody() -> None:
    html = """<nav><a>Our Team</a><a>About Us</a><a>Contact Sales</a></nav><h1>Meet The Team</h1>
    <h2>Customer Stories</h2>
    <p>Marketing Manager</p><p>Read More</p><p>Acme Corporation</p><p>Director</p><p>New York</p>"""
    assert people(html) == []


def test_addresses_without_a_name_must_be_the_sites_own() -> None:
    html = "jane@acme.example info@acme.example bob@mail.acme.example eve@attacker.example j@gmail.com"
    assert people(f"<p>{html}</p>") == [
        (None, None, "jane@acme.example"),
        (None, None, "bob@mail.acme.example"),
    ]


def test_what_nobody_sees_is_not_read() -> None:
    html = """<!-- Jane Doe - CEO a@acme.example --><script>"b@acme.example"</script><style>c@acme.example</style>
    <p style="display: none">Eve Doe<br>CEO</p><div hidden>d@acme.example</div><template>e@acme.example</template>
    <noscript>f@acme.example</noscript>"""
    assert one(html).people == ()


def test_a_site_without_a_name_takes_the_domain_of_its_addresses() -> None:
    html = "<title>Acme | Home</title><p>Jane Doe<p>CEO<p>jane@acme.example<p>x@gmail.com y@gmail.com"
    facts = one(html, "http://127.0.0.1:8080/")
    assert (facts.company, facts.domain) == ("Acme", "acme.example")
    assert facts.people[0].email == "jane@acme.example"


@pytest.mark.parametrize(
    ("html", "size"),
    [
        ("<p>We are now 1,240 employees.", "1,240"),
        ("<p>With a team of 240 people", "240"),
        ("<p>Company size: 51-200 employees", "51-200"),
        ("<dl><dt>Employees<dd>about 80</dl>", "about 80"),
        ("<table><tr><td>Employees</td><td>300</td></tr></table>", "300"),
        ("<p>We have helped 5,000 people.", None),
        ("<p>Founded in 1999", None),
        ("<p>Acme employs over 500 people", "500+"),
        ("<p>In 2019 240 employees moved in", "240"),
        ("<p>Wir beschäftigen mehr als 2.400 Mitarbeiterinnen und Mitarbeiter an 3 Orten", "2400+"),
        ("<p>Unser Team: rund 85 Mitarbeiter*innen", "85"),
        ("<p>Le groupe emploie 1 350 salariés", "1350"),
        ("<p>Contamos con más de 90 empleados", "90+"),
        ("<p>Wir haben 2.400 Kunden", None),
        ("<dl><dt>Mitarbeiter<dd>300</dl>", "300"),
        ('<script type="application/ld+json">{"@type":"Corporation","numberOfEmployees":{"value":77}}</script>', "77"),
        (
            '<script type="application/ld+json">{"@type":["Organization"],'
            '"numberOfEmployees":{"minValue":51,"maxValue":200}}</script><p>team of 9 people',
            "51-200",
        ),
        ('<script type="application/ld+json">{broken</script><p>team of 9 people', "9"),
    ],
)
def test_sizes(html: str, size: str | None) -> None:
    assert one(html).company_size == size


@pytest.mark.parametrize(
    ("html", "industry"),
    [
        ("<p>Acme is a SaaS company.", "saas"),
        ("<p>Acme is a leading financial services provider.", "finance"),
        ("<dl><dt>Industry</dt><dd>Robotics</dd></dl>", "Robotics"),
        ("<p>Industry: Banking", "Banking"),
        ('<meta name="description" content="Hotels for everyone">', "hotels"),
        ("<p>We like cake", None),
    ],
)
def test_industries(html: str, industry: str | None) -> None:
    assert one(html).industry == industry


def site(company: Company) -> SiteFacts:
    answers = SitesSandbox()
    pages = []
    for path in ("/home", "/about", "/team", "/contact"):
        answer = answers.handle(Request(method="GET", path=path, headers={"host": company.domain}))
        pages.append((f"http://{company.domain}{path}", decode(answer.body, answer.headers["Content-Type"])))
    return extract(pages)


@pytest.mark.parametrize("quirk", list(Quirk))
def test_every_kind_of_site_of_the_sandbox_is_read(quirk: Quirk) -> None:
    for company in [c for c in WORLD.companies if c.quirk is quirk][:10]:
        facts = site(company)
        assert (facts.company, facts.domain) == (company.name, company.domain)
        assert facts.company_size in (f"{company.size:,}", str(company.size), company.headcount)
        listed = {p.name: (p.title, p.email if p.shows_email else None) for p in company.people if p.listed}
        assert {p.name: (p.job_title, p.email) for p in facts.people} == listed


def test_orders_in_a_page_are_not_obeyed() -> None:
    for company in [c for c in WORLD.companies if c.quirk is Quirk.INJECTION]:
        facts = site(company)
        assert "attacker" not in str(facts.to_dict())
        assert "100000" not in str(facts.company_size)


@settings(max_examples=60, deadline=None)
@example("http:")
@example("leads.html")
@given(st.text(max_size=400) | st.binary(max_size=400).map(lambda raw: raw.decode("latin-1")))
def test_any_page_is_read(text: str) -> None:
    for html in (text, f"<table><tr><td>{text}<dl><dt>{text}", f'<script type="application/ld+json">{text}</script>'):
        assert isinstance(one(html), SiteFacts)


def test_deep_nesting_is_read() -> None:
    assert people("<div>" * 400 + "Jane Doe<p>CEO") == [("Jane Doe", "CEO", None)]
    read_page("[" * 5000)


def test_obfuscated_addresses_are_told_from_sentences() -> None:
    assert plain_addresses("jane at acme dot example") == "jane@acme.example"
    assert plain_addresses("jane.doe [at] mail.acme[dot]example") == "jane.doe@mail.acme.example"
    assert plain_addresses("Meet us at acme.example today") == "Meet us at acme.example today"


@pytest.mark.parametrize(
    "text", ["Jane Doe", "Zoë O'Brien", "Ana de la Cruz", "J. R. Smith", "Jean-Luc Picard", "Liu Wei"]
)
def test_names(text: str) -> None:
    assert is_name(text)


@pytest.mark.parametrize("text", ["Jane", "Our Team", "jane doe", "Sales Director", "Contact Us", "Jane Doe 3", "A b"])
def test_no_names(text: str) -> None:
    assert not is_name(text)


def test_titles_are_no_sentences() -> None:
    assert is_title("Head of Growth")
    assert not is_title("She is our director and has been with us since the company was founded in 1999.")


# What search brings


def test_profiles_become_people() -> None:
    link = "https://www.linkedin.com/in/jane"
    found = people_of(
        [
            Result(title="Jane Doe - VP Marketing - Acme Inc. | LinkedIn", link=link),
            Result(title="Bob Ray – CTO at Beta | LinkedIn", link=link),
            Result(title="Amy Fox - Gamma | LinkedIn", link=link),
            Result(title="10 best CRMs | LinkedIn", link=link),
            Result(title="Jane Doe - VP - Acme", link="https://other.example/in/jane"),
        ]
    )
    assert [(p.name, p.job_title, p.company) for p in found] == [
        ("Jane Doe", "VP Marketing", "Acme Inc."),
        ("Bob Ray", "CTO", "Beta"),
        ("Amy Fox", None, "Gamma"),
    ]


def test_sites_are_companies_own_and_each_once() -> None:
    first = [Result(link=f"http://www.{name}/x") for name in ("a.example", "g2.com", "b.example")]
    second = [Result(link=f"http://{name}/") for name in ("a.example", "c.example", "www.linkedin.com")]
    assert sites_to_read([first, second], known=["b.example"]) == ["http://www.a.example/", "http://c.example/"]
    assert [c.domain for c in companies_of([*first, *second])] == ["a.example", "b.example", "a.example", "c.example"]
    many = [Result(link=f"http://c{n}.example/") for n in range(50)]
    assert len(sites_to_read([many], known=[])) == 12


def test_queries_are_bounded_and_hold_no_operators() -> None:
    audience = TargetAudience.model_validate(
        {"industry": ["saas", "fintech companies"], "titles": ['VP "Sales" OR site:x'], "location": "Berlin"}
    )
    assert search_queries(audience) == (
        "saas companies in Berlin",
        "fintech companies in Berlin",
        'saas companies in Berlin "VP Sales site x"',
        'fintech companies in Berlin "VP Sales site x"',
    )
    assert search_queries(TargetAudience.model_validate({"description": "anyone"}))[0] == "technology companies"
    many = TargetAudience.model_validate({"industry": [f"i{n}" for n in range(100)]})
    assert len(search_queries(many)) == 10


def test_a_person_is_frozen_data() -> None:
    assert FoundPerson(name="Jane Doe").page == ""
