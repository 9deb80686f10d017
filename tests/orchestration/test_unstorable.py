"""What can't be stored ends as a failed result with its cost booked; nothing stays running."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest
from orchestrator_harness import Harness
from toys import Toy, echo, toys

from agents.base import BaseAgent
from agents.names import CONTENT_CREATION, LEAD_GENERATION
from agents.ports import UnitContext
from agents.state import MarketingAgentState
from agents.unit import StageResult, Unit
from integrations.errors import TransientError
from integrations.usage import MAX_TOKENS, Usage
from orchestration.ledger import database
from orchestration.ledger.database import Database, UnstorableError, encode

LIES = Usage(
    provider="open\0ai", model="\ud800" + "m" * 1000, input_tokens=10**20, output_tokens=-5, cost=Decimal("NaN")
)
PAID = Usage(provider="openai", model="m", input_tokens=10, output_tokens=5, cost=Decimal("0.25"))


@pytest.fixture
def bench(database_url: str) -> Iterator[Callable[..., Harness]]:
    made: list[Harness] = []

    def make(**options: Any) -> Harness:
        made.append(Harness(database_url, options.pop("agents"), **options))
        return made[-1]

    yield make
    for one in made:
        one.close()


def _deep() -> list[Any]:
    found: list[Any] = []
    for _ in range(2000):
        found = [found]
    return found


UNSTORABLE: Sequence[Any] = ("a\0b", "\ud800", {"\0": 1}, _deep(), "x" * 5000)


def _run(one: Harness) -> list[tuple[str, str, Any, Decimal]]:
    """Run the campaign to its end, and return (step, key, status, code, cost) of its units."""
    one.submit()
    one.orchestrator.run_hop("c1")
    one.deliver()
    rows = one.database.rows(
        "SELECT step || ':' || key, status, error ->> 'code', cost FROM marketing.units ORDER BY step, stage, ordinal"
    )
    assert not [row for row in rows if row[1] not in ("succeeded", "failed")]
    return [(str(row[0]), str(row[1]), row[2], row[3]) for row in rows]


@pytest.mark.parametrize("placement", ["local", "chord"])
def test_a_result_that_cant_be_stored_is_a_failed_one(
    bench: Callable[..., Harness], monkeypatch: pytest.MonkeyPatch, placement: str
) -> None:
    monkeypatch.setattr(database, "MAX_JSON", 4000)
    said = dict(zip(("u1", "u2", "u3", "u4", "u5"), UNSTORABLE, strict=True))

    def body(unit: Unit, ctx: UnitContext) -> Mapping[str, Any]:
        ctx.journal("answer", "fine", PAID)
        return {"value": 1, "said": said[unit.key]} if unit.key in said else {"value": unit.input["value"]}

    agents = toys(stages=(1,))
    agents[LEAD_GENERATION] = Toy(LEAD_GENERATION, (7,), body)
    one = bench(agents=agents, placement=placement)
    found = _run(one)[:7]
    assert [(status, code) for _, status, code, _ in found] == [
        ("succeeded", None),
        *[("failed", "invalid_result")] * 5,
        ("succeeded", None),
    ]
    assert {cost for *_, cost in found} == {Decimal("0.25")}
    shown = one.reports.show("c1")
    assert shown["status"] == "completed"
    assert [lead["lead_id"] for lead in shown["state"]["leads"]] == ["0-0", "1-6"]


def test_an_answer_that_cant_be_journalled_is_paid_for(bench: Callable[..., Harness]) -> None:
    def body(unit: Unit, ctx: UnitContext) -> Mapping[str, Any]:
        if unit.key == "u0":
            ctx.journal("answer", "a\0b", PAID)
        elif unit.key == "u1":
            ctx.journal("answer", "fine", LIES)
        elif not ctx.journaled("tried"):
            ctx.journal("tried", True)
            raise TransientError("web", "a\0b\ud800", detail="c\0" + "d" * 1000, retry_after=float("inf"))
        return {"value": 1}

    agents = toys(stages=(1,))
    agents[LEAD_GENERATION] = Toy(LEAD_GENERATION, (3,), body)
    one = bench(agents=agents)
    one.submit()
    one.orchestrator.run_hop("c1")
    columns = "status, error ->> 'code', error ->> 'message', cost, input_tokens, output_tokens, unpriced_tokens"
    (paid, measured, told) = one.database.rows(f"SELECT {columns} FROM marketing.units WHERE step = 0 ORDER BY ordinal")
    assert paid[:2] == ("failed", "invalid_result")
    assert paid[3:] == (Decimal("0.25"), 10, 5, 0)
    assert measured == ("succeeded", None, None, Decimal(0), MAX_TOKENS, 0, MAX_TOKENS)
    assert told[:3] == ("pending", "transient", "ab")


class Garbled(Toy):
    """An agent that makes what can't be stored of good results."""

    def update_state(
        self, state: MarketingAgentState, result: Sequence[StageResult], now: datetime
    ) -> MarketingAgentState:
        return state.evolve(target_audience=state.target_audience.model_copy(update={"description": "a\0b"}))


def test_a_state_that_cant_be_stored_ends_its_campaign_visibly(bench: Callable[..., Harness]) -> None:
    agents: dict[str, BaseAgent] = toys(stages=(1,))
    agents[CONTENT_CREATION] = Garbled(CONTENT_CREATION, (2,), echo)
    one = bench(agents=agents)
    found = _run(one)
    assert {status for _, status, *_ in found} == {"succeeded"}
    shown = one.reports.show("c1")
    assert (shown["status"], shown["state"]["errors"][-1]["code"]) == ("failed", "invalid_result")
    assert "can't be stored" in str(shown["reason"])
    assert shown["route"] == [LEAD_GENERATION, CONTENT_CREATION]


def test_the_database_tells_a_value_from_a_statement(database_url: str) -> None:
    one = Database(database_url, pool_size=1)
    try:
        for sql, value in (
            ("SELECT %s::jsonb", '"\\u0000"'),
            ("SELECT %s", "a\0b"),
            ("SELECT %s", "\ud800"),
            ("SELECT %s::bigint", 10**20),
            ("SELECT %s::date", "soon"),
            ("INSERT INTO marketing.refusals (idempotency_key, problems) SELECT string_agg(md5(n::text), ''), '[]' "
             "FROM generate_series(1, %s) AS n", 3000),
        ):  # fmt: skip
            with pytest.raises(UnstorableError) as caught:
                one.rows(sql, value)
            assert "soon" not in str(caught.value)
        with pytest.raises(UnstorableError):
            one.transaction(lambda work: work.run("SELECT %s", "a\0b"))
        assert one.value("SELECT 1") == 1
    finally:
        one.close()


def test_what_cant_be_json_is_told_from_a_defect() -> None:
    with pytest.raises(ValueError, match="unknown type") as caught:
        encode({"a": object()})
    assert not isinstance(caught.value, UnstorableError)
