"""The webhook for outcomes: only what is signed is taken, once, behind Flower's door but without its login."""

from __future__ import annotations

import base64
import http.client
import json
import time
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from orchestrator_harness import Harness
from served_flower import ServedFlower
from toys import toys

from integrations.delivery.webhook import secret_bytes, signature
from integrations.settings import Settings, SettingsError
from orchestration.ledger.database import encode
from workers.outcome_hook import MAX_BYTES, PATH, hook_secret, route

SECRET = "whsec_" + base64.b64encode(b"s" * 32).decode()
JANE = "jane.doe@acme.example"


class Served(ServedFlower):
    """Flower with the hook."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(route(settings))

    def send(self, body: bytes, *, at: float | None = None, secret: str = SECRET, **headers: str) -> tuple[int, Any]:
        sent = int(time.time() if at is None else at)
        key = secret_bytes(secret)
        assert key is not None
        given: Mapping[str, str] = {
            "webhook-id": "m1",
            "webhook-timestamp": str(sent),
            "webhook-signature": f"v1,other {signature(key, 'm1', sent, body)}",
            **headers,
        }
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        connection.request("POST", PATH, body, dict(given))
        answer = connection.getresponse()
        text = answer.read()
        connection.close()
        return answer.status, json.loads(text) if text.startswith(b"{") else text


@pytest.fixture
def bench(database_url: str) -> Iterator[Harness]:
    made = Harness(database_url, toys())
    made.submit("c1")
    leads = [{"lead_id": "a7", "email": JANE, "job_title": "CTO"}]
    made.database.run("UPDATE marketing.campaigns SET leads = %s", encode(leads))
    yield made
    made.close()


@pytest.fixture
def hook(bench: Harness, tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    monkeypatch.setenv("MARKETING_HOME", str(tmp_path))
    served = Served(Settings.from_env({"DATABASE_URL": bench.database.url, "OUTCOMES_SECRET": SECRET}))
    yield served
    served.close()


def message(*reports: object) -> bytes:
    return json.dumps({"outcomes": reports}).encode()


def test_signed_outcomes_are_recorded_once(bench: Harness, hook: Served) -> None:
    body = message({"lead": JANE, "outcome": "won"}, {"lead": "a7", "outcome": "bought"})
    at = time.time()
    status, told = hook.send(body, at=at)
    assert (status, told["new"], told["known"]) == (200, 1, 0)
    assert told["refused"] == [{"place": 1, "problems": ["outcome='bought': use won, meeting, lost or bounced"]}]
    assert hook.send(body, at=at)[1]["known"] == 1
    assert bench.database.rows("SELECT lead_id, outcome, actor FROM marketing.outcomes") == [("a7", "won", "webhook")]


def test_nothing_else_is_taken(bench: Harness, hook: Served) -> None:
    good = message({"lead": "a7", "outcome": "won"})
    other = "whsec_" + base64.b64encode(b"x" * 32).decode()
    assert hook.send(good, secret=other)[0] == 401
    assert hook.send(good, at=time.time() - 301)[0] == 401
    assert hook.send(good, **{"webhook-timestamp": "²"})[0] == 401
    assert hook.send(good, **{"webhook-id": "m2"})[0] == 401
    assert hook.send(good, **{"webhook-signature": "v1,é"})[0] == 401
    for body in (b"", b"[]", b"{", b'{"outcomes": []}', b'{"outcomes": [1]}', b'{"outcomes": [{}], "x": 1}'):
        assert hook.send(body)[0] == 400
    assert hook.send(b"x", **{"Content-Length": str(MAX_BYTES + 1)})[0] == 413
    assert hook.send(good, Host="evil.example")[0] == 421
    assert bench.database.value("SELECT count(*) FROM marketing.outcomes") == 0


def test_without_a_secret_it_is_closed_and_a_wrong_one_is_told(bench: Harness, tmp_path: Any) -> None:
    assert hook_secret(Settings.from_env({})) is None
    with pytest.raises(SettingsError, match="OUTCOMES_SECRET is whsec_ followed by 24 to 64 bytes in base64"):
        hook_secret(Settings.from_env({"OUTCOMES_SECRET": "plain"}))
