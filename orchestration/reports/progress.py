"""Judgement of whether the fleet's work moves, from facts alone.

``campaigns doctor`` tells people what is found here, and the supervisor of a fleet replaces the workers that are of no
use. Invariants: pure functions over facts, the same for both. An outage of Postgres or Redis is no worker's fault:
workers are judged only after both have answered for GRACE_S without a gap. A long task is no standstill.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from orchestration.ledger.lease import LEASE_S

#: Both stores must have answered for this many seconds before a worker is judged, and a worker have been ready for as
#: long.
GRACE_S = 60.0
#: A worker that lives and has sent no heartbeat for this long is of no use.
SILENT_S = 60.0
#: A queue stands still when its oldest message is older than this and no unit of its agent was claimed or finished for
#: as long. While workers have units in their hands the longer bound counts: all slots may be in use for as long as a
#: unit takes.
STANDSTILL_S = 60.0
BUSY_STANDSTILL_S = 300.0
#: A worker that takes nothing is replaced later than people are told, so that it can end by itself.
REPLACE_STANDSTILL_S = 120.0
#: The same message must have been at the head of the queue for this long: a queue that is merely long moves.
SAME_HEAD_S = 0.5
#: Claims of dead workers are given back soon after the lease; a wait whose time has come goes on within seconds.
ORPHANED_S = LEASE_S + 10.0
OVERDUE_S = 60.0


class StoreRefusesError(Exception):
    """Postgres or Redis answers and refuses to work.

    The text says why, and what to do.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerFact:
    """A worker process as the ledger knows it, with times in seconds by the clock of Postgres."""

    worker: str  #: host:pid:suffix
    beat_age_s: float
    fresh_for_s: float  #: length of the present run of heartbeats without a gap
    running: int = 0  #: units in its hands

    @property
    def alive(self) -> bool:
        """Whether its lease is valid."""
        return self.beat_age_s <= LEASE_S

    @property
    def place(self) -> tuple[str, int]:
        """Host and pid, or ("", 0) for a name of another form."""
        host, _, rest = self.worker.partition(":")
        pid = rest.partition(":")[0]
        return (host, int(pid)) if pid.isdecimal() else ("", 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueFact:
    """A queue of the broker, with times in seconds."""

    name: str
    length: int = 0
    oldest_age_s: float | None = None  #: None: empty, or its oldest message can't be read
    same_head_s: float = 0.0  #: for how long the observer has seen the same message at its head


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerFacts:
    """What Postgres says about the fleet, with times in seconds."""

    workers: Sequence[WorkerFact] = ()
    at_work: int = 0  #: campaigns that are queued or running
    #: agent -> seconds since a unit of it was last claimed or finished, in unfinished campaigns
    still_s: Mapping[str, float] = field(default_factory=dict)
    orphaned: int = 0  #: units in the hands of workers that have been dead for ORPHANED_S
    overdue: int = 0  #: campaigns whose wait has been over for OVERDUE_S
    overdue_s: float = 0.0  #: the longest of these


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnWorker:
    """A worker process of the supervisor that asks, with times in seconds."""

    name: str
    host: str
    pid: int
    ready_for_s: float
    queues: frozenset[str]


@dataclass(frozen=True, slots=True)
class Useless:
    """A worker process that runs and is of no use, and why."""

    name: str
    pid: int
    why: str


def standing(ledger: LedgerFacts, queues: Sequence[QueueFact], *, bound_s: float = STANDSTILL_S) -> list[QueueFact]:
    """Return the queues that stand still although workers are there, by the bound for idle workers."""
    living = [one for one in ledger.workers if one.alive]
    served_s = max((one.fresh_for_s for one in living), default=0.0)
    busy = any(one.running for one in living)
    bound = max(bound_s, BUSY_STANDSTILL_S) if busy else bound_s

    def stands(queue: QueueFact) -> bool:
        return (
            queue.oldest_age_s is not None
            and queue.oldest_age_s >= bound
            and queue.same_head_s >= SAME_HEAD_S
            and served_s >= bound
            and ledger.still_s.get(queue.name, bound) >= bound
        )

    return [queue for queue in queues if stands(queue)]


def suspicious(ledger: LedgerFacts, queues: Sequence[QueueFact], own: Sequence[OwnWorker]) -> bool:
    """Return whether a closer look is worth its price: an own worker is silent, or a queue's head is old."""
    places = {(one.host, one.pid) for one in own}
    silent = any(not one.alive for one in ledger.workers if one.place in places)
    return silent or any(one.oldest_age_s is not None and one.oldest_age_s >= STANDSTILL_S for one in queues)


def useless(
    ledger: LedgerFacts, queues: Sequence[QueueFact], own: Sequence[OwnWorker], *, well_for_s: float
) -> list[Useless]:
    """Return the own workers to replace, with the reasons.

    A worker that the ledger does not know is left alone.

    Args:
        ledger, queues: what Postgres and Redis said.
        own: the worker processes that may be judged.
        well_for_s: for how long both stores have answered, and taken writes, without a gap.
    """
    if well_for_s < GRACE_S:
        return []
    newest: dict[tuple[str, int], WorkerFact] = {}
    for fact in sorted(ledger.workers, key=lambda one: -one.beat_age_s):
        newest[fact.place] = fact
    still = standing(ledger, queues, bound_s=REPLACE_STANDSTILL_S)
    found = []
    for worker in own:
        known = newest.get((worker.host, worker.pid))
        if known is None or worker.ready_for_s < GRACE_S:
            continue
        if known.beat_age_s >= SILENT_S:
            why = f"it runs, but has sent no heartbeat for {known.beat_age_s:.0f} s while Postgres answered"
            found.append(Useless(worker.name, worker.pid, why))
            continue
        untaken = next((queue for queue in still if queue.name in worker.queues), None)
        if untaken is not None and not known.running and worker.ready_for_s >= REPLACE_STANDSTILL_S:
            oldest = f"whose oldest message is {untaken.oldest_age_s:.0f} s old"
            why = f"it takes nothing from the queue {untaken.name}, {oldest}"
            found.append(Useless(worker.name, worker.pid, why))
    return found


def standstills(
    ledger: LedgerFacts, queues: Sequence[QueueFact], *, running: frozenset[tuple[str, int]] = frozenset()
) -> list[str]:
    """Return in words why work does not move, and nothing when it does or when there is none.

    ``running``: hosts and pids of silent workers whose processes are known to run.
    """
    found = []
    alive = [one for one in ledger.workers if one.alive]
    if not alive and ledger.at_work:
        found.append(
            f"no worker is there for {_count(ledger.at_work, 'queued or running campaign')}: start `campaigns up`"
        )
    for one in ledger.workers:
        if not one.alive and one.place in running:
            host, pid = one.place
            found.append(f"worker process {pid} on {host} runs, but has sent no heartbeat for {one.beat_age_s:.0f} s")
    for queue in standing(ledger, queues):
        found.append(
            f"queue {queue.name} stands still: {_count(queue.length, 'message')}, the oldest "
            f"{queue.oldest_age_s:.0f} s old, and no worker takes one"
        )
    if ledger.orphaned:
        found.append(f"{_count(ledger.orphaned, 'unit')} held by dead workers, and no worker gives them back")
    if ledger.overdue:
        found.append(
            f"{_count(ledger.overdue, 'campaign')} should have gone on {ledger.overdue_s:.0f} s ago: "
            "no tick of beat reaches a worker"
        )
    return found


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
