"""The Hunter client over the wire: findings, verdicts, the inverted limits and each other row of its table."""

from __future__ import annotations

import pytest
from raw_server import raw_server, saying
from stack import Sandbox

from integrations.errors import (
    BadRequestError,
    CredentialsError,
    IntegrationError,
    InvalidAnswerError,
    NotFoundError,
    QuotaExhaustedError,
    RateLimitedError,
    TransientError,
)
from integrations.hunter import Hunter
from integrations.sandbox.hunter import KNOWN_SHARE
from integrations.sandbox.world import Company, Mail, Person, World, chance
from integrations.settings import Settings

WORLD = World.build(7)


def somebody(**wanted: object) -> tuple[Company, Person]:
    """A person of the world whom Hunter knows, with the given attributes of person or company."""
    for company in WORLD.companies:
        for person in company.people:
            values = {"mail": company.mail, "objected": person.objected, "slow": person.slow}
            known = chance("hunter", 7, person.email) < KNOWN_SHARE
            if known and {"objected": False, "slow": False, **wanted} == {
                k: values[k] for k in ("objected", "slow", *wanted)
            }:
                return company, person
    raise AssertionError(f"the world has nobody with {wanted}")


def client(url: str, key: str = "k") -> Hunter:
    return Hunter(Settings.from_env({"HUNTER_BASE_URL": url, "HUNTER_API_KEY": key}))


@pytest.fixture
def hunter(sandbox: Sandbox) -> Hunter:
    return Hunter(Settings.from_env({"SANDBOX_URL": sandbox.url}))


def test_an_address_is_found_by_domain_and_by_company(hunter: Hunter) -> None:
    company, person = somebody(mail=Mail.MX)
    by_domain = hunter.find_email(company.domain, person.first, person.last, timeout=5)
    by_name = hunter.find_email(None, person.first, person.last, company=company.name, timeout=5)
    assert by_domain.email == by_name.email == person.email
    assert by_domain.position == person.title
    assert by_name.domain == company.domain
    assert hunter.find_email(company.domain, "Nobody", "Here", timeout=5).email is None


def test_a_domains_people_and_facts(hunter: Hunter) -> None:
    company, _ = somebody(mail=Mail.MX)
    facts = hunter.domain_search(company.domain, timeout=5)
    assert facts.organization == company.name
    assert facts.headcount == company.headcount
    assert {person.email for person in facts.people} <= {person.email for person in company.people}
    assert hunter.domain_search("nothing.example", timeout=5).people == ()


@pytest.mark.parametrize(
    ("mail", "status"),
    [
        (Mail.MX, "valid"),
        (Mail.A_ONLY, "valid"),
        (Mail.ACCEPT_ALL, "accept_all"),
        (Mail.NULL_MX, "invalid"),
        (Mail.NONE, "invalid"),
    ],
)
def test_verdicts(hunter: Hunter, mail: Mail, status: str) -> None:
    _, person = somebody(mail=mail)
    assert hunter.verify(person.email, timeout=5).status == status


def test_more_verdicts(hunter: Hunter) -> None:
    company, _ = somebody(mail=Mail.MX)
    assert hunter.verify(f"not.there@{company.domain}", timeout=5).status == "invalid"
    assert hunter.verify("x@mailsink.example", timeout=5).status == "disposable"
    assert hunter.verify("someone@gmail.com", timeout=5).status == "webmail"
    assert hunter.verify("greylisted@acme.com", timeout=5).status == "smtp_failed"  # 222
    _, slow = somebody(mail=Mail.MX, slow=True)
    assert hunter.verify(slow.email, timeout=5).status == "pending"  # 202
    assert hunter.verify(slow.email, timeout=5).status == "valid"


def test_a_person_who_objected_is_a_result(hunter: Hunter) -> None:
    company, person = somebody(mail=Mail.MX, objected=True)
    assert hunter.verify(person.email, timeout=5).suppressed
    assert hunter.find_email(company.domain, person.first, person.last, timeout=5).suppressed
    assert all(p.email != person.email for p in hunter.domain_search(company.domain, timeout=5).people)


@pytest.mark.parametrize(("key", "expected"), [("invalid", CredentialsError), ("exhausted", QuotaExhaustedError)])
def test_keys(sandbox: Sandbox, key: str, expected: type[IntegrationError]) -> None:
    with pytest.raises(expected):
        client(f"{sandbox.url}/hunter/v2", key).verify("a@b.com", timeout=5)


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        ("down", TransientError),
        ("rate_limited", RateLimitedError),
        ("lost_reply", TransientError),
        ("garbage", TransientError),
        ("slow", TransientError),
    ],
)
def test_faults(hunter: Hunter, sandbox: Sandbox, mode: str, expected: type[IntegrationError]) -> None:
    sandbox.post("/_sandbox/faults", {"provider": "hunter", "mode": mode, "delay": 1})
    with pytest.raises(expected) as caught:
        hunter.verify("a@b.com", timeout=0.3 if mode == "slow" else 5)
    assert type(caught.value) is expected


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (400, BadRequestError),
        (401, CredentialsError),
        (403, RateLimitedError),
        (404, NotFoundError),
        (422, BadRequestError),
        (429, QuotaExhaustedError),
        (500, TransientError),
    ],
)
def test_error_table(code: int, expected: type[IntegrationError]) -> None:
    body = '{"errors":[{"id":"wrong_params","code":400,"details":"jane@acme.example is wrong"}]}'
    answer = saying(f"HTTP/1.1 {code} x\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode())
    with raw_server(answer) as server, pytest.raises(expected) as caught:
        client(server.url, "sk-secret").verify("jane@acme.example", timeout=5)
    assert type(caught.value) is expected
    assert caught.value.detail == "wrong_params"
    assert "jane" not in str(caught.value)
    assert b"sk-secret" not in server.requests[0].partition(b"\r\n")[0]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("[]", TransientError),
        ("{}", TransientError),
        ('{"data": 3}', TransientError),
        ('{"data": {}}', InvalidAnswerError),
        ('{"data": {"status": "brilliant"}}', InvalidAnswerError),
    ],
)
def test_odd_answers_are_our_errors(body: str, expected: type[IntegrationError]) -> None:
    """What has no data is no answer; a verdict that we don't know is one that we can't use."""
    answer = saying(f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode())
    with raw_server(answer) as server, pytest.raises(expected) as caught:
        client(server.url).verify("a@b.com", timeout=5)
    assert type(caught.value) is expected
