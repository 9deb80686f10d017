"""The bench measures what it says: tiny runs of its contenders, with their records checked."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec

import pytest

from tests.bench.contender import BrokenPromiseError, Contender
from tests.bench.cpu import cpu_seconds, snapshot, spent_ms
from tests.bench.measurement import Measurement, measure, medians
from tests.bench.report import tables
from tests.bench.stage import open_stage
from tests.bench.this_project import ThisProject
from tests.bench.workload import (
    FANOUT,
    LARGE,
    LINEAR,
    SPEND,
    UNEVEN,
    WORKLOADS,
    Workload,
    brief_json,
    delay_s,
    leads_json,
)


@pytest.mark.parametrize("workload", [LINEAR, LARGE])
def test_a_state_has_the_size_it_is_named_after(workload: Workload) -> None:
    import json

    size = len(json.dumps([brief_json(), leads_json(workload.state_bytes)], separators=(",", ":")))
    assert size == pytest.approx(workload.state_bytes, rel=0.15)


def test_it_starts_as_make_bench_starts_it() -> None:
    """Not on pytest's import path, which finds more."""
    subprocess.run([sys.executable, "-m", "tests.bench", "--help"], check=True, capture_output=True, text=True)


def test_waits_are_spread_as_named_and_the_same_for_everybody() -> None:
    waits = [delay_s(UNEVEN, f"{n:032x}", hop, unit) for n in range(200) for hop in range(4) for unit in range(3)]
    assert 0.025 <= min(waits) < 0.03
    assert 0.07 < max(waits) <= 0.075
    assert waits[0] == delay_s(UNEVEN, f"{0:032x}", 0, 0)
    assert delay_s(FANOUT, "x", 0, 0) == 0.0


def test_cpu_of_a_child_is_counted_while_it_runs_and_after_it_was_reaped() -> None:
    busy = "import time\nwhile time.process_time() < 0.2: pass\nprint('done', flush=True)\ninput()"
    shell = subprocess.Popen(
        ["sh", "-c", '"$0" -c "$1"; read line', sys.executable, busy],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with shell:
        assert shell.stdin is not None
        assert shell.stdout is not None
        shell.stdout.readline()
        running = cpu_seconds([shell.pid])
        shell.stdin.write("\n")
        shell.stdin.flush()
        reaped = cpu_seconds([shell.pid])
        shell.stdin.write("\n")
    assert running >= 0.19
    assert reaped >= running


def test_spent_is_per_campaign_and_by_group() -> None:
    before = snapshot({"workers": [os.getpid()]})
    after = {name: seconds + 0.5 for name, seconds in before.items()}
    assert spent_ms(before, after, 100) == {"workers": pytest.approx(5.0), "driver": pytest.approx(5.0)}


def row(contender: str, cpu: float) -> Measurement:
    return Measurement(
        contender=contender, workload="linear", campaigns_per_s=100, hop_p50_ms=1, hop_p95_ms=2, alone_ms=5, rss_mb=100,
        cpu_ms={"workers": cpu, "postgres": 1.0, "redis": 0.0, "driver": 0.0},
    )  # fmt: skip


def test_the_table_holds_medians_and_ratios_to_the_cheapest_langgraph() -> None:
    rounds = [row("local", 4), row("local", 5), row("local", 9)]
    rounds += [row("langgraph", 9), row("langgraph-async", 7)]
    text = tables(medians(rounds), {"local": "ours", "langgraph": "peer", "langgraph-async": "peer, async"})
    assert "| ours | 6.0 | 5.0 / 1.0 / 0.0 / 0.0 | 0.75 |" in text
    assert "| peer | 10.0 | 9.0 / 1.0 / 0.0 / 0.0 | 1.25 |" in text


def contenders() -> list[Contender]:
    from tests.bench.bare_celery import BareCelery
    from tests.bench.langgraph_contender import LangGraph

    found: list[Contender] = [
        ThisProject("local", "", events=True),
        ThisProject("chord", "", placement="chord"),
        ThisProject("messages", "", hop_messages=True),
        ThisProject("admitted-spend", "", guarded=SPEND),
        BareCelery(),
    ]
    # The peers are an extra that only `make bench` installs.
    return [*found, LangGraph()] if find_spec("langgraph.checkpoint.postgres") else found


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_every_contender_runs_and_keeps_its_records() -> None:
    with open_stage() as stage:
        for contender in contenders():
            with stage.started(contender):
                one = measure(
                    contender, FANOUT, servers=stage.servers, settle=stage.settle, burst=8, alone=2, warm_up=2
                )  # fmt: skip
                assert one.cpu_ms["workers"] > 0, contender.name
                assert 0 < one.hop_p50_ms < 2000, contender.name
                with pytest.raises(BrokenPromiseError):
                    contender.verify(WORKLOADS["linear"], 9)
