"""Campaigns that wait for a provider or for money: they say why, hold nothing, and go on by themselves."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest
import stack
from orchestrator_harness import Harness
from toys import echo, toys

from agents.ports import UnitContext
from agents.unit import Unit
from integrations.admission import Admission, Breaker, Limit
from integrations.errors import (
    BadRequestError,
    CircuitOpenError,
    CredentialsError,
    IntegrationError,
    OverBudgetError,
    OverLimitError,
    TransientError,
)
from integrations.retry import RetryPolicy
from orchestration.execution.call_guard import CallGuard
from orchestration.ledger.changes import StatusChange
from orchestration.ledger.waiting import Deferrals

Trouble = Callable[[Unit, UnitContext], IntegrationError | None]


@pytest.fixture
def bench(database_url: str) -> Iterator[Callable[..., Harness]]:
    made: list[Harness] = []

    def make(trouble: Trouble, **options: Any) -> Harness:
        def body(unit: Unit, ctx: UnitContext) -> Mapping[str, Any]:
            error = trouble(unit, ctx)
            if error is not None:
                raise error
            return {**echo(unit, ctx), "fallback": ctx.fallback}

        stages = options.pop("stages", (2,))
        made.append(
            Harness(database_url, toys(stages=stages, body=body, policy=options.pop("policy", None)), **options)
        )
        return made[-1]

    yield make
    for one in made:
        one.close()


def kinds(one: Harness) -> list[str]:
    return [event.kind for event in one.reports.events("c1")]


def due_now(one: Harness) -> None:
    """The moment of everything that waits has come."""
    one.database.run("UPDATE marketing.units SET due_at = clock_timestamp() WHERE due_at IS NOT NULL")
    one.database.run("UPDATE marketing.campaigns SET due_at = clock_timestamp() WHERE due_at IS NOT NULL")


def test_a_campaign_waits_for_a_provider_says_why_and_goes_on(bench: Callable[..., Harness]) -> None:
    down = [True]
    one = bench(lambda unit, ctx: CircuitOpenError("toy", "its circuit is open", retry_after=200.0) if down else None)
    deferrals = Deferrals(one.database)
    one.submit()
    one.orchestrator.run_hop("c1")
    shown = one.reports.show("c1")
    assert (shown["status"], shown["reason"]) == ("waiting", "circuit_open: toy: its circuit is open")
    assert shown["due_at"] is not None
    assert shown["units"] == {"pending": 2}
    assert one.database.rows("SELECT sum(attempts), sum(crashes) FROM marketing.units") == [(0, 0)]
    assert deferrals.tick() == 0, "it looks again before its moment"
    assert one.reports.show("c1")["status"] == "waiting"

    for _ in range(3):  # each look is no news
        due_now(one)
        assert deferrals.tick() == 1
        assert one.reports.show("c1")["reason"] == "circuit_open: toy: its circuit is open"
        one.orchestrator.run_hop("c1")
        assert one.reports.show("c1")["status"] == "waiting"
    assert kinds(one).count("waiting") == 1
    assert kinds(one).count("unit_deferred") == 2

    down.clear()
    due_now(one)
    deferrals.tick()
    assert one.ledger.reconcile(), "nobody would wake it"
    one.orchestrator.run_hop("c1")
    shown = one.reports.show("c1")
    assert (shown["status"], shown["reason"]) == ("completed", None)


def test_one_unit_that_waits_keeps_its_campaign_at_work_while_another_can_go_on(
    bench: Callable[..., Harness],
) -> None:
    def trouble(unit: Unit, ctx: UnitContext) -> IntegrationError | None:
        if unit.key == "u0":
            return CircuitOpenError("toy", "is down", retry_after=200.0)
        return TransientError("toy", "failed once", retry_after=30.0)

    one = bench(trouble)
    one.submit()
    one.orchestrator.run_hop("c1")
    assert one.reports.show("c1")["status"] == "running"  # its retry has a wake-up of its own
    assert ("hop", "c1", "lead_generation") in one.broker.sent


@pytest.mark.parametrize("code", ["rate", "share"])
def test_a_slot_in_time_is_no_reason_to_wait(bench: Callable[..., Harness], code: str) -> None:
    one = bench(lambda unit, ctx: OverLimitError("toy", "no room", detail=code, retry_after=2.0))
    one.submit()
    one.orchestrator.run_hop("c1")
    assert one.reports.show("c1")["status"] == "running"
    assert ("hop", "c1", "lead_generation") in one.broker.sent


def test_what_else_is_due_is_not_begun_when_a_limit_holds_the_stage_back(
    bench: Callable[..., Harness],
) -> None:
    one = bench(
        lambda unit, ctx: OverLimitError("toy", "no room", detail="share", retry_after=2.0),
        stages=(100,),
        placement="local",
    )
    one.submit()
    one.orchestrator.run_hop("c1")
    begun = "SELECT count(*), sum(claims) FROM marketing.units WHERE due_at IS NOT NULL"
    assert one.database.rows(begun) == [(16, 0)]
    one.orchestrator.run_hop("c1")
    assert one.database.rows(begun) == [(17, 0)]
    assert "unit_deferred" not in kinds(one)


def test_a_spread_stage_that_a_limit_holds_back_is_not_gone_through_unit_by_unit(
    bench: Callable[..., Harness],
) -> None:
    one = bench(
        lambda unit, ctx: OverLimitError("toy", "no room", detail="share", retry_after=2.0),
        stages=(100,),
        placement="chord",
    )
    one.submit()
    one.orchestrator.run_hop("c1")
    one.deliver(limit=17)  # the chord: a slot each, and the body
    assert one.database.rows("SELECT count(*) FROM marketing.units WHERE due_at IS NOT NULL") == [(16,)]
    assert [message[0] for message in one.broker.sent].count("hop") == 1, "a wake-up for each"
    one.orchestrator.run_hop("c1")
    assert [message[0] for message in one.broker.sent].count("unit") == 16, "a chord for each wake-up"


def test_retries_that_an_outage_used_up_wait_and_end_only_when_patience_does(
    bench: Callable[..., Harness],
) -> None:
    one = bench(
        lambda unit, ctx: TransientError("toy", "is down") if unit.key == "u0" else None,
        policy=RetryPolicy(max_retries=1, first_delay_s=0.0, max_wait_s=3600.0),
    )
    one.submit()
    one.orchestrator.run_hop("c1")
    due_now(one)
    one.orchestrator.run_hop("c1")
    shown = one.reports.show("c1")
    assert (shown["status"], shown["reason"]) == ("waiting", "outage: toy: is down")
    one.database.run(
        "UPDATE marketing.units SET journal = journal || "
        "jsonb_build_object('waiting_since', clock_timestamp() - interval '2 hours') WHERE key = 'u0'"
    )
    due_now(one)
    Deferrals(one.database).tick()
    one.orchestrator.run_hop("c1")
    ((error, attempts),) = one.database.rows(
        "SELECT error, attempts FROM marketing.units WHERE key = 'u0' AND step = 0 AND status = 'failed'"
    )
    assert (error["code"], error["detail"]) == ("provider_unavailable", "transient")
    assert "was not available for 1 hours" in error["message"]
    assert attempts <= 3


def test_a_refused_key_waits_for_a_person_and_goes_on_when_it_is_mended(
    bench: Callable[..., Harness],
) -> None:
    wrong = [True]
    one = bench(lambda unit, ctx: CredentialsError("toy", "the key is wrong") if wrong else None)
    one.submit()
    one.orchestrator.run_hop("c1")
    shown = one.reports.show("c1")
    assert shown["status"] == "waiting"
    assert shown["reason"].startswith("needs_attention: u")
    assert "the key is wrong" in shown["reason"]
    wrong.clear()
    row = one.ledger.load("c1")
    assert row is not None
    one.ledger.changes.make_due(row)
    one.ledger.changes.set_status("c1", ("waiting",), StatusChange(status="running", event="resumed", actor="test"))
    one.orchestrator.run_hop("c1")
    assert one.reports.show("c1")["status"] == "completed"


def test_money_is_waited_for_until_a_person_raises_the_cap(bench: Callable[..., Harness]) -> None:
    poor = [True]
    one = bench(lambda unit, ctx: OverBudgetError("toy", "limits.llm 1.00 USD", retry_after=900.0) if poor else None)
    deferrals = Deferrals(one.database)
    one.submit()
    one.orchestrator.run_hop("c1")
    assert one.reports.show("c1")["reason"] == "over_budget: toy: limits.llm 1.00 USD"
    poor.clear()
    assert deferrals.wake("budget", campaign_id="another") == 0
    assert deferrals.wake("budget", campaign_id="c1") == 1
    assert deferrals.tick() == 1
    one.orchestrator.run_hop("c1")
    assert one.reports.show("c1")["status"] == "completed"


# --- fallbacks -------------------------------------------------------------------------------------------------------


def fallbacks_used(one: Harness) -> set[str | None]:
    return {row[0] for row in one.database.rows("SELECT DISTINCT result ->> 'fallback' FROM marketing.units")}


def test_a_fallback_is_used_at_once_while_the_own_provider_is_closed(bench: Callable[..., Harness]) -> None:
    def trouble(unit: Unit, ctx: UnitContext) -> IntegrationError | None:
        return CircuitOpenError("toy", "is down", retry_after=200.0) if ctx.fallback in (None, "b") else None

    one = bench(trouble, policy=RetryPolicy(fallback=("b", "c")))
    one.submit()
    assert one.orchestrator.run_hop("c1") == "completed"
    assert fallbacks_used(one) == {"c"}
    counts = one.orchestrator.resources.counts.snapshot()
    assert {"counter": "fallbacks", "labels": {"provider": "local", "fallback": "c"}, "value": 8} in counts


def test_the_soonest_of_provider_and_fallbacks_decides_when_it_is_tried_again(bench: Callable[..., Harness]) -> None:
    waits = {None: 200.0, "b": 50.0, "c": 100.0}
    one = bench(
        lambda unit, ctx: CircuitOpenError("toy", f"{ctx.fallback} is down", retry_after=waits[ctx.fallback]),
        policy=RetryPolicy(fallback=("b", "c")),
    )
    one.submit()
    one.orchestrator.run_hop("c1")
    ((seconds,),) = one.database.rows(
        "SELECT max(extract(epoch FROM due_at - clock_timestamp()))::float8 FROM marketing.units"
    )
    # The last fallback's own answer is what is carried out, when no earlier one comes sooner.
    assert 40.0 < seconds < 110.0


def test_a_fallback_that_can_only_fail_does_not_fail_the_unit(bench: Callable[..., Harness]) -> None:
    def trouble(unit: Unit, ctx: UnitContext) -> IntegrationError | None:
        if ctx.fallback is None:
            return CircuitOpenError("toy", "is down", retry_after=200.0)
        return BadRequestError("toy", "no such model")

    one = bench(trouble, policy=RetryPolicy(fallback=("b",)))
    one.submit()
    one.orchestrator.run_hop("c1")
    shown = one.reports.show("c1")
    assert (shown["status"], shown["reason"]) == ("waiting", "circuit_open: toy: is down")


def test_the_last_resort_comes_after_a_long_wait_only(bench: Callable[..., Harness]) -> None:
    def trouble(unit: Unit, ctx: UnitContext) -> IntegrationError | None:
        return CircuitOpenError("toy", "is down", retry_after=200.0) if ctx.fallback is None else None

    one = bench(trouble, policy=RetryPolicy(last_resort="template", last_resort_after_s=60.0))
    deferrals = Deferrals(one.database)
    one.submit()
    one.orchestrator.run_hop("c1")
    assert one.reports.show("c1")["status"] == "waiting"
    one.database.run(
        "UPDATE marketing.units SET journal = journal || "
        "jsonb_build_object('waiting_since', clock_timestamp() - interval '61 seconds')"
    )
    due_now(one)
    deferrals.tick()
    one.orchestrator.run_hop("c1")
    assert fallbacks_used(one) == {"template", None}  # the next hop's units begin their own wait


# --- the switch ------------------------------------------------------------------------------------------------------


def test_a_provider_that_is_switched_off_is_never_called(bench: Callable[..., Harness]) -> None:
    called: list[str] = []

    def trouble(unit: Unit, ctx: UnitContext) -> IntegrationError | None:
        ctx.call("hunter", lambda timeout: called.append(unit.key))
        return None

    one = bench(trouble)
    deferrals = Deferrals(one.database)
    resources = one.orchestrator.resources
    guard = CallGuard(resources.settings, switched_off=lambda: one.ledger.beat().providers)
    one.orchestrator = replace(one.orchestrator, resources=replace(resources, guard=guard))
    assert deferrals.switch_off("hunter", actor="ann", reason="odd answers")
    assert not deferrals.switch_off("hunter", actor="bob"), "it was off already"
    one.submit()
    one.orchestrator.run_hop("c1")
    assert called == []
    assert one.reports.show("c1")["reason"] == "circuit_open: hunter: is switched off by hand"
    assert [(s.provider, s.by, s.reason) for s in deferrals.switches()] == [("hunter", "ann", "odd answers")]

    assert deferrals.switch_on("hunter", actor="ann")
    assert deferrals.switches() == []
    due_now(one)
    assert deferrals.tick() == 1
    one.orchestrator.run_hop("c1")
    assert one.reports.show("c1")["status"] == "completed"
    told = [(e.kind, e.actor) for e in deferrals.history()]
    assert told == [("provider_switched_on", "ann"), ("provider_switched_off", "ann")]


# --- limits and units of several calls --------------------------------------------------------------------------------


@pytest.mark.parametrize("requests", [2, 4])
def test_units_of_several_calls_get_through_a_tight_limit(
    bench: Callable[..., Harness], redis_url: str, requests: int
) -> None:
    """Each attempt makes its calls again: it must not be sent back after the first one for ever."""
    made: list[float] = []

    def trouble(unit: Unit, ctx: UnitContext) -> IntegrationError | None:
        for _ in range(3):
            ctx.call("hunter", lambda timeout: made.append(time.monotonic()))
        return None

    one = bench(trouble, stages=(4,), placement="local")
    limits = {"hunter": Limit(requests, 0.25)}
    desk = Admission(redis_url, breaker=Breaker(), limits=limits)
    resources = one.orchestrator.resources
    guard = CallGuard(resources.settings, desk)
    one.orchestrator = replace(one.orchestrator, resources=replace(resources, guard=guard))
    one.submit(content_required=False)  # one hop
    deadline = time.monotonic() + 60
    while one.orchestrator.run_hop("c1") != "completed":
        assert time.monotonic() < deadline, one.reports.units("c1")
        stack.wait_until(
            lambda: one.database.rows(
                "SELECT count(*) FROM marketing.units u JOIN marketing.campaigns c USING (campaign_id, step, stage) "
                "WHERE u.due_at IS NULL OR u.due_at <= clock_timestamp()"
            )[0][0],
            timeout=20,
        )
    desk.close()
    assert 4 * 3 <= len(made) <= 2 * 4 * 3, "calls were made again and again"
    for n, at in enumerate(made[requests:]):
        assert at - made[n] > 0.25 - 0.1, "more than the limit allows"
