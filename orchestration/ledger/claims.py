"""What the threads of this process hold, so that a claim nobody works on any more is found.

A lease is the life of a process, and a process can lose a claim while it lives: Postgres commits a claim and
goes away before it answers, a task dies of an error. Such a unit would stay ``running`` for ever. So every
claim is noted here for as long as somebody is at it, and :class:`OrphanFinder` gives back what the ledger ascribes
to this worker and nobody holds. Invariant: a unit is given back only when two looks, some seconds apart,
both saw the same claim without a holder, and what was given back this way is not started by us any more.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from threading import Lock, local
from typing import NamedTuple, Protocol


class ClaimId(NamedTuple):
    """One claim of one unit."""

    campaign_id: str
    step: int
    stage: int
    key: str
    claims: int


class ClaimRegistry:
    """The claims of one process. Claims made inside a :meth:`scope` end with it, however it ends."""

    def __init__(self) -> None:
        self._held: Counter[ClaimId] = Counter()
        self._lock = Lock()
        self._local = local()

    @contextmanager
    def scope(self) -> Iterator[None]:
        """One task's work on a campaign."""
        outer, mine = getattr(self._local, "mine", None), list[ClaimId]()
        self._local.mine = mine
        try:
            yield
        finally:
            self._local.mine = outer
            self._release(mine)

    def note(self, claims: Iterable[ClaimId]) -> None:
        """Claims that this thread has just made; kept for good outside a scope."""
        found = list(claims)
        with self._lock:
            self._held.update(found)
        mine: list[ClaimId] | None = getattr(self._local, "mine", None)
        if mine is not None:
            mine.extend(found)

    @contextmanager
    def at_work(self, claim: ClaimId) -> Iterator[bool]:
        """Hold a claim while its body runs; False when its task has died meanwhile, so that it must not start."""
        with self._lock:
            ours = self._held[claim] > 0
            self._held[claim] += 1
        try:
            yield ours
        finally:
            self._release([claim])

    def orphaned(self, claims: Iterable[ClaimId]) -> frozenset[ClaimId]:
        """Those of the claims that nobody here holds."""
        with self._lock:
            return frozenset(claim for claim in claims if self._held[claim] <= 0)

    def _release(self, claims: Iterable[ClaimId]) -> None:
        with self._lock:
            for claim in claims:
                self._held[claim] -= 1
                if self._held[claim] <= 0:
                    del self._held[claim]


class RunningClaims(Protocol):
    """The ledger's side."""

    def running_here(self) -> list[ClaimId]:
        """Claims that the ledger ascribes to this worker."""
        ...

    def give_up(self, claims: Iterable[ClaimId]) -> int:
        """Make them due again for anybody; how many."""
        ...


class OrphanFinder:
    """Finds claims without a holder; looked for every few seconds by one thread."""

    def __init__(self, registry: ClaimRegistry, ledger: RunningClaims) -> None:
        self._registry = registry
        self._ledger = ledger
        self._suspects: frozenset[ClaimId] = frozenset()

    def look(self) -> int:
        """Give back what was without a holder at this look and the one before; how many."""
        found = self._registry.orphaned(self._ledger.running_here())
        lost = found & self._suspects
        self._suspects = found - lost
        return self._ledger.give_up(lost) if lost else 0
