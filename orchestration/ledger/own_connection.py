"""A connection to Postgres that belongs to one thread, whose statements have a deadline on this side.

A heartbeat must not wait for a pool that others have used up, nor for a server that hangs. Invariant: every call
returns or raises within its deadline, whatever the server does (only a host's name is looked up without one).
"""

from __future__ import annotations

import select
import time
from contextlib import suppress

import psycopg2
from psycopg2.extensions import POLL_OK, POLL_READ, connection
from sqlalchemy.engine import make_url

from orchestration.ledger.connections import ARGUMENTS
from orchestration.ledger.database import DatabaseUnavailableError, Row
from orchestration.ledger.database_url import normalise, place
from orchestration.ledger.outages import first_line, outage


class OwnConnection:
    """One autocommitting connection, made on first use and made anew after any outage."""

    def __init__(self, database_url: str, *, deadline_s: float) -> None:
        self._url = normalise(database_url)
        self._deadline_s = deadline_s
        self._connection: connection | None = None

    def rows(self, sql: str, *args: object) -> list[Row]:
        """Run one statement and fetch all its rows.

        Raises DatabaseUnavailableError when that fails by an outage, or takes longer than the deadline.
        """
        until = time.monotonic() + self._deadline_s
        try:
            if self._connection is None:
                self._connection = self._connect(until)
            with self._connection.cursor() as cursor:
                cursor.execute(sql, args)
                self._wait(self._connection, until)
                return list(cursor.fetchall())
        except DatabaseUnavailableError:
            self.close()
            raise
        except psycopg2.Error as error:
            self.close()
            if outage(error) is None:
                raise
            raise DatabaseUnavailableError(f"{place(self._url)}: {first_line(error)}") from None

    def close(self) -> None:
        """Close the connection, so that the next call makes a new one."""
        found, self._connection = self._connection, None
        if found is not None:
            with suppress(psycopg2.Error):
                found.close()

    def _connect(self, until: float) -> connection:
        address = make_url(self._url).set(drivername="postgresql").render_as_string(hide_password=False)
        made: connection = psycopg2.connect(address, **ARGUMENTS, async_=1)
        try:
            self._wait(made, until)
        except BaseException:
            made.close()
            raise
        return made

    def _wait(self, of: connection, until: float) -> None:
        """Wait until the connection has done what it was asked.

        Raises DatabaseUnavailableError at the deadline.
        """
        while (state := of.poll()) != POLL_OK:
            ready = select.poll()
            ready.register(of.fileno(), select.POLLIN if state == POLL_READ else select.POLLOUT)
            left = until - time.monotonic()
            if left <= 0 or not ready.poll(left * 1000):
                raise DatabaseUnavailableError(f"{place(self._url)}: no answer in {self._deadline_s:g} s")
