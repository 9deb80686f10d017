"""A complete fleet on one machine: services, sandbox, workers, beat and Flower.

``campaigns up`` and ``campaigns run --embedded`` start one. Invariants: a process starts only when those that it needs
are ready (servers, then the sandbox, then the schema, then the Celery processes), and they stop in the reverse order.
URLs stay the same when a process is restarted. One process owns a home, others attach to its fleet. Nothing but
:meth:`Fleet.stop` ends the supervision: a full disk or a store that is away only delays it. A worker that runs and is
of no use is replaced (:mod:`workers.liveness.watch`).
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Literal, Self
from urllib.parse import urlsplit

import psutil

from integrations.fleet_note import Whereabouts
from workers.child import Event
from workers.services.attached import AttachedFleet, FleetInfo, attach
from workers.services.errors import HomeInUseError, NoOwnerError, ServiceError
from workers.services.home import Home
from workers.services.ownership import Ownership, read_owner
from workers.services.ports import LOOPBACK, choose_port, is_free
from workers.services.postgres import PostgresServer
from workers.services.processes import (
    beat_spec,
    child_environment,
    flower_login,
    flower_spec,
    flower_url,
    sandbox_answers,
    sandbox_spec,
    worker_spec,
)
from workers.services.redis import RedisServer
from workers.services.signals import SignalTrap
from workers.supervisor import Supervisor

if TYPE_CHECKING:
    from workers.liveness.watch import FleetWatch

Mode = Literal["sandbox", "live"]


class Fleet:
    """A fleet owned by this process.

    Start, poll and stop it in one thread, best the main one.

    Args:
        home: MARKETING_HOME.
        migrate: brings the schema of the database at the given URL up to date; called once.
        workers: number of worker processes.
        concurrency: slots (threads) of each worker.
        flower: whether to start Flower, on ``flower_port`` or else a free port.
        database_url, redis_url: servers to use; None: embedded ones are started.
        sandbox_url: in sandbox mode, the sandbox to use, or the address to start it at; None: a free loopback port.
        queues: the queues that workers consume; empty: all of the installed agents.
        on_event: called with each event of the supervisor.
        trap_signals: count SIGINT, SIGTERM and SIGHUP instead of ending by them, from ``start`` to the end of
            ``stop``; ``start`` then raises StartInterruptedError. A second signal makes ``stop`` kill what it can.
        drain_timeout: seconds that workers may take to finish their tasks when stopped.
        detach_timeout: seconds that the end of a ``with`` block waits for attached processes.
        app: the Celery app (``-A``).
        env: environment of the children; None: that of this process.
    """

    #: this process owns the fleet's processes (an attached one doesn't)
    owner = True

    def __init__(
        self,
        home: Home | str | os.PathLike[str],
        *,
        migrate: Callable[[str], None] | None = None,
        workers: int = 2,
        concurrency: int = 16,
        flower: bool = True,
        database_url: str | None = None,
        redis_url: str | None = None,
        sandbox_url: str | None = None,
        mode: Mode = "sandbox",
        flower_port: int | None = None,
        queues: Sequence[str] = (),
        on_event: Callable[[Event], None] | None = None,
        trap_signals: bool = False,
        drain_timeout: float = 30.0,
        detach_timeout: float = 0.0,
        app: str = "workers.app",
        env: Mapping[str, str] | None = None,
    ) -> None:
        if workers < 0 or concurrency < 1:
            raise ServiceError(
                f"workers={workers}, concurrency={concurrency}: give 0 or more workers of 1 or more slots"
            )
        self.home = home if isinstance(home, Home) else Home(home)
        self._migrate = migrate
        self._workers, self._concurrency, self._queues = workers, concurrency, tuple(queues)
        self._flower, self._flower_port = flower, flower_port
        self._database_url, self._redis_url, self._sandbox_url = database_url, redis_url, sandbox_url
        self._mode, self._app = mode, app
        self._on_event = on_event
        self._trap, self._trap_signals = SignalTrap(), trap_signals
        self._drain_timeout, self._detach_timeout = drain_timeout, detach_timeout
        self._base = dict(os.environ if env is None else env)
        self._ownership: Ownership | None = None
        self._supervisor: Supervisor | None = None
        self._postgres: PostgresServer | None = None
        self._watch: FleetWatch | None = None
        self._info: FleetInfo | None = None
        self._ending = False

    # ---- public interface ----

    def start(self) -> FleetInfo:
        """Start all processes and return when all are ready.

        Raises HomeInUseError when another process owns the home (see :meth:`attach`), and ServiceError when a process
        did not become ready (those that had started are stopped again).
        """
        self._ending = False
        if self._trap_signals:
            self._trap.install()
        try:
            ownership = Ownership(self.home, "fleet", on_trouble=self._on_unwritten)
            ownership.take()
            self._ownership = ownership
            self._supervisor = Supervisor(self.home.logs, on_event=self._on_child_event)
            info = self._start_all(self._supervisor)
            self._info = info
            self._publish()
            self._start_watch(info)
            return self.info
        except BaseException as error:
            try:
                self.stop()
            except ServiceError as trouble:
                error.add_note(str(trouble))
            raise

    @property
    def info(self) -> FleetInfo:
        """Addresses of the fleet, with its current pids.

        Raises ServiceError when it isn't running.
        """
        if self._info is None:
            raise ServiceError(f"the fleet in {self.home.path} isn't running")
        return self._info.model_copy(update={"pids": self.pids})

    @property
    def pids(self) -> dict[str, int]:
        """Current pids by name."""
        return self._supervisor.pids if self._supervisor is not None else {}

    @property
    def stop_signal(self) -> signal.Signals | None:
        """First stop signal since :meth:`start` (with ``trap_signals``) or None, kept after :meth:`stop`."""
        return self._trap.first

    def poll(self, timeout: float = 0.0) -> None:
        """Check and restart the processes for ``timeout`` seconds."""
        supervisor, ownership, watch = self._supervisor, self._ownership, self._watch
        if supervisor is None:
            return
        supervisor.poll(timeout)
        if ownership is not None:
            ownership.catch_up()
        if watch is not None:
            workers = {name: at for name, at in supervisor.ready_for.items() if name.startswith("worker")}
            for one in watch.useless(workers):
                supervisor.replace(one.name, one.pid, one.why)

    def run_until_signal(self) -> signal.Signals:
        """Check and restart the processes until SIGINT, SIGTERM or SIGHUP, and return the signal.

        The caller then calls :meth:`stop`.
        """
        self._trap.install()
        while self._trap.first is None:
            self.poll(0.2)
        return self._trap.first

    def stop(self, *, detach_timeout: float = 0.0) -> None:
        """Wait for attached processes to detach, then stop all processes.

        Idempotent. The wait takes ``detach_timeout`` seconds at most and is cut short by a stop signal. Each step is
        taken whatever became of the others. Raises ServiceError with all that went wrong, after the last step.
        """
        ownership, supervisor, postgres, watch = self._ownership, self._supervisor, self._postgres, self._watch
        before = self._trap.count
        failed: list[Exception] = []

        def step(action: Callable[[], object]) -> None:
            try:
                action()
            except Exception as error:  # said at the end: the steps after it matter more
                failed.append(error)

        try:
            if ownership is None:
                return
            if watch is not None:
                step(watch.stop)
            if supervisor is not None:
                if detach_timeout and self._info is not None:
                    step(lambda: self._wait_for_detach(ownership, detach_timeout))
                self._ending = True
                step(self._publish)
                step(lambda: supervisor.stop(force=lambda: self._trap.count > max(before, 1)))
            if postgres is not None:
                step(postgres.tidy)
        finally:
            if ownership is not None:
                step(ownership.release)
            self._ownership = self._supervisor = self._postgres = self._watch = self._info = None
            self._trap.restore()
        for error in failed:
            if not isinstance(error, ServiceError | OSError | ValueError | psutil.Error):
                raise error  # a defect, or an exception by which a signal handler stops the command
        if failed:
            raise ServiceError(f"stopped, but: {'; '.join(str(error) for error in failed)}")

    def _wait_for_detach(self, ownership: Ownership, timeout: float) -> None:
        ownership.wait_for_detach(timeout, lambda: self.poll(0.1), interrupted=self._interrupted)

    @classmethod
    def attach(cls, home: Home | str | os.PathLike[str], *, timeout: float = 60.0) -> AttachedFleet:
        """Attach to the fleet that another process runs in ``home``.

        Raises NoOwnerError when none runs there, and HomeInUseError when the home is owned by a process without
        workers (``EmbeddedServices``).

        Args:
            timeout: seconds to wait for a fleet that is still starting (or ending).
        """
        return attach(home if isinstance(home, Home) else Home(home), timeout=timeout)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop(detach_timeout=self._detach_timeout if error is None else 0.0)

    # ---- starting, in order ----

    def _start_all(self, supervisor: Supervisor) -> FleetInfo:
        servers = []
        redis: RedisServer | None = None
        if self._database_url is None:
            self._postgres = PostgresServer(self.home)
            servers.append(self._postgres.spec)
        if self._redis_url is None:
            redis = RedisServer(self.home)
            servers.append(redis.spec)
        supervisor.start(*servers, interrupted=self._interrupted)
        info = FleetInfo(
            database_url=self._database_url or (self._postgres.url if self._postgres else ""),
            redis_url=self._redis_url or (redis.url if redis else ""),
            dns_resolver=self._base.get("DNS_RESOLVER") or None,
            mode=self._mode,
            embedded=self._database_url is None and self._redis_url is None,
        )
        if self._mode == "sandbox":
            info = self._start_sandbox(supervisor, info)
        if self._migrate is not None:
            self._migrate(info.database_url)
        env = self._environment(info)
        celery = [
            worker_spec(
                self.home,
                env,
                number,
                app=self._app,
                concurrency=self._concurrency,
                queues=self._queues,
                drain_timeout=self._drain_timeout,
            )
            for number in range(1, self._workers + 1)
        ]
        celery.append(beat_spec(self.home, env, app=self._app))
        if self._flower:
            port = self._port_for_flower()
            celery.append(flower_spec(self.home, env, app=self._app, port=port))
            where = {"flower_url": flower_url(env, port), "flower_login": flower_login(self.home, env)}
            info = info.model_copy(update=where)
        supervisor.start(*celery, interrupted=self._interrupted)
        return info

    def _start_sandbox(self, supervisor: Supervisor, info: FleetInfo) -> FleetInfo:
        """Use the sandbox at ``sandbox_url`` if one answers there, else start it there."""
        url = self._sandbox_url or f"http://{LOOPBACK}:{choose_port(self.home, 'sandbox')}"
        if self._sandbox_url is not None and sandbox_answers(url):
            return info.model_copy(update={"sandbox_url": url})
        parts = urlsplit(url)
        if parts.scheme != "http" or parts.hostname not in (LOOPBACK, "localhost"):
            raise ServiceError(
                f"no sandbox answers at SANDBOX_URL={url}, and it can only be started at http://{LOOPBACK}:PORT"
            )
        dns = info.dns_resolver or ""
        dns_host, _, dns_port = dns.rpartition(":")
        if not dns:
            dns_number: int | None = choose_port(self.home, "sandbox-dns", udp=True)
            dns = f"{LOOPBACK}:{dns_number}"
        elif dns_host == LOOPBACK and dns_port.isdigit() and is_free(int(dns_port), udp=True):
            dns_number = int(dns_port)  # DNS_RESOLVER names a free port: that of the sandbox to start
        else:
            dns_number = None
        info = info.model_copy(update={"sandbox_url": url, "dns_resolver": dns})
        spec = sandbox_spec(self.home, self._environment(info), port=parts.port or 80, dns_port=dns_number)
        supervisor.start(spec, interrupted=self._interrupted)
        return info

    def _environment(self, info: FleetInfo) -> dict[str, str]:
        settings = {**info.environment, "MARKETING_HOME": str(self.home.path)}
        return child_environment(settings, self._base)

    def _port_for_flower(self) -> int:
        if self._flower_port is None:
            return choose_port(self.home, "flower")
        if not is_free(self._flower_port):
            raise ServiceError(
                f"FLOWER_PORT={self._flower_port} is in use: choose another, or leave it unset for a free one"
            )
        return self._flower_port

    def _start_watch(self, info: FleetInfo) -> None:
        from integrations import plugins
        from workers.liveness.watch import FleetWatch

        if self._workers:
            queues = self._queues or ("orchestration", *plugins.names(plugins.AGENTS))
            self._watch = FleetWatch(info.database_url, info.redis_url, queues)
            self._watch.start()

    # ---- callbacks and notes ----

    def _interrupted(self) -> bool:
        return self._trap.count > 0

    def _publish(self) -> None:
        if self._ownership is not None:
            running = self._info is not None
            self._ownership.publish(self.info if running else Whereabouts(), ready=running and not self._ending)

    def _on_child_event(self, event: Event) -> None:
        if self._ownership is not None and self._supervisor is not None:
            self._ownership.note_children(self._supervisor.owned)
            if event.kind == "started":
                self._publish()
        if self._on_event is not None:
            self._on_event(event)

    def _on_unwritten(self, reason: str) -> None:
        if self._on_event is not None:
            self._on_event(Event("unwritten", "fleet", os.getpid(), reason))


def open_fleet(fleet: Fleet, *, timeout: float = 60.0) -> Fleet | AttachedFleet:
    """Start ``fleet``, or attach to the fleet that runs in its home already.

    The caller stops the result. Raises ServiceError when neither works.
    """
    deadline = time.monotonic() + timeout
    while True:
        try:
            fleet.start()
            return fleet
        except HomeInUseError:
            pass
        try:
            return Fleet.attach(fleet.home, timeout=timeout)
        except NoOwnerError:
            # The owner ended in between, so the home is free; an owner that hangs is reported.
            if read_owner(fleet.home) is not None or time.monotonic() > deadline:
                raise
