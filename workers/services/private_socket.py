"""The folder of Postgres' Unix socket, and the URL that leads through it.

Invariant: only its owner can enter the folder, so entering it is all the permission there is (``trust``).
The kernel limits a socket's path to about 100 bytes, and libpq reads a comma in it as a list; a home whose
path doesn't fit gets a folder under the temporary folder, named after user and home, and trusted only when
it is ours.
"""

from __future__ import annotations

import os
import re
import stat
import tempfile
from pathlib import Path
from urllib.parse import quote

from workers.services.errors import ServiceError
from workers.services.home import Home

#: Database and its role.
ROLE = DATABASE = "marketing"

#: Room for "/.s.PGSQL.5432" within sockaddr_un on every system (104 bytes on macOS, 108 on Linux).
_MOST_BYTES = 85
#: Only letters that mean nothing to libpq, to a URL and to a list of folders in Postgres' settings.
_PLAIN = re.compile(r"[A-Za-z0-9/._-]+")


def socket_dir(home: Home) -> Path:
    """The folder for this home's socket: ``run/`` when its path fits, else a private temporary one."""
    if _fits(str(home.run), _MOST_BYTES):
        return home.run
    base = tempfile.gettempdir()
    if not _fits(base, _MOST_BYTES - 40):  # 40: the folder's own name
        base = "/tmp"
    return Path(base) / f"marketing-{os.geteuid()}-{home.digest}"


def make_private(folder: Path) -> None:
    """Make ``folder`` (0700), or make sure that the one there is ours and private.

    Raises:
        ServiceError: somebody else made it: its content can't be trusted.
    """
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
        raise ServiceError(
            f"{folder} exists and isn't a folder of ours: remove it, or set MARKETING_HOME to a shorter path"
        )
    if found.st_mode & 0o077:
        folder.chmod(0o700)


def database_url(folder: Path) -> str:
    """The SQLAlchemy URL of the database behind the socket in ``folder`` (a libpq URI without +psycopg2)."""
    return f"postgresql+psycopg2://{ROLE}@/{DATABASE}?host={quote(str(folder), safe='/')}"


def _fits(path: str, most: int) -> bool:
    return len(os.fsencode(path)) <= most and _PLAIN.fullmatch(path) is not None
