"""Migration of the schema: Alembic under an advisory lock.

Invariants: any number of processes may migrate at once; one does the work, the others wait and find
it done. The first migration makes the database one of the mode of the process that migrates; no later one
changes that (see :mod:`orchestration.ledger.world`). Programs refuse to run on a schema newer than they
know only where a revision says so: within a release the functions are versioned by name, so old and new
workers share one schema.
"""

from __future__ import annotations

from importlib import resources
from typing import TYPE_CHECKING

from sqlalchemy import Connection, create_engine, text
from sqlalchemy.pool import NullPool

from integrations.settings import Mode
from orchestration.ledger.database_url import normalise

if TYPE_CHECKING:
    from alembic.config import Config

HEAD = "0001"  #: the newest revision that this program knows
#: A constant of no meaning, the same in every program that migrates this schema.
ADVISORY_LOCK = 0x6D61_726B  # "mark"


def migrate(database_url: str, mode: Mode) -> str:
    """Bring the schema to the newest revision and return its name.

    A database without tables becomes one of ``mode``, that of this process; any other keeps its own. Alembic is loaded
    only where there is something to do, because every worker asks and few have to.
    """
    engine = create_engine(normalise(database_url), poolclass=NullPool)
    with engine.connect() as guard:
        if _revision(guard) == HEAD:
            return HEAD
        # Held by the open transaction, which ends with this block. A session's lock would stay with PgBouncer.
        guard.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": ADVISORY_LOCK})
        with engine.connect() as connection:
            _upgrade(connection, mode)
    return HEAD


def current(database_url: str) -> str | None:
    """Return the revision that the database is at, or None when it has none."""
    with create_engine(normalise(database_url), poolclass=NullPool).connect() as connection:
        return _revision(connection)


def alembic_config() -> Config:
    """Return where Alembic finds the revisions."""
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(resources.files("orchestration.ledger.migrations")))
    return config


def _revision(connection: Connection) -> str | None:
    if connection.scalar(text("SELECT to_regclass('marketing.alembic_version')")) is None:
        return None
    found: str | None = connection.scalar(text("SELECT version_num FROM marketing.alembic_version"))
    return found


def _upgrade(connection: Connection, mode: Mode) -> None:
    from alembic import command

    config = alembic_config()
    config.attributes["mode"] = mode
    config.attributes["connection"] = connection
    connection.execute(text("CREATE SCHEMA IF NOT EXISTS marketing"))
    connection.commit()
    command.upgrade(config, "head")
    connection.commit()
