"""One measurement: a contender, a workload, one round; and the medians of several.

Invariant: what is compared was measured in the same run, every contender once a round, so that a noisy phase
of the machine hits all of them.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import median, quantiles

from tests.bench.contender import Contender, Latencies
from tests.bench.cpu import rss_mb, snapshot, spent_ms
from tests.bench.workload import Workload

GROUPS = ("workers", "postgres", "redis", "driver")


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """Figures of one contender and workload. CPU in ms per campaign."""

    contender: str
    workload: str
    campaigns_per_s: float
    cpu_ms: Mapping[str, float]
    hop_p50_ms: float
    hop_p95_ms: float
    alone_ms: float  #: median time of a campaign that is alone
    rss_mb: float  #: of all the contender's processes

    @property
    def total_cpu_ms(self) -> float:
        """CPU of all processes."""
        return sum(self.cpu_ms.values())

    def as_json(self) -> dict[str, object]:
        """For the file of results."""
        return {**asdict(self), "total_cpu_ms": self.total_cpu_ms}


def measure(
    contender: Contender,
    workload: Workload,
    *,
    servers: Mapping[str, Sequence[int]],
    settle: Callable[[], None],
    burst: int,
    alone: int,
    warm_up: int,
) -> Measurement:
    """Warm up, run ``alone`` campaigns one at a time, then ``burst`` at once, and check the records."""
    contender.burst(workload, warm_up)
    latencies = contender.alone(workload, alone)
    settle()
    groups = {"workers": contender.pids(), **servers}
    before, began = snapshot(groups), time.monotonic()
    contender.burst(workload, burst)
    seconds = time.monotonic() - began
    after = snapshot(groups)
    contender.verify(workload, burst)
    return Measurement(
        contender=contender.name,
        workload=workload.name,
        campaigns_per_s=burst / seconds,
        cpu_ms=spent_ms(before, after, burst),
        **_latency(latencies),
        rss_mb=rss_mb(contender.pids()),
    )


def _latency(found: Latencies) -> dict[str, float]:
    hops = [1000 * seconds for seconds in found.hops]
    return {
        "hop_p50_ms": median(hops),
        "hop_p95_ms": quantiles(hops, n=20)[-1] if len(hops) > 1 else hops[0],
        "alone_ms": 1000 * median(found.campaigns),
    }


def medians(rounds: Iterable[Measurement]) -> list[Measurement]:
    """One measurement per contender and workload: the median of each figure over the rounds."""
    found: dict[tuple[str, str], list[Measurement]] = {}
    for one in rounds:
        found.setdefault((one.contender, one.workload), []).append(one)
    return [_median(several) for several in found.values()]


def _median(several: Sequence[Measurement]) -> Measurement:
    def middle(figure: Callable[[Measurement], float]) -> float:
        return median(figure(one) for one in several)

    def part(group: str) -> float:
        return median(one.cpu_ms[group] for one in several)

    # The parts are scaled so that they add up to the median of the sums.
    total = middle(lambda one: one.total_cpu_ms)
    parts = {group: part(group) for group in GROUPS}
    scale = total / (sum(parts.values()) or 1.0)
    return Measurement(
        contender=several[0].contender,
        workload=several[0].workload,
        campaigns_per_s=middle(lambda one: one.campaigns_per_s),
        cpu_ms={group: value * scale for group, value in parts.items()},
        hop_p50_ms=middle(lambda one: one.hop_p50_ms),
        hop_p95_ms=middle(lambda one: one.hop_p95_ms),
        alone_ms=middle(lambda one: one.alone_ms),
        rss_mb=middle(lambda one: one.rss_mb),
    )
