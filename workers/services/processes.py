"""Commands and readiness checks of the Python processes of a fleet: sandbox, workers, beat, Flower.

Invariants: every child imports the same code as its supervisor. Settings are passed by environment only, because every
user of the machine can read a command line. The name of a child contains "worker" exactly when it is a worker.
"""

from __future__ import annotations

import http.client
import os
import signal
import site
import sys
import sysconfig
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

import workers
from workers.child import ChildSpec
from workers.services.home import Home, can_write
from workers.services.ports import LOOPBACK

#: Beat counts as ready when it says so, or after this many seconds.
_BEAT_READY_S = 5.0
#: A worker that can't write its ready file, because the disk is full, counts as ready after this many seconds.
_WORKER_READY_S = 15.0
#: Workers, beat and Flower that are frozen (SIGSTOP) for longer than this are of no use and are replaced. Servers are
#: left alone: they hold data, and whoever froze one means it.
FROZEN_S = 60.0


def http_status(url: str, *, timeout: float = 1.0) -> int | None:
    """Return the status of a GET request (no proxy, no redirects), or None when there is no answer."""
    parts = urlsplit(url)
    if not parts.hostname:
        return None
    secure = parts.scheme == "https"
    factory = http.client.HTTPSConnection if secure else http.client.HTTPConnection
    connection = factory(parts.hostname, parts.port, timeout=timeout)
    try:
        connection.request("GET", (parts.path or "/") + (f"?{parts.query}" if parts.query else ""))
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()


def sandbox_answers(url: str) -> bool:
    """Return whether a sandbox answers at ``url``."""
    return http_status(f"{url.rstrip('/')}/_sandbox/state") == http.HTTPStatus.OK


def child_environment(settings: Mapping[str, str], base: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return ``base`` with ``settings``, and with this code first on the import path unless it is installed."""
    env = {**base, **settings}
    root = str(Path(workers.__file__).resolve().parent.parent)
    installed = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib"), *site.getsitepackages()}
    if root not in installed:
        path = [part for part in env.get("PYTHONPATH", "").split(os.pathsep) if part and part != root]
        env["PYTHONPATH"] = os.pathsep.join([root, *path])
    return env


class ReadyFile:
    """A file in which a child says that it is ready, by its pid."""

    def __init__(self, home: Home, name: str) -> None:
        self._path = home.run / f"{name}.ready"
        self._since = time.monotonic()
        #: tells the child where to write
        self.environment = {"MARKETING_READY_FILE": str(self._path)}

    @property
    def age(self) -> float:
        """Seconds since the last start."""
        return time.monotonic() - self._since

    def forget(self) -> bool:
        """Remove the file before a start, and return True."""
        with suppress(OSError):  # an old file names another pid
            self._path.unlink(missing_ok=True)
        self._since = time.monotonic()
        return True

    def by(self, pid: int) -> bool:
        """Return whether process ``pid`` has written the file."""
        try:
            return int(self._path.read_text(encoding="ascii")) == pid
        except (OSError, ValueError):
            return False


def sandbox_spec(home: Home, env: Mapping[str, str], *, port: int, dns_port: int | None) -> ChildSpec:
    """Return the spec of the sandbox, which keeps its state in a file across restarts."""
    argv = [sys.executable, "-m", "integrations.sandbox", "--host", LOOPBACK, "--port", str(port)]
    if dns_port is not None:
        argv += ["--dns-port", str(dns_port)]
    return ChildSpec(
        name="sandbox",
        argv=[*argv, "--state", str(home.data / "sandbox.json")],
        env=env,
        cwd=home.path,
        ready=lambda _pid: sandbox_answers(f"http://{LOOPBACK}:{port}"),
        stop_timeout=5,
        death_signal=signal.SIGTERM,
    )


def worker_spec(
    home: Home,
    env: Mapping[str, str],
    number: int,
    *,
    app: str,
    concurrency: int,
    queues: Sequence[str],
    drain_timeout: float,
) -> ChildSpec:
    """Return the spec of a worker, which finishes its running tasks on SIGTERM.

    Tasks that are killed after ``drain_timeout`` seconds are repaired from the ledger.
    """
    name = f"worker-{number}"
    said = ReadyFile(home, name)

    def ready(pid: int) -> bool:
        # On a full disk no worker can say that it is ready: one that has lived for a while counts as ready.
        return said.by(pid) or (said.age > _WORKER_READY_S and not can_write(home.run))

    argv = [sys.executable, "-m", "celery", "-q", "-A", app, "worker", "-P", "threads", "-c", str(concurrency)]
    argv += [
        "-n",
        f"{name}@%h",
        *(["-Q", ",".join(queues)] if queues else []),
        "-E",
        "--without-gossip",
        "--without-mingle",
    ]
    return ChildSpec(
        name=name,
        argv=argv,
        env={**env, **said.environment},
        cwd=home.path,
        prepare=said.forget,
        ready=ready,
        stop_timeout=drain_timeout,
        frozen_timeout=FROZEN_S,
    )


def beat_spec(home: Home, env: Mapping[str, str], *, app: str) -> ChildSpec:
    """Return the spec of beat, which keeps no schedule file: what is due is stored in Postgres."""
    said = ReadyFile(home, "beat")
    argv = [sys.executable, "-m", "celery", "-q", "-A", app, "beat", "--scheduler", "celery.beat:Scheduler"]
    return ChildSpec(
        name="beat",
        argv=[*argv, "--pidfile="],
        env={**env, **said.environment},
        cwd=home.path,
        prepare=said.forget,
        ready=lambda pid: said.by(pid) or said.age > _BEAT_READY_S,
        stop_timeout=5,
        frozen_timeout=FROZEN_S,
    )


def flower_url(env: Mapping[str, str], port: int) -> str:
    """Return the address of Flower's first page, below FLOWER_URL_PREFIX."""
    prefix = env.get("FLOWER_URL_PREFIX", "").strip("/")
    return f"http://{LOOPBACK}:{port}" + (f"/{prefix}" if prefix else "")


def flower_login(home: Home, env: Mapping[str, str]) -> str | None:
    """Return the path of the file with Flower's generated login, or None when the environment names one."""
    chosen = env.get("FLOWER_BASIC_AUTH") or env.get("FLOWER_AUTH")
    return None if chosen else str(home.run / "flower.login")


def flower_spec(home: Home, env: Mapping[str, str], *, app: str, port: int) -> ChildSpec:
    """Return the spec of Flower, which listens on loopback only."""
    if app == "workers.app":
        app = "workers.flower"  # the same app, behind a login and with the fleet's metrics beside Flower's own
    argv = [sys.executable, "-m", "celery", "-A", app, "flower", f"--address={LOOPBACK}", f"--port={port}"]
    return ChildSpec(
        name="flower",
        argv=argv,
        env=env,
        cwd=home.path,
        ready=lambda _pid: http_status(f"{flower_url(env, port)}/healthcheck") is not None,
        stop_timeout=5,
        frozen_timeout=FROZEN_S,
    )
