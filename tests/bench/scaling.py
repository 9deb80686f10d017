"""Does twice the workers do twice the work, when the work is waiting?

Units that sleep stand for calls of models and platforms. Invariant: every slot of every worker has work from
the first second to the last, so that the figure is the fleet's and not the tail's.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from tests.bench.contender import SLOTS
from tests.bench.stage import Stage
from tests.bench.this_project import ThisProject
from tests.bench.workload import HOPS, Workload

WAVES = 3  #: campaigns per slot


@dataclass(frozen=True, slots=True, kw_only=True)
class Throughput:
    """Of one fleet."""

    workers: int
    units_per_s: float
    ideal_units_per_s: float  #: slots / length of a unit
    of_linear: float  #: against ``workers`` times the first fleet's throughput

    def as_json(self) -> dict[str, float]:
        """For the file of results."""
        return asdict(self)


def scaling(stage: Stage, workload: Workload, fleets: Sequence[int] = (1, 2, 4)) -> list[Throughput]:
    """Measure each fleet once; the first is the base."""
    found: list[Throughput] = []
    for workers in fleets:
        contender = ThisProject(f"sleep-{workers}", "", processes=workers)
        with stage.started(contender):
            contender.burst(workload, workers * SLOTS)
            stage.settle()
            campaigns = WAVES * workers * SLOTS
            began = time.monotonic()
            contender.burst(workload, campaigns)
            rate = campaigns * HOPS * workload.units / (time.monotonic() - began)
            contender.verify(workload, campaigns)
        base = found[0].units_per_s / found[0].workers if found else rate / workers
        found.append(
            Throughput(
                workers=workers,
                units_per_s=rate,
                ideal_units_per_s=workers * SLOTS / workload.wait_s,
                of_linear=rate / (workers * base),
            )
        )
    return found
