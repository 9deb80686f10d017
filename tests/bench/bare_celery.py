"""Bare Celery as a contender: a chain of tasks, or of chords, without a database: nothing is durable.

The messages carry start times only. Invariant: settings are the ones that suit it best: no results but a
chord's, no events, prefetch, a driver that does not subscribe to results nobody reads.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Sequence
from itertools import pairwise
from typing import Any
from uuid import uuid4

import redis
from celery import Celery, chain, group

from tests.bench.celery_workers import CeleryWorkers
from tests.bench.contender import PROCESSES, SLOTS, BrokenPromiseError, Latencies, Place
from tests.bench.workload import HOPS, WORKLOADS, Workload, delay_s

DONE = "bench:done"


def application(redis_url: str) -> Celery:
    """The application of workers and driver."""
    from orchestration.execution.canvas import ORCHESTRATION_QUEUE

    celery = Celery("bench-celery", broker=redis_url, set_as_current=False)
    celery.conf.update(
        result_backend=redis_url,
        task_ignore_result=True,
        task_acks_late=True,
        worker_prefetch_multiplier=4,
        task_default_queue=ORCHESTRATION_QUEUE,
        worker_hijack_root_logger=False,
        worker_send_task_events=False,
    )
    return celery


app = application(os.environ.get("REDIS_URL") or "redis://127.0.0.1:6379/0")
_done = redis.Redis.from_url(os.environ.get("REDIS_URL") or "redis://127.0.0.1:6379/0")


def _work(started: list[float], name: str, campaign_id: str, hop: int, unit: int) -> list[float]:
    begun = time.time()
    wait = delay_s(WORKLOADS[name], campaign_id, hop, unit)
    if wait:
        time.sleep(wait)
    return [*started, begun]


def _finish(started: list[float], campaign_id: str, hop: int) -> None:
    if hop == HOPS - 1:
        _done.lpush(DONE, json.dumps([campaign_id, started, time.time()]))


@app.task(name="bench.hop", ignore_result=True)  # type: ignore[untyped-decorator]  # celery is untyped
def hop_task(started: list[float], name: str, campaign_id: str, hop: int) -> list[float]:
    """A hop of a chain."""
    started = _work(started, name, campaign_id, hop, 0)
    _finish(started, campaign_id, hop)
    return started


@app.task(name="bench.part", ignore_result=False)  # type: ignore[untyped-decorator]  # celery is untyped
def part_task(started: list[float], name: str, campaign_id: str, hop: int, unit: int) -> list[float]:
    """One of a chord's header."""
    return _work(started, name, campaign_id, hop, unit)


@app.task(name="bench.join", ignore_result=True)  # type: ignore[untyped-decorator]  # celery is untyped
def join_task(parts: list[list[float]], campaign_id: str, hop: int) -> list[float]:
    """A chord's body."""
    started: list[float] = min(parts, key=lambda part: part[-1])
    _finish(started, campaign_id, hop)
    return started


@app.on_after_finalize.connect  # type: ignore[untyped-decorator]  # celery is untyped
def _say_ready(**_: Any) -> None:
    from celery import signals

    note = os.environ.get("MARKETING_READY_FILE")
    if note:
        signals.worker_ready.connect(lambda **_: _write(note), weak=False)


def _write(note: str) -> None:
    with open(note, "w", encoding="ascii") as file:
        file.write(str(os.getpid()))


class BareCelery:
    """A chain for one unit a hop, a chain of chords for several."""

    name = "celery"
    title = "bare Celery chain / chords (nothing durable)"

    def __init__(self) -> None:
        self._workers: CeleryWorkers | None = None
        self._finished: list[Any] = []

    def start(self, place: Place) -> None:
        """See :class:`tests.bench.contender.Contender`."""
        self._app = application(place.redis_url)
        for task in (hop_task, part_task, join_task):
            self._app.task(name=task.name, ignore_result=task.ignore_result)(task.run)
        self._redis = redis.Redis.from_url(place.redis_url)
        # Else publishing a chord subscribes to results that nobody reads, at the driver's cost.
        self._app.backend.result_consumer.consume_from = lambda _task_id: None
        environment = {**place.environment, "REDIS_URL": place.redis_url}
        self._workers = CeleryWorkers("tests.bench.bare_celery", folder=place.folder, environment=environment)
        self._workers.start(processes=PROCESSES, slots=SLOTS, queues=("orchestration",))

    def pids(self) -> Sequence[int]:
        """Pids of the workers."""
        return self._workers.pids if self._workers else ()

    def alone(self, workload: Workload, campaigns: int) -> Latencies:
        """From the start times that the messages carry."""
        hops: list[float] = []
        whole: list[float] = []
        for _ in range(campaigns):
            at = time.time()
            self._publish(workload, uuid4().hex)
            _, started, ended = self._next()
            hops += [later - earlier for earlier, later in pairwise(started)]
            whole.append(ended - at)
        return Latencies(hops=hops, campaigns=whole)

    def burst(self, workload: Workload, campaigns: int) -> None:
        """Publish all, then take the notes of their ends."""
        for _ in range(campaigns):
            self._publish(workload, uuid4().hex)
        self._finished = [self._next() for _ in range(campaigns)]

    def verify(self, workload: Workload, campaigns: int) -> None:
        """Each campaign has ended once, after all its hops."""
        ended = {campaign_id for campaign_id, started, _ in self._finished if len(started) == HOPS}
        if len(ended) != campaigns or self._redis.llen(DONE):
            raise BrokenPromiseError(f"{self.name}/{workload.name}: {len(ended)} of {campaigns} campaigns ended")

    def stop(self) -> None:
        """End the workers and close the connections."""
        if self._workers is None:
            return
        self._workers.stop()
        self._workers = None
        self._app.close()
        self._redis.close()

    def _publish(self, workload: Workload, campaign_id: str) -> None:
        tasks = self._app.tasks
        hop, part, join = tasks["bench.hop"], tasks["bench.part"], tasks["bench.join"]
        if workload.units == 1:
            steps = [hop.s(*(([],) if n == 0 else ()), workload.name, campaign_id, n) for n in range(HOPS)]
            chain(*steps, app=self._app).apply_async(ignore_result=True)
            return
        canvas = []
        for n in range(HOPS):
            first: tuple[Any, ...] = ([],) if n == 0 else ()
            header = [part.s(*first, workload.name, campaign_id, n, unit) for unit in range(workload.units)]
            canvas += [group(header, app=self._app), join.s(campaign_id, n)]
        chain(*canvas, app=self._app).apply_async(ignore_result=True)

    def _next(self) -> Any:
        found = self._redis.brpop([DONE], timeout=120)
        if found is None:
            raise TimeoutError("waited 120 s in vain for a campaign to end")
        return json.loads(found[1])
