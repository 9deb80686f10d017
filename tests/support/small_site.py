"""A web site on loopback whose answers, byte by byte, are a test's."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from raw_server import raw_server

Answer = bytes | Callable[[bytes], bytes]  #: the whole answer, or what makes it of the request
MISSING = b"HTTP/1.1 404 x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


@dataclass
class SmallSite:
    """A running site."""

    url: str
    asked: list[str] = field(default_factory=list)  #: paths with their queries, without robots.txt


def page(body: str | bytes, *headers: str, kind: str = "text/html; charset=utf-8", status: str = "200 OK") -> bytes:
    """A whole answer."""
    raw = body.encode() if isinstance(body, str) else body
    head = [f"HTTP/1.1 {status}", f"Content-Type: {kind}", f"Content-Length: {len(raw)}", *headers, "Connection: close"]
    return "\r\n".join(head).encode("latin-1") + b"\r\n\r\n" + raw


def moved(to: bytes, *headers: str) -> bytes:
    """A redirect."""
    more = "".join(f"{header}\r\n" for header in headers).encode()
    return b"HTTP/1.1 302 x\r\nLocation: " + to + b"\r\n" + more + b"Content-Length: 0\r\nConnection: close\r\n\r\n"


@contextmanager
def small_site(answers: Mapping[str, Answer], robots: Answer = MISSING) -> Iterator[SmallSite]:
    """A site with these answers by path, else by path without query, and its robots.txt."""

    def answer(peer: socket.socket, _over: threading.Event) -> None:
        request = server.requests[-1]
        path = request.split(b" ")[1].decode("latin-1")
        if path != "/robots.txt":
            site.asked.append(path)
        found = robots if path == "/robots.txt" else answers.get(path) or answers.get(path.partition("?")[0], MISSING)
        peer.sendall(found if isinstance(found, bytes) else found(request))

    with raw_server(answer) as server:
        site = SmallSite(server.url)
        yield site
