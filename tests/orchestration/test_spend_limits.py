"""Spend caps are changed while campaigns run, and people are told what is spent and what is left."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from orchestrator_harness import Harness
from spend_bench import MODEL, a_day_passes, bound, checked, claim, journal, ledger, usage, verbs
from toys import toys

from agents.config_problems import ConfigError
from integrations.errors import OverBudgetError
from integrations.settings import Settings
from orchestration.control.limits import change_limits
from orchestration.control.verbs import VerbRefusedError
from orchestration.reports.campaigns import CampaignNotFoundError
from orchestration.reports.spend import campaign_spend, fleet_spend
from orchestration.spend.models import amount_text, until_midnight


@pytest.fixture
def bench(database_url: str) -> Iterator[Harness]:
    made = Harness(database_url, toys(stages=(3,)))
    yield made
    made.close()


def test_limits_are_changed_with_an_event_and_the_waiting_campaign_looks_again(bench: Harness) -> None:
    bench.submit(limits={"llm": "0.10"})
    claimed = bench.ledger.take("c1", 0, 0, 3)
    with pytest.raises(OverBudgetError) as caught:
        ledger(bench).reserve(claimed[0], "openai", bound("0.50"))
    for one in claimed:
        error = {**caught.value.to_dict(), "wait": "budget"}
        bench.ledger.give_back(one, status="pending", delay_s=900, error=error, attempt=False)
    assert bench.reports.status("c1")[0] == "waiting"
    assert bench.ledger.due("c1", 0, 0) == 0
    revision = bench.reports.row("c1").revision
    assert change_limits(verbs(bench), "c1", actor="ann", llm=2) == "waiting"
    assert bench.ledger.due("c1", 0, 0) == 3
    assert bench.database.rows("SELECT due_at <= clock_timestamp(), revision FROM marketing.campaigns") == [
        (True, revision + 1)
    ]
    assert bench.reports.row("c1").state.campaign_config.limits.llm == 2
    changed = bench.reports.events("c1")[-1]
    assert (changed.kind, changed.actor, changed.data["llm"]) == ("limits_changed", "ann", "2 (was 0.10)")
    assert (changed.data["old"]["llm"], changed.data["new"]["llm"]) == ("0.10", "2")
    ledger(bench).reserve(claimed[0], "openai", bound("0.50"))
    change_limits(verbs(bench), "c1", actor="ann", llm="2.00")  # what already is so changes nothing
    assert bench.reports.events("c1")[-1].id == changed.id


def test_limits_that_can_not_be(bench: Harness) -> None:
    bench.submit(limits={"llm": "1.00"}, budget=100, currency="EUR")
    ledger(bench).reserve(claim(), "openai", bound("0.50"))
    journal(bench, claim("u1"), "answer", 1, usage("0.10"))
    told = verbs(bench)
    with pytest.raises(VerbRefusedError, match=r"limits\.llm can't go below the 0\.60 USD that is spent and held"):
        change_limits(told, "c1", actor="ann", llm="0.59")
    assert change_limits(told, "c1", actor="ann", llm="0.60") == "queued"
    for keys, said in (
        ({"llm": "-1"}, "limits.llm='-1'"),
        ({"llm": "much"}, "limits.llm='much'"),
        ({"llm": "NaN"}, "limits.llm='NaN'"),
    ):
        with pytest.raises(ConfigError) as caught:
            change_limits(told, "c1", actor="ann", **keys)
        assert said in str(caught.value)
    with pytest.raises(VerbRefusedError, match="say which limit"):
        change_limits(told, "c1", actor="ann")
    with pytest.raises(CampaignNotFoundError):
        change_limits(told, "nobody", actor="ann", llm=1)
    bench.database.run("UPDATE marketing.campaigns SET status = 'completed'")
    with pytest.raises(VerbRefusedError, match="is completed and has ended: its limits can't be changed"):
        change_limits(told, "c1", actor="ann", llm=5)
    assert bench.reports.row("c1").state.campaign_config.limits.llm == Decimal("0.60")


def test_lowering_a_limit_and_reserving_at_once_keep_the_cap(bench: Harness) -> None:
    bench.submit(limits={"llm": "1.00"})

    def reserve(number: int) -> bool:
        with suppress(OverBudgetError):
            ledger(bench).reserve(claim(f"u{number}"), "openai", bound("0.05"))
            return True
        return False

    def lower(cents: int) -> bool:
        with suppress(VerbRefusedError):
            change_limits(verbs(bench), "c1", actor="ann", llm=str(Decimal(cents) / 100))
            return True
        return False

    with ThreadPoolExecutor(8) as pool:
        steps = [(pool.submit(reserve, at), pool.submit(lower, 95 - 5 * at)) for at in range(18)]
        granted, lowered = zip(*((one.result(), other.result()) for one, other in steps), strict=True)
    assert any(granted)
    assert any(lowered)
    cap = bench.reports.row("c1").state.campaign_config.limits.llm
    assert cap is not None
    assert checked(bench.database) <= cap < 1


def test_the_report_has_agents_providers_models_and_what_is_left(bench: Harness) -> None:
    bench.submit(limits={"llm": "1.00"})
    bench.submit("c2")
    spend = ledger(bench)
    spend.reserve(claim(), "openai", bound("0.40"))
    journal(bench, claim("u1"), "answer", 1, usage("0.01"))
    journal(bench, claim("u1"), "answer.1", 1, usage("0.02"))
    journal(bench, claim(), "answer", 1, usage(None, tokens=3, model="llama"), campaign="c2")
    found = campaign_spend(bench.database, "c1")
    assert found["llm"] == [
        {
            "agent": "lead_generation", "provider": "openai", "model": MODEL, "currency": "USD", "settled": "0.03",
            "held": "0.40", "calls": 2, "input_tokens": 20, "output_tokens": 20, "unpriced_tokens": 0,
        }
    ]  # fmt: skip
    assert found["tokens"] == {"input": 20, "output": 20, "unpriced": 0}
    assert found["limits"] == [
        {"limit": "limits.llm", "currency": "USD", "cap": "1.00", "taken": "0.43", "left": "0.57"}
    ]
    a_day_passes(bench)
    journal(bench, claim("u2"), "answer", 1, usage("0.05"))
    fleet = fleet_spend(bench.database, Settings.from_env({}).model_copy(update={"llm_daily_cap": Decimal("0.50")}))
    assert [(row["model"], row["settled"]) for row in fleet["today"]["llm"]] == [(MODEL, "0.05")]
    assert [(row["model"], row["settled"]) for row in fleet["total"]["llm"]] == [("llama", "0.00"), (MODEL, "0.08")]
    assert fleet["total"]["tokens"]["unpriced"] == 6
    assert fleet["caps"] == [
        {"limit": "DAILY_CAP_LLM", "currency": "USD", "cap": "0.50", "taken": "0.05", "left": "0.45"}
    ]
    with pytest.raises(CampaignNotFoundError):
        campaign_spend(bench.database, "nobody")


def test_amounts_as_text() -> None:
    assert [amount_text(Decimal(text)) for text in ("0", "1", "100", "0.5", "0.000041", "1E+3", "2.50000")] == [
        "0.00", "1.00", "100.00", "0.50", "0.000041", "1000.00", "2.50"
    ]  # fmt: skip
    assert until_midnight(datetime(2026, 1, 31, 23, 59, tzinfo=UTC)) == 60
    assert until_midnight(datetime(2026, 1, 31, tzinfo=UTC)) == timedelta(days=1).total_seconds()
