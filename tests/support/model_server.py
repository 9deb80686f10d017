"""An OpenAI-compatible server on loopback that answers as a test tells it, to try odd servers and errors.

Invariant: every request is recorded as it came over the wire.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Reply:
    """One answer. A mapping is sent as JSON, bytes as they are, a callable writes to the socket itself."""

    body: Any = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


def completion(content: str | None, *, finish: str = "stop", model: str = "local-1", **extra: Any) -> dict[str, Any]:
    """A chat completion that says ``content``; ``extra`` goes into the message."""
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": model,
        "choices": [
            {"index": 0, "message": {"role": "assistant", "content": content, **extra}, "finish_reason": finish}
        ],
        "usage": {"prompt_tokens": 100, "completion_tokens": 50, "total_tokens": 150},
    }


@dataclass
class ModelServer:
    """A running server: its address, what it was asked, and the function that answers."""

    url: str
    answer: Callable[[Mapping[str, Any]], Reply]
    requests: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    connections: list[str] = field(default_factory=list)  #: method and path of every request, of any protocol


@contextmanager
def running_model_server() -> Iterator[ModelServer]:
    """A server on a free port; it answers ``{}`` to everything until ``answer`` is set."""
    server = ModelServer(url="", answer=lambda request: Reply(body=completion("{}")))

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            server.connections.append(f"GET {self.path}")
            self.send_error(404)

        def do_POST(self) -> None:
            server.connections.append(f"POST {self.path}")
            if not self.headers.get("content-type", "").startswith("application/json"):
                self.send_error(415)
                return
            request = json.loads(self.rfile.read(int(self.headers.get("content-length", 0))))
            server.requests.append(request)
            server.headers.append({name.lower(): value for name, value in self.headers.items()})
            reply = server.answer(request)
            if callable(reply.body):
                self.close_connection = True
                reply.body(self)
                return
            data = reply.body if isinstance(reply.body, bytes) else json.dumps(reply.body).encode()
            self.send_response(reply.status)
            headers = {"Content-Type": "application/json", **reply.headers, "Content-Length": str(len(data))}
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *args: Any) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        http.daemon_threads = True
        server.url = f"http://127.0.0.1:{http.server_address[1]}/v1"
        thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            http.shutdown()
            thread.join()
