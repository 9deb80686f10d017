"""The HTTP client under the model client: one per process, with bounds that libraries leave open.

Invariants: a call ends by its deadline even when the server drips its answer byte by byte (the library's
own timeout restarts with every byte, and threads can't be interrupted), no answer is read beyond
:data:`MAX_ANSWER_BYTES`, and a proxy in the environment never sees what is meant for this machine.
"""

from __future__ import annotations

import ipaddress
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

MAX_ANSWER_BYTES = 8_000_000
MAX_CONNECTIONS = 200


def is_local(url: str) -> bool:
    """Does the address mean this machine (loopback)?"""
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def http_client(base_url: str) -> Any:
    """An ``httpx2.Client`` (the one that openai 3 speaks through) with deadline and size bounds."""
    import httpx2
    import openai

    class Bounded(httpx2.SyncByteStream):
        def __init__(self, stream: Any, request: httpx2.Request) -> None:
            self._stream, self._request = stream, request

        def __iter__(self) -> Iterator[bytes]:
            size = 0
            for chunk in self._stream:
                size += len(chunk)
                if size > MAX_ANSWER_BYTES:
                    raise httpx2.ReadError("the answer is too large", request=self._request)
                if time.monotonic() > self._request.extensions["deadline"]:
                    raise httpx2.ReadTimeout("the answer takes too long", request=self._request)
                yield chunk

        def close(self) -> None:
            self._stream.close()

    def start(request: httpx2.Request) -> None:
        limit = (request.extensions.get("timeout") or {}).get("read")
        request.extensions = {
            **request.extensions,
            "deadline": time.monotonic() + (limit if limit is not None else 600.0),
        }

    def bound(response: httpx2.Response) -> None:
        response.stream = Bounded(response.stream, response.request)

    return openai.DefaultHttpxClient(
        base_url=base_url,
        trust_env=not is_local(base_url),
        follow_redirects=False,  # a redirect would carry the key and the prompt to another address
        limits=httpx2.Limits(max_connections=MAX_CONNECTIONS, max_keepalive_connections=50, keepalive_expiry=5.0),
        event_hooks={"request": [start], "response": [bound]},
    )
