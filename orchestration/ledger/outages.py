"""What an error of the database says about Postgres: away, busy, or in order and the statement is wrong.

The SQLSTATE decides, never the driver's class: a primary that was demoted answers ``InternalError``, and a connection
that dies in mid-answer is a plain ``DatabaseError``. Pure functions over the error.
"""

from __future__ import annotations

from enum import StrEnum

import psycopg2
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError


class Outage(StrEnum):
    """Kind of trouble that passes without a change of the statement."""

    LOST = "lost"  #: the connection is of no use any more, nor are those that were made when it was
    BUSY = "busy"  #: the server can't do it now; the same connection may ask again


#: The server ends the connection or has stopped serving: SQLSTATEs by their beginning.
_LOST = (
    "08",  # connection exception; PgBouncer says 08P01 when it has no server to give
    "57P",  # shutting down, starting up, crash of another backend, idle too long
    "58",  # an error of the system below, such as a disk that can't be read
    "25006",  # read only: a primary that was demoted, whose sessions stay read only when there is a new one
    "25P03",  # idle in a transaction for too long: this process was frozen meanwhile
)
#: The statement was undone and may work in a moment.
_BUSY = (
    "40",  # serialization failure, deadlock
    "53",  # out of connections, disk or memory
    "55P03",  # a lock was not granted in time
    "57014",  # the statement took longer than it may
)
#: Raised by the driver, without an SQLSTATE, for what the caller did.
_OWN_FAULT = (psycopg2.ProgrammingError, psycopg2.DataError, psycopg2.NotSupportedError, psycopg2.IntegrityError)


def outage(error: BaseException) -> Outage | None:
    """Return what passes by itself about an error, or None when trying again would not help."""
    if isinstance(error, PoolTimeoutError):
        return Outage.BUSY
    if isinstance(error, DBAPIError) and error.orig is not None:
        error = error.orig
    if not isinstance(error, psycopg2.Error):
        return None
    if error.pgcode is None:  # the server has not said anything: no connection was made, or it broke
        return None if isinstance(error, _OWN_FAULT) else Outage.LOST
    return of_sqlstate(error.pgcode)


def of_sqlstate(sqlstate: str) -> Outage | None:
    """Return what an SQLSTATE (five characters) says."""
    if sqlstate.startswith(_LOST):
        return Outage.LOST
    return Outage.BUSY if sqlstate.startswith(_BUSY) else None


def first_line(error: BaseException) -> str:
    """Return the first line of an error's text, or its class, for people: at most 200 characters."""
    return (str(error).strip() or type(error).__name__).splitlines()[0][:200]
