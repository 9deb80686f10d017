"""Core of the sandbox: it carries out calls, records them, and answers the control API of tests.

It has no sockets. Invariant: every call is recorded, refused ones too, and what a provider created is on disk before
its answer is sent, so that a sandbox that is killed and started again still has it.
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
from typing import TypedDict

from integrations.sandbox.ad_accounts import AdAccounts
from integrations.sandbox.dns import DnsSandbox
from integrations.sandbox.faults import Fault, FaultError, Faults
from integrations.sandbox.parameters import Reset, checked
from integrations.sandbox.preferences import Preferences, outcomes
from integrations.sandbox.protocol import JsonObject, Request, Response, SandboxProvider, TakesLeads
from integrations.sandbox.world import DEFAULT_SEED, World

CONTROL_PREFIX = "/_sandbox"
MAX_CALLS = 200_000  #: calls that are kept for ``/_sandbox/calls``; the counts have all of them
WEB = "web"
OPENAI = "openai"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the server does about a request."""

    response: Response | None  #: None: drop the connection
    delay_s: float = 0.0  #: seconds to wait before


class Call(TypedDict):
    """Record of one call."""

    provider: str
    endpoint: str
    at: float  #: epoch seconds
    status: int  #: 0: the connection was dropped


class Snapshot(TypedDict):
    """What a sandbox keeps in its state file."""

    seed: int
    world: JsonObject | None  #: hidden parameters
    providers: dict[str, object]  #: what each provider created


@dataclass(slots=True)
class CallLog:
    """Log of the calls, the last ones in full and all of them counted."""

    _calls: deque[Call] = field(default_factory=lambda: deque(maxlen=MAX_CALLS))
    counts: Counter[str] = field(default_factory=Counter)

    def record(self, provider: str, endpoint: str, status: int) -> None:
        """Record one call, made now."""
        self._calls.append({"provider": provider, "endpoint": endpoint, "at": time.time(), "status": status})
        self.counts[provider] += 1

    def of(self, provider: str | None) -> list[Call]:
        """Return the calls of one provider, or of all for None, in the order in which they came."""
        return [call for call in self._calls if provider in (None, call["provider"])]

    def clear(self) -> None:
        """Forget all calls."""
        self._calls.clear()
        self.counts.clear()


class Sandbox:
    """All providers of one seed, with their faults and the log of calls."""

    def __init__(
        self, providers: Sequence[SandboxProvider], *, seed: int | None = None, state_file: Path | None = None
    ) -> None:
        self.providers = {provider.name: provider for provider in providers}
        self.calls = CallLog()
        self._state_file = state_file
        stored = self._stored(seed)
        self.seed = stored["seed"] if stored else (DEFAULT_SEED if seed is None else seed)
        self._world: JsonObject | None = stored["world"] if stored else None
        self.faults = Faults(seed=self.seed)
        self.dns = DnsSandbox(self.seed)
        self._answered_by_model = 0
        for name, provider in self.providers.items():
            provider.reset(self.seed, self._world)
            if stored and name in stored["providers"]:
                provider.restore(stored["providers"][name])
        self._saved = self._snapshot()

    def route(self, path: str) -> SandboxProvider | None:
        """Return the provider that a path of the sandbox's own host belongs to."""
        for provider in self.providers.values():
            if provider.name != WEB and (path == provider.prefix or path.startswith(provider.prefix + "/")):
                return provider
        return None

    def handle(self, provider: SandboxProvider, request: Request) -> Outcome:
        """Carry out one call, under the fault that hits it."""
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
        except Exception:  # a bug of the sandbox must be visible, but not end the server
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
            if action == ("GET", "/outcomes"):
                return Response(body=self._outcomes())
            if action == ("POST", "/faults"):
                return self._set_fault(_object(request))
            if action == ("POST", "/advance"):
                return self._advance(_object(request))
            if action == ("POST", "/reset"):
                return self._reset(_object(request))
        except ValueError as error:
            return Response(status=400, body={"error": str(error)})
        return Response(status=404, body={"error": "GET state, calls, outcomes; POST faults, advance, reset"})

    def state(self) -> dict[str, object]:
        """Return what ``GET /_sandbox/state`` shows."""
        return {
            "ad_campaigns": [row for provider in self.providers.values() for row in provider.ad_campaigns()],
            "audiences": [
                row
                for provider in self.providers.values()
                if isinstance(provider, AdAccounts)
                for row in provider.lists.rows(provider.name)
            ],
            "deliveries": self._deliveries(),
            "calls": dict(sorted(self.calls.counts.items())),
            "llm": {"calls": self._answered_by_model},
            "faults": self.faults.active(),
            "seed": self.seed,
        }

    def _deliveries(self) -> list[Mapping[str, object]]:
        takers = [provider for provider in self.providers.values() if isinstance(provider, TakesLeads)]
        return [row for provider in takers for row in provider.deliveries()]

    def _outcomes(self) -> list[dict[str, str]]:
        """Return what came of the leads that were delivered, as ``campaigns outcome --file`` reads it."""
        hidden = (self._world or {}).get("preferences")
        preferences = Preferences(self.seed if hidden is None else hidden)
        return outcomes(self._deliveries(), World.build(self.seed), preferences)

    def _set_fault(self, body: JsonObject) -> Response:
        provider = body.get("provider")
        known = [*self.providers, self.dns.name]
        if provider not in known:
            raise FaultError(f"provider={provider!r} is not one of {', '.join(known)}")
        self.faults.set(provider, Fault.parse(body, self.faults.clock()))
        return Response(body={"faults": self.faults.active()})

    def _advance(self, body: JsonObject) -> Response:
        days = body.get("days", 1)
        if isinstance(days, bool) or not isinstance(days, int) or not 0 <= days <= 3650:
            raise ValueError(f"days={days!r} is not a whole number from 0 to 3650")
        for provider in self.providers.values():
            provider.advance(days)
        self._save()
        return Response(body={"advanced": days})

    def _reset(self, body: JsonObject) -> Response:
        asked = checked(Reset, body)
        seed, world = DEFAULT_SEED if asked.seed is None else asked.seed, body.get("world")
        for provider in self.providers.values():
            provider.reset(seed, world)
        self.seed, self._world = seed, world
        self.dns.reset(seed)
        self.faults.clear(seed)
        self.calls.clear()
        self._answered_by_model = 0
        self._save()
        return Response(body={"seed": seed})

    def _snapshot(self) -> Snapshot:
        made = {name: provider.snapshot() for name, provider in self.providers.items()}
        return {
            "seed": self.seed,
            "world": self._world,
            "providers": {name: data for name, data in made.items() if data is not None},
        }

    def _save(self) -> None:
        """Write what was created to the state file, in one atomic step."""
        if self._state_file is None:
            return
        snapshot = self._snapshot()
        if snapshot == self._saved and self._state_file.exists():
            return
        # Through JSON, so that the provider can't change the copy that later snapshots are compared with.
        text = json.dumps(snapshot)
        draft = self._state_file.with_name(self._state_file.name + ".new")
        draft.parent.mkdir(parents=True, exist_ok=True)
        draft.write_text(text, encoding="utf-8")
        draft.replace(self._state_file)
        self._saved = json.loads(text)

    def _stored(self, seed: int | None) -> Snapshot | None:
        """Read what an earlier sandbox of the same seed saved, or return None when there is nothing usable."""
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
        stored: Snapshot = found
        return stored if seed in (None, stored["seed"]) else None


def _endpoint(provider: SandboxProvider, request: Request) -> str:
    """Return method and path, for web sites with the host, without the query, which may hold keys and addresses."""
    host = request.headers.get("host", "") if provider.name == WEB else ""
    return f"{request.method} {host.partition(':')[0]}{request.path}"


def _object(request: Request) -> JsonObject:
    try:
        body = request.json() if request.body else {}
    except ValueError:
        raise ValueError("the body is not JSON") from None
    if not isinstance(body, Mapping):
        raise ValueError("the body is not a JSON object")
    return body
