"""Interface of a sandboxed provider: its requests, its responses and its methods.

The providers know nothing of the HTTP server (tornado): a provider is a class from requests to responses. Invariant:
``handle`` is called by one thread only, and its answer depends on the seed, the request and what was created before,
never on the clock or on the order of earlier reads.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable
from urllib.parse import parse_qs

#: JSON object of a request or a hidden parameter. Its values have no static type: they are checked where they are read.
JsonObject = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """HTTP request, whose path is the provider's own, without its prefix in the sandbox."""

    method: str
    path: str  #: begins with "/", percent-decoding NOT applied
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)  #: names in lower case
    body: bytes = b""

    def params(self) -> dict[str, str]:
        """Return the query and form fields, with the first value of each."""
        found = parse_qs(self.query, keep_blank_values=True)
        if self.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
            found |= parse_qs(self.body.decode(), keep_blank_values=True)
        return {name: values[0] for name, values in found.items()}

    def json(self) -> Any:
        """Return the body as JSON.

        Raises ValueError when it is not JSON.
        """
        return json.loads(self.body)


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """HTTP response, whose body is sent as JSON unless it is bytes."""

    status: int = 200
    body: object = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class RpcResponse(Response):
    """Answer to a gRPC call: a message as bytes, or a status and trailers (its HTTP parts are for a REST interface)."""

    code: int = 0  #: gRPC status, 0: OK
    message: str = ""  #: of a status that is not OK
    trailers: tuple[tuple[str, str | bytes], ...] = ()  #: bytes under names that end with "-bin"


def waiting(retry_after_s: float | None) -> dict[str, str]:
    """Return the Retry-After header for so many seconds, or no header for None."""
    return {} if retry_after_s is None else {"Retry-After": f"{retry_after_s:g}"}


class SandboxProvider(Protocol):
    """Provider of the sandbox.

    One that speaks gRPC too has ``rpcs``: the full name of each method -> "GET" for a reading one, "POST" for one that
    changes something. Such a call is a request with that method, the name as its path, its metadata as headers and the
    message as its body; an :class:`RpcResponse` answers it.
    """

    name: str  #: provider name as in the units, e.g. "serpapi"
    prefix: str  #: path under the sandbox's URL, e.g. "/serpapi"

    def handle(self, request: Request) -> Response:
        """Answer one request."""
        ...

    def refuse(self, mode: str, retry_after_s: float | None = None) -> Response:
        """Return this provider's own response for the faults ``down`` (a 5xx) and ``rate_limited``.

        ``retry_after_s`` is the wait in seconds that it names; None means the provider's usual one, if it has one.
        """
        ...

    def reset(self, seed: int, world: JsonObject | None) -> None:
        """Forget everything and change to the world of ``seed``.

        ``world`` may override hidden parameters (response curves, ...).
        """
        ...

    def advance(self, days: int) -> None:
        """Let simulated days go by, which only ad platforms react to."""
        ...

    def ad_campaigns(self) -> Sequence[Mapping[str, object]]:
        """Return the ad campaigns that were created here, none for other providers than ad platforms.

        Each is {provider, id, name, effect_key, status, daily_budget, created_at}.
        """
        ...

    def snapshot(self) -> object:
        """Return JSON of what was created, for a restarted sandbox, or None when the provider creates nothing."""
        ...

    def restore(self, data: Any) -> None:
        """Restore what :meth:`snapshot` returned."""
        ...


@runtime_checkable
class TakesLeads(Protocol):
    """Provider of the sandbox that leads are delivered to."""

    def deliveries(self) -> Sequence[Mapping[str, object]]:
        """Return who is here: {provider, key, email, times, ...}, ``times``: how often the person was sent."""
        ...
