"""HTTP server of the sandbox: one tornado process with one event loop, on loopback only.

Providers that speak gRPC are answered at the same address (:mod:`integrations.sandbox.doors`).
Requests to the sandbox's own host go to a provider by path prefix (or to ``/_sandbox``); requests with any
other Host header are for the company web sites. Invariant: every answer carries ``X-Sandbox: true``.
"""

from __future__ import annotations

import asyncio
import ipaddress
import json
import os
import signal
from collections.abc import Callable
from dataclasses import dataclass

import tornado.httpserver
import tornado.netutil
import tornado.web

from integrations.sandbox.control import CONTROL_PREFIX, WEB, Outcome, Sandbox
from integrations.sandbox.dns import DnsWire
from integrations.sandbox.doors import Doors
from integrations.sandbox.protocol import Request, Response
from integrations.sandbox.rpc import RpcServer

MAX_BODY_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Listening:
    """Addresses that the sandbox listens on."""

    url: str
    dns_resolver: str


class Front(tornado.web.RequestHandler):
    """Request handler that passes each request to the sandbox and writes its response."""

    def initialize(self, sandbox: Sandbox, latency_s: float) -> None:
        """Set the handler up with the application's parts."""
        self._sandbox = sandbox
        self._latency_s = latency_s

    def set_default_headers(self) -> None:
        """Mark every answer as the sandbox's."""
        self.set_header("X-Sandbox", "true")
        self.set_header("Server", "marketing-sandbox")

    async def _any(self, *_: str) -> None:
        outcome = self._outcome()
        if outcome.delay_s or self._latency_s:
            await asyncio.sleep(outcome.delay_s + self._latency_s)
        if outcome.response is None:
            self._auto_finish = False
            self.detach().close()
            return
        self._write(outcome.response)

    get = head = post = put = patch = delete = options = _any

    def compute_etag(self) -> str | None:
        """Return no entity tag, because a provider sends its own headers."""
        return None

    def _outcome(self) -> Outcome:
        asked = self.request
        headers = {name.lower(): value for name, value in asked.headers.items()}
        path, _, query = (asked.uri or "/").partition("?")
        own = is_own_host(asked.host)
        provider = self._sandbox.route(path) if own else self._sandbox.providers.get(WEB)
        request = Request(
            method=asked.method or "GET",
            path=path,
            query=query,
            headers=headers,
            body=asked.body,
        )
        if own and path.startswith(CONTROL_PREFIX + "/"):
            return Outcome(self._sandbox.control(request))
        if provider is None:
            return Outcome(Response(status=404, body={"error": f"the sandbox has nothing at {path}"}))
        if own:
            request = Request(
                method=request.method,
                path=path.removeprefix(provider.prefix) or "/",
                query=query,
                headers=headers,
                body=asked.body,
            )
        return self._sandbox.handle(provider, request)

    def _write(self, response: Response) -> None:
        self.set_status(response.status)
        self.clear_header("Content-Type")
        body = response.body
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body, ensure_ascii=False).encode()
            self.set_header("Content-Type", "application/json; charset=utf-8")
        for name, value in response.headers.items():
            self.set_header(name, value)
        if body and response.status not in (204, 304):
            self.write(body)


def is_own_host(host: str) -> bool:
    """Return whether a Host header means the sandbox itself: an address or localhost, where names are company sites."""
    name = host.rpartition(":")[0] if host.rpartition(":")[2].isdecimal() else host
    name = name.strip("[]")
    if name in ("", "localhost"):
        return True
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


async def serve(
    sandbox: Sandbox,
    *,
    host: str,
    port: int,
    dns_port: int,
    latency_s: float,
    ready: Callable[[Listening], None],
    stop: asyncio.Event,
) -> None:
    """Serve until ``stop`` is set, and call ``ready`` when everything listens.

    Raises OSError when a port is taken.
    """
    application = tornado.web.Application(
        [(r".*", Front, {"sandbox": sandbox, "latency_s": latency_s})], log_function=lambda _handler: None
    )
    server = tornado.httpserver.HTTPServer(application, max_body_size=MAX_BODY_BYTES, max_buffer_size=MAX_BODY_BYTES)
    sockets = tornado.netutil.bind_sockets(port, host, backlog=1024)
    doors = Doors(server)
    doors.open(sockets, RpcServer(sandbox, latency_s=latency_s, drop=doors.drop).port)
    wire = DnsWire(
        sandbox.dns,
        lambda _what: sandbox.faults.draw(sandbox.dns.name),
        lambda what, code: sandbox.calls.record(sandbox.dns.name, what, code),
    )
    bound = await wire.listen(host, dns_port)
    shown = f"[{host}]" if ":" in host else host
    ready(
        Listening(
            url=f"http://{shown}:{sockets[0].getsockname()[1]}",
            dns_resolver=f"{shown}:{bound}",
        )
    )
    await stop.wait()
    doors.close()
    server.stop()
    wire.close()


def run(
    sandbox: Sandbox, *, host: str, port: int, dns_port: int, latency_s: float, ready: Callable[[Listening], None]
) -> None:
    """Serve until SIGTERM or SIGINT, which end the process at once, also during calls."""

    async def main() -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
        await serve(
            sandbox,
            host=host,
            port=port,
            dns_port=dns_port,
            latency_s=latency_s,
            ready=ready,
            stop=stop,
        )
        # Unwinding would answer the running calls with errors, which a killed server doesn't. All data is on disk.
        os._exit(0)

    asyncio.run(main())
