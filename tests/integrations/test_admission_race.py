"""Processes and threads that race: at half-open exactly one call goes through in the whole fleet."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager

import redis

from integrations.admission import Admission, Breaker, BreakerChange, BreakerState, Circuit, Limit
from integrations.errors import CircuitOpenError, OverLimitError, TransientError

RACERS = 24
RECOVERY_S = 0.5
CIRCUIT = Circuit.of("openai", "key", model="m")

# Forks a process for each of the sockets that it is given. Each reads commands: "admit AT" (all at the same moment),
# "settle failed", "settle works"; the end of its input ends it. One start and one import for all of them.
RACE = """
import os, socket, sys, time
from integrations.admission import Admission, Breaker, Circuit
from integrations.errors import CircuitOpenError, TransientError

url, recovery, numbers = sys.argv[1], float(sys.argv[2]), [int(number) for number in sys.argv[3:]]

def run(commands):
    changes = []
    note = lambda change: changes.append(change.after.value)
    admission = Admission(url, breaker=Breaker(1, recovery), limits={}, on_change=note)
    circuit = Circuit.of("openai", "key", model="m")
    admission.status()  # connect
    print("ready", file=commands, flush=True)
    ticket = None
    for line in commands:
        verb, argument = line.split()
        changes.clear()
        if verb == "admit":
            time.sleep(max(0.0, float(argument) - time.time()))
            try:
                ticket = admission.admit(circuit, holder="h", campaign="c", lease_s=60)
                answer = "probe" if ticket.probe else "admitted"
            except CircuitOpenError:
                answer = "refused"
        else:
            admission.settle(ticket, TransientError("openai", "down") if argument == "failed" else None)
            answer = "settled"
        print(answer, *changes, file=commands, flush=True)

for number in numbers:
    if os.fork() == 0:
        for other in numbers:
            if other != number:
                os.close(other)
        run(socket.socket(fileno=number).makefile("rw"))
        os._exit(0)
for number in numbers:
    os.close(number)
for number in numbers:
    os.wait()
"""


class Racer:
    """One process of the race, at the other end of a socket."""

    def __init__(self, connection: socket.socket) -> None:
        self.lines = connection.makefile("rw")

    def tell(self, command: str) -> None:
        self.lines.write(command + "\n")
        self.lines.flush()

    def answer(self) -> list[str]:
        return self.lines.readline().split()


@contextmanager
def race(url: str) -> Iterator[list[Racer]]:
    with ExitStack() as stack:
        pairs = [socket.socketpair() for _ in range(RACERS)]
        theirs = [their.fileno() for _, their in pairs]
        process = subprocess.Popen(
            [sys.executable, "-c", RACE, url, str(RECOVERY_S), *map(str, theirs)], pass_fds=theirs
        )
        stack.callback(process.wait, 30)  # runs last: the end of its input ends each racer
        racers = []
        for ours, their in pairs:
            their.close()
            racers.append(Racer(stack.enter_context(ours)))
            stack.enter_context(racers[-1].lines)
        assert [racer.answer() for racer in racers] == [["ready"]] * RACERS
        yield racers


def all_admit(racers: list[Racer]) -> list[list[str]]:
    start = time.time() + 0.1
    for racer in racers:
        racer.tell(f"admit {start}")
    return [racer.answer() for racer in racers]


def settled(racer: Racer, verdict: str) -> list[str]:
    racer.tell(f"settle {verdict}")
    return racer.answer()


def test_of_24_processes_exactly_one_gets_the_probe(redis_url: str) -> None:
    with redis.Redis.from_url(redis_url) as client, race(redis_url) as racers:
        assert Counter(a[0] for a in all_admit(racers)) == {"admitted": RACERS}
        assert settled(racers[0], "failed") == ["settled", "open"]
        for verdict in ("failed", "failed", "failed", "works"):
            opened_until = int(client.hget(f"adm:circuit:{CIRCUIT.key}", "until") or 0) / 1e6
            time.sleep(max(0.0, opened_until - time.time()))
            answers = all_admit(racers)
            assert Counter(a[0] for a in answers) == {"probe": 1, "refused": RACERS - 1}
            (prober,) = (racer for racer, a in zip(racers, answers, strict=True) if a[0] == "probe")
            assert [a[1:] for a in answers if len(a) > 1] == [["half_open"]]  # told once, by the prober
            late = next(racer for racer in racers if racer is not prober)
            assert settled(late, "works") == ["settled"]  # nobody else decides
            expected = "open" if verdict == "failed" else "closed"
            assert settled(prober, verdict) == ["settled", expected]
        assert Counter(a[0] for a in all_admit(racers)) == {"admitted": RACERS}


def test_of_24_threads_exactly_one_gets_the_probe(redis_url: str) -> None:
    changes: list[BreakerChange] = []
    admission = Admission(redis_url, breaker=Breaker(1, 100.0), limits={}, on_change=changes.append)

    def admit(number: int, now: float) -> str:
        try:
            ticket = admission.admit(CIRCUIT, holder=f"h{number}", campaign="c", lease_s=60, now=now)
        except CircuitOpenError:
            return "refused"
        return "probe" if ticket.probe else "admitted"

    opening = admission.admit(CIRCUIT, holder="h", campaign="c", lease_s=60, now=1000.0)
    admission.settle(opening, TransientError("openai", "down"), now=1000.0)
    with ThreadPoolExecutor(RACERS) as pool:
        verdicts = Counter(pool.map(lambda n: admit(n, 1100.0), range(RACERS)))
    assert verdicts == {"probe": 1, "refused": RACERS - 1}
    assert [change.after for change in changes] == [BreakerState.OPEN, BreakerState.HALF_OPEN]
    assert admission.healthy
    admission.close()


def test_threads_never_hold_more_places_than_there_are(redis_url: str) -> None:
    admission = Admission(redis_url, breaker=Breaker(), limits={"p": Limit(concurrency=3)})
    under_way, most = 0, 0

    def work(number: int) -> bool:
        nonlocal under_way, most
        for _ in range(10):
            try:
                with admission.call(Circuit("p"), holder=f"h{number}", campaign=f"c{number}", lease_s=60):
                    under_way += 1
                    most = max(most, under_way)
                    time.sleep(0.002)
                    under_way -= 1
                return True
            except OverLimitError as error:
                time.sleep(error.retry_after or 0.0)
        return False

    with ThreadPoolExecutor(RACERS) as pool:
        outcomes = list(pool.map(work, range(RACERS)))
    assert most <= 3
    assert any(outcomes)
    (seen,) = admission.status()
    assert (seen.in_flight, seen.admitted) == (0, sum(outcomes))
    admission.close()


FORK = """
import os, sys
from integrations.admission import Admission, Breaker, Circuit, Limit

admission = Admission(sys.argv[1], breaker=Breaker(), limits={"p": Limit(concurrency=9)})

def call(holder):
    with admission.call(Circuit("p"), holder=holder, campaign="c", lease_s=60):
        pass

call("parent")
admission._redis_health.up = False
admission._redis_health._lock.acquire()  # as another thread might, finding out about Redis at the moment of the fork
child = os.fork()
if child:
    admission._redis_health._lock.release()
for number in range(50):
    call(f"{child} {number}")
if child == 0:
    os._exit(0 if admission.healthy else 1)
_, status = os.waitpid(child, 0)
(seen,) = admission.status()
print(os.waitstatus_to_exitcode(status), seen.admitted, seen.in_flight)
"""


def test_a_forked_child_has_connections_and_a_lock_of_its_own(redis_url: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", FORK, redis_url], capture_output=True, text=True, timeout=30, check=False
    )
    assert done.stdout.split() == ["0", "101", "0"], done.stderr
