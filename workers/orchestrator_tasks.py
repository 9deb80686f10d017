"""Celery tasks of the orchestrator: the body of a chord, the ticks, and what is sent by task name.

Invariant: each may run any number of times, in parallel, on any worker.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from celery import Task
from celery.exceptions import Reject
from pydantic import JsonValue

from integrations.log_context import log_context
from orchestration.client import Campaigns
from orchestration.control.expiry import expire_approvals
from orchestration.control.recalibration import recalibrate_due
from orchestration.execution.canvas import ADVANCE_TASK, OUTCOME_TASK, SUBMIT_TASK, CeleryWakeups
from orchestration.execution.list_removals import remove_listed
from orchestration.execution.place_removals import take_off_places
from orchestration.execution.reconcile import reconcile
from orchestration.execution.sweep import sweep
from orchestration.ledger.database import DatabaseUnavailableError
from orchestration.ledger.waiting import BUDGET
from orchestration.ledger.world import WrongWorldError
from orchestration.stores.retention import Retention
from workers.agent_tasks import stopped_by
from workers.app import app
from workers.liveness.broker_queues import BrokerQueues
from workers.runtime import Runtime, runtime

log = logging.getLogger(__name__)


@app.task(name=ADVANCE_TASK, acks_late=True, ignore_result=True)  # type: ignore[untyped-decorator]  # celery is untyped
def advance(campaign_id: str, step: int, stage: int) -> str:
    """Advance a campaign, as the body of a chord.

    Usually the worker of the last unit has advanced it already.
    """
    with log_context(campaign=campaign_id, step=step):
        try:
            return "advanced" if runtime().orchestrator.advance(campaign_id, step, stage) else "nothing to do"
        except DatabaseUnavailableError as error:
            return stopped_by(error)


@app.task(name="orchestration.execution.reconcile", ignore_result=True)  # type: ignore[untyped-decorator]  # celery is untyped
def reconcile_tick() -> int | str:
    """Wake every campaign whose wake-up was lost, and return how many there were.

    Nothing is done in a database that has become one of another mode than this worker's.
    """
    return _in_its_world(_reconcile)


@app.task(name="orchestration.execution.optimizations", ignore_result=True)  # type: ignore[untyped-decorator]  # celery is untyped
def optimizations_tick() -> int | str:
    """Let campaigns whose next optimisation is due go on, and return how many."""
    return _in_its_world(lambda process: process.deferrals.end_optimization_waits(process.ledger.mode))


@app.task(name="orchestration.execution.sweep", ignore_result=True)  # type: ignore[untyped-decorator]  # celery is untyped
def sweep_tick() -> int | str:
    """Ask for the ads of ended campaigns whose schedule is over to be switched off, and return of how many."""
    return _in_its_world(_sweep)


@app.task(name="orchestration.execution.retention", ignore_result=True)  # type: ignore[untyped-decorator]  # celery is untyped
def retention_tick() -> int | str:
    """Remove people from campaigns whose retention is over, and return from how many."""
    return _in_its_world(lambda process: Retention(process.database).sweep())


@app.task(name="orchestration.execution.removals", ignore_result=True)  # type: ignore[untyped-decorator]  # celery is untyped
def removals_tick() -> int | str:
    """Take people off customer lists and places of leads, as is due, and return from how many."""
    return _in_its_world(_remove)


@app.task(name="orchestration.execution.recalibration", ignore_result=True)  # type: ignore[untyped-decorator]  # celery is untyped
def recalibration_tick() -> int | str:
    """Learn again where enough new outcomes have come, and return how many versions of weights were made."""
    return _in_its_world(lambda process: len(recalibrate_due(process.database)))


def _in_its_world(work: Callable[[Runtime], int]) -> int | str:
    """Do what beat asks for and return its figure, or why nothing was done: Postgres is away or of another world."""
    process = runtime()
    try:
        process.ledger.world.require()
        return work(process)
    except (DatabaseUnavailableError, WrongWorldError) as error:
        return stopped_by(error)


def _sweep(process: Runtime) -> int:
    return sweep(process.ledger, process.orchestrator.agents, process.orchestrator.wakeups)


def _remove(process: Runtime) -> int:
    resources = process.orchestrator.resources
    return remove_listed(resources) + take_off_places(resources)


def _reconcile(process: Runtime) -> int:
    expire_approvals(process.ledger, process.verbs)
    _wake_within_budget(process)
    process.deferrals.tick()
    any_agent = next(iter(process.orchestrator.agents))
    return reconcile(process.ledger, process.orchestrator.wakeups, BrokerQueues(app), any_agent=any_agent)


def _wake_within_budget(process: Runtime) -> None:
    """Wake campaigns that wait for budget and whose next call now fits within their spend limits."""
    waiting = process.deferrals.waiting_for(BUDGET)
    if waiting:
        for campaign_id in process.orchestrator.resources.spend.with_room(waiting):
            process.deferrals.wake(BUDGET, campaign_id=campaign_id)


@app.task(name=SUBMIT_TASK, bind=True, acks_late=True, ignore_result=True)  # type: ignore[untyped-decorator]  # celery is untyped
def submit(
    self: Task, /, config: JsonValue = None, idempotency_key: JsonValue = None, *more: JsonValue, **unknown: JsonValue
) -> str:
    """Submit a campaign sent by task name from a program without this project's packages.

    The sender gets no answer, so a refusal is recorded under the key, else under the task's id (``Campaigns.refusal``).
    A file source must name a stored ``file_id``: no path of this machine is read. Nothing but this message holds the
    campaign yet: while Postgres is away it goes back to its queue.
    """
    process = runtime()
    campaigns = Campaigns(process.settings, wakeups=CeleryWakeups(app), database=process.database)
    try:
        found = campaigns.take(config, idempotency_key, task_id=self.request.id, unknown=[*more, *unknown])
    except DatabaseUnavailableError as error:
        stopped_by(error)
        raise Reject(error, requeue=True) from None
    return found or "refused"


@app.task(name=OUTCOME_TASK, bind=True, acks_late=True, ignore_result=True)  # type: ignore[untyped-decorator]  # celery is untyped
def outcome(
    self: Task,
    /,
    lead: JsonValue = None,
    outcome: JsonValue = None,
    at: JsonValue = None,
    campaign: JsonValue = None,
    *more: JsonValue,
    **unknown: JsonValue,
) -> str:
    """Record what came of a lead, as a program without this project's packages sends it.

    The sender gets no answer, so a refusal is recorded under the id of the task (``Campaigns.refusal``). It may be sent
    any number of times; while Postgres is away it goes back to its queue.
    """
    process = runtime()
    campaigns = Campaigns(process.settings, wakeups=CeleryWakeups(app), database=process.database)
    fields = {"lead": lead, "outcome": outcome, "at": at, "campaign": campaign}
    try:
        taken = campaigns.take_outcome(fields, task_id=self.request.id, unknown=[*more, *unknown])
    except DatabaseUnavailableError as error:
        stopped_by(error)
        raise Reject(error, requeue=True) from None
    return "recorded" if taken else "refused"
