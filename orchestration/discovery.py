"""Where a running fleet is: the note that ``campaigns up`` leaves under MARKETING_HOME.

Lets a client on the same machine work without any variable set. Invariant: a note is only a hint; a URL
that does not answer is reported by whoever connects.
"""

from __future__ import annotations

import json
from pathlib import Path


def running_services(home: Path) -> dict[str, str]:
    """URLs by name (database_url, redis_url, ...) of the fleet under ``home``; {} when none is noted."""
    try:
        note = json.loads((home.expanduser() / "run" / "fleet.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return {name: value for name, value in note.items() if isinstance(value, str)} if isinstance(note, dict) else {}
