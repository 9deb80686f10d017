"""Salesforce's leads in the sandbox: OAuth's client credentials, upsert of collections, deletion, and the limits.

Shapes and codes as in the "REST API Developer Guide". Client ids: ``invalid`` gets no token, ``exhausted`` one whose 24
hours are used up, any other is good. A token is good for 500 calls. More than 200 records, or another field than
``Marketing_Key__c``, are refused whole; a lead without a last name or company, with what is no address, or at
``refused.example`` (a duplicate rule), by itself.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from integrations.sandbox.protocol import JsonObject, Request, Response, waiting

FIELD = "Marketing_Key__c"
BATCH, TOKEN_CALLS = 200, 500
_UPSERT = re.compile(r"/services/data/v\d+\.0/composite/sobjects/Lead/(?P<field>\w+)")
_LEAD = re.compile(r"/services/data/v\d+\.0/sobjects/Lead/(?:(?P<field>\w+__c)/)?(?P<id>\w+)")
_ADDRESS = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")


class SalesforceSandbox:
    """One organisation's leads."""

    name = "salesforce"
    prefix = "/salesforce"

    def __init__(self) -> None:
        self._leads: dict[str, dict[str, object]] = {}  #: external id -> {id, values, times}
        self._made = 0
        self._tokens: dict[str, int] = {}  #: token -> calls that it is good for

    def handle(self, request: Request) -> Response:
        """Answer one request."""
        if request.path == "/services/oauth2/token":
            return self._token(request.params())
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        if self._tokens.get(token, 0) < 1:
            return _error(401, "INVALID_SESSION_ID", "Session expired or invalid")
        self._tokens[token] -= 1
        if token.startswith("exhausted"):
            return _error(403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.")
        if request.method == "GET" and request.path.endswith("/limits"):
            return Response(body={"DailyApiRequests": {"Max": 15000, "Remaining": 14998}})
        if request.method == "PATCH" and (found := _UPSERT.fullmatch(request.path)):
            return self._upsert(request, found["field"])
        if request.method == "DELETE" and (found := _LEAD.fullmatch(request.path)):
            return self._delete(found["id"], found["field"])
        return _error(404, "NOT_FOUND", "The requested resource does not exist")

    def _token(self, form: Mapping[str, str]) -> Response:
        client = form.get("client_id", "")
        if form.get("grant_type") != "client_credentials" or not form.get("client_secret") or client in ("", "invalid"):
            return Response(status=400, body={"error": "invalid_client", "error_description": "invalid client"})
        token = f"{client}-{len(self._tokens)}"
        self._tokens[token] = TOKEN_CALLS
        return Response(body={"access_token": token, "token_type": "Bearer", "instance_url": "https://sandbox.example"})

    def _upsert(self, request: Request, field: str) -> Response:
        if field != FIELD:
            return _error(404, "NOT_FOUND", "Provided external ID field does not exist or is not accessible: " + field)
        try:
            records = request.json()["records"]
            keys = [record[field] for record in records]
        except (ValueError, KeyError, TypeError):
            return _error(400, "JSON_PARSER_ERROR", "Unexpected character")
        if len(records) > BATCH:
            return _error(400, "EXCEEDED_ID_LIMIT", "record limit reached. cannot submit more than 200 records")
        return Response(body=[self._put(key, record) for key, record in zip(keys, records, strict=True)])

    def _put(self, key: str, record: JsonObject) -> dict[str, object]:
        if lacking := [name for name in ("LastName", "Company") if not record.get(name)]:
            return _refused("REQUIRED_FIELD_MISSING", "Required fields are missing", lacking)
        address = str(record.get("Email", "")).lower()
        if not _ADDRESS.fullmatch(address):
            return _refused("INVALID_EMAIL_ADDRESS", f"Email: invalid email address: {address}", ["Email"])
        if address.endswith("@refused.example"):
            return _refused("DUPLICATES_DETECTED", "Use one of these records?", [])
        known = self._leads.get(key)
        if known is None:
            self._made += 1
            known = self._leads[key] = {"id": f"00Q{self._made:015}", "times": 0}
        times = known["times"]
        assert isinstance(times, int)
        known |= {"times": times + 1, "values": {k: v for k, v in record.items() if k != "attributes"}}
        return {"id": known["id"], "success": True, "errors": [], "created": times == 0}

    def _delete(self, lead_id: str, field: str | None) -> Response:
        for key, lead in self._leads.items():
            if lead_id == (key if field == FIELD else lead["id"]):
                del self._leads[key]
                return Response(status=204)
        if field is not None:
            return _error(404, "NOT_FOUND", "The requested resource does not exist")
        return _error(404, "ENTITY_IS_DELETED", "entity is deleted")

    def deliveries(self) -> list[dict[str, object]]:
        """Return the leads."""
        found = []
        for key, lead in self._leads.items():
            values = lead["values"]
            assert isinstance(values, dict)
            address = str(values.get("Email", "")).lower()
            found.append(
                {"provider": self.name, "key": key, "email": address, "times": lead["times"], "values": values}
            )
        return found

    def refuse(self, mode: str, retry_after_s: float | None = None) -> Response:
        """Answer as Salesforce does that is down, or as a gateway before it that wants fewer requests."""
        headers = waiting(retry_after_s)
        if mode == "rate_limited":
            return Response(status=429, body=[{"errorCode": "TOO_MANY_REQUESTS", "message": mode}], headers=headers)
        return Response(status=503, body=[{"errorCode": "SERVER_UNAVAILABLE", "message": mode}], headers=headers)

    def reset(self, seed: int, world: JsonObject | None) -> None:
        """Forget all leads and tokens."""
        del seed, world
        self._leads, self._made, self._tokens = {}, 0, {}

    def advance(self, days: int) -> None:
        """Do nothing, because leads stay as they are."""

    def ad_campaigns(self) -> Sequence[Mapping[str, object]]:
        """Return no ad campaigns."""
        return []

    def snapshot(self) -> dict[str, object]:
        """Return the organisation."""
        return {"leads": {key: dict(lead) for key, lead in self._leads.items()}, "made": self._made}

    def restore(self, data: JsonObject) -> None:
        """Take back what :meth:`snapshot` gave, but for tokens, which end with the process."""
        self._leads = {key: dict(lead) for key, lead in data["leads"].items()}
        self._made = data["made"]


def _error(status: int, code: str, message: str) -> Response:
    return Response(status=status, body=[{"errorCode": code, "message": message}])


def _refused(code: str, message: str, fields: Sequence[str]) -> dict[str, object]:
    return {"success": False, "errors": [{"statusCode": code, "message": message, "fields": list(fields)}]}
