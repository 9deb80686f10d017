"""What the doctor finds about Postgres, Redis and the work in them.

Invariants: nothing is changed (what is written is rolled back, or deleted at once). Each service is asked in a thread
that is left behind after a few seconds, because a server that hangs answers nothing and ends no call. Whether work
moves is judged by :mod:`orchestration.reports.progress`, as the supervisor does.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import closing
from importlib import import_module
from threading import Thread
from typing import TYPE_CHECKING, TypeVar

from workers.cli.doctor_machine import disks, frozen, running_here
from workers.cli.finding import Finding
from workers.cli.output import clean
from workers.cli.wording import agent_title, count, words

if TYPE_CHECKING:
    from integrations.settings import Settings
    from orchestration.ledger.database import Database
    from orchestration.reports.progress import LedgerFacts, QueueFact

T = TypeVar("T")

#: Seconds that all questions to one service may take together.
LIMIT_S = 10.0
#: Seconds between two looks at a queue whose oldest message is old: does the same one still wait?
SECOND_LOOK_S = 0.6
#: A silent worker of another machine is told for this many seconds: whether its process still runs can't be seen.
REMOTE_S = 300.0

#: What the questions to the services load.
_HEAVY = (
    "orchestration.execution.call_guard",
    "orchestration.ledger.schema",
    "orchestration.reports.standing",
    "workers.liveness.broker_look",
)

NOT_RUNNING = "not running; `campaigns up` and `campaigns run --embedded` start their own"


class TimeLimitError(Exception):
    """A service has not answered all questions within LIMIT_S."""


def services(settings: Settings) -> Iterable[Finding]:
    """Ask both services, judge whether work moves, and look at this machine's disks and processes."""
    _import_all()
    ledger = yield from _asked("Postgres", settings.database_url, lambda url: _postgres(url, settings))
    queues = yield from _asked("Redis", settings.redis_url, lambda url: _redis(url, settings))
    if ledger is not None:
        yield from progress(ledger, queues)
    yield from disks(settings)
    yield from frozen(settings)


def _import_all() -> None:
    """Load the heavy modules first, because on a busy machine that takes seconds, which no service is to blame for."""
    for name in _HEAVY:
        import_module(name)


def progress(ledger: LedgerFacts, queues: Sequence[QueueFact] | None) -> Iterable[Finding]:
    """Judge whether work moves, as far as that is known without Redis' answer (``queues`` None)."""
    from orchestration.reports.progress import standstills

    running = running_here(ledger)
    troubles = standstills(ledger, queues or (), running=running)
    for text in troubles:
        yield Finding("Progress", "stuck", text)
    for one in ledger.workers:
        host, pid = one.place
        if not one.alive and one.beat_age_s < REMOTE_S and host and one.place not in running and not _is_here(host):
            text = f"worker process {pid} on {host} has sent no heartbeat for {one.beat_age_s:.0f} s"
            yield Finding("Progress", "warning", text)
    if not troubles and queues is not None:
        yield Finding("Progress", "ok", "work moves" if ledger.at_work else "no work waits")


def within(seconds: float, work: Callable[[], T]) -> T:
    """Return what ``work`` returns within so many seconds.

    Raises what it raises, or TimeLimitError when it takes longer.
    """
    done: list[T] = []
    failed: list[BaseException] = []

    def run() -> None:
        try:
            done.append(work())
        except BaseException as error:  # raised again in the thread that asked
            failed.append(error)

    thread = Thread(target=run, name="doctor", daemon=True)
    thread.start()
    thread.join(seconds)
    if failed:
        raise failed[0]
    if not done:
        raise TimeLimitError(f"no answer within {seconds:g} s")
    return done[0]


def _asked(
    name: str, url: str | None, ask: Callable[[str], tuple[list[Finding], T | None]]
) -> Generator[Finding, None, T | None]:
    """Ask one service, yield the findings and return the facts, or None without any."""
    from integrations.shown_url import hide_secrets

    if url is None:
        yield Finding(name, "ok", NOT_RUNNING)
        return None
    try:
        findings, facts = within(LIMIT_S, lambda: ask(url))
    except TimeLimitError:
        text = f"{hide_secrets(url)} does not answer within {LIMIT_S:g} s: it hangs"
        yield Finding(name, "unreachable", text)
        return None
    yield from findings
    return facts


def _postgres(url: str, settings: Settings) -> tuple[list[Finding], LedgerFacts | None]:
    from orchestration.ledger.database import Database, DatabaseUnavailableError
    from orchestration.ledger.database_url import place
    from orchestration.ledger.schema import HEAD, current
    from orchestration.reports.progress import StoreRefusesError
    from orchestration.reports.standing import LedgerLook
    from workers.cli.world import world_findings

    try:
        look = LedgerLook(url)
    except ValueError as error:
        return [Finding("Postgres", "unreachable", str(error))], None
    found = []
    with closing(look):
        try:
            began = time.monotonic()
            look.connect()
            found.append(Finding("Postgres", "ok", f"{place(url)} answers in {_ms(began)}"))
            revision, newest = current(url), HEAD
            if revision != newest:
                state = "no tables yet" if revision is None else f"revision {revision}, this program knows {newest}"
                found.append(Finding("Tables", "warning", f"{state}; run `campaigns migrate`"))
                return found, None
            found.append(Finding("Tables", "ok", f"revision {revision}"))
            with closing(Database(url, pool_size=1)) as database:
                found += [*world_findings(database, settings), *_work(database), *_switches(database)]
            return found, look.facts()
        except StoreRefusesError as error:
            return [*found, Finding("Postgres", "stuck", str(error))], None
        except DatabaseUnavailableError as error:
            return [*found, Finding("Postgres", "unreachable", str(error))], None


def _work(database: Database) -> Iterable[Finding]:
    from orchestration.reports.fleet import fleet_status

    now = fleet_status(database)
    alive = count(now.workers, "process", "processes")
    yield Finding("Workers", "ok" if now.workers else "warning", f"{alive} at work")
    states = [f"{number} {words(status)}" for status, number in now.campaigns.items()]
    yield Finding("Campaigns", "ok", ", ".join(states) or "none unfinished")
    for name, units in (("Waiting units", now.pending), ("Running units", now.running)):
        if units:
            text = ", ".join(f"{agent_title(agent).lower()} {number}" for agent, number in units.items())
            yield Finding(name, "ok", text)


def _switches(database: Database) -> Iterable[Finding]:
    from orchestration.ledger.waiting import Deferrals

    for one in Deferrals(database).switches():
        why = f": {one.reason}" if one.reason else ""
        text = f"{one.provider} is switched off by {one.by}{why}; on again: campaigns breaker close {one.provider}"
        yield Finding("Switch", "warning", text)


def _redis(url: str, settings: Settings) -> tuple[list[Finding], list[QueueFact] | None]:
    from integrations import plugins
    from integrations.shown_url import hide_secrets
    from orchestration.reports.progress import STANDSTILL_S, StoreRefusesError
    from workers.liveness.broker_look import BrokerLook, RedisUnavailableError

    shown = hide_secrets(url)
    try:
        look = BrokerLook(url, ("orchestration", *plugins.names(plugins.AGENTS)))
    except ValueError as error:
        return [Finding("Redis", "unreachable", f"{shown}: {clean(error, 300)}")], None
    with closing(look):
        try:
            began = time.monotonic()
            queues = look.queues()
            found = [Finding("Redis", "ok", f"{shown} answers in {_ms(began)}")]
            if any((one.oldest_age_s or 0.0) >= STANDSTILL_S for one in queues):
                time.sleep(SECOND_LOOK_S)
                queues = look.queues()
        except StoreRefusesError as error:
            return [Finding("Redis", "stuck", f"{shown}: {clean(error, 300)}")], None
        except RedisUnavailableError as error:
            return [Finding("Redis", "unreachable", f"{shown}: {clean(error, 300)}")], None
    found += _breakers(settings)
    return found, queues


def _breakers(settings: Settings) -> Iterable[Finding]:
    from integrations.errors import NotNowError
    from orchestration.execution.call_guard import admission

    breakers = admission(settings)
    if breakers is None:
        return
    try:
        circuits = breakers.status()
    except NotNowError as error:
        yield Finding("Breakers", "warning", str(error))
        return
    finally:
        breakers.close()
    troubled = [one for one in circuits if one.state != "closed"]
    for one in troubled:
        yield Finding("Breakers", "warning", f"{one.key} is {words(one.state.value)}: its provider failed")
    if not troubled:
        yield Finding("Breakers", "ok", f"{count(len(circuits), 'circuit')}, all closed")


def _ms(began: float) -> str:
    return f"{(time.monotonic() - began) * 1000:.0f} ms"


def _is_here(host: str) -> bool:
    import socket

    return host == socket.gethostname()
