"""A receiver of signed webhooks, which does what a good one does: it verifies, takes each lead once, and stores.

By the Standard Webhooks specification: 401 for a signature that is missing or wrong, or a timestamp more than five
minutes off; 400 for what is no message. Below ``/closed`` it answers 410, below ``/moved`` a redirect. What it has
taken before it answers like what is new.
"""

from __future__ import annotations

import hmac
import time
from collections.abc import Mapping, Sequence

from integrations.delivery.webhook import secret_bytes, signature
from integrations.provider_specs import WEBHOOK_SANDBOX_SECRET
from integrations.sandbox.protocol import JsonObject, Request, Response, waiting

TOLERANCE_S = 300  #: between the clocks of sender and receiver


class WebhookSandbox:
    """Receiver that keeps the leads in memory."""

    name = "webhook"
    prefix = "/webhook"

    def __init__(self) -> None:
        self._leads: dict[str, dict[str, object]] = {}  #: path and idempotency key -> lead, and how often it came

    def handle(self, request: Request) -> Response:
        """Answer one request."""
        if request.path.startswith("/closed"):
            return Response(status=410, body={"error": "nobody receives here any more"})
        if request.path.startswith("/moved"):
            return Response(status=308, headers={"Location": "https://example.com/elsewhere"})
        if request.method != "POST":
            return Response(status=405, body={"error": "POST here"})
        if problem := _unsigned(request):
            return Response(status=401, body={"error": problem})
        try:
            kind, leads = _read(request)
        except (ValueError, KeyError, TypeError, AttributeError):
            return Response(status=400, body={"error": "is no message about leads"})
        path = "" if request.path == "/" else request.path
        for lead in leads:
            place = f"{path} {lead['idempotency_key']}"
            if kind == "leads.erased":
                self._leads.pop(place, None)
            elif place in self._leads:
                self._leads[place]["times"] = int(str(self._leads[place]["times"])) + 1
            else:
                self._leads[place] = {"path": path, "lead": dict(lead), "times": 1}
        return Response(status=200, body={"received": len(leads)})

    def deliveries(self) -> list[dict[str, object]]:
        """Return the leads that were taken."""
        found = []
        for kept in self._leads.values():
            lead = kept["lead"]
            assert isinstance(lead, dict)
            found.append(
                {
                    "provider": self.name,
                    "path": kept["path"],
                    "key": lead["idempotency_key"],
                    "email": lead.get("email"),
                    "times": kept["times"],
                    "values": lead,
                }
            )
        return found

    def refuse(self, mode: str, retry_after_s: float | None = None) -> Response:
        """Answer as a receiver does that is down or wants fewer requests."""
        headers = waiting(retry_after_s)
        return Response(status=429 if mode == "rate_limited" else 503, body={"error": mode}, headers=headers)

    def reset(self, seed: int, world: JsonObject | None) -> None:
        """Forget all leads."""
        del seed, world
        self._leads = {}

    def advance(self, days: int) -> None:
        """Do nothing, because a receiver keeps what it has."""

    def ad_campaigns(self) -> Sequence[Mapping[str, object]]:
        """Return no ad campaigns."""
        return []

    def snapshot(self) -> dict[str, dict[str, object]]:
        """Return the leads that were taken."""
        return {place: dict(kept) for place, kept in self._leads.items()}

    def restore(self, data: Mapping[str, dict[str, object]]) -> None:
        """Take back what :meth:`snapshot` gave."""
        self._leads = {place: dict(kept) for place, kept in data.items()}


def _unsigned(request: Request) -> str:
    """Return what is wrong with the signature, "" for nothing."""
    given, sent = request.headers.get("webhook-signature", ""), request.headers.get("webhook-timestamp", "")
    if not sent.isdecimal() or abs(time.time() - int(sent)) > TOLERANCE_S:
        return "the timestamp is missing or too far off"
    secret = secret_bytes(WEBHOOK_SANDBOX_SECRET)
    assert secret is not None
    right = signature(secret, request.headers.get("webhook-id", ""), int(sent), request.body)
    return "" if any(hmac.compare_digest(right, one) for one in given.split(" ")) else "the signature is wrong"


def _read(request: Request) -> tuple[str, list[Mapping[str, object]]]:
    message = request.json()
    kind, leads = message["type"], message["data"]["leads"]
    if kind not in ("leads.delivered", "leads.erased") or not all(lead["idempotency_key"] for lead in leads):
        raise ValueError(kind)
    return kind, leads
