"""The Clearbit client over the wire: what it finds, what it doesn't know, what is still being looked up."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from raw_server import raw_server, saying
from recorded import recorded
from stack import Sandbox

from integrations.clearbit import Clearbit, ClearbitAnswer
from integrations.errors import (
    BadRequestError,
    CredentialsError,
    IntegrationError,
    InvalidAnswerError,
    NotFoundError,
    QuotaExhaustedError,
)
from integrations.sandbox.clearbit import ClearbitSandbox
from integrations.sandbox.world import Company, Person, World
from integrations.settings import Settings

WORLD = World.build(7)
SANDBOX = ClearbitSandbox()

#: A company's answer as Clearbit's public pages show it, with fields that are none of ours.
RECORDED: dict[str, Any] = recorded("clearbit_company")


def client(url: str, key: str = "k") -> Clearbit:
    return Clearbit(Settings.from_env({"CLEARBIT_BASE_URL": url, "CLEARBIT_API_KEY": key}))


@pytest.fixture
def clearbit(sandbox: Sandbox) -> Clearbit:
    return Clearbit(Settings.from_env({"SANDBOX_URL": sandbox.url}))


def company(*, known: bool = True, slow: bool = False) -> Company:
    return next(c for c in WORLD.companies if SANDBOX.knows(c.domain) is known and SANDBOX.slow(c.domain) is slow)


def person(wanted: Callable[[Company, Person], bool]) -> tuple[Company, Person]:
    return next((c, p) for c in WORLD.companies for p in c.people if not SANDBOX.slow(p.email) and wanted(c, p))


def answered(body: object, status: int = 200) -> Callable[..., None]:
    text = json.dumps(body)
    return saying(f"HTTP/1.1 {status} x\r\nContent-Length: {len(text)}\r\n\r\n{text}".encode())


def test_facts_of_a_company(clearbit: Clearbit) -> None:
    known = company()
    found = clearbit.company(known.domain, timeout=5).company
    assert found is not None
    assert (found.name, found.domain, found.employees) == (known.name, known.domain, known.size)
    assert found.industry
    assert clearbit.company(company(known=False).domain, timeout=5) == ClearbitAnswer()
    assert clearbit.company("nothing.example", timeout=5) == ClearbitAnswer()


def test_a_look_up_that_is_being_made_is_pending_once(clearbit: Clearbit) -> None:
    domain = company(slow=True).domain
    assert clearbit.company(domain, timeout=5) == ClearbitAnswer(pending=True)
    assert clearbit.company(domain, timeout=5).company is not None


def test_who_has_an_address(clearbit: Clearbit) -> None:
    employer, known = person(lambda c, p: SANDBOX.knows(p.email) and not p.objected)
    found = clearbit.person(known.email, timeout=5)
    assert found.person is not None
    assert (found.person.name, found.person.title) == (known.name, known.title)
    assert (found.person.company, found.person.domain) == (employer.name, employer.domain)
    employer, unknown = person(lambda c, p: not SANDBOX.knows(p.email) and SANDBOX.knows(c.domain))
    found = clearbit.person(unknown.email, timeout=5)
    assert found.person is None
    assert found.company is not None
    assert found.company.domain == employer.domain
    _, objected = person(lambda c, p: p.objected and not SANDBOX.knows(c.domain))
    assert clearbit.person(objected.email, timeout=5) == ClearbitAnswer()


@pytest.mark.parametrize(("key", "expected"), [("invalid", CredentialsError), ("exhausted", QuotaExhaustedError)])
def test_keys(sandbox: Sandbox, key: str, expected: type[IntegrationError]) -> None:
    with pytest.raises(expected):
        client(f"{sandbox.url}/clearbit", key).company("acme.example", timeout=5)


def test_what_is_no_domain_or_address_is_refused(clearbit: Clearbit) -> None:
    with pytest.raises(BadRequestError) as caught:
        clearbit.company("no domain", timeout=5)
    assert caught.value.detail == "params_invalid"
    with pytest.raises(BadRequestError) as caught:
        clearbit.person("jane", timeout=5)
    assert caught.value.detail == "email_invalid"


def test_a_recorded_answer_is_read_and_what_is_unknown_in_it_left_out() -> None:
    with raw_server(answered(RECORDED)) as server:
        found = client(server.url).company("acme.example", timeout=5).company
    assert found is not None
    assert (found.name, found.employees, found.employees_range) == ("Acme", 20313, "10K-50K")
    assert (found.industry, found.city) == ("Internet Software & Services", "San Francisco")
    assert b"acme.example" in server.requests[0]
    assert b"authorization: bearer k" in server.requests[0].lower()


def test_missing_fields_are_unknown_but_the_one_that_counts(sandbox: Sandbox) -> None:
    with raw_server(answered({"domain": "acme.example", "metrics": None, "category": []})) as server:
        found = client(server.url).company("acme.example", timeout=5).company
    assert found is not None
    assert (found.employees, found.industry) == (None, None)
    bare = {key: value for key, value in RECORDED.items() if key != "domain"}
    with raw_server(answered(bare)) as server, pytest.raises(InvalidAnswerError, match="without the field domain"):
        client(server.url).company("acme.example", timeout=5)
    with raw_server(answered({"company": RECORDED})) as server, pytest.raises(InvalidAnswerError, match="field person"):
        client(server.url).person("a@acme.example", timeout=5)


def test_an_address_that_is_no_clearbit_is_not_an_unknown_company() -> None:
    with raw_server(answered({"detail": "Not Found"}, 404)) as server, pytest.raises(NotFoundError):
        client(server.url).company("acme.example", timeout=5)


def test_people_are_asked_for_on_their_own_host() -> None:
    live = Settings.from_env({"MARKETING_MODE": "live", "CLEARBIT_API_KEY": "k"}).provider("clearbit")
    assert live.base_url == "https://company.clearbit.com"
