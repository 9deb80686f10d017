"""A hop on the wire between our clients and the sandbox that swallows the answer of every creation.

The platform did what it was asked to; the client never hears of it. Listens on loopback only.
"""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import unquote_plus, urlsplit

#: Last parts of the paths at which ad platforms create: Facebook's edges, LinkedIn's collections.
EDGES = frozenset({"campaigns", "adsets", "adcreatives", "ads", "adCampaignGroups", "adCampaigns", "creatives"})


class LosingProxy(ThreadingHTTPServer):
    """Forwards to ``target``; ``lost`` are the creations whose answer was swallowed, as "path name"."""

    daemon_threads = True

    def __init__(self, target: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.target = urlsplit(target)
        self.lost: list[str] = []

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    server: LosingProxy
    protocol_version = "HTTP/1.1"

    def _forward(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        target = self.server.target
        connection = http.client.HTTPConnection(target.hostname or "", target.port or 80, timeout=20)
        headers = {name: value for name, value in self.headers.items() if name.lower() != "host"}
        connection.request(self.command, self.path, body, headers)
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        if self._creates(body) and answer.status < 400:
            self.server.lost.append(f"{self.path.partition('?')[0]} {_name(body)}")
            self.close_connection = True
            return
        self.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in ("transfer-encoding", "connection", "content-length", "server", "date"):
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_DELETE = do_PUT = _forward

    def _creates(self, body: bytes) -> bool:
        edge = self.path.partition("?")[0].rstrip("/").rpartition("/")[2]
        partial = self.headers.get("X-RestLi-Method", "").upper() in ("PARTIAL_UPDATE", "DELETE", "FINDER")
        return self.command == "POST" and edge in EDGES and not partial and b"validate_only" not in body

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


def _name(body: bytes) -> str:
    """The object's name, of a form or of JSON."""
    text = body.decode(errors="replace")
    if text.startswith("{"):
        found = json.loads(text)
        return str(found.get("name") or found.get("creative", {}).get("name"))
    fields = dict(part.partition("=")[::2] for part in text.split("&"))
    return unquote_plus(fields.get("name", ""))


@contextmanager
def losing_proxy(target: str) -> Iterator[LosingProxy]:
    """A proxy in front of ``target`` while the block runs."""
    proxy = LosingProxy(target)
    thread = Thread(target=proxy.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield proxy
    finally:
        proxy.shutdown()
        thread.join()
        proxy.server_close()
