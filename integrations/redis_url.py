"""REDIS_URL in the forms that people have, turned into what each of its users needs.

    redis://[user:password@]host[:6379][/0][?option=value]     also valkey://, and rediss:// (valkeys://) with TLS
    unix://[user:password@]/path/to/socket[?db=0]              also redis+socket:///path?virtual_host=0
    sentinel://[user:password@]h1[:26379],h2[:26379]/master/0   also sentinel://h1;sentinel://h2/0?master_name=master,
                                                               redis+sentinel:// and rediss+sentinel:// (with TLS)

Celery's broker, its result store and redis-py each read only some of these, and options of a URL not at all or in
their own way. So the text is read here, once: :attr:`RedisUrl.celery_settings` has Celery's settings, and
:mod:`integrations.redis_client` makes clients. Invariant: with TLS the server's certificate is verified, against the
system's authorities or those of SSL_CERT_FILE, unless the URL says ``ssl_cert_reqs=none``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Self
from urllib.parse import SplitResult, parse_qsl, quote, unquote, urlencode, urlsplit

from integrations.shown_url import hide_secrets

Option = str | int | float | bool

DEFAULT_URL = "redis://127.0.0.1:6379/0"
RIGHT = "write redis://user:password@host:6379/0 (rediss:// with TLS), unix:///path/to/socket?db=0 or sentinel://..."

_PORT, _SENTINEL_PORT = 6379, 26379
_SCHEMES = {
    "redis": "redis",
    "valkey": "redis",
    "rediss": "rediss",
    "valkeys": "rediss",
    "unix": "unix",
    "redis+socket": "unix",
    "sentinel": "sentinel",
    "redis+sentinel": "sentinel",
    "rediss+sentinel": "sentinels",
}


class RedisUrlError(ValueError):
    """Raised for a REDIS_URL that can't work, with a text that follows the variable's name and holds no secret."""


def _yes_or_no(text: str) -> bool:
    if text.lower() not in ("true", "yes", "1", "false", "no", "0"):
        raise ValueError
    return text.lower() in ("true", "yes", "1")


def _verification(text: str) -> str:
    level = text.lower().removeprefix("cert_")
    if level not in ("none", "optional", "required"):
        raise ValueError
    return level


_CONNECTION: Mapping[str, Callable[[str], Option]] = {
    "socket_timeout": float,
    "socket_connect_timeout": float,
    "socket_keepalive": _yes_or_no,
    "health_check_interval": int,
    "retry_on_timeout": _yes_or_no,
    "max_connections": int,
    "client_name": str,
}
_TLS: Mapping[str, Callable[[str], Option]] = {
    "ssl_cert_reqs": _verification,
    "ssl_check_hostname": _yes_or_no,
    "ssl_ca_certs": str,
    "ssl_ca_path": str,
    "ssl_certfile": str,
    "ssl_keyfile": str,
    "ssl_password": str,
}
_SENTINEL: Mapping[str, Callable[[str], Option]] = {"sentinel_username": str, "sentinel_password": str}
_DATABASE = ("db", "virtual_host")
_MASTER = "master_name"


@dataclass(frozen=True, kw_only=True)
class RedisUrl:
    """A Redis, as REDIS_URL names it."""

    hosts: tuple[tuple[str, int], ...] = ()  #: host and port, of each Sentinel if there is a ``master``
    socket: str | None = None  #: path of a Unix socket, which takes the place of ``hosts``
    master: str | None = None  #: name by which Sentinels know the server
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    database: int = 0
    tls: Mapping[str, Option] | None = field(default=None, repr=False)  #: redis-py's ``ssl_`` options; None: no TLS
    options: Mapping[str, Option] = field(default_factory=dict)  #: of each connection, under redis-py's names
    sentinel_login: Mapping[str, Option] = field(default_factory=dict, repr=False)  #: username, password of Sentinels

    @classmethod
    def parse(cls, url: str) -> Self:
        """Read a REDIS_URL.

        Raises RedisUrlError that says what is wrong with it and what would be right.
        """
        scheme, mark, _ = url.partition("://")
        kind = _SCHEMES.get(scheme.lower())
        if not mark or kind is None:
            raise RedisUrlError(f"is no URL of Redis: {RIGHT}")
        parts = [_split(one, url) for one in (_parts_of_a_list(url) if kind.startswith("sentinel") else [url])]
        read = _Query.of(parts, url)
        tls = {"ssl_cert_reqs": "required", **read.take(_TLS)} if kind in ("rediss", "sentinels") else None
        if tls is None and (unused := sorted(read.given.keys() & _TLS.keys())):
            raise _wrong(url, f"has {', '.join(unused)} but no TLS", f"begin it with rediss:// instead of {scheme}://")
        first = parts[0]
        master, number = _master_and_database(parts, read, url) if kind.startswith("sentinel") else (None, "")
        if kind in ("redis", "rediss"):
            number = first.path.strip("/")
        path = _socket(first, url) if kind == "unix" else None
        made = cls(
            hosts=tuple(_hosts(parts, _SENTINEL_PORT, url) if master else _one_host(parts, url)) if not path else (),
            socket=path,
            master=master,
            username=unquote(first.username or "") or None,
            password=unquote(first.password or "") or None,
            database=_database(read.database() or number, url),
            tls=tls,
            options=read.take(_CONNECTION),
            sentinel_login={
                name.removeprefix("sentinel_"): value for name, value in read.take(_SENTINEL if master else {}).items()
            },
        )
        read.refuse_rest(tls=tls is not None, sentinel=master is not None)
        return made

    @property
    def celery_settings(self) -> Mapping[str, object]:
        """Celery's settings for this Redis as its broker and result store, but for :attr:`transport_options`.

        Results are kept in the broker's own database, where
        no name collides (theirs begin with ``celery-``): the last of Redis' databases has no next one, and many
        servers have just one.
        """
        login = ":".join(quote(part or "", safe="") for part in (self.username, self.password))
        user = f"{login}@" if login != ":" else ""
        if self.socket is not None:
            url = f"redis+socket://{user}{quote(self.socket)}?{urlencode({'virtual_host': self.database})}"
        else:
            scheme = "sentinel" if self.master else "rediss" if self.tls is not None else "redis"
            url = ";".join(
                f"{scheme}://{user}{f'[{host}]' if ':' in host else host}:{port}/{self.database}"
                for host, port in self.hosts
            )
        option = self.options.get
        return {
            "broker_url": url,
            "result_backend": url,
            "broker_use_ssl": dict(self.tls) if self.tls is not None else False,
            "redis_backend_use_ssl": dict(self.tls) if self.tls is not None else None,
            "result_backend_transport_options": self._sentinel,
            "redis_socket_timeout": option("socket_timeout", 30.0),
            "redis_socket_connect_timeout": option("socket_connect_timeout", None),
            "redis_socket_keepalive": self.socket is None and option("socket_keepalive", True),
            "redis_retry_on_timeout": option("retry_on_timeout", False),
            "redis_backend_health_check_interval": option("health_check_interval", None),
            "redis_max_connections": option("max_connections", 200),
            "redis_client_name": option("client_name", None),
        }

    @property
    def transport_options(self) -> dict[str, object]:
        """What the URL adds to Celery's ``broker_transport_options``."""
        return {**self.options, **self._sentinel}

    @property
    def _sentinel(self) -> dict[str, object]:
        return {"master_name": self.master, "sentinel_kwargs": dict(self.sentinel_options)} if self.master else {}

    @property
    def sentinel_options(self) -> Mapping[str, Option]:
        """redis-py's options of the connections to Sentinels."""
        timeouts = {name: value for name, value in self.options.items() if name.startswith("socket_")}
        return {**timeouts, **self.sentinel_login, **({"ssl": True, **self.tls} if self.tls is not None else {})}


class _Query:
    """Options of a URL, each taken once."""

    def __init__(self, given: Mapping[str, str], url: str) -> None:
        self.given = dict(given)
        self._url = url

    @classmethod
    def of(cls, parts: list[SplitResult], url: str) -> Self:
        given: dict[str, str] = {}
        for name, value in (pair for part in parts for pair in parse_qsl(part.query, keep_blank_values=True)):
            if given.setdefault(name, value) != value:
                raise _wrong(url, f"has {name} twice", "give it once")
        return cls(given, url)

    def take(self, readers: Mapping[str, Callable[[str], Option]]) -> dict[str, Option]:
        found: dict[str, Option] = {}
        for name, reader in readers.items():
            if name in self.given:
                text = self.given.pop(name)
                try:
                    found[name] = reader(text)
                except ValueError:
                    right = {float: "a number", int: "a whole number", _verification: "none, optional or required"}
                    raise _wrong(
                        self._url, f"has {name}={text}", f"it takes {right.get(reader, 'true or false')}"
                    ) from None
        return found

    def pop(self, name: str) -> str:
        return self.given.pop(name, "")

    def database(self) -> str:
        found = {value for name in _DATABASE if (value := self.pop(name).strip("/"))}
        if len(found) > 1:
            raise _wrong(self._url, "names two databases", "give one number")
        return found.pop() if found else ""

    def refuse_rest(self, *, tls: bool, sentinel: bool) -> None:
        if self.given:
            known = sorted({*_CONNECTION, "db", *(_TLS if tls else ()), *((_MASTER, *_SENTINEL) if sentinel else ())})
            raise _wrong(self._url, f"has {', '.join(sorted(self.given))}", f"known options are {', '.join(known)}")


def _wrong(url: str, fault: str, right: str) -> RedisUrlError:
    return RedisUrlError(f"is {hide_secrets(url)}, which {fault}: {right}")


def _parts_of_a_list(url: str) -> Iterator[str]:
    """Yield the URLs of a list, which semicolons separate.

    Such as ``sentinel://h1;sentinel://h2/0`` or ``sentinel://h1;h2/0``.
    """
    first, *others = url.split(";")
    scheme = first.partition("://")[0]
    yield first
    for other in others:
        yield other if "://" in other else f"{scheme}://{other}"


def _split(url: str, whole: str) -> SplitResult:
    encode = "percent-encode special characters of the password (%40 for @, %2F for /, %23 for #, %3F for ?)"
    try:
        parts = urlsplit(url)
    except ValueError:
        raise _wrong(whole, "has brackets where no IPv6 address is", encode) from None
    if parts.fragment or ("@" in parts.path + parts.query and ":" in parts.netloc and "@" not in parts.netloc):
        raise _wrong(whole, "can't be read", encode)
    return parts


def _hosts(parts: list[SplitResult], port: int, url: str) -> Iterator[tuple[str, int]]:
    for part in parts:
        for address in part.netloc.rpartition("@")[2].split(","):
            try:
                one = urlsplit(f"//{address}")
                host, number = one.hostname, one.port
            except ValueError:
                raise _wrong(url, f"has the address {address!r}", "write host:port, [::1]:port for IPv6") from None
            if not host and len(parts) > 1:
                raise _wrong(url, "has an empty address", "write host:port for each")
            yield unquote(host or "") or "127.0.0.1", port if number is None else number


def _one_host(parts: list[SplitResult], url: str) -> Iterator[tuple[str, int]]:
    found = list(_hosts(parts, _PORT, url))
    if len(found) > 1:
        raise _wrong(url, "names several servers", "name one, or their Sentinels; a Cluster can't be used")
    yield from found


def _socket(part: SplitResult, url: str) -> str:
    path = unquote(part.path)
    if part.hostname or not path.strip("/"):
        raise _wrong(url, "names no absolute path of a socket", "write unix:///path/to/socket?db=0, with three slashes")
    return path


def _master_and_database(parts: list[SplitResult], read: _Query, url: str) -> tuple[str, str]:
    path = next((part.path for part in reversed(parts) if part.path.strip("/")), "").strip("/")
    named, slash, number = path.partition("/")
    if not slash and named.isdecimal():
        named, number = "", named
    master = read.pop(_MASTER) or unquote(named)
    if not master:
        raise _wrong(url, "names no master", "add ?master_name=NAME, the name by which the Sentinels know it")
    return master, number


def _database(number: str, url: str) -> int:
    if not number:
        return 0
    if not (number.isascii() and number.isdecimal()):
        raise _wrong(url, f"has {unquote(number)!r} for a database", "databases are numbers, from 0")
    return int(number)
