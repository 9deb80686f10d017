"""Liveness of a fleet as an invariant: soon after the last fault everything that can move moves, whoever lives works.

A fleet that survived an outage in form only (a heartbeat without a consumer, a consumer without slots, a claim without
a thread) completes today's campaigns by luck and stands still tomorrow; this is what tells.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import closing
from typing import Any

import redis
from chaos import ENDED, Chaos
from kombu.exceptions import OperationalError

from agents.registry import agent_names
from orchestration.execution.canvas import hop_task, producer
from orchestration.ledger.lease import GAP_S, LEASE_S

_OPEN = (
    "SELECT FROM marketing.units o WHERE o.campaign_id = c.campaign_id AND o.step = c.step AND o.stage = c.stage "
    "AND o.status IN ('pending', 'unknown', 'running')"
)
#: Nothing of it is to be done now: a person is asked, or its moment, or that of all its units, lies ahead.
EXPLAINED = (
    "c.status IN ('awaiting_approval', 'paused') OR (c.status = 'waiting' AND c.due_at > clock_timestamp()) "
    f"OR (EXISTS ({_OPEN}) AND NOT EXISTS ({_OPEN} AND (o.due_at IS NULL OR o.due_at <= clock_timestamp())))"
)
#: What any work on a campaign changes.
_TRACES = (
    "SELECT c.campaign_id, json_build_array(c.status, c.step, c.stage, c.remaining, c.revision, sum(u.claims), "
    "sum(u.attempts), sum(length(u.journal::text)))::text FROM marketing.campaigns c "
    "LEFT JOIN marketing.units u ON u.campaign_id = c.campaign_id "
    f"WHERE c.campaign_id = ANY(%s) AND c.status <> ALL(%s) AND NOT ({EXPLAINED}) GROUP BY c.campaign_id"
)
_HELD_BY_THE_DEAD = (
    "SELECT u.campaign_id, u.step, u.key, u.worker, w.beat_at FROM marketing.units u "
    "JOIN marketing.campaigns c ON c.campaign_id = u.campaign_id AND c.status <> 'paused' "
    "LEFT JOIN marketing.workers w ON w.worker = u.worker WHERE u.status = 'running' "
    "AND coalesce(w.beat_at, '-infinity') < clock_timestamp() - make_interval(secs => %s)"
)


def assert_alive(chaos: Chaos, handles: Sequence[Any], *, within: float) -> dict[str, float]:
    """AssertionError unless the fleet shows everywhere within so many seconds that it works; how many it took."""
    begun = time.monotonic()
    took: dict[str, float] = {}
    ids = [handle.campaign_id for handle in handles]
    before = dict(chaos.rows(_TRACES, ids, list(ENDED)))

    def soon(what: str, wrong: Callable[[], object]) -> None:
        while found := wrong():
            if time.monotonic() - begun > within:
                raise AssertionError(f"{within:g} s after the last fault {what}: {found}\n{chaos.describe(handles)}")
            chaos.fleet.poll(0.2)
        took[what] = round(time.monotonic() - begun, 1)

    soon("has no heartbeat", lambda: silent(chaos))
    soon("is held by the dead", lambda: chaos.rows(_HELD_BY_THE_DEAD, LEASE_S + GAP_S))

    def still() -> list[str]:
        now = dict(chaos.rows(_TRACES, ids, list(ENDED)))
        return [campaign for campaign, trace in now.items() if before.get(campaign) == trace]

    soon("stands still", still)
    with closing(Takers(chaos)) as takers:
        soon("took no message", takers.idle)
    return took


def assert_drained(chaos: Chaos, *, within: float) -> None:
    """AssertionError unless, now that all is done, queues and unacknowledged messages drain, and no claim is left."""
    begun = time.monotonic()
    with redis.Redis.from_url(chaos.env["REDIS_URL"]) as broker:
        while True:
            left = {queue: broker.llen(queue) for queue in ("orchestration", *agent_names())}
            left["unacked"] = broker.hlen("unacked")
            claims = chaos.rows("SELECT campaign_id, key, worker FROM marketing.units WHERE status = 'running'")
            if not any(left.values()) and not claims:
                return
            if time.monotonic() - begun > within:
                raise AssertionError(f"{within:g} s after the last campaign: {left}, claims {claims}")
            chaos.fleet.poll(0.1)


def silent(chaos: Chaos) -> list[str]:
    """Worker processes that live and have no fresh heartbeat."""
    beating = chaos.rows(
        "SELECT split_part(worker, ':', 2)::integer FROM marketing.workers "
        "WHERE beat_at > clock_timestamp() - make_interval(secs => %s)",
        GAP_S,
    )
    pids = {pid for (pid,) in beating}
    return sorted(name for name, pid in chaos.workers.items() if pid not in pids)


class Takers:
    """Which worker processes take messages: wake-ups for a campaign that nobody has are sent until all took one."""

    def __init__(self, chaos: Chaos) -> None:
        self._chaos = chaos
        self._app = producer(chaos.env["REDIS_URL"])
        self._first: dict[int, int] = {}
        self._last: dict[int, int] = {}

    def idle(self) -> list[str]:
        """Worker processes that have taken no message since this was first asked, as they say themselves."""
        try:
            self._last = self._counts()
            for pid, taken in self._last.items():
                self._first.setdefault(pid, taken)
            if found := self._missing():
                for agent in agent_names():
                    for _ in range(len(self._chaos.workers)):
                        self._app.send_task(hop_task(agent), args=("nobody", 0), queue=agent, ignore_result=True)
            return found
        except (redis.RedisError, OperationalError) as error:  # ours, with the broker
            return [repr(error)]

    def _missing(self) -> list[str]:
        return sorted(
            name
            for name, pid in self._chaos.workers.items()
            if self._last.get(pid, 0) <= self._first.get(pid, self._last.get(pid, 0))
        )

    def _counts(self) -> dict[int, int]:
        answers = self._app.control.inspect(timeout=1.0).stats() or {}
        return {stats["pid"]: sum(stats["total"].values()) for stats in answers.values()}

    def close(self) -> None:
        """Leave the broker."""
        self._app.close()
