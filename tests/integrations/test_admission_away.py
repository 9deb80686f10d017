"""Redis away and back: what goes on, what waits, and that nobody pays for it call by call."""

from __future__ import annotations

import logging
import socket
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import redis
from stack import stop, wait_until

from integrations.admission import Admission, Breaker, BreakerState, Circuit, Ticket
from integrations.admission.redis_health import RedisHealth
from integrations.errors import CircuitOpenError, NotNowError, TransientError

P, Q = Circuit("p"), Circuit("q")


class OwnRedis:
    """A Redis server of this test's own, that it may kill."""

    def __init__(self, folder: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.folder = folder
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        from workers.services.redis_program import find_server

        self.process = subprocess.Popen(
            [
                str(find_server().path),
                "--bind",
                "127.0.0.1",
                "--port",
                str(self.port),
                "--save",
                "",
                "--dir",
                str(self.folder),
            ],
            stdout=subprocess.DEVNULL,
        )
        wait_until(self.answers, message="Redis to answer")

    def answers(self) -> bool:
        try:
            with redis.Redis.from_url(self.url) as client:
                return bool(client.ping())
        except redis.RedisError:
            return False

    def kill(self) -> None:
        assert self.process
        self.process.kill()
        self.process.wait(10)


@pytest.fixture
def own_redis(tmp_path: Path) -> Iterator[OwnRedis]:
    server = OwnRedis(tmp_path)
    server.start()
    yield server
    assert server.process
    stop(server.process)


@pytest.fixture
def opened() -> Iterator[Callable[..., Admission]]:
    made: list[Admission] = []

    def build(url: str, **options: Any) -> Admission:
        made.append(Admission(url, breaker=Breaker(1, 1000.0), limits={}, **options))
        return made[-1]

    yield build
    for admission in made:
        admission.close()


def ask(admission: Admission, circuit: Circuit = P, *, effect: bool = False) -> Ticket:
    return admission.admit(circuit, holder="h", campaign="c", lease_s=60, effect=effect)


def refused(admission: Admission, circuit: Circuit = P, *, effect: bool = False) -> NotNowError:
    with pytest.raises(NotNowError) as caught:
        ask(admission, circuit, effect=effect)
    assert caught.value.detail == "admission_away"
    assert caught.value.retry_after is not None
    assert 1.0 <= caught.value.retry_after <= 1.5
    return caught.value


def test_killed_and_back(
    own_redis: OwnRedis, opened: Callable[..., Admission], caplog: pytest.LogCaptureFixture
) -> None:
    admission = opened(own_redis.url)
    begun = ask(admission)
    assert (admission.healthy, begun.unguarded) == (True, False)
    own_redis.kill()

    only = ask(admission)
    assert (admission.healthy, only.unguarded) == (False, True)
    refused(admission)
    refused(admission, effect=True)
    refused(admission, Q, effect=True)
    other = ask(admission, Q)  # one for each provider
    admission.settle(only, TransientError("p", "down"))
    admission.settle(begun, TransientError("p", "down"))  # nobody to tell; it must not raise
    again = ask(admission)
    refused(admission)
    admission.settle(only, None)  # a second time: not its place any more
    refused(admission)
    for look in (admission.status, lambda: admission.reset("p")):
        with pytest.raises(NotNowError):
            look()
    assert warnings(caplog) == ["Redis is away"]

    own_redis.start()
    wait_until(lambda: not attempt(admission).unguarded, message="Redis to be found again")
    assert admission.healthy
    ask(admission, effect=True)
    admission.settle(other, None)
    admission.settle(again, TransientError("p", "down"))
    assert {s.state for s in admission.status()} == {BreakerState.CLOSED}  # fresh: what it knew is gone
    assert warnings(caplog) == ["Redis is away", "Redis answers again"]


def attempt(admission: Admission) -> Ticket:
    try:
        ticket = ask(admission, Circuit("attempt"))
    except NotNowError:
        return Ticket(circuit=P, breaker=admission.breaker, token="", at=0.0, unguarded=True)
    admission.settle(ticket, None)
    return ticket


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    found = [r for r in caplog.records if r.name.startswith("integrations.admission")]
    assert all(record.levelno == logging.WARNING for record in found)
    return [record.getMessage().partition(" (")[0].partition(":")[0] for record in found]


def test_a_silent_redis_is_asked_by_one_caller_not_by_all(
    opened: Callable[..., Admission], caplog: pytest.LogCaptureFixture
) -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=100) as silent:  # it takes connections and says nothing
        admission = opened(f"redis://:a-secret@127.0.0.1:{silent.getsockname()[1]}/0")
        ask(admission, Q)  # pays the one time-out
        before = connections(silent)
        with ThreadPoolExecutor(20) as pool:
            outcomes = list(pool.map(lambda n: unguarded(admission, Circuit(f"p{n % 5}")), range(100)))
        asked = connections(silent)
    assert before == 1
    assert asked < 10  # none, unless the machine is so slow that a second passes: then one caller finds out again
    assert sum(outcomes) == 5
    assert "a-secret" not in caplog.text


def unguarded(admission: Admission, circuit: Circuit) -> bool:
    try:
        return ask(admission, circuit).unguarded
    except NotNowError:
        return False


def connections(server: socket.socket) -> int:
    server.setblocking(False)
    count = 0
    while True:
        try:
            server.accept()[0].close()
        except BlockingIOError:
            return count
        count += 1


def test_an_unguarded_call_that_never_ends_is_over_after_its_lease() -> None:
    health = RedisHealth()
    assert health.begin_unguarded("p", "lost", 0.0)
    assert health.begin_unguarded("p", "next", 60.0)
    health.end_unguarded("p", "lost")
    assert not health.begin_unguarded("p", "third", 60.0)


def test_flushed_scripts_are_sent_again(own_redis: OwnRedis, opened: Callable[..., Admission]) -> None:
    admission = opened(own_redis.url)
    with redis.Redis.from_url(own_redis.url) as client:
        for _ in range(2):
            client.script_flush()
            ticket = ask(admission)
            client.script_flush()
            admission.settle(ticket, TransientError("p", "down"))
            client.script_flush()
            (seen,) = admission.status()
            assert seen.state is BreakerState.OPEN
            client.script_flush()
            admission.reset("p")
    assert admission.healthy


def test_a_flushed_redis_is_a_fresh_closed_breaker(own_redis: OwnRedis, opened: Callable[..., Admission]) -> None:
    admission = opened(own_redis.url)
    begun = [ask(admission), ask(admission)]
    admission.settle(begun[0], TransientError("p", "down"))
    with pytest.raises(CircuitOpenError):
        ask(admission)
    with redis.Redis.from_url(own_redis.url) as client:
        client.flushall()
    assert not ask(admission).probe
    assert admission.status()[0].state is BreakerState.CLOSED


def test_a_redis_that_refuses_to_write_is_away_too(own_redis: OwnRedis, opened: Callable[..., Admission]) -> None:
    admission = opened(own_redis.url)
    with redis.Redis.from_url(own_redis.url) as client:
        client.config_set("maxmemory", 1)
        refused(admission, effect=True)
        assert not admission.healthy
        client.config_set("maxmemory", 0)
    wait_until(lambda: not attempt(admission).unguarded, message="Redis to be found again")
