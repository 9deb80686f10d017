"""Webhook for outcomes, in Flower's process: other systems report what came of leads, under a signature.

``POST /hooks/outcomes`` with ``{"outcomes": [{"lead": ..., "outcome": ..., "at": ..., "campaign": ...}]}``, signed as
the Standard Webhooks specification says (:mod:`integrations.delivery.webhook`) with the secret of OUTCOMES_SECRET. It
answers 200 with how many were new and what was refused; 401 for a signature that is missing, wrong or older than five
minutes, 400 for another body, 413 for one above 1 MB, 503 while Postgres is away, and 404 where no secret is set. A
report without a time came about when it was signed, so that a message that is sent again changes nothing.

Invariant: nothing is read from a body before its signature is right.
"""

from __future__ import annotations

import asyncio
import hmac
import time
from collections.abc import Mapping
from datetime import UTC, datetime

from pydantic_core import from_json
from tornado.routing import URLSpec
from tornado.web import RequestHandler, stream_request_body

from integrations.delivery.webhook import LEAST_SECRET, MOST_SECRET, PREFIX, secret_bytes, signature
from integrations.settings import Settings, SettingsError
from orchestration.client import Campaigns
from orchestration.ledger.database import DatabaseUnavailableError
from orchestration.ledger.world import WrongWorldError

PATH = r"/hooks/outcomes"
TOLERANCE_S = 300  #: between the clocks of sender and receiver, by the specification
MAX_BYTES, MAX_REPORTS = 1_000_000, 1000
AWAY_S = 30  #: when to come again while Postgres is away


def hook_secret(settings: Settings) -> bytes | None:
    """Return the secret of the hook, None where it is closed.

    Raises SettingsError for one that is no such secret.
    """
    if settings.outcomes_secret is None:
        return None
    found = secret_bytes(settings.outcomes_secret)
    if found is None:
        raise SettingsError(f"OUTCOMES_SECRET is {PREFIX} followed by {LEAST_SECRET} to {MOST_SECRET} bytes in base64")
    return found


def route(settings: Settings) -> URLSpec:
    """Return the hook's entry of ``flower.urls.handlers``, a whole one: Flower drops the arguments of others.

    Raises SettingsError as :func:`hook_secret` does.
    """
    hook_secret(settings)
    return URLSpec(PATH, OutcomeHook, {"settings": settings})


@stream_request_body
class OutcomeHook(RequestHandler):
    """Takes reports."""

    def initialize(self, settings: Settings) -> None:
        """Remember where reports go."""
        self._settings = settings
        self._secret = hook_secret(settings)
        self._body = bytearray()

    def check_xsrf_cookie(self) -> None:
        """Ask for none: who sends is known by the signature, and no browser has the secret."""

    def prepare(self) -> None:
        """Refuse what can't be taken before its body is read."""
        if self._secret is None:
            self._refuse(404, "no OUTCOMES_SECRET is set, so that nothing is taken here")
        elif self.request.method != "POST":
            self._refuse(405, "POST here")
        elif int(self.request.headers.get("Content-Length") or 0) > MAX_BYTES:
            self._refuse(413, f"more than {MAX_BYTES:,} bytes; send fewer outcomes at once")

    def data_received(self, chunk: bytes) -> None:
        """Keep the body, up to its limit."""
        if not self._finished and len(self._body) <= MAX_BYTES:
            self._body += chunk

    async def post(self) -> None:
        """Record the reports of a body that is signed."""
        signed_at = self._signed_at()
        if len(self._body) > MAX_BYTES:
            self._refuse(413, f"more than {MAX_BYTES:,} bytes; send fewer outcomes at once")
        elif signed_at is None:
            self._refuse(401, "the signature is missing, wrong or older than five minutes")
        elif (reports := _reports(bytes(self._body), signed_at)) is None:
            self._refuse(400, f'send {{"outcomes": [...]}} with 1 to {MAX_REPORTS:,} objects')
        else:
            try:
                self.finish(await asyncio.to_thread(_recorded, self._settings, reports))
            except DatabaseUnavailableError:
                self.set_header("Retry-After", str(AWAY_S))
                self._refuse(503, "the database is away; send it again")
            except WrongWorldError:
                self._refuse(503, "this process is of another mode than the database")

    def _signed_at(self) -> datetime | None:
        headers = self.request.headers
        sent = headers.get("webhook-timestamp", "")
        if self._secret is None or not (sent.isascii() and sent.isdecimal() and len(sent) <= 12):
            return None
        if abs(time.time() - int(sent)) > TOLERANCE_S:
            return None
        right = signature(self._secret, headers.get("webhook-id", ""), int(sent), bytes(self._body)).encode()
        given = headers.get("webhook-signature", "").encode("latin-1", "replace").split(b" ")
        fits = any(hmac.compare_digest(right, one) for one in given)
        return datetime.fromtimestamp(int(sent), UTC) if fits else None

    def _refuse(self, status: int, why: str) -> None:
        self.set_status(status)
        self.finish({"error": why})


def _reports(body: bytes, signed_at: datetime) -> list[Mapping[str, object]] | None:
    try:
        told = from_json(body)
    except ValueError:
        return None
    found = told.get("outcomes") if isinstance(told, dict) and told.keys() == {"outcomes"} else None
    if not isinstance(found, list) or not 1 <= len(found) <= MAX_REPORTS:
        return None
    if not all(isinstance(one, dict) for one in found):
        return None
    return [{**one, "at": one.get("at") or signed_at} for one in found]


def _recorded(settings: Settings, reports: list[Mapping[str, object]]) -> dict[str, object]:
    client = Campaigns(settings)
    try:
        recorded = client.outcomes(reports, actor="webhook")
    finally:
        client.close()
    refused = [{"place": place, "problems": text.splitlines()} for place, text in recorded.refused.items()]
    return {"new": recorded.new, "known": recorded.known, "refused": refused}
