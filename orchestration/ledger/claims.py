"""Registry of the claims that this process works on, so that a claim without a thread is found.

A lease is the life of a process, and a process can lose a claim while it lives: Postgres commits a claim and goes away
before it answers, a task dies of an error. Such a unit would stay ``running`` for ever. So every claim is noted here
for as long as a thread is at it, and ``execution.reconcile.OrphanFinder`` gives back what the ledger ascribes to this
worker and no thread holds. Invariant: a claim that was given back this way is not started by us any more.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from threading import Lock, local
from typing import NamedTuple


class ClaimId(NamedTuple):
    """One claim of one unit."""

    campaign_id: str
    step: int
    stage: int
    key: str
    claims: int


class ClaimRegistry:
    """Claims of one process: those made inside a :meth:`scope` end with it, however it ends."""

    def __init__(self) -> None:
        self._held: Counter[ClaimId] = Counter()
        self._lock = Lock()
        self._local = local()

    @contextmanager
    def scope(self) -> Iterator[None]:
        """Open the scope of one task's work on a campaign."""
        outer, mine = getattr(self._local, "mine", None), list[ClaimId]()
        self._local.mine = mine
        try:
            yield
        finally:
            self._local.mine = outer
            self._release(mine)

    def note(self, claims: Iterable[ClaimId]) -> None:
        """Note claims that this thread has just made, for good when it is outside a scope."""
        found = list(claims)
        with self._lock:
            self._held.update(found)
        mine: list[ClaimId] | None = getattr(self._local, "mine", None)
        if mine is not None:
            mine.extend(found)

    @contextmanager
    def at_work(self, claim: ClaimId) -> Iterator[bool]:
        """Hold a claim while its body runs, and say whether it may: False when its task has died meanwhile."""
        with self._lock:
            ours = self._held[claim] > 0
            self._held[claim] += 1
        try:
            yield ours
        finally:
            self._release([claim])

    def orphaned(self, claims: Iterable[ClaimId]) -> frozenset[ClaimId]:
        """Return those of the claims that no thread of this process holds."""
        with self._lock:
            return frozenset(claim for claim in claims if self._held[claim] <= 0)

    def _release(self, claims: Iterable[ClaimId]) -> None:
        with self._lock:
            for claim in claims:
                self._held[claim] -= 1
                if self._held[claim] <= 0:
                    del self._held[claim]
