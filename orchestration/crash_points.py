"""Named places where a test kills the process, so that a process really dies in every gap between two effects.

``CRASH_AT=<point>`` makes the first process that reaches the point kill itself with SIGKILL, as a power cut would.
Invariant: it happens once per MARKETING_HOME for any number of processes (a marker file decides), so that the worker
which takes over gets past it. Without CRASH_AT a point costs one comparison.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Mapping
from pathlib import Path

from integrations.settings import SettingsError

VARIABLE = "CRASH_AT"

#: What is done at the points; each has a point ``<name>.before`` and one ``<name>.after``.
ACTIONS = (
    "take",  # units are claimed
    "finish",  # results are recorded, the stage is not over
    "advance",  # results and the transition that follows are committed together
    "give_back",  # a unit goes back to the ledger for a later try
    "journal",  # a model's answer or a remote id is committed in the middle of a unit
    "intend",  # the intent to create something is committed
    "call",  # a unit that only reads calls its provider
    "effect",  # an effect looks, updates or enables at a platform
    "create",  # an effect creates something at a platform
    "publish_hop",  # a wake-up for a hop goes to the broker
    "publish_chord",  # a stage is spread over the queue
    "publish_slot",  # a slot of a spread stage goes to the tail of its queue
    "claim_wakeups",  # reconcile takes the right to wake campaigns
)
POINTS: tuple[str, ...] = tuple(f"{action}.{side}" for action in ACTIONS for side in ("before", "after"))

_armed = os.environ.get(VARIABLE) or None


def reach(point: str) -> None:
    """Kill the process if this is the point that CRASH_AT names and no process has died in it yet."""
    if point == _armed:
        _crash(point)


def check(env: Mapping[str, str] | None = None) -> None:
    """Check CRASH_AT where a worker starts.

    Raises SettingsError when it names no point.
    """
    named = (os.environ if env is None else env).get(VARIABLE) or None
    if named is not None and named not in POINTS:
        raise SettingsError(f"{VARIABLE}={named!r} is not one of {', '.join(POINTS)}")


def marker(home: Path, point: str) -> Path:
    """Return the path of the file that says that a process, whose pid it holds, has died in the point."""
    return home / f"crashed-at-{point}"


def _crash(point: str) -> None:
    home = Path(os.environ.get("MARKETING_HOME") or "~/.marketing-agents").expanduser()
    try:
        with marker(home, point).open("x", encoding="ascii") as note:
            note.write(str(os.getpid()))
    except FileExistsError:
        return
    os.kill(os.getpid(), signal.SIGKILL)
