"""``campaigns doctor`` on real trouble: red while nothing moves, with the reason, and green again right after."""

from __future__ import annotations

import json
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import psycopg2
import pytest
import redis
from ad_platforms import without_package
from command_line import Answer, Command

from orchestration.ledger.database import Database
from workers.cli.doctor_machine import FULL_BYTES, NEARLY_FULL_BYTES, room
from workers.cli.doctor_services import TimeLimitError, within

CAMPAIGN = "name: Launch\ntarget_audience: {industry: saas}\n"
#: A process that has run for longer than this test.
OLD = min(psutil.process_iter(), key=lambda process: process.create_time()).pid


@pytest.fixture
def database(database_url: str, redis_url: str) -> Iterator[Database]:
    """The ledger that the doctor looks at."""
    os.environ.update({"DATABASE_URL": database_url, "REDIS_URL": redis_url})
    made = Database(database_url, pool_size=1)
    made.check()
    yield made
    made.close()


def beat(database: Database, *, pid: int = OLD, ago: float = 0.0, fresh_for: float = 1000.0) -> None:
    """A worker of this machine whose last heartbeat was ``ago`` seconds before now."""
    database.run(
        "INSERT INTO marketing.workers (worker, beat_at, fresh_since) VALUES (%s, "
        "clock_timestamp() - make_interval(secs => %s), clock_timestamp() - make_interval(secs => %s)) "
        "ON CONFLICT (worker) DO UPDATE SET beat_at = excluded.beat_at",
        f"{socket.gethostname()}:{pid}:aa", ago, fresh_for,
    )  # fmt: skip


def troubles(answer: Answer, state: str = "stuck") -> list[str]:
    return [f"{one['check']}: {one['text']}" for one in answer.json["checks"] if one["state"] == state]


def submit(campaigns: Command, folder: Path) -> str:
    file = folder / "campaign.yaml"
    file.write_text(CAMPAIGN)
    campaign_id: str = campaigns("submit", file, "--json").json["campaign_id"]
    return campaign_id


def test_a_package_that_is_missing_is_named(
    campaigns: Command, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not [told for told in troubles(campaigns("doctor", "--json"), "warning") if told.startswith("Package")]
    without_package(monkeypatch, "google_ads")
    (told,) = [one for one in troubles(campaigns("doctor", "--json"), "warning") if one.startswith("Package")]
    assert told.endswith("pip install 'marketing-agents[google]'")


def test_no_worker_for_a_campaign(campaigns: Command, database: Database, tmp_path: Path) -> None:
    assert campaigns("doctor", "--json").code == 0  # nothing to do, nobody needed
    submit(campaigns, tmp_path)
    answer = campaigns("doctor", "--json")
    assert (answer.code, answer.json["ok"]) == (1, False)
    assert troubles(answer) == ["Progress: no worker is there for 1 queued or running campaign: start `campaigns up`"]
    beat(database)
    assert campaigns("doctor", "--json").code == 0


def test_a_worker_that_runs_and_is_silent(campaigns: Command, database: Database) -> None:
    beat(database, ago=20)
    beat(database, pid=2**22 + 1, ago=20)  # no such process: it has died, which is no trouble by itself
    answer = campaigns("doctor", "--json")
    assert answer.code == 1
    (told,) = troubles(answer)
    assert f"worker process {OLD} on {socket.gethostname()} runs, but has sent no heartbeat for 2" in told
    beat(database)
    assert campaigns("doctor", "--json").code == 0


def test_a_queue_that_no_worker_takes_from(
    campaigns: Command, database: Database, redis_url: str, tmp_path: Path
) -> None:
    campaign_id = submit(campaigns, tmp_path)
    beat(database)
    with redis.Redis.from_url(redis_url) as client:
        client.delete("lead_generation")
        client.lpush("lead_generation", json.dumps({"headers": {"sent_at": time.time() - 100}}))
        answer = campaigns("doctor", "--json")
        assert answer.code == 1
        (told,) = troubles(answer)
        assert "queue lead_generation stands still: 1 message, the oldest 10" in told
        database.run(
            "UPDATE marketing.units SET started_at = clock_timestamp(), status = 'succeeded' WHERE campaign_id = %s",
            campaign_id,
        )
        assert campaigns("doctor", "--json").code == 0  # something was claimed just now
        client.delete("lead_generation")


def test_units_of_dead_workers_and_waits_that_are_over(campaigns: Command, database: Database, tmp_path: Path) -> None:
    campaign_id = submit(campaigns, tmp_path)
    beat(database)
    database.run(
        "UPDATE marketing.units SET status = 'running', worker = 'gone:1:aa', "
        "started_at = clock_timestamp() - interval '1 minute' WHERE campaign_id = %s",
        campaign_id,
    )
    (told,) = troubles(campaigns("doctor", "--json"))
    assert "held by dead workers" in told
    database.run("UPDATE marketing.units SET status = 'pending' WHERE campaign_id = %s", campaign_id)
    database.run(
        "UPDATE marketing.campaigns SET status = 'waiting', due_at = clock_timestamp() - interval '90 seconds'"
    )
    (told,) = troubles(campaigns("doctor", "--json"))
    assert told.startswith("Progress: 1 campaign should have gone on 9")
    database.run("UPDATE marketing.campaigns SET due_at = clock_timestamp() + interval '1 hour'")
    assert campaigns("doctor", "--json").code == 0


@pytest.mark.parametrize(
    ("on", "off", "told"),
    [
        (("CONFIG", "SET", "maxmemory", "1kb"), ("CONFIG", "SET", "maxmemory", "0"), "its memory is full"),
        (("REPLICAOF", "127.0.0.1", "1"), ("REPLICAOF", "NO", "ONE"), "it is a read-only replica"),
        (
            ("CONFIG", "SET", "min-replicas-to-write", "1"),
            ("CONFIG", "SET", "min-replicas-to-write", "0"),
            "it lacks replicas",
        ),
    ],
    ids=["oom", "readonly", "noreplicas"],
)
def test_redis_that_refuses_writes(
    campaigns: Command, database: Database, redis_url: str, on: tuple[str, ...], off: tuple[str, ...], told: str
) -> None:
    with redis.Redis.from_url(redis_url) as client:
        client.execute_command(*on)
        try:
            answer = campaigns("doctor", "--json")
        finally:
            client.execute_command(*off)
        assert answer.code == 1
        (text,) = troubles(answer)
        assert told in text
        assert campaigns("doctor", "--json").code == 0
        assert client.keys("marketing:look*") == []


@contextmanager
def altered(url: str, database: Database, setting: str, back: str) -> Iterator[None]:
    name = database.value("SELECT current_database()")
    database.run(f"ALTER DATABASE {name} {setting}")
    try:
        yield
    finally:
        database.run("SET default_transaction_read_only = off")
        database.run(f"ALTER DATABASE {name} {back}")


@pytest.mark.parametrize(
    ("setting", "back", "told"),
    [
        ("SET default_transaction_read_only = on", "RESET default_transaction_read_only", "is read-only"),
        ("CONNECTION LIMIT 0", "CONNECTION LIMIT -1", "all connections are used up"),
    ],
    ids=["read-only", "full"],
)
def test_postgres_that_refuses(
    campaigns: Command, database: Database, database_url: str, setting: str, back: str, told: str
) -> None:
    with altered(database_url, database, setting, back):
        answer = campaigns("doctor", "--json")
    assert answer.code == 1
    (text,) = troubles(answer)
    assert told in text
    assert campaigns("doctor", "--json").code == 0


def test_what_cannot_be_reached_is_another_status(campaigns: Command, database: Database) -> None:
    os.environ["REDIS_URL"] = "redis://:secret@127.0.0.1:1/0"
    answer = campaigns("doctor", "--json")
    assert answer.code == 4
    (told,) = troubles(answer, "unreachable")
    assert told.startswith("Redis: redis://:***@127.0.0.1:1/0: ")
    assert "secret" not in answer.out


def test_a_look_leaves_no_row(campaigns: Command, database: Database) -> None:
    campaigns("doctor")
    assert database.value("SELECT count(*) FROM marketing.workers") == 0


def test_a_server_that_answers_nothing_ends_no_wait() -> None:
    """A socket that accepts and is silent, as a frozen server's is."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]

        def connect() -> Any:
            return psycopg2.connect(f"postgresql://me@127.0.0.1:{port}/x?connect_timeout=3")

        began = time.monotonic()
        with pytest.raises(TimeLimitError):
            within(0.3, connect)
        assert time.monotonic() - began < 2.0


def test_room_on_the_disk() -> None:
    assert [room(n) for n in (0, FULL_BYTES - 1, FULL_BYTES, NEARLY_FULL_BYTES - 1, NEARLY_FULL_BYTES)] == [
        "stuck", "stuck", "warning", "warning", "ok",
    ]  # fmt: skip
