"""The tick: repair what was dropped, wake what was lost, let waits and questions run out.

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

from orchestration.ledger.ledger import Idle, Ledger
from orchestration.wakeups import Wakeups

log = logging.getLogger(__name__)

#: A message on its way between queue and worker is in neither; clocks of several machines differ a little.
IN_FLIGHT = timedelta(seconds=2)
#: No evidence lasts for ever: what has waited for so long is woken whatever the queue says.
PATIENCE = timedelta(minutes=15)


class Queues(Protocol):
    """What can be seen of the broker's queues."""

    def oldest(self, queue: str) -> datetime | None:
        """When the oldest waiting message of a queue was sent; None for an empty queue."""
        ...


def lost(idle: Sequence[Idle], oldest: Mapping[str, datetime | None], now: datetime) -> list[Idle]:
    """Those of ``idle`` that have no message waiting for them. Pure."""
    found = []
    for one in idle:
        first = oldest.get(one.agent)
        if first is None or one.since + IN_FLIGHT < first or one.since + PATIENCE < now:
            found.append(one)
    return found


def reconcile(ledger: Ledger, wakeups: Wakeups, queues: Queues, *, any_agent: str) -> int:
    """Repair what was dropped and wake what was lost; return how many campaigns were woken.

    ``any_agent`` names the queue of campaigns that have no agent at work, such as an ended one that is cancelled.
    """
    idle = [Idle(one.campaign_id, one.agent or any_agent, one.step, one.since) for one in ledger.reconcile()]
    if not idle:
        return 0
    agent_of = {one.campaign_id: one.agent for one in idle}
    oldest = {agent: queues.oldest(agent) for agent in set(agent_of.values())}
    woken = ledger.claim_wakeups(lost(idle, oldest, datetime.now(UTC)))
    for one in woken:
        wakeups.hop(one.campaign_id, agent_of[one.campaign_id], one.step)
    return len(woken)
