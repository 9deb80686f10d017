"""``campaigns up``: the whole fleet on this machine, watched over until it is told to stop.

Invariant: READY is said when everything answers, and not before; a child that dies is started again and its
new pid told; Ctrl-C and SIGTERM drain, leave no process behind and are a good end (exit 0). A reader of stdout that
goes away, or a disk without room for it, ends nothing.
"""

from __future__ import annotations

import os
import signal
import sys
from contextlib import suppress
from importlib import import_module
from typing import TYPE_CHECKING

import click

from workers.cli.output import json_option, note, say, to_json
from workers.cli.stopping import Stopped

if TYPE_CHECKING:
    from integrations.settings import Settings
    from workers.child import Event
    from workers.services.attached import FleetInfo


@click.command("up")
@click.option("--workers", type=click.IntRange(0, 64), default=2, show_default=True, help="Worker processes.")
@click.option("--concurrency", type=click.IntRange(1, 256), default=16, show_default=True, help="Slots of each worker.")
@click.option("--flower/--no-flower", default=True, show_default=True, help="Flower, the view of tasks and workers.")
@json_option
def up_command(workers: int, concurrency: int, flower: bool, as_json: bool) -> int:
    """Start everything on this machine, until Ctrl-C stops it.

    Services, workers, beat and Flower. Postgres and Redis are embedded unless DATABASE_URL and REDIS_URL are set.
    """
    from integrations.fleet_secrets import with_secrets
    from integrations.settings import Settings
    from workers.cli.connection import check_redis, migration, require_world
    from workers.fleet import Fleet
    from workers.logs import configure_command
    from workers.services import Home
    from workers.services.errors import StartInterruptedError

    settings = with_secrets(Settings.from_env())
    import_module("celeryconfig")  # refuses what beat and workers would fail with
    lines = OutputLines()
    configure_command(settings)
    # Before anything starts: a worker would go on knocking, in vain, for a minute, or refuse the database's world.
    if settings.database_url is not None:
        require_world(settings.database_url, settings.mode)
    if settings.redis_url is not None:
        check_redis(settings.redis_url)
    fleet = Fleet(
        Home(settings.home),
        migrate=migration(settings.mode),
        workers=workers,
        concurrency=concurrency,
        flower=flower,
        database_url=settings.database_url,
        redis_url=settings.redis_url,
        sandbox_url=sandbox_address(settings),
        mode=settings.mode.value,
        flower_port=settings.flower_port,
        on_event=(lambda event: _tell_json(event, lines)) if as_json else _tell,
        trap_signals=True,
    )
    if not as_json:
        note(f"Starting in {settings.home} ...")
    try:
        info = fleet.start()
    except StartInterruptedError:
        return 0
    try:
        (_ready_json if as_json else _ready)(info, settings, lines)
        fleet.run_until_signal()
        if not as_json:
            note("Stopping: running tasks are finished first; once more Ctrl-C hurries ...")
    finally:
        fleet.stop()
    return 0


def sandbox_address(settings: Settings) -> str | None:
    """Return where this machine's sandbox shall be, or None for a free port.

    That is SANDBOX_URL when it is set. Else it is the default address if nothing answers there, so that sites named in
    an example file are found; a second fleet on the machine gets a world of its own.
    """
    from urllib.parse import urlsplit

    from workers.services.ports import is_free

    if os.environ.get("SANDBOX_URL"):
        return settings.sandbox_url
    return settings.sandbox_url if is_free(urlsplit(settings.sandbox_url).port or 80) else None


class OutputLines:
    """Lines on stdout, until it can't be written: that is told once on stderr, and later lines go nowhere."""

    def __init__(self) -> None:
        self._lost = False

    def say(self, text: str) -> None:
        """Print a line, handed over at once."""
        if self._lost:
            return
        try:
            say(text)
        except (OSError, ValueError, Stopped) as error:
            if isinstance(error, Stopped) and error.number != signal.SIGPIPE:
                raise
            self._lost = True
            # What is left in the buffer would fail again at the end.
            with suppress(OSError, ValueError):
                os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            why = "its reader has gone" if isinstance(error, Stopped) else str(error)
            note(f"Nothing more is printed on stdout ({why}); the fleet goes on.")


def _ready_json(info: FleetInfo, settings: Settings, lines: OutputLines) -> None:
    """Print where the fleet is, for programs.

    The embedded Redis' URL is whole, because this line is how a program learns its password. Servers that the user
    named are shown without their secrets.
    """
    from integrations.shown_url import hide_secrets

    _say_json(
        lines,
        {
            "event": "ready",
            "database_url": hide_secrets(info.database_url),
            "redis_url": info.redis_url if settings.redis_url is None else hide_secrets(info.redis_url),
            "sandbox_url": info.sandbox_url,
            "flower_url": info.flower_url,
            "flower_login": info.flower_login,
            "pids": dict(info.pids),
        },
    )


def _say_json(lines: OutputLines, value: object) -> None:
    lines.say(to_json(value, indent=None))


def _ready(info: FleetInfo, settings: Settings, lines: OutputLines) -> None:
    from integrations.shown_url import hide_secrets
    from orchestration.ledger.database_url import place
    from workers.cli.wording import count

    login = info.flower_login
    workers = sum(name.startswith("worker") for name in info.pids)
    figures = {
        "Mode": f"{info.mode}" + (" (nothing leaves this machine)" if info.mode == "sandbox" else ""),
        "Postgres": place(info.database_url),
        "Redis": hide_secrets(info.redis_url),
        "Sandbox": info.sandbox_url,
        "Flower": info.flower_url and info.flower_url + (f" (login: cat {login})" if login else ""),
        "Workers": count(workers, "process", "processes"),
        "Logs": settings.home / "logs",
    }
    for name, value in figures.items():
        if value is not None:
            lines.say(f"  {name:<9} {value}")
    lines.say("READY  (submit with: campaigns submit FILE; stop with Ctrl-C)")


def _tell(event: Event) -> None:
    match event.kind:
        case "exited":
            note(f"{event.name} (pid {event.pid}) ended: {event.detail}; it is started again")
        case "restarted":
            note(f"{event.name} is back (pid {event.pid})")
        case "replaced":
            note(f"{event.name} (pid {event.pid}) is replaced: {event.detail}")
        case "blocked":
            note(f"{event.name} can't be started for now: {event.detail}; it is tried again")
        case "unwritten":
            note(f"{event.name}: {event.detail}; it is tried again")


def _tell_json(event: Event, lines: OutputLines) -> None:
    if event.kind == "restarted":
        _say_json(lines, {"event": "restarted", "pids": {event.name: event.pid}})
    elif event.kind in ("replaced", "blocked", "unwritten"):
        told = {"event": event.kind, "name": event.name, "pid": event.pid, "reason": event.detail}
        _say_json(lines, told)
