"""The fixtures that all tests stand on: what they hand out must be clean, real and separate."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import psycopg2
import pytest
import redis
import stack
from sqlalchemy import make_url


def query(url: str, statement: str) -> list[tuple[Any, ...]]:
    with psycopg2.connect(url.replace("+psycopg2", "", 1)) as connection, connection.cursor() as cursor:
        cursor.execute(statement)
        rows = list(cursor.fetchall()) if cursor.description else []
    connection.close()
    return rows


def test_a_database_is_migrated_and_empty(database_url: str) -> None:
    tables = query(database_url, "SELECT tablename FROM pg_tables WHERE schemaname = 'marketing'")
    assert {"campaigns", "units", "checkpoints", "events"} <= {name for (name,) in tables}
    assert query(database_url, "SELECT count(*) FROM marketing.campaigns") == [(0,)]


def test_databases_are_separate(databases: stack.Databases, database_url: str) -> None:
    other = databases.create()
    query(other, "CREATE TABLE only_here (x int)")
    assert query(database_url, "SELECT to_regclass('only_here')") == [(None,)]
    databases.drop(other)
    present = query(database_url, "SELECT datname FROM pg_database")
    assert (make_url(other).database,) not in present


def test_a_redis_database_is_empty_however_often_it_was_used(redis_url: str) -> None:
    server = stack.RedisDatabases(redis_url)
    seen = set()
    for _ in range(20):
        url = server.next()
        seen.add(url)
        with redis.Redis.from_url(url) as client:
            assert client.dbsize() == 0
            client.set("left", "behind")
    assert len(seen) == 8  # every second one of 16


def test_the_sandbox_is_reset_between_tests(sandbox: stack.Sandbox) -> None:
    sandbox.post("/_sandbox/faults", {"provider": "openai", "mode": "down", "seconds": 60, "rate": 1})
    sandbox.reset()
    state = sandbox.get("/_sandbox/state")
    assert state["ad_campaigns"] == []
    assert state["llm"]["calls"] == 0


def test_wait_until_returns_what_came(wait_until: Callable[..., Any]) -> None:
    asked = iter([None, 0, "", "here"])
    assert wait_until(lambda: next(asked)) == "here"


def test_wait_until_says_what_was_waited_for(wait_until: Callable[..., Any]) -> None:
    start = time.monotonic()
    with pytest.raises(AssertionError, match=r"waited 0\.1 s in vain for the kettle; last value: 0"):
        wait_until(lambda: 0, timeout=0.1, message="the kettle")
    assert time.monotonic() - start < 5
