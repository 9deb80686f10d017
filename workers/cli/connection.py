"""Which services a command talks to: those the environment names, else the fleet under MARKETING_HOME.

Invariants: variables that are set always win; a fleet is believed only while its process lives; a command that
changes something is refused in a shell of another mode than the database's. Commands that only read may start the
embedded servers for their own moment, so that a campaign can still be looked at after ``campaigns run --embedded``
has stopped everything.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from typing import TYPE_CHECKING

from integrations.fleet_secrets import with_secrets
from integrations.settings import Mode, Settings, SettingsError
from integrations.shown_url import hide_secrets

if TYPE_CHECKING:
    from orchestration.client import Campaigns

CONNECT_S = 3.0
_HINT = "start `campaigns up`, or set DATABASE_URL and REDIS_URL"


def here() -> Settings:
    """Return the environment's settings, completed by the living fleet under MARKETING_HOME (URLs, or their secrets).

    Raises SettingsError when a value is wrong.
    """
    from workers.services.home import Home
    from workers.services.ownership import read_owner

    settings = with_secrets(Settings.from_env())
    if settings.database_url is not None:
        return settings
    owner = read_owner(Home(settings.home))
    if owner is None or not owner.ready:
        return settings
    return with_secrets(Settings.from_env(defaults=owner.environment))


@contextmanager
def campaigns(*, start: bool = False, acts: bool = False) -> Iterator[Campaigns]:
    """Open a client of the services that are there.

    With ``start``, the embedded servers are started when nothing is configured and MARKETING_HOME has data. With
    ``acts``, WrongWorldError is raised when this shell is of another mode than the database, before anything is asked
    or changed. Raises ServiceError when there is nothing to talk to or no schema, DatabaseUnavailableError when there
    is no answer, and SettingsError when a value is wrong.
    """
    from workers.services import EmbeddedServices, Home, ServiceError

    settings = here()
    with ExitStack() as stack:
        if settings.database_url is None:
            home = Home(settings.home)
            if not start or not (home.postgres / "PG_VERSION").exists():
                raise ServiceError(f"nothing runs here (no DATABASE_URL, no fleet in {home.path}): {_HINT}")
            services = stack.enter_context(EmbeddedServices(home))
            migrate(services.database_url, settings.mode)
            settings = with_services(settings, services.database_url, services.redis_url)
        client = stack.enter_context(closing(connect(settings)))
        if acts:
            client.world.require()
        yield client


def connect(settings: Settings) -> Campaigns:
    """Return a client that has been seen to answer.

    Raises errors as :func:`campaigns` does.
    """
    from orchestration.client import Campaigns
    from orchestration.reports.fleet import has_schema
    from workers.logs import configure_command
    from workers.services import ServiceError

    configure_command(settings)
    try:
        client = Campaigns(settings)
    except ValueError as error:  # a DATABASE_URL that is no URL of Postgres
        raise SettingsError(str(error)) from None
    try:
        client.database.check()
        if not has_schema(client.database):
            raise ServiceError(f"the database has no tables yet: run `campaigns migrate`, or {_HINT}")
    except BaseException:
        client.close()
        raise
    return client


def migrate(database_url: str, mode: Mode) -> None:
    """Bring the tables up to date.

    A database without tables becomes one of ``mode``; any other keeps its own. Raises DatabaseUnavailableError when
    there is no answer.
    """
    from orchestration.ledger.schema import migrate as bring_up_to_date

    check_reachable(database_url)
    bring_up_to_date(database_url, mode)


def migration(mode: Mode) -> Callable[[str], None]:
    """Return what a fleet of ``mode`` does to its database: migrate it, and refuse one of another (WrongWorldError)."""

    def prepare(database_url: str) -> None:
        migrate(database_url, mode)
        require_world(database_url, mode)

    return prepare


def require_world(database_url: str, mode: Mode) -> None:
    """Refuse a database that has tables and is of another mode.

    Raises WrongWorldError then, and what :func:`check_reachable` raises.
    """
    from orchestration.ledger.database import Database
    from orchestration.ledger.world import World
    from orchestration.reports.fleet import has_schema

    check_reachable(database_url)
    database = Database(database_url, pool_size=1)
    try:
        if has_schema(database):
            World(database, mode).require()
    finally:
        database.close()


def check_reachable(database_url: str) -> None:
    """Check that a database answers.

    Raises SettingsError for what is no URL of Postgres, and DatabaseUnavailableError when there is no answer.
    """
    from orchestration.ledger.database import Database

    try:
        database = Database(database_url, pool_size=1)
    except ValueError as error:
        raise SettingsError(str(error)) from None
    try:
        database.check()
    finally:
        database.close()


def check_redis(redis_url: str) -> float:
    """Return the seconds that Redis took to answer.

    Raises SettingsError for what is no URL of Redis, and ServiceError when there is no answer.
    """
    import redis

    from integrations.redis_client import redis_client
    from integrations.redis_url import RedisUrlError
    from workers.services import ServiceError

    try:
        client = redis_client(redis_url, timeout_s=CONNECT_S)
    except RedisUrlError as error:
        raise SettingsError(f"REDIS_URL {error}") from None
    began = time.monotonic()
    try:
        client.ping()
    except (redis.RedisError, OSError) as error:
        trust = "; set SSL_CERT_FILE, or add ?ssl_ca_certs=FILE, with the authority that signed its certificate"
        hint = trust if "CERTIFICATE_VERIFY_FAILED" in str(error) else ""
        raise ServiceError(f"{hide_secrets(redis_url)}: {error}{hint}") from None
    finally:
        client.close()
    return time.monotonic() - began


def with_services(settings: Settings, database_url: str, redis_url: str) -> Settings:
    """Return the settings with these servers."""
    return settings.model_copy(update={"database_url": database_url, "redis_url": redis_url})
