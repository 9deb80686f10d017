"""The shape of one sandboxed provider: what the server hands it and what it hands back.

Keeps the wire (tornado) out of the providers, so that a provider is a class from requests to
responses. Invariant: ``handle`` is called by one thread only and answers from (seed, request, what
was created so far), never from the clock or from the order of earlier reads.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import parse_qs


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One HTTP request, already cut to the provider's own path (without its prefix)."""

    method: str
    path: str  #: begins with "/", percent-decoding NOT applied
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)  #: names in lower case
    body: bytes = b""

    def params(self) -> dict[str, str]:
        """Query and form fields, the first value of each."""
        found = parse_qs(self.query, keep_blank_values=True)
        if self.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
            found |= parse_qs(self.body.decode(), keep_blank_values=True)
        return {name: values[0] for name, values in found.items()}

    def json(self) -> Any:
        """The body as JSON; ValueError when it is none."""
        return json.loads(self.body)


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """One HTTP answer; a non-bytes body is sent as JSON."""

    status: int = 200
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)


def waiting(retry_after_s: float | None) -> dict[str, str]:
    """The headers that ask to wait so long; none for None."""
    return {} if retry_after_s is None else {"Retry-After": f"{retry_after_s:g}"}


class SandboxProvider(Protocol):
    """One provider of the sandbox world."""

    name: str  #: provider name as in the units, e.g. "serpapi"
    prefix: str  #: path under the sandbox's URL, e.g. "/serpapi"

    def handle(self, request: Request) -> Response:
        """Answer one request."""
        ...

    def refuse(self, mode: str, retry_after_s: float | None = None) -> Response:
        """This provider's own wire form of the faults ``down`` (a 5xx) and ``rate_limited``.

        ``retry_after_s``: the seconds that it asks to wait; None: what it says by itself, if anything.
        """
        ...

    def reset(self, seed: int, world: Mapping[str, Any] | None) -> None:
        """Forget everything; ``world`` may override hidden parameters (response curves, ...)."""
        ...

    def advance(self, days: int) -> None:
        """Let simulated days go by (only ad platforms care)."""
        ...

    def ad_campaigns(self) -> list[dict[str, Any]]:
        """Ad campaigns made here: {provider,id,name,effect_key,status,daily_budget,created_at}; [] elsewhere."""
        ...

    def snapshot(self) -> Any:
        """JSON of what was created, so that a restarted sandbox still knows it; None for nothing."""
        ...

    def restore(self, data: Any) -> None:
        """Take back what :meth:`snapshot` gave."""
        ...
