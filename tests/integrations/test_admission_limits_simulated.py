"""Limits under any arrivals and under load: callers, their lateness and the clock are simulated, Redis is real."""

from __future__ import annotations

import heapq
import itertools
import random
from collections import Counter, deque
from dataclasses import dataclass, field

import pytest
import redis
from hypothesis import given
from hypothesis import strategies as st

from integrations.admission import Admission, Breaker, Circuit, Limit
from integrations.errors import OverLimitError

P = Circuit("p")
START = 1_000_000.0


def fullest_window(times: list[float], period_s: float) -> int:
    """The most admissions in any window of ``period_s`` (one end of it excluded)."""
    return max(sum(at <= other < at + period_s for other in times) for at in times)


def admission(redis_url: str, limit: Limit) -> Admission:
    with redis.Redis.from_url(redis_url) as client:
        client.flushdb()
    return Admission(redis_url, breaker=Breaker(), limits={"p": limit})


@given(
    requests=st.integers(1, 6),
    period_s=st.sampled_from([1.0, 7.0, 60.0]),
    arrivals=st.lists(
        # seconds since the one before in tenths of the period; who; how late for its slot, or None: when it likes
        st.tuples(st.integers(0, 8), st.integers(0, 12), st.none() | st.integers(0, 20)),
        max_size=60,
    ),
)
def test_no_window_is_ever_fuller_than_the_limit(
    property_redis_url: str, requests: int, period_s: float, arrivals: list[tuple[int, int, int | None]]
) -> None:
    asked = admission(property_redis_url, Limit(requests, period_s))
    now, due, admitted = START, dict[str, float](), list[float]()
    for step, who, late in arrivals:
        holder = f"h{who}"
        now = round(now + step * period_s / 10, 6)
        if late is not None and holder in due:
            now = max(now, round(due[holder] + late * period_s / 20, 6))
        try:
            ticket = asked.admit(P, holder=holder, campaign=f"c{who % 4}", lease_s=9, now=now)
        except OverLimitError as error:
            due[holder] = now + (error.retry_after or 0.0)
        else:
            due.pop(holder, None)
            admitted.append(ticket.at)
    asked.close()
    assert not admitted or fullest_window(admitted, period_s) <= requests


@pytest.fixture(scope="module")
def property_redis_url(redis_databases: object) -> str:
    """One database for all the examples of a property; they flush it."""
    return redis_databases.next()  # type: ignore[attr-defined]  # stack.RedisDatabases


@dataclass
class Fleet:
    """Campaigns that begin their units in order, hold back when told ``share``, and come back when told."""

    asked: Admission
    late_s: float = 0.0  #: callers come back up to this much after their time
    admitted: list[float] = field(default_factory=list)
    ended: dict[str, float] = field(default_factory=dict)  #: campaign -> its last admission
    deferrals: Counter[str] = field(default_factory=Counter)

    def run(self, campaigns: dict[str, tuple[int, float]]) -> None:
        """Units and starting time, in seconds, by campaign."""
        chance, order = random.Random(7), itertools.count()
        units = {name: deque(f"{name} {i}" for i in range(n)) for name, (n, _) in campaigns.items()}
        agenda = [(START + at, next(order), name, "") for name, (_, at) in campaigns.items()]
        heapq.heapify(agenda)
        while agenda:
            now, _, campaign, known = heapq.heappop(agenda)
            if not known and not units[campaign]:
                continue
            holder = known or units[campaign].popleft()
            try:
                self.asked.admit(P, holder=holder, campaign=campaign, lease_s=9, now=now)
            except OverLimitError as error:
                again = now + (error.retry_after or 0.0)
                if error.detail == "share" and not known:
                    units[campaign].appendleft(holder)
                    heapq.heappush(agenda, (again, next(order), campaign, ""))
                    continue
                self.deferrals[holder] += 1
                heapq.heappush(agenda, (again + chance.random() * self.late_s, next(order), campaign, holder))
            else:
                self.admitted.append(now)
                self.ended[campaign] = now - START
            if not known:
                heapq.heappush(agenda, (now, next(order), campaign, ""))

    def utilisation(self, limit: Limit) -> float:
        assert limit.requests
        span = self.admitted[-1] - self.admitted[0]
        return (len(self.admitted) - 1) / span / (limit.requests / limit.period_s)


def test_a_small_campaign_ends_long_before_a_big_one_and_the_limit_is_used(redis_url: str) -> None:
    limit = Limit(10, 1.0)
    fleet = Fleet(admission(redis_url, limit))
    fleet.run({"big": (1000, 0.0), "small": (10, 5.0)})
    assert fleet.utilisation(limit) >= 0.9
    assert fleet.ended["small"] < 10
    assert fleet.ended["big"] > 90
    assert set(fleet.deferrals.values()) == {1}  # a reservation is a promise
    assert fullest_window(fleet.admitted[:300], 1.0) <= 10
    fleet.asked.close()


@pytest.mark.parametrize(("limit", "late_s"), [(Limit(10, 1.0), 0.1), (Limit(300, 60.0), 1.0), (Limit(20, 2.0), 0.5)])
def test_latecomers_cost_little_of_the_limit(redis_url: str, limit: Limit, late_s: float) -> None:
    fleet = Fleet(admission(redis_url, limit), late_s=late_s)
    fleet.run({"big": (300, 0.0), "small": (10, 5.0)})
    assert fleet.utilisation(limit) >= 0.9
    assert fleet.ended["small"] < 15
    assert fleet.ended["big"] > 30
    assert fullest_window(fleet.admitted, limit.period_s) <= (limit.requests or 0)
    fleet.asked.close()
