"""What the doctor finds on this machine: full disks, frozen processes, workers that run and are silent."""

from __future__ import annotations

import shutil
import socket
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING

from workers.cli.finding import Finding, State

if TYPE_CHECKING:
    from pathlib import Path

    from integrations.settings import Settings
    from orchestration.reports.progress import LedgerFacts

MB = 1_000_000
#: With less room than this the embedded Postgres can't be trusted to write (a segment of its log takes 16 MB).
FULL_BYTES = 32 * MB
NEARLY_FULL_BYTES = 500 * MB
#: Start times and clocks differ by a little.
_CLOCK_S = 2.0


def room(free: int) -> State:
    """Return what so many free bytes on the disk of the data mean."""
    if free < FULL_BYTES:
        return "stuck"
    return "warning" if free < NEARLY_FULL_BYTES else "ok"


def disks(settings: Settings) -> Iterable[Finding]:
    """Look at the disk of MARKETING_HOME, where the embedded servers and all logs write."""
    from workers.services.home import Home

    home = Home(settings.home)
    for folder in (home.data, home.path):
        if folder.is_dir():
            yield _disk(folder)
            return


def _disk(folder: Path) -> Finding:
    try:
        free = shutil.disk_usage(folder).free
    except OSError as error:
        return Finding("Disk", "warning", f"{folder}: {error}")
    state = room(free)
    advice = {"stuck": "is full: free some space", "warning": "is nearly full"}.get(state, "has room")
    return Finding("Disk", state, f"{folder} {advice} ({free / MB:,.0f} MB free)")


def frozen(settings: Settings) -> Iterable[Finding]:
    """Look for frozen processes of the fleet that runs in MARKETING_HOME."""
    import psutil

    from workers.services.home import Home
    from workers.services.ownership import read_owner

    note = read_owner(Home(settings.home))
    if note is None:
        return
    for name, pid in {"supervisor": note.owner.pid, **note.pids}.items():
        try:
            stopped = psutil.Process(pid).status() == psutil.STATUS_STOPPED
        except psutil.Error:
            continue
        if stopped:
            state: State = "warning" if name in ("flower", "sandbox") else "stuck"
            text = f"{name} (process {pid}) is frozen: it was stopped by a signal; let it go on with kill -CONT {pid}"
            yield Finding("Processes", state, text)


def running_here(ledger: LedgerFacts) -> frozenset[tuple[str, int]]:
    """Return host and pid of the silent workers whose processes run on this machine."""
    import psutil

    host, found = socket.gethostname(), set()
    for one in ledger.workers:
        if one.alive or one.place[0] != host:
            continue
        try:
            process = psutil.Process(one.place[1])
            # A process that began after the last heartbeat is another one, with the same pid.
            same = process.create_time() <= time.time() - one.beat_age_s + _CLOCK_S
            if same and process.status() != psutil.STATUS_ZOMBIE:
                found.add(one.place)
        except psutil.Error:
            continue
    return frozenset(found)
