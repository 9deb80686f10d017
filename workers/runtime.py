"""What one worker process holds: its incarnation, its pool, its slots and the orchestrator.

Invariant: a lease is the life of an incarnation. A new process is a new worker, beats each second while
it lives, and is declared dead by others when it does not; it never declares itself.
"""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Callable
from functools import cache
from itertools import count
from threading import Event, Thread
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
from orchestration.ledger.claims import OrphanFinder
from orchestration.ledger.database import Database, DatabaseUnavailableError
from orchestration.ledger.ledger import Ledger, Stopped
from orchestration.ledger.schema import migrate
from orchestration.ledger.waiting import Deferrals
from workers.app import app
from workers.task_events import TaskEvents

log = logging.getLogger(__name__)

BEAT_S = 1.0
STRAY_BEATS = 5  #: beats between two looks for claims that nobody in this process works on any more
DEFAULT_SLOTS = 16


class Runtime:
    """The parts that all tasks of the process share."""

    def __init__(self, settings: Settings, celery: Celery, *, slots: int = DEFAULT_SLOTS) -> None:
        if settings.database_url is None:
            raise SettingsError("DATABASE_URL is not set: workers need Postgres, such as postgresql://user@host/name")
        self.settings = settings
        self.draining = Event()
        self._stopped = Event()
        #: Agents whose queues this process consumes; None until the consumer is up.
        self.served: Callable[[], frozenset[str] | None] = lambda: None
        self.worker = f"{socket.gethostname()}:{os.getpid()}:{uuid4().hex[:8]}"
        log_always(worker=self.worker)
        self.events = TaskEvents()
        self.database = Database(settings.database_url)
        self.ledger = Ledger(self.database, self.worker)
        self.deferrals = Deferrals(self.database)
        self._told = Stopped()  #: what was stopped, as of the last beat
        self.admission: Admission | None = admission(settings, on_change=self._note)
        self.guard = CallGuard(settings, self.admission, switched_off=lambda: self._told.providers)
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
            stopped=lambda campaign_id: campaign_id in self._told.campaigns,
        )
        self.verbs = Verbs(
            ledger=self.ledger,
            agents=self.orchestrator.agents,
            wakeups=self.orchestrator.wakeups,
            clock=self.orchestrator.resources.clock,
        )
        self._beating = Thread(target=self._beat, name="beat", daemon=True)

    def serves(self, agent: str) -> bool:
        """May this worker go on with a hop of ``agent`` now? Not while it drains: a shutdown ends at the border."""
        served = self.served()
        return not self.draining.is_set() and (served is None or agent in served)

    def start(self) -> None:
        """Bring the schema up to date and begin to beat."""
        crash_points.check()
        migrate(self.database.url)
        self._told = self.ledger.beat()
        self._beating.start()

    def stop(self) -> None:
        """Wait for running units, stop beating and close the pool."""
        self.draining.set()
        self.slots.close()
        self._stopped.set()
        self._beating.join(timeout=5 * BEAT_S)
        if self.admission is not None:
            self.admission.close()
        self.database.close()

    def _beat(self) -> None:
        stray = OrphanFinder(self.ledger.claims, self.ledger)
        for beats in count(1):
            if self._stopped.wait(BEAT_S):
                return
            try:
                self._told = self.ledger.beat(self._counted())
                if beats % STRAY_BEATS == 0:
                    stray.look()
            except DatabaseUnavailableError as error:
                log.warning("no beat: %s", error)

    def _counted(self) -> list[dict[str, object]]:
        """What this process has counted, and whether its admission works."""
        return [
            *self.orchestrator.resources.counts.snapshot(),
            {"counter": "admission_up", "labels": {}, "value": int(self.guard.healthy)},
        ]

    def _note(self, change: BreakerChange) -> None:
        """A breaker's change is an event of the fleet; what waits for a provider that works again looks again."""
        self.deferrals.note(
            f"breaker_{change.after.value}",
            {"circuit": change.circuit, "before": change.before.value, "reason": change.reason},
        )
        level = logging.INFO if change.after is BreakerState.CLOSED else logging.WARNING
        log.log(level, "breaker %s: %s, was %s (%s)", change.circuit, change.after, change.before, change.reason)


@cache
def runtime() -> Runtime:
    """The runtime of this process, built on first use."""
    return Runtime(connected(Settings.from_env()), app, slots=int(os.environ.get("UNIT_SLOTS") or DEFAULT_SLOTS))
