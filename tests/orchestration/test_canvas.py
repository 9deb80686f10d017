"""Messages say when they were sent, and a test may have some of them delivered twice."""

from __future__ import annotations

import json
import time
from collections import Counter
from typing import Any

import pytest
import redis

from integrations.settings import SettingsError
from orchestration.execution.canvas import SENT_AT_HEADER, CeleryWakeups, duplicate_every, producer, stamp_messages


def messages(redis_url: str, queue: str) -> list[dict[str, Any]]:
    """What waits in a queue, oldest first."""
    with redis.Redis.from_url(redis_url) as client:
        return [json.loads(raw)["headers"] for raw in reversed(client.lrange(queue, 0, -1))]


def test_every_message_says_when_it_was_sent(redis_url: str) -> None:
    before = time.time()
    with producer(redis_url) as app:
        CeleryWakeups(app).hop("c1", "analytics", 3)
        # A task that goes to the tail of its queue brings its old headers along.
        app.send_task("analytics.unit", queue="analytics", headers={SENT_AT_HEADER: 1.0}, ignore_result=True)
    found = messages(redis_url, "analytics")
    assert [m["task"].rpartition(".")[2] for m in found] == ["hop", "unit"]
    assert all(before <= m[SENT_AT_HEADER] <= time.time() for m in found)
    assert sorted(found, key=lambda m: m[SENT_AT_HEADER]) == found


def test_every_nth_message_comes_twice(redis_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHAOS_DUPLICATE_EVERY", "5")
    with producer(redis_url) as app:
        for number in range(10):
            CeleryWakeups(app).hop(f"c{number}", "analytics", 0)  # stamped once, however many there are
        stamp_messages(app, double_every=1)
    times = Counter(m["id"] for m in messages(redis_url, "analytics"))
    assert len(times) == 10
    assert sorted(times.values()) == [1] * 8 + [2] * 2


def test_a_bad_number_is_refused() -> None:
    assert duplicate_every(None) == duplicate_every("") == 0
    assert duplicate_every("3") == 3
    for value in ("0", "-1", "often", "1.5"):
        with pytest.raises(SettingsError, match=f"CHAOS_DUPLICATE_EVERY='{value}' is not a whole number from 1"):
            duplicate_every(value)
