"""Clearbit's Enrichment API over the companies and people of the sandbox world.

Shapes and codes as on Clearbit's public pages: 202 for a look-up that is still being made (the second question gets the
answer), 404 ``unknown_record``, 422 for what is no domain or address, 402 for a used-up plan, ``X-RateLimit-*`` on each
answer. Keys: ``invalid`` is refused (401), ``exhausted`` has no look-ups left (402), any other is good.
"""

from __future__ import annotations

import time
from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Mapping, Sequence

from integrations.sandbox.protocol import JsonObject, Request, Response, waiting
from integrations.sandbox.world import DEFAULT_SEED, Company, Person, World, chance

KNOWN_SHARE = 0.7  #: share of the companies, and of the people, that Clearbit knows
SLOW_SHARE = 0.05  #: share of them whose first look-up is answered with 202
LIMIT = 600  #: requests a minute that the headers tell of
WINDOW_S = 60.0
#: industry of the world -> (sector, industry group, industry), names of the Global Industry Classification Standard
_CATEGORIES: Mapping[str, tuple[str, str, str]] = {
    "saas": ("Information Technology", "Software & Services", "Internet Software & Services"),
    "technology": ("Information Technology", "Software & Services", "Information Technology Services"),
    "finance": ("Financials", "Diversified Financials", "Diversified Financial Services"),
    "healthcare": ("Health Care", "Health Care Equipment & Services", "Health Care Providers & Services"),
    "manufacturing": ("Industrials", "Capital Goods", "Industrial Machinery"),
    "retail": ("Consumer Discretionary", "Retailing", "Internet & Direct Marketing Retail"),
    "education": ("Consumer Discretionary", "Consumer Services", "Education Services"),
    "logistics": ("Industrials", "Transportation", "Air Freight & Logistics"),
    "energy": ("Utilities", "Utilities", "Renewable Energy"),
    "hospitality": ("Consumer Discretionary", "Consumer Services", "Hotels, Restaurants & Leisure"),
    "real estate": ("Real Estate", "Real Estate", "Real Estate Management"),
    "media": ("Communication Services", "Media", "Media"),
    "legal": ("Industrials", "Commercial & Professional Services", "Legal Services"),
    "restaurants": ("Consumer Discretionary", "Consumer Services", "Restaurants"),
    "construction": ("Industrials", "Capital Goods", "Construction & Engineering"),
}
_RANGES = ((1, 10), (11, 50), (51, 250), (251, 1000), (1001, 5000), (5001, 10000), (10001, 50000), (50001, 100000))


class ClearbitSandbox:
    """Sandbox of Clearbit's company and combined look-ups."""

    name = "clearbit"
    prefix = "/clearbit"

    def __init__(self) -> None:
        self._seed = DEFAULT_SEED
        self._asked: set[str] = set()  #: slow look-ups that have begun

    def handle(self, request: Request) -> Response:
        """Answer one request."""
        key = _key(request.headers.get("authorization", ""))
        if key in ("", "invalid"):
            return _error(401, "auth_invalid", "Invalid API key provided.")
        if key == "exhausted":
            return _error(402, "over_quota", "Your account is over its quota.")
        params = request.params()
        if request.method == "GET" and request.path == "/v2/companies/find":
            return self._company(params.get("domain", "").strip().lower())
        if request.method == "GET" and request.path == "/v2/combined/find":
            return self._combined(params.get("email", "").strip().lower())
        return _error(404, "not_found", "No such endpoint in the sandbox.")

    def refuse(self, mode: str, retry_after_s: float | None = None) -> Response:
        """Return Clearbit's response for an outage, or for its rate limit, whose header names the end of its window."""
        if mode == "rate_limited":
            wait = WINDOW_S if retry_after_s is None else retry_after_s
            text = "Your API key has hit its rate limit."
            return _error(429, "rate_limit", text, _limits(0, time.time() + wait))
        return _error(503, "api_error", "Service unavailable.", waiting(retry_after_s))

    def reset(self, seed: int, world: JsonObject | None) -> None:
        """Change to the world of ``seed``."""
        del world
        self._seed = seed
        self._asked.clear()

    def advance(self, days: int) -> None:
        """Do nothing, because Clearbit's answers don't depend on the time."""

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

    def knows(self, what: str) -> bool:
        """Return whether Clearbit knows a domain or an address of the world."""
        return chance("clearbit", self._seed, what) < KNOWN_SHARE

    def slow(self, what: str) -> bool:
        """Return whether the first look-up of a domain or an address is answered with 202."""
        return chance("clearbit slow", self._seed, what) < SLOW_SHARE

    def _company(self, domain: str) -> Response:
        if "." not in domain or "@" in domain or " " in domain:
            return _error(422, "params_invalid", "Invalid domain.", _limits(LIMIT - 1, time.time() + WINDOW_S))
        company = self._world.by_domain.get(domain.removeprefix("www."))
        if company is None or not self.knows(company.domain):
            return _error(404, "unknown_record", "Unknown company.")
        return self._known(company.domain, _described(company))

    def _combined(self, email: str) -> Response:
        local, at, domain = email.rpartition("@")
        if not at or not local or "." not in domain:
            return _error(422, "email_invalid", "Invalid email.")
        found = self._world.by_email.get(email)
        known = found if found is not None and not found[1].objected and self.knows(email) else None
        company = self._world.by_domain.get(domain)
        described = _described(company) if company is not None and self.knows(domain) else None
        if known is None and described is None:
            return _error(404, "unknown_record", "Unknown person.")
        return self._known(email, {"person": _who(*known) if known else None, "company": described})

    def _known(self, what: str, body: dict[str, object]) -> Response:
        if self.slow(what) and what not in self._asked:
            self._asked.add(what)
            error = {"type": "queued", "message": "[sandbox] Your request is being looked up."}
            return Response(status=202, body={"error": error}, headers=_limits(LIMIT - 1, time.time() + WINDOW_S))
        return Response(body=body, headers=_limits(LIMIT - 1, time.time() + WINDOW_S))


def _described(company: Company) -> dict[str, object]:
    sector, group, industry = _CATEGORIES[company.industry]
    city, _, country = company.city.partition(", ")
    low, high = next(found for found in _RANGES if company.size <= found[1])
    return {
        "id": f"sandbox-{company.domain}",
        "name": company.name,
        "legalName": None,
        "domain": company.domain,
        "domainAliases": [],
        "description": f"[sandbox] {company.name} offers {company.makes}.",
        "foundedYear": company.founded,
        "category": {"sector": sector, "industryGroup": group, "industry": industry, "subIndustry": industry},
        "geo": {"city": city, "country": country},
        "metrics": {"employees": company.size, "employeesRange": f"{low}-{high}", "alexaGlobalRank": None},
        "indexedAt": "2026-01-01T00:00:00.000Z",
    }


def _who(company: Company, person: Person) -> dict[str, object]:
    return {
        "id": f"sandbox-{person.handle}",
        "name": {"fullName": person.name, "givenName": person.first, "familyName": person.last},
        "email": person.email,
        "location": company.city,
        "employment": {
            "domain": company.domain,
            "name": company.name,
            "title": person.title,
            "role": None,
            "seniority": None,
        },
        "indexedAt": "2026-01-01T00:00:00.000Z",
    }


def _key(authorization: str) -> str:
    """Return the key of a Bearer header, or of a Basic one, in which it is the user."""
    scheme, _, value = authorization.partition(" ")
    if scheme.lower() == "bearer":
        return value.strip()
    try:
        return b64decode(value, validate=True).decode().partition(":")[0] if scheme.lower() == "basic" else ""
    except (Base64Error, UnicodeDecodeError):
        return ""


def _limits(left: int, resets_at: float) -> dict[str, str]:
    return {
        "X-RateLimit-Limit": str(LIMIT),
        "X-RateLimit-Remaining": str(left),
        "X-RateLimit-Reset": f"{resets_at:.0f}",
    }


def _error(status: int, kind: str, message: str, headers: Mapping[str, str] | None = None) -> Response:
    body = {"error": {"type": kind, "message": f"[sandbox] {message}"}}
    return Response(status=status, body=body, headers=headers or {})
