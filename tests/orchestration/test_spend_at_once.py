"""Model money: caps hold whoever calls at once and whoever dies."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal
from threading import Event
from typing import Any

import pytest
from orchestrator_harness import Harness
from spend_bench import TODAY, bound, checked, claim, ledger, today, total, usage
from sqlalchemy.pool import QueuePool
from toys import toys

from integrations.errors import OverBudgetError
from orchestration.ledger.database import Database
from orchestration.spend.models import SpendLedger


@pytest.fixture
def bench(database_url: str) -> Iterator[Harness]:
    made = Harness(database_url, toys(stages=(3,)))
    yield made
    made.close()


#: A process of reservers; argv: URL, name, units, after how many grants it kills itself (0: never). Prints refusals.
RESERVERS = """
import os, signal, sys
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from threading import Lock
from agents.unit import Unit
from integrations.errors import OverBudgetError
from integrations.llm.prices import CostBound
from integrations.settings import Settings
from integrations.usage import Usage
from orchestration.ledger.database import Database
from orchestration.ledger.rows import Claimed
from orchestration.spend.models import SpendLedger

url, name, units, dies_after = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
spend, lock, grants, refused = SpendLedger(Database(url), Settings.from_env()), Lock(), [0], [0]

def work(number):
    unit = Unit(key=f"{name}-{number}", kind="toy", provider="openai")
    place = {"campaign_id": "c1", "ordinal": 0, "step": 0, "stage": 0, "agent": "analytics", "epoch": 0}
    mine = Claimed(unit=unit, claims=1, journal={}, **place)
    for entry in ("answer", "answer.1", "answer.2"):
        amount = Decimal(1 + number % 7) / 100
        try:
            spend.reserve(mine, "openai", CostBound(entry=entry, model="m", amount=amount))
        except OverBudgetError:
            with lock:
                refused[0] += 1
            continue
        with lock:
            grants[0] += 1
            if grants[0] == dies_after:
                os.kill(os.getpid(), signal.SIGKILL)
        if number % 3:
            spend.settle(mine, entry, Usage(provider="openai", model="m", input_tokens=1, cost=amount / 3))
        else:
            spend.release(mine, entry)

print("ready", flush=True)
sys.stdin.readline()
with ThreadPoolExecutor(units) as pool:
    list(pool.map(work, range(units)))
print(refused[0])
"""


@dataclass
class Looks:
    """What the checker saw."""

    number: int = 0
    most: Decimal = Decimal(0)


def watch(url: str, done: Event) -> Looks:
    """Compare totals and rows again and again until ``done``; the cap of 1.00 is never exceeded."""
    database, seen = Database(url), Looks()
    while not done.is_set():
        seen.most = max(seen.most, checked(database))
        assert seen.most <= 1
        seen.number += 1
    database.close()
    return seen


def start(url: str, name: str, units: int, dies_after: int, env: Mapping[str, str]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", RESERVERS, url, name, str(units), str(dies_after)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, **env},
    )


def begin(fleet: Sequence[subprocess.Popen[str]]) -> None:
    """Let processes begin together, once each has loaded what it needs."""
    for process in fleet:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in fleet:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()


def backends(bench: Harness) -> int:
    """Connections to the database."""
    return int(bench.database.rows("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()")[0][0])


@pytest.mark.parametrize("capped", ["campaign", "day"])
def test_fifty_reservers_in_several_processes_never_exceed_the_cap_and_some_of_them_die(
    bench: Harness, capped: str, wait_until: Callable[..., Any]
) -> None:
    env = {} if capped == "campaign" else {"DAILY_CAP_LLM": "1.00"}
    bench.submit(limits={"llm": "1.00"} if capped == "campaign" else {})
    keys = {} if capped == "campaign" else {"llm_daily_cap": Decimal("1.00")}
    url, done = bench.database.engine.url.render_as_string(hide_password=False), Event()
    with ThreadPoolExecutor(27) as pool:
        checker = pool.submit(watch, url, done)
        try:
            fleet = [start(url, "p", 12, 0, env), start(url, "q", 12, 5, env)]
            begin(fleet)
            rounds = list(pool.map(lambda number: _reserver(ledger(bench, **keys), number), range(26)))
            outputs = [process.communicate(timeout=60)[0] for process in fleet]
        finally:
            done.set()
        seen = checker.result(30)
    assert [process.returncode for process in fleet] == [0, -signal.SIGKILL]
    assert seen.number > 5
    assert seen.most > Decimal("0.9")  # the cap was reached, so it was the cap that refused
    assert sum(rounds) + int(outputs[0]) > 0
    # What the dead one held is still held (its last statements have to end first); its units are tried again, and what
    # it may have paid counts at its bound.
    mine = bench.database.engine.pool
    assert isinstance(mine, QueuePool)
    wait_until(lambda: backends(bench) == mine.checkedin(), message="the dead client's statements to end")
    left, _ = total(bench)
    orphans = bench.database.rows("SELECT unit, entry, held FROM marketing.spend WHERE held > 0")
    assert left == sum((held for *_, held in orphans), Decimal(0)) > 0
    before = checked(bench.database)
    for unit, entry, _ in orphans:
        with suppress(OverBudgetError):
            ledger(bench, **keys).reserve(claim(unit, claims=99), "openai", bound("0.01", entry))
            ledger(bench, **keys).release(claim(unit, claims=99), entry)
    assert total(bench)[0] == 0
    assert 0 < checked(bench.database) == before <= 1


def _reserver(spend: SpendLedger, number: int) -> int:
    """One thread that asks, and settles or gives back, some rounds long; how often it was refused."""
    dice, refused = random.Random(number), 0
    for at in range(8):
        mine, entry = claim(f"t{number}", claims=at + 1), f"answer.{at // 2}"
        amount = Decimal(dice.randrange(1, 12)) / 100
        try:
            spend.reserve(mine, "openai", bound(str(amount), entry))
        except OverBudgetError:
            refused += 1
            continue
        if dice.random() < 0.3:
            spend.settle(mine, entry, usage(str(amount * Decimal("0.2"))))
        else:
            spend.release(mine, entry)
    return refused


def test_the_total_of_a_day_begins_with_all_that_is_being_written(bench: Harness) -> None:
    for campaign in ("c1", *(f"c{number}" for number in range(2, 10))):
        bench.submit(campaign)
    spend, capped = ledger(bench), ledger(bench, llm_daily_cap=Decimal(1000))

    def settle(number: int) -> None:
        spend.settle(claim(f"s{number}", campaign=f"c{1 + number % 9}"), "answer", usage("0.01"))

    def reserve(number: int) -> None:
        capped.reserve(claim(f"r{number}", campaign=f"c{1 + number % 9}"), "openai", bound("0.01"))

    for _ in range(4):  # the first look at a cap meets calls that are being counted without one
        bench.database.run("DELETE FROM marketing.spend; DELETE FROM marketing.spend_totals")
        with ThreadPoolExecutor(16) as pool:
            steps = [pool.submit(reserve if at % 7 == 6 else settle, at) for at in range(120)]
            for step in steps:
                step.result()
        assert total(bench, f"day:sandbox:{bench.database.rows(f'SELECT {TODAY}::text')[0][0]}") == today(bench)
        assert sum(today(bench)) == Decimal("1.20")
