"""One thin task family per agent: ``<agent>.hop`` and ``<agent>.unit``.

Invariant: a task holds no logic. Its message is a wake-up; what is to be done is in the ledger, so a lost,
doubled or late one does no harm. The retry policy of a *unit* is in the ledger too (its attempts are a
column), because a task id changes on redelivery and a unit's key does not.
"""

from __future__ import annotations

import logging
from typing import Any

from celery import Task
from celery.exceptions import Ignore

from agents.registry import agent_names
from integrations.log_context import log_context
from orchestration.execution.canvas import hop_task, requeue, unit_task
from workers.app import app
from workers.runtime import runtime

log = logging.getLogger(__name__)


class AgentTask(Task):  # type: ignore[misc]  # celery is untyped
    """Base of the families: acknowledged late, never retried by Celery itself."""

    abstract = True
    acks_late = True
    max_retries = 0


def _hop(self: AgentTask, campaign_id: str, step: int = 0) -> str:
    """Work on the campaign as far as this worker can; ``step`` is what Flower shows."""
    agent = self.name.removesuffix(".hop")
    process = runtime()
    with log_context(campaign=campaign_id, step=step, agent=agent), process.ledger.claims.scope():
        ended = process.orchestrator.run_hop(campaign_id, agent)
        log.info("hop ended: %s", ended)
        return ended


def _unit(self: AgentTask, campaign_id: str, step: int, stage: int) -> str:
    """Take one unit of a spread stage, then go to the tail of the queue while some are left.

    Publishing the same task again (same id, same chord) lets other campaigns' units in between: a big
    campaign does not starve small ones, and a thousand leads are not a thousand messages.
    """
    process, agent = runtime(), self.name.removesuffix(".unit")
    with log_context(campaign=campaign_id, step=step, agent=agent), process.ledger.claims.scope():
        taken = process.orchestrator.run_slot(campaign_id, step, stage)
    if not taken:
        return "none left"
    requeue(self)
    raise Ignore


def _family(agent: str) -> tuple[Any, Any]:
    hop = app.task(_hop, name=hop_task(agent), base=AgentTask, bind=True, ignore_result=True)
    # A chord counts its header by their results, so these keep theirs (a word each).
    unit = app.task(_unit, name=unit_task(agent), base=AgentTask, bind=True, ignore_result=False)
    return hop, unit


FAMILIES = {agent: _family(agent) for agent in agent_names()}
