"""Access to Postgres: one pool per process, and the hot calls over its raw cursors.

SQLAlchemy 2.1 reads ``postgresql://`` as psycopg 3; :func:`normalise` makes every form mean psycopg2,
the driver this project ships with. Invariant: no connection is held while a provider is called, so a
small pool serves many units. ``workers x POOL_SIZE``, and a few for programs, must stay below Postgres'
max_connections (100 by default; the embedded server allows 200).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import closing
from typing import Any, TypeVar

import psycopg2
from pydantic_core import PydanticSerializationError, to_json
from sqlalchemy import Engine, create_engine
from sqlalchemy.engine import make_url
from sqlalchemy.engine.interfaces import DBAPICursor
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

T = TypeVar("T")
Row = tuple[Any, ...]  #: as the driver gives it: the statement says of which types its columns are

#: A worker's. All are kept: a connection that comes and goes costs Postgres more than the calls it is made for.
POOL_SIZE = 8
#: Beyond the size of a smaller pool, for a while: of a program that seldom makes two calls at once.
MAX_OVERFLOW = 4
#: Postgres may restart under us; calls wait this long for it before they give up.
RECONNECT_S = 30.0


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


def normalise(database_url: str) -> str:
    """Return the URL with psycopg2 as its driver.

    Raises ValueError when it names another database or driver.
    """
    try:
        url = make_url(database_url)
    except Exception as error:
        raise ValueError("DATABASE_URL is not a URL such as postgresql://user@host:5432/name") from error
    if url.drivername not in ("postgresql", "postgres", "postgresql+psycopg2"):
        raise ValueError(f"DATABASE_URL names {url.drivername!r}; this project speaks postgresql (psycopg2)")
    return url.set(drivername="postgresql+psycopg2").render_as_string(hide_password=False)


def place(database_url: str) -> str:
    """Return the URL as people may see it, without its password."""
    return make_url(normalise(database_url)).render_as_string(hide_password=True)


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
    """A pool of autocommitting connections to one database."""

    def __init__(self, database_url: str, *, pool_size: int = POOL_SIZE) -> None:
        self.url = normalise(database_url)
        self.engine: Engine = create_engine(
            self.url,
            isolation_level="AUTOCOMMIT",
            pool_size=pool_size,
            max_overflow=MAX_OVERFLOW if pool_size < POOL_SIZE else 0,
            pool_timeout=RECONNECT_S,
            pool_use_lifo=True,  # the connection whose plans and caches are warmest first
            pool_reset_on_return=None,  # autocommit: there is nothing to roll back
            connect_args={"application_name": "marketing-agents", "connect_timeout": 10},
        )

    def rows(self, sql: str, *args: object) -> list[Row]:
        """Run one statement and fetch all its rows.

        Reconnects when Postgres went away. A statement may then run twice, so only statements that may be
        repeated go through here. Raises DatabaseUnavailableError when Postgres stays away for RECONNECT_S, and
        UnstorableError when it refuses a value.
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

        When Postgres went away the whole block runs again, so it must find out by itself that it was committed before.
        An error that it raises rolls back. Raises DatabaseUnavailableError as :meth:`rows` does.
        """

        def block(cursor: DBAPICursor) -> T:
            cursor.execute("BEGIN")
            try:
                result = work(Transaction(cursor))
            except BaseException as error:
                if not (isinstance(error, psycopg2.Error) and _gone(error)):
                    cursor.execute("ROLLBACK")
                raise
            cursor.execute("COMMIT")
            return result

        return self._run(block)

    def _run(self, work: Callable[[DBAPICursor], T], *, patience_s: float = RECONNECT_S) -> T:
        deadline = time.monotonic() + patience_s
        pause = 0.05
        while True:
            try:
                connection = self.engine.raw_connection()
                try:
                    with closing(connection.cursor()) as cursor:
                        return work(cursor)
                except psycopg2.Error as error:
                    if not _gone(error):
                        raise
                    connection.invalidate()
                    raise psycopg2.OperationalError(*error.args) from None
                finally:
                    connection.close()
            except (psycopg2.OperationalError, psycopg2.InterfaceError) as error:
                if time.monotonic() >= deadline:
                    raise DatabaseUnavailableError(f"{place(self.url)}: {_first_line(error)}") from None
                time.sleep(pause)
                pause = min(1.0, pause * 2)

    def check(self) -> None:
        """Make one round trip without waiting.

        Raises DatabaseUnavailableError when it fails.
        """
        try:
            self._run(lambda cursor: Transaction(cursor).run("SELECT 1"), patience_s=0.0)
        except PoolTimeoutError as error:  # every connection is in use, and none comes back
            raise DatabaseUnavailableError(f"{place(self.url)}: {_first_line(error)}") from None

    def close(self) -> None:
        """Close the pool."""
        self.engine.dispose()


def _gone(error: psycopg2.Error) -> bool:
    """Return whether Postgres went away.

    One that dies in mid-answer is a plain DatabaseError to psycopg2. What the server refuses always has an SQLSTATE.
    """
    if isinstance(error, psycopg2.OperationalError | psycopg2.InterfaceError):
        return True
    return type(error) is psycopg2.DatabaseError and error.pgcode is None


def _first_line(error: BaseException) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0][:200]
