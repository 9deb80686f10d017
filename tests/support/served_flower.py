"""Flower behind its door, listening in a thread of the test's process."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

from celery import Celery

from workers.flower_door import ClosedFlower


class ServedFlower:
    """Listens on a free port of loopback until it is closed; ``handlers`` are served before Flower's own."""

    port: int

    def __init__(self, *handlers: Any) -> None:
        self._handlers = handlers
        self._listens = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()))
        self._thread.start()
        assert self._listens.wait(10)

    async def _serve(self) -> None:
        from flower.urls import handlers, settings
        from tornado.httpserver import HTTPServer
        from tornado.ioloop import IOLoop
        from tornado.netutil import bind_sockets
        from tornado.options import options

        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        handlers[:0] = self._handlers
        app = ClosedFlower(options=options, capp=Celery(broker="memory://"), io_loop=IOLoop.current(), **settings)
        del handlers[: len(self._handlers)]
        sockets = bind_sockets(0, "127.0.0.1")
        server = HTTPServer(app)
        server.add_sockets(sockets)
        self.port = sockets[0].getsockname()[1]
        self._listens.set()
        await self._stop.wait()
        server.stop()
        await server.close_all_connections()
        app.executor.shutdown()

    def close(self) -> None:
        """Stop listening and wait for the thread's end."""
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(10)
