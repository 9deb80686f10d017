"""The ledger under any order of claims, results, deaths, zombies and verbs: no unit is lost, none recorded twice."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test
from ledger_machine import LedgerMachine
from orchestrator_harness import Harness
from toys import toys


@pytest.fixture
def judge(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Harness]:
    monkeypatch.setattr("orchestration.ledger.ledger.LEASE_S", 1.0)  # Postgres itself has just begun, perhaps
    made = Harness(database_url, toys(stages=(2, 1)), worker="judge")
    yield made
    made.close()


@pytest.mark.hypothesis
@pytest.mark.timeout(600)
def test_any_order_of_events_leaves_a_ledger_that_can_be_trusted(judge: Harness) -> None:
    machine = type("Machine", (LedgerMachine,), {"bench": judge})
    run_state_machine_as_test(
        machine,
        settings=settings(
            stateful_step_count=50,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
        ),
    )
