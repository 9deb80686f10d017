"""A Google on loopback that answers as a test tells it: tokens and REST over HTTP, GoogleAdsService over gRPC and TLS.

One address for all, as the sandbox has it: a connection that begins a TLS handshake goes to the gRPC server.
"""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from recorded import recorded

from integrations.sandbox.protocol import RpcResponse
from integrations.sandbox.rpc import certificate

TLS_HANDSHAKE = b"\x16"
DRIP_S = 0.05  #: between two bytes of an answer that drips


def unanswered(_what: str, _message: bytes) -> RpcResponse:
    return RpcResponse(code=12, message="not in the script")


@dataclass
class ScriptedGoogle:
    """What it answers, and what came."""

    url: str = ""
    token: tuple[int, Any] = field(default_factory=lambda: (200, recorded("google_token")))
    #: status and body of every other request over HTTP
    rest: tuple[int, Any] = (404, {})
    #: (method's short name such as "Search", its message) -> a message, or a refusal
    rpc: Callable[[str, bytes], bytes | RpcResponse] = unanswered
    drips: bool = False  #: whether gRPC answers come a byte at a time
    requests: list[tuple[str, Mapping[str, str]]] = field(default_factory=list)  #: path and headers, or metadata

    def came(self, name: str) -> Mapping[str, str]:
        """Headers or metadata of the last request whose path ends so, in lower case."""
        return next(headers for path, headers in reversed(self.requests) if path.endswith(name))


@contextmanager
def scripted_google() -> Iterator[ScriptedGoogle]:
    """A running one."""
    google = ScriptedGoogle()
    web = _web(google)
    thread = threading.Thread(target=web.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    rpc, rpc_port = _rpc(google)
    listener = socket.create_server(("127.0.0.1", 0))
    google.url = f"http://127.0.0.1:{listener.getsockname()[1]}/google_ads"
    accepting = threading.Thread(target=_accept, args=(google, listener, web.server_address[1], rpc_port))
    accepting.start()
    try:
        yield google
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        accepting.join()
        rpc.stop(None).wait()
        web.shutdown()
        thread.join()
        web.server_close()


def _web(google: ScriptedGoogle) -> ThreadingHTTPServer:
    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            google.requests.append((self.path, {name.lower(): value for name, value in self.headers.items()}))
            status, body = google.token if self.path.endswith("/token") else google.rest
            data = body if isinstance(body, bytes) else json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.send_header("Connection", "close")
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = _answer

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    return server


def _rpc(google: ScriptedGoogle) -> tuple[Any, int]:
    import grpc

    def answer(name: str, message: bytes, context: Any) -> bytes:
        google.requests.append((name, {key: str(value) for key, value in context.invocation_metadata()}))
        found = google.rpc(name.rpartition("/")[2], message)
        if isinstance(found, bytes):
            return found
        context.set_trailing_metadata(found.trailers)
        status = next(one for one in grpc.StatusCode if one.value[0] == found.code)
        raise AssertionError(context.abort(status, found.message))

    class Handler(grpc.GenericRpcHandler):  # type: ignore[misc]  # grpc has no types
        def service(self, details: Any) -> Any:
            name = details.method
            return grpc.unary_unary_rpc_method_handler(lambda message, context: answer(name, message, context))

    server = grpc.server(ThreadPoolExecutor(max_workers=4))
    server.add_generic_rpc_handlers((Handler(),))
    key, chain = certificate()
    port: int = server.add_secure_port("127.0.0.1:0", grpc.ssl_server_credentials([(key, chain)]))
    server.start()
    return server, port


def _accept(google: ScriptedGoogle, listener: socket.socket, web_port: int, rpc_port: int) -> None:
    while True:
        try:
            peer, _ = listener.accept()
        except OSError:
            return
        threading.Thread(target=_led, args=(google, peer, web_port, rpc_port), daemon=True).start()


def _led(google: ScriptedGoogle, peer: socket.socket, web_port: int, rpc_port: int) -> None:
    with peer, suppress(OSError):
        secure = peer.recv(1, socket.MSG_PEEK) == TLS_HANDSHAKE
        with socket.create_connection(("127.0.0.1", rpc_port if secure else web_port)) as inner:
            asking = threading.Thread(target=_pump, args=(peer, inner, lambda: False), daemon=True)
            asking.start()
            _pump(inner, peer, lambda: secure and google.drips)
            asking.join()


def _pump(source: socket.socket, sink: socket.socket, dripping: Callable[[], bool]) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            while data and dripping():
                sink.sendall(data[:1])
                data = data[1:]
                time.sleep(DRIP_S)
            sink.sendall(data)
    with suppress(OSError):
        sink.shutdown(socket.SHUT_WR)
