"""``campaigns migrate``: bring the database's tables up to date.

Invariant: any number of migrations may run at once; one does the work, the others find it done.
"""

from __future__ import annotations

import click

from workers.cli.output import json_option, print_json, say


@click.command("migrate")
@json_option
def migrate_command(as_json: bool) -> int:
    """Bring the database's tables up to date."""
    from orchestration.ledger.schema import current, head
    from workers.cli.connection import check_reachable, here, migrate
    from workers.services import EmbeddedServices, Home, ServiceError

    settings = here()

    def work(database_url: str) -> tuple[str | None, str]:
        check_reachable(database_url)
        before = current(database_url)
        migrate(database_url)
        return before, head()

    if settings.database_url is not None:
        before, after = work(settings.database_url)
    elif (Home(settings.home).postgres / "PG_VERSION").exists():
        with EmbeddedServices(Home(settings.home)) as services:
            before, after = work(services.database_url)
    else:
        raise ServiceError("there is no database to migrate: set DATABASE_URL, or start `campaigns up`, which migrates")
    if as_json:
        print_json({"before": before, "revision": after})
    elif before == after:
        say(f"The database is up to date (revision {after}).")
    else:
        say(f"Migrated from {before or 'an empty database'} to revision {after}.")
    return 0
