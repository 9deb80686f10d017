"""``campaigns doctor``: is everything here that a campaign needs, and if not, what to do.

Invariant: it changes nothing, waits for nobody longer than a few seconds and shows no secret: of a key only
whether it is set, of a URL never the password. Each check is a function that returns findings. Services and whether
work moves are judged in :mod:`workers.cli.doctor_services`, providers are asked in :mod:`workers.cli.doctor_online`.
"""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from workers.cli.finding import Finding
from workers.cli.output import clean, console, json_option, print_json

if TYPE_CHECKING:
    from integrations.settings import Settings

PACKAGES = (
    "marketing-agents", "celery", "kombu", "redis", "sqlalchemy", "psycopg2-binary", "pydantic", "langchain-openai",
    "openai", "facebook-business", "flower",
)  # fmt: skip


@click.command("doctor")
@click.option("--online", is_flag=True, help="Ask each provider whether it can be used, and with which rights.")
@json_option
def doctor_command(online: bool, as_json: bool) -> int:
    """Check versions, settings, services and keys, and whether work moves.

    With --online each configured provider is asked one question that costs nothing and changes nothing. Exits with 4
    when a service that is needed can't be reached, else with 1 when nothing moves or a provider can't be used.
    """
    from workers.cli.connection import here

    settings = here()
    findings = [*_versions(), *_packages(), *_settings(settings), *_mode(settings), *_services(settings)]
    shown: dict[str, object] = {}
    if online:
        from workers.cli.doctor_online import as_data, ask_all, finding

        answers = ask_all(settings)
        findings += [finding(one) for one in answers]
        shown = {"providers": [as_data(one) for one in answers]}
    states = {finding.state for finding in findings}
    code = 4 if "unreachable" in states else 1 if states & {"stuck", "wrong"} else 0
    if as_json:
        print_json({"ok": code == 0, "checks": [asdict(finding) for finding in findings], **shown})
    else:
        _print(findings)
    return code


def _print(findings: Iterable[Finding]) -> None:
    from rich.table import Table
    from rich.text import Text

    red = ("✗", "bold red")
    marks = {"ok": ("✓", "green"), "warning": ("!", "yellow"), "stuck": red, "wrong": red, "unreachable": red}
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
    from integrations.shown_url import hide_secrets
    from workers.cli.summary import outside_sandbox

    if settings.mode is Mode.SANDBOX:
        places = {name: hide_secrets(settings.provider(name).base_url) for name in outside_sandbox(settings)}
        outside = [f"{name} is at {place}" for name, place in places.items()]
        but = f", but {', '.join(outside)}" if outside else ""
        told = f"sandbox: providers are simulated at {settings.sandbox_url}{but}; nothing leaves this machine"
        yield Finding("Mode", "ok", told)
        return
    yield Finding("Mode", "ok", "live: campaigns reach the real providers and spend real money")
    for name, provider in settings.providers.items():
        if provider.missing:
            yield Finding("Keys", "warning", f"{name} lacks {', '.join(provider.missing)}")
        else:
            yield Finding("Keys", "ok", f"{name}: set")


def _packages() -> Iterable[Finding]:
    from integrations.ads.registry import missing_packages

    for name, missing in missing_packages().items():
        yield Finding("Package", "warning", f"{name} {missing}")


def _services(settings: Settings) -> Iterable[Finding]:
    from workers.cli.doctor_services import services

    yield from _embedded(needed=settings.database_url is None or settings.redis_url is None)
    yield from services(settings)


def _embedded(*, needed: bool) -> Iterable[Finding]:
    from workers.services import ServiceError
    from workers.services.postgres import find_binaries
    from workers.services.redis_program import find_server

    for name, find in (("Postgres", find_binaries), ("Redis", lambda: find_server().path)):
        try:
            yield Finding(f"Embedded {name}", "ok", str(find()))
        except ServiceError as error:
            yield Finding(f"Embedded {name}", "unreachable" if needed else "warning", str(error))
