"""The sandbox's inside: what a test may see and change, and the one way in which a call is carried out.

Knows nothing of sockets. Invariant: every call is recorded, refused ones too, and what a provider created is
on disk before its answer leaves, so that a sandbox that is killed and started again still knows it.
"""

from __future__ import annotations

import json
import sys
import time
import traceback
from collections import Counter, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from integrations.sandbox.dns import DnsSandbox
from integrations.sandbox.faults import Fault, FaultError, Faults
from integrations.sandbox.protocol import Request, Response, SandboxProvider
from integrations.sandbox.world import DEFAULT_SEED

CONTROL_PREFIX = "/_sandbox"
MAX_CALLS = 200_000  #: calls that are kept for ``/_sandbox/calls``; the counts know all of them
WEB = "web"
OPENAI = "openai"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What goes back over the wire: a response (None: the connection is dropped), after ``delay_s``."""

    response: Response | None
    delay_s: float = 0.0


@dataclass(slots=True)
class CallLog:
    """Who was asked what, when, and how it ended."""

    _calls: deque[dict[str, Any]] = field(default_factory=lambda: deque(maxlen=MAX_CALLS))
    counts: Counter[str] = field(default_factory=Counter)

    def record(self, provider: str, endpoint: str, status: int) -> None:
        """Note one call; ``at`` is the present, in epoch seconds."""
        self._calls.append({"provider": provider, "endpoint": endpoint, "at": time.time(), "status": status})
        self.counts[provider] += 1

    def of(self, provider: str | None) -> list[dict[str, Any]]:
        """Calls in the order in which they came, of one provider or all."""
        return [call for call in self._calls if provider in (None, call["provider"])]

    def clear(self) -> None:
        """Forget them."""
        self._calls.clear()
        self.counts.clear()


class Sandbox:
    """All providers of one seed, with their faults and their log."""

    def __init__(
        self, providers: Sequence[SandboxProvider], *, seed: int | None = None, state_file: Path | None = None
    ) -> None:
        self.providers = {provider.name: provider for provider in providers}
        self.calls = CallLog()
        self._state_file = state_file
        stored = self._stored(seed)
        self.seed = int(stored["seed"]) if stored else (DEFAULT_SEED if seed is None else seed)
        self._world: Mapping[str, Any] | None = stored["world"] if stored else None
        self.faults = Faults(seed=self.seed)
        self.dns = DnsSandbox(self.seed)
        self._answered_by_model = 0
        for name, provider in self.providers.items():
            provider.reset(self.seed, self._world)
            if stored and name in stored["providers"]:
                provider.restore(stored["providers"][name])
        self._saved = self._snapshot()

    def route(self, path: str) -> SandboxProvider | None:
        """The provider that a path of the sandbox's own host belongs to."""
        for provider in self.providers.values():
            if provider.name != WEB and (path == provider.prefix or path.startswith(provider.prefix + "/")):
                return provider
        return None

    def handle(self, provider: SandboxProvider, request: Request) -> Outcome:
        """Carry out one call, with the fault that hits it."""
        fault = self.faults.draw(provider.name)
        mode = fault.mode if fault else "ok"
        if fault and mode in ("down", "rate_limited"):
            answer = provider.refuse(mode, fault.retry_after_s)
        else:
            answer = self._carried_out(provider, request)
        if mode == "garbage":
            answer = Response(body=b"<html>\x00 not what you asked for", headers={"Content-Type": "text/html"})
        lost = mode == "lost_reply"
        self.calls.record(provider.name, _endpoint(provider, request), 0 if lost else answer.status)
        return Outcome(None if lost else answer, fault.delay_s if fault and mode == "slow" else 0.0)

    def _carried_out(self, provider: SandboxProvider, request: Request) -> Response:
        try:
            response = provider.handle(request)
        except Exception:  # the sandbox's own bug must look like one, and not end the server
            traceback.print_exc(file=sys.stderr)
            return Response(status=500, body={"error": "bug in the sandbox; see its log"})
        if provider.name == OPENAI and response.status == 200 and request.method == "POST":
            self._answered_by_model += 1
        if request.method != "GET" and provider.snapshot() is not None:
            self._save()
        return response

    def control(self, request: Request) -> Response:
        """Answer a request below ``/_sandbox``."""
        action = request.method, request.path.removeprefix(CONTROL_PREFIX)
        try:
            if action == ("GET", "/state"):
                return Response(body=self.state())
            if action == ("GET", "/calls"):
                return Response(body=self.calls.of(request.params().get("provider")))
            if action == ("POST", "/faults"):
                return self._set_fault(_object(request))
            if action == ("POST", "/advance"):
                return self._advance(_object(request))
            if action == ("POST", "/reset"):
                return self._reset(_object(request))
        except ValueError as error:
            return Response(status=400, body={"error": str(error)})
        return Response(status=404, body={"error": "GET state, calls; POST faults, advance, reset"})

    def state(self) -> dict[str, Any]:
        """What ``GET /_sandbox/state`` shows."""
        return {
            "ad_campaigns": [row for provider in self.providers.values() for row in provider.ad_campaigns()],
            "calls": dict(sorted(self.calls.counts.items())),
            "llm": {"calls": self._answered_by_model},
            "faults": self.faults.active(),
            "seed": self.seed,
        }

    def _set_fault(self, body: Mapping[str, Any]) -> Response:
        provider = body.get("provider")
        known = [*self.providers, self.dns.name]
        if provider not in known:
            raise FaultError(f"provider={provider!r} is not one of {', '.join(known)}")
        self.faults.set(provider, Fault.parse(body, self.faults.clock()))
        return Response(body={"faults": self.faults.active()})

    def _advance(self, body: Mapping[str, Any]) -> Response:
        days = body.get("days", 1)
        if isinstance(days, bool) or not isinstance(days, int) or not 0 <= days <= 3650:
            raise ValueError(f"days={days!r} is not a whole number from 0 to 3650")
        for provider in self.providers.values():
            provider.advance(days)
        self._save()
        return Response(body={"advanced": days})

    def _reset(self, body: Mapping[str, Any]) -> Response:
        seed, world = body.get("seed", DEFAULT_SEED), body.get("world")
        if isinstance(seed, bool) or not isinstance(seed, int):
            raise ValueError(f"seed={seed!r} is not a whole number")
        if world is not None and not isinstance(world, Mapping):
            raise ValueError("world is an object of hidden parameters, or null")
        for provider in self.providers.values():
            provider.reset(seed, world)
        self.seed, self._world = seed, world
        self.dns.reset(seed)
        self.faults.clear(seed)
        self.calls.clear()
        self._answered_by_model = 0
        self._save()
        return Response(body={"seed": seed})

    def _snapshot(self) -> dict[str, Any]:
        made = {name: provider.snapshot() for name, provider in self.providers.items()}
        return {
            "seed": self.seed,
            "world": self._world,
            "providers": {name: data for name, data in made.items() if data is not None},
        }

    def _save(self) -> None:
        """Write what was created, whole or not at all."""
        if self._state_file is None:
            return
        snapshot = self._snapshot()
        if snapshot == self._saved and self._state_file.exists():
            return
        # Through JSON, so that what is compared later can't be changed by the provider.
        text = json.dumps(snapshot)
        draft = self._state_file.with_name(self._state_file.name + ".new")
        draft.parent.mkdir(parents=True, exist_ok=True)
        draft.write_text(text, encoding="utf-8")
        draft.replace(self._state_file)
        self._saved = json.loads(text)

    def _stored(self, seed: int | None) -> dict[str, Any] | None:
        """What an earlier sandbox of the same seed left; None when there is nothing usable."""
        if self._state_file is None or not self._state_file.exists():
            return None
        try:
            found = json.loads(self._state_file.read_text(encoding="utf-8"))
            usable = isinstance(found["seed"], int) and isinstance(found["providers"], dict) and "world" in found
        except (ValueError, KeyError, TypeError):
            usable = False
        if not usable:
            print(f"sandbox: {self._state_file.name} is unreadable; starting afresh", file=sys.stderr)
            return None
        stored: dict[str, Any] = found
        return stored if seed in (None, stored["seed"]) else None


def _endpoint(provider: SandboxProvider, request: Request) -> str:
    """Method and path; for web sites with the host. No query: it may hold keys and addresses."""
    host = request.headers.get("host", "") if provider.name == WEB else ""
    return f"{request.method} {host.partition(':')[0]}{request.path}"


def _object(request: Request) -> Mapping[str, Any]:
    try:
        body = request.json() if request.body else {}
    except ValueError:
        raise ValueError("the body is not JSON") from None
    if not isinstance(body, Mapping):
        raise ValueError("the body is not a JSON object")
    return body
