"""Which errors of the database pass by themselves, and what a pool does about them."""

from __future__ import annotations

import time
from contextlib import closing

import psycopg2
import pytest
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from orchestration.ledger.connections import ARGUMENTS
from orchestration.ledger.database import Database, DatabaseUnavailableError, Transaction
from orchestration.ledger.outages import Outage, of_sqlstate, outage
from orchestration.ledger.own_connection import OwnConnection

ENDED_SESSION = "57P01"


@pytest.mark.parametrize(
    "sqlstate", ["08000", "08006", "08P01", "57P01", "57P02", "57P03", "57P05", "58030", "25006", "25P03"]
)
def test_a_lost_connection_is_told_by_its_sqlstate(sqlstate: str) -> None:
    assert of_sqlstate(sqlstate) is Outage.LOST


@pytest.mark.parametrize("sqlstate", ["40001", "40P01", "53100", "53200", "53300", "55P03", "57014"])
def test_a_busy_server_is_told_by_its_sqlstate(sqlstate: str) -> None:
    assert of_sqlstate(sqlstate) is Outage.BUSY


@pytest.mark.parametrize("sqlstate", ["22001", "23505", "25001", "42501", "42P01", "22P05", "XX000"])
def test_what_the_statement_is_at_fault_for_is_no_outage(sqlstate: str) -> None:
    assert of_sqlstate(sqlstate) is None


def test_an_error_without_sqlstate_is_a_broken_connection_or_the_callers_fault() -> None:
    # The driver's class says nothing: the same trouble comes as any of these.
    for broken in (psycopg2.OperationalError, psycopg2.InterfaceError, psycopg2.DatabaseError, psycopg2.InternalError):
        assert outage(broken("server closed the connection unexpectedly")) is Outage.LOST
    for own in (psycopg2.ProgrammingError, psycopg2.DataError, psycopg2.NotSupportedError):
        assert outage(own("can't adapt type 'object'")) is None
    assert outage(ValueError("A string literal cannot contain NUL")) is None
    assert outage(PoolTimeoutError("QueuePool limit of size 8")) is Outage.BUSY
    wrapped: DBAPIError = OperationalError("SELECT 1", {}, psycopg2.OperationalError("gone"))
    assert outage(wrapped) is Outage.LOST


def backends(database: Database, admin: str) -> set[int]:
    """The server processes of a pool's idle connections."""
    with closing(psycopg2.connect(admin.replace("+psycopg2", ""))) as connection, connection.cursor() as cursor:
        cursor.execute(
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() "
            "AND application_name = 'marketing-agents'"
        )
        return {pid for (pid,) in cursor.fetchall()}


def pinned_read_only(database: Database, connections: int) -> None:
    """Make the sessions of the pool read only, as those of a demoted primary are; new ones are not."""
    held = [database.engine.raw_connection() for _ in range(connections)]
    for connection in held:
        with closing(connection.cursor()) as cursor:
            cursor.execute("SET default_transaction_read_only = on")
    for connection in held:
        connection.close()


def test_the_sessions_of_a_demoted_primary_are_all_left_at_once(database_url: str) -> None:
    with closing(Database(database_url)) as database:
        pinned_read_only(database, 3)
        before = backends(database, database_url)
        assert len(before) == 3
        began = time.monotonic()
        # A write is refused once, on one of them; all are gone then, and nobody meets another.
        note = "INSERT INTO marketing.fleet_events (kind) VALUES ('test') RETURNING id"
        assert database.rows(note)
        assert time.monotonic() - began < 2
        assert not before & backends(database, database_url)
        assert database.transaction(lambda work: work.value("SELECT current_setting('transaction_read_only')")) == "off"


def test_every_way_in_says_that_the_database_is_away(database_url: str) -> None:
    def away(work: Transaction) -> None:
        work.run("SET TRANSACTION READ ONLY")
        work.run("DELETE FROM marketing.fleet_events")

    with closing(Database(database_url, patience_s=0.2)) as database:
        with pytest.raises(DatabaseUnavailableError, match="read-only"):
            database.transaction(away)
        # A session that its administrator ends each time.
        kill = "SELECT pg_terminate_backend(pg_backend_pid())"
        with pytest.raises(DatabaseUnavailableError):
            database.rows(kill)
        with pytest.raises(DatabaseUnavailableError):
            database.records(dict, kill)
        with pytest.raises(DatabaseUnavailableError):
            database.run(kill)
        database.check()


def test_a_pool_without_a_free_connection_is_an_outage(database_url: str) -> None:
    with closing(Database(database_url, patience_s=0.2)) as database:
        held = [database.engine.raw_connection() for _ in range(8)]
        for call in (lambda: database.rows("SELECT 1"), database.check):
            with pytest.raises(DatabaseUnavailableError, match="QueuePool"):
                call()
        for connection in held:
            connection.close()
        database.check()


def test_a_deadlock_is_tried_again(database_url: str) -> None:
    tries: list[int] = []

    def once_a_victim(work: Transaction) -> int:
        tries.append(1)
        if len(tries) == 1:
            work.run("DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = '40P01', MESSAGE = 'deadlock detected'; END $$")
        return int(work.value("SELECT 7"))

    with closing(Database(database_url)) as database:
        assert database.transaction(once_a_victim) == 7
    assert len(tries) == 2


def test_a_session_ends_what_takes_too_long(database_url: str) -> None:
    names = ("statement_timeout", "idle_in_transaction_session_timeout")
    with closing(Database(database_url)) as database:
        for _ in range(2):
            found = [database.value("SELECT current_setting(%s)", name) for name in names]
            assert found == ["30s", "1min"]
            database.engine.dispose()


def test_a_connection_of_ones_own_has_a_deadline_and_comes_back(database_url: str) -> None:
    own = OwnConnection(database_url, deadline_s=0.3)
    assert own.rows("SELECT %s::integer + 1", 1) == [(2,)]
    began = time.monotonic()
    with pytest.raises(DatabaseUnavailableError, match=r"no answer in 0\.3 s"):
        own.rows("SELECT pg_sleep(5)")
    assert time.monotonic() - began < 2
    assert own.rows("SELECT 1") == [(1,)]
    with pytest.raises(DatabaseUnavailableError):
        own.rows("SELECT pg_terminate_backend(pg_backend_pid())")
    assert own.rows("SELECT 1") == [(1,)]
    with pytest.raises(psycopg2.errors.UndefinedTable):
        own.rows("SELECT * FROM nowhere")
    own.close()
    assert own.rows("SELECT 1") == [(1,)]
    own.close()
    nobody = OwnConnection("postgresql://user:secret@127.0.0.1:1/d", deadline_s=0.3)
    with pytest.raises(DatabaseUnavailableError) as caught:
        nobody.rows("SELECT 1")
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("undone", ["SELECT 1/0", "SELECT pg_terminate_backend(pg_backend_pid())"])
def test_a_connection_whose_rollback_fails_is_never_used_again(
    database_url: str, monkeypatch: pytest.MonkeyPatch, undone: str
) -> None:
    class Cursor(psycopg2.extensions.cursor):
        """Says ``undone`` in place of ROLLBACK."""

        def execute(self, sql: str, args: object = None) -> None:
            super().execute(undone if sql == "ROLLBACK" else sql, args)

    def refuse(work: Transaction) -> None:
        assert work.value("SELECT 1") == 1
        raise LookupError("refused")

    monkeypatch.setitem(ARGUMENTS, "cursor_factory", Cursor)  # type: ignore[misc]
    with closing(Database(database_url, pool_size=1)) as database:
        with pytest.raises(LookupError, match="refused"):
            database.transaction(refuse)
        assert database.value("INSERT INTO marketing.fleet_events (kind) VALUES ('kept') RETURNING true")
        with closing(Database(database_url, pool_size=1)) as other:
            assert other.value("SELECT count(*) FROM marketing.fleet_events WHERE kind = 'kept'") == 1
