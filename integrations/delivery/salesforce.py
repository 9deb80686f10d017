"""Leads in Salesforce: upsert by an external id through the REST API's sObject Collections.

Sources: developer.salesforce.com, "REST API Developer Guide" (sObject Collections upsert, status codes and error
responses) and help.salesforce.com, "OAuth 2.0 Client Credentials Flow". The external id is the SHA-256 of the address,
in a field of the user's that SALESFORCE_EXTERNAL_ID names: so a person is one record over all campaigns, and every
record that has one was made by us. A batch whose answer was lost is sent again. Error table; other statuses as in
:mod:`integrations.http_errors`:

    200, a record with errors    that record is refused with its statusCode, the others were taken
    200, UNABLE_TO_LOCK_ROW      TryAgainError: somebody else changes the record
    400                          BadRequestError
    401 INVALID_SESSION_ID       a new token is fetched, once; then CredentialsError
    403 REQUEST_LIMIT_EXCEEDED   QuotaExhaustedError: of the 24 hours
    403                          CredentialsError
    404                          NeedsAttentionError: no such external id field, or it can't be seen
    500                          OutcomeUnknownError: an unexpected error while it was carried out
    503                          TransientError
    token: invalid_client, invalid_grant and the like   CredentialsError

Salesforce's messages quote values, so only its codes are kept.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from integrations.address_hash import address_hash
from integrations.ads.platform import Wire
from integrations.delivery.target import Item, Outcome
from integrations.errors import (
    BadRequestError,
    CredentialsError,
    IntegrationError,
    NeedsAttentionError,
    NotFoundError,
    OutcomeUnknownError,
    QuotaExhaustedError,
    TransientError,
    TryAgainError,
)
from integrations.http import HttpReply, credential, fits_header, send
from integrations.http_errors import unanswered
from integrations.online import OnlineCheck, left, word
from integrations.outbound import leads_to_loopback
from integrations.placed_lead import PlacedLead
from integrations.settings import Settings

NAME = "salesforce"
NOT_PROVIDED = "[not provided]"  #: of a required field, as Salesforce's own forms write it
LOCKED = "UNABLE_TO_LOCK_ROW"
_DELETED = 204  #: status of an answer to a deletion
GONE = ("ENTITY_IS_DELETED", "NOT_FOUND")
ERRORS: Mapping[int, type[IntegrationError]] = {
    400: BadRequestError,
    401: CredentialsError,
    403: CredentialsError,
    404: NeedsAttentionError,
    500: OutcomeUnknownError,
    503: TransientError,
}

T = TypeVar("T")


class Salesforce:
    """Client of one organisation, safe to use from several threads."""

    def __init__(self, settings: Settings) -> None:
        self._provider = settings.provider(NAME)
        self._token = ""

    def present(self, items: Sequence[Item], *, wire: Wire) -> Sequence[str]:
        """Return no key, because a lead with one of our external ids was made by us."""
        del items, wire
        return ()

    def deliver(self, items: Sequence[Item], *, path: str, key: str, wire: Wire) -> Outcome:
        """Upsert leads by the hashes of their addresses.

        Raises by the table above.
        """
        del path, key
        field = self._provider.options["external_id"]
        body = {"allOrNone": False, "records": [_record(item, field) for item in items]}
        place = f"{self._data}/composite/sobjects/Lead/{field}"
        reply = self._with_token(wire, lambda token, timeout: self._send("PATCH", place, body, token, timeout))
        found = reply.json()
        if not isinstance(found, list) or len(found) != len(items):
            raise unanswered(NAME, "PATCH", "answered without a word on some leads")
        placed: dict[str, str] = {}
        refused: dict[str, str] = {}
        for item, one in zip(items, found, strict=True):
            record = one if isinstance(one, dict) else {}
            if record.get("success") is True and word(record, "id"):
                placed[item.key] = word(record, "id")
            elif record.get("success") is False:
                refused[item.key] = _code(record.get("errors"), "statusCode") or "REFUSED"
            else:
                raise unanswered(NAME, "PATCH", "answered without a word on some leads")
        if LOCKED in refused.values():
            raise TryAgainError(NAME, "a lead is being changed by somebody else", detail=LOCKED)
        return Outcome(placed=placed, refused=refused)

    def remove(self, placed: PlacedLead, *, path: str, wire: Wire) -> None:
        """Delete a lead that we have made, which Salesforce keeps in its bin for 15 days.

        One whose answer was lost is known by its external id (REST API Developer Guide, "sObject Rows by External
        ID"). Raises by the table above.
        """
        del path
        field = self._provider.options["external_id"]
        place = f"{self._data}/sobjects/Lead/{placed.remote_id or f'{field}/{placed.address}'}"
        try:
            reply = self._with_token(wire, lambda token, timeout: self._send("DELETE", place, None, token, timeout))
        except NotFoundError:
            return
        if reply.status != _DELETED:
            raise unanswered(NAME, "DELETE", "answered a deletion with something else than that it is done")

    def online(self, *, timeout: float) -> OnlineCheck:
        """Return the API requests that are left of 24 hours (``GET /limits``).

        Raises by the table above.
        """
        token = self._fetched(timeout)
        found = self._send("GET", f"{self._data}/limits", None, token, timeout).json_object().get("DailyApiRequests")
        if not isinstance(found, dict):
            raise TransientError(NAME, "answered without its limits")
        return OnlineCheck(
            remaining=left(found, "Remaining", "Max", "requests"), version=self._provider.options["version"]
        )

    @property
    def _data(self) -> str:
        return f"/services/data/v{self._provider.options['version']}"

    def _with_token(self, wire: Wire, call: Callable[[str, float], T]) -> T:
        fresh = not self._token
        token = self._token or wire(self._fetched)
        try:
            return wire(lambda timeout: call(token, timeout))
        except CredentialsError as error:
            if fresh or error.detail != "INVALID_SESSION_ID":
                raise
        self._token = ""
        anew = wire(self._fetched)
        return wire(lambda timeout: call(anew, timeout))

    def _fetched(self, timeout: float) -> str:
        """Return a new token, which is kept."""
        keys = {name: credential(self._provider, name) for name in ("client_id", "client_secret")}
        if not self._provider.base_url.startswith("https://") and not leads_to_loopback(self._provider.base_url):
            raise NeedsAttentionError(NAME, "SALESFORCE_BASE_URL has to begin with https://")
        try:
            found = send(
                NAME,
                "POST",
                f"{self._provider.base_url}/services/oauth2/token",
                reach=self._provider.reach,
                form={"grant_type": "client_credentials", **keys},
                timeout=timeout,
                errors={400: CredentialsError, 401: CredentialsError},
                describe=lambda reply: _oauth_code(reply) or None,
            ).json_object()
        except OutcomeUnknownError as error:  # asked anew, it only brings another token
            raise TransientError(NAME, error.message, detail=error.detail) from None
        token = found.get("access_token")
        if not isinstance(token, str) or not token or not fits_header(token):
            raise TransientError(NAME, "answered a token request without a token")
        self._token = token
        return token

    def _send(self, method: str, path: str, body: object, token: str, timeout: float) -> HttpReply:
        return send(
            NAME,
            method,
            self._provider.base_url + path,
            reach=self._provider.reach,
            json=body,
            headers={"Authorization": f"Bearer {token}"},
            timeout=timeout,
            errors=ERRORS,
            classify=_classified,
            describe=lambda reply: _reply_code(reply) or None,
        )


def _record(item: Item, field: str) -> dict[str, object]:
    known = {name: ";".join(map(str, v)) if isinstance(v, list) else v for name, v in item.values.items()}
    required = {"LastName": NOT_PROVIDED, "Company": NOT_PROVIDED}
    return {"attributes": {"type": "Lead"}, **required, **known, field: address_hash(item.email or "")}


def _classified(reply: HttpReply) -> type[IntegrationError] | None:
    code = _reply_code(reply)
    if reply.status == 403 and code == "REQUEST_LIMIT_EXCEEDED":
        return QuotaExhaustedError
    return NotFoundError if reply.method == "DELETE" and reply.status == 404 and code in GONE else None


def _reply_code(reply: HttpReply) -> str:
    try:
        return _code(reply.json(), "errorCode")
    except IntegrationError:
        return ""


def _oauth_code(reply: HttpReply) -> str:
    try:
        return word(reply.json_object(), "error")
    except IntegrationError:
        return ""


def _code(errors: object, name: str) -> str:
    first = errors[0] if isinstance(errors, list) and errors and isinstance(errors[0], dict) else {}
    return word(first, name)
