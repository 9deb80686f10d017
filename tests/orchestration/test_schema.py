"""The schema comes up once, however many ask for it at the same time."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from integrations.settings import Mode
from orchestration.ledger.database import Database, DatabaseUnavailableError, normalise, place
from orchestration.ledger.schema import current, head, migrate


def test_many_migrate_at_once(services: Any) -> None:
    admin = Database(services.database_url)
    admin.run("DROP DATABASE IF EXISTS migrating WITH (FORCE)")
    admin.run("CREATE DATABASE migrating")
    url = services.database_url.replace("/marketing?", "/migrating?")
    assert current(url) is None
    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(migrate, [url] * 8, [Mode.LIVE] * 8)) == {head()}
    assert current(url) == head()
    fresh = Database(url)
    assert fresh.rows("SELECT count(*) FROM marketing.campaigns") == [(0,)]
    # The first one has said of which world the database is; no later one changes it.
    migrate(url, Mode.SANDBOX)
    assert fresh.rows("SELECT mode, by FROM marketing.world") == [("live", "migrate")]
    fresh.close()
    admin.run("DROP DATABASE migrating WITH (FORCE)")
    admin.close()


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+psycopg2"])
def test_every_form_of_the_url_means_psycopg2(scheme: str) -> None:
    assert normalise(f"{scheme}://u:p@h:5/d") == "postgresql+psycopg2://u:p@h:5/d"


def test_other_databases_are_refused_and_passwords_hidden() -> None:
    with pytest.raises(ValueError, match="'mysql'"):
        normalise("mysql://u@h/d")
    assert place("postgresql://u:p%40/@h/d") == "postgresql+psycopg2://u:***@h/d"


def test_a_nasty_password_survives() -> None:
    assert normalise("postgresql://u:%40%2F%23%5B%25@h/d") == "postgresql+psycopg2://u:%40%2F%23%5B%25@h/d"


def test_an_unreachable_database_is_named_without_its_password() -> None:
    away = Database("postgresql://user:secret@127.0.0.1:1/d")
    with pytest.raises(DatabaseUnavailableError) as caught:
        away.check()
    assert "127.0.0.1:1" in str(caught.value)
    assert "secret" not in str(caught.value)
    away.close()
