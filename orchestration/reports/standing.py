"""Reading from Postgres what progress is judged by, over a connection of its own and within a few seconds.

The pool of a program may be used up, or wait for a Postgres that restarts; a judge must know at once. Invariants: every
look is one transaction that is rolled back, its statements have a time limit, and it never waits for a lock for long.
A server that hangs (a stopped process) answers nothing at all: the caller looks in a thread that it can do without.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import psycopg2
from psycopg2.extensions import connection as Connection
from psycopg2.extensions import cursor as Cursor
from sqlalchemy import create_engine
from sqlalchemy.engine import make_url

from orchestration.ledger.database import DatabaseUnavailableError
from orchestration.ledger.database_url import normalise, place
from orchestration.reports.progress import ORPHANED_S, OVERDUE_S, LedgerFacts, StoreRefusesError, WorkerFact

#: Seconds to connect, and for each statement.
LIMIT_S = 3

_LIMITS: dict[str, Any] = {
    "application_name": "marketing-agents look",
    "connect_timeout": LIMIT_S,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 2,
    "tcp_user_timeout": LIMIT_S * 1000,
}
_FULL = ("too many clients", "remaining connection slots", "too many connections", "no more connections allowed")

_STATE = """
SELECT pg_is_in_recovery(), current_setting('transaction_read_only') = 'on',
       to_regclass('marketing.workers') IS NOT NULL
"""
_WORKERS = """
SELECT w.worker, extract(epoch FROM clock_timestamp() - w.beat_at)::float8,
       extract(epoch FROM clock_timestamp() - w.fresh_since)::float8
FROM marketing.workers w ORDER BY w.worker
"""
#: Enters through the partial index on unfinished campaigns. All stages of the hop at work, so that one that has just
#: ended counts.
_UNITS = """
SELECT u.agent, u.worker, count(*) FILTER (WHERE u.status = 'running'),
       extract(epoch FROM clock_timestamp() - max(greatest(u.started_at, u.finished_at)))::float8,
       count(*) FILTER (
           WHERE u.status = 'running' AND u.started_at < clock_timestamp() - make_interval(secs => %(orphaned)s)
             AND NOT EXISTS (SELECT FROM marketing.workers w WHERE w.worker = u.worker
                             AND w.beat_at > clock_timestamp() - make_interval(secs => %(orphaned)s)))
FROM marketing.campaigns c
JOIN marketing.units u ON u.campaign_id = c.campaign_id AND u.step = c.step
WHERE c.status IN ('queued', 'running', 'waiting', 'awaiting_approval', 'cancelling') AND u.started_at IS NOT NULL
GROUP BY u.agent, u.worker
"""
#: Optimisations that are due are no fault: their entry of beat may be switched off.
_CAMPAIGNS = """
SELECT count(*) FILTER (WHERE c.status IN ('queued', 'running')), count(*) FILTER (WHERE c.due_at < moment.over),
       coalesce(extract(epoch FROM clock_timestamp() - min(c.due_at) FILTER (WHERE c.due_at < moment.over)), 0)::float8
FROM marketing.campaigns c,
     (SELECT clock_timestamp() - make_interval(secs => %(overdue)s) AS over) AS moment
WHERE c.status IN ('queued', 'running')
   OR (c.status = 'waiting' AND c.due_at IS NOT NULL AND c.hold ->> 'kind' IS DISTINCT FROM 'next_optimization')
"""


class LedgerLook:
    """A connection for looks at the ledger, opened by the first look and opened again after an error."""

    def __init__(self, database_url: str) -> None:
        self._url = normalise(database_url)
        self._connection: Connection | None = None

    def facts(self, *, closely: bool = True) -> LedgerFacts | None:
        """Return what the ledger says now, or None when the database has no tables.

        Without ``closely``, only the workers are read, and nothing is tried. With it, a row is written and rolled
        back. Raises DatabaseUnavailableError when Postgres can't be reached, and StoreRefusesError when it answers and
        refuses to connect, to read or to write.
        """
        connection = self.connect()
        try:
            with connection.cursor() as cursor:
                return _read(cursor, closely=closely)
        except psycopg2.Error as error:
            text = f"{place(self._url)}: {_first_line(error)}"
            if self._lost(error):
                raise DatabaseUnavailableError(text) from None
            raise StoreRefusesError(f"{text} (SQLSTATE {error.pgcode})") from None
        finally:
            self._rollback()

    def close(self) -> None:
        """Close the connection."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(psycopg2.Error):
                connection.close()

    def connect(self) -> Connection:
        """Return the connection, which is opened when there is none.

        Raises what :meth:`facts` raises.
        """
        if self._connection is None:
            self._connection = self._connect()
        return self._connection

    def _connect(self) -> Connection:
        _, given = create_engine(self._url).dialect.create_connect_args(make_url(self._url))  # connects nowhere
        try:
            made: Connection = psycopg2.connect(**{**_LIMITS, **given})
            return made
        except psycopg2.OperationalError as error:
            text = f"{place(self._url)}: {_first_line(error)}"
            if any(sign in str(error) for sign in _FULL):
                raise StoreRefusesError(f"{text}: all connections are used up; raise max_connections") from None
            raise DatabaseUnavailableError(text) from None

    def _lost(self, error: psycopg2.Error) -> bool:
        """Return whether the connection is gone, rather than the statement refused."""
        ended = self._connection is None or self._connection.closed != 0
        return ended or error.pgcode is None or error.pgcode.startswith(("08", "57P"))

    def _rollback(self) -> None:
        connection = self._connection
        if connection is None:
            return
        try:
            connection.rollback()
        except psycopg2.Error:
            self.close()


def _read(cursor: Cursor, *, closely: bool) -> LedgerFacts | None:
    cursor.execute(f"SET LOCAL statement_timeout = '{LIMIT_S}s'; SET LOCAL lock_timeout = '1s'")
    cursor.execute(_STATE)
    in_recovery, read_only, has_tables = cursor.fetchone() or (False, False, False)
    if in_recovery or read_only:
        state = "is a standby (in recovery)" if in_recovery else "is read-only (default_transaction_read_only)"
        raise StoreRefusesError(f"Postgres {state}: nothing can be written")
    if not has_tables:
        return None
    cursor.execute(_WORKERS)
    rows = cursor.fetchall()
    if not closely:
        return LedgerFacts(workers=[WorkerFact(worker=w, beat_age_s=a, fresh_for_s=f) for w, a, f in rows])
    bounds = {"orphaned": ORPHANED_S, "overdue": OVERDUE_S}
    cursor.execute(_UNITS, bounds)
    units = cursor.fetchall()
    cursor.execute(_CAMPAIGNS, bounds)
    at_work, overdue, overdue_s = cursor.fetchone() or (0, 0, 0.0)
    cursor.execute("INSERT INTO marketing.workers (worker) VALUES ('look:' || pg_backend_pid())")  # rolled back
    running: dict[str, int] = {}
    for _, worker, number, _, _ in units:
        running[worker] = running.get(worker, 0) + int(number)
    workers = [WorkerFact(worker=w, beat_age_s=a, fresh_for_s=f, running=running.get(w, 0)) for w, a, f in rows]
    still: dict[str, float] = {}
    for agent, _, _, seconds, _ in units:
        still[agent] = min(seconds, still.get(agent, seconds))
    return LedgerFacts(
        workers=workers,
        at_work=int(at_work),
        still_s=still,
        orphaned=sum(int(row[4]) for row in units),
        overdue=int(overdue),
        overdue_s=float(overdue_s),
    )


def _first_line(error: BaseException) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0][:200]
