"""HubSpot's contacts in the sandbox: batch upsert and read by e-mail, search by date, GDPR delete, account details.

Shapes and codes as on developers.hubspot.com. Tokens: ``invalid`` is refused (401), ``scopeless`` lacks the contacts'
scopes (403), ``exhausted`` has used up its day (429), any other is good. A batch of more than 100, or with one address
twice, is refused whole (400); an address with the domain ``refused.example`` is refused by itself (207), one that is no
address refuses the whole batch. A contact that was deleted by the GDPR does not come back.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping, Sequence

from integrations.sandbox.protocol import JsonObject, Request, Response, waiting

BATCH, PAGE = 100, 200
CONTACTS = "/crm/v3/objects/contacts"
_ADDRESS = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")


class HubSpotSandbox:
    """One account's contacts."""

    name = "hubspot"
    prefix = "/hubspot"

    def __init__(self) -> None:
        self._contacts: dict[str, dict[str, object]] = {}  #: address -> {id, properties, times, key}
        self._forgotten: list[str] = []
        self._made = 0

    def handle(self, request: Request) -> Response:
        """Answer one request."""
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        if token in ("", "invalid"):
            return _error(401, "INVALID_AUTHENTICATION", "Authentication credentials not found.")
        if token == "scopeless":
            return _error(403, "MISSING_SCOPES", "This app hasn't been granted all required scopes.")
        if (request.method, request.path) == ("GET", "/account-info/v3/details"):
            details = {"portalId": 1234567, "accountType": "DEVELOPER_TEST", "timeZone": "Europe/Berlin"}
            return Response(body={**details, "companyCurrency": "EUR", "uiDomain": "app-eu1.hubspot.com"})
        if token == "exhausted":
            return _limited("DAILY")
        try:
            body = request.json()
            match request.method, request.path.removeprefix(CONTACTS):
                case "POST", "/batch/upsert":
                    return self._upsert(body["inputs"])
                case "POST", "/batch/read":
                    return self._read([one["id"].lower() for one in body["inputs"]])
                case "POST", "/search":
                    return self._search(body)
                case "POST", "/gdpr-delete":
                    return self._delete(str(body["objectId"]))
        except (ValueError, KeyError, TypeError, AttributeError):
            return _error(400, "VALIDATION_ERROR", "Invalid input JSON")
        return _error(404, "OBJECT_NOT_FOUND", "No such endpoint in the sandbox")

    def _upsert(self, inputs: Sequence[JsonObject]) -> Response:
        addresses = [str(one["id"]).lower() for one in inputs]
        if not inputs or len(inputs) > BATCH:
            return _error(400, "VALIDATION_ERROR", f"The maximum batch size is {BATCH}")
        if len(set(addresses)) < len(addresses):
            return _error(400, "VALIDATION_ERROR", "Duplicate IDs found in batch input")
        if wrong := [address for address in addresses if not _ADDRESS.fullmatch(address)]:
            return _error(400, "VALIDATION_ERROR", f"Property values were not valid: {wrong[0]} is no email address")
        if any(one["idProperty"] != "email" for one in inputs):
            return _error(400, "VALIDATION_ERROR", "idProperty is not unique")
        results, errors = [], []
        for address, one in zip(addresses, inputs, strict=True):
            trace = one.get("objectWriteTraceId")
            if address.endswith("@refused.example") or address in self._forgotten:
                errors.append(
                    {
                        "status": "error",
                        "category": "VALIDATION_ERROR",
                        "message": f"{address} can't be a contact",
                        "context": {"objectWriteTraceId": [trace]},
                    }
                )
                continue
            results.append(self._put(address, one, trace))
        body: dict[str, object] = {"status": "COMPLETE", "results": results}
        if errors:
            return Response(status=207, body={**body, "numErrors": len(errors), "errors": errors})
        return Response(body=body)

    def _put(self, address: str, given: JsonObject, trace: object) -> dict[str, object]:
        known = self._contacts.get(address)
        if known is None:
            self._made += 1
            known = {"id": str(self._made), "properties": {"email": address}, "times": 0, "made_at": time.time()}
            self._contacts[address] = known
        times, properties = known["times"], known["properties"]
        assert isinstance(times, int)
        assert isinstance(properties, dict)
        known |= {"times": times + 1, "key": trace}
        known["properties"] = {**properties, **given["properties"], "email": address}
        found = {"id": known["id"], "properties": known["properties"], "archived": False, "new": times == 0}
        return found if trace is None else {**found, "objectWriteTraceId": trace}

    def _read(self, addresses: Sequence[str]) -> Response:
        found = [
            {"id": self._contacts[one]["id"], "properties": self._contacts[one]["properties"], "archived": False}
            for one in addresses
            if one in self._contacts
        ]
        missing = [one for one in addresses if one not in self._contacts]
        body: dict[str, object] = {"status": "COMPLETE", "results": found}
        if missing:
            lacking = {"status": "error", "category": "OBJECT_NOT_FOUND", "context": {"ids": missing}}
            return Response(status=207, body={**body, "numErrors": 1, "errors": [lacking]})
        return Response(body=body)

    def _search(self, body: JsonObject) -> Response:
        """Answer a search for the contacts that were made between two moments, by pages."""
        ((wanted,),) = (group["filters"] for group in body["filterGroups"])
        first, last, start = int(wanted["value"]), int(wanted["highValue"]), int(body.get("after", 0))
        if (wanted["propertyName"], wanted["operator"]) != ("createdate", "BETWEEN") or not 0 < body["limit"] <= PAGE:
            return _error(400, "VALIDATION_ERROR", "There was a problem with the request.")
        found = [
            {"id": one["id"], "properties": {"email": address}, "archived": False}
            for address, one in self._contacts.items()
            if isinstance(one["made_at"], float) and first <= one["made_at"] * 1000 <= last
        ]
        end = start + int(body["limit"])
        more = {"paging": {"next": {"after": str(end)}}} if end < len(found) else {}
        return Response(body={"total": len(found), "results": found[start:end], **more})

    def _delete(self, contact_id: str) -> Response:
        for address, contact in self._contacts.items():
            if contact["id"] == contact_id:
                del self._contacts[address]
                self._forgotten.append(address)
                break
        return Response(status=204)

    def deliveries(self) -> list[dict[str, object]]:
        """Return the contacts."""
        return [
            {
                "provider": self.name,
                "key": contact.get("key"),
                "email": address,
                "times": contact["times"],
                "values": contact["properties"],
            }
            for address, contact in self._contacts.items()
        ]

    def refuse(self, mode: str, retry_after_s: float | None = None) -> Response:
        """Answer as HubSpot does that is down, or whose ten seconds are used up."""
        if mode == "rate_limited":
            return _limited("TEN_SECONDLY_ROLLING", waiting(retry_after_s))
        return Response(status=503, body={"status": "error", "message": mode}, headers=waiting(retry_after_s))

    def reset(self, seed: int, world: JsonObject | None) -> None:
        """Forget all contacts."""
        del seed, world
        self._contacts, self._forgotten, self._made = {}, [], 0

    def advance(self, days: int) -> None:
        """Do nothing, because contacts stay as they are."""

    def ad_campaigns(self) -> Sequence[Mapping[str, object]]:
        """Return no ad campaigns."""
        return []

    def snapshot(self) -> dict[str, object]:
        """Return the account."""
        contacts = {address: dict(contact) for address, contact in self._contacts.items()}
        return {"contacts": contacts, "forgotten": list(self._forgotten), "made": self._made}

    def restore(self, data: JsonObject) -> None:
        """Take back what :meth:`snapshot` gave."""
        self._contacts = {address: dict(contact) for address, contact in data["contacts"].items()}
        self._forgotten, self._made = list(data["forgotten"]), data["made"]


def _error(status: int, category: str, message: str) -> Response:
    body = {"status": "error", "message": message, "correlationId": "sandbox", "category": category}
    return Response(status=status, body=body)


def _limited(policy: str, headers: Mapping[str, str] | None = None) -> Response:
    body = {
        "status": "error",
        "message": "You have reached your limit.",
        "errorType": "RATE_LIMIT",
        "correlationId": "sandbox",
        "policyName": policy,
    }
    shown = {"X-HubSpot-RateLimit-Max": "100", "X-HubSpot-RateLimit-Interval-Milliseconds": "10000"}
    return Response(status=429, body=body, headers={**shown, **(headers or {})})
