"""Hunter's API v2 over the people of the sandbox world.

Shapes and codes as on Hunter's public pages, with its inverted limits: 403 is the rate limit, 429 the used-up
plan; 451 is a person who objected; 202 a verification that is still running; 222 a mail server that failed.
Keys: ``invalid`` is refused (401), ``exhausted`` has no requests left (429), any other is good.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from integrations.sandbox.protocol import JsonObject, Request, Response, waiting
from integrations.sandbox.world import (
    DEFAULT_SEED,
    DISPOSABLE_DOMAINS,
    Company,
    Mail,
    Person,
    World,
    chance,
    plain,
)

WEBMAIL = frozenset({"gmail.com", "yahoo.com", "outlook.com", "hotmail.com", "icloud.com", "proton.me"})
KNOWN_SHARE = 0.85  #: share of the people whom Hunter knows
#: A local part that no mail server takes, for addresses outside the world.
UNDELIVERABLE = frozenset({"bounce", "invalid", "nobody", "no-such-person", "undeliverable"})
SMTP_FAILED = "greylisted"  #: an address with this local part gets 222


class HunterSandbox:
    """Sandbox of Hunter's domain search, e-mail finder and e-mail verifier."""

    name = "hunter"
    prefix = "/hunter"

    def __init__(self) -> None:
        self._seed = DEFAULT_SEED
        self._verifying: set[str] = set()  #: addresses whose slow verification has begun

    def handle(self, request: Request) -> Response:
        """Answer one request."""
        params = request.params()
        key = request.headers.get("x-api-key") or params.get("api_key", "")
        if key in ("", "invalid"):
            return _error(401, "authentication_failed", "No user found for the API key supplied")
        if request.path == "/v2/account" and request.method == "GET":
            return Response(body={"data": _account(key)})
        if key == "exhausted":
            return _error(429, "too_many_requests", "You have reached the limit of your plan")
        if request.method != "GET":
            return _error(405, "method_not_allowed", "Only GET here")
        if request.path == "/v2/domain-search":
            return self._domain_search(params)
        if request.path == "/v2/email-finder":
            return self._find(params)
        if request.path == "/v2/email-verifier":
            return self._verify(params.get("email", "").strip().lower())
        return _error(404, "not_found", "No such endpoint in the sandbox")

    def refuse(self, mode: str, retry_after_s: float | None = None) -> Response:
        """Return Hunter's response for an outage or its rate limit, which doesn't tell by itself when it ends."""
        headers = waiting(retry_after_s)
        if mode == "rate_limited":
            return _error(403, "too_many_requests", "You have reached the rate limit", headers)
        return _error(503, "internal_error", "Service unavailable", headers)

    def reset(self, seed: int, world: JsonObject | None) -> None:
        """Change to the world of ``seed``."""
        del world
        self._seed = seed
        self._verifying.clear()

    def advance(self, days: int) -> None:
        """Do nothing, because Hunter's answers don't depend on the time."""

    def ad_campaigns(self) -> Sequence[Mapping[str, object]]:
        """Return no ad campaigns."""
        return []

    def snapshot(self) -> None:
        """Return None, because requests create nothing worth keeping here."""
        return None

    def restore(self, data: object) -> None:
        """Do nothing, because requests create nothing here."""

    @property
    def _world(self) -> World:
        return World.build(self._seed)

    def _company(self, params: Mapping[str, str]) -> Company | None:
        domain = params.get("domain", "").strip().lower().removeprefix("www.")
        if domain:
            return self._world.by_domain.get(domain)
        return self._world.by_name.get(params.get("company", "").strip().lower())

    def _knows(self, person: Person) -> bool:
        return chance("hunter", self._seed, person.email) < KNOWN_SHARE

    def _domain_search(self, params: Mapping[str, str]) -> Response:
        if not params.get("domain") and not params.get("company"):
            return _error(400, "wrong_params", "You are missing the domain or company parameter")
        company = self._company(params)
        limit, offset = int(params.get("limit") or 10), int(params.get("offset") or 0)
        known = [p for p in company.people if self._knows(p) and not p.objected] if company else []
        data: dict[str, object] = {
            "domain": company.domain if company else params.get("domain"),
            "disposable": params.get("domain") in DISPOSABLE_DOMAINS,
            "webmail": params.get("domain") in WEBMAIL,
            "accept_all": company is not None and company.mail is Mail.ACCEPT_ALL,
            "pattern": company.pattern if company else None,
            "organization": company.name if company else None,
            "industry": company.industry.title() if company else None,
            "headcount": company.headcount if company else None,
            "city": company.city.partition(",")[0] if company else None,
            "emails": [_listed(person) for person in known[offset : offset + limit]],
        }
        meta = {"results": len(known), "limit": limit, "offset": offset, "sandbox": True}
        return Response(body={"data": data, "meta": meta})

    def _find(self, params: Mapping[str, str]) -> Response:
        first, last = params.get("first_name", ""), params.get("last_name", "")
        if params.get("full_name"):
            first, _, last = params["full_name"].strip().partition(" ")
        if not first or not last or not (params.get("domain") or params.get("company")):
            return _error(400, "wrong_params", "You are missing the domain, company or name parameter")
        company = self._company(params)
        namesakes = [p for p in company.people if plain(p.name) == plain(first + last)] if company else []
        person = namesakes[0] if namesakes else None
        if person is not None and person.objected:
            return _objected()
        known = person if person is not None and self._knows(person) else None
        data: dict[str, object] = {
            "first_name": first,
            "last_name": last,
            "email": known.email if known else None,
            "score": 80 + int(chance("score", self._seed, known.email) * 20) if known else None,
            "domain": company.domain if company else params.get("domain"),
            "accept_all": company is not None and company.mail is Mail.ACCEPT_ALL,
            "position": known.title if known else None,
            "company": company.name if company else None,
            "verification": {"date": None, "status": None},
            "sources": [],
        }
        return Response(body={"data": data, "meta": {"params": {"sandbox": True}}})

    def _verify(self, email: str) -> Response:
        local, at, domain = email.rpartition("@")
        if not at or not local or "." not in domain:
            return _error(400, "invalid_email", "The email parameter is not an e-mail address")
        if local == SMTP_FAILED:
            return Response(status=222, body=_verdict(email, "unknown"))
        found = self._world.by_email.get(email)
        if found is not None:
            if found[1].objected:
                return _objected()
            if found[1].slow and email not in self._verifying:
                self._verifying.add(email)
                return Response(status=202, body=_verdict(email, "unknown"))
        return Response(body=_verdict(email, self._status(local, domain, found)))

    def _status(self, local: str, domain: str, found: tuple[Company, Person] | None) -> str:
        if domain in DISPOSABLE_DOMAINS:
            return "disposable"
        if domain in WEBMAIL:
            return "webmail"
        company = self._world.by_domain.get(domain)
        if company is None:
            return "invalid" if local in UNDELIVERABLE else "accept_all"
        if company.mail in (Mail.NULL_MX, Mail.NONE):
            return "invalid"
        if company.mail is Mail.ACCEPT_ALL:
            return "accept_all"
        return "valid" if found is not None or local in ("info", "hello", "contact", "sales") else "invalid"


def _account(key: str) -> dict[str, object]:
    """Return the account as ``/account`` shows it: a plan of searches and verifications, free of charge to ask."""
    spent = key == "exhausted"
    return {
        "first_name": "Sandbox",
        "last_name": "Sandbox",
        "email": "sandbox@example.com",
        "plan_name": "Sandbox",
        "plan_level": 1,
        "reset_date": "2026-12-31",
        "team_id": 1,
        "requests": {
            "searches": {"used": 500 if spent else 0, "available": 500},
            "verifications": {"used": 1000 if spent else 0, "available": 1000},
        },
    }


def _error(status: int, code: str, details: str, headers: Mapping[str, str] | None = None) -> Response:
    error = {"id": code, "code": status, "details": f"[sandbox] {details}"}
    return Response(status=status, body={"errors": [error]}, headers=headers or {})


def _objected() -> Response:
    return _error(451, "claimed_email", "The person asked us not to process their data")


def _listed(person: Person) -> dict[str, object]:
    return {
        "value": person.email,
        "type": "personal",
        "confidence": 94,
        "first_name": person.first,
        "last_name": person.last,
        "position": person.title,
        "seniority": None,
        "department": None,
        "sources": [],
        "verification": {"date": None, "status": None},
    }


def _verdict(email: str, status: str) -> dict[str, object]:
    good = status in ("valid", "accept_all", "webmail")
    return {
        "data": {
            "status": status,
            "result": {"valid": "deliverable", "invalid": "undeliverable"}.get(status, "risky"),
            "score": {"valid": 97, "webmail": 80, "accept_all": 60, "unknown": 50}.get(status, 0),
            "email": email,
            "regexp": True,
            "gibberish": False,
            "disposable": status == "disposable",
            "webmail": status == "webmail",
            "mx_records": good,
            "smtp_server": good,
            "smtp_check": status == "valid",
            "accept_all": status == "accept_all",
            "block": False,
            "sources": [],
        },
        "meta": {"params": {"sandbox": True}},
    }
