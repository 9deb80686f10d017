"""Search, Hunter, web sites and name servers of the sandbox's world in the test's own process, for lead generation.

They are the real clients; only the socket is missing: what a client would send is answered by a call of the sandbox's
own function. Invariant: every call is kept, refused ones too, and each provider can be out of order.
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import dns.message
import dns.resolver
import requests
from requests.adapters import BaseAdapter
from requests.structures import CaseInsensitiveDict
from urllib3 import HTTPResponse

from integrations.dns import Dns
from integrations.errors import TransientError
from integrations.http import session
from integrations.hunter import Hunter
from integrations.outbound import Reach
from integrations.sandbox.clearbit import ClearbitSandbox
from integrations.sandbox.control import Outcome, Sandbox
from integrations.sandbox.dns import host
from integrations.sandbox.faults import Fault
from integrations.sandbox.hunter import HunterSandbox
from integrations.sandbox.pdl import PdlSandbox
from integrations.sandbox.protocol import Request
from integrations.sandbox.serpapi import SerpApiSandbox
from integrations.sandbox.sites import SitesSandbox
from integrations.sandbox.x import XSandbox
from integrations.serpapi import SerpApi
from integrations.settings import Settings
from integrations.web.fetch import WebFetcher
from integrations.web.guard import Target

URL = "http://127.0.0.1:9"  #: where the clients take the sandbox to be; nothing listens there


class MemoryLeads:
    """What lead generation asks, of one seed."""

    def __init__(self, seed: int = 7) -> None:
        self.settings = Settings.from_env({"SANDBOX_URL": URL, "DNS_RESOLVER": "127.0.0.1:9"})
        self._sandbox = Sandbox(
            [SerpApiSandbox(), HunterSandbox(), ClearbitSandbox(), XSandbox(), PdlSandbox(), SitesSandbox()], seed=seed
        )
        session(Reach.LOOPBACK).mount(URL, _Carrier(self._sandbox))
        self.clients = {
            "search": SerpApi(self.settings),
            "hunter": Hunter(self.settings),
            "web": _Web(self.settings, self._sandbox),
            "dns": _Dns(self.settings, self._sandbox),
        }

    def trouble(self, provider: str, *, rate: float = 1.0) -> None:
        """Let that share of the provider's calls be answered as in an outage."""
        faults = self._sandbox.faults
        faults.set(provider, Fault.parse({"mode": "down", "rate": rate}, faults.clock()))

    def statuses(self, provider: str) -> list[int]:
        """The status of each call that a provider got."""
        return [call["status"] for call in self._sandbox.calls.of(provider)]

    @property
    def counts(self) -> Mapping[str, int]:
        """How many calls each provider got."""
        return self._sandbox.calls.counts


class _Carrier(BaseAdapter):
    """Carries requests to the sandbox's functions."""

    def __init__(self, sandbox: Sandbox) -> None:
        super().__init__()
        self._sandbox = sandbox

    def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:
        """Answer one request."""
        url = urlsplit(request.url or "")
        provider = self._sandbox.route(url.path)
        assert provider is not None, f"the sandbox has nothing at {url.path}"
        sent = Request(
            method=request.method or "GET",
            path=url.path.removeprefix(provider.prefix),
            query=url.query,
            headers={name.lower(): value for name, value in request.headers.items()},
            body=_bytes(request.body),
        )
        status, headers, body = _answer(self._sandbox.handle(provider, sent), provider.name)
        made = requests.Response()
        made.status_code, made.headers, made.request = status, headers, request
        made.raw = HTTPResponse(body=io.BytesIO(body), status=status, headers=headers, preload_content=False)
        return made

    def close(self) -> None:
        """Nothing is open."""


class _Web(WebFetcher):
    """Web sites; robots.txt, redirects, addresses and texts are the fetcher's own business."""

    def __init__(self, settings: Settings, sandbox: Sandbox) -> None:
        super().__init__(settings)
        self._sandbox = sandbox

    def _get(
        self, target: Target, deadline: float, max_bytes: int, *, cut: bool = False
    ) -> tuple[int, Mapping[str, str], bytes]:
        url = urlsplit(target.url)
        sent = Request(method="GET", path=url.path or "/", query=url.query, headers={"host": target.netloc})
        status, headers, body = _answer(self._sandbox.handle(self._sandbox.providers["web"], sent), "web")
        assert len(body) <= max_bytes
        return status, headers, body


class _Dns(Dns):
    """Name servers."""

    def __init__(self, settings: Settings, sandbox: Sandbox) -> None:
        super().__init__(settings)
        self._asked = _Resolver(sandbox)

    def _resolver(self) -> Any:
        return self._asked


class _Resolver:
    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    def resolve(self, name: str, kind: str, **_: Any) -> dns.resolver.Answer:
        query = dns.message.make_query(name, kind)
        question = query.question[0]
        down = self._sandbox.faults.draw("dns") is not None
        answer = dns.message.from_wire(self._sandbox.dns.answer(query).to_wire())
        self._sandbox.calls.record("dns", f"{kind} {host(question.name)}", 2 if down else int(answer.rcode()))
        if down:
            raise dns.resolver.NoNameservers
        if answer.rcode() == dns.rcode.NXDOMAIN:
            raise dns.resolver.NXDOMAIN
        if not answer.answer:
            raise dns.resolver.NoAnswer(response=answer)
        assert isinstance(answer, dns.message.QueryMessage)
        return dns.resolver.Answer(question.name, question.rdtype, question.rdclass, answer)


def _answer(outcome: Outcome, provider: str) -> tuple[int, CaseInsensitiveDict[str], bytes]:
    response = outcome.response
    if response is None:
        raise TransientError(provider, "gave no answer")
    body = response.body
    text = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
    return response.status, CaseInsensitiveDict(response.headers), text


def _bytes(body: bytes | str | None) -> bytes:
    return body.encode() if isinstance(body, str) else body or b""
