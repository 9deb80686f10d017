"""A hop on the wire between our clients and the sandbox that answers some calls itself, as a platform in trouble does.

Listens on loopback only.
"""

from __future__ import annotations

import http.client
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit


@dataclass(frozen=True)
class Call:
    """One request on its way."""

    method: str
    path: str
    body: bytes

    @property
    def edge(self) -> str:
        """The last part of the path."""
        return unquote(urlsplit(self.path).path).rstrip("/").rpartition("/")[2]

    def asked(self, name: str, default: str = "") -> str:
        """One value of the query."""
        return parse_qs(urlsplit(self.path).query).get(name, [default])[0]


Rule = Callable[[Call], tuple[int, Any] | None]


@dataclass
class Bend:
    """The rule in force: what it answers instead of the sandbox, or None to let a call through."""

    rule: Rule = field(default=lambda _call: None)
    calls: list[Call] = field(default_factory=list)
    url: str = ""

    def count(self, method: str, edge: str) -> int:
        """How many calls of that kind came."""
        return sum(call.method == method and call.edge == edge for call in self.calls)


@contextmanager
def bending_proxy(target: str) -> Iterator[Bend]:
    """A running proxy before ``target``."""
    bend, upstream = Bend(), urlsplit(target)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # an answer in one packet: the second one would wait for the first one's receipt

        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            call = Call(self.command, self.path, body)
            bend.calls.append(call)
            bent = bend.rule(call)
            status, headers, content = (bent[0], {}, json.dumps(bent[1]).encode()) if bent else self._forward(body)
            self.send_response(status)
            for name, value in {"Content-Type": "application/json", **headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PUT = _answer

        def _forward(self, body: bytes) -> tuple[int, dict[str, str], bytes]:
            connection = http.client.HTTPConnection(upstream.hostname or "", upstream.port or 80, timeout=20)
            headers = {name: value for name, value in self.headers.items() if name.lower() != "host"}
            connection.request(self.command, self.path, body, headers)
            answer = connection.getresponse()
            content = answer.read()
            connection.close()
            kept = {name: value for name, value in answer.getheaders() if name.lower().startswith("x-")}
            return answer.status, kept, content

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    bend.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield bend
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def graph_error(code: int, *, status: int = 400, **more: Any) -> tuple[int, Any]:
    """A refusal of Facebook's."""
    return status, {"error": {"message": "Invalid parameter", "type": "OAuthException", "code": code, **more}}


def rest_error(status: int, code: str, message: str, **more: Any) -> tuple[int, Any]:
    """A refusal of LinkedIn's."""
    return status, {"status": status, "code": code, "message": message, **more}
