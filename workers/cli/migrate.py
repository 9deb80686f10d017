"""``campaigns migrate``: bring the database's tables up to date.

Invariants: any number of migrations may run at once; one does the work, the others find it done. The world of a
database that has tables is not touched.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from workers.cli.output import json_option, print_json, say

if TYPE_CHECKING:
    from integrations.settings import Mode


@click.command("migrate")
@json_option
def migrate_command(as_json: bool) -> int:
    """Bring the database's tables up to date.

    An empty database becomes one of MARKETING_MODE; any other keeps its world (`campaigns world`).
    """
    from contextlib import closing

    from orchestration.ledger.database import Database
    from orchestration.ledger.schema import HEAD, current
    from orchestration.ledger.world import World
    from workers.cli.connection import check_reachable, here, migrate
    from workers.services import EmbeddedServices, Home, ServiceError

    settings = here()

    def work(database_url: str) -> tuple[str | None, str, Mode]:
        check_reachable(database_url)
        before = current(database_url)
        migrate(database_url, settings.mode)
        with closing(Database(database_url, pool_size=1)) as database:
            return before, HEAD, World(database, settings.mode).read().mode

    if settings.database_url is not None:
        before, after, mode = work(settings.database_url)
    elif (Home(settings.home).postgres / "PG_VERSION").exists():
        with EmbeddedServices(Home(settings.home)) as services:
            before, after, mode = work(services.database_url)
    else:
        raise ServiceError("there is no database to migrate: set DATABASE_URL, or start `campaigns up`, which migrates")
    if as_json:
        print_json({"before": before, "revision": after, "mode": mode})
    elif before == after:
        say(f"The {mode} database is up to date (revision {after}).")
    else:
        say(f"Migrated from {before or 'an empty database'} to revision {after}; this database is {mode}.")
    return 0
