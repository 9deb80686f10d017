"""Redis as a child process, which only this user can command.

Redis stores wake-ups, limits and circuit breakers; Postgres stores everything that must not be lost. Still, losing it
makes campaigns wait for ``reconcile``. So it writes an append-only file (everysec) and starts with a truncated one.
When the file can't be read (another server's format, a damaged disk), the data folder is moved aside and Redis starts
empty.

It listens on 127.0.0.1 only, on a port that stays the same from start to start, and asks for a password: whoever may
give Redis commands can write files as its user. The password is generated once, is in ``run/redis.secret`` and reaches
the server in its configuration file (both of mode 0600), never on a command line.
"""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import psutil

from workers.child import ChildSpec
from workers.services.errors import ServiceError
from workers.services.home import Home, kept_secret, write_private
from workers.services.ports import LOOPBACK, choose_port, remembered_ports
from workers.services.redis_config import configuration
from workers.services.redis_program import find_server
from workers.supervisor import log_tail

if TYPE_CHECKING:
    from redis import Redis

_UNREADABLE = re.compile(
    r"Can't handle RDB format version|Bad file format reading the append only file"
    r"|Unexpected end of file reading the append only file|Unrecoverable error reading the append only file"
    r"|Wrong signature trying to load DB|AOF manifest file|Error reading the RDB preamble"
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
        self._password = ""
        self._port: int | None = None
        self._answered = False
        self._log = home.logs / "redis.log"
        self._log_offset = 0

    @property
    def url(self) -> str:
        """URL of the server, ``redis://default:PASSWORD@127.0.0.1:PORT/0``, fixed from the first answer on.

        It names the user because a server whose password was taken off (``CONFIG SET requirepass ""``) refuses a
        password alone, but takes any from a user.

        Raises ServiceError when the server wasn't started yet, because it has no port then.
        """
        if self._port is None:
            raise ServiceError("Redis has no port before its first start")
        return f"redis://default:{self._password}@{LOOPBACK}:{self._port}/0"

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
        port = self._port
        if port is None or not self._answered:  # another program may have taken the port chosen before
            port = self._port = choose_port(self._home, "redis")
        self._password = self._secret()
        file = self._home.run / "redis.conf"
        write_private(file, configuration(self._program, port=port, folder=self._home.redis, password=self._password))
        return [str(self._program.path), str(file)]

    def _secret(self) -> str:
        return kept_secret(self._home.run / "redis.secret")

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
        if self._port is None or not _listens(pid, self._port):
            return False
        info = _server_info(self._port, self._password)
        if info is None or info.pid != pid or info.loading:
            return False
        self._answered = True
        return True

    def _running(self) -> int | None:
        """Return the pid of a running server to adopt: one on the remembered port and on this data."""
        port = remembered_ports(self._home).get("redis")
        if port is None or not any(_listens(pid, port) for pid in _own_servers()):
            return None  # the password is told to no server of another user
        password = self._secret()
        info = _server_info(port, password)
        if info is None or info.loading or info.folder != str(self._home.redis):
            return None
        self._port, self._password = port, password
        return info.pid


def _own_servers() -> Iterator[int]:
    """Yield the pids of this user's processes that may be a Redis."""
    for process in psutil.process_iter():
        try:
            if process.uids().real == os.getuid() and process.name().startswith(("redis", "valkey")):
                yield process.pid
        except psutil.Error:
            continue


def _listens(pid: int, port: int) -> bool:
    """Return whether process ``pid`` listens on this TCP port."""
    try:
        found = psutil.Process(pid).net_connections("tcp")
    except psutil.Error:
        return False
    return any(one.status == psutil.CONN_LISTEN and one.laddr.port == port for one in found)


def _server_info(port: int, password: str) -> ServerInfo | None:
    """Ask the server on ``port`` about itself, or return None when no Redis answers."""
    from redis import Redis, RedisError
    from redis.backoff import NoBackoff
    from redis.retry import Retry

    client: Redis = Redis(
        host=LOOPBACK,
        port=port,
        username="default",
        password=password,
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
