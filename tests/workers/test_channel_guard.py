"""A worker's channel over a Redis that refuses commands, and with rubbish in its queue."""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest
import redis
from kombu import Connection, Consumer, Exchange, Producer, Queue

from workers.channel_guard import GuardedChannel

WINDOW = 4
NAME = "guarded"
QUEUE = Queue(NAME, Exchange(NAME), routing_key=NAME)  # type: ignore[no-untyped-call]  # kombu is untyped


class Bench:
    """One consumer with a window of four messages, and a producer."""

    def __init__(self, connection: Any, admin: redis.Redis) -> None:
        self.connection, self.admin = connection, admin
        self.taken: list[Any] = []
        self.channel = connection.default_channel
        self.channel.basic_qos(0, WINDOW, False)
        self.consumer = Consumer(self.channel, [QUEUE], on_message=self.taken.append)
        self.producer = Producer(connection.channel(), exchange=QUEUE.exchange, routing_key=NAME)

    def drain(self, until: int) -> None:
        """Take messages until so many were taken in all."""
        for _ in range(20):
            if len(self.taken) >= until:
                return
            with suppress(socket.timeout):
                self.connection.drain_events(timeout=0.3)
        raise AssertionError(f"took {len(self.taken)} of {until}")

    def send(self, count: int) -> None:
        for n in range(count):
            self.producer.publish({"n": n}, headers={"task": "x"})

    @property
    def window(self) -> int:
        """How many places of the window are taken."""
        return len(self.channel.qos._delivered) - len(self.channel.qos._dirty)


@pytest.fixture
def bench(redis_url: str) -> Iterator[Bench]:
    """A consumer that is guarded, over a Redis that takes all commands again afterwards."""
    with Connection(redis_url) as connection, redis.Redis.from_url(redis_url) as admin:
        made = Bench(connection, admin)
        GuardedChannel(made.channel)
        with made.consumer:
            yield made


@contextmanager
def full(admin: redis.Redis) -> Iterator[None]:
    """Out of memory: also what frees some is refused within MULTI."""
    admin.config_set("maxmemory", "1")
    try:
        yield
    finally:
        admin.config_set("maxmemory", "0")


@contextmanager
def lonely(admin: redis.Redis) -> Iterator[None]:
    """Too few replicas to take a write."""
    admin.config_set("min-replicas-to-write", "1")
    try:
        yield
    finally:
        admin.config_set("min-replicas-to-write", "0")


@pytest.mark.parametrize("refusing", [full, lonely])
def test_an_acknowledgement_that_redis_refuses_frees_its_slot_and_is_made_up_for(
    bench: Bench, refusing: Callable[[redis.Redis], Any]
) -> None:
    bench.send(WINDOW + 2)
    bench.drain(WINDOW)
    with refusing(bench.admin):
        for message in bench.taken:
            message.ack_log_error(logging.getLogger(__name__), bench.connection.connection_errors)
        assert bench.window == 0
        assert bench.admin.hlen("unacked") == WINDOW
    bench.drain(WINDOW + 2)
    for message in bench.taken[WINDOW:]:
        message.ack()
    assert bench.window == 0
    assert bench.admin.hlen("unacked") == bench.admin.zcard("unacked_index") == 0


def test_a_message_of_which_redis_keeps_no_copy_is_delivered_all_the_same(bench: Bench) -> None:
    bench.send(1)
    with full(bench.admin):
        bench.drain(1)
        assert bench.window == 1
    bench.taken[0].ack()
    assert bench.window == 0


def test_rubbish_in_the_queue_is_dropped_with_a_log_line(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    rubbish = ["not json", "[]", "{}", "7", '"text"', "null", '{"properties": 7}', b"\xff\xfe", "[" * 100_000]
    for one in rubbish:
        bench.admin.lpush(NAME, one)
    bench.send(1)
    bench.drain(1)
    assert caplog.text.count("dropped a message that can't be read") == len(rubbish)
    assert bench.window == 1
    bench.taken[0].ack()
    assert bench.admin.llen(NAME) == bench.admin.hlen("unacked") == 0


def test_a_message_that_the_consumer_stumbles_over_is_acknowledged(bench: Bench) -> None:
    def stumble(message: Any) -> None:
        raise ValueError("not enough values to unpack")

    bench.consumer.on_message = stumble
    bench.send(1)
    for _ in range(3):
        with suppress(socket.timeout):
            bench.connection.drain_events(timeout=0.3)
    assert bench.window == 0
    assert bench.admin.hlen("unacked") == 0


def test_a_channel_closes_although_nothing_can_be_put_back(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    bench.send(WINDOW)
    bench.drain(WINDOW)
    # What Celery does about a lost connection while Redis is down: it closes all, and closes it again.
    bench.connection._transport.client = None
    with caplog.at_level(logging.WARNING, "workers.channel_guard"):
        bench.channel.close()
    assert "could not be put back" in caplog.text
    # Tasks that began on it end now.
    bench.taken[0].ack()
    bench.taken[1].reject(requeue=True)
    bench.taken[2].ack_log_error(None, (redis.RedisError,))
    assert bench.admin.hlen("unacked") == WINDOW
