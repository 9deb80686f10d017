"""Whose fact it is: companies by domain and by name, people by mailbox and by name."""

from __future__ import annotations

from agents.lead_generation.clean import Candidate, CompanyFacts, Record, clean


def row(name: str | None, email: str | None = None, company: str | None = None, **more: str) -> Record:
    return Record(source="file:a.csv", name=name, email=email, company=company, **more)


def people(*records: Record, facts: tuple[CompanyFacts, ...] = ()) -> dict[str | None, Candidate]:
    return {found.record.name: found for found in clean(records, facts).candidates}


def told(found: Candidate) -> tuple[str | None, str | None, str | None]:
    return found.record.domain, found.record.industry, found.record.company_size


# Companies


def test_a_mail_provider_is_no_company() -> None:
    found = people(
        row("Ann Reed", "ann@arcor.de", "Reed AG", industry="Software", company_size="900"),
        row("Ben Fox", "ben@arcor.de", "Fox Bakery"),
        row("Cleo Day", "cleo@arcor.de"),
        facts=(CompanyFacts(source="clearbit", domain="arcor.de", company="Vodafone", company_size="10001+"),),
    )
    assert told(found["Ann Reed"]) == (None, "Software", "900")
    assert told(found["Ben Fox"]) == told(found["Cleo Day"]) == (None, None, None)
    assert found["Cleo Day"].record.company is None


def test_a_page_on_a_network_is_no_company_either() -> None:
    found = people(
        row("Ann Reed", None, "Reed", domain="https://www.facebook.com/reed", industry="Retail"),
        row("Ben Fox", None, "Fox", domain="facebook.com/fox"),
    )
    assert told(found["Ann Reed"]) == (None, "Retail", None)
    assert told(found["Ben Fox"]) == (None, None, None)


def test_a_domain_that_people_of_several_companies_use_is_nobodys() -> None:
    found = people(
        row("Ann Reed", "ann@citynet.example", "Reed AG", industry="Software", company_size="900"),
        row("Ben Fox", "ben@citynet.example", "Fox Bakery"),
        row("Cleo Day", "cleo@citynet.example"),
    )
    assert told(found["Ann Reed"]) == (None, "Software", "900")
    assert told(found["Ben Fox"]) == told(found["Cleo Day"]) == (None, None, None)


def test_a_crowd_at_one_domain_is_a_providers() -> None:
    rows = [row(f"P{n} Roe", f"p{n}@citynet.example", f"Firm {n:03} Works", industry="Retail") for n in range(60)]
    found = clean([*rows, row("Ann Day", "ann@citynet.example")]).candidates
    assert {one.record.domain for one in found} == {None}
    assert found[-1].record.industry is None


def test_the_company_that_a_domain_is_called_after_keeps_it() -> None:
    found = people(
        row("Ann Reed", "ann@stone.example", "Stone Software GmbH", industry="Software"),
        row("Ben Fox", "ben@stone.example", "Stone Group"),
        row("Cleo Day", "cleo@stone.example", "Day Consulting"),
        row("Dan Low", "dan@mail.stone.example"),
    )
    assert told(found["Ann Reed"])[:2] == told(found["Ben Fox"])[:2] == ("stone.example", "Software")
    assert told(found["Cleo Day"]) == (None, None, None)
    assert found["Dan Low"].record.industry == "Software"


def test_facts_travel_by_a_name_that_has_one_domain() -> None:
    facts = (CompanyFacts(source="clearbit", company="Summit Inc.", domain="summit.example", industry="Mining"),)
    found = people(row("Ann Reed", None, "SUMMIT"), row("Ben Fox", "ben@gmail.com", "Summit Ltd"), facts=facts)
    assert told(found["Ann Reed"])[:2] == told(found["Ben Fox"])[:2] == ("summit.example", "Mining")


def test_facts_do_not_travel_by_a_name_that_two_firms_have() -> None:
    found = people(
        row("Ann Reed", "ann@summit.example", "Summit", industry="Mining", company_size="900"),
        row("Ben Fox", "ben@summit-hotel.example", "Summit"),
        row("Cleo Day", None, "Summit"),
        row("Dan Low", None, "Summit", industry="Hotels"),
    )
    assert told(found["Ben Fox"]) == ("summit-hotel.example", None, None)
    assert told(found["Cleo Day"]) == (None, None, None)
    assert told(found["Dan Low"]) == (None, "Hotels", None)


def test_what_the_user_says_of_a_name_counts_before_a_search_result() -> None:
    guess = CompanyFacts(source="search", company="Summit", domain="summit-blog.example", industry="Media")
    found = people(row("Ann Reed", "ann@summit.example", "Summit"), row("Ben Fox", None, "Summit"), facts=(guess,))
    assert found["Ben Fox"].record.domain == "summit.example"
    assert found["Ben Fox"].record.industry is None


def test_an_own_fact_is_never_overwritten() -> None:
    facts = (CompanyFacts(source="web", domain="acme.example", industry="Software", company_size="5000"),)
    (found,) = clean(
        [Record(source="search", name="Ann Reed", domain="acme.example", company_size="12")], facts
    ).candidates
    assert (found.record.company_size, found.record.industry) == ("12", "Software")
    assert found.company_facts_from == ("web",)


# People


def test_two_people_with_one_mailbox_stay_two() -> None:
    found = people(
        row("Ann Reed", "office@acme.example", "Acme", job_title="CEO"),
        row("Ben Fox", "office@acme.example", "Acme", job_title="CFO"),
        row("Ben Reed", "office+b@acme.example", "Acme", job_title="CTO"),
        row("B. Fox", "office@acme.example", "Acme"),
        row(None, "office@acme.example"),
    )
    assert {name: one.record.job_title for name, one in found.items()} == {
        "Ann Reed": "CEO", "Ben Fox": "CFO", "Ben Reed": "CTO",
    }  # fmt: skip
    assert len({one.key for one in found.values()}) == 3


def test_one_person_with_several_addresses_is_one() -> None:
    (found,) = clean(
        [
            row("Ann Reed", "info@acme.example", "Acme"),
            row("Ann Reed", "ann@acme.example", "Acme", job_title="CEO"),
            row("Reed, Ann", "a.reed@acme-labs.example", "Acme Inc."),
            row("Ann Reed", "ann.reed+x@gmail.com", "ACME"),
            row("Ann K. Reed", "annreed@googlemail.com", "Acme"),
        ]
    ).candidates
    assert (found.record.email, found.record.job_title) == ("ann@acme.example", "CEO")
    assert found.other_emails == ("a.reed@acme-labs.example", "ann.reed+x@gmail.com", "info@acme.example")


def test_what_tells_two_people_of_one_name_apart() -> None:
    cleaned = clean(
        [
            row("Jo Day", "jo.day@acme.example", "Acme", profile_url="https://www.linkedin.com/in/jo-day/"),
            row("Jo Day", "day@acme.example", "Acme", profile_url="https://de.linkedin.com/in/jo-day-7"),
        ]
    )
    assert len(cleaned.candidates) == 2
    numbered = [row("Jo Day", "jo.day@acme.example", "Acme"), row("Jo Day", "jo.day2@acme.example", "Acme")]
    assert len(clean(numbered).candidates) == 2
    apart = [
        row("Jo Day", "jo@summit.example", "Summit", industry="Mining"),
        row("Jo Day", "jo@summit-hotel.example", "Summit", industry="Hotels"),
    ]
    assert len(clean(apart).candidates) == 2


def test_one_profile_is_one_person() -> None:
    (found,) = clean(
        [
            Record(source="search", name="Ann Reed", company="Acme", profile_url="https://de.linkedin.com/in/ann-reed"),
            row("Ann Reed", "ann@gmail.com", None, profile_url="linkedin.com/in/Ann-Reed/"),
        ]
    ).candidates
    assert (found.record.email, found.record.company) == ("ann@gmail.com", "Acme")


def test_spellings_do_not_split_people() -> None:
    (found,) = clean(
        [
            row("Jörg Weiß", None, "Böhm & Söhne GmbH"),
            row("Joerg Weiss", "jw@boehm.example", "Boehm & Soehne"),
            Record(source="search", name="JÖRG WEISS", company="Böhm & Söhne KG"),
        ]
    ).candidates
    assert found.record.email == "jw@boehm.example"
    assert found.sources == ("file:a.csv", "search")


def test_rows_are_in_one_person_or_set_aside() -> None:
    cleaned = clean(
        [
            row("Ann Reed", "ann@acme.example", "Acme", row="f:1"),
            row("Ann Reed", None, "Acme", row="f:2"),
            row("Ann Reed", "a.reed@acme.example", "Acme", row="f:3"),
            row(None, None, "Acme", row="f:4"),
            row("Ben Fox", "broken@", "Acme", row="f:5"),
        ]
    )
    assert [one.rows for one in cleaned.candidates] == [("f:1", "f:3", "f:2"), ("f:5",)]
    assert cleaned.rows_set_aside == (("f:4", "nothing identifies a person"),)
