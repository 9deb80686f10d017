"""The Salesforce client over the wire: tokens, leads by the hash of an address, and each row of its error table."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ad_platforms import Wire
from placed_leads import placed
from routed_http import Routes, routed_server
from stack import Sandbox

from integrations.delivery.salesforce import Salesforce
from integrations.delivery.target import Item, Outcome
from integrations.errors import (
    BadRequestError,
    CredentialsError,
    IntegrationError,
    NeedsAttentionError,
    OutcomeUnknownError,
    QuotaExhaustedError,
    TransientError,
    TryAgainError,
)
from integrations.settings import Settings

TOKEN, UPSERT = "POST /services/oauth2/token", "PATCH /services/data/v62.0/composite/sobjects/Lead/Marketing_Key__c"


def item(number: int, email: str | None = None) -> Item:
    address = email or f"p{number}@acme.example"
    return Item(key=f"k{number}", email=address, values={"Email": address, "LastName": f"Person {number}"})


ITEMS = [item(n) for n in range(3)]


def client(url: str, **env: str) -> Salesforce:
    keys = {"SALESFORCE_CLIENT_ID": "client", "SALESFORCE_CLIENT_SECRET": "s3cr3t"}
    return Salesforce(Settings.from_env({"SALESFORCE_BASE_URL": url, **keys, **env}))


def deliver(salesforce: Salesforce, items: list[Item] = ITEMS, timeout: float = 5.0) -> Outcome:
    return salesforce.deliver(items, path="", key="batch", wire=Wire(timeout))


@pytest.fixture
def salesforce(sandbox: Sandbox) -> Salesforce:
    sandbox.reset(7)
    return Salesforce(Settings.from_env({"SANDBOX_URL": sandbox.url}))


def leads(sandbox: Sandbox) -> dict[str, Any]:
    return {one["email"]: one for one in sandbox.get("/_sandbox/state")["deliveries"]}


def test_a_lead_is_made_once_and_brought_up_to_date(salesforce: Salesforce, sandbox: Sandbox) -> None:
    first, second = deliver(salesforce), deliver(salesforce, [item(n, f"P{n}@Acme.example") for n in range(3)])
    assert first == second
    found = leads(sandbox)
    assert {address: one["times"] for address, one in found.items()} == dict.fromkeys(found, 2)
    assert found["p1@acme.example"]["values"]["Company"] == "[not provided]"
    assert len(found["p1@acme.example"]["key"]) == 64


def test_a_refused_lead_leaves_the_others_alone(salesforce: Salesforce, sandbox: Sandbox) -> None:
    found = deliver(salesforce, [*ITEMS, item(8, "x@refused.example"), item(9, "no address")])
    assert found.refused == {"k8": "DUPLICATES_DETECTED", "k9": "INVALID_EMAIL_ADDRESS"}
    assert len(found.placed) == len(leads(sandbox)) == 3


def test_a_lead_is_deleted_and_deleting_it_again_is_no_error(salesforce: Salesforce, sandbox: Sandbox) -> None:
    remote_id = deliver(salesforce).placed["k1"]
    for _ in range(2):
        salesforce.remove(placed(remote_id), path="", wire=Wire())
    assert leads(sandbox).keys() == {"p0@acme.example", "p2@acme.example"}


def test_a_lead_whose_answer_was_lost_is_deleted_by_its_external_id(salesforce: Salesforce, sandbox: Sandbox) -> None:
    deliver(salesforce)
    for email in ("P1@acme.example", "nobody@acme.example"):
        salesforce.remove(placed(None, email=email), path="", wire=Wire())
    assert leads(sandbox).keys() == {"p0@acme.example", "p2@acme.example"}


def test_a_token_that_has_ended_is_fetched_anew_once(salesforce: Salesforce, sandbox: Sandbox) -> None:
    deliver(salesforce)
    sandbox.reset(7)  # its tokens are no good any more
    assert len(deliver(salesforce).placed) == 3


def test_the_limits(salesforce: Salesforce) -> None:
    assert salesforce.online(timeout=5).remaining == "14998 of 15000 requests"


def test_clients_that_are_refused(sandbox: Sandbox) -> None:
    url = f"{sandbox.url}/salesforce"
    with pytest.raises(CredentialsError, match="invalid_client"):
        deliver(client(url, SALESFORCE_CLIENT_ID="invalid"))
    with pytest.raises(QuotaExhaustedError):
        deliver(client(url, SALESFORCE_CLIENT_ID="exhausted"))
    with pytest.raises(NeedsAttentionError):
        deliver(client(url, SALESFORCE_EXTERNAL_ID="Other__c"))


def test_no_address_but_https_or_this_machine() -> None:
    live = {"MARKETING_MODE": "live", "SALESFORCE_CLIENT_ID": "a", "SALESFORCE_CLIENT_SECRET": "b"}
    with pytest.raises(NeedsAttentionError, match="https"):
        deliver(Salesforce(Settings.from_env({**live, "SALESFORCE_BASE_URL": "http://org.example"})))
    with pytest.raises(CredentialsError, match="SALESFORCE_BASE_URL"):
        deliver(Salesforce(Settings.from_env(live)))


ROWS = [
    (400, "INVALID_FIELD", BadRequestError),
    (401, "INVALID_SESSION_ID", CredentialsError),
    (403, "REQUEST_LIMIT_EXCEEDED", QuotaExhaustedError),
    (403, "API_DISABLED_FOR_ORG", CredentialsError),
    (404, "NOT_FOUND", NeedsAttentionError),
    (500, "UNKNOWN_EXCEPTION", OutcomeUnknownError),
    (502, "", OutcomeUnknownError),
    (503, "SERVER_UNAVAILABLE", TransientError),
]


def answering(routes: Routes, status: int, answer: Any) -> Salesforce:
    routes.answers[TOKEN] = (200, {"access_token": "t0ken"})
    routes.answers[UPSERT] = (status, answer)
    return client(routes.url)


@pytest.mark.parametrize(("status", "code", "expected"), ROWS)
def test_each_row_of_the_table(status: int, code: str, expected: type[IntegrationError]) -> None:
    body = [{"errorCode": code, "message": "p1@acme.example is unknown"}] if code else b"<html>"
    with routed_server() as routes, pytest.raises(IntegrationError) as caught:
        deliver(answering(routes, status, body))
    assert type(caught.value) is expected
    assert caught.value.detail == (code or None)
    assert [one.method for one in routes.asked] == ["POST", "PATCH"]
    told = json.dumps(caught.value.to_dict())
    assert not any(secret in told for secret in ("acme.example", "s3cr3t", "t0ken"))


GOOD = {"id": "00Q1", "success": True, "errors": [], "created": True}


@pytest.mark.parametrize("body", [b"<html>", {}, [], [GOOD], [GOOD, GOOD, 7], [GOOD, GOOD, {"id": "00Q3"}]])
def test_an_answer_that_does_not_tell_of_everybody_is_an_unknown_outcome(body: Any) -> None:
    with routed_server() as routes, pytest.raises(OutcomeUnknownError):
        deliver(answering(routes, 200, body))


def test_a_record_that_somebody_else_changes_is_tried_again() -> None:
    locked = {"success": False, "errors": [{"statusCode": "UNABLE_TO_LOCK_ROW", "message": "", "fields": []}]}
    with routed_server() as routes, pytest.raises(TryAgainError):
        deliver(answering(routes, 200, [GOOD, GOOD, locked]))


@pytest.mark.parametrize("answer", [(200, b"<html>"), (200, {}), (200, {"access_token": "a b"}), (503, {})])
def test_no_token_is_an_outage(answer: tuple[int, Any]) -> None:
    with routed_server() as routes:
        routes.answers[TOKEN] = answer
        with pytest.raises(TransientError):
            deliver(client(routes.url))


@pytest.mark.parametrize("mode", ["lost_reply", "garbage", "slow"])
def test_a_lost_answer_makes_nobody_arrive_twice(salesforce: Salesforce, sandbox: Sandbox, mode: str) -> None:
    deliver(salesforce, [item(9)])  # has a token from here on
    sandbox.post("/_sandbox/faults", {"provider": "salesforce", "mode": mode, "delay": 1})
    with pytest.raises(OutcomeUnknownError):
        deliver(salesforce, timeout=0.3 if mode == "slow" else 5)
    sandbox.post("/_sandbox/faults", {"provider": "salesforce", "mode": "ok"})
    assert len(deliver(salesforce).placed) == 3
    assert len(leads(sandbox)) == 4
