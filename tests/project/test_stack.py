"""The fixtures that all tests stand on: what they hand out must be clean, real and separate."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import closing
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


def test_a_database_that_was_given_back_is_as_new(databases: stack.Databases) -> None:
    url = databases.new()  # one that was used often would be dropped
    (began,) = query(url, "INSERT INTO marketing.fleet_events (kind, actor, data) VALUES ('x', 'y', '{}') RETURNING id")
    with closing(psycopg2.connect(url.replace("+psycopg2", "", 1))) as left_open:
        databases.give_back(url)
        assert databases.create() == url
        with pytest.raises(psycopg2.Error):
            left_open.cursor().execute("SELECT 1")
    assert query(url, "SELECT count(*) FROM marketing.fleet_events") == [(0,)]
    again = query(url, "INSERT INTO marketing.fleet_events (kind, actor, data) VALUES ('x', 'y', '{}') RETURNING id")
    assert again == [began]
    databases.drop(url)


@pytest.mark.parametrize(
    "change",
    [
        "CREATE TABLE one_more (x int)",
        "ALTER TABLE marketing.units ADD COLUMN one_more int",
        "ALTER TABLE marketing.units ALTER COLUMN attempts SET DEFAULT 7",
        "DROP INDEX marketing.{index}",
        "DROP SCHEMA marketing CASCADE",
        "CREATE FUNCTION one_more() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "CREATE OR REPLACE FUNCTION {function} LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''other''; END'",
        "ALTER DATABASE {database} SET work_mem = '1MB'",
        "DELETE FROM {versions}",
    ],
)
def test_a_database_that_was_altered_is_not_handed_out_again(databases: stack.Databases, change: str) -> None:
    url = databases.create()
    name = make_url(url).database
    plain = "SELECT indexname FROM pg_indexes WHERE schemaname = 'marketing' AND indexdef NOT LIKE '%UNIQUE%'"
    (index,) = query(url, plain)[0]
    (function,) = query(
        url,
        "SELECT 'marketing.' || proname || '(' || pg_get_function_arguments(p.oid) || ') RETURNS ' || "
        "pg_get_function_result(p.oid) FROM pg_proc p JOIN pg_language l ON l.oid = prolang "
        "WHERE pronamespace = 'marketing'::regnamespace AND lanname = 'plpgsql' LIMIT 1",
    )[0]
    (versions,) = query(url, "SELECT oid::regclass::text FROM pg_class WHERE relname = 'alembic_version'")[0]
    query(url, change.format(index=index, function=function, database=name, versions=versions))
    databases.give_back(url)
    assert query(databases.create(), "SELECT datname FROM pg_database").count((name,)) == 0


def test_a_redis_database_is_empty_however_often_it_was_used(redis_url: str) -> None:
    server = stack.RedisDatabases(redis_url)
    seen = set()
    for _ in range(20):
        url = server.next()
        seen.add(url)
        with redis.Redis.from_url(url) as client:
            assert client.dbsize() == 0
            client.set("left", "behind")
    assert len(seen) == 16


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
