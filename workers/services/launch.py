"""A program that prepares a child process and then replaces itself by the child's program.

A supervisor killed by ``kill -9`` can't stop its children, so each child first asks the kernel for a signal when its
parent ends (``PR_SET_PDEATHSIG``). The request must be made in the child, after any change of user (which clears it)
and before ``exec``; doing it in ``preexec_fn`` would run Python between fork and exec of a process that may have
threads. So this file is a program of its own: standard library only, started as ``python -I -S launch.py`` (about
15 ms), never imported by a child.

Usage: ``launch.py PARENT_PID DEATH_SIGNAL IDENTITY PROGRAM [ARG...]``. With ``--check FOLDER PROGRAM`` in place of
the program it exits with 0 when this identity can write to FOLDER and execute PROGRAM, else with 1.

IDENTITY, used for Postgres, which refuses to run as root:

``same``
    No change.
``user-namespace``
    A user namespace that shows the current uid as 65534: root's files stay root's, nothing changes owner, and all
    capabilities are dropped. Needs a kernel and sandbox that allow it (Docker's default doesn't).
``user:UID:GID``
    Another user that keeps CAP_DAC_OVERRIDE alone, so that it can enter folders which only root may enter.
    ``SECBIT_NO_SETUID_FIXUP`` is set because ``access(2)`` otherwise ignores the capabilities of a non-root caller,
    and Postgres calls ``access`` to check its own executable. Allowed by Docker's default capabilities.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1
PR_SET_SECUREBITS = 28
PR_CAP_AMBIENT = 47
PR_CAP_AMBIENT_RAISE = 2
SECBIT_NO_SETUID_FIXUP = 1 << 2
CLONE_NEWUSER = 0x10000000
CAP_DAC_OVERRIDE = 1
CAPABILITY_VERSION_3 = 0x20080522
UNPRIVILEGED_ID = 65534


class _CapabilityHeader(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


class _CapabilitySets(ctypes.Structure):
    _fields_ = (
        ("effective", ctypes.c_uint32),
        ("permitted", ctypes.c_uint32),
        ("inheritable", ctypes.c_uint32),
    )


def _require(result: int, what: str) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


def _prctl(libc: ctypes.CDLL, option: int, *values: int) -> None:
    padded = (*values, 0, 0, 0, 0)[:4]
    _require(libc.prctl(option, *(ctypes.c_ulong(value) for value in padded)), f"prctl {option}")


def enter_user_namespace(libc: ctypes.CDLL) -> None:
    """Enter a user namespace that shows the uid and gid of this process as 65534."""
    uid, gid = os.geteuid(), os.getegid()
    _require(libc.unshare(CLONE_NEWUSER), "unshare")
    for name, text in (
        ("setgroups", "deny"),
        ("uid_map", f"{UNPRIVILEGED_ID} {uid} 1"),
        ("gid_map", f"{UNPRIVILEGED_ID} {gid} 1"),
    ):
        with open(f"/proc/self/{name}", "w", encoding="ascii") as stream:
            stream.write(text)


def become_user(libc: ctypes.CDLL, uid: int, gid: int) -> None:
    """Change to ``uid`` and keep CAP_DAC_OVERRIDE, across exec too (as an ambient capability)."""
    _prctl(libc, PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP)
    os.setgroups([])
    os.setresgid(gid, gid, gid)
    os.setresuid(uid, uid, uid)
    kept = 1 << CAP_DAC_OVERRIDE
    sets = (_CapabilitySets * 2)(_CapabilitySets(kept, kept, kept), _CapabilitySets(0, 0, 0))
    _require(libc.capset(ctypes.byref(_CapabilityHeader(CAPABILITY_VERSION_3, 0)), sets), "capset")
    _prctl(libc, PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_DAC_OVERRIDE)


def assume(identity: str, libc: ctypes.CDLL) -> None:
    """Change to ``identity``, in the notation described in the module's docstring."""
    if identity == "user-namespace":
        enter_user_namespace(libc)
    elif identity.startswith("user:"):
        _, uid, gid = identity.split(":")
        become_user(libc, int(uid), int(gid))
    elif identity != "same":
        raise ValueError(f"unknown identity {identity!r}")


def check(folder: str, program: str) -> int:
    """Return 0 when a file can be created in ``folder`` and ``program`` executed, by the rules that Postgres uses."""
    probe = os.path.join(folder, f".probe-{os.getpid()}")
    os.close(os.open(probe, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    os.unlink(probe)
    return 0 if os.access(program, os.R_OK | os.X_OK) else 1


def main(arguments: list[str]) -> int:
    """Replace this process by the program, or return an exit status when that fails."""
    parent, death_signal, identity, *command = arguments
    libc = ctypes.CDLL(None, use_errno=True)
    # A parent started in the background of a script ignores SIGINT, and children would inherit that.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGQUIT, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    os.umask(0o077)
    try:
        assume(identity, libc)
        if command[0] == "--check":
            return check(command[1], command[2])
        if sys.platform == "linux" and int(death_signal):
            _prctl(libc, PR_SET_PDEATHSIG, int(death_signal))
            if os.getppid() != int(parent):
                return 1  # the parent ended before the request was made
        os.execv(command[0], command)
    except (OSError, ValueError) as error:
        print(f"{command[0]} can't be started as {identity}: {error}", file=sys.stderr)
    return 127


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
