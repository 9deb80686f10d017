"""Model money: what is reserved, settled and given back, by the word and against a small model."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from orchestrator_harness import Harness
from spend_bench import MODEL, TODAY, a_day_passes, bound, checked, claim, journal, ledger, today, total, usage, verbs
from toys import toys

from integrations.errors import (
    BadRequestError,
    IntegrationError,
    NotNowError,
    OutcomeUnknownError,
    OverBudgetError,
    RateLimitedError,
    TransientError,
)
from integrations.llm.prices import Price
from integrations.retry import MAX_DELAY_S
from orchestration.control.limits import change_limits
from orchestration.reports.campaigns import CampaignNotFoundError
from orchestration.reports.spend import campaign_spend
from orchestration.spend.models import SOON_S, may_have_cost


@pytest.fixture
def bench(database_url: str) -> Iterator[Harness]:
    made = Harness(database_url, toys(stages=(3,)))
    yield made
    made.close()


def test_a_call_without_a_cap_is_held_and_counted_and_a_cap_that_is_set_holds_at_once(bench: Harness) -> None:
    bench.submit()
    spend = ledger(bench)
    spend.reserve(claim(), "openai", bound("5"))
    assert total(bench) == (5, 0)
    journal(bench, claim(), "answer", {"text": "a"}, usage("0.25"))
    assert total(bench) == (0, Decimal("0.25"))
    assert today(bench) == (0, Decimal("0.25"))
    assert bench.database.rows("SELECT cost, model FROM marketing.units WHERE campaign_id = 'c1' AND key = 'u0'") == [
        (Decimal("0.25"), MODEL)
    ]
    assert change_limits(verbs(bench), "c1", actor="ann", llm="1") == "queued"
    with pytest.raises(OverBudgetError):
        spend.reserve(claim("u1"), "openai", bound("5"))


def test_reserve_settle_release(bench: Harness) -> None:
    bench.submit(limits={"llm": "1.00"})
    spend = ledger(bench)
    spend.reserve(claim(), "openai", bound("0.60"))
    with pytest.raises(OverBudgetError) as caught:
        spend.reserve(claim("u1"), "openai", bound("0.50"))
    assert (caught.value.detail, caught.value.provider, caught.value.retry_after) == ("limits.llm", "openai", SOON_S)
    assert str(caught.value) == (
        "openai: limits.llm of 1.00 USD has 0.40 left, the call may cost 0.50: "
        "raise it with `campaigns limits c1 --llm X` [limits.llm]"
    )
    assert spend.with_room(["c1"]) == frozenset()
    journal(bench, claim(), "answer", {"text": "a"}, usage("0.20"))
    assert total(bench) == (0, Decimal("0.20"))
    assert spend.with_room(["c1", "c2"]) == {"c1"}
    spend.reserve(claim("u1"), "openai", bound("0.50"))
    assert spend.with_room(["c1"]) == frozenset()
    assert spend.release(claim("u1"), "answer")
    assert not spend.release(claim("u1"), "answer")
    assert total(bench) == (0, Decimal("0.20"))
    assert checked(bench.database) == Decimal("0.20")


def test_an_attempt_takes_over_its_own_hold_and_a_late_release_leaves_that_of_another(bench: Harness) -> None:
    bench.submit(limits={"llm": "1.00"})
    spend = ledger(bench)
    spend.reserve(claim(claims=2), "openai", bound("0.90"))
    spend.reserve(claim(claims=2), "openai", bound("0.95"))
    spend.reserve(claim(claims=2), "openai", bound("0.90"))
    with pytest.raises(OverBudgetError):
        spend.reserve(claim(claims=2), "openai", bound("1.01"))
    assert total(bench) == (Decimal("0.90"), 0)
    assert not spend.release(claim(claims=1), "answer")
    assert total(bench) == (Decimal("0.90"), 0)
    assert spend.release(claim(claims=2), "answer")
    assert checked(bench.database) == 0


def test_the_call_of_an_attempt_that_died_counts_at_its_bound_once(bench: Harness) -> None:
    bench.submit(limits={"llm": "1.00"})
    spend = ledger(bench)
    spend.reserve(claim(claims=1), "openai", bound("0.40"))
    # The unit is claimed anew: what the dead attempt may have paid is counted, and the new call is held beside it.
    spend.reserve(claim(claims=2), "openai", bound("0.50"))
    assert total(bench) == (Decimal("0.50"), Decimal("0.40"))
    # The dead one was merely late. What it has cost is in its bound; the hold of the other attempt is left alone.
    journal(bench, claim(claims=1), "answer", {"text": "late"}, usage("0.10"))
    assert not spend.settle(claim(claims=1), "answer", usage("0.10"))
    assert total(bench) == (Decimal("0.50"), Decimal("0.40"))
    journal(bench, claim(claims=2), "answer", {"text": "a"}, usage("0.20"))
    assert total(bench) == (0, Decimal("0.60"))
    assert bench.database.rows("SELECT cost FROM marketing.units WHERE key = 'u0'") == [(Decimal("0.60"),)]
    with pytest.raises(OverBudgetError):
        spend.reserve(claim("u1"), "openai", bound("0.41"))
    assert checked(bench.database) == Decimal("0.60")


def test_the_reconciling_tick_counts_calls_whose_attempt_is_over(bench: Harness) -> None:
    bench.submit(limits={"llm": "1.00"})
    bench.submit("c2", limits={"llm": "1.00"})
    spend = ledger(bench)
    first, second, third = bench.ledger.take("c1", 0, 0, 3)
    for one in (first, second, third):
        spend.reserve(one, "openai", bound("0.10"))
    spend.reserve(claim(campaign="c2"), "openai", bound("0.30"))
    journal(bench, first, "answer", {"text": "a"}, usage("0.01"))
    error = TransientError("openai", "hung up", detail="connection").to_dict()
    bench.ledger.give_back(second, status="pending", delay_s=60, error=error, attempt=True)
    for _ in range(2):
        bench.ledger.reconcile()
        # The third is at work; the unit of c2 is not, and its campaign needn't be unfinished.
        assert total(bench) == (Decimal("0.10"), Decimal("0.11"))
        assert total(bench, "campaign:c2") == (0, Decimal("0.30"))
    assert checked(bench.database) == Decimal("0.21")


def test_settling_twice_counts_once(bench: Harness) -> None:
    bench.submit(limits={"llm": "1.00"})
    spend = ledger(bench)
    spend.reserve(claim(), "openai", bound("0.50"))
    assert spend.settle(claim(), "answer", usage("0.10"))
    assert not spend.settle(claim(), "answer", usage("0.30"))
    assert total(bench) == (0, Decimal("0.10"))
    assert spend.settle(claim("u1"), "answer", usage("0.05"))  # nobody asked before
    assert not spend.settle(claim("u1"), "answer", usage("0.05"))
    assert checked(bench.database) == Decimal("0.15")


def test_a_repeated_statement_of_the_journal_counts_once_and_a_second_payment_twice(bench: Harness) -> None:
    bench.submit(limits={"llm": "1.00"})
    ledger(bench).reserve(claim(), "openai", bound("0.50"))
    for _ in range(2):
        journal(bench, claim(), "answer", {"text": "a"}, usage("0.10"))
    assert total(bench) == (0, Decimal("0.10"))
    # Two attempts that knew nothing of each other both asked and both paid: the truth is the sum.
    journal(bench, claim(), "answer", {"text": "b"}, usage("0.10"))
    assert checked(bench.database) == Decimal("0.20")
    journal(bench, claim(), "note", 1, None)  # what costs nothing leaves no row
    assert bench.database.rows("SELECT entry, calls FROM marketing.spend") == [("answer", 2)]
    assert bench.database.rows("SELECT journal, cost FROM marketing.units WHERE key = 'u0'") == [
        ({"answer": {"text": "b"}, "note": 1}, Decimal("0.20"))
    ]


def test_an_unknown_price_is_refused_under_a_cap_and_shown_as_tokens(bench: Harness) -> None:
    bench.submit()
    bench.submit("c2", limits={"llm": "1.00"})
    spend = ledger(bench)
    spend.reserve(claim(), "openai", bound(None, model="llama"))
    with pytest.raises(OverBudgetError) as caught:
        spend.reserve(claim(campaign="c2"), "openai", bound(None, model="llama"))
    assert (caught.value.detail, caught.value.retry_after) == ("unknown_price", MAX_DELAY_S)
    assert "LLM_PRICES=llama=" in str(caught.value)
    assert spend.with_room(["c2"]) == frozenset()
    priced = ledger(bench, llm_prices={"llama": Price(Decimal(1), Decimal(1), Decimal(1))})
    assert priced.with_room(["c2"]) == {"c2"}
    with pytest.raises(OverBudgetError):
        ledger(bench, llm_daily_cap=Decimal(1)).reserve(claim(), "openai", bound(None))
    journal(bench, claim(), "answer", {"text": "a"}, usage(None, tokens=30, model="llama"))
    (row,) = campaign_spend(bench.database, "c1")["llm"]
    assert (row["settled"], row["unpriced_tokens"], row["model"]) == ("0.00", 60, "llama")
    # A hold whose call turned out to have no price keeps its place under the cap.
    spend.reserve(claim(campaign="c2"), "openai", bound("0.30"))
    journal(bench, claim(), "answer", {"text": "a"}, usage(None), campaign="c2")
    assert total(bench, "campaign:c2") == (Decimal("0.30"), 0)


def test_the_day_of_the_fleet_has_a_cap_and_ends(bench: Harness) -> None:
    for campaign_id in ("c1", "c2"):
        bench.submit(campaign_id)
    spend = ledger(bench, llm_daily_cap=Decimal("1.00"))
    spend.reserve(claim(), "openai", bound("0.70"))
    with pytest.raises(OverBudgetError) as caught:
        spend.reserve(claim(campaign="c2"), "openai", bound("0.40"))
    assert caught.value.detail == "DAILY_CAP_LLM"
    assert caught.value.retry_after == SOON_S  # it would fit if the other call were not under way
    with pytest.raises(OverBudgetError) as caught:
        spend.reserve(claim(campaign="c2"), "openai", bound("1.10"))
    assert 0 < (caught.value.retry_after or 0) <= 86_400
    with pytest.raises(OverBudgetError):
        spend.reserve(claim(campaign="c2"), "openai", bound("0.40"))
    assert spend.with_room(["c2"]) == frozenset()
    a_day_passes(bench)
    assert spend.with_room(["c2"]) == {"c2"}
    spend.reserve(claim(campaign="c2"), "openai", bound("0.40"))
    # The call of yesterday that died is tried again today: it counts yesterday, and the new one needs room today.
    with pytest.raises(OverBudgetError):
        spend.reserve(claim(claims=2), "openai", bound("0.70"))
    assert total(bench) == (0, Decimal("0.70"))
    journal(bench, claim(), "answer", {"text": "a"}, usage("0.10"), campaign="c2")
    spend.reserve(claim(claims=2), "openai", bound("0.70"))
    assert today(bench) == (Decimal("0.70"), Decimal("0.10"))
    assert bench.database.rows(
        f"SELECT held, settled FROM marketing.spend_totals WHERE scope = 'day:sandbox:' || ({TODAY} - 1)"
    ) == [(0, Decimal("0.70"))]
    assert checked(bench.database) == Decimal("1.40")


def test_currencies_never_meet(bench: Harness) -> None:
    bench.submit(limits={"llm": "1.00"})
    spend = ledger(bench)
    spend.reserve(claim(), "openai", bound("0.90"))
    spend.settle(claim("u1"), "answer", replace(usage("7.00"), currency="EUR"))
    spend.reserve(claim("u2"), "openai", bound("0.10"))
    assert campaign_spend(bench.database, "c1")["totals"]["llm"] == {
        "EUR": {"settled": "7.00", "held": "0.00"},
        "USD": {"settled": "0.00", "held": "1.00"},
    }


@pytest.mark.parametrize(
    ("error", "costs"),
    [
        (BadRequestError("openai", "no"), False),
        (RateLimitedError("openai", "slower", detail="429"), False),
        (NotNowError("openai", "later"), False),
        (TransientError("openai", "failed", detail="503"), False),
        (TransientError("openai", "failed", detail="service_unavailable"), False),
        (TransientError("openai", "refused the connection", detail="unreachable"), False),
        (TransientError("openai", "late", detail="timeout"), True),
        (TransientError("openai", "hung up", detail="connection"), True),
        (OutcomeUnknownError("openai", "who knows"), True),
        (IntegrationError("openai", "?"), True),
    ],
)
def test_a_call_that_failed_gives_its_hold_back_unless_it_may_have_cost(
    bench: Harness, error: IntegrationError, costs: bool
) -> None:
    bench.submit(limits={"llm": "1.00"})

    def fail() -> None:
        with ledger(bench).reserved(claim(), "openai", bound("0.50")):
            raise error

    with pytest.raises(IntegrationError):
        fail()
    assert may_have_cost(error) is costs
    assert total(bench) == (Decimal("0.50") if costs else 0, 0)


def test_a_call_that_is_made_is_held_meanwhile_and_a_free_one_is_not(bench: Harness) -> None:
    bench.submit(limits={"llm": "1.00"})
    with ledger(bench).reserved(claim(), "openai", bound("0.50")):
        assert total(bench) == (Decimal("0.50"), 0)
        journal(bench, claim(), "answer", {"text": "a"}, usage("0.01"))
    assert total(bench) == (0, Decimal("0.01"))
    with ledger(bench).reserved(claim("u1"), "openai", None):
        assert total(bench) == (0, Decimal("0.01"))


@dataclass
class Row:
    """What the model knows of one call."""

    held: Decimal = Decimal(0)
    settled: Decimal = Decimal(0)
    claim: int | None = None
    presumed: int | None = None
    calls: int = 0
    today: bool = True


class Model:
    """The ledger as it should be, in a few lines."""

    def __init__(self, cap: Decimal, day_cap: Decimal | None) -> None:
        self.cap, self.day_cap = cap, day_cap
        self.rows: dict[str, Row] = {}

    def taken(self, *, today: bool = False) -> Decimal:
        return sum((r.held + r.settled for r in self.rows.values() if r.today or not today), Decimal(0))

    def reserve(self, key: str, amount: Decimal, claim: int) -> bool:
        row = self.rows.setdefault(key, Row())
        if row.claim is not None and row.claim != claim:  # that one died
            self.rows[f"{key}.lost.{row.claim}.{len(self.rows)}"] = Row(settled=row.held, today=row.today)
            row.held, row.presumed, row.claim = Decimal(0), row.claim, None
        after = self.taken() - row.held + amount
        day_after = self.taken(today=True) - (row.held if row.today else -row.settled) + amount
        fits = after <= self.cap and (self.day_cap is None or day_after <= self.day_cap)
        if not (fits or (amount <= row.held and row.today)):
            return False
        row.held, row.claim, row.today = amount, claim, True
        return True

    def settle(self, key: str, cost: Decimal, claim: int) -> bool:
        row = self.rows.setdefault(key, Row())
        if (row.presumed == claim != row.claim) or (row.claim is None and row.calls):
            return False
        if row.claim in (None, claim):
            row.held, row.claim = Decimal(0), None
        row.settled, row.calls = row.settled + cost, row.calls + 1
        return True

    def release(self, key: str, claim: int) -> bool:
        row = self.rows.get(key)
        if row is None or row.claim != claim:
            return False
        row.held, row.claim = Decimal(0), None
        return True


KEYS = st.sampled_from(["u0", "u1", "u2"])
CENTS = st.integers(0, 60).map(lambda cents: Decimal(cents) / 100)
CLAIMS = st.integers(1, 2)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("reserve"), KEYS, CENTS, CLAIMS),
        st.tuples(st.just("settle"), KEYS, CENTS, CLAIMS),
        st.tuples(st.just("release"), KEYS, CENTS, CLAIMS),
        st.tuples(st.just("day"), KEYS, CENTS, CLAIMS),
    ),
    max_size=14,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS, day_cap=st.sampled_from([None, Decimal("0.70")]))
def test_the_ledger_does_what_a_small_model_does(bench: Harness, steps: list[Any], day_cap: Decimal | None) -> None:
    with suppress(CampaignNotFoundError):
        bench.reports.status("c1")
        bench.database.run("DELETE FROM marketing.campaigns")
    bench.database.run("DELETE FROM marketing.spend; DELETE FROM marketing.spend_totals")
    bench.submit(limits={"llm": "1.00"})
    spend, model = ledger(bench, llm_daily_cap=day_cap), Model(Decimal("1.00"), day_cap)
    for what, key, amount, claims in steps:
        mine = claim(key, claims)
        match what:
            case "reserve":
                try:
                    spend.reserve(mine, "openai", bound(str(amount)))
                    granted = True
                except OverBudgetError:
                    granted = False
                assert granted == model.reserve(key, amount, claims)
            case "settle":
                assert spend.settle(mine, "answer", usage(str(amount))) == model.settle(key, amount, claims)
            case "release":
                assert spend.release(mine, "answer") == model.release(key, claims)
            case "day":
                a_day_passes(bench)
                for row in model.rows.values():
                    row.today = False
        assert checked(bench.database) == model.taken()
        assert sum(today(bench)) == model.taken(today=True)
