"""One address for HTTP and for gRPC over TLS: connections are told apart by their first byte.

A TLS connection begins with 0x16, which no HTTP request does. It is spliced, byte by byte, to the gRPC server on
loopback (:mod:`integrations.sandbox.rpc`); all others go to the HTTP server. So clients know one URL of the sandbox.
Invariant: nothing is read from a connection before it is known whose it is.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import socket
import sys
from collections.abc import Awaitable, Callable, Sequence

import tornado.httpserver
import tornado.iostream
import tornado.netutil

TLS_HANDSHAKE = b"\x16"
CHUNK = 65536


class Doors:
    """Listening sockets of the sandbox."""

    def __init__(self, http: tornado.httpserver.HTTPServer) -> None:
        self._http = http
        self._rpc_port: Callable[[], Awaitable[int]] | None = None
        self._spliced: dict[int, asyncio.StreamWriter] = {}  #: local port towards the gRPC server -> the client's side
        self._tasks: set[asyncio.Task[None]] = set()
        self._closers: list[Callable[[], None]] = []

    def open(self, sockets: Sequence[socket.socket], rpc_port: Callable[[], Awaitable[int]]) -> None:
        """Accept connections on bound sockets, where ``rpc_port`` gives the gRPC server's port on loopback."""
        self._rpc_port = rpc_port
        self._closers = [tornado.netutil.add_accept_handler(one, self._accepted) for one in sockets]

    def close(self) -> None:
        """Accept no more connections."""
        for close in self._closers:
            close()

    def drop(self, port: int) -> None:
        """Close the client's connection that is spliced from this local port, without a word."""
        client = self._spliced.get(port)
        if client is not None:
            client.transport.abort()

    def _accepted(self, connection: socket.socket, address: object) -> None:
        task = asyncio.get_running_loop().create_task(self._led(connection, address))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _led(self, connection: socket.socket, address: object) -> None:
        connection.setblocking(False)
        try:
            first = await _peeked(connection)
        except OSError:
            connection.close()
            return
        if first == TLS_HANDSHAKE:
            await self._splice(connection)
            return
        stream = tornado.iostream.IOStream(connection, max_buffer_size=self._http.max_buffer_size)
        self._http.handle_stream(stream, address)  # type: ignore[arg-type]  # as tornado hands it on

    async def _splice(self, connection: socket.socket) -> None:
        assert self._rpc_port is not None
        try:
            port = await self._rpc_port()
        except ImportError as error:
            print(f"sandbox: no gRPC: {error}", file=sys.stderr)
            connection.close()
            return
        reader, writer = await asyncio.open_connection(sock=connection)
        inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", port)
        local = inner_writer.get_extra_info("sockname")[1]
        self._spliced[local] = writer
        try:
            await asyncio.gather(_pump(reader, inner_writer), _pump(inner_reader, writer))
        finally:
            del self._spliced[local]


async def _peeked(connection: socket.socket) -> bytes:
    """Return the first byte that comes in without taking it, b"" for a connection that ends before."""
    loop = asyncio.get_running_loop()
    while True:
        try:
            return connection.recv(1, socket.MSG_PEEK)
        except BlockingIOError as error:
            if error.errno not in (errno.EAGAIN, errno.EWOULDBLOCK):
                raise
        readable = loop.create_future()
        loop.add_reader(connection.fileno(), lambda found=readable: found.done() or found.set_result(None))  # type: ignore[misc] # mypy can't infer a lambda with a default
        try:
            await readable
        finally:
            loop.remove_reader(connection.fileno())


async def _pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    """Copy all bytes, then close the sink."""
    with contextlib.suppress(OSError):
        while data := await source.read(CHUNK):
            sink.write(data)
            await sink.drain()
    with contextlib.suppress(OSError):
        sink.close()
