"""Keeps a Python process on the loopback interface, so that no test can reach a real provider by mistake.

Invariant: after :func:`install` every connect, send to an address and name look-up of this process that
leaves loopback raises :class:`BeyondLoopback` *before* a packet is sent, and is written to the log
named by the environment. The log matters as much as the exception: code under test may well catch the
exception as a connection error and retry, and in a child process nobody would see it at all.

An audit hook can't be undone or by-passed by Python code. C libraries that open sockets of their own (libpq,
gRPC) raise no audit events and are not seen.

Only the standard library is used: the module is loaded into every Python process that tests start.
"""

from __future__ import annotations

import ipaddress
import json
import os
import socket
import sys
import traceback
from typing import Any

#: Environment variable naming the file that violations are appended to, one JSON object a line.
LOG_VARIABLE = "LOOPBACK_GUARD_LOG"

_ADDRESS_EVENTS = frozenset({"socket.connect", "socket.sendto", "socket.sendmsg"})
_NAME_EVENTS = frozenset({"socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr"})
_INTERNET = frozenset({socket.AF_INET, socket.AF_INET6})
#: Names that are answered without asking the network; a machine's own name is looked up by servers and
#: Celery.
_LOCAL_NAMES = frozenset({"", "localhost", "localhost.localdomain", socket.gethostname().lower()})


class BeyondLoopback(RuntimeError):
    """Raised when a test, or a process it started, tries to leave the loopback interface."""


def is_local(host: str | bytes | None) -> bool:
    """Whether ``host`` (an IP address, or a name) is answered by this machine alone."""
    if host is None:
        return True
    name = (host.decode("ascii", "replace") if isinstance(host, bytes) else str(host)).lower().rstrip(".")
    if name in _LOCAL_NAMES:
        return True
    try:
        address = ipaddress.ip_address(name.partition("%")[0])
    except ValueError:
        return False
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    # The unspecified address connects to this machine.
    return address.is_loopback or address.is_unspecified


def _is_literal(name: str | bytes | None) -> bool:
    text = name.decode("ascii", "replace") if isinstance(name, bytes) else str(name)
    try:
        ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return False
    return True


def _forbidden(event: str, args: tuple[Any, ...]) -> str | None:
    """What ``event`` would reach beyond loopback, as text for people; None when it stays here."""
    if event in _ADDRESS_EVENTS:
        sock, address = args[0], args[1]
        if address is None or getattr(sock, "family", None) not in _INTERNET:
            return None  # a connected socket was judged at its connect; Unix sockets stay here
        return None if is_local(address[0]) else f"{event} to {address!r}"
    if event in _NAME_EVENTS:
        name = args[0]
        # Resolving an IP literal sends nothing, except backwards.
        literal_is_harmless = event != "socket.gethostbyaddr" and _is_literal(name)
        return None if is_local(name) or literal_is_harmless else f"{event} of {name!r}"
    return None


def _record(what: str) -> None:
    path = os.environ.get(LOG_VARIABLE)
    if not path:
        return
    entry = {
        "what": what,
        "pid": os.getpid(),
        "argv": sys.argv[:3],
        "test": os.environ.get("PYTEST_CURRENT_TEST", ""),
        "where": [line.strip() for line in traceback.format_stack(limit=12)[:-3]],
    }
    handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(handle, (json.dumps(entry) + "\n").encode())
    finally:
        os.close(handle)


def _hook(event: str, args: tuple[Any, ...]) -> None:
    if event in _ADDRESS_EVENTS or event in _NAME_EVENTS:
        what = _forbidden(event, args)
        if what is not None:
            _record(what)
            raise BeyondLoopback(f"{what}: tests stay on loopback")


def install() -> None:
    """Put the guard in place for the rest of this process' life. Calling it again changes nothing."""
    if not getattr(sys, "_loopback_guard", False):
        sys._loopback_guard = True  # type: ignore[attr-defined]  # outlives a second import
        sys.addaudithook(_hook)
