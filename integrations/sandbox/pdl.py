"""People Data Labs' API v5 over the companies and people of the sandbox world.

Shapes and codes as on docs.peopledatalabs.com: person search in SQL with ``scroll_token``, person and company
enrichment, ``not_found`` as 404, credits and limits in headers. Keys: ``invalid`` is refused (401), ``exhausted`` has
no credits left (402), any other is good and has always as many. People who objected are not in its data.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from integrations.sandbox.protocol import JsonObject, Request, Response, waiting
from integrations.sandbox.world import DEFAULT_SEED, Company, Person, World, chance, plain

KNOWN_SHARE = 0.75  #: share of the people, and of the companies, that are in the data
LIMIT = 100  #: requests a minute
CREDITS = 350  #: left for each endpoint
WINDOW_S = 60.0
#: industry of the world -> LinkedIn's name of it, in which the data have industries
_INDUSTRIES: Mapping[str, str] = {
    "saas": "computer software",
    "technology": "information technology and services",
    "finance": "financial services",
    "healthcare": "hospital & health care",
    "manufacturing": "machinery",
    "retail": "retail",
    "education": "education management",
    "logistics": "logistics and supply chain",
    "energy": "renewables & environment",
    "hospitality": "hospitality",
    "real estate": "real estate",
    "media": "media production",
    "legal": "legal services",
    "restaurants": "restaurants",
    "construction": "construction",
}
_SELECT = re.compile(r"SELECT \* FROM person WHERE (?P<where>.+)", re.I | re.S)
_CONDITION = re.compile(r"(?P<field>\w+)\s*(?P<how>=|LIKE)\s*'(?P<value>(?:[^']|'')*)'", re.I)

Row = Mapping[str, object]


class PdlSandbox:
    """Sandbox of People Data Labs' person search, person enrichment and company enrichment."""

    name = "pdl"
    prefix = "/pdl"

    def __init__(self) -> None:
        self._seed = DEFAULT_SEED

    def handle(self, request: Request) -> Response:
        """Answer one request."""
        params = request.params()
        key = request.headers.get("x-api-key") or params.get("api_key", "")
        if key in ("", "invalid"):
            return _error(401, "authentication_error", "Request contained a missing or invalid key")
        if key == "exhausted":
            text = "You have hit your account maximum for all matches used"
            return _error(402, "payment_required", text, {"x-totallimit-remaining": "0"})
        known: Mapping[str, Callable[[Mapping[str, str]], Response]] = {
            "/v5/person/search": self._search,
            "/v5/person/enrich": self._person,
            "/v5/company/enrich": self._company,
        }
        answer = known.get(request.path)
        if request.method != "GET" or answer is None:
            return Response(status=404, body={"message": "[sandbox] no Route matched with those values"})
        response = answer(params)
        told = {**_limits(LIMIT - 1), "x-totallimit-remaining": str(CREDITS)}
        return Response(status=response.status, body=response.body, headers={**told, **response.headers})

    def refuse(self, mode: str, retry_after_s: float | None = None) -> Response:
        """Return the response for an outage, or for the rate limit, whose header names the end of its window."""
        if mode == "rate_limited":
            text = "An error occurred due to requests hitting the API too quick"
            return _error(
                429, "rate_limit_error", text, _limits(0, WINDOW_S if retry_after_s is None else retry_after_s)
            )
        return _error(503, "api_error", "Service unavailable", waiting(retry_after_s))

    def reset(self, seed: int, world: JsonObject | None) -> None:
        """Change to the world of ``seed``."""
        del world
        self._seed = seed

    def advance(self, days: int) -> None:
        """Do nothing, because the answers don't depend on the time."""

    def ad_campaigns(self) -> Sequence[Mapping[str, object]]:
        """Return no ad campaigns."""
        return []

    def snapshot(self) -> None:
        """Return None, because requests create nothing here."""
        return None

    def restore(self, data: object) -> None:
        """Do nothing, because requests create nothing here."""

    def knows(self, what: str) -> bool:
        """Return whether a domain or an address of the world is in the data."""
        return chance("pdl", self._seed, what) < KNOWN_SHARE

    def _people(self) -> list[tuple[Company, Person]]:
        found = [(c, p) for c in World.build(self._seed).companies for p in c.people]
        return [(c, p) for c, p in found if not p.objected and self.knows(p.email)]

    def _search(self, params: Mapping[str, str]) -> Response:
        size, start = (
            params.get("size", "1"),
            re.fullmatch(r"(\d{1,6})\$sandbox", params.get("scroll_token", "0$sandbox")),
        )
        where = _SELECT.fullmatch(params.get("sql", "").strip())
        if where is None or not size.isdecimal() or not 1 <= int(size) <= 100 or start is None:
            return _error(400, "invalid_request_error", "Request contained either missing or invalid parameters")
        try:
            groups = _conditions(where["where"])
        except ValueError as error:
            return _error(400, "invalid_request_error", f"Invalid SQL: {error}")
        hits = [row for c, p in self._people() if _meets(row := _record(c, p), groups)]
        page = hits[int(start[1]) : int(start[1]) + int(size)]
        if not page:
            return _not_found()
        after = int(start[1]) + len(page)
        body = {"status": 200, "data": page, "total": len(hits), "dataset_version": "sandbox"}
        if after < len(hits):
            body["scroll_token"] = f"{after}$sandbox"
        return Response(body=body, headers={"x-call-credits-spent": str(len(page))})

    def _person(self, params: Mapping[str, str]) -> Response:
        email, name, employer = params.get("email", ""), params.get("name", ""), params.get("company", "")
        if not email and not (name and employer):
            return _error(400, "invalid_request_error", "Request requires more identifiers")
        for company, person in self._people():
            places = {company.name.lower(), company.domain}
            same = plain(person.name) == plain(name) and employer.lower().removeprefix("www.") in places
            if person.email == email.lower() if email else same:
                body = {"status": 200, "likelihood": 9, "data": _record(company, person)}
                return Response(body=body, headers={"x-call-credits-spent": "1"})
        return _not_found()

    def _company(self, params: Mapping[str, str]) -> Response:
        website, name = params.get("website", "").lower().removeprefix("www."), params.get("name", "").lower()
        if not website and not name:
            return _error(400, "invalid_request_error", "Request requires more identifiers")
        world = World.build(self._seed)
        company = world.by_domain.get(website) if website else world.by_name.get(name)
        if company is None or not self.knows(company.domain):
            return _not_found()
        body = {
            "status": 200,
            "likelihood": 9,
            "id": f"sandbox-{company.domain}",
            "name": company.name,
            "size": company.headcount,
            "employee_count": company.size,
            "industry": _INDUSTRIES[company.industry],
            "website": company.domain,
            "founded": company.founded,
            "location": {"name": company.city, "country": company.city.rpartition(", ")[2]},
            "dataset_version": "sandbox",
        }
        return Response(body=body, headers={"x-call-credits-spent": "1"})


def _record(company: Company, person: Person) -> Row:
    return {
        "id": f"sandbox_{person.handle[-6:]}_0000",
        "full_name": person.name,
        "first_name": person.first,
        "last_name": person.last,
        "job_title": person.title,
        "job_company_name": company.name,
        "job_company_website": company.domain,
        "job_company_industry": _INDUSTRIES[company.industry],
        "job_company_size": company.headcount,
        "location_name": company.city,
        "location_country": company.city.rpartition(", ")[2].lower(),
        "linkedin_url": f"linkedin.com/in/{person.handle}",
        "work_email": person.email,
        "mobile_phone": None,
    }


def _conditions(where: str) -> list[list[tuple[str, str, str]]]:
    """Return what an SQL condition asks for: groups joined by AND, each of alternatives joined by OR.

    Raises ValueError for what is beyond that form or names an unknown field.
    """
    company = World.build(DEFAULT_SEED).companies[0]
    fields = _record(company, company.people[0]).keys()
    groups = []
    for group in re.split(r"\s+AND\s+(?=(?:[^']*'[^']*')*[^']*$)", where.strip(), flags=re.I):
        inside = group.strip()
        inside = inside[1:-1] if inside.startswith("(") and inside.endswith(")") else inside
        alternatives = []
        for one in re.split(r"\s+OR\s+(?=(?:[^']*'[^']*')*[^']*$)", inside, flags=re.I):
            found = _CONDITION.fullmatch(one.strip())
            if found is None:
                raise ValueError("a condition is not of the form field = 'text'")
            if found["field"] not in fields:
                raise ValueError(f"there is no field {found['field']}")
            alternatives.append((found["field"], found["how"].upper(), found["value"].replace("''", "'").lower()))
        groups.append(alternatives)
    return groups


def _meets(row: Row, groups: Sequence[Sequence[tuple[str, str, str]]]) -> bool:
    return all(any(_holds(str(row[field]).lower(), how, value) for field, how, value in group) for group in groups)


def _holds(text: str, how: str, value: str) -> bool:
    if how == "=":
        return text == value
    return re.fullmatch(".*".join(re.escape(part) for part in value.split("%")), text) is not None


def _limits(left: int, resets_in_s: float = WINDOW_S) -> dict[str, str]:
    ends = datetime.now(UTC) + timedelta(seconds=resets_in_s)
    return {
        "x-ratelimit-limit": f"{{'minute': {LIMIT}}}",
        "x-ratelimit-remaining": f"{{'minute': {left}}}",
        "x-ratelimit-reset": ends.strftime("%Y-%m-%dT%H:%M:%S"),
    }


def _not_found() -> Response:
    return _error(404, "not_found", "No records were found matching your request")


def _error(status: int, kind: str, message: str, headers: Mapping[str, str] | None = None) -> Response:
    body = {"status": status, "error": {"type": kind, "message": f"[sandbox] {message}"}}
    return Response(status=status, body=body, headers=headers or {})
