"""Merging what sources say into people: the same person once, no fact lost, nobody who objected."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.email_address import normal_email
from agents.lead_generation.clean import Cleaned, CompanyFacts, Record, clean, identity, normal_domain, normal_name
from agents.lead_generation.company_names import company_key


def only(cleaned: Cleaned) -> Record:
    (candidate,) = cleaned.candidates
    return candidate.record


@pytest.mark.parametrize(
    ("raw", "email"),
    [
        ("Jane.Doe@ACME.com", "jane.doe@acme.com"),
        (" jane@acme.com ", "jane@acme.com"),
        ("Jane Doe <jane@acme.com>", "jane@acme.com"),
        ("mailto:jane@acme.com?subject=Hi", "jane@acme.com"),
        ("jane@acme.com;", "jane@acme.com"),
        ("jane@acme.test", "jane@acme.test"),
        ("jane+news@acme.example", "jane+news@acme.example"),
        *(
            (broken, None)
            for broken in ("jane@", "@acme.com", "jane.acme.com", "jane@acme", "jane@@acme.com", "a b@c.com")
        ),
        *(
            (broken, None)
            for broken in ("jane@acme..com", "jane@-acme.com", "jane@127.0.0.1", "x" * 300 + "@a.com", "")
        ),
    ],
)
def test_addresses(raw: str, email: str | None) -> None:
    assert normal_email(raw) == email


@pytest.mark.parametrize(
    ("raw", "domain"),
    [
        ("https://www.Acme.com/about?x=1", "acme.com"),
        ("acme.com", "acme.com"),
        ("www.acme.co.uk/", "acme.co.uk"),
        ("http://acme.example:8750/", "acme.example"),
        ("127.0.0.1", None),
        ("localhost", None),
        ("Acme Inc", None),
        ("http://[bad", None),
    ],
)
def test_domains(raw: str, domain: str | None) -> None:
    assert normal_domain(raw) == domain


@pytest.mark.parametrize(
    ("raw", "name"),
    [
        ("DOE, JANE", "Jane Doe"),
        ("Dr. Jane Doe, PhD", "Jane Doe"),
        ("jane doe", "Jane Doe"),
        ("Jane van Dijk", "Jane van Dijk"),
        ("jane@acme.com", None),
        ("12345", None),
    ],
)
def test_names(raw: str, name: str | None) -> None:
    assert normal_name(raw) == name


def test_companies_without_their_legal_form() -> None:
    assert company_key("Acme, Inc.") == company_key("acme ltd") == "acme"
    assert company_key("Company") == "company"


def test_the_same_address_is_the_same_person_and_the_better_source_wins() -> None:
    found = only(
        clean(
            [
                Record(source="hunter", email="jane@acme.com", job_title="Chief", industry="Software"),
                Record(source="file:a.csv", email="JANE@acme.com", name="Jane Doe", job_title="CEO"),
                Record(source="web", email="jane@acme.com", job_title="Boss", company="Acme", company_size="240"),
            ]
        )
    )
    assert (found.job_title, found.name, found.industry, found.company_size) == ("CEO", "Jane Doe", "Software", "240")
    assert found.domain == "acme.com"


def test_a_name_at_a_company_finds_its_address() -> None:
    records = [
        Record(source="search", name="Jane Doe", company="Acme Inc.", profile_url="https://x.example/in/jane"),
        Record(source="file:a.csv", name="JANE DOE", company="Acme", email="jane@acme.com"),
        Record(source="web", name="Jané Doe", domain="www.acme.com", job_title="CEO"),
    ]
    cleaned = clean(records)
    found = only(cleaned)
    assert (found.email, found.profile_url, found.job_title) == ("jane@acme.com", "https://x.example/in/jane", "CEO")
    assert cleaned.candidates[0].sources == ("file:a.csv", "web", "search")
    assert cleaned.rejected == {"duplicate": 2}


def test_numbered_addresses_are_two_people_and_namesakes_elsewhere_too() -> None:
    cleaned = clean(
        [
            Record(source="web", name="Jane Doe", email="jane@acme.com"),
            Record(source="web", name="Jane Doe", email="jane2@acme.com"),
            Record(source="web", name="Jane Doe", company="Beta"),
        ]
    )
    assert len(cleaned.candidates) == 3


def test_people_get_their_companys_facts() -> None:
    facts = [CompanyFacts(source="web", company="Acme Inc", domain="acme.com", industry="SaaS", company_size="51-200")]
    found = only(clean([Record(source="search", name="Jane Doe", company="ACME")], facts))
    assert (found.domain, found.industry, found.company_size) == ("acme.com", "SaaS", "51-200")
    own = only(clean([Record(source="file", name="Jane Doe", company="ACME", company_size="12")], facts))
    assert own.company_size == "12"


def test_what_is_set_aside_is_counted() -> None:
    cleaned = clean(
        [
            Record(source="file", email="broken@", name="Jane Doe", company="Acme"),
            Record(source="file", email="broken"),
            Record(source="file", email="x@mailinator.com"),
            Record(source="file", company="Acme"),
            Record(source="file", name="Only Name"),
            Record(source="file", email="info@gmail.com"),
        ]
    )
    assert [c.record.email for c in cleaned.candidates] == ["info@gmail.com", None]
    assert cleaned.candidates[0].record.domain is None
    assert cleaned.rejected == {
        "broken e-mail address": 2,
        "disposable e-mail address": 1,
        "nothing identifies a person": 4,
    }


def test_people_who_objected_do_not_come_back_under_another_source() -> None:
    barred = [identity("Jane Doe", "Acme", "acme.com")]
    cleaned = clean(
        [
            Record(source="web", name="Jane Doe", company="Acme", domain="acme.com"),
            Record(source="hunter", name="Jane Doe", email="jane@acme.com"),
            Record(source="web", name="Bob Ray", domain="acme.com"),
        ],
        suppressed=barred,
    )
    assert only(cleaned).name == "Bob Ray"
    assert cleaned.rejected == {"suppressed": 2}


texts = st.none() | st.sampled_from(
    ["", "Jane Doe", "jane doe", "Acme", "Acme Inc", "acme.com", "a@acme.com", "A@ACME.com", "b@"]
)
records = st.lists(
    st.builds(
        Record,
        source=st.sampled_from(["file:x", "web", "hunter", "search"]),
        email=texts,
        name=texts,
        company=texts,
        domain=texts,
        job_title=texts,
    ),
    max_size=8,
)


@given(records)
def test_cleaning_is_stable(given_records: list[Record]) -> None:
    once = clean(given_records)
    assert clean(given_records) == once
    again = clean([candidate.record for candidate in once.candidates])
    assert [c.record.email for c in again.candidates if c.record.email] == [
        c.record.email for c in once.candidates if c.record.email
    ]
    emails = [(c.record.email, c.record.name) for c in once.candidates if c.record.email]
    assert len(emails) == len(set(emails))
    assert len({c.key for c in once.candidates}) == len(once.candidates)


@given(st.text(max_size=80))
def test_any_text_is_normalised_or_refused(text: str) -> None:
    for normal in (normal_email, normal_domain):
        found = normal(text)
        assert found is None or normal(found) == found
    normal_name(text)
