"""TCP ports that stay the same from one start to the next.

A URL that was copied from yesterday's screen should still be right today, and two homes on one machine must
not collide. So a home's first guess is derived from its path, what worked is remembered in ``run/``, and a
port in use is passed over. The range lies below the usual ephemeral ports (32768 and up): an outgoing
connection can't sit on our port while the server restarts.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import closing

from workers.services.errors import ServiceError
from workers.services.home import Home, read_json, write_json

LOOPBACK = "127.0.0.1"

_FIRST, _COUNT = 20_000, 12_000


def is_free(port: int, *, udp: bool = False) -> bool:
    """Whether a server could listen on this loopback port now (``udp``: on UDP as well)."""
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM) if udp else (socket.SOCK_STREAM,):
        with closing(socket.socket(socket.AF_INET, kind)) as probe:
            if kind == socket.SOCK_STREAM:
                # As servers do: connections of the last run in TIME_WAIT don't count.
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((LOOPBACK, port))
            except OSError:
                return False
    return True


def _candidates(home: Home, name: str, remembered: int | None) -> Iterator[int]:
    if remembered is not None:
        yield remembered
    # Steps of a prime that doesn't divide the count visit every port once.
    start = int(home.digest, 16) + sum(name.encode()) * 131
    for step in range(_COUNT):
        yield _FIRST + (start + step * 101) % _COUNT


def choose_port(home: Home, name: str, *, udp: bool = False) -> int:
    """A free port for this home's service ``name``: the remembered one when it is still free.

    Called by the home's owner only. Another program may take the port before the server does; the caller
    then asks again.
    """
    file = home.run / "ports.json"
    ports = read_json(file)
    known: dict[str, int] = ports if isinstance(ports, dict) else {}
    remembered = known.get(name)
    others = {port for other, port in known.items() if other != name}
    for port in _candidates(home, name, remembered if isinstance(remembered, int) else None):
        if port not in others and is_free(port, udp=udp):
            if port != remembered:
                write_json(file, {**known, name: port})
            return port
    raise ServiceError(f"no free TCP port on {LOOPBACK} between {_FIRST} and {_FIRST + _COUNT - 1}")
