"""How connections to Postgres are made, so that none of them can hang without end.

A server that vanishes without a word (its packets are lost) is noticed by the kernel: by what was sent and isn't
acknowledged within USER_TIMEOUT_MS, or by the probes of an idle connection. A statement that takes too long is ended by
the server's own clock. The session's settings are set by a statement after connecting, not by the start-up parameter
``options``, which PgBouncer refuses. In PgBouncer's transaction mode they then belong to a server connection that
programs with the same role and database share: they are the same in all of ours.
"""

from __future__ import annotations

from typing import TypedDict

CONNECT_TIMEOUT_S = 5
USER_TIMEOUT_MS = 20_000
#: A statement that takes longer is undone. The hot ones take milliseconds, the longest reports a second.
STATEMENT_TIMEOUT_S = 30
#: A process that is frozen in a transaction holds its locks for no longer than this.
IDLE_TRANSACTION_S = 60

SESSION = (
    f"SET statement_timeout = '{STATEMENT_TIMEOUT_S}s'; "
    f"SET idle_in_transaction_session_timeout = '{IDLE_TRANSACTION_S}s'"
)


class ConnectArguments(TypedDict):
    """Arguments of ``psycopg2.connect`` beside the URL's."""

    application_name: str
    connect_timeout: int
    keepalives: int
    keepalives_idle: int
    keepalives_interval: int
    keepalives_count: int
    tcp_user_timeout: int


#: An idle connection to a server that has vanished ends after 10 + 3 * 5 seconds; Unix sockets know no such thing.
ARGUMENTS: ConnectArguments = {
    "application_name": "marketing-agents",
    "connect_timeout": CONNECT_TIMEOUT_S,
    "keepalives": 1,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": USER_TIMEOUT_MS,
}
