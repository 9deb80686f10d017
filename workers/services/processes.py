"""How each Python process of a fleet is started, and how one sees that it answers.

Invariant: every child imports the very code its supervisor runs, gets its settings by environment only (no
URL or key on a command line, where every user can read it), and its name contains "worker" exactly when it
is a worker.
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
from pathlib import Path
from urllib.parse import urlsplit

import workers
from integrations import plugins
from workers.services.home import Home
from workers.services.ports import LOOPBACK
from workers.supervisor import ChildSpec

QUEUES = ("orchestration", *plugins.names(plugins.AGENTS))

#: Beat is taken to run when its schedule file is there, at the latest after these many seconds.
_BEAT_SECONDS = 5.0


def http_status(url: str, *, timeout: float = 1.0) -> int | None:
    """The status of a GET (no proxy, no redirect), or None when nobody answers."""
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
    """Whether a sandbox world is reachable at ``url``."""
    return http_status(f"{url.rstrip('/')}/_sandbox/state") == http.HTTPStatus.OK


def child_environment(settings: Mapping[str, str], base: Mapping[str, str] = os.environ) -> dict[str, str]:
    """``base`` with ``settings``, and with our code first on the import path unless it is installed."""
    env = {**base, **settings}
    root = str(Path(workers.__file__).resolve().parent.parent)
    installed = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib"), *site.getsitepackages()}
    if root not in installed:
        path = [part for part in env.get("PYTHONPATH", "").split(os.pathsep) if part and part != root]
        env["PYTHONPATH"] = os.pathsep.join([root, *path])
    return env


def sandbox_spec(home: Home, env: Mapping[str, str], *, port: int, dns_port: int | None) -> ChildSpec:
    """The sandbox world; what was advertised in it survives a restart."""
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
    drain_seconds: float,
) -> ChildSpec:
    """A worker. SIGTERM lets running tasks end; what is cut off later is repaired from the ledger."""
    name = f"worker-{number}"
    ready_file = home.run / f"{name}.ready"

    def prepare() -> bool:
        ready_file.unlink(missing_ok=True)
        return True

    def ready(pid: int) -> bool:
        try:
            return int(ready_file.read_text(encoding="ascii")) == pid
        except (OSError, ValueError):
            return False

    argv = [sys.executable, "-m", "celery", "-q", "-A", app, "worker", "-P", "threads", "-c", str(concurrency)]
    argv += ["-n", f"{name}@%h", "-Q", ",".join(queues), "-E", "--without-gossip", "--without-mingle"]
    return ChildSpec(
        name=name,
        argv=argv,
        env={**env, "MARKETING_READY_FILE": str(ready_file)},
        cwd=home.path,
        prepare=prepare,
        ready=ready,
        stop_timeout=drain_seconds,
    )


def beat_spec(home: Home, env: Mapping[str, str], *, app: str) -> ChildSpec:
    """Beat. Its schedule file is thrown away at each start: a torn one would keep it from starting, and
    nothing is due in it (what is due stands in Postgres)."""
    schedule = home.run / "beat-schedule"
    started = time.monotonic()

    def prepare() -> bool:
        nonlocal started
        for file in home.run.glob(f"{schedule.name}*"):
            file.unlink(missing_ok=True)
        started = time.monotonic()
        return True

    def ready(_pid: int) -> bool:
        late = time.monotonic() - started > _BEAT_SECONDS
        return late or any(home.run.glob(f"{schedule.name}*"))

    argv = [sys.executable, "-m", "celery", "-q", "-A", app, "beat", "--schedule", str(schedule)]
    return ChildSpec(
        name="beat",
        argv=[*argv, "--pidfile="],
        env=env,
        cwd=home.path,
        prepare=prepare,
        ready=ready,
        stop_timeout=5,
    )


def flower_spec(home: Home, env: Mapping[str, str], *, app: str, port: int) -> ChildSpec:
    """Flower, on loopback only: without a login its pages are open to who can reach them."""
    if app == "workers.app":
        app = "workers.flower"  # the same, with the fleet's figures beside Flower's own
    argv = [sys.executable, "-m", "celery", "-A", app, "flower", f"--address={LOOPBACK}", f"--port={port}"]
    return ChildSpec(
        name="flower",
        argv=argv,
        env=env,
        cwd=home.path,
        ready=lambda _pid: http_status(f"http://{LOOPBACK}:{port}/healthcheck") is not None,
        stop_timeout=5,
    )
