"""Looks at Redis: whether it takes writes, and how long the oldest message of each queue has waited.

A connection of its own without retries, so that a look ends within a few seconds. Invariant: a look leaves nothing
behind: the key it writes is its own, is deleted again, and would expire.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from uuid import uuid4

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from integrations.redis_client import redis_pool
from orchestration.reports.progress import QueueFact, StoreRefusesError
from workers.liveness.broker_queues import LONG_AGO, sent_at

#: Seconds to connect, and for each answer.
LIMIT_S = 3.0

#: What Redis says in its first word when it refuses to work, and what to do.
_REFUSALS = {
    "OOM": "its memory is full (maxmemory): raise maxmemory or delete what fills it; an eviction policy would drop "
    "queued messages",
    "READONLY": "it is a read-only replica: name the primary in REDIS_URL",
    "NOREPLICAS": "it lacks replicas (min-replicas-to-write)",
    "LOADING": "it is loading its data",
    "MISCONF": "it can't write its data to the disk: free space, or see its log",
    "MASTERDOWN": "its primary is down",
    "NOPERM": "its user may not do this",
}


class RedisUnavailableError(ConnectionError):
    """Redis can't be reached.

    The text says why, without credentials.
    """


class BrokerLook:
    """Looks at one Redis, which remember since when they have seen the same message at the head of a queue."""

    def __init__(self, redis_url: str, queues: Sequence[str]) -> None:
        self._queues = tuple(queues)
        limits = {"socket_connect_timeout": LIMIT_S, "socket_timeout": LIMIT_S, "retry": Retry(NoBackoff(), 0)}
        pool = redis_pool(redis_url, max_connections=1, wait_s=LIMIT_S, **limits)
        self._client: redis.Redis = redis.Redis.from_pool(pool)
        self._heads: dict[str, tuple[bytes, float]] = {}

    def queues(self) -> list[QueueFact]:
        """Return the state of each queue after Redis has taken a write.

        Raises RedisUnavailableError when it can't be reached, and StoreRefusesError when it answers and refuses.
        """
        try:
            self._write()
            pipeline = self._client.pipeline(transaction=False)
            for queue in self._queues:
                pipeline.llen(queue)
                pipeline.lindex(queue, -1)
            answers = pipeline.execute()
        except redis.RedisError as error:
            raise self._judged(error) from None
        except OSError as error:
            raise RedisUnavailableError(str(error)) from None
        return [self._fact(*one) for one in zip(self._queues, answers[::2], answers[1::2], strict=True)]

    def close(self) -> None:
        """Close the connection."""
        self._client.close()

    def _write(self) -> None:
        key = f"marketing:look:{uuid4().hex}"
        self._client.set(key, b"1", ex=10)
        self._client.delete(key)

    def _judged(self, error: redis.RedisError) -> Exception:
        word, _, rest = str(error).partition(" ")
        for name, kind in (
            ("LOADING", redis.exceptions.BusyLoadingError),
            ("READONLY", redis.exceptions.ReadOnlyError),
            ("OOM", redis.exceptions.OutOfMemoryError),
            ("MASTERDOWN", redis.exceptions.MasterDownError),
            ("NOPERM", redis.exceptions.NoPermissionError),
        ):
            if isinstance(error, kind):  # the client has taken the first word off
                word, rest = name, str(error)
        if word in _REFUSALS:
            return StoreRefusesError(f"Redis refuses writes: {_REFUSALS[word]} ({word} {rest[:120]})")
        # A wrong password is a ConnectionError too.
        if isinstance(error, redis.ConnectionError | redis.TimeoutError):
            return RedisUnavailableError(str(error) or type(error).__name__)
        return StoreRefusesError(f"Redis refuses writes: {str(error)[:200]}")

    def _fact(self, queue: str, length: int, head: bytes | str | None) -> QueueFact:
        if head is None:
            self._heads.pop(queue, None)
            return QueueFact(name=queue)
        raw, now = head if isinstance(head, bytes) else head.encode(), time.monotonic()
        known, since = self._heads.get(queue, (raw, now))
        if known != raw:
            since = now
        self._heads[queue] = (raw, since)
        sent = sent_at(raw)
        age = None if sent == LONG_AGO else max(0.0, time.time() - sent.timestamp())
        return QueueFact(name=queue, length=int(length), oldest_age_s=age, same_head_s=now - since)
