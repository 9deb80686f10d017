"""Access to Postgres: one pool per process, and the hot calls over its raw cursors.

Invariants: no connection is held while a provider is called, so a small pool serves many units. ``workers x
POOL_SIZE``, and a few for programs, must stay below Postgres' max_connections (100 by default; the embedded server
allows 200). Nothing outlives a transaction in a session (no SET, temporary table, prepared statement or session's
advisory lock), so PgBouncer may pool by transaction.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import closing, suppress
from threading import Lock
from typing import Any, TypeVar

import psycopg2
from psycopg2.extensions import TRANSACTION_STATUS_IDLE
from pydantic_core import PydanticSerializationError, to_json
from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine.interfaces import DBAPIConnection, DBAPICursor
from sqlalchemy.pool import Pool, PoolProxiedConnection

from orchestration.ledger.connections import ARGUMENTS, SESSION
from orchestration.ledger.database_url import normalise, place
from orchestration.ledger.outages import Outage, first_line, outage

T = TypeVar("T")
Row = tuple[Any, ...]  #: as the driver gives it: the statement says of which types its columns are

#: A worker's. All are kept: a connection that comes and goes costs Postgres more than the calls it is made for.
POOL_SIZE = 8
#: Beyond the size of a smaller pool, for a while: of a program that seldom makes two calls at once.
MAX_OVERFLOW = 4
#: Postgres may restart under us; calls wait this long for it before they give up.
RECONNECT_S = 30.0
#: A call that gets no connection of the pool in this time counts that as one vain try.
CHECKOUT_S = 10.0


#: Largest JSON of one argument in bytes; Postgres' own bound, by which it refuses, is four times higher.
MAX_JSON = 64 * 1024 * 1024
#: SQLSTATE classes by which Postgres refuses a value and not the statement: data exception, program limit exceeded.
_OF_A_VALUE = ("22", "54")


class UnstorableError(ValueError):
    """Raised when a value can't be stored: a NUL, half a character, a number out of range, a size above a limit.

    Its text says why, and never holds the value.
    """


class DatabaseUnavailableError(ConnectionError):
    """Raised when Postgres can't be reached: its text says where and why, without credentials."""


def _set_session(connection: DBAPIConnection, _record: object) -> None:
    """Give a new connection the settings of its session."""
    with closing(connection.cursor()) as cursor:
        cursor.execute(SESSION)
    connection.commit()  # a SET that isn't committed is undone


def _is_in_transaction(connection: PoolProxiedConnection) -> bool:
    """Return whether a connection is left in a transaction, as after a ROLLBACK that was interrupted or refused."""
    driver: Any = connection.driver_connection
    return bool(driver.get_transaction_status() != TRANSACTION_STATUS_IDLE)


def encode(value: object, *, nulls: bool = True) -> str:
    """Return JSON text for a jsonb argument (Decimal as string, datetimes in ISO 8601).

    Without ``nulls`` the fields of models that are None are left out. Raises UnstorableError for half a character, for
    what is nested too deeply, and for what is larger than MAX_JSON. A NUL is for Postgres to refuse.
    """
    try:
        text = to_json(value, inf_nan_mode="null", exclude_none=not nulls)
    except PydanticSerializationError as error:
        if "unknown type" in str(error):  # a defect of the caller
            raise
        raise UnstorableError("half a character, or nested too deeply") from None
    if len(text) > MAX_JSON:
        raise UnstorableError(f"{len(text):,} bytes are above the limit of {MAX_JSON:,}")
    return text.decode()


class Transaction:
    """Statements on one connection, committed together."""

    def __init__(self, cursor: DBAPICursor) -> None:
        self._cursor = cursor

    def rows(self, sql: str, *args: object) -> list[Row]:
        """Run one statement and fetch all its rows.

        Raises UnstorableError when a value is refused.
        """
        self.run(sql, *args)
        return list(self._cursor.fetchall())

    def value(self, sql: str, *args: object) -> Any:
        """Run one statement and return the first column of its first row."""
        return self.rows(sql, *args)[0][0]

    def run(self, sql: str, *args: object) -> None:
        """Run one statement without rows.

        Raises UnstorableError when a value is refused.
        """
        try:
            self._cursor.execute(sql, args)
        except psycopg2.Error as error:
            if not (error.pgcode or "").startswith(_OF_A_VALUE):
                raise
            raise UnstorableError(f"Postgres refuses a value ({error.pgcode}, {type(error).__name__})") from None
        except ValueError as error:  # of the driver: a NUL, or half a character
            raise UnstorableError(f"text that can't be sent ({type(error).__name__})") from None


class Database:
    """A pool of autocommitting connections to one database, whose calls wait ``patience_s`` seconds for it."""

    def __init__(self, database_url: str, *, pool_size: int = POOL_SIZE, patience_s: float = RECONNECT_S) -> None:
        self.url = normalise(database_url)
        self._patience_s = patience_s
        self.engine: Engine = create_engine(
            self.url,
            isolation_level="AUTOCOMMIT",
            pool_size=pool_size,
            max_overflow=MAX_OVERFLOW if pool_size < POOL_SIZE else 0,
            pool_timeout=min(CHECKOUT_S, patience_s),
            pool_use_lifo=True,  # the connection whose plans and caches are warmest first
            pool_reset_on_return=None,  # autocommit: there is nothing to roll back
            connect_args=dict(ARGUMENTS),
        )
        self._lock = Lock()
        event.listen(self.engine, "connect", _set_session)

    def rows(self, sql: str, *args: object) -> list[Row]:
        """Run one statement and fetch all its rows.

        Tries again, on a new connection where the old one is lost, through whatever passes by itself
        (:func:`orchestration.ledger.outages.outage`). A statement may then run twice, because it may have been carried
        out and its answer lost: only statements that may be repeated go through here. Raises DatabaseUnavailableError
        when the trouble outlasts the patience, and UnstorableError when Postgres refuses a value.
        """
        return self._run(lambda cursor: Transaction(cursor).rows(sql, *args))

    def value(self, sql: str, *args: object) -> Any:
        """Run one statement as :meth:`rows` does and return the first column of its first row."""
        return self.rows(sql, *args)[0][0]

    def records(self, record: Callable[..., T], sql: str, *args: object) -> list[T]:
        """Run one statement as :meth:`rows` does and make a ``record`` of each row, by the names of its columns."""

        def read(cursor: DBAPICursor) -> list[T]:
            found = Transaction(cursor).rows(sql, *args)
            names = [column[0] for column in cursor.description or ()]
            return [record(**dict(zip(names, row, strict=True))) for row in found]

        return self._run(read)

    def run(self, sql: str, *args: object) -> None:
        """Run one statement without rows as :meth:`rows` does."""
        self._run(lambda cursor: Transaction(cursor).run(sql, *args))

    def transaction(self, work: Callable[[Transaction], T]) -> T:
        """Run ``work`` in one transaction on one connection and return what it returns.

        After an outage, a deadlock too, the whole block runs again, so it must find out by itself that it was committed
        before.
        An error that it raises rolls back. Raises DatabaseUnavailableError as :meth:`rows` does.
        """

        def block(cursor: DBAPICursor) -> T:
            cursor.execute("BEGIN")
            try:
                result = work(Transaction(cursor))
            except BaseException as error:
                if outage(error) is not Outage.LOST:
                    with suppress(psycopg2.Error):  # _once() drops a connection that is still in a transaction
                        cursor.execute("ROLLBACK")
                raise
            cursor.execute("COMMIT")
            return result

        return self._run(block)

    def _run(self, work: Callable[[DBAPICursor], T], *, patience_s: float | None = None) -> T:
        deadline = time.monotonic() + (self._patience_s if patience_s is None else patience_s)
        pause = 0.05
        while True:
            try:
                return self._once(work)
            except Exception as error:  # of any class: outage() reads what it says
                if outage(error) is None:
                    raise
                if time.monotonic() >= deadline:
                    raise DatabaseUnavailableError(f"{place(self.url)}: {first_line(error)}") from None
            time.sleep(pause)
            pause = min(1.0, pause * 2)

    def _once(self, work: Callable[[DBAPICursor], T]) -> T:
        pool = self.engine.pool
        connection = self.engine.raw_connection()
        try:
            with closing(connection.cursor()) as cursor:
                return work(cursor)
        except BaseException as error:
            if outage(error) is Outage.LOST:
                connection.invalidate()
                self._discard(pool)
            elif _is_in_transaction(connection):  # which stays open, so that later statements would be lost with it
                connection.invalidate()
            raise
        finally:
            connection.close()

    def _discard(self, pool: Pool) -> None:
        """Leave a pool with all its connections, once.

        They were made when the lost one was, and a demoted primary's stay read only although there is a new primary.
        """
        with self._lock:
            if self.engine.pool is pool:
                self.engine.dispose()

    def check(self) -> None:
        """Make one round trip without waiting for more than a connection.

        Raises DatabaseUnavailableError when it fails.
        """
        self._run(lambda cursor: Transaction(cursor).run("SELECT 1"), patience_s=0.0)

    def close(self) -> None:
        """Close the pool."""
        self.engine.dispose()
