"""As whom Postgres runs, which refuses to be root.

For an ordinary user: as that user. For root: as the first identity of ``launch.py`` that works here, a user
namespace (root's ownership stays, all capabilities go), else ``nobody`` with CAP_DAC_OVERRIDE (works under
Docker's defaults; the data folder, and nothing else, then belongs to nobody). Both pass folders that only
root may enter without changing anybody's mode, and neither adds a user. CAP_DAC_OVERRIDE would let a Postgres
superuser read every file, which only root can become: the socket's folder is root's and private.
"""

from __future__ import annotations

import os
import pwd
import signal
import subprocess
import sys
from pathlib import Path

from workers.services.errors import ServiceError

_LAUNCH = Path(__file__).with_name("launch.py")


def choose_identity(folder: Path, program: Path) -> str:
    """The identity of launch.py to run Postgres as: for root the first that passes the check, else "same".

    Raises:
        ServiceError: we are root and none works here.
    """
    if os.geteuid() != 0:
        return "same"
    try:
        nobody = pwd.getpwnam("nobody")
        uid, gid = nobody.pw_uid, nobody.pw_gid
    except KeyError:
        uid = gid = 65534
    reasons = []
    for identity in ("user-namespace", f"user:{uid}:{gid}") if sys.platform == "linux" else ():
        done = subprocess.run(
            launch_command(identity, "--check", str(folder), str(program)),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
        )
        if done.returncode == 0:
            return identity
        reasons.append(done.stderr.decode("utf-8", "replace").strip() or f"{identity}: no access")
    raise ServiceError(
        "Postgres refuses to run as root, and this system lets us become nobody else "
        f"({'; '.join(reasons) or 'only known on Linux'}). Run as an ordinary user, or set DATABASE_URL to a "
        "Postgres of yours."
    )


def launch_command(identity: str, *command: str) -> list[str]:
    """A command line through launch.py that dies with this process."""
    return [
        sys.executable,
        "-I",
        "-S",
        str(_LAUNCH),
        str(os.getpid()),
        str(int(signal.SIGKILL)),
        identity,
        *command,
    ]


def give_to(identity: str, data: Path) -> None:
    """Make ``data`` and all below belong to ``identity``: Postgres insists on owning its data, and the
    identity may differ from the last start's. Nothing to do in the usual case.

    Raises:
        ServiceError: it belongs to somebody else and we may not change that.
    """
    uid, gid = os.geteuid(), os.getegid()
    if identity.startswith("user:"):
        uid, gid = (int(part) for part in identity.split(":")[1:])
    if data.stat().st_uid == uid:
        return
    try:
        for folder, _, files in os.walk(data, topdown=False):
            for name in files:
                os.lchown(os.path.join(folder, name), uid, gid)
            os.chown(folder, uid, gid)  # the top comes last, so that a broken walk is walked again
    except PermissionError as error:
        raise ServiceError(
            f"{data} belongs to another user: run as that user, or set MARKETING_HOME to a folder of your own"
        ) from error
