"""The gateway in the sandbox world: keeps every message that it was given, and takes a reference twice.

Keys: ``invalid`` is refused (401), any other is good.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from integrations.sandbox.protocol import Request, Response, waiting

_AFTER = {"hold": "held", "release": "scheduled", "cancel": "cancelled"}


class SmsGatewaySandbox:
    """The gateway's messages."""

    name = "sms_gateway"
    prefix = "/sms_gateway"

    def __init__(self) -> None:
        self._messages: list[dict[str, str]] = []

    def handle(self, request: Request) -> Response:
        """Answer one request."""
        if request.headers.get("authorization", "").removeprefix("Bearer ") in ("", "invalid"):
            return Response(status=401, body={"error": "unknown key"})
        if (request.method, request.path) == ("GET", "/v1/messages"):
            asked = {name: value for name, value in request.params().items() if name in ("reference", "batch")}
            found = [m for m in self._messages if all(m[name] == value for name, value in asked.items())]
            return Response(body={"messages": found})
        if (request.method, request.path) == ("POST", "/v1/messages"):
            return self._schedule(request)
        changed = re.fullmatch(r"/v1/messages/(?P<number>\d+)/(?P<action>hold|release|cancel)", request.path)
        if request.method == "POST" and changed and int(changed["number"]) < len(self._messages):
            message = self._messages[int(changed["number"])]
            message["status"] = _AFTER[changed["action"]]
            return Response(body=message)
        return Response(status=404, body={"error": "no such message"})

    def _schedule(self, request: Request) -> Response:
        given = json.loads(request.body)
        if not re.fullmatch(r"\+?[\d ()/.-]{5,25}", given["to"]):
            return Response(status=422, body={"error": "to is no phone number"})
        message = {**given, "id": str(len(self._messages)), "status": "scheduled"}
        self._messages.append(message)
        return Response(status=201, body=message)

    def refuse(self, mode: str, retry_after_s: float | None = None) -> Response:
        """Answer as the gateway does when it is down or wants fewer requests."""
        headers = waiting(retry_after_s)
        return Response(status=429 if mode == "rate_limited" else 503, body={"error": mode}, headers=headers)

    def reset(self, seed: int, world: Mapping[str, object] | None) -> None:
        """Forget all messages."""
        del seed, world
        self._messages = []

    def advance(self, days: int) -> None:
        """Do nothing: messages stay scheduled in the simulated days."""

    def ad_campaigns(self) -> list[dict[str, object]]:
        """Return none."""
        return []

    def snapshot(self) -> list[dict[str, str]]:
        """Return what was scheduled."""
        return [dict(message) for message in self._messages]

    def restore(self, data: list[dict[str, str]]) -> None:
        """Take back what :meth:`snapshot` gave."""
        self._messages = [dict(message) for message in data]
