"""Sweep over ended campaigns: their ads keep to the schedule, and after it nothing runs and no money is held.

A platform ends ads by itself at their end date; not one that has none, or whose date a person has moved. Invariant:
what is asked for here is a row that any worker carries out (:mod:`orchestration.execution.ad_switching`), so the sweep
may run any number of times, side by side, and be lost at any line.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping

from agents.base import BaseAgent
from agents.stop_all import stopping_agent
from agents.versions import UnknownVersionError
from orchestration.ledger.ad_ends import over
from orchestration.ledger.ad_switches import AdSwitches
from orchestration.ledger.ledger import Ledger
from orchestration.wakeups import Wakeups

log = logging.getLogger(__name__)

BATCH = 50  #: campaigns of one tick


def sweep(ledger: Ledger, agents: Mapping[str, BaseAgent], wakeups: Wakeups) -> int:
    """Ask for what still runs of up to :data:`BATCH` campaigns to be switched off, and return of how many."""
    due = over(ledger.database, ledger.mode, BATCH)
    return sum(_asked(campaign_id, ledger, agents, wakeups) for campaign_id in due)


def _asked(campaign_id: str, ledger: Ledger, agents: Mapping[str, BaseAgent], wakeups: Wakeups) -> bool:
    try:
        row = ledger.load(campaign_id)
    except UnknownVersionError as error:  # a newer worker will take it
        log.info("%s", error)
        return False
    if row is None:
        return False
    agent = stopping_agent(row.state, agents)
    if not AdSwitches(ledger).end(row, agent=agent):
        return False
    wakeups.hop(campaign_id, agent, row.step)  # one that is lost is made up for by reconcile
    return True
