"""What this process has counted since it began: retries, deferrals, fallbacks, by their labels.

A worker says its counts with its beat, so that the fleet's metrics are read in one place (``workers.metrics``).
Invariant: numbers only grow, and labels come from small, known sets (providers, error codes), never from data.
"""

from __future__ import annotations

from collections import Counter
from threading import Lock


class Counts:
    """Counters of one process; safe to use from several threads."""

    def __init__(self) -> None:
        self._found: Counter[tuple[str, tuple[tuple[str, str], ...]]] = Counter()
        self._lock = Lock()

    def add(self, counter: str, **labels: str) -> None:
        """One more."""
        with self._lock:
            self._found[counter, tuple(sorted(labels.items()))] += 1

    def snapshot(self) -> list[dict[str, object]]:
        """As JSON: [{"counter", "labels", "value"}], in a stable order."""
        with self._lock:
            found = sorted(self._found.items())
        return [{"counter": name, "labels": dict(labels), "value": value} for (name, labels), value in found]
