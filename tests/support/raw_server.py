"""A TCP server on loopback that says exactly the bytes a test gives it, to show clients broken peers."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

Answer = Callable[[socket.socket, threading.Event], None]


@dataclass
class RawServer:
    """A running server; ``answer`` may be changed between requests."""

    port: int
    answer: Answer
    requests: list[bytes] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)  #: set when the test ends

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


def saying(*parts: bytes) -> Answer:
    """Sends the parts and closes."""

    def answer(peer: socket.socket, _over: threading.Event) -> None:
        for part in parts:
            peer.sendall(part)

    return answer


def trickling(head: bytes, every_s: float = 0.05) -> Answer:
    """Sends the head, then a byte at a time until the test ends."""

    def answer(peer: socket.socket, over: threading.Event) -> None:
        peer.sendall(head)
        while not over.wait(every_s):
            peer.sendall(b"x")

    return answer


def silent(_peer: socket.socket, over: threading.Event) -> None:
    """Says nothing until the test ends."""
    over.wait(10)


@contextmanager
def raw_server(answer: Answer) -> Iterator[RawServer]:
    """A server that reads one request of each connection and answers."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = RawServer(listener.getsockname()[1], answer)

        def serve(peer: socket.socket) -> None:
            with peer, suppress(OSError):
                request = peer.recv(65536)
                if not request:
                    return  # somebody only knocked
                server.requests.append(request)
                server.answer(peer, server.over)
                peer.shutdown(socket.SHUT_WR)

        def accept() -> None:
            while not server.over.is_set():
                try:
                    peer, _ = listener.accept()
                except OSError:
                    return
                thread = threading.Thread(target=serve, args=(peer,))
                threads.append(thread)
                thread.start()

        threads: list[threading.Thread] = []
        accepting = threading.Thread(target=accept)
        accepting.start()
        try:
            yield server
        finally:
            server.over.set()
            with suppress(OSError):
                socket.create_connection(("127.0.0.1", server.port), 1).close()
            accepting.join()
            for thread in threads:
                thread.join()
