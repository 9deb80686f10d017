"""DATABASE_URL in the forms that people have, turned into the one that SQLAlchemy reads as psycopg2.

    postgresql://user:password@host:5432/name?sslmode=verify-full      also postgres:// and postgresql+psycopg2://
    postgresql://user@/name?host=/run/postgresql                       a Unix socket's folder; also //%2Frun%2F.../name
    postgresql://user@h1:5432,h2:5432/name?target_session_attrs=read-write
    postgresql:///?service=prod                                        a section of pg_service.conf

Options are those of libpq. Invariant: what libpq can't take is refused before any connection is made.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import parse_qsl, unquote

import psycopg2
from psycopg2.extensions import make_dsn
from sqlalchemy.dialects.postgresql.psycopg2 import PGDialect_psycopg2
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError

from integrations.shown_url import hide_secrets

RIGHT = "write postgresql://user:password@host:5432/name"
_SCHEMES = ("postgresql", "postgres", "postgresql+psycopg2")
_SSL_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
_DIALECT = PGDialect_psycopg2()  # type: ignore[no-untyped-call]

_URL = re.compile(
    r"(?P<scheme>[\w+.-]+)://(?:(?P<user>[^:/@?]*)(?::(?P<password>[^@]*))?@)?"
    r"(?P<hosts>[^/?]*)(?:/(?P<name>[^?]*))?(?:\?(?P<query>.*))?",
    re.DOTALL,
)
_HOST = re.compile(r"(?P<host>\[[^\]]+\]|[^:\[\]@]*)(?::(?P<port>\d*))?")


def normalise(database_url: str) -> str:
    """Return the URL as SQLAlchemy reads it, with psycopg2 as its driver.

    Raises ValueError, which names the variable, the fault and what would be right, but no secret.
    """
    found = _URL.fullmatch(database_url.strip())
    if found is None:
        pairs = " (it is a list of key=value pairs)" if re.match(r"\s*\w+\s*=", database_url) else ""
        raise ValueError(f"DATABASE_URL is not a URL{pairs}: {RIGHT}")
    if found["scheme"] not in _SCHEMES:
        raise ValueError(
            f"DATABASE_URL names {found['scheme']!r}; this project speaks postgresql (through psycopg2): {RIGHT}"
        )
    query = _query(found["query"] or "")
    hosts = list(_hosts(found["hosts"]))
    host, port = hosts[0] if len(hosts) == 1 else ("", "")
    if len(hosts) > 1 or host.startswith("/"):
        query.setdefault("host", ",".join(one for one, _ in hosts))
        if any(number for _, number in hosts):
            query.setdefault("port", ",".join(number for _, number in hosts))
        host = port = ""
    url = URL.create(
        "postgresql+psycopg2",
        username=_text(found["user"]),
        password=_text(found["password"]),
        host=host or None,
        port=int(port) if port else None,
        database=_text(found["name"]),
        query=query,
    )
    _check(url)
    return url.render_as_string(hide_password=False)


def place(database_url: str) -> str:
    """Return the URL as people may see it, without its secrets."""
    return hide_secrets(normalise(database_url))


def _text(part: str | None) -> str | None:
    return unquote(part) if part else None


def _query(text: str) -> dict[str, str | tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for name, value in parse_qsl(text):
        found[name] = (*found.get(name, ()), value)
    if twice := sorted(name for name, values in found.items() if len(values) > 1 and name != "host"):
        raise ValueError(f"DATABASE_URL has {', '.join(twice)} twice: give each option once")
    return {name: values if len(values) > 1 else values[0] for name, values in found.items()}


def _hosts(text: str) -> Iterator[tuple[str, str]]:
    for one in text.split(","):
        found = _HOST.fullmatch(one)
        if found is None or int(found["port"] or 0) > 65_535:
            raise ValueError(
                "DATABASE_URL has no readable host and port: percent-encode special characters of the user and the "
                f"password (%40 for @, %2F for /, %3A for :), and {RIGHT}"
            )
        yield unquote(found["host"]).strip("[]"), found["port"] or ""


def _check(url: URL) -> None:
    """Raise ValueError for what libpq can't take."""
    try:
        _, options = _DIALECT.create_connect_args(url)  # type: ignore[no-untyped-call]
        make_dsn(**options)
    except ArgumentError as error:
        raise ValueError(f"DATABASE_URL can't be used: {error}") from None
    except psycopg2.ProgrammingError as error:
        unknown = re.search(r'invalid connection option "(\w+)"', str(error))
        what = f"has the option {unknown[1]}, which Postgres' client doesn't know" if unknown else "can't be used"
        raise ValueError(f"DATABASE_URL {what}: {RIGHT}, with the options of libpq") from None
    mode = options.get("sslmode", "prefer")
    if mode not in _SSL_MODES:
        raise ValueError(f"DATABASE_URL has sslmode={mode}: it is one of {', '.join(_SSL_MODES)}")
