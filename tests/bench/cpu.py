"""CPU time of a group of process trees, from the kernel's counters.

utime + stime of every process, and of the children that a process has reaped, so that short-lived ones
(Postgres backends, autovacuum, Redis' rewrites) count too. Resolution is a tick (10 ms) a process: measure
hundreds of campaigns.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

import psutil

Snapshot = Mapping[str, float]


def cpu_seconds(pids: Sequence[int]) -> float:
    """Seconds used so far by the trees under ``pids``. Processes that are gone count through their parents."""
    total = 0.0
    for pid in pids:
        root = psutil.Process(pid)
        for process in (root, *root.children(recursive=True)):
            try:
                times = process.cpu_times()
            except psutil.NoSuchProcess:
                continue  # reaped in between: it is in its parent's count at the next look
            total += times.user + times.system + times.children_user + times.children_system
    return total


def snapshot(groups: Mapping[str, Sequence[int]]) -> Snapshot:
    """CPU seconds so far by group; ``driver`` is this process without its children."""
    own = os.times()
    return {
        **{name: cpu_seconds(pids) for name, pids in groups.items()},
        "driver": own.user + own.system,
    }


def spent_ms(before: Snapshot, after: Snapshot, campaigns: int) -> dict[str, float]:
    """Milliseconds of CPU per campaign by group, between two snapshots."""
    return {name: 1000 * (after[name] - before[name]) / campaigns for name in after}


def rss_mb(pids: Sequence[int]) -> float:
    """Resident memory of the trees under ``pids`` in MB; pages shared by processes count several times."""
    total = 0
    for pid in pids:
        root = psutil.Process(pid)
        total += sum(p.memory_info().rss for p in (root, *root.children(recursive=True)))
    return total / 1e6
