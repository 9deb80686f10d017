"""The directory over the companies of the sandbox world.

Keys: ``invalid`` is refused (401), any other is good. Invariant: the same question gets the same answer.
"""

from __future__ import annotations

from collections.abc import Mapping

from integrations.sandbox.protocol import Request, Response, waiting
from integrations.sandbox.world import DEFAULT_SEED, Company, World


class DirectorySandbox:
    """The directory's ``GET /v1/companies`` and ``GET /v1/plan``."""

    name = "directory"
    prefix = "/directory"

    def __init__(self) -> None:
        self._seed = DEFAULT_SEED

    def handle(self, request: Request) -> Response:
        """Answer one request."""
        key = request.headers.get("authorization", "").removeprefix("Bearer ")
        if key in ("", "invalid"):
            return Response(status=401, body={"error": "unknown key"})
        if (request.method, request.path) == ("GET", "/v1/plan"):
            return Response(body={"name": "sandbox", "left": 1000, "sandbox": True})
        if (request.method, request.path) != ("GET", "/v1/companies"):
            text = "the sandbox's directory has only GET /v1/companies and GET /v1/plan"
            return Response(status=404, body={"error": text})
        params = request.params()
        try:
            start, limit = int(params.get("start", 0)), int(params.get("limit", 20))
        except ValueError:
            return Response(status=400, body={"error": "start and limit are whole numbers"})
        industry = params.get("industry", "").strip().lower()
        found = [company for company in World.build(self._seed).companies if company.industry == industry]
        after = start + limit
        page = [_listing(company) for company in found[start:after]]
        return Response(body={"companies": page, "next": after if after < len(found) else None, "sandbox": True})

    def refuse(self, mode: str, retry_after_s: float | None = None) -> Response:
        """Answer as the directory does when it is down or wants fewer requests."""
        headers = waiting(retry_after_s)
        if mode == "rate_limited":
            return Response(status=429, body={"error": "too many requests"}, headers=headers)
        return Response(status=503, body={"error": "unavailable"}, headers=headers)

    def reset(self, seed: int, world: Mapping[str, object] | None) -> None:
        """Change over to the world of ``seed``."""
        del world
        self._seed = seed

    def advance(self, days: int) -> None:
        """Do nothing: the directory knows no time."""

    def ad_campaigns(self) -> list[dict[str, object]]:
        """Return none."""
        return []

    def snapshot(self) -> None:
        """Return nothing: nothing is created here."""

    def restore(self, data: object) -> None:
        """Do nothing: there is nothing to take back."""


def _listing(company: Company) -> dict[str, object]:
    return {
        "name": company.name,
        "website": f"www.{company.domain}",
        "industry": company.industry,
        "employees": company.headcount,
        "city": company.city,
        "contacts": [
            {"name": person.name, "title": person.title, "email": person.email if person.shows_email else None}
            for person in company.people
            if person.listed and not person.objected
        ],
    }
