"""What the fault injector promises to tests: each kind of fault is what it says, and a plan may be repeated."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import faults
import postgres_faults
import psycopg2
import pytest
import redis
import redis_faults
from redis.backoff import NoBackoff
from redis.retry import Retry
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from orchestration.ledger.database import Database, DatabaseUnavailableError
from orchestration.ledger.own_connection import OwnConnection

NOTE = "INSERT INTO marketing.fleet_events (kind) VALUES ('test') RETURNING id"
NOTES = "SELECT count(*) FROM marketing.fleet_events"


class Once:
    """Injects one fault of one kind into the next call of one operation."""

    def __init__(self) -> None:
        self.next: tuple[str, str] | None = None
        self.seen: list[str] = []

    def __call__(self, operation: str, kinds: tuple[str, ...]) -> str | None:
        self.seen.append(operation)
        if self.next is None or self.next[0] != operation:
            return None
        (_, kind), self.next = self.next, None
        assert kind in kinds
        return kind


@contextmanager
def installed(install: Callable[[Once], Callable[[], None]]) -> Iterator[Once]:
    once = Once()
    undo = install(once)
    try:
        yield once
    finally:
        undo()


def test_the_faults_of_postgres_are_what_they_are_called(database_url: str) -> None:
    with (
        installed(postgres_faults.install) as once,
        closing(Database(database_url, patience_s=0.0)) as hasty,
        closing(Database(database_url)) as patient,
    ):
        for kind, carried_out in [*((kind, 0) for kind in ("lost", "57P01", *postgres_faults.STATES)), ("done", 1)]:
            before = hasty.value(NOTES)
            once.next = "postgres.insert_fleet_events", kind
            with pytest.raises(DatabaseUnavailableError):
                hasty.run(NOTE)
            assert hasty.value(NOTES) == before + carried_out, kind
            once.next = "postgres.insert_fleet_events", kind
            assert patient.value(NOTE)
            assert hasty.value(NOTES) == before + 2 * carried_out + 1, kind
        for operation, kind in [("postgres.pool", "pool"), ("postgres.connect", "refused")]:
            patient.engine.dispose()
            once.next = operation, kind
            assert patient.value(NOTE)
            assert once.next is None
        once.next = "postgres.pool", "pool"
        with pytest.raises(PoolTimeoutError):
            hasty.engine.raw_connection()
        once.next = "postgres.commit", "done"
        before = hasty.value(NOTES)
        with pytest.raises(DatabaseUnavailableError):
            hasty.transaction(lambda work: work.run(NOTE))
        assert hasty.value(NOTES) == before + 1
        own = OwnConnection(database_url, deadline_s=5.0)
        for kind in postgres_faults.KINDS:
            assert own.rows("SELECT 1") == [(1,)]
            once.next = "postgres.insert_fleet_events", kind
            with pytest.raises(DatabaseUnavailableError):
                own.rows(NOTE)
        own.close()
    assert {"postgres.begin", "postgres.set", "postgres.select_fleet_events"} <= set(once.seen)
    with closing(psycopg2.connect(database_url.replace("+psycopg2", ""))):
        pass


def test_the_faults_of_redis_are_what_they_are_called(redis_url: str) -> None:
    with (
        installed(redis_faults.install) as once,
        redis.Redis.from_url(redis_url, retry=Retry(NoBackoff(), 0)) as client,
    ):
        raised = {
            "lost": redis.exceptions.ConnectionError,
            "timeout": redis.exceptions.TimeoutError,
            "done": redis.exceptions.TimeoutError,
            "READONLY": redis.exceptions.ReadOnlyError,
            "OOM": redis.exceptions.OutOfMemoryError,
            "LOADING": redis.exceptions.BusyLoadingError,
        }
        for kind, error in raised.items():
            before = int(client.get("n") or 0)
            once.next = "redis.INCRBY", kind
            with pytest.raises(error):
                client.incr("n")
            assert int(client.get("n") or 0) == before + (kind == "done"), kind
            once.next = "redis.PIPELINE", kind
            with pytest.raises(error), client.pipeline() as pipeline:
                pipeline.incr("n").incr("n").execute()
            assert int(client.get("n") or 0) == before + 3 * (kind == "done"), kind
        script = client.register_script("return redis.call('incr', KEYS[1])")
        script(keys=["n"])
        before = int(client.get("n"))
        once.next = "redis.EVALSHA", "NOSCRIPT"
        assert script(keys=["n"]) == before + 1


def test_a_plan_draws_the_same_for_the_same_process_and_ends_when_it_is_taken_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(faults, "READ_EVERY_S", 0.0)
    path = tmp_path / "plan.json"
    plan = faults.FaultPlan(seed=1, rates={"postgres.beat": 0.0, "postgres.*": 0.5}, kinds=("lost", "4*"))
    plan.write(path)

    def drawn(name: str) -> list[str | None]:
        injector = faults.Injector(path, name)
        return [injector.draw("postgres.finish", postgres_faults.KINDS) for _ in range(40)]

    first = drawn("worker-1")
    assert set(first) == {None, "lost", "40001"}
    assert drawn("worker-1") == first
    assert drawn("worker-2") != first
    injector = faults.Injector(path, "w")
    assert not any(injector.draw("postgres.beat", postgres_faults.KINDS) for _ in range(40))
    assert not any(injector.draw("redis.GET", redis_faults.BROKEN) for _ in range(40))
    assert faults.injected(path).keys() == {("postgres.finish", "lost"), ("postgres.finish", "40001")}
    path.unlink()
    assert not any(injector.draw("postgres.finish", postgres_faults.KINDS) for _ in range(40))


def test_statements_are_named_by_what_they_do() -> None:
    name = postgres_faults.operation
    assert name("SELECT marketing.finish(%s, %s)") == "finish"
    assert name("SELECT u.key FROM marketing.take(%s) AS u ORDER BY u.ordinal") == "take"
    assert name("UPDATE marketing.units u SET journal = '{}'") == "update_units"
    assert name("COMMIT") == "commit"
    assert name("SET statement_timeout = '30s'; SET x = 1") == "set"
    assert redis_faults.commands(b"*2\r\n$3\r\nGET\r\n$5\r\n*1\r\n$\r\n*1\r\n$4\r\nEXEC\r\n") == ["GET", "EXEC"]
