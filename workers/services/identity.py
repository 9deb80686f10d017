"""Choice of the user that Postgres runs as, because Postgres refuses to run as root.

An ordinary user runs it as itself. Root runs it under the first identity of ``launch.py`` that works: a user
namespace (files stay root's, all capabilities are dropped), else the user ``nobody`` with CAP_DAC_OVERRIDE (works
under Docker's defaults; the data folder, and nothing else, then belongs to that user). Both can enter folders that
only root may enter, change no folder's mode and add no user. With CAP_DAC_OVERRIDE a Postgres superuser could read
every file, but only root can become one: the socket's folder is root's and private.
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
    """Return the identity of launch.py to run Postgres as: "same", or for root the first that passes the check.

    Raises ServiceError when this process is root and no identity passes.
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
        "Postgres refuses to run as root, and this system lets root run it as no other user "
        f"({'; '.join(reasons) or 'only known on Linux'}). Run as an ordinary user, or set DATABASE_URL to a "
        "Postgres of yours."
    )


def launch_command(identity: str, *command: str) -> list[str]:
    """Return the command line that runs ``command`` through launch.py, to be killed when this process ends."""
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


def give_ownership(identity: str, data: Path) -> None:
    """Make ``identity`` the owner of ``data`` and of everything in it.

    Postgres must own its data folder, and the identity may differ from that of the last start; usually there is
    nothing to change. Raises ServiceError when the folder belongs to another user and can't be changed.
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
            os.chown(folder, uid, gid)  # the top comes last, so that an interrupted walk is repeated
    except PermissionError as error:
        raise ServiceError(
            f"{data} belongs to another user: run as that user, or set MARKETING_HOME to a folder of your own"
        ) from error
