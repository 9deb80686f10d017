"""The webhook sender over the wire: what is sent, how it is signed, and each row of its error table."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from ad_platforms import Wire
from placed_leads import placed
from raw_server import raw_server, saying
from routed_http import routed_server
from scripted_http import Script, scripted_server
from stack import Sandbox

from integrations.delivery.target import Item
from integrations.delivery.webhook import Webhook, secret_bytes, signature
from integrations.errors import (
    BadRequestError,
    CredentialsError,
    IntegrationError,
    InvalidAnswerError,
    NeedsAttentionError,
    OutcomeUnknownError,
    QuotaExhaustedError,
    RateLimitedError,
    TransientError,
    TryAgainError,
)
from integrations.settings import Settings, SettingsError

SECRET = "whsec_" + base64.b64encode(b"a secret of 24 bytes, ..").decode()
ITEMS = [
    Item(key="k1", email="ann@acme.example", values={"email": "ann@acme.example", "name": "Ann Lée"}),
    Item(key="k2", email=None, values={"name": "Bob"}),
]


def client(url: str, secret: str = SECRET) -> Webhook:
    return Webhook(Settings.from_env({"WEBHOOK_BASE_URL": url, "WEBHOOK_SECRET": secret}))


def deliver(webhook: Webhook, *, path: str = "", key: str = "batch-1", timeout: float = 5.0) -> Mapping[str, str]:
    return webhook.deliver(ITEMS, path=path, key=key, wire=Wire(timeout)).placed


@pytest.fixture
def webhook(sandbox: Sandbox) -> Webhook:
    sandbox.reset(7)
    return Webhook(Settings.from_env({"SANDBOX_URL": sandbox.url}))


@pytest.fixture(scope="module")
def peer() -> Iterator[Script]:
    with scripted_server() as script:
        yield script


def received(sandbox: Sandbox) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = sandbox.get("/_sandbox/state")["deliveries"]
    return found


def test_the_receiver_takes_each_lead_once(webhook: Webhook, sandbox: Sandbox) -> None:
    assert deliver(webhook) == {"k1": "k1", "k2": "k2"}
    assert deliver(webhook, key="another batch") == {"k1": "k1", "k2": "k2"}
    assert [(row["key"], row["email"], row["times"]) for row in received(sandbox)] == [
        ("k1", "ann@acme.example", 2),
        ("k2", None, 2),
    ]
    assert received(sandbox)[0]["values"]["name"] == "Ann Lée"


def test_who_is_erased_leaves_it(webhook: Webhook, sandbox: Sandbox) -> None:
    deliver(webhook, path="/crm")
    webhook.remove(placed("k1"), path="/crm", wire=Wire(5))
    webhook.remove(placed("k1"), path="/crm", wire=Wire(5))
    assert [(row["path"], row["key"]) for row in received(sandbox)] == [("/crm", "k2")]


def test_another_secret_is_refused(sandbox: Sandbox) -> None:
    with pytest.raises(CredentialsError):
        deliver(client(f"{sandbox.url}/webhook"))
    assert not [row for row in received(sandbox) if row["key"] == "k1" and row["times"] > 2]


def test_what_is_sent_is_what_is_signed() -> None:
    with routed_server() as routes:
        routes.answers["POST /hooks/leads"] = (202, b"")
        deliver(client(routes.url), path="/hooks/leads")
        (asked,) = routes.asked
    found = asked.headers
    secret = base64.b64decode(SECRET.removeprefix("whsec_"))
    signed = f"{found['webhook-id']}.{found['webhook-timestamp']}.".encode() + asked.body
    right = base64.b64encode(hmac.new(secret, signed, hashlib.sha256).digest()).decode()
    assert found["webhook-signature"] == f"v1,{right}"
    assert found["webhook-id"] == found["idempotency-key"] == "batch-1"
    assert asked.json()["type"] == "leads.delivered"
    assert asked.json()["data"]["leads"][1] == {"idempotency_key": "k2", "name": "Bob"}


def test_the_signature_is_that_of_the_specification() -> None:
    """The example of the Standard Webhooks specification's reference libraries."""
    secret = secret_bytes("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    assert secret is not None
    found = signature(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}')
    assert found == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@pytest.mark.parametrize("secret", ["plain", "whsec_", "whsec_c2hvcnQ=", "whsec_***", "whsec_" + "QUFB" * 30])
def test_a_secret_of_another_form_is_refused_unseen(peer: Script, secret: str) -> None:
    peer.requests.clear()
    with pytest.raises(CredentialsError) as caught:
        deliver(client(peer.url, secret))
    assert "whsec_ followed by 24 to 64 bytes" in str(caught.value)
    assert not peer.requests
    assert secret == "whsec_" or secret not in str(caught.value)


ROWS = [
    (300, InvalidAnswerError),
    (308, InvalidAnswerError),
    (400, BadRequestError),
    (401, CredentialsError),
    (402, QuotaExhaustedError),
    (403, CredentialsError),
    (404, NeedsAttentionError),
    (409, TryAgainError),
    (410, NeedsAttentionError),
    (413, BadRequestError),
    (422, BadRequestError),
    (429, RateLimitedError),
    (500, TransientError),
    (502, OutcomeUnknownError),
    (503, TransientError),
    (504, OutcomeUnknownError),
]


@pytest.mark.parametrize(("status", "expected"), ROWS)
def test_each_row_of_the_table(peer: Script, status: int, expected: type[IntegrationError]) -> None:
    peer.status, peer.headers = status, {"Retry-After": "7", "Location": "http://127.0.0.1:9/"}
    peer.body = b'{"error": "ann@acme.example is unknown"}'
    peer.requests.clear()
    with pytest.raises(IntegrationError) as caught:
        deliver(client(peer.url))
    assert type(caught.value) is expected
    assert len(peer.requests) == 1, "a refusal is not asked again, and no redirect followed"
    assert caught.value.retry_after == (None if status < 400 else 7)
    assert "ann@" not in str(caught.value.to_dict())
    assert SECRET not in str(caught.value.to_dict())


@pytest.mark.parametrize("body", [b"", b"ok", b"<html>\x00", b"{"])
def test_the_body_of_a_good_answer_says_nothing(peer: Script, body: bytes) -> None:
    peer.status, peer.headers, peer.body = 200, {}, body
    assert deliver(client(peer.url)) == {"k1": "k1", "k2": "k2"}


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        ("down", TransientError),
        ("rate_limited", RateLimitedError),
        ("lost_reply", OutcomeUnknownError),
        ("slow", OutcomeUnknownError),
    ],
)
def test_faults(webhook: Webhook, sandbox: Sandbox, mode: str, expected: type[IntegrationError]) -> None:
    sandbox.post("/_sandbox/faults", {"provider": "webhook", "mode": mode, "delay": 1})
    with pytest.raises(IntegrationError) as caught:
        deliver(webhook, timeout=0.3 if mode == "slow" else 5)
    assert type(caught.value) is expected
    sandbox.post("/_sandbox/faults", {"provider": "webhook", "mode": "ok"})
    deliver(webhook)
    arrived = mode in ("lost_reply", "slow")
    assert [row["times"] for row in received(sandbox)] == [1 + arrived] * 2, "taken twice, kept once"


def test_an_answer_without_end_is_an_unknown_outcome() -> None:
    with (
        raw_server(saying(b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhalf")) as peer,
        pytest.raises(OutcomeUnknownError),
    ):
        deliver(client(peer.url), timeout=1)


def test_a_closed_and_a_moved_receiver(webhook: Webhook) -> None:
    with pytest.raises(NeedsAttentionError):
        deliver(webhook, path="/closed")
    with pytest.raises(InvalidAnswerError, match="redirect"):
        deliver(webhook, path="/moved")


def test_no_address_but_https_or_this_machine() -> None:
    live = {"MARKETING_MODE": "live", "WEBHOOK_SECRET": SECRET}
    with pytest.raises(NeedsAttentionError, match="https"):
        deliver(Webhook(Settings.from_env({**live, "WEBHOOK_BASE_URL": "http://hooks.example"})))
    with pytest.raises(CredentialsError, match="WEBHOOK_BASE_URL"):
        deliver(Webhook(Settings.from_env(live)))
    with pytest.raises(SettingsError, match="webhook: WEBHOOK_BASE_URL, WEBHOOK_SECRET"):
        Settings.from_env({"MARKETING_MODE": "live"}).require(["webhook"])
    with pytest.raises(SettingsError, match="WEBHOOK_BASE_URL"):
        Settings.from_env({"WEBHOOK_BASE_URL": "https://hooks.example"})


def test_nobody_is_present(webhook: Webhook) -> None:
    assert webhook.present(ITEMS, wire=Wire(5)) == ()
