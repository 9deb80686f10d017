"""Faults of Postgres and Redis, drawn for each operation of a process from a seeded plan.

The plan is a JSON file, named by FAULT_PLAN, which a test writes and takes away while processes run: without it there
are no faults. What was injected is written beside it, one line each, so that a test can tell that it was.
"""

from __future__ import annotations

import json
import os
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from random import Random
from threading import Lock

VARIABLE = "FAULT_PLAN"
READ_EVERY_S = 0.2  #: a plan that is written or taken away is noticed so soon


@dataclass(frozen=True, kw_only=True)
class FaultPlan:
    """Which share of which operations fails, and how.

    Operations are called "postgres.finish", "postgres.commit", "redis.BRPOP"; kinds "lost", "done", "25006", "OOM".
    """

    seed: int
    rates: Mapping[str, float]  #: pattern of operations -> share of them; the first that fits counts
    kinds: Sequence[str] = ("*",)  #: patterns of kinds that may be drawn

    def rate(self, operation: str) -> float:
        """The share of this operation's calls that fail."""
        return next((rate for pattern, rate in self.rates.items() if fnmatch(operation, pattern)), 0.0)

    def draw(self, random: Random, operation: str, kinds: Sequence[str]) -> str | None:
        """How this call fails, one of ``kinds``, or None."""
        allowed = [kind for kind in kinds if any(fnmatch(kind, pattern) for pattern in self.kinds)]
        if not allowed or random.random() >= self.rate(operation):
            return None
        return random.choice(allowed)

    def write(self, path: Path) -> None:
        """Put the plan into force for all processes that look at ``path``."""
        new = path.with_suffix(".new")
        new.write_text(json.dumps({"seed": self.seed, "rates": dict(self.rates), "kinds": list(self.kinds)}))
        new.replace(path)


class Injector:
    """Draws the faults of one process. ``name`` tells its sequence from those of other processes."""

    def __init__(self, path: Path, name: str) -> None:
        self._path, self._name = path, name
        self._lock = Lock()
        self._looked = 0.0
        self._text = ""
        self._plan: FaultPlan | None = None
        self._random = Random()

    def draw(self, operation: str, kinds: Sequence[str]) -> str | None:
        """How this call fails, one of ``kinds``, or None."""
        with self._lock:
            self._look()
            if self._plan is None:
                return None
            kind = self._plan.draw(self._random, operation, kinds)
            if kind is not None:
                with self._path.with_suffix(f".{os.getpid()}.log").open("a") as log:
                    log.write(f"{operation} {kind}\n")
            return kind

    def _look(self) -> None:
        now = time.monotonic()
        if now - self._looked < READ_EVERY_S:
            return
        self._looked = now
        try:
            text = self._path.read_text()
        except FileNotFoundError:
            text = ""
        if text != self._text:
            self._text = text
            self._plan = FaultPlan(**json.loads(text)) if text else None
            self._random = Random(f"{self._plan.seed if self._plan else ''}:{self._name}")


def injected(path: Path) -> Counter[tuple[str, str]]:
    """How often which (operation, kind) was injected under the plan at ``path``, by all processes."""
    lines = [line for log in path.parent.glob(f"{path.stem}.*.log") for line in log.read_text().splitlines()]
    return Counter((operation, kind) for operation, kind in (line.split(" ") for line in lines))
