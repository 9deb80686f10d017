"""A socket on the way to Postgres that can fall silent: what is sent goes nowhere, and nobody is told.

That is what a network without a route looks like from here. Connections of that time are never answered again; they
end when the silence does, as the kernel's own time-outs would end them.
"""

from __future__ import annotations

import socket
from contextlib import suppress
from pathlib import Path
from threading import Lock, Thread


class SilentProxy:
    """Listens in ``folder`` as Postgres would, and leads to ``target``, the path of a socket."""

    def __init__(self, folder: Path, target: Path) -> None:
        self._target = target
        self._silent = False
        self._lock = Lock()
        self._pairs: set[tuple[socket.socket, socket.socket | None]] = set()
        self._listening = socket.socket(socket.AF_UNIX)
        self._listening.bind(str(folder / target.name))
        self._listening.listen(128)
        Thread(target=self._accept, daemon=True).start()

    def fall_silent(self) -> None:
        """Carry nothing any more, in either direction."""
        self._silent = True

    def speak_again(self) -> None:
        """Carry what new connections send; the old ones are gone."""
        with self._lock:
            self._silent = False
            pairs, self._pairs = self._pairs, set()
        for pair in pairs:
            _end(*pair)

    def close(self) -> None:
        """Listen no more, and end all connections."""
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self.speak_again()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listening.accept()
            except OSError:
                return
            with self._lock:
                silent = self._silent
                server = None if silent else socket.socket(socket.AF_UNIX)
                self._pairs.add((client, server))
            if server is None:
                continue
            try:
                server.connect(str(self._target))
            except OSError:
                _end(client, server)
                continue
            for one, other in ((client, server), (server, client)):
                Thread(target=self._carry, args=(one, other), daemon=True).start()

    def _carry(self, one: socket.socket, other: socket.socket) -> None:
        with suppress(OSError):
            while data := one.recv(65536):
                if self._silent:
                    return  # swallowed, and whatever comes after it waits unread
                other.sendall(data)
        if not self._silent:
            with self._lock:
                self._pairs -= {(one, other), (other, one)}
            _end(one, other)


def _end(*pair: socket.socket | None) -> None:
    for end in pair:
        if end is not None:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()
