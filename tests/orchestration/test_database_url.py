"""DATABASE_URL in the forms that people have: what libpq is given, and what is refused in which words."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import make_url
from sqlalchemy.dialects.postgresql.psycopg2 import PGDialect_psycopg2

from orchestration.ledger.database_url import normalise, place


def given(url: str) -> dict[str, Any]:
    """What psycopg2 is called with for a URL."""
    _, options = PGDialect_psycopg2().create_connect_args(make_url(normalise(url)))
    return dict(options)


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+psycopg2"])
def test_every_scheme_means_psycopg2(scheme: str) -> None:
    assert normalise(f"{scheme}://u:p@h:5/d") == "postgresql+psycopg2://u:p@h:5/d"
    assert given(f"{scheme}://u:p@h:5/d") == {"user": "u", "password": "p", "host": "h", "port": 5, "dbname": "d"}


@pytest.mark.parametrize(
    ("url", "options"),
    [
        ("postgresql://u:%40%2F%23%5B%25@h/d", {"user": "u", "password": "@/#[%", "host": "h", "dbname": "d"}),
        ("postgresql://u%40s:p/[]#%zz@h/d", {"user": "u@s", "password": "p/[]#%zz", "host": "h", "dbname": "d"}),
        ("postgresql://u@/d?host=/run/pg", {"user": "u", "host": "/run/pg", "dbname": "d"}),
        ("postgresql://%2Frun%2Fpg:7/d", {"host": "/run/pg", "port": "7", "dbname": "d"}),
        ("postgresql://u@a:1,b:2/d", {"user": "u", "host": "a,b", "port": "1,2", "dbname": "d"}),
        ("postgresql://a,[::1]:2/d", {"host": "a,::1", "port": ",2", "dbname": "d"}),
        ("postgresql://u@/d?host=a:1&host=b:2", {"user": "u", "host": "a,b", "port": "1,2", "dbname": "d"}),
        ("postgresql://[::1]:5/d", {"host": "::1", "port": 5, "dbname": "d"}),
        ("postgresql:///?service=prod", {"service": "prod"}),
        ("postgresql:///d?user=u&password=p", {"user": "u", "password": "p", "dbname": "d"}),
        (
            "postgresql://h/d?sslmode=verify-full&sslrootcert=/a&options=-cx%3D1%20-cy%3D2",
            {"host": "h", "dbname": "d", "sslmode": "verify-full", "sslrootcert": "/a", "options": "-cx=1 -cy=2"},
        ),
    ],
)
def test_a_form(url: str, options: dict[str, object]) -> None:
    assert given(url) == options
    assert normalise(normalise(url)) == normalise(url)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("mysql://u@h/d", "names 'mysql'; this project speaks postgresql"),
        ("postgresql+asyncpg://u:s3cret@h/d", "names 'postgresql+asyncpg'"),
        ("host=h password=s3cret", "is not a URL (it is a list of key=value pairs): write postgresql://"),
        ("jdbc:postgresql://h/d", "is not a URL: write postgresql://"),
        ("postgresql://u:s3@cret@h/d", "percent-encode special characters of the user and the password"),
        ("postgresql://u@server:s3cret@h/d", "percent-encode"),
        ("postgresql://h:many/d", "has no readable host and port"),
        ("postgresql://h:99999/d", "has no readable host and port"),
        ("postgresql://h/d?pgbouncer=true", "has the option pgbouncer, which Postgres' client doesn't know"),
        ("postgresql://h/d?sslmode=no-verify", "has sslmode=no-verify: it is one of disable, allow"),
        ("postgresql://h/d?sslmode=require&sslmode=disable", "has sslmode twice"),
        ("postgresql://h/d?host=a,b,c&port=1,2", "can't be used: number of hosts and ports don't match"),
    ],
)
def test_what_cannot_work_is_refused_by_name(url: str, said: str) -> None:
    with pytest.raises(ValueError, match=r"^DATABASE_URL") as caught:
        normalise(url)
    assert said in str(caught.value)
    assert "cret" not in str(caught.value)


def test_it_is_shown_without_secrets() -> None:
    assert place("postgresql://u:p%40/@h/d") == "postgresql+psycopg2://u:***@h/d"
    assert place("postgres://h/d?password=p") == "postgresql+psycopg2://h/d?password=***"
