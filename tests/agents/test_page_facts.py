"""Facts and people of pages as sites write them: torn data for machines, hidden dots, other languages, other people."""

from __future__ import annotations

import json
import time

import pytest

from agents.lead_generation.extract import SiteFacts, extract
from agents.lead_generation.linked_data import kinds, torn_json
from agents.lead_generation.person_text import is_name, is_title, named

URL = "https://falkwerk.example/wir"
KIM = ("Kim Lo", "CFO", "kim@falkwerk.example")
PERSON = {"@type": "Person", "name": "Kim Lo", "jobTitle": "CFO", "email": "kim@falkwerk.example"}


def one(html: str, url: str = URL) -> SiteFacts:
    return extract([(url, html)])


def people(html: str, url: str = URL) -> list[tuple[str | None, str | None, str | None]]:
    return [(p.name, p.job_title, p.email) for p in one(html, url).people]


def script(text: str) -> str:
    return f'<script type="application/ld+json">{text}</script>'


# Data for machines


@pytest.mark.parametrize(
    "torn",
    [
        json.dumps(PERSON) + ";",
        f"//<![CDATA[\n{json.dumps(PERSON)}\n//]]>",
        f"/* <![CDATA[ */{json.dumps(PERSON)}/* ]]> */",
        f"<!--\n{json.dumps(PERSON)}\n-->",
        "// people\n" + json.dumps(PERSON).replace('"jobTitle"', '/* // "x" */ "jobTitle"'),
        json.dumps(PERSON)[:-1] + ",}",
        "[" + json.dumps(PERSON) + " ,\n]",
        json.dumps(PERSON) + "\n" + json.dumps({"@type": "WebSite", "url": "https://x.example//a"}),
        json.dumps({**PERSON, "description": "A"}).replace('"A"', '"two\nlines\tand // no comment, }"'),
        json.dumps(PERSON).replace('"', "&quot;"),
        json.dumps({**PERSON, "@type": ["Thing", "schema:Person"]}),
        json.dumps({**PERSON, "@type": "https://schema.org/Person/"}),
        json.dumps({"@graph": [{"@type": "Organization", "employee": [PERSON]}]}),
        json.dumps({**PERSON, "name": None, "givenName": "Kim", "familyName": "Lo"}),
        json.dumps({**PERSON, "email": "mailto:kim%40falkwerk.example", "name": ["Kim Lo"]}),
    ],
)  # fmt: skip
def test_torn_json(torn: str) -> None:
    assert people(script(torn)) == [KIM]


@pytest.mark.parametrize("torn", ["", "{", "{'a': 1}", '{"a": 1', "[" * 5000, "null nonsense", '{"a": "\\', ",;,"])
def test_what_is_torn_beyond_that_is_nothing(torn: str) -> None:
    assert torn_json(torn) == []
    assert people(script(torn) + "<h3>Kim Lo</h3><p>CFO</p>") == [("Kim Lo", "CFO", None)]


def test_long_torn_json_takes_no_time() -> None:
    began = time.perf_counter()
    torn_json("[" + '{"a": "' + "/* x */ " * 20_000 + '",},' * 2 + "]")
    torn_json('"' * 50_001 + "/*" * 50_000)
    assert time.perf_counter() - began < 2


def test_kinds_of_objects() -> None:
    assert kinds({"@type": ["http://schema.org/Person", "foaf:Agent", 3]}) == ["Person", "Agent"]


@pytest.mark.parametrize(
    "html",
    [
        """<div itemscope itemtype="https://schema.org/Person"><b itemprop="name">Kim Lo</b>
        <i itemprop="jobTitle">CFO</i> <a itemprop="email" href="mailto:kim@falkwerk.example">write</a></div>""",
        """<div itemscope itemtype="http://schema.org/Organization"><span itemprop="name">Falkwerk</span>
        <div itemprop="employee" itemscope itemtype="http://schema.org/Person"><meta itemprop="name" content="Kim Lo">
        <span itemprop="jobTitle">CFO</span><meta itemprop="email" content="kim@falkwerk.example"></div></div>""",
        """<div vocab="https://schema.org/" typeof="Person"><span property="name">Kim Lo</span>
        <span property="jobTitle">CFO</span><a property="email" href="mailto:kim@falkwerk.example">write</a></div>""",
    ],
)
def test_data_in_attributes(html: str) -> None:
    assert people(html) == [KIM]


def test_the_company_of_attributes() -> None:
    html = """<div itemscope itemtype="https://schema.org/LocalBusiness"><h1 itemprop="name">Falkwerk Tools</h1>
    <span itemprop="numberOfEmployees">85</span></div>"""
    assert (one(html).company, one(html).company_size) == ("Falkwerk Tools", "85")


# Addresses


@pytest.mark.parametrize(
    "written",
    [
        "kim&#64;falkwerk&#46;example",
        "kim (at) falkwerk (dot) example",
        "kim[ät]falkwerk[punkt]example",
        "kim_at_falkwerk.example",
        "kim *at* falkwerk *dot* example",
        "kim<span>@</span>falkwerk<b>.</b>example",
        "<span>kim</span><span>@</span><span>falkwerk.example</span>",
        "kim<!-- x -->@<!-- y -->falkwerk.example",
        '<a href=" MailTo:%20kim%40falkwerk.example?subject=x">write</a>',
        "<span>kim@falkwerk.example</span>Telefon 030 1234",
        "kim@falkwerk.exampleTel: 030 1234",
        "kim@falkwerk.example, 030 1234",
    ],
)
def test_hidden_addresses(written: str) -> None:
    assert people(f"<h3>Kim Lo</h3><p>CFO</p><p>{written}</p>") == [KIM]


def test_what_a_site_hides_on_purpose_stays_hidden() -> None:
    link = '<a href="/cdn-cgi/l/email-protection" data-cfemail="422b26">[email&#160;protected]</a>'
    assert people(f"<h3>Kim Lo</h3><p>CFO</p>{link}") == [("Kim Lo", "CFO", None)]


def test_addresses_that_are_no_persons() -> None:
    html = "vorname.nachname@falkwerk.example you@falkwerk.example 9f86d081884c7d659a2feaa0c55ad015@falkwerk.example"
    assert people(f"<p>{html} buchhaltung@falkwerk.example vertrieb-sued@falkwerk.example</p>") == [
        (None, None, "vertrieb-sued@falkwerk.example")
    ]


def test_a_site_knows_its_addresses_in_both_spellings() -> None:
    assert people("<p>kim@müller.example</p>", "https://xn--mller-kva.example/") == [(None, None, "kim@müller.example")]
    assert one("<p>x", "https://xn--mller-kva.example/").domain == "müller.example"


# Whose title it is


@pytest.mark.parametrize(
    ("html", "found"),
    [
        (
            "<h1>Impressum</h1><p>Falkwerk GmbH<br>Geschäftsführer: Kim Lo, Ana Reed<br>Redaktion: Jo Day</p>Ben Fox",
            {"Kim Lo": "Geschäftsführer", "Ana Reed": "Geschäftsführer"},
        ),
        (
            "<h1>Imprint</h1><p>Managing Director: Kim Lo</p><p>Ana Reed</p><p>Jo Day</p><p>Register court: Bonn</p>",
            {"Kim Lo": "Managing Director"},
        ),
        (
            "<p>Ana Reed</p><p>Managing Director: Kim Lo</p><p>Jo Day</p>",
            {"Kim Lo": "Managing Director"},
        ),
        (
            "<table><tr><td>Geschäftsführung<td>Kim Lo und Ana Reed<tr><td>Kontakt<td>Jo Day</table>",
            {"Kim Lo": "Geschäftsführung", "Ana Reed": "Geschäftsführung"},
        ),
        (
            "<p>Geschäftsführer: Kim Lo, Ana Reed, HRB 1234 Bonn</p><p>Jo Day</p>",
            {"Kim Lo": "Geschäftsführer", "Ana Reed": "Geschäftsführer"},
        ),
        ("<p>Verantwortlich: Redaktion, Geschäftsführer: Kim Lo</p><p>Jo Day</p>", {}),
        ("<p>Vertreten durch die Geschäftsführer Kim Lo und Ana Reed.</p><p>Jo Day</p>", {}),
    ],
)
def test_an_imprints_director_is_not_everybodys_title(html: str, found: dict[str, str]) -> None:
    assert {name: title for name, title, _ in people(html)} == found


@pytest.mark.parametrize(
    "html",
    [
        "<ul><li><strong>CFO</strong> Kim Lo</li><li><strong>CTO</strong> Ana Reed</li></ul>",
        "<table><tr><td>Kim Lo<td>CFO<tr><td>Ana Reed<td>CTO</table>",
        "<table><tr><td>Kim Lo</td><td>Ana Reed</td></tr><tr><td>CFO</td><td>CTO</td></tr></table>",
        "<table><tr><td>Kim Lo<br>CFO</td><td>Ana Reed<br>CTO</td></tr></table>",
        "<ul><li>Kim Lo, CFO<li>Ana Reed, CTO</ul>",
        "<h3>KIM LO</h3><p>CFO</p><h3>ana reed</h3><p>CTO</p>",
        "<h3>Dr. Kim Lo, PhD</h3><p>CFO</p><h3>Ana Reed (she/her)</h3><p>CTO</p>",
    ],
)
def test_more_layouts(html: str) -> None:
    assert [(name, title) for name, title, _ in people(html)] == [("Kim Lo", "CFO"), ("Ana Reed", "CTO")]


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("Ines Roth", "Abteilungsleiterin"),
        ("Uwe Kern", "Prokurist"),
        ("Zoé Petit", "Directrice des opérations"),
        ("Luc Noir", "Responsable commercial"),
        ("José Ruiz", "Jefe de compras"),
        ("Ana Gil", "Consejera Delegada"),
        ("Anna Bianchi", "Responsabile acquisti"),
        ("Rui Costa", "Diretor Comercial"),
        ("Piet de Vries", "Bestuurder"),
        ("Ewa Nowak", "Kierownik działu"),
        ("Lars Holm", "Salgschef"),
        ("Иван Петров", "Генеральный директор"),
        ("山田 花子", "代表取締役社長"),
        ("王伟", "总经理"),
        ("김민수", "대표이사"),
        ("Grace Street", "COO"),
        ("Will Page", "Head of Sales"),
    ],
)
def test_people_in_other_languages(name: str, title: str) -> None:
    assert people(f"<h3>{name}</h3><p>{title}</p>") == [(name, title, None)]
    assert is_name(name)
    assert is_title(title)
    assert not is_title(f"{title}: {name}"), "who is named in a line has the title, and nobody beside it"


@pytest.mark.parametrize(
    "html",
    [
        "<ul><li>Google Analytics</li><li>Marketing Manager</li></ul>",
        "<h3>Business Software</h3><p>Lead generation</p>",
        "<h3>Art Director</h3><p>Sales</p>",
        "<h3>Unsere Kunden</h3><p>Kim Lo, CEO</p>",
        "<h2>What our clients say</h2><blockquote>Great</blockquote><p>Kim Lo – CEO</p>",
        "<p>Kim Lo, CEO at Globex</p><p>Ana Reed – CTO, Initech Ltd</p>",
        "<p>Kim Lo – Geschäftsführerin bei Nordwind AG</p>",
    ],
)
def test_nobody_of_this_company(html: str) -> None:
    assert people(html) == []


def test_a_title_may_name_the_own_company_or_a_place() -> None:
    html = (
        "<p>Kim Lo, CEO at Falkwerk</p><p>Ana Reed – Head of Sales, Europe</p><p>Jo Day – CTO, Falkwerk Tools GmbH</p>"
    )
    assert [name for name, _, _ in people(html)] == ["Kim Lo", "Ana Reed", "Jo Day"]


def test_after_customers_had_their_say_the_team_counts_again() -> None:
    html = "<h2>Kundenstimmen</h2><p>Kim Lo, CEO</p><h2>Unser Team</h2><p>Ana Reed, CTO</p>"
    assert [name for name, _, _ in people(html)] == ["Ana Reed"]


def test_a_name_without_what_stands_beside_it() -> None:
    assert named("Prof. Dr. Kim Lo, MBA, PhD") == "Kim Lo"
    assert named("KIM LO") == "Kim Lo"
    assert named("kim lo") is None
    assert named("kim lo", heading=True) == "Kim Lo"
    assert named("our team", heading=True) is None


def test_a_long_torn_table_takes_no_time() -> None:
    began = time.perf_counter()
    html = "<table>" + "<tr><td>Kim Lo<td>CFO<td>kim@falkwerk.example" * 2_000
    assert people(html) == [KIM]
    assert time.perf_counter() - began < 10
