"""``campaigns doctor``: is everything here that a campaign needs, and if not, what to do.

Invariant: it changes nothing, waits for nobody longer than a few seconds and shows no secret: of a key only
whether it is set, of a URL never the password. Each check is a function that returns findings.
"""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Literal

import click

from workers.cli.output import clean, console, json_option, print_json
from workers.cli.wording import agent_title, count, words

if TYPE_CHECKING:
    from integrations.settings import Settings
    from orchestration.ledger.database import Database

PACKAGES = (
    "marketing-agents", "celery", "kombu", "redis", "sqlalchemy", "psycopg2-binary", "pydantic", "langchain-openai",
    "openai", "facebook-business", "flower",
)  # fmt: skip

State = Literal["ok", "warning", "unreachable"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the list."""

    check: str
    state: State
    text: str


@click.command("doctor")
@json_option
def doctor_command(as_json: bool) -> int:
    """Check versions, settings, services and keys.

    Exits with 4 when something that is needed can't be reached.
    """
    from workers.cli.connection import here

    settings = here()
    findings = [*_versions(), *_settings(settings), *_mode(settings), *_services(settings)]
    unreachable = any(finding.state == "unreachable" for finding in findings)
    if as_json:
        print_json({"ok": not unreachable, "checks": [asdict(finding) for finding in findings]})
    else:
        _print(findings)
    return 4 if unreachable else 0


def _print(findings: Iterable[Finding]) -> None:
    from rich.table import Table
    from rich.text import Text

    marks = {"ok": ("✓", "green"), "warning": ("!", "yellow"), "unreachable": ("✗", "bold red")}
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for finding in findings:
        mark, style = marks[finding.state]
        table.add_row(Text(mark, style=style), finding.check, Text(clean(finding.text)))
    console().print(table)


def _versions() -> Iterable[Finding]:
    from importlib.metadata import PackageNotFoundError, version

    yield Finding("Python", "ok", f"{platform.python_version()} ({platform.system()} {platform.machine()})")
    found, missing = [], []
    for package in PACKAGES:
        try:
            found.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            missing.append(package)
    yield Finding("Packages", "ok", ", ".join(found))
    if missing:
        yield Finding("Packages", "warning", f"not installed: {', '.join(missing)}; install the project: pip install .")


def _settings(settings: Settings) -> Iterable[Finding]:
    from integrations.shown_url import hide_secrets

    secret = {name for name in os.environ if name.endswith(("_KEY", "_TOKEN", "_SECRET", "_AUTH"))}
    shown = []
    for name in sorted(set(os.environ) & _known_variables()):
        if value := os.environ[name]:
            shown.append(f"{name}={'***' if name in secret else hide_secrets(value)}")
    yield Finding("Settings", "ok", ", ".join(shown) or "all defaults")
    yield Finding("Data", "ok", f"{settings.home} (MARKETING_HOME)")


def _known_variables() -> set[str]:
    from integrations.provider_registry import provider_specs
    from integrations.settings import Settings

    ours = {*Settings.variables(), *(name for name in os.environ if name.startswith("LIMIT_"))} - {"MARKETING_HOME"}
    for spec in provider_specs().values():
        ours |= {*spec.variables}
    return ours


def _mode(settings: Settings) -> Iterable[Finding]:
    from integrations.settings import Mode
    from workers.cli.summary import outside_sandbox

    if settings.mode is Mode.SANDBOX:
        outside = outside_sandbox(settings)
        but = f", but {', '.join(outside)} elsewhere" if outside else ""
        yield Finding("Mode", "ok", f"sandbox: providers are simulated at {settings.sandbox_url}{but}")
        return
    yield Finding("Mode", "ok", "live: campaigns reach the real providers and spend real money")
    for name, provider in settings.providers.items():
        if provider.missing:
            yield Finding("Keys", "warning", f"{name} lacks {', '.join(provider.missing)}")
        else:
            yield Finding("Keys", "ok", f"{name}: set")


def _services(settings: Settings) -> Iterable[Finding]:
    yield from _embedded(needed=settings.database_url is None or settings.redis_url is None)
    if settings.database_url is not None:
        yield from _postgres(settings.database_url)
    else:
        yield Finding("Postgres", "ok", "not running; `campaigns up` and `campaigns run --embedded` start their own")
    if settings.redis_url is not None:
        yield from _redis(settings.redis_url, settings)
    else:
        yield Finding("Redis", "ok", "not running; `campaigns up` and `campaigns run --embedded` start their own")


def _embedded(*, needed: bool) -> Iterable[Finding]:
    from workers.services import ServiceError
    from workers.services.postgres import find_binaries
    from workers.services.redis_program import find_server

    for name, find in (("Postgres", find_binaries), ("Redis", lambda: find_server().path)):
        try:
            yield Finding(f"Embedded {name}", "ok", str(find()))
        except ServiceError as error:
            yield Finding(f"Embedded {name}", "unreachable" if needed else "warning", str(error))


def _postgres(url: str) -> Iterable[Finding]:
    from orchestration.ledger.database import Database, DatabaseUnavailableError
    from orchestration.ledger.database_url import place
    from orchestration.ledger.schema import current, head

    try:
        database = Database(url, pool_size=1)
    except ValueError as error:
        yield Finding("Postgres", "unreachable", str(error))
        return
    try:
        began = time.monotonic()
        database.check()
        yield Finding("Postgres", "ok", f"{place(url)} answers in {(time.monotonic() - began) * 1000:.0f} ms")
        revision, newest = current(url), head()
        if revision == newest:
            yield Finding("Tables", "ok", f"revision {revision}")
            yield from _work(database)
            yield from _switches(database)
        else:
            state = "no tables yet" if revision is None else f"revision {revision}, this program knows {newest}"
            yield Finding("Tables", "warning", f"{state}; run `campaigns migrate`")
    except DatabaseUnavailableError as error:
        yield Finding("Postgres", "unreachable", str(error))
    finally:
        database.close()


def _work(database: Database) -> Iterable[Finding]:
    from orchestration.reports.fleet import fleet_status

    now = fleet_status(database)
    alive = count(now.workers, "process", "processes")
    idle = not now.workers and bool(now.campaigns)
    hint = "; campaigns are waiting: start `campaigns up`" if idle else ""
    yield Finding("Workers", "ok" if now.workers else "warning", f"{alive} at work{hint}")
    states = [f"{number} {words(status)}" for status, number in now.campaigns.items()]
    yield Finding("Campaigns", "ok", ", ".join(states) or "none unfinished")
    for name, units in (("Waiting units", now.pending), ("Running units", now.running)):
        if units:
            text = ", ".join(f"{agent_title(agent).lower()} {number}" for agent, number in units.items())
            yield Finding(name, "ok", text)


def _redis(url: str, settings: Settings) -> Iterable[Finding]:
    from integrations.shown_url import hide_secrets
    from workers.cli.connection import check_redis
    from workers.services import ServiceError

    try:
        seconds = check_redis(url)
        yield Finding("Redis", "ok", f"{hide_secrets(url)} answers in {seconds * 1000:.0f} ms")
        yield from _breakers(settings)
    except (ServiceError, ValueError) as error:
        yield Finding("Redis", "unreachable", clean(error, 300))


def _switches(database: Database) -> Iterable[Finding]:
    from orchestration.ledger.waiting import Deferrals

    for one in Deferrals(database).switches():
        why = f": {one.reason}" if one.reason else ""
        text = f"{one.provider} is switched off by {one.by}{why}; on again: campaigns breaker close {one.provider}"
        yield Finding("Switch", "warning", text)


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
