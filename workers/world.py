"""World of a process that isn't a worker: beat and Flower look at the database's before they start.

Invariant: what is away is not asked. Either starts without Postgres, and neither changes the ledger: beat's ticks are
carried out by workers, which refuse a database of another world themselves.
"""

from __future__ import annotations

import logging

from integrations.settings import Settings
from orchestration.ledger.database import Database, DatabaseUnavailableError
from orchestration.ledger.world import World
from orchestration.reports.fleet import has_schema

log = logging.getLogger(__name__)


def require_world(settings: Settings) -> None:
    """Check that the database's mode is MARKETING_MODE's, if the database answers and has tables.

    Raises WrongWorldError when it is not.
    """
    if settings.database_url is None:
        return
    database = Database(settings.database_url, pool_size=1)
    try:
        database.check()
        if has_schema(database):
            World(database, settings.mode).require()
    except DatabaseUnavailableError as error:
        log.warning("whether the database is %s is not known: %s", settings.mode, error)
    finally:
        database.close()
