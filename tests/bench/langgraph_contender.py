"""LangGraph with its Postgres checkpointer as a contender: two processes that are handed thread ids in bulk.

What favours it: no queue, no submit row, no dispatch between processes, no ledger of inputs. Invariant: the
same Postgres, the same durability (a checkpoint is committed before the next node starts), the same slots.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any
from uuid import uuid4

from sqlalchemy import make_url

from tests.bench.contender import PROCESSES, SLOTS, BrokenPromiseError, Latencies, Place, end
from tests.bench.workload import Workload


class LangGraph:
    """``durability`` as LangGraph means it: "sync" commits each step before the next, "async" beside it."""

    def __init__(self, name: str = "langgraph", *, durability: str = "sync") -> None:
        self.name = name
        self.title = f"LangGraph, AsyncPostgresSaver per slot, durability={durability}"
        self._durability = durability
        self._running: list[subprocess.Popen[str]] = []
        self._logs: list[Path] = []
        self._ended: list[str] = []

    def start(self, place: Place) -> None:
        """See :class:`tests.bench.contender.Contender`."""
        url = make_url(place.database_url).set(drivername="postgresql")
        environment = {
            **place.environment,
            "BENCH_CONNINFO": url.render_as_string(hide_password=False),
            "BENCH_SLOTS": str(SLOTS),
            "BENCH_DURABILITY": self._durability,
            "LANGSMITH_TRACING": "false",
        }
        for number in range(PROCESSES):
            self._logs.append(place.folder / f"langgraph-{number}.log")
            with self._logs[-1].open("w", encoding="utf-8") as log:
                process = subprocess.Popen(
                    [sys.executable, "-m", "tests.bench.langgraph_peer"],
                    env={**environment, "BENCH_SETUP": str(int(number == 0))},
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=log,
                    text=True,
                )
            self._running.append(process)
            self._answer(number)

    def pids(self) -> Sequence[int]:
        """Pids of the processes."""
        return [process.pid for process in self._running]

    def alone(self, workload: Workload, campaigns: int) -> Latencies:
        """One slot of one process."""
        self._ask(0, workload, [uuid4().hex for _ in range(campaigns)], slots=1)
        found = self._answer(0)
        hops = [b - a for starts in found["started"] for a, b in pairwise(starts)]
        return Latencies(hops=hops, campaigns=found["seconds"])

    def burst(self, workload: Workload, campaigns: int) -> None:
        """Half of the threads to each process."""
        ids = [uuid4().hex for _ in range(campaigns)]
        for number in range(PROCESSES):
            self._ask(number, workload, ids[number::PROCESSES], slots=SLOTS)
        self._ended = [campaign_id for n in range(PROCESSES) for campaign_id in self._answer(n)["ids"]]

    def verify(self, workload: Workload, campaigns: int) -> None:
        """Each thread ran to its end once (each process has checked that no node is missing)."""
        if len(self._ended) != campaigns or len(set(self._ended)) != campaigns:
            raise BrokenPromiseError(f"{self.name}/{workload.name}: {len(self._ended)} of {campaigns} threads ended")

    def stop(self) -> None:
        """End the processes."""
        for process in self._running:
            for stream in (process.stdin, process.stdout):
                if stream is not None:
                    stream.close()
        end(self._running)
        self._running, self._logs = [], []

    def _ask(self, number: int, workload: Workload, ids: list[str], *, slots: int) -> None:
        stdin = self._running[number].stdin
        if stdin is None:
            raise RuntimeError("the process has no stdin")
        stdin.write(json.dumps({"workload": workload.name, "ids": ids, "slots": slots}) + "\n")
        stdin.flush()

    def _answer(self, number: int) -> Any:
        process = self._running[number]
        line = process.stdout.readline() if process.stdout else ""
        if not line:
            said = self._logs[number].read_text("utf-8")[-3000:]
            raise RuntimeError(f"LangGraph process {number} ended with {process.wait(10)}:\n{said}")
        return json.loads(line)
