"""Reconciling tick: repair what was dropped, and wake the campaigns whose wake-up was lost.

Whether a wake-up was lost or merely waits in a long queue is read off the queue itself: messages carry the
time they were sent, and a queue is first in, first out, so a campaign that made its last progress before the
oldest message of its agent's queue was sent has no message in it. Invariants: safe to run any number of times
in parallel; a queue that is merely long gets no duplicates; a broker that lost everything is refilled.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Protocol

from orchestration.ledger.claims import ClaimId
from orchestration.ledger.ledger import Idle, Ledger
from orchestration.wakeups import Wakeups

log = logging.getLogger(__name__)

#: A message on its way between queue and worker is in neither; clocks of several machines differ a little.
IN_FLIGHT = timedelta(seconds=2)
#: Wake a campaign after this long even if its message may still be queued.
PATIENCE = timedelta(minutes=15)


class Queues(Protocol):
    """View of the broker's queues."""

    def oldest(self, queue: str) -> datetime | None:
        """Return when the oldest waiting message of a queue was sent, or None for an empty queue."""
        ...


def lost(idle: Sequence[Idle], oldest: Mapping[str, datetime | None], now: datetime) -> list[Idle]:
    """Return those of ``idle`` that have no message waiting for them."""

    def has_message(one: Idle) -> bool:
        first = oldest.get(one.agent)
        return first is not None and first <= one.since + IN_FLIGHT and now <= one.since + PATIENCE

    return [one for one in idle if not has_message(one)]


def reconcile(ledger: Ledger, wakeups: Wakeups, queues: Queues, *, any_agent: str) -> int:
    """Repair what was dropped, wake the campaigns whose wake-up was lost, and return how many.

    ``any_agent`` names the queue of campaigns that have no agent at work, such as an ended one that is cancelled.
    """
    idle = [Idle(one.campaign_id, one.agent or any_agent, one.step, one.since) for one in ledger.reconcile()]
    if not idle:
        return 0
    agent_of = {one.campaign_id: one.agent for one in idle}
    oldest = {agent: queues.oldest(agent) for agent in set(agent_of.values())}
    woken = ledger.claim_wakeups(lost(idle, oldest, datetime.now(UTC)))
    for at, (campaign_id, step) in enumerate(woken):
        if not wakeups.hop(campaign_id, agent_of[campaign_id], step):
            # A broker that takes nothing is not asked again for each, nor does it make the next attempts rarer.
            ledger.unclaim_wakeups([left for left, _ in woken[at:]])
            return at
    return len(woken)


class OrphanFinder:
    """Gives back claims of this worker that no thread holds, which one thread looks for every few seconds.

    A unit is given back only when two looks both saw the same claim without a holder.
    """

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._suspects: frozenset[ClaimId] = frozenset()

    def look(self) -> int:
        """Give back what was without a holder at this look and the one before, and return how many."""
        found = self._ledger.claims.orphaned(self._ledger.running_here())
        lost = found & self._suspects
        self._suspects = found - lost
        return self._ledger.give_up(lost) if lost else 0
