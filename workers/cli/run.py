"""``campaigns run``: one campaign from a file to its end, on running services or on embedded ones.

Invariant: a campaign that can't work is refused before anything is started, and however the command ends
(the end of the campaign, a failure, Ctrl-C, SIGTERM) no process that it started is left.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from workers.cli.output import console, json_option, note, print_json, progress_console
from workers.cli.stopping import Stopped

if TYPE_CHECKING:
    from agents.config import CampaignConfig
    from integrations.settings import Settings
    from orchestration.client import Campaigns
    from workers.fleet import Fleet
    from workers.services.attached import AttachedFleet

#: How long we keep the services for other runs that joined ours. Ctrl-C cuts it short.
DETACH_TIMEOUT_S = 600.0
DRAIN_TIMEOUT_S = 10.0
#: The embedded Postgres may be restarted under us; a longer silence ends the command.
SILENCE_S = 60.0

Look = Callable[[float], None]


@click.command("run")
@click.argument("file")
@click.option("--embedded", is_flag=True, help="Start Postgres, Redis and workers for this run, and stop them again.")
@click.option("--set", "changes", multiple=True, metavar="KEY=VALUE", help="Change a key of the file; repeatable.")
@click.option("--workers", type=click.IntRange(1, 64), default=2, show_default=True, help="Embedded worker processes.")
@json_option
def run_command(file: str, embedded: bool, changes: tuple[str, ...], workers: int, as_json: bool) -> int:
    """Run the campaign in FILE to its end.

    FILE is YAML or JSON. Exits with 0 when it completed, 1 when it failed.
    """
    from orchestration.control.submission import check
    from workers.cli.connection import here
    from workers.cli.files import check_lead_files, load_config

    settings = here()
    config = load_config(file, changes)
    check_lead_files(config)
    check(config, settings)  # before a service is started or looked for
    if not embedded and settings.database_url is None and settings.redis_url is None:
        note(f"Nothing is running here, so this run brings its own services (data in {settings.home}).")
        embedded = True
    status = _on_embedded(config, settings, workers, as_json) if embedded else _on_running(config, as_json)
    return 0 if status == "completed" else 1


NOTHING_SUBMITTED = "stopped while starting; nothing was submitted"


def _on_running(config: CampaignConfig, as_json: bool) -> str:
    from workers.cli.connection import campaigns

    with campaigns() as client:
        campaign_id = client.submit(config).campaign_id
        try:
            watch(client, campaign_id, time.sleep, as_json=as_json)
        except (KeyboardInterrupt, Stopped) as stop:
            raise Stopped(
                stop.number if isinstance(stop, Stopped) else signal.SIGINT,
                f"the campaign goes on; look at it with: campaigns watch {campaign_id}",
            ) from None
        result = Result(client, campaign_id)
    result.show(as_json=as_json)
    return result.status


def _on_embedded(config: CampaignConfig, settings: Settings, workers: int, as_json: bool) -> str:
    from contextlib import closing

    from integrations.settings import Settings
    from workers.cli.connection import connect, migration
    from workers.cli.up import sandbox_address
    from workers.fleet import Fleet, open_fleet
    from workers.services import Home
    from workers.services.errors import StartInterruptedError

    campaign_id = None
    fleet = Fleet(
        Home(settings.home),
        migrate=migration(settings.mode),
        workers=workers,
        flower=False,
        sandbox_url=sandbox_address(settings),
        mode=settings.mode.value,
        trap_signals=True,
        drain_timeout=DRAIN_TIMEOUT_S,
    )
    shown = progress_console(as_json=as_json)
    running: Fleet | AttachedFleet | None = None
    try:
        with shown.status("Starting Postgres, Redis and workers ..."):
            if not shown.is_terminal:
                shown.print("Starting Postgres, Redis and workers ...")
            running = open_fleet(fleet)
        # A fleet that we join may be of another mode: that is refused, not adopted.
        ours = {"MARKETING_HOME": str(settings.home), "MARKETING_MODE": settings.mode}
        settings = Settings.from_env({**os.environ, **running.info.environment, **ours})
        with closing(connect(settings)) as client:
            campaign_id = client.submit(config).campaign_id
            watch(client, campaign_id, _looking_after(running, client), as_json=as_json)
            result = Result(client, campaign_id)
    except StartInterruptedError:
        raise Stopped(fleet.stop_signal or signal.SIGINT, NOTHING_SUBMITTED) from None
    except (KeyboardInterrupt, Stopped) as stop:
        kept = f"campaign {campaign_id} is kept; `campaigns up` goes on with it" if campaign_id else NOTHING_SUBMITTED
        raise Stopped(stop.number if isinstance(stop, Stopped) else signal.SIGINT, kept) from None
    finally:
        if running is fleet:
            detach_timeout = DETACH_TIMEOUT_S if fleet.stop_signal is None else 0.0
            with shown.status("Stopping the services ..."):
                fleet.stop(detach_timeout=detach_timeout)
        elif running is not None:
            running.stop()
    result.show(as_json=as_json)
    return result.status


def _looking_after(running: Fleet | AttachedFleet, client: Campaigns) -> Look:
    """Return what passes time: it keeps our processes alive, and notices stop signals and a database that is away."""
    from orchestration.ledger.database import DatabaseUnavailableError
    from workers.fleet import Fleet
    from workers.services import ServiceError

    def pass_time(seconds: float) -> None:
        if isinstance(running, Fleet):
            running.poll(seconds)
            if running.stop_signal is not None:
                raise Stopped(running.stop_signal)
        else:
            time.sleep(seconds)
            if not running.alive:
                raise ServiceError("the process whose services this run used has ended; the campaign is kept")

    def look(seconds: float) -> None:
        deadline = time.monotonic() + SILENCE_S
        while True:
            pass_time(seconds)
            try:
                # Without waiting: while we waited for Postgres, nobody would start it again.
                return client.database.check()
            except DatabaseUnavailableError:
                if time.monotonic() > deadline:
                    raise

    return look


def watch(client: Campaigns, campaign_id: str, look: Look, *, as_json: bool) -> None:
    """Show the campaign's progress to its end."""
    from workers.cli.progress import Follower, follow, screen

    with screen(progress_console(as_json=as_json), world=client.reports.mode(campaign_id)) as shown:
        follow(Follower(client, campaign_id), shown, look)


class Result:
    """A campaign as it ended, read before the services stop and shown after."""

    def __init__(self, client: Campaigns, campaign_id: str) -> None:
        reports = client.reports
        self._settings = client.settings
        self._row = reports.row(campaign_id)
        self._units = reports.units(campaign_id)
        self._spend = reports.spend(campaign_id, self._row)
        self._json: dict[str, object] = reports.show(campaign_id)
        self._asked = reports.open_approval(campaign_id) if self._row.status == "awaiting_approval" else None
        self._due_at = reports.due_at(campaign_id)
        self._kept = reports.retention(campaign_id)

    @property
    def status(self) -> str:
        """Status of the campaign."""
        return self._row.status

    def show(self, *, as_json: bool) -> None:
        """Print the contract's JSON with what the agents tell (``overview``), or the summary."""
        from workers.cli.summary import sections_of, summary
        from workers.cli.waiting import until

        if as_json:
            print_json({**self._json, "overview": list(sections_of(self._row))})
            return
        printer = console()
        row = self._row
        waits = until(row.status, row.reason, self._due_at, datetime.now(UTC))
        shown = summary(row, self._units, self._spend, self._settings, asked=self._asked, waits=waits, kept=self._kept)
        for part in shown:
            printer.print(part)
