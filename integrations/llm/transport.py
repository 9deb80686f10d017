"""HTTP client that the model client uses, with bounds that the libraries don't have.

Invariants: a call ends by its deadline even when the server sends its answer byte by byte (the library's own timeout
restarts with every byte, and threads can't be interrupted). No answer is read beyond :data:`MAX_ANSWER_BYTES`. A proxy
of the environment never gets requests to this machine. What the library is given to read is a plain completion, or an
error with the status that it means; an answer that is neither raises UnreadableBodyError.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from integrations.llm.body import JsonObject, UnreadableBodyError, read_body
from integrations.llm.body_errors import meant_error
from integrations.llm.completion import plain_completion
from integrations.outbound import Reach, check_host, leads_to_loopback

if TYPE_CHECKING:
    import httpx2

MAX_ANSWER_BYTES = 8_000_000
MAX_CONNECTIONS = 200
KEPT_HEADERS = ("retry-after", "retry-after-ms", "x-request-id")  #: of an answer that is made over


Reader = Callable[[JsonObject], dict[str, object]]  #: body -> the same in the protocol's own form


def plain(answer: httpx2.Response, read: Reader = plain_completion) -> httpx2.Response:
    """Return a successful answer as the library can read it, with another status when its body is an error.

    Raises UnreadableBodyError when the body is neither what ``read`` reads nor an error.
    """
    import httpx2

    headers = {name: answer.headers[name] for name in KEPT_HEADERS if name in answer.headers}
    try:
        body = read_body(answer.content)
        meant = meant_error(body)
        status, found = (200, read(body)) if meant is None else (meant.status, meant.body())
    except RecursionError:
        raise UnreadableBodyError("the body is nested too deep") from None
    if meant is not None and meant.retry_after_s is not None:
        headers.setdefault("retry-after", f"{meant.retry_after_s:g}")
    return httpx2.Response(status, headers=headers, json=found, request=answer.request)


def http_client(base_url: str, reach: Reach, read: Reader = plain_completion) -> httpx2.Client:
    """Return the HTTP client for the openai library, with a deadline, a bound of the answer's size, and a ``reach``.

    ``read`` reads a successful answer. A request beyond ``reach`` raises AddressRefusedError before anything is sent.
    """
    import httpx2
    import openai

    class Bounded(httpx2.SyncByteStream):
        def __init__(self, stream: httpx2.SyncByteStream, request: httpx2.Request) -> None:
            self._stream, self._request = stream, request

        def __iter__(self) -> Iterator[bytes]:
            size = 0
            for chunk in self._stream:
                size += len(chunk)
                if size > MAX_ANSWER_BYTES:
                    raise UnreadableBodyError("the answer is too large")
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
        assert isinstance(response.stream, httpx2.SyncByteStream)  # as every stream of a synchronous client
        response.stream = Bounded(response.stream, response.request)

    class Reading(openai.DefaultHttpxClient):
        def send(self, request: httpx2.Request, **options: Any) -> httpx2.Response:
            try:
                answer = super().send(request, **options)
            except httpx2.DecodingError as error:  # packed, and not to be unpacked
                raise UnreadableBodyError("the body can't be unpacked") from error
            return plain(answer, read) if answer.is_success else answer

    class Near(httpx2.HTTPTransport):
        def handle_request(self, request: httpx2.Request) -> httpx2.Response:
            check_host(request.url.host, reach)
            return super().handle_request(request)

    limits = httpx2.Limits(max_connections=MAX_CONNECTIONS, max_keepalive_connections=50, keepalive_expiry=5.0)
    own = reach is not Reach.ANYWHERE or leads_to_loopback(base_url)  # then no proxy of the environment is used
    return Reading(
        base_url=base_url,
        trust_env=not own,
        transport=Near(limits=limits, trust_env=False) if own else None,
        follow_redirects=False,  # a redirect would carry the key and the prompt to another address
        limits=limits,
        event_hooks={"request": [start], "response": [bound]},
    )
