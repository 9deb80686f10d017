"""Choice of TCP ports that stay the same from one start to the next.

A URL copied yesterday should still work today, and two homes on one machine must not collide. So the first candidate
is derived from the path of the home, the chosen port is remembered in ``run/``, and a port in use is skipped. The
range is below the usual ephemeral ports (32768 and up), so no outgoing connection can take the port while its server
restarts.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import closing, suppress

from workers.services.errors import ServiceError
from workers.services.home import Home, read_json, write_json

LOOPBACK = "127.0.0.1"

_FIRST, _COUNT = 20_000, 12_000
_FILE = "ports.json"


def is_free(port: int, *, udp: bool = False) -> bool:
    """Return whether a server could listen on this loopback port now (``udp``: on UDP as well)."""
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM) if udp else (socket.SOCK_STREAM,):
        with closing(socket.socket(socket.AF_INET, kind)) as probe:
            if kind == socket.SOCK_STREAM:
                # As servers do: old connections in TIME_WAIT don't count.
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((LOOPBACK, port))
            except OSError:
                return False
    return True


def _candidates(home: Home, name: str, remembered: int | None) -> Iterator[int]:
    if remembered is not None:
        yield remembered
    # Steps of a prime that doesn't divide the count reach every port once.
    start = int(home.digest, 16) + sum(name.encode()) * 131
    for step in range(_COUNT):
        yield _FIRST + (start + step * 101) % _COUNT


def remembered_ports(home: Home) -> dict[str, int]:
    """Return the ports chosen earlier for the services of this home, by name of the service."""
    ports = read_json(home.run / _FILE)
    return {name: port for name, port in ports.items() if isinstance(port, int)} if isinstance(ports, dict) else {}


def choose_port(home: Home, name: str, *, udp: bool = False) -> int:
    """Return a free port for the service ``name`` of this home: the remembered one if it is still free.

    Only the owner of the home calls this. Another program may take the port before the server does; the caller then
    calls this again. Raises ServiceError when every port is in use.
    """
    known = remembered_ports(home)
    remembered = known.get(name)
    others = {port for other, port in known.items() if other != name}
    for port in _candidates(home, name, remembered):
        if port not in others and is_free(port, udp=udp):
            if port != remembered:
                with suppress(OSError):  # a full disk: the next start may choose another port
                    write_json(home.run / _FILE, {**known, name: port})
            return port
    raise ServiceError(f"no free TCP port on {LOOPBACK} between {_FIRST} and {_FIRST + _COUNT - 1}")
