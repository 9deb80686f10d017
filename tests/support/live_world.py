"""A live database, and the environment of a live process, whose providers are the sandbox all the same.

Invariant: nothing here reaches a real provider. Each provider's base URL is given, and its keys are made up.
"""

from __future__ import annotations

from contextlib import closing
from typing import Any


def make_live(database_url: str) -> str:
    """Make the new database at ``database_url`` a live one, and return the URL."""
    from integrations.settings import Mode
    from orchestration.ledger.database import Database
    from orchestration.ledger.world import World

    with closing(Database(database_url, pool_size=1)) as database:
        World(database, Mode.SANDBOX).change(Mode.LIVE, actor="test")
    return database_url


def live_env(sandbox_url: str = "http://127.0.0.1:9", **settings: str) -> dict[str, str]:
    """Return MARKETING_MODE=live with every provider's keys, all at the sandbox of ``sandbox_url``."""
    from integrations.provider_registry import provider_specs

    found = {"MARKETING_MODE": "live", "LLM_MODEL": "sandbox-1", "PROBE_DELAY": "0", "WEB_DELAY": "0"}
    for spec in provider_specs().values():
        found[spec.base_url_variable] = sandbox_url + spec.sandbox_path
        found |= {
            variable: spec.sandbox_credentials.get(name, "sandbox") for name, variable in spec.credentials.items()
        }
    return {**found, **settings}


def live_campaigns(database_url: str, redis_url: str, **settings: str) -> Any:
    """Return a client (``orchestration.Campaigns``) of the live database at ``database_url``, with every key."""
    from orchestration.client import Campaigns

    return Campaigns.from_env({**live_env(), "DATABASE_URL": database_url, "REDIS_URL": redis_url, **settings})
