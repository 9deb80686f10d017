"""Choice of a private folder for Postgres' Unix socket, and the database URL that uses it.

Invariant: only its owner can enter the folder, so access to the folder is the authentication (``trust``). The kernel
limits the path of a socket to about 100 bytes, and libpq splits it at commas. A home with a path that is longer or
has other characters gets a folder under the temporary folder, named after user and home, and used only if it belongs
to the current user.
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

#: Name of the database and of its role.
ROLE = DATABASE = "marketing"

#: Room for "/.s.PGSQL.5432" within sockaddr_un on every system (104 bytes on macOS, 108 on Linux).
_MAX_PATH_BYTES = 85
#: Characters without a special meaning to libpq, in a URL and in a list of folders in Postgres' settings.
_PLAIN = re.compile(r"[A-Za-z0-9/._-]+")


def socket_dir(home: Home) -> Path:
    """Return the folder of this home's socket: ``run/`` if its path can be used, else a temporary folder."""
    if _fits(str(home.run), _MAX_PATH_BYTES):
        return home.run
    base = tempfile.gettempdir()
    if not _fits(base, _MAX_PATH_BYTES - 40):  # 40: the folder's own name
        base = "/tmp"
    return Path(base) / f"marketing-{os.geteuid()}-{home.digest}"


def make_private(folder: Path) -> None:
    """Create ``folder`` with mode 0700, or check that an existing one belongs to this user and make it private.

    Raises ServiceError when it belongs to another user or is not a folder: its content can't be trusted.
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
    """Return the SQLAlchemy URL of the database behind the socket in ``folder``.

    Without ``+psycopg2`` it is a URI for libpq.
    """
    return f"postgresql+psycopg2://{ROLE}@/{DATABASE}?host={quote(str(folder), safe='/')}"


def _fits(path: str, limit: int) -> bool:
    return len(os.fsencode(path)) <= limit and _PLAIN.fullmatch(path) is not None
