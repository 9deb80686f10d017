"""Two Celery tasks per agent: ``<agent>.hop`` and ``<agent>.unit``.

Invariant: a task has no logic of its own. Its message is only a wake-up and the ledger says what to do, so a lost,
duplicated or late message does no harm. The attempts of a unit are counted in the ledger too, because a task id
changes on redelivery and the key of a unit does not.
"""

from __future__ import annotations

import logging

from celery import Task
from celery.exceptions import Ignore

from agents.registry import agent_names
from integrations.log_context import log_context
from orchestration.execution.canvas import hop_task, requeue, unit_task
from orchestration.ledger.database import DatabaseUnavailableError
from orchestration.ledger.world import WrongWorldError
from workers.app import app
from workers.runtime import runtime

log = logging.getLogger(__name__)


class AgentTask(Task):  # type: ignore[misc]  # celery is untyped
    """Base class of agents' tasks, which are acknowledged late and never retried by Celery."""

    abstract = True
    acks_late = True
    max_retries = 0


def stopped_by(error: DatabaseUnavailableError | WrongWorldError) -> str:
    """Log that a task ends because Postgres is away or of another world, and return its result.

    Its claims end with it: the search for orphaned claims gives them back, and reconcile wakes their campaigns.
    """
    log.warning("stopped by the database: %s", error)
    return "database away"


def _hop(self: AgentTask, campaign_id: str, step: int = 0) -> str:
    """Run the campaign's current hop, and following ones as far as this worker can.

    ``step`` is shown in Flower only.
    """
    agent = self.name.removesuffix(".hop")
    process = runtime()
    with log_context(campaign=campaign_id, step=step, agent=agent), process.ledger.claims.scope():
        try:
            ended = process.orchestrator.run_hop(campaign_id, agent)
        except DatabaseUnavailableError as error:
            return stopped_by(error)
        log.info("hop ended: %s", ended)
        return ended


def _unit(self: AgentTask, campaign_id: str, step: int, stage: int) -> str:
    """Run one unit of a stage that is spread over the fleet, then requeue this task while units are left.

    Publishing the same task again (same id, same chord) lets units of other campaigns run in between, so a big
    campaign does not starve small ones, and a thousand leads don't need a thousand messages.
    """
    process, agent = runtime(), self.name.removesuffix(".unit")
    with log_context(campaign=campaign_id, step=step, agent=agent), process.ledger.claims.scope():
        try:
            taken = process.orchestrator.run_slot(campaign_id, step, stage)
        except DatabaseUnavailableError as error:
            return stopped_by(error)
    if not taken:
        return "none left"
    if not requeue(self):
        return "not requeued"
    raise Ignore


def _register(agent: str) -> tuple[Task, Task]:
    hop = app.task(_hop, name=hop_task(agent), base=AgentTask, bind=True, ignore_result=True)
    # A chord counts the results of its header, so these tasks store theirs (a word each).
    unit = app.task(_unit, name=unit_task(agent), base=AgentTask, bind=True, ignore_result=False)
    return hop, unit


#: Hop task and unit task by agent.
TASKS = {agent: _register(agent) for agent in agent_names()}
