"""The project itself as a contender: real submit, real workers, real ledger.

Invariant: the ledger is the witness. After a burst every unit has succeeded, was claimed once and never
ended in an error, and every campaign is completed.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any
from uuid import uuid4

from agents.names import LEAD_GENERATION
from integrations.settings import Mode
from orchestration.control.submission import prepare
from orchestration.execution.canvas import CeleryWakeups, producer
from orchestration.ledger.database import Database
from orchestration.ledger.ledger import Ledger
from tests.bench.celery_workers import CeleryWorkers
from tests.bench.contender import PROCESSES, SLOTS, BrokenPromiseError, Latencies, Place, wait_for
from tests.bench.workload import HOPS, METERED, NOTHING, Workload, bench_agents, config


class ThisProject:
    """Workers of this project in one setting."""

    def __init__(
        self,
        name: str,
        title: str,
        *,
        placement: str = "local",
        events: bool = False,
        hop_messages: bool = False,
        guarded: str = NOTHING,
        processes: int = PROCESSES,
        slots: int = SLOTS,
    ) -> None:
        self.name, self.title = name, title
        self._processes, self._slots = processes, slots
        self._settings = {
            "STAGE_PLACEMENT": placement,
            "BENCH_EVENTS": str(int(events)),
            "BENCH_HOP_MESSAGES": str(int(hop_messages)),
            "BENCH_ADMISSION": guarded,
            **({} if guarded == NOTHING else METERED),
            # A campaign in each slot may have three units under way, as with the other contenders.
            "UNIT_SLOTS": str(3 * slots),
        }
        self._agents = bench_agents()
        self._workers: CeleryWorkers | None = None
        self._submitted: list[str] = []

    def start(self, place: Place) -> None:
        """See :class:`tests.bench.contender.Contender`."""
        self._database = Database(place.database_url, pool_size=2)
        self._ledger = Ledger(self._database, "bench", Mode.SANDBOX)
        self._celery = producer(place.redis_url)
        self._wakeups = CeleryWakeups(self._celery)
        environment = {
            **place.environment,
            **self._settings,
            "DATABASE_URL": place.database_url,
            "REDIS_URL": place.redis_url,
        }
        self._workers = CeleryWorkers("tests.bench.worker_app", folder=place.folder, environment=environment)
        self._workers.start(processes=self._processes, slots=self._slots)

    def pids(self) -> Sequence[int]:
        """Pids of the workers."""
        return self._workers.pids if self._workers else ()

    def alone(self, workload: Workload, campaigns: int) -> Latencies:
        """Latencies from the units' own start times and the ledger's last finish."""
        began = {}
        for _ in range(campaigns):
            at = time.time()
            (campaign_id,) = self._submit(workload, 1)
            began[campaign_id] = at
            self._wait(timeout=60, every=0.005)
        hops: list[float] = []
        for campaign_id in began:
            starts = [
                float(row[0])
                for row in self._database.rows(
                    "SELECT min((result ->> 'at')::float8) FROM marketing.units "
                    "WHERE campaign_id = %s GROUP BY step ORDER BY step",
                    campaign_id,
                )
            ]
            hops += [later - earlier for earlier, later in pairwise(starts)]
        ends = dict(
            self._database.rows(
                "SELECT campaign_id, extract(epoch FROM max(finished_at))::float8 FROM marketing.units "
                "WHERE campaign_id = ANY(%s) GROUP BY campaign_id",
                list(began),
            )
        )
        return Latencies(hops=hops, campaigns=[ends[campaign_id] - at for campaign_id, at in began.items()])

    def burst(self, workload: Workload, campaigns: int) -> None:
        """Submit from this thread, then look at the index of campaigns at work until it is empty."""
        self._submit(workload, campaigns)
        self._wait(timeout=600, every=0.05)

    def verify(self, workload: Workload, campaigns: int) -> None:
        """Ask the ledger."""
        ((done, right, units),) = self._database.rows(
            "SELECT (SELECT count(*) FROM marketing.campaigns WHERE campaign_id = ANY(%s) AND status = 'completed'), "
            "count(*) FILTER (WHERE status = 'succeeded' AND claims = 1 AND attempts = 0 AND crashes = 0), count(*) "
            "FROM marketing.units WHERE campaign_id = ANY(%s)",
            self._submitted,
            self._submitted,
        )
        expected = campaigns * HOPS * workload.units
        if (done, right, units) != (campaigns, expected, expected):
            raise BrokenPromiseError(
                f"{self.name}/{workload.name}: {done} of {campaigns} campaigns completed, "
                f"{right} of {units} units right, {expected} expected"
            )

    def stop(self) -> None:
        """End the workers and close the connections."""
        if self._workers is None:
            return
        self._workers.stop()
        self._workers = None
        self._celery.close()
        self._database.close()

    def _submit(self, workload: Workload, campaigns: int) -> list[str]:
        """What ``Campaigns.submit`` does after its checks: prepare, insert, wake."""
        ids = []
        for _ in range(campaigns):
            row, stage = prepare(config(workload), self._agents, now=datetime.now(UTC), campaign_id=uuid4().hex)
            campaign_id = self._ledger.submit(row, stage).campaign_id
            self._wakeups.hop(campaign_id, LEAD_GENERATION, 0)
            ids.append(campaign_id)
        self._submitted = ids
        return ids

    def _wait(self, *, timeout: float, every: float) -> None:
        statement = "SELECT NOT EXISTS (SELECT FROM marketing.campaigns WHERE status IN ('queued', 'running'))"
        wait_for(lambda: self._ended(statement), timeout=timeout, every=every, what="campaigns to end")

    def _ended(self, statement: str) -> Any:
        return self._database.rows(statement)[0][0]
