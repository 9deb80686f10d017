"""Connections of redis-py to the Redis that REDIS_URL names, in every form of :mod:`integrations.redis_url`."""

from __future__ import annotations

from redis import BlockingConnectionPool, Connection, ConnectionPool, Redis, SSLConnection, UnixDomainSocketConnection
from redis.sentinel import Sentinel

from integrations.redis_url import RedisUrl


def redis_pool(url: str, *, max_connections: int, wait_s: float, **options: object) -> ConnectionPool:
    """Return a pool of at most ``max_connections`` connections, for which callers wait up to ``wait_s`` seconds.

    ``options`` are redis-py's; those of the URL go before them. Behind Sentinels nobody waits: redis-py has no such
    pool, so each caller gets a connection. Raises RedisUrlError.
    """
    address = RedisUrl.parse(url)
    login = {"username": address.username, "password": address.password, "db": address.database}
    settings = {**options, **address.options, **login, **(address.tls or {})}
    if address.master is not None:
        sentinel = Sentinel(  # type: ignore[no-untyped-call]  # as redis-py has it
            list(address.hosts), sentinel_kwargs=dict(address.sentinel_options)
        )
        client: Redis = sentinel.master_for(  # type: ignore[no-untyped-call]
            address.master, ssl=address.tls is not None, **settings
        )
        return client.connection_pool
    if address.socket is not None:
        for name in ("socket_connect_timeout", "socket_keepalive"):
            settings.pop(name, None)
        where: dict[str, object] = {"connection_class": UnixDomainSocketConnection, "path": address.socket}
    else:
        ((host, port),) = address.hosts
        where = {"connection_class": Connection if address.tls is None else SSLConnection, "host": host, "port": port}
    settings = {"max_connections": max_connections, "timeout": wait_s, **where, **settings}
    return BlockingConnectionPool(**settings)  # type: ignore[no-untyped-call]


def redis_client(url: str, *, timeout_s: float) -> Redis:
    """Return a client of one connection, whose answers are waited for up to ``timeout_s`` seconds.

    Raises RedisUrlError.
    """
    pool = redis_pool(
        url, max_connections=1, wait_s=timeout_s, socket_timeout=timeout_s, socket_connect_timeout=timeout_s
    )
    return Redis.from_pool(pool)
