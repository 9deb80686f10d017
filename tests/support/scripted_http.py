"""A small HTTP server on loopback that answers what a test tells it to, to show clients odd answers."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Script:
    """The answer to give to every request, and the requests that came."""

    status: int = 200
    body: bytes = b"{}"
    headers: dict[str, str] = field(default_factory=dict)
    hang: threading.Event | None = None  #: when set: no answer before this event
    requests: list[tuple[str, str]] = field(default_factory=list)  #: (method, path with query)
    url: str = ""


@contextmanager
def scripted_server() -> Iterator[Script]:
    """A running server and its script."""
    script = Script()

    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            script.requests.append((self.command, self.path))
            if script.hang is not None:
                script.hang.wait(10)
                self.close_connection = True
                return
            self.send_response(script.status)
            for name, value in script.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(script.body)))
            self.send_header("Connection", "close")
            self.end_headers()
            self.wfile.write(script.body)

        do_GET = do_POST = do_PUT = do_DELETE = _answer

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    script.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield script
    finally:
        if script.hang is not None:
            script.hang.set()
        server.shutdown()
        thread.join()
        server.server_close()
