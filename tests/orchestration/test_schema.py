"""The schema comes up once, however many ask for it at the same time."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import stack
from alembic.script import ScriptDirectory

from integrations.settings import Mode
from orchestration.ledger.database import Database, DatabaseUnavailableError
from orchestration.ledger.schema import HEAD, alembic_config, current, migrate


def test_many_migrate_at_once(services: Any, databases: stack.Databases) -> None:
    admin = Database(services.database_url)
    admin.run("CREATE DATABASE migrating")
    admin.close()
    url = services.database_url.replace("/marketing?", "/migrating?")
    assert current(url) is None
    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(migrate, [url] * 8, [Mode.LIVE] * 8)) == {HEAD}
    assert current(url) == HEAD
    fresh = Database(url)
    assert fresh.rows("SELECT count(*) FROM marketing.campaigns") == [(0,)]
    # The first one has said of which world the database is; no later one changes it.
    migrate(url, Mode.SANDBOX)
    assert fresh.rows("SELECT mode, by FROM marketing.world") == [("live", "migrate")]
    fresh.close()
    databases.drop(url)


def test_the_newest_revision_is_named_without_alembic() -> None:
    assert ScriptDirectory.from_config(alembic_config()).get_current_head() == HEAD


def test_an_unreachable_database_is_named_without_its_password() -> None:
    away = Database("postgresql://user:secret@127.0.0.1:1/d")
    with pytest.raises(DatabaseUnavailableError) as caught:
        away.check()
    assert "127.0.0.1:1" in str(caught.value)
    assert "secret" not in str(caught.value)
    away.close()
