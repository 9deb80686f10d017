"""A worker's channel to the broker, which lives through refused commands and unreadable messages.

Redis may refuse single commands for a while (out of memory, read only, too few replicas, a changed password) without
breaking the connection. kombu then keeps an unacknowledged message's place in the prefetch window for ever, loses a
message that it has taken off the queue, or ends the worker. Messages are only wake-ups, so a worker can go on from each
of these. Invariants: no command that Redis refuses costs a place in the window; a message that can't be read is dropped
with a log line.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from queue import Empty
from typing import Any

from celery import bootsteps
from celery.worker.consumer import Consumer
from celery.worker.consumer.tasks import Tasks
from kombu.exceptions import KombuError
from kombu.transport.virtual import QoS
from redis.exceptions import RedisError, ResponseError

log = logging.getLogger(__name__)

PAUSE_S = 1.0  #: before Redis, which refuses to give messages, is asked again
MOST_OWED = 1000  #: acknowledgements that are made up for; what is beyond is redelivered and finds nothing to do


class ChannelGuard(bootsteps.StartStopStep):  # type: ignore[misc]  # celery is untyped
    """Step of Celery's consumer that guards each new channel before messages are taken from it."""

    requires = (Tasks,)

    def start(self, c: Consumer) -> None:
        """Guard the channel that the consumer has just opened."""
        GuardedChannel(c.task_consumer.channel)


class GuardedChannel:
    """Takes the place of a channel's append, acknowledgement and reading."""

    def __init__(self, channel: Any) -> None:  # kombu's, which are untyped
        self._channel = channel
        self._qos = channel.qos
        self._redis_append: Callable[..., None] = self._qos.append
        self._redis_ack: Callable[[str], None] = self._qos.ack
        self._redis_reject: Callable[..., None] = self._qos.reject
        self._redis_restore: Callable[..., None] = self._qos.restore_unacked_once
        self._redis_read: Callable[[], object] = channel.handlers["BRPOP"]
        self._owed: list[str] = []
        self._qos.append, self._qos.ack, self._qos.reject = self._append, self._ack, self._reject
        self._qos.restore_unacked_once = self._restore
        channel.handlers["BRPOP"] = self._read

    @property
    def _gone(self) -> bool:
        """Whether the channel's connection has been given up: what it took is put back, or redelivered, by then.

        A task that began on it ends later, and its message can't be acknowledged any more.
        """
        return self._channel.closed or self._channel.connection is None or self._channel.connection.client is None

    def _append(self, message: Any, delivery_tag: str) -> None:
        """Note a message as delivered, though Redis may not keep a copy of it."""
        try:
            self._redis_append(message, delivery_tag)
        except RedisError as error:
            log.warning("Redis keeps no copy of a message at work (%s)", _text(error))
            _in_memory("append", self._qos, message, delivery_tag)

    def _ack(self, delivery_tag: str) -> None:
        """Free a message's place in the window now, and its copy in Redis later where that refuses."""
        if self._gone:
            _in_memory("ack", self._qos, delivery_tag)
            return
        try:
            self._redis_ack(delivery_tag)
        except (RedisError, OSError) as error:
            log.warning("a message could not be acknowledged (%s); its slot is free all the same", _text(error))
            _in_memory("ack", self._qos, delivery_tag)
            self._owed.append(delivery_tag)
            del self._owed[:-MOST_OWED]
            return
        self._make_up()

    def _reject(self, delivery_tag: str, requeue: bool = False) -> None:
        """Free a message's place in the window now, though Redis may deliver its copy again."""
        if self._gone:
            _in_memory("ack", self._qos, delivery_tag)
            return
        try:
            self._redis_reject(delivery_tag, requeue=requeue)
        except (RedisError, OSError) as error:
            log.warning("a message could not be put back (%s); it is redelivered later", _text(error))
            _in_memory("ack", self._qos, delivery_tag)

    def _restore(self, stderr: object = None) -> None:
        """Put back what is at work as the channel closes, though Redis may not take it before it redelivers it.

        A channel is closed a second time after its connection has gone, and an error of any class would end the worker.
        """
        try:
            self._redis_restore(stderr)
        except Exception as error:
            log.warning("messages at work could not be put back (%s); they are redelivered later", _text(error))

    def _make_up(self) -> None:
        """Acknowledge what Redis refused to acknowledge before."""
        while self._owed:
            try:
                self._qos._remove_from_indices(self._owed[-1]).execute()
            except (RedisError, OSError):
                return
            self._owed.pop()

    def _read(self) -> object:
        """Read a message and hand it to the consumer, or drop one that it can't make sense of."""
        before = self._newest()
        try:
            return self._redis_read()
        except ResponseError as error:
            log.warning("Redis gives no messages (%s)", _text(error))
            time.sleep(PAUSE_S)
        except (Empty, RedisError, OSError, KombuError, MemoryError):
            raise
        except Exception as error:  # whatever stumbles over what somebody has put into the queue
            log.error("dropped a message that can't be read (%s)", type(error).__name__)
            if (newest := self._newest()) is not None and newest != before:
                self._qos.ack(newest)
        return None

    def _newest(self) -> str | None:
        return next(reversed(self._qos._delivered), None)


def _in_memory(what: str, qos: Any, *args: object) -> None:
    """Do what kombu does to a window apart from Redis."""
    getattr(QoS, what)(qos, *args)


def _text(error: BaseException) -> str:
    return (str(error) or type(error).__name__).splitlines()[0][:200]
