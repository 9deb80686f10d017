"""The orchestrator over a real ledger: placements end alike, duplicates and losses do no harm."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from threading import Lock
from typing import Any

import pytest
from orchestrator_harness import Harness, MemoryBroker
from toys import echo, toys

from agents.config import CampaignConfig
from agents.ports import UnitContext
from agents.unit import Unit
from integrations.errors import BadRequestError, NotNowError, TransientError
from integrations.usage import Usage
from orchestration.control.submission import prepare
from orchestration.execution.reconcile import lost, reconcile
from orchestration.ledger.ledger import Idle


@pytest.fixture
def bench(database_url: str) -> Iterator[Callable[..., Harness]]:
    made: list[Harness] = []

    def make(**options: Any) -> Harness:
        made.append(Harness(database_url, options.pop("agents", None) or toys(), **options))
        return made[-1]

    yield make
    for one in made:
        one.close()


class Counting:
    """A body that counts how often each unit ran."""

    def __init__(self) -> None:
        self.runs: Counter[str] = Counter()
        self._lock = Lock()

    def __call__(self, unit: Unit, ctx: UnitContext) -> Mapping[str, Any]:
        with self._lock:
            self.runs[f"{ctx.campaign_id}/{unit.effect_key or unit.key}"] += 1
        return echo(unit, ctx)


@pytest.mark.parametrize("placement", ["local", "chord", "auto"])
def test_placements_end_alike(bench: Callable[..., Harness], placement: str) -> None:
    body = Counting()
    one = bench(agents=toys(stages=(12, 1, 3), body=body), placement=placement)
    one.submit()
    one.orchestrator.run_hop("c1")
    one.deliver()
    shown = one.reports.show("c1")
    assert shown["status"] == "completed"
    assert shown["route"] == ["lead_generation", "content_creation", "ad_management", "analytics"]
    assert shown["units"] == {"succeeded": 4 * 16}
    assert [lead["lead_id"] for lead in shown["state"]["leads"]] == [
        f"{n}-{value}" for n, value in enumerate([*range(12), 0, 0, 1, 2])
    ]
    assert any(kind == "advance" for kind, *_ in one.broker.sent) == (placement != "local")


def test_the_loop_runs_three_times_at_most(bench: Callable[..., Harness]) -> None:
    one = bench(agents=toys(stages=(1,), scores=(0.1, 0.2, 0.3, 0.4, 0.9)))
    one.submit()
    one.orchestrator.run_hop("c1")
    shown = one.reports.show("c1")
    assert shown["state"]["optimization_attempts"] == 3
    assert shown["route"][1:] == ["content_creation", "ad_management", "analytics"] * 4
    assert shown["step"] == 12


def test_one_message_carries_a_local_campaign_to_its_end(bench: Callable[..., Harness]) -> None:
    one = bench()
    one.submit()
    assert one.orchestrator.run_hop("c1", "lead_generation") == "completed"
    assert one.broker.sent == []


def test_a_worker_of_one_queue_hands_on(bench: Callable[..., Harness]) -> None:
    one = bench()
    one.orchestrator = type(one.orchestrator)(
        **{
            name: getattr(one.orchestrator, name)
            for name in ("ledger", "agents", "resources", "wakeups", "slots", "placement", "observer")
        },
        serves=lambda agent: agent == "lead_generation",
    )
    one.submit()
    assert one.orchestrator.run_hop("c1", "lead_generation") == "handed on"
    assert one.broker.sent == [("hop", "c1", "content_creation")]
    assert one.reports.units("c1") == {"pending": 3, "succeeded": 4}


def test_a_late_wake_up_of_an_earlier_hop_does_nothing(bench: Callable[..., Harness]) -> None:
    one = bench()
    one.submit()
    one.orchestrator.run_hop("c1")
    assert one.orchestrator.run_hop("c1", "lead_generation") == "not at work"
    assert one.orchestrator.advance("c1", 0, 0) is False
    assert one.orchestrator.run_slot("c1", 0, 0) is False


def test_many_workers_and_duplicates_run_each_unit_once(bench: Callable[..., Harness], database_url: str) -> None:
    body = Counting()
    agents = toys(stages=(10, 2), body=body)
    broker = MemoryBroker()
    crew = [bench(agents=agents, worker=f"w{n}", placement="chord", broker=broker) for n in range(4)]
    for n in range(5):
        crew[0].submit(f"c{n}")
        for _ in range(2):  # every first message twice
            broker.hop(f"c{n}", "lead_generation", 0)

    def work(one: Harness) -> None:
        while True:
            try:
                one.deliver(1)
            except IndexError:  # another thread took the message between the look and the take
                continue
            if not broker.queue:
                return

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, crew))
    crew[0].deliver()
    statuses = {c.campaign_id: c.status for c in crew[0].reports.campaigns()}
    assert statuses == {f"c{n}": "completed" for n in range(5)}
    rows = crew[0].database.rows("SELECT sum(claims), count(*) FROM marketing.units")
    assert rows == [(5 * 48, 5 * 48)]
    assert sum(body.runs.values()) == 5 * 48


def test_a_transient_error_is_retried_and_a_permanent_one_is_a_result(
    bench: Callable[..., Harness], wait_until: Callable[..., Any]
) -> None:
    calls: Counter[str] = Counter()

    def body(unit: Unit, ctx: UnitContext) -> Mapping[str, Any]:
        calls[unit.key] += 1
        if unit.key == "u0" and calls["u0"] == 1:
            raise TransientError("toy", "was down", retry_after=0.2)
        if unit.key == "u1":
            raise BadRequestError("toy", "refused us")
        return echo(unit, ctx)

    agents = toys(stages=(3,), body=body)
    for name in ("content_creation", "ad_management", "analytics"):
        agents[name] = toys(stages=(1,))[name]
    one = bench(agents=agents)
    one.submit()
    assert one.orchestrator.run_hop("c1") == "waits for units"
    assert one.deliver() == 1  # the wake-up came early here: nothing is due yet
    wait_until(lambda: one.orchestrator.run_hop("c1") == "completed", message="the retry")
    shown = one.reports.show("c1")
    assert (calls["u0"], calls["u1"]) == (2, 1)
    assert [(e["unit"], e["code"]) for e in shown["state"]["errors"]] == [("u1", "bad_request")]
    retries = [e.data["unit"] for e in one.reports.events("c1") if e.kind == "unit_retry"]
    assert retries == ["u0"]
    assert one.database.rows("SELECT attempts, claims FROM marketing.units WHERE step = 0 ORDER BY ordinal") == [
        (1, 2),
        (1, 1),
        (0, 1),
    ]


def test_a_hop_whose_every_unit_failed_fails_the_campaign_visibly(bench: Callable[..., Harness]) -> None:
    def body(unit: Unit, ctx: UnitContext) -> Mapping[str, Any]:
        raise BadRequestError("toy", "refused us")

    one = bench(agents=toys(body=body))
    one.submit()
    assert one.orchestrator.run_hop("c1") == "failed"
    shown = one.reports.show("c1")
    assert shown["status"] == "failed"
    assert shown["reason"].startswith("lead_generation: every unit of stage 's0' failed; the first: toy: refused us")


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_defect_in_a_unit_or_in_a_plan_ends_visibly(bench: Callable[..., Harness]) -> None:
    def body(unit: Unit, ctx: UnitContext) -> Mapping[str, Any]:
        raise KeyError("jane@example.com")

    one = bench(agents=toys(body=body))
    one.submit()
    assert one.orchestrator.run_hop("c1") == "failed"
    assert "KeyError in our own code" in one.reports.show("c1")["reason"]
    assert "jane" not in str(one.reports.export("c1"))

    class Broken(type(toys()["analytics"])):  # type: ignore[misc]  # the toy's class, with a broken plan
        def plan(self, state: Any, results: Any) -> Any:
            raise ZeroDivisionError

    agents = toys()
    agents["content_creation"] = Broken("content_creation", (1,), echo)
    two = bench(agents=agents)
    two.submit("c2")
    assert two.orchestrator.run_hop("c2") == "failed"
    assert (
        two.reports.show("c2")["reason"] == "lead_generation: ZeroDivisionError in our own code (see the worker's log)"
    )


def test_the_journal_survives_a_retry_and_its_cost_is_counted_once(bench: Callable[..., Harness]) -> None:
    answers: Counter[str] = Counter()

    def body(unit: Unit, ctx: UnitContext) -> Mapping[str, Any]:
        if ctx.journaled("answer") is None:
            answers[unit.key] += 1
            usage = Usage(provider="toy", model="m", input_tokens=10, output_tokens=5, cost=None)
            ctx.journal("answer", {"text": "paid"}, usage)
            raise TransientError("toy", "died after paying", retry_after=0.0)
        return {"value": 1, "text": ctx.journaled("answer")["text"]}

    agents = toys(stages=(1,), body=body)
    for name in ("content_creation", "ad_management", "analytics"):
        agents[name] = toys(stages=(1,))[name]
    one = bench(agents=agents)
    one.submit()
    one.orchestrator.run_hop("c1")
    one.deliver()
    assert one.reports.show("c1")["status"] == "completed"
    assert answers == {"u0": 1}
    assert one.reports.spend("c1")["tokens"] == {"input": 10, "output": 5, "unpriced": 15}


def test_reconcile_finishes_what_lost_its_messages_and_its_worker(
    bench: Callable[..., Harness], monkeypatch: pytest.MonkeyPatch
) -> None:
    one = bench()
    judge = bench(worker="judge")
    one.submit()
    # A worker took two units and died: it beat long ago, or never.
    assert len(one.ledger.take("c1", 0, 0, 2)) == 2
    judge.ledger.beat()
    past = "clock_timestamp() - interval '60 seconds'"
    judge.database.run(f"UPDATE marketing.campaigns SET progress_at = {past}")
    judge.database.run(f"UPDATE marketing.units SET started_at = {past} WHERE status = 'running'")
    # The judge has not beaten for long enough to judge anybody yet.
    assert [one.campaign_id for one in judge.ledger.reconcile()] == ["c1"]
    assert judge.reports.units("c1") == {"pending": 1, "running": 2}
    judge.database.run(f"UPDATE marketing.workers SET fresh_since = {past}")
    monkeypatch.setattr("orchestration.ledger.ledger.LEASE_S", 0.5)  # Postgres itself has been up for that long
    judge.ledger.beat()
    assert [one.campaign_id for one in judge.ledger.reconcile()] == ["c1"]
    assert judge.reports.units("c1") == {"pending": 3}
    # The one that was thought dead finishes all the same: its result is taken, once.
    assert judge.orchestrator.run_hop("c1", "lead_generation") == "completed"
    assert judge.reports.units("c1")["succeeded"] == 16


class NoMessages:
    """A broker that has lost everything."""

    def oldest(self, queue: str) -> None:
        return None


def test_a_waiting_campaign_is_woken_ever_more_rarely(bench: Callable[..., Harness]) -> None:
    one = bench()
    one.submit()
    assert reconcile(one.ledger, one.broker, NoMessages(), any_agent="ad_management") == 0  # it has just been submitted
    for publishes in (0, 1, 2):
        pause = 3 * 2**publishes
        for age, woken in ((pause - 1, 0), (pause + 1, 1)):
            one.database.run(
                "UPDATE marketing.campaigns SET progress_at = clock_timestamp() - make_interval(secs => %s)", age
            )
            assert reconcile(one.ledger, one.broker, NoMessages(), any_agent="ad_management") == woken


def test_wake_ups_that_the_broker_refuses_do_not_become_rare(bench: Callable[..., Harness]) -> None:
    one = bench()
    for n in range(3):
        one.submit(f"c{n}")

    def tick(age: float) -> int:
        sql = "UPDATE marketing.campaigns SET progress_at = clock_timestamp() - make_interval(secs => %s)"
        one.database.run(sql, age)
        return reconcile(one.ledger, one.broker, NoMessages(), any_agent="ad_management")

    one.broker.refuses = True
    assert [tick(4) for _ in range(6)] == [0] * 6
    one.broker.refuses = False
    assert [tick(4), tick(4), tick(7)] == [3, 0, 3]


def test_a_unit_that_is_given_back_shows_that_wake_ups_arrive(bench: Callable[..., Harness]) -> None:
    one = bench()
    one.submit()
    one.database.run("UPDATE marketing.campaigns SET publishes = 5")
    claimed, *_ = one.ledger.take("c1", 0, 0, 1)
    error = NotNowError("local", "later", detail="admission_away", retry_after=1.0).to_dict()
    assert one.ledger.give_back(claimed, status="pending", delay_s=1.0, error=error, attempt=False)
    assert one.database.value("SELECT publishes FROM marketing.campaigns") == 0


def test_a_long_queue_is_no_lost_message() -> None:
    now = datetime(2026, 11, 1, 12, tzinfo=UTC)

    def ago(seconds: float) -> datetime:
        return now - timedelta(seconds=seconds)

    waits = Idle("waits", "analytics", 3, ago(100))
    dropped = Idle("dropped", "analytics", 3, ago(130))
    other = Idle("other", "ad_management", 2, ago(10))
    ancient = Idle("ancient", "lead_generation", 0, ago(1000))
    oldest = {"analytics": ago(120), "ad_management": None, "lead_generation": ago(2000)}
    found = lost([waits, dropped, other, ancient], oldest, now)
    assert [one.campaign_id for one in found] == ["dropped", "other", "ancient"]


def test_parallel_ticks_wake_a_campaign_once(bench: Callable[..., Harness]) -> None:
    one = bench()
    for n in range(20):
        one.submit(f"c{n}")
    one.database.run("UPDATE marketing.campaigns SET progress_at = clock_timestamp() - interval '1 minute'")
    with ThreadPoolExecutor(16) as pool:
        woken = list(
            pool.map(lambda _: reconcile(one.ledger, one.broker, NoMessages(), any_agent="ad_management"), range(50))
        )
    assert sum(woken) == 20
    assert len(one.broker.sent) == 20


def test_a_campaign_of_a_newer_program_is_parked(bench: Callable[..., Harness]) -> None:
    one = bench()
    one.submit()
    one.database.run("""UPDATE marketing.campaigns SET state = state || '{"flow_version": 99}'""")
    assert one.orchestrator.run_hop("c1") == "written by a newer program"
    assert one.reports.units("c1") == {"pending": 3}
    one.database.run("""UPDATE marketing.campaigns SET state = state || '{"flow_version": 1}'""")
    assert one.orchestrator.run_hop("c1") == "completed"


def test_a_repeated_statement_changes_nothing(bench: Callable[..., Harness]) -> None:
    """A connection may be lost between commit and answer; the statement is then sent again."""
    one = bench()
    config = CampaignConfig.parse({"target_audience": {"industry": "saas"}})
    row, stage = prepare(config, one.agents, now=datetime.now(UTC), campaign_id="c1")
    assert one.ledger.submit(row, stage).created
    assert one.ledger.submit(row, stage) == ("c1", row["config_hash"], "sandbox", False)
    (claimed, *_) = one.ledger.take("c1", 0, 0, 1)
    usage = Usage(provider="toy", model="m", input_tokens=10, output_tokens=5, cost=Decimal("0.5"))
    for _ in range(2):
        one.ledger.journal(claimed, {"answer": {"text": "paid"}}, usage)
    assert one.reports.spend("c1")["llm"] == {"USD": "0.5"}
