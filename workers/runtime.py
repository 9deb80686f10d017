"""Runtime of one worker process: its identity, connection pool, unit slots, heartbeat and orchestrator.

Invariant: the claims of a worker are valid while it sends heartbeats (its lease). A new process is a new worker with an
identity of its own. Other workers declare a worker dead when its lease has expired.
"""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Callable
from functools import cache
from threading import Event
from uuid import uuid4

from celery import Celery

from agents.registry import agents
from integrations.admission import Admission, BreakerChange, BreakerState
from integrations.log_context import log_always
from integrations.settings import Settings, SettingsError
from orchestration import crash_points
from orchestration.client import connected
from orchestration.control.verbs import Verbs
from orchestration.execution.call_guard import CallGuard, admission
from orchestration.execution.canvas import CeleryWakeups
from orchestration.execution.context import Resources
from orchestration.execution.executor import UnitSlots
from orchestration.execution.orchestrator import Orchestrator
from orchestration.execution.reconcile import OrphanFinder
from orchestration.ledger.database import Database
from orchestration.ledger.ledger import Ledger, StopSignals
from orchestration.ledger.schema import migrate
from orchestration.ledger.waiting import Deferrals
from workers.app import app
from workers.liveness.heartbeat import Heartbeat
from workers.liveness.periodic import Periodic
from workers.liveness.watchdog import Watchdog
from workers.task_events import TaskEvents

log = logging.getLogger(__name__)

ORPHANS_S = 5.0  #: between two searches for claims that no thread of this process works on
DEFAULT_SLOTS = 16  #: units that run in parallel, unless UNIT_SLOTS says otherwise


class Runtime:
    """Objects that all tasks of a worker process share."""

    def __init__(self, settings: Settings, celery: Celery, *, slots: int = DEFAULT_SLOTS) -> None:
        if settings.database_url is None:
            raise SettingsError("DATABASE_URL is not set: workers need Postgres, such as postgresql://user@host/name")
        self.settings = settings
        self.draining = Event()
        #: Agents whose queues this process consumes; None until the consumer is up.
        self.served: Callable[[], frozenset[str] | None] = lambda: None
        self.worker = f"{socket.gethostname()}:{os.getpid()}:{uuid4().hex[:8]}"
        log_always(worker=self.worker)
        self.events = TaskEvents()
        self.database = Database(settings.database_url)
        self.ledger = Ledger(self.database, self.worker, settings.mode)
        self.deferrals = Deferrals(self.database)
        self._stopped_work = StopSignals()  #: as of the last heartbeat
        self.admission: Admission | None = admission(settings, on_change=self._on_breaker_change)
        self.guard = CallGuard(settings, self.admission, switched_off=lambda: self._stopped_work.providers)
        self.slots = UnitSlots(slots)
        self.orchestrator = Orchestrator(
            ledger=self.ledger,
            agents=agents(),
            resources=Resources.of(settings, self.database, guard=self.guard),
            wakeups=CeleryWakeups(celery),
            slots=self.slots,
            placement=settings.stage_placement,
            observer=self.events,
            serves=self.serves,
            stopped=lambda campaign_id: campaign_id in self._stopped_work.campaigns,
        )
        self.verbs = Verbs(
            ledger=self.ledger,
            agents=self.orchestrator.agents,
            wakeups=self.orchestrator.wakeups,
            clock=self.orchestrator.resources.clock,
        )
        self._heartbeat = Heartbeat(self.ledger, counted=self._counted, heard=self._hear)
        self._orphans = Periodic("search for orphaned claims", ORPHANS_S, OrphanFinder(self.ledger).look)
        self.watchdog = Watchdog(celery, self.ledger, self._heartbeat, draining=self.draining)

    def serves(self, agent: str) -> bool:
        """Return whether this worker may continue with a hop of ``agent`` (not while it drains)."""
        served = self.served()
        return not self.draining.is_set() and (served is None or agent in served)

    def start(self) -> None:
        """Migrate the schema, and start to send heartbeats and to watch over this process.

        Raises WrongWorldError when MARKETING_MODE is not the database's mode.
        """
        crash_points.check()
        migrate(self.database.url, self.settings.mode)
        self.ledger.world.require()
        self._hear(self.ledger.beat())
        for thread in (self._heartbeat, self._orphans, self.watchdog):
            thread.start()

    def stop(self) -> None:
        """Wait for running units, stop the heartbeat and close the connection pool."""
        self.draining.set()
        self.slots.close()
        for thread in (self.watchdog, self._orphans, self._heartbeat):
            thread.stop()
        if self.admission is not None:
            self.admission.close()
        self.database.close()

    def _hear(self, stopped: StopSignals) -> None:
        self._stopped_work = stopped

    def _counted(self) -> list[dict[str, object]]:
        """Return this process's counters, and whether it can use the fleet's limits and breakers."""
        return [
            *self.orchestrator.resources.counts.snapshot(),
            {"counter": "admission_up", "labels": {}, "value": int(self.guard.healthy)},
        ]

    def _on_breaker_change(self, change: BreakerChange) -> None:
        """Record a breaker's change in the fleet's history, and log it."""
        self.deferrals.note(
            f"breaker_{change.after.value}",
            {"circuit": change.circuit, "before": change.before.value, "reason": change.reason},
        )
        level = logging.INFO if change.after is BreakerState.CLOSED else logging.WARNING
        log.log(level, "breaker %s: %s, was %s (%s)", change.circuit, change.after, change.before, change.reason)


@cache
def runtime() -> Runtime:
    """Return the runtime of this process, which is built on first use."""
    return Runtime(connected(), app, slots=int(os.environ.get("UNIT_SLOTS") or DEFAULT_SLOTS))
