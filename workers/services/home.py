"""Layout of the folder MARKETING_HOME of the embedded services, and its lock files.

All files are in one folder, so that two homes share nothing and deleting the folder deletes everything::

    data/postgres   data/redis   data/sandbox.json      durable data
    run/                                                 locks, notes, ports, sockets: of the current start only
    logs/                                                one file per process

Invariant: the folders inside are private (0700) and the mode of no other folder is changed. Lock files are locked with
``flock``: the kernel releases a lock when its process ends, by ``kill -9`` too, so no lock is ever stale.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import secrets
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from pydantic import JsonValue

from workers.services.errors import ServiceError

#: Used when MARKETING_HOME is not set.
DEFAULT_HOME = "~/.marketing-agents"

_PRIVATE = 0o700


@dataclass(frozen=True)
class Home:
    """Paths inside one MARKETING_HOME.

    An instance touches no file; :meth:`create` makes the folders.
    """

    #: absolute path, symbolic links resolved: one folder has one name
    path: Path

    def __init__(self, path: str | os.PathLike[str]) -> None:
        if not os.fspath(path):
            raise ServiceError("MARKETING_HOME is empty: give the path of a folder, or leave it unset")
        object.__setattr__(self, "path", Path(path).expanduser().resolve())

    @classmethod
    def from_env(cls, env: Mapping[str, str] = os.environ) -> Home:
        """Return the home named by MARKETING_HOME, else ``~/.marketing-agents``."""
        return cls(env.get("MARKETING_HOME") or DEFAULT_HOME)

    @property
    def data(self) -> Path:
        """Folder of durable data."""
        return self.path / "data"

    @property
    def postgres(self) -> Path:
        """Data folder of Postgres."""
        return self.data / "postgres"

    @property
    def redis(self) -> Path:
        """Data folder of Redis."""
        return self.data / "redis"

    @property
    def run(self) -> Path:
        """Folder of locks, notes, ports and sockets, which mean nothing after a restart."""
        return self.path / "run"

    @property
    def logs(self) -> Path:
        """Folder of log files, one per process."""
        return self.path / "logs"

    @property
    def digest(self) -> str:
        """A short name of this home for use outside it (temporary folder, process titles), of 12 hex digits."""
        return hashlib.sha256(os.fsencode(self.path)).hexdigest()[:12]

    def create(self) -> Home:
        """Create the folders with mode 0700 and return self.

        A home that exists keeps its mode; the folders inside (data, run, logs) are made private. Raises ServiceError
        when the path is not a folder or belongs to another user.
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
        """Return the lock file ``run/<name>.lock``, not yet locked."""
        return FileLock(self.run / f"{name}.lock")


class FileLock:
    """An advisory lock on a file, exclusive or shared, held until released or until the process ends.

    The descriptor is closed on exec (Python's default), so child processes don't inherit the lock.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._fd: int | None = None

    @property
    def held(self) -> bool:
        """Whether this object holds the lock."""
        return self._fd is not None

    def acquire(self, *, shared: bool = False, timeout: float = 0.0) -> bool:
        """Acquire the lock within ``timeout`` seconds and return whether it is held."""
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
        """Release the lock if it is held."""
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


def can_write(folder: Path) -> bool:
    """Return whether a small file can be written in the folder."""
    probe = folder / f".probe-{os.getpid()}"
    try:
        probe.write_bytes(b"0123456789abcdef")
    except OSError:
        return False
    finally:
        with suppress(OSError):
            probe.unlink(missing_ok=True)
    return True


def write_json(path: Path, value: JsonValue) -> None:
    """Replace the file atomically by ``value`` as JSON, so that a reader sees the old text or the new one.

    Raises OSError when that is not possible; the old text stays then.
    """
    write_private(path, json.dumps(value))


def write_private(path: Path, text: str) -> None:
    """Replace the file atomically by ``text``, readable by this user only (mode 0600).

    Raises OSError when that is not possible; the old text stays then.
    """
    draft = path.with_name(f"{path.name}.{os.getpid()}.new")
    try:
        draft.unlink(missing_ok=True)
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as stream:
            stream.write(text)
        draft.replace(path)
    except OSError:
        with suppress(OSError):
            draft.unlink(missing_ok=True)
        raise


def kept_secret(path: Path, *, prefix: str = "") -> str:
    """Return the secret in a file, which is generated (after ``prefix``) at its first use and stays the same then.

    Only this user can read the file. Raises ServiceError when it can't be written.
    """
    try:
        if kept := path.read_text(encoding="ascii").strip():
            path.chmod(0o600)
            return kept
    except (OSError, ValueError):
        pass
    made = prefix + secrets.token_urlsafe(24)
    try:
        write_private(path, f"{made}\n")
    except OSError as error:
        raise ServiceError(f"{path} can't be written: {error.strerror}") from error
    return made


def read_json(path: Path) -> JsonValue:
    """Return the JSON in a file, or None when it is absent or not JSON."""
    try:
        value: JsonValue = json.loads(path.read_text(encoding="utf-8"))
        return value
    except (OSError, ValueError):
        return None
