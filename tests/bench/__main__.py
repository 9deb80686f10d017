"""``make bench``: what orchestration costs, side by side in one run.

``python -m tests.bench [--quick] [--rounds N] [--only CONTENDER ...] [--workload NAME ...] [--json FILE]``;
``BENCH_QUICK=1`` is ``--quick``. Invariant: a contender that breaks its promise ends the run with an error.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.bench.bare_celery import BareCelery
from tests.bench.contender import Contender
from tests.bench.langgraph_contender import LangGraph
from tests.bench.measurement import Measurement, measure, medians
from tests.bench.report import machine, scaling_table, spread, tables
from tests.bench.scaling import scaling
from tests.bench.stage import Stage, open_stage
from tests.bench.this_project import ThisProject
from tests.bench.workload import ADMISSION, FANOUT, LARGE, LINEAR, NAP, SLEEP, SPEND, UNEVEN, Workload

ALL = (LINEAR, FANOUT, UNEVEN, LARGE)
#: The workloads that a row is measured in: those it was made for.
ROWS: tuple[tuple[Contender, tuple[Workload, ...]], ...] = (
    (ThisProject("local", "this project, local"), ALL),
    (LangGraph(), ALL),
    (ThisProject("local-events", "this project, local, events on", events=True), (LINEAR, FANOUT)),
    (ThisProject("messages", "this project, a message per hop", hop_messages=True), (LINEAR, LARGE)),
    (ThisProject("chord", "this project, chord", placement="chord"), (FANOUT, UNEVEN)),
    (ThisProject("chord-events", "this project, chord, events on", placement="chord", events=True), (FANOUT,)),
    (BareCelery(), (LINEAR, FANOUT, UNEVEN)),
    (LangGraph("langgraph-async", durability="async"), ALL),
    (ThisProject("admitted", "this project, local, each unit admitted (breaker, limits)", guarded=ADMISSION), ALL),
    (
        ThisProject(
            "admitted-spend", "this project, local, each unit admitted, its spend held and settled", guarded=SPEND
        ),
        (LINEAR, FANOUT),
    ),
    (ThisProject("local-again", "this project, local (again: A/A)"), ALL),
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run and print; 0 when every record added up."""
    options = _options(arguments)
    with open_stage() as stage:
        where = machine(stage.version())
        print(f"{where}\n", flush=True)
        rounds = [one for number in range(options.rounds) for one in _round(stage, options, number)]
        slept = [] if options.only else scaling(stage, NAP if options.quick else SLEEP)
    if rounds:
        print("\n" + tables(medians(rounds), {contender.name: contender.title for contender, _ in ROWS}))
        print(f"\nThis project, local, over all rounds (A/A): {spread(rounds, 'local', 'local-again')}.")
    if slept:
        print("\n" + scaling_table(NAP if options.quick else SLEEP, slept))
    if options.json:
        found = {
            "machine": where,
            "rounds": [one.as_json() for one in rounds],
            "scaling": [one.as_json() for one in slept],
        }
        options.json.write_text(json.dumps(found, indent=1), encoding="utf-8")
    return 0


def _round(stage: Stage, options: argparse.Namespace, number: int) -> list[Measurement]:
    found = []
    for contender, workloads in ROWS:
        chosen = [w for w in workloads if not options.workload or w.name in options.workload]
        if not chosen or (options.only and contender.name not in options.only):
            continue
        with stage.started(contender):
            for workload in chosen:
                one = measure(
                    contender,
                    workload,
                    servers=stage.servers,
                    settle=stage.settle,
                    burst=workload.burst // (4 if options.quick else 1),
                    alone=workload.alone // (3 if options.quick else 1),
                    warm_up=40,
                )
                found.append(one)
                print(
                    f"round {number + 1}: {workload.name:7} {contender.name:16} {one.total_cpu_ms:6.2f} ms CPU "
                    f"{one.campaigns_per_s:6.1f} camp/s   hop {one.hop_p50_ms:.1f} ms",
                    file=sys.stderr,
                    flush=True,
                )
    return found


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", default=os.environ.get("BENCH_QUICK", "0") not in ("", "0"))
    parser.add_argument("--rounds", type=int, default=None, help="3, quick: 1")
    parser.add_argument("--only", nargs="+", choices=[contender.name for contender, _ in ROWS])
    parser.add_argument("--workload", nargs="+", choices=[workload.name for workload in ALL])
    parser.add_argument("--json", type=Path, help="where to write every round's figures")
    options = parser.parse_args(arguments)
    options.rounds = options.rounds or (1 if options.quick else 3)
    return options


if __name__ == "__main__":
    sys.exit(main())
