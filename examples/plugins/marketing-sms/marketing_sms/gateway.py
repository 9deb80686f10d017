"""The gateway's API: schedule a message, find messages by their reference, hold, release and cancel them.

    POST /v1/messages                    {to, text, send_at, reference, batch} -> message
    GET  /v1/messages?reference=|batch=  -> {"messages": [message, ...]}
    POST /v1/messages/{id}/{action}      hold | release | cancel -> message

A message is {id, reference, batch, status}; status is scheduled, held, cancelled or sent. The gateway takes the same
reference twice, as most do, so whoever lost an answer looks first. Error table; other statuses as in
``integrations.http_errors``:

    401, 403 bad key                     CredentialsError
    422 a number that can't be           BadRequestError
    429 too many requests                RateLimitedError
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from integrations.errors import BadRequestError, CredentialsError, InvalidAnswerError, RateLimitedError
from integrations.http import credential, send
from integrations.provider_specs import ProviderSpec
from integrations.settings import Settings

NAME = "sms_gateway"
PROVIDER = ProviderSpec(
    name=NAME,
    live_url="https://sms.example",
    sandbox_path="/sms_gateway",
    base_url_variable="SMS_GATEWAY_BASE_URL",
    credentials={"api_key": "SMS_GATEWAY_API_KEY"},
)
ERRORS = {401: CredentialsError, 403: CredentialsError, 422: BadRequestError, 429: RateLimitedError}
Action = Literal["hold", "release", "cancel"]


class Message(BaseModel):
    """A message as it stands at the gateway."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: str
    reference: str
    batch: str
    status: str


class Messages(BaseModel):
    """A list of messages."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    messages: tuple[Message, ...]


class Gateway:
    """The client; safe to use from several threads."""

    def __init__(self, settings: Settings) -> None:
        self._provider = settings.provider(NAME)

    def schedule(self, to: str, text: str, send_at: datetime, *, reference: str, batch: str, timeout: float) -> Message:
        """Schedule one message. Raises by the table above, OutcomeUnknownError without an answer."""
        body = {"to": to, "text": text, "send_at": send_at.isoformat(), "reference": reference, "batch": batch}
        return self._message("POST", "/v1/messages", body, timeout)

    def find(self, reference: str, *, timeout: float) -> Message | None:
        """Return the message that carries ``reference``; None when there is none."""
        found = self._list({"reference": reference}, timeout)
        return found[0] if found else None

    def of_batch(self, batch: str, *, timeout: float) -> tuple[Message, ...]:
        """Return all messages of one campaign."""
        return self._list({"batch": batch}, timeout)

    def change(self, message_id: str, action: Action, *, timeout: float) -> Message:
        """Hold, release or cancel a message. Repeating it does no harm."""
        return self._message("POST", f"/v1/messages/{message_id}/{action}", {}, timeout)

    def _list(self, params: dict[str, str], timeout: float) -> tuple[Message, ...]:
        reply = self._send("GET", "/v1/messages", timeout, params=params)
        try:
            return Messages.model_validate(reply).messages
        except ValidationError:
            raise InvalidAnswerError(NAME, "answered what is no list of messages") from None

    def _message(self, method: str, path: str, body: dict[str, str], timeout: float) -> Message:
        try:
            return Message.model_validate(self._send(method, path, timeout, json=body))
        except ValidationError:
            raise InvalidAnswerError(NAME, "answered what is no message") from None

    def _send(self, method: str, path: str, timeout: float, **given: dict[str, str]) -> object:
        return send(
            NAME,
            method,
            self._provider.base_url + path,
            reach=self._provider.reach,
            headers={"Authorization": f"Bearer {credential(self._provider, 'api_key')}"},
            timeout=timeout,
            errors=ERRORS,
            params=given.get("params"),
            json=given.get("json"),
        ).json()
