"""Empties a database that a test has used, so that it can be handed out again: a tenth of the cost of a new copy.

Invariant: what is handed out again is as new. Its schema is the template's, object by object; the rows that the
schema came with are untouched and no others are there; sequences begin anew; no connection is left. What can't be
brought back to that is told apart, and is to be dropped.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg2
from sqlalchemy import make_url

#: Objects of ours, each as its number and the transaction that wrote it last: any change of a definition shows.
_OBJECTS = " UNION ALL ".join(
    f"SELECT '{catalog}', count(*), sum({key}::bigint), sum(xmin::text::bigint) FROM {catalog} WHERE {key} >= 16384"
    for catalog, key in (
        ("pg_class", "oid"),
        ("pg_attribute", "attrelid"),
        ("pg_attrdef", "oid"),
        ("pg_constraint", "oid"),
        ("pg_index", "indexrelid"),
        ("pg_namespace", "oid"),
        ("pg_proc", "oid"),
        ("pg_trigger", "oid"),
        ("pg_type", "oid"),
    )
) + (
    " UNION ALL SELECT 'settings', count(*), 0, 0 FROM pg_db_role_setting AS s JOIN pg_database AS d "
    "ON d.oid = s.setdatabase WHERE d.datname = current_database()"
)
_TABLES = (
    "SELECT oid::regclass::text FROM pg_class WHERE oid >= 16384 AND relkind = 'r' AND relpersistence <> 't' ORDER BY 1"
)
_OTHERS_ENDED = (
    # Materialized, so that nobody is ended before it is known that it is another.
    "WITH others AS MATERIALIZED (SELECT pid FROM pg_stat_activity WHERE datname = current_database() "
    "AND backend_type = 'client backend' AND pid <> pg_backend_pid()) "
    "SELECT count(*) FROM others WHERE NOT pg_terminate_backend(pid, 5000)"
)
_SEQUENCES_BEGIN_ANEW = "SELECT setval(seqrelid, seqstart, false) FROM pg_sequence"


@dataclass(frozen=True)
class AsNew:
    """What a new copy of the template looks like."""

    objects: list[Any]
    kept: dict[str, str | None]  #: table -> digest of its rows, for tables that a new copy has rows in
    emptied: tuple[str, ...]  #: the other tables

    @classmethod
    def of(cls, url: str) -> AsNew:
        """Look at the new database at ``url``."""
        with _superuser(url) as cursor:
            tables = [name for (name,) in _rows(cursor, _TABLES)]
            digests = {name: _digest(cursor, name) for name in tables}
            kept = {name: digest for name, digest in digests.items() if digest is not None}
            return cls(_rows(cursor, _OBJECTS), kept, tuple(name for name in tables if name not in kept))

    def restore(self, url: str) -> bool:
        """Make the used database at ``url`` as new; False when it has to be dropped."""
        with _superuser(url) as cursor:
            if _rows(cursor, _OTHERS_ENDED) != [(0,)] or _rows(cursor, _OBJECTS) != self.objects:
                return False
            if any(_digest(cursor, name) != digest for name, digest in self.kept.items()):
                return False
            # Neither the order of foreign keys nor a trigger matters when all rows go.
            cursor.execute("SET session_replication_role = replica")
            cursor.execute("; ".join(f"DELETE FROM {name}" for name in self.emptied))
            cursor.execute(_SEQUENCES_BEGIN_ANEW)
        return True


@contextmanager
def _superuser(url: str) -> Iterator[Any]:
    address = make_url(url).set(drivername="postgresql", username="postgres")
    with closing(psycopg2.connect(address.render_as_string(hide_password=False))) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            yield cursor


def _rows(cursor: Any, sql: str) -> list[Any]:
    cursor.execute(sql)
    found: list[Any] = cursor.fetchall()
    return found


def _digest(cursor: Any, table: str) -> str | None:
    digest: str | None = _rows(cursor, f"SELECT md5(string_agg(t::text, '|' ORDER BY t::text)) FROM {table} AS t")[0][0]
    return digest
