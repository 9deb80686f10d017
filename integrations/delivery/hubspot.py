"""Contacts in HubSpot: batch upsert by e-mail through its CRM API v3.

Sources: developers.hubspot.com, "CRM API: contacts" (batch/upsert, batch/read, gdpr-delete), "CRM API: search", "Error
handling" and "API usage guidelines". An upsert under the same e-mail brings the contact up to date and never makes a
second one, so a batch whose answer was lost is sent again. Error table; other statuses as in
:mod:`integrations.http_errors`:

    207                          some were taken; each other has its category
    400                          BadRequestError: halved until the leads at fault are found
    401                          CredentialsError
    403                          CredentialsError (MISSING_SCOPES)
    409                          TryAgainError: somebody else changes a contact of the batch
    423                          TryAgainError: locked for other work
    429, policy DAILY            QuotaExhaustedError
    429                          RateLimitedError, after the 10 s of its window unless Retry-After says otherwise
    477                          TransientError, after Retry-After: the account moves to another data centre
    502, 504, 522-524            OutcomeUnknownError: the server behind Cloudflare may have carried it out

Limits of a private app: 100 requests per 10 seconds (190 from the Professional plans on), and a daily one per account.
HubSpot's messages quote addresses, so only its categories are kept.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta

from integrations.address_hash import address_hash
from integrations.ads.platform import Wire
from integrations.delivery.split import REFUSED, halved
from integrations.delivery.target import Item, Outcome
from integrations.errors import (
    BadRequestError,
    CredentialsError,
    IntegrationError,
    NotFoundError,
    OutcomeUnknownError,
    QuotaExhaustedError,
    RateLimitedError,
    TransientError,
    TryAgainError,
)
from integrations.http import HttpReply, credential, send
from integrations.http_errors import unanswered
from integrations.online import OnlineCheck, whole, word
from integrations.placed_lead import PlacedLead
from integrations.settings import Settings

NAME = "hubspot"
CONTACTS = "/crm/v3/objects/contacts"
_FORGET = f"{CONTACTS}/gdpr-delete"
_DELETED = 204  #: status of an answer to a deletion
WINDOW_S = 10.0  #: of its rate limit
PAGE = 200  #: contacts of one page of a search, by "CRM API: search"
SKEW = timedelta(minutes=1)  #: between HubSpot's clock and ours
ERRORS: Mapping[int, type[IntegrationError]] = {
    400: BadRequestError,
    401: CredentialsError,
    403: CredentialsError,
    404: NotFoundError,
    409: TryAgainError,
    423: TryAgainError,
    429: RateLimitedError,
    477: TransientError,
    **dict.fromkeys((502, 504, 522, 523, 524), OutcomeUnknownError),
}


class HubSpot:
    """Client of one account, safe to use from several threads."""

    def __init__(self, settings: Settings) -> None:
        self._provider = settings.provider(NAME)

    def present(self, items: Sequence[Item], *, wire: Wire) -> Sequence[str]:
        """Return the keys of those who are contacts already.

        Raises by the table above.
        """
        keys = {item.email.lower(): item.key for item in items if item.email}
        body = {"idProperty": "email", "properties": ["email"], "inputs": [{"id": email} for email in keys]}
        try:
            reply = wire(lambda timeout: self._send("POST", f"{CONTACTS}/batch/read", body, timeout))
            return [keys[email] for email in map(_email, _listed(reply, "results")) if email in keys]
        except OutcomeUnknownError as error:  # a POST that only reads
            raise TransientError(NAME, error.message, detail=error.detail) from None

    def deliver(self, items: Sequence[Item], *, path: str, key: str, wire: Wire) -> Outcome:
        """Upsert contacts by their addresses.

        Raises by the table above.
        """
        del path, key
        return halved(items, lambda some: self._upsert(some, wire))

    def remove(self, placed: PlacedLead, *, path: str, wire: Wire) -> None:
        """Delete a contact for good, as the GDPR asks for.

        One whose answer was lost is looked for among the contacts that were made while it may have arrived, by the hash
        of its address. Raises by the table above.
        """
        del path
        contact = placed.remote_id or self._made(placed, wire)
        if contact is None:
            return
        try:
            reply = wire(lambda timeout: self._send("POST", _FORGET, {"objectId": contact}, timeout))
        except NotFoundError:
            return
        if reply.status != _DELETED:
            raise unanswered(NAME, "POST", "answered a deletion with something else than that it is done")

    def _made(self, placed: PlacedLead, wire: Wire) -> str | None:
        """Return the id of a contact with that hash of an address, made between those moments, or None."""
        between = (placed.sent_at - SKEW, placed.arrived_by + SKEW)
        first, last = (str(int(moment.timestamp() * 1000)) for moment in between)
        made = {"propertyName": "createdate", "operator": "BETWEEN", "value": first, "highValue": last}
        body: dict[str, object] = {"filterGroups": [{"filters": [made]}], "properties": ["email"], "limit": PAGE}
        while True:
            try:
                reply = wire(lambda timeout: self._send("POST", f"{CONTACTS}/search", body, timeout))
                for contact in _listed(reply, "results"):
                    if address_hash(_email(contact)) == placed.address and (found := word(contact, "id")):
                        return found
            except OutcomeUnknownError as error:  # a POST that only reads
                raise TransientError(NAME, error.message, detail=error.detail) from None
            after = _after(reply)
            if not after:
                return None
            body["after"] = after

    def online(self, *, timeout: float) -> OnlineCheck:
        """Return which account the token is of (``GET /account-info/v3/details``, which is free of charge).

        Raises by the table above.
        """
        found = self._send("GET", "/account-info/v3/details", None, timeout).json_object()
        portal = whole(found, "portalId")
        if portal is None:
            raise TransientError(NAME, "answered without an account")
        return OnlineCheck(account=f"account {portal}, {word(found, 'accountType').lower() or 'of no type'}")

    def _upsert(self, items: Sequence[Item], wire: Wire) -> Outcome:
        body = {
            "inputs": [
                {
                    "id": item.email,
                    "idProperty": "email",
                    "objectWriteTraceId": item.key,
                    "properties": {name: _property(value) for name, value in item.values.items()},
                }
                for item in items
            ]
        }
        reply = wire(lambda timeout: self._send("POST", f"{CONTACTS}/batch/upsert", body, timeout))
        by_email = {(item.email or "").lower(): item.key for item in items}
        placed = {
            key: found
            for contact in _listed(reply, "results")
            if (key := _traced(contact) or by_email.get(_email(contact))) and (found := word(contact, "id"))
        }
        refused = {
            key: word(error, "category") or REFUSED
            for error in (_listed(reply, "errors") if reply.status == 207 else [])
            for key in _traces(error)
        }
        known = {item.key for item in items}
        if not known <= {*placed, *refused}:
            raise unanswered(NAME, "POST", "answered without a word on some contacts")
        return Outcome(
            placed={key: found for key, found in placed.items() if key in known},
            refused={key: why for key, why in refused.items() if key in known - placed.keys()},
        )

    def _send(self, method: str, path: str, body: object, timeout: float) -> HttpReply:
        try:
            return send(
                NAME,
                method,
                self._provider.base_url + path,
                reach=self._provider.reach,
                json=body,
                headers={"Authorization": f"Bearer {credential(self._provider, 'access_token')}"},
                timeout=timeout,
                errors=ERRORS,
                classify=_daily,
                describe=_category,
            )
        except RateLimitedError as error:
            wait = WINDOW_S if error.retry_after is None else error.retry_after
            raise RateLimitedError(NAME, error.message, detail=error.detail, retry_after=wait) from None


def _property(value: object) -> str:
    """Return a value as HubSpot takes all of them: text, with lists separated by semicolons."""
    return ";".join(map(str, value)) if isinstance(value, list) else str(value)


def _listed(reply: HttpReply, name: str) -> list[Mapping[str, object]]:
    found = reply.json_object().get(name)
    if not isinstance(found, list):
        raise unanswered(NAME, "POST", f"answered without {name}")
    return [one for one in found if isinstance(one, dict)]


def _email(contact: Mapping[str, object]) -> str:
    properties = contact.get("properties")
    found = properties.get("email") if isinstance(properties, dict) else None
    return found.strip().lower() if isinstance(found, str) else ""


def _after(reply: HttpReply) -> str:
    """Return where the next page of a search begins, "" after the last one."""
    paging = reply.json_object().get("paging")
    following = paging.get("next") if isinstance(paging, dict) else None
    return word(following, "after") if isinstance(following, dict) else ""


def _traced(contact: Mapping[str, object]) -> str:
    found = contact.get("objectWriteTraceId")
    return found if isinstance(found, str) else ""


def _traces(error: Mapping[str, object]) -> list[str]:
    context = error.get("context")
    found = context.get("objectWriteTraceId") if isinstance(context, dict) else None
    return [one for one in found if isinstance(one, str)] if isinstance(found, list) else []


def _daily(reply: HttpReply) -> type[IntegrationError] | None:
    return QuotaExhaustedError if reply.status == 429 and _said(reply, "policyName") == "DAILY" else None


def _category(reply: HttpReply) -> str | None:
    return _said(reply, "category") or _said(reply, "errorType") or None


def _said(reply: HttpReply, name: str) -> str:
    try:
        return word(reply.json_object(), name, 60)
    except IntegrationError:
        return ""
