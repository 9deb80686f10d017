"""The client of People Data Labs over the wire: searches in SQL, pages, matches, no match, and recorded answers."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from raw_server import raw_server, saying
from recorded import recorded
from stack import Sandbox

from integrations.errors import (
    BadRequestError,
    CredentialsError,
    IntegrationError,
    InvalidAnswerError,
    NotFoundError,
    QuotaExhaustedError,
)
from integrations.pdl import PdlPerson, PeopleDataLabs, PeoplePage
from integrations.sandbox.pdl import PdlSandbox
from integrations.sandbox.world import World
from integrations.settings import Settings

WORLD = World.build(7)
SANDBOX = PdlSandbox()
CEOS = (
    "SELECT * FROM person WHERE (job_title LIKE '%ceo%' OR job_title = 'cto')"
    " AND (job_company_industry = 'computer software')"
)

#: An answer as docs.peopledatalabs.com shows it, with fields that are none of ours.
RECORDED_PAGE: dict[str, Any] = recorded("pdl_person_search")


def client(url: str, key: str = "k") -> PeopleDataLabs:
    return PeopleDataLabs(Settings.from_env({"PDL_BASE_URL": url, "PDL_API_KEY": key}))


@pytest.fixture
def pdl(sandbox: Sandbox) -> PeopleDataLabs:
    return PeopleDataLabs(Settings.from_env({"SANDBOX_URL": sandbox.url}))


def answered(body: object, status: int = 200) -> Callable[..., None]:
    text = json.dumps(body)
    return saying(f"HTTP/1.1 {status} x\r\nContent-Length: {len(text)}\r\n\r\n{text}".encode())


def test_a_search_finds_the_people_of_its_conditions_page_by_page(pdl: PeopleDataLabs) -> None:
    found: list[PdlPerson] = []
    token: str | None = None
    for _ in range(30):
        page = pdl.search(CEOS, size=10, scroll_token=token, timeout=5)
        found += page.people
        token = page.scroll_token
        if token is None:
            break
    expected = {
        p.email
        for c in WORLD.companies
        for p in c.people
        if c.industry == "saas" and SANDBOX.knows(p.email) and not p.objected
        if "ceo" in p.title.lower() or p.title == "CTO"
    }
    assert len(found) == len(expected) > 10
    assert {one.work_email for one in found} == expected


def test_no_match_is_nothing_and_no_error(pdl: PeopleDataLabs) -> None:
    assert pdl.search("SELECT * FROM person WHERE (job_title = 'xyzzy')", timeout=5) == PeoplePage(people=())
    assert pdl.person(email="nobody@nothing.example", timeout=5) is None
    assert pdl.company(website="nothing.example", timeout=5) is None


def test_people_and_companies_are_matched(pdl: PeopleDataLabs) -> None:
    company, person = next(
        (c, p)
        for c in WORLD.companies
        for p in c.people
        if SANDBOX.knows(p.email) and SANDBOX.knows(c.domain) and not p.objected
    )
    for found in (
        pdl.person(email=person.email, timeout=5),
        pdl.person(name=person.name, company=company.name, timeout=5),
        pdl.person(name=person.name, company=company.domain, timeout=5),
    ):
        assert found is not None
        assert (found.work_email, found.title, found.domain) == (person.email, person.title, company.domain)
    for known in (pdl.company(website=company.domain, timeout=5), pdl.company(name=company.name, timeout=5)):
        assert known is not None
        assert (known.name, known.size, known.employees) == (company.name, company.headcount, company.size)


def test_who_objected_is_not_in_the_data(pdl: PeopleDataLabs) -> None:
    person = next(p for c in WORLD.companies for p in c.people if p.objected)
    assert pdl.person(email=person.email, timeout=5) is None


@pytest.mark.parametrize(("key", "expected"), [("invalid", CredentialsError), ("exhausted", QuotaExhaustedError)])
def test_keys(sandbox: Sandbox, key: str, expected: type[IntegrationError]) -> None:
    with pytest.raises(expected):
        client(f"{sandbox.url}/pdl", key).company(website="acme.example", timeout=5)


@pytest.mark.parametrize(
    "sql",
    [
        "",
        "SELECT name FROM person",
        "SELECT * FROM person WHERE (shoe_size = '43')",
        "SELECT * FROM person WHERE (job_title = 'ceo'",
    ],
)
def test_what_is_no_query_is_refused(pdl: PeopleDataLabs, sql: str) -> None:
    with pytest.raises(BadRequestError) as caught:
        pdl.search(sql, timeout=5)
    assert caught.value.detail == "invalid_request_error"


def test_a_recorded_page_is_read_and_what_is_unknown_in_it_left_out() -> None:
    with raw_server(answered(RECORDED_PAGE)) as server:
        page = client(server.url).search("SELECT * FROM person WHERE (x = 'y')", timeout=5)
    (person,) = page.people
    assert (person.name, person.size, person.profile) == ("ada byrne", "51-200", "linkedin.com/in/adabyrne")
    assert person.work_email is None, "a free plan says only that there is one"
    assert page.scroll_token == "1117$12.176522"
    assert b"x-api-key: k" in server.requests[0].lower()


@pytest.mark.parametrize(
    "call",
    [
        lambda pdl: pdl.search("SELECT * FROM person WHERE (x = 'y')", timeout=5),
        lambda pdl: pdl.person(email="a@b.com", timeout=5),
    ],
    ids=["search", "person"],
)
def test_a_missing_record_is_named(call: Callable[[PeopleDataLabs], object]) -> None:
    with raw_server(answered({"status": 200})) as server, pytest.raises(InvalidAnswerError, match="the field data"):
        call(client(server.url))


def test_an_address_that_is_no_endpoint_is_not_an_unknown_person() -> None:
    body = {"message": "no Route matched with those values"}
    with raw_server(answered(body, 404)) as server, pytest.raises(NotFoundError):
        client(server.url).person(email="a@b.com", timeout=5)
