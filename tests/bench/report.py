"""The tables people read: medians per workload, ratios to LangGraph's best, and the machine they come from.

Invariant: markdown that can be pasted into docs/performance.md as it is.
"""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping, Sequence
from importlib import metadata

import psutil

from tests.bench.measurement import Measurement
from tests.bench.scaling import Throughput
from tests.bench.workload import WORKLOADS, Workload

#: Whose versions matter to the figures.
_PACKAGES = (
    "celery",
    "kombu",
    "redis",
    "sqlalchemy",
    "psycopg2-binary",
    "pydantic",
    "langgraph",
    "langgraph-checkpoint-postgres",
    "psycopg",
)


def machine(postgres: str) -> str:
    """The machine and the versions, in one line."""
    installed = {d.metadata["Name"].lower().replace("_", "-"): d.version for d in metadata.distributions()}
    versions = ", ".join(f"{name} {installed[name]}" for name in _PACKAGES if name in installed)
    memory = psutil.virtual_memory().total / 2**30
    return (
        f"{_cpu_model()}, {os.cpu_count()} cores, {memory:.0f} GiB; Python {platform.python_version()}, "
        f"PostgreSQL {postgres}, {versions}"
    )


def _cpu_model() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            return next(line.partition(":")[2].strip() for line in file if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def table(workload: Workload, rows: Sequence[Measurement], titles: Mapping[str, str]) -> str:
    """One workload's table. The ratio is CPU per campaign to the cheapest LangGraph row."""
    peers = [row.total_cpu_ms for row in rows if row.contender.startswith("langgraph")]
    best = min(peers) if peers else None
    lines = [
        f"### {workload.title[0].upper()}{workload.title[1:]}",
        "",
        "| configuration | CPU ms | workers / Postgres / Redis / driver | to LangGraph | camp/s | hop p50 / p95 ms "
        "| alone ms |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        parts = " / ".join(f"{row.cpu_ms[group]:.1f}" for group in ("workers", "postgres", "redis", "driver"))
        ratio = f"{row.total_cpu_ms / best:.2f}" if best else "-"
        lines.append(
            f"| {titles[row.contender]} | {row.total_cpu_ms:.1f} | {parts} | {ratio} | {row.campaigns_per_s:.0f} "
            f"| {row.hop_p50_ms:.1f} / {row.hop_p95_ms:.1f} | {row.alone_ms:.1f} |"
        )
    return "\n".join(lines)


def tables(rows: Sequence[Measurement], titles: Mapping[str, str]) -> str:
    """All workloads' tables."""
    by_workload: dict[str, list[Measurement]] = {}
    for row in rows:
        by_workload.setdefault(row.workload, []).append(row)
    return "\n\n".join(table(WORKLOADS[name], found, titles) for name, found in by_workload.items())


def spread(rounds: Sequence[Measurement], name: str, again: str) -> str:
    """What the same configuration measured twice a round differs by: below this, differences mean nothing."""
    totals: dict[str, list[float]] = {}
    for one in rounds:
        if one.contender in (name, again):
            totals.setdefault(one.workload, []).append(one.total_cpu_ms)
    return "; ".join(f"{workload} {min(found):.1f}-{max(found):.1f} ms" for workload, found in totals.items())


def scaling_table(workload: Workload, found: Sequence[Throughput]) -> str:
    """Throughput of sleeping units."""
    lines = [
        f"### {workload.title[0].upper()}{workload.title[1:]}",
        "",
        "| workers of 16 slots | units/s | ideal | of linear |",
        "|---|---|---|---|",
    ]
    lines += [
        f"| {one.workers} | {one.units_per_s:.1f} | {one.ideal_units_per_s:.0f} | {one.of_linear:.2f} |"
        for one in found
    ]
    return "\n".join(lines)
