"""Where the embedded services live, and the locks that say who may touch them.

One folder holds everything, so that two homes never meet and deleting the folder deletes the lot::

    data/postgres   data/redis   data/sandbox.json      what must survive
    run/                                                 locks, records, ports, sockets: this start only
    logs/                                                one file per process

Invariant: the folder's parts are private (0700) and no other folder's mode is ever changed. Locks are
``flock``\\ s: the kernel drops them with the process, ``kill -9`` included, so no lock is ever stale.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from workers.services.errors import ServiceError

#: Used when MARKETING_HOME is not set.
DEFAULT_HOME = "~/.marketing-agents"

_PRIVATE = 0o700


@dataclass(frozen=True)
class Home:
    """The layout of one MARKETING_HOME. Building it touches nothing; :meth:`create` makes the folders."""

    #: absolute path, symbolic links resolved: one folder has one name
    path: Path

    def __init__(self, path: str | os.PathLike[str]) -> None:
        if not os.fspath(path):
            raise ServiceError("MARKETING_HOME is empty: give the path of a folder, or leave it unset")
        object.__setattr__(self, "path", Path(path).expanduser().resolve())

    @classmethod
    def from_env(cls, env: Mapping[str, str] = os.environ) -> Home:
        """The home named by MARKETING_HOME, else ``~/.marketing-agents``."""
        return cls(env.get("MARKETING_HOME") or DEFAULT_HOME)

    @property
    def data(self) -> Path:
        return self.path / "data"

    @property
    def postgres(self) -> Path:
        return self.data / "postgres"

    @property
    def redis(self) -> Path:
        return self.data / "redis"

    @property
    def run(self) -> Path:
        return self.path / "run"

    @property
    def logs(self) -> Path:
        return self.path / "logs"

    @property
    def digest(self) -> str:
        """A short name of this home for places outside it (temp folder, process titles): 12 hex digits."""
        return hashlib.sha256(os.fsencode(self.path)).hexdigest()[:12]

    def create(self) -> Home:
        """Make the folders, 0700, and return self.

        A folder that was there before keeps its mode; the parts inside (data, run, logs) are made private.

        Raises:
            ServiceError: the path is no folder, or belongs to somebody else.
        """
        try:
            self.path.mkdir(mode=_PRIVATE, parents=True, exist_ok=True)
            for part in (self.data, self.run, self.logs):
                part.mkdir(mode=_PRIVATE, exist_ok=True)
                if part.stat().st_mode & 0o077:
                    part.chmod(_PRIVATE)
        except OSError as error:
            raise ServiceError(
                f"MARKETING_HOME {self.path} can't be used: {error.strerror} ({error.filename}). "
                "Set MARKETING_HOME to a folder that you own and can write to."
            ) from error
        return self

    def lock(self, name: str) -> FileLock:
        """The lock file ``run/<name>.lock``, not yet taken."""
        return FileLock(self.run / f"{name}.lock")


class FileLock:
    """An advisory lock on a file, exclusive or shared, held until released or until the process ends.

    The descriptor is closed on exec (Python's default), so children never keep a dead owner's lock.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._fd: int | None = None

    @property
    def held(self) -> bool:
        return self._fd is not None

    def acquire(self, *, shared: bool = False, timeout: float = 0.0) -> bool:
        """Take the lock within ``timeout`` seconds; True when it is ours."""
        if self._fd is not None:
            return True
        fd = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
        kind = (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB
        deadline = time.monotonic() + timeout
        while True:
            try:
                fcntl.flock(fd, kind)
            except BlockingIOError:
                if time.monotonic() >= deadline:
                    os.close(fd)
                    return False
                time.sleep(0.02)
            except BaseException:
                os.close(fd)
                raise
            else:
                self._fd = fd
                return True

    def release(self) -> None:
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


def write_json(path: Path, value: Any) -> None:
    """Replace ``path`` by ``value`` as JSON in one step: a reader sees the old text or the new one."""
    draft = path.with_name(f"{path.name}.{os.getpid()}.new")
    draft.write_text(json.dumps(value), encoding="utf-8")
    draft.replace(path)


def read_json(path: Path) -> Any:
    """The JSON in ``path``, or None when it is absent or not JSON (a record is only ever a hint)."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
