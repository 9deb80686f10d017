"""Faults between this process and Postgres, where the driver meets the wire.

Most are real ones: the socket is shut, the server itself raises the SQLSTATE or ends the session, nobody listens at the
address. So what our code sees is what the driver makes of them.
"""

from __future__ import annotations

import os
import re
import socket
from collections.abc import Callable
from typing import Any

import psycopg2
import sqlalchemy
from psycopg2 import extensions, extras
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from orchestration.ledger.connections import ARGUMENTS

Draw = Callable[[str, tuple[str, ...]], str | None]

STATES = ("25006", "40001", "53300", "57014")  #: raised by the server in place of the statement
#: "lost": the connection breaks before the statement; "done": after it was carried out and committed, before its
#: answer; "57P01": an administrator ends the session.
_BREAKS = ("lost", "done")
KINDS = (*_BREAKS, "57P01", *STATES)
_END_OF_SESSION = "SELECT pg_terminate_backend(pg_backend_pid())"
_FUNCTION = re.compile(r"marketing\.(\w+)\s*\(")
_TABLE = re.compile(r"(?:FROM|INTO|UPDATE)\s+marketing\.(\w+)", re.IGNORECASE)


def operation(sql: str) -> str:
    """A short name of a statement: the function that it calls, or its verb and its table."""
    verb = sql.split(None, 1)[0].strip(";").lower()
    if verb == "select" and (called := _FUNCTION.search(sql)):
        return called[1]
    table = _TABLE.search(sql)
    return f"{verb}_{table[1]}" if table else verb


def cut(connection: Any) -> None:
    """Break the connection, at our end."""
    with socket.socket(fileno=os.dup(connection.fileno())) as wire:
        wire.shutdown(socket.SHUT_RDWR)


def install(draw: Draw) -> Callable[[], None]:
    """Let ``draw`` decide about each use of the database by pools made from now on; call the result to end it."""

    class Cursor(extensions.cursor):
        def execute(self, sql: Any, args: Any = None) -> None:
            name = operation(str(sql))
            # Nothing but the end of its connection keeps a transaction from being rolled back, and one that has failed
            # lets no statement end the session.
            kind = draw(f"postgres.{name}", _BREAKS if name == "rollback" else KINDS)
            if kind is None:
                return super().execute(sql, args)
            if kind in STATES:
                if name == "commit":  # one that fails leaves no transaction behind
                    super().execute("ROLLBACK")
                raising = f"DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = '{kind}', MESSAGE = 'injected'; END $$"
                return super().execute(raising)
            if kind == "57P01":
                return super().execute(_END_OF_SESSION)
            if kind == "done":
                super().execute(sql, args)
                if self.connection.async_:
                    extras.wait_select(self.connection)
            cut(self.connection)
            if kind == "done":
                raise psycopg2.OperationalError("server closed the connection unexpectedly (injected)")
            return super().execute(sql, args)

    class Connection(extensions.connection):
        def __init__(self, dsn: str, *args: Any, **more: Any) -> None:
            nobody = "host=127.0.0.1 port=1 connect_timeout=2"
            super().__init__(nobody if draw("postgres.connect", ("refused",)) else dsn, *args, **more)

    getting = sqlalchemy.Engine.raw_connection

    def raw_connection(engine: sqlalchemy.Engine) -> Any:
        if draw("postgres.pool", ("pool",)):
            raise PoolTimeoutError("QueuePool limit of size 8 overflow 0 reached (injected)")
        return getting(engine)

    ARGUMENTS.update(cursor_factory=Cursor, connection_factory=Connection)  # type: ignore[call-arg]
    sqlalchemy.Engine.raw_connection = raw_connection  # type: ignore[method-assign]

    def undo() -> None:
        for name in ("cursor_factory", "connection_factory"):
            ARGUMENTS.pop(name)  # type: ignore[misc]
        sqlalchemy.Engine.raw_connection = getting  # type: ignore[method-assign]

    return undo
