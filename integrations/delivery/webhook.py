"""Signed webhook: leads as JSON, POSTed to a receiver of the user's own.

The signature is that of the Standard Webhooks specification 1.0.0 (github.com/standard-webhooks), for which libraries
exist in most languages: HMAC-SHA256 over ``id.timestamp.body`` with the secret of WEBHOOK_SECRET, in these headers:

    webhook-id          the batch's id, the same whenever it is sent again
    webhook-timestamp   seconds since 1970 at which it was sent
    webhook-signature   "v1," and the signature in base64
    Idempotency-Key     as webhook-id

Body, in which ``idempotency_key`` is the same whenever a lead of a campaign is sent, also in another batch:

    {"type": "leads.delivered", "timestamp": ..., "data": {"leads": [{"idempotency_key": ..., "email": ..., ...}]}}
    {"type": "leads.erased", "timestamp": ..., "data": {"leads": [{"idempotency_key": ...}]}}

Error table; other statuses as in :mod:`integrations.http_errors`:

    2xx                          taken, whatever the body says; also the answer to what the receiver has already
    3xx                          InvalidAnswerError: no redirect is followed
    401, 403                     CredentialsError: the receiver does not take the signature
    404, 410                     NeedsAttentionError: nobody receives there (any more)
    409                          TryAgainError: the receiver is still at this batch (draft-ietf-httpapi-idempotency-key)
    413                          BadRequestError
    429                          RateLimitedError, after Retry-After

Invariant: the address is the operator's (WEBHOOK_BASE_URL, https but on this machine) and a campaign names a path there
at most, so that nobody who may submit a campaign can have people's data sent elsewhere.
"""

from __future__ import annotations

import hmac
import json
import time
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from hashlib import sha256

from pydantic import JsonValue

from integrations.ads.platform import Wire
from integrations.delivery.target import Item, Outcome
from integrations.errors import (
    CredentialsError,
    IntegrationError,
    InvalidAnswerError,
    NeedsAttentionError,
    TryAgainError,
)
from integrations.http import HttpReply, credential, send
from integrations.outbound import leads_to_loopback
from integrations.placed_lead import PlacedLead
from integrations.settings import Settings

NAME = "webhook"
PREFIX = "whsec_"  #: of a secret, which is base64 behind it
LEAST_SECRET, MOST_SECRET = 24, 64  #: bytes, by the specification
ERRORS: Mapping[int, type[IntegrationError]] = {
    404: NeedsAttentionError,
    409: TryAgainError,
    410: NeedsAttentionError,
}


def secret_bytes(secret: str) -> bytes | None:
    """Return the bytes of a secret of the form ``whsec_`` and base64, or None when it has another form or length."""
    if not secret.startswith(PREFIX):
        return None
    try:
        found = b64decode(secret.removeprefix(PREFIX), validate=True)
    except (Base64Error, ValueError):
        return None
    return found if LEAST_SECRET <= len(found) <= MOST_SECRET else None


def signature(secret: bytes, message_id: str, timestamp: int, body: bytes) -> str:
    """Return the value of ``webhook-signature``."""
    signed = f"{message_id}.{timestamp}.".encode() + body
    return "v1," + b64encode(hmac.new(secret, signed, sha256).digest()).decode()


class Webhook:
    """Sender, safe to use from several threads."""

    def __init__(self, settings: Settings, *, now: Callable[[], float] = time.time) -> None:
        self._provider = settings.provider(NAME)
        self._now = now

    def present(self, items: Sequence[Item], *, wire: Wire) -> Sequence[str]:
        """Return no key, because a receiver can't be asked."""
        del items, wire
        return ()

    def deliver(self, items: Sequence[Item], *, path: str, key: str, wire: Wire) -> Outcome:
        """Post a batch.

        Raises by the table above, OutcomeUnknownError without an answer.
        """
        leads: list[JsonValue] = [{"idempotency_key": item.key, **item.values} for item in items]
        self._post("leads.delivered", leads, path, key, wire)
        return Outcome(placed={item.key: item.key for item in items})

    def remove(self, placed: PlacedLead, *, path: str, wire: Wire) -> None:
        """Tell the receiver that a person has been erased.

        Raises by the table above.
        """
        self._post("leads.erased", [{"idempotency_key": placed.key}], path, f"erased-{placed.key}", wire)

    def _post(self, kind: str, leads: list[JsonValue], path: str, key: str, wire: Wire) -> None:
        url, secret = self._address() + path, self._secret()

        def attempt(timeout: float) -> HttpReply:
            at = self._now()
            moment = datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds")
            body = json.dumps({"type": kind, "timestamp": moment, "data": {"leads": leads}}).encode()
            return send(
                NAME,
                "POST",
                url,
                reach=self._provider.reach,
                content=body,
                headers={
                    "Content-Type": "application/json",
                    "webhook-id": key,
                    "webhook-timestamp": str(int(at)),
                    "webhook-signature": signature(secret, key, int(at), body),
                    "Idempotency-Key": key,
                },
                timeout=timeout,
                errors=ERRORS,
            )

        reply = wire(attempt)
        if reply.status >= 300:
            raise InvalidAnswerError(
                NAME, f"answered {reply.status}, a redirect, which is not followed; set WEBHOOK_BASE_URL to its end"
            )

    def _address(self) -> str:
        url = self._provider.base_url
        if self._provider.missing:
            credential(self._provider, "secret")  # raises, and names what is missing
        if not url.startswith("https://") and not leads_to_loopback(url):
            raise NeedsAttentionError(NAME, "WEBHOOK_BASE_URL has to begin with https://, for leads are people's data")
        return url

    def _secret(self) -> bytes:
        found = secret_bytes(credential(self._provider, "secret"))
        if found is None:
            raise CredentialsError(
                NAME,
                f"WEBHOOK_SECRET is {PREFIX} followed by {LEAST_SECRET} to {MOST_SECRET} bytes in base64",
            )
        return found
