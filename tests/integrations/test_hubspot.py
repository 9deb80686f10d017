"""The HubSpot client over the wire: contacts by address, each row of its error table, and what a batch may lose."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from ad_platforms import Wire
from placed_leads import placed
from raw_server import raw_server, saying
from scripted_http import Script, scripted_server
from stack import Sandbox

from integrations.delivery.hubspot import HubSpot
from integrations.delivery.target import Item, Outcome
from integrations.errors import (
    BadRequestError,
    CredentialsError,
    IntegrationError,
    OutcomeUnknownError,
    QuotaExhaustedError,
    RateLimitedError,
    TransientError,
    TryAgainError,
)
from integrations.settings import Settings


def item(number: int, email: str | None = None) -> Item:
    address = email or f"p{number}@acme.example"
    values = {"email": address, "lastname": f"Person {number}", "tags": ["a", "b"], "score": 0.9}
    return Item(key=f"k{number}", email=address, values=values)


ITEMS = [item(n) for n in range(4)]


def client(url: str, token: str = "t0ken") -> HubSpot:
    return HubSpot(Settings.from_env({"HUBSPOT_BASE_URL": url, "HUBSPOT_ACCESS_TOKEN": token}))


def deliver(hubspot: HubSpot, items: list[Item] = ITEMS, timeout: float = 5.0) -> Outcome:
    return hubspot.deliver(items, path="", key="batch", wire=Wire(timeout))


@pytest.fixture
def hubspot(sandbox: Sandbox) -> HubSpot:
    sandbox.reset(7)
    return HubSpot(Settings.from_env({"SANDBOX_URL": sandbox.url}))


@pytest.fixture(scope="module")
def peer() -> Iterator[Script]:
    with scripted_server() as script:
        yield script


def contacts(sandbox: Sandbox) -> dict[str, Any]:
    return {one["email"]: one for one in sandbox.get("/_sandbox/state")["deliveries"]}


def test_a_contact_is_made_once_and_brought_up_to_date(hubspot: HubSpot, sandbox: Sandbox) -> None:
    first, second = deliver(hubspot), deliver(hubspot)
    assert first == second
    assert first.placed.keys() == {"k0", "k1", "k2", "k3"}
    found = contacts(sandbox)
    assert {address: one["times"] for address, one in found.items()} == dict.fromkeys(found, 2)
    assert found["p1@acme.example"]["values"] == {
        "email": "p1@acme.example", "lastname": "Person 1", "tags": "a;b", "score": "0.9",
    }  # fmt: skip


def test_who_is_present_is_known_before(hubspot: HubSpot) -> None:
    assert hubspot.present(ITEMS, wire=Wire()) == []
    deliver(hubspot, ITEMS[:2])
    assert sorted(hubspot.present(ITEMS, wire=Wire())) == ["k0", "k1"]


def test_a_refused_contact_leaves_the_others_alone(hubspot: HubSpot, sandbox: Sandbox) -> None:
    found = deliver(hubspot, [*ITEMS, item(8, "x@refused.example")])
    assert found.refused == {"k8": "VALIDATION_ERROR"}
    assert len(found.placed) == len(contacts(sandbox)) == 4


def test_a_batch_that_is_refused_whole_is_halved_until_the_fault_is_found(hubspot: HubSpot, sandbox: Sandbox) -> None:
    people = [item(n, "no address" if n == 37 else None) for n in range(100)]
    found = deliver(hubspot, people)
    assert found.refused == {"k37": "VALIDATION_ERROR"}
    assert len(found.placed) == len(contacts(sandbox)) == 99
    assert max(one["times"] for one in contacts(sandbox).values()) == 1


def test_a_refusal_of_everything_fails_the_batch_after_a_few_calls(peer: Script) -> None:
    peer.status, peer.headers, peer.body = 400, {}, b'{"status": "error", "category": "VALIDATION_ERROR"}'
    peer.requests.clear()
    with pytest.raises(BadRequestError):
        deliver(client(peer.url), [item(n) for n in range(100)])
    assert len(peer.requests) < 20
    assert deliver(client(peer.url), ITEMS[:1]).refused == {"k0": "VALIDATION_ERROR"}


def test_a_contact_is_deleted_for_good_and_deleting_it_again_is_no_error(hubspot: HubSpot, sandbox: Sandbox) -> None:
    remote_id = deliver(hubspot).placed["k1"]
    for _ in range(2):
        hubspot.remove(placed(remote_id), path="", wire=Wire())
    assert "p1@acme.example" not in contacts(sandbox)
    assert deliver(hubspot).refused == {"k1": "VALIDATION_ERROR"}


def test_a_contact_whose_answer_was_lost_is_found_by_the_hash_of_its_address(
    hubspot: HubSpot, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("integrations.delivery.hubspot.PAGE", 2)
    deliver(hubspot)
    for email in ("P3@acme.example", "p3@acme.example", "nobody@acme.example"):
        hubspot.remove(placed(None, email=email), path="", wire=Wire())
    assert sorted(contacts(sandbox)) == ["p0@acme.example", "p1@acme.example", "p2@acme.example"]
    for ago_s in (3600, -3600):
        hubspot.remove(placed(None, email="p1@acme.example", ago_s=ago_s), path="", wire=Wire())
    assert "p1@acme.example" in contacts(sandbox), "made at another time, so by somebody else"


@pytest.mark.parametrize("body", [b"<html>", b"{}", b'{"results": 7}'])
def test_a_search_without_an_answer_deletes_nothing(peer: Script, body: bytes) -> None:
    peer.status, peer.headers, peer.body = 200, {}, body
    peer.requests.clear()
    with pytest.raises(TransientError):
        client(peer.url).remove(placed(None, email="p1@acme.example"), path="", wire=Wire())
    assert len(peer.requests) == 1


def test_the_account(hubspot: HubSpot) -> None:
    assert hubspot.online(timeout=5).account == "account 1234567, developer_test"


@pytest.mark.parametrize(
    ("token", "expected"),
    [("invalid", CredentialsError), ("scopeless", CredentialsError), ("exhausted", QuotaExhaustedError)],
)
def test_tokens(sandbox: Sandbox, token: str, expected: type[IntegrationError]) -> None:
    with pytest.raises(expected) as caught:
        deliver(client(f"{sandbox.url}/hubspot", token))
    assert token not in str(caught.value)


ROWS: list[tuple[int, Mapping[str, str], type[IntegrationError], float | None]] = [
    (401, {"category": "EXPIRED_AUTHENTICATION"}, CredentialsError, None),
    (403, {"category": "MISSING_SCOPES"}, CredentialsError, None),
    (409, {"category": "CONFLICT"}, TryAgainError, None),
    (423, {"category": "LOCKED"}, TryAgainError, None),
    (429, {"policyName": "DAILY", "errorType": "RATE_LIMIT"}, QuotaExhaustedError, None),
    (429, {"policyName": "TEN_SECONDLY_ROLLING", "errorType": "RATE_LIMIT"}, RateLimitedError, 10.0),
    (477, {}, TransientError, None),
    (500, {}, TransientError, None),
    (502, {}, OutcomeUnknownError, None),
    (503, {}, TransientError, None),
    (504, {}, OutcomeUnknownError, None),
    (522, {}, OutcomeUnknownError, None),
    (523, {}, OutcomeUnknownError, None),
    (524, {}, OutcomeUnknownError, None),
]


@pytest.mark.parametrize(("status", "body", "expected", "wait"), ROWS)
def test_each_row_of_the_table(
    peer: Script, status: int, body: Mapping[str, str], expected: type[IntegrationError], wait: float | None
) -> None:
    peer.status, peer.headers = status, {}
    peer.body = json.dumps({"status": "error", "message": "p1@acme.example is unknown", **body}).encode()
    peer.requests.clear()
    with pytest.raises(IntegrationError) as caught:
        deliver(client(peer.url))
    assert type(caught.value) is expected
    assert caught.value.retry_after == wait
    assert caught.value.detail == (body.get("category") or body.get("errorType"))
    assert len(peer.requests) == 1
    assert "acme.example" not in str(caught.value.to_dict())


@pytest.mark.parametrize(
    "body",
    [
        b"<html>",
        b"[]",
        b"{}",
        b'{"results": 7}',
        b'{"results": [7, {"id": "1"}]}',
        b'{"results": [{"id": "1", "properties": {"email": "p0@acme.example"}}]}',
    ],
)
def test_an_answer_that_does_not_tell_of_everybody_is_an_unknown_outcome(peer: Script, body: bytes) -> None:
    peer.status, peer.headers, peer.body = 200, {}, body
    with pytest.raises(OutcomeUnknownError):
        deliver(client(peer.url))


@pytest.mark.parametrize("body", [b"<html>", b"{}", b'{"results": null}'])
def test_a_question_without_an_answer_may_be_asked_again(peer: Script, body: bytes) -> None:
    peer.status, peer.headers, peer.body = 200, {}, body
    with pytest.raises(TransientError):
        client(peer.url).present(ITEMS, wire=Wire())


def test_contacts_are_told_apart_by_address_where_no_trace_comes_back(peer: Script) -> None:
    results = [{"id": str(n), "properties": {"email": f"P{n}@acme.example"}} for n in range(4)]
    peer.status, peer.headers, peer.body = 200, {}, json.dumps({"status": "COMPLETE", "results": results}).encode()
    assert deliver(client(peer.url)).placed == {f"k{n}": str(n) for n in range(4)}


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        ("down", TransientError),
        ("rate_limited", RateLimitedError),
        ("lost_reply", OutcomeUnknownError),
        ("garbage", OutcomeUnknownError),
        ("slow", OutcomeUnknownError),
    ],
)
def test_faults(hubspot: HubSpot, sandbox: Sandbox, mode: str, expected: type[IntegrationError]) -> None:
    sandbox.post("/_sandbox/faults", {"provider": "hubspot", "mode": mode, "delay": 1})
    with pytest.raises(IntegrationError) as caught:
        deliver(hubspot, timeout=0.3 if mode == "slow" else 5)
    assert type(caught.value) is expected
    sandbox.post("/_sandbox/faults", {"provider": "hubspot", "mode": "ok"})
    assert len(deliver(hubspot).placed) == len(contacts(sandbox)) == 4


def test_a_body_that_breaks_off_is_an_unknown_outcome() -> None:
    torn = saying(b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhalf")
    with raw_server(torn) as peer, pytest.raises(OutcomeUnknownError):
        deliver(client(peer.url), timeout=1)
