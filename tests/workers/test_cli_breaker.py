"""The breaker on the command line and in Prometheus: what is shown, switched and told, over real Postgres and Redis."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from command_line import Command
from orchestrator_harness import Harness
from prometheus_client import CollectorRegistry, generate_latest
from toys import toys

from integrations.admission import Admission, Breaker, Circuit, Limit
from integrations.errors import CircuitOpenError, TransientError
from orchestration.ledger.waiting import Deferrals
from workers.metrics import FleetCollector

CIRCUIT = Circuit("hunter", "0123456789ab")


@pytest.fixture
def campaigns(campaigns: Command, database_url: str, redis_url: str) -> Command:
    """The command over a database and a Redis of the test's own."""
    os.environ.update({"DATABASE_URL": database_url, "REDIS_URL": redis_url, "LIMIT_HUNTER": "100/s,5"})
    return campaigns


@pytest.fixture
def admission(redis_url: str) -> Iterator[Admission]:
    made = Admission(redis_url, breaker=Breaker(), limits={"hunter": Limit(100, 1.0, 5)})
    yield made
    made.close()


def break_it(admission: Admission) -> None:
    for n in range(5):
        ticket = admission.admit(CIRCUIT, holder=f"h{n}", campaign=f"c{n}", lease_s=5)
        admission.settle(ticket, TransientError("hunter", "is down"))


def test_an_open_breaker_is_shown_closed_by_hand_and_told(
    campaigns: Command, admission: Admission, database_url: str
) -> None:
    assert "No provider has been called" in campaigns("breaker", "status").out
    break_it(admission)
    with pytest.raises(CircuitOpenError):
        admission.admit(CIRCUIT, holder="h", campaign="c", lease_s=5)
    shown = campaigns("breaker", "status", "hunter", "--json").json
    (circuit,) = shown["circuits"]
    assert (circuit["circuit"], circuit["state"], circuit["admitted"]) == (CIRCUIT.key, "open", 5)
    assert circuit["deferred"] == {"open": 1}
    assert circuit["limit"] == {"requests": 100, "period_s": 1.0, "concurrency": 5}
    text = campaigns("breaker", "status").out
    assert "open" in text
    assert "of 100 per 0:01" in text

    answer = campaigns("breaker", "close", "hunter")
    assert (answer.code, "may be called again" in answer.out) == (0, True)
    admission.admit(CIRCUIT, holder="h", campaign="c", lease_s=5)
    kinds = [event["kind"] for event in campaigns("breaker", "status", "--json").json["history"]]
    assert kinds == ["breaker_closed_by_hand"]


def test_a_provider_is_switched_off_with_a_reason_and_on_again(campaigns: Command, database_url: str) -> None:
    assert campaigns("breaker", "open", "Facebook", "--reason", "odd\x1b[31m charges").code == 0
    shown = campaigns("breaker", "status", "--json").json
    (switch,) = shown["switched_off"]
    assert (switch["provider"], switch["reason"]) == ("facebook_ads", "odd charges")
    assert switch["by"].startswith("cli:")
    assert "facebook_ads is switched off by cli:" in campaigns("breaker", "status").out
    assert "was off already" in campaigns("breaker", "open", "facebook").out
    assert campaigns("breaker", "close", "facebook").code == 0
    assert campaigns("breaker", "status", "--json").json["switched_off"] == []
    assert "none of its breakers was open" in campaigns("breaker", "close", "facebook").out


@pytest.mark.parametrize("verb", ["open", "close", "status"])
def test_an_unknown_provider_is_named_with_those_there_are(campaigns: Command, verb: str) -> None:
    answer = campaigns("breaker", verb, "hunther")
    assert answer.code == 2
    assert "'hunther' is no provider; there are clearbit, dns, facebook_ads, google_ads" in answer.err


def scrape(collector: FleetCollector) -> str:
    registry = CollectorRegistry()
    registry.register(collector)
    return generate_latest(registry).decode()


def test_the_fleets_figures_are_metrics(
    campaigns: Command, admission: Admission, database_url: str, redis_url: str
) -> None:
    bench = Harness(database_url, toys())
    break_it(admission)
    with pytest.raises(CircuitOpenError):
        admission.admit(CIRCUIT, holder="h", campaign="c", lease_s=5)
    bench.submit("c1")
    bench.ledger.beat(
        [
            {"counter": "retries", "labels": {"provider": "hunter", "code": "transient"}, "value": 3},
            {"counter": "admission_up", "labels": {}, "value": 0},
        ]
    )
    Deferrals(bench.database).switch_off("serpapi", actor="test")
    collector = FleetCollector.from_env()
    assert collector is not None
    text = scrape(collector)
    for line in (
        "marketing_database_up 1.0",
        "marketing_breakers_up 1.0",
        'marketing_campaigns{status="queued"} 1.0',
        f'marketing_breaker_state{{circuit="{CIRCUIT.key}"}} 2.0',
        f'marketing_calls_refused_total{{circuit="{CIRCUIT.key}",reason="open"}} 1.0',
        f'marketing_limit_in_use{{account="{CIRCUIT.account_key}"}} 5.0',
        'marketing_retries_total{code="transient",provider="hunter",worker="worker-a"} 3.0',
        'marketing_admission_up{worker="worker-a"} 0.0',
        'marketing_provider_switched_off{provider="serpapi"} 1.0',
    ):
        assert line in text, text
    bench.close()


def test_what_is_away_is_said_and_left_out(database_url: str) -> None:
    os.environ.update({"DATABASE_URL": database_url, "REDIS_URL": "redis://127.0.0.1:1/0"})
    collector = FleetCollector.from_env()
    assert collector is not None
    text = scrape(collector)
    assert "marketing_breakers_up 0.0" in text
    assert "marketing_database_up 1.0" in text


def test_the_doctor_tells_of_open_breakers_and_switches(
    campaigns: Command, admission: Admission, database_url: str
) -> None:
    assert "all closed" in campaigns("doctor").out
    break_it(admission)
    campaigns("breaker", "open", "serpapi", "--reason", "a bill")
    found = [(c["check"], c["state"], c["text"]) for c in campaigns("doctor", "--json").json["checks"]]
    assert ("Breakers", "warning", f"{CIRCUIT.key} is open: its provider failed") in found
    assert any(check == "Switch" and "serpapi is switched off by cli:" in text for check, _, text in found)
