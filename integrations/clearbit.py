"""Facts about companies and people through Clearbit's Enrichment API, as its legacy keys have it.

``GET /v2/companies/find`` and, on another host of theirs, ``GET /v2/combined/find``; the key is a Bearer token. Error
table (public pages of the Enrichment API):

    202 the look-up is being made        an answer with ``pending``: ask again
    400, 422 no domain, no address       BadRequestError
    401 bad key                          CredentialsError
    402 plan used up                     QuotaExhaustedError
    404 unknown_record                   an answer without company and person
    404 otherwise: no such endpoint      NotFoundError
    429 rate limit                       RateLimitedError, until X-RateLimit-Reset (Unix time)
    an answer without what was asked     InvalidAnswerError, which names the field

Other statuses: :mod:`integrations.http_errors`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from integrations.errors import (
    BadRequestError,
    CredentialsError,
    IntegrationError,
    NotFoundError,
    QuotaExhaustedError,
    RateLimitedError,
)
from integrations.fields import Fields, error_type, inner, missing, text, whole
from integrations.http import HttpReply, QueryValue, credential, send
from integrations.online import OnlineCheck
from integrations.settings import Settings

NAME = "clearbit"
RESET_HEADER = "X-RateLimit-Reset"
UNKNOWN = "unknown_record"
NO_DOMAIN = "no domain"  #: what no company has: without a top-level domain, and with a space

ERRORS: Mapping[int, type[IntegrationError]] = {
    400: BadRequestError,
    401: CredentialsError,
    402: QuotaExhaustedError,
    404: NotFoundError,
    422: BadRequestError,
    429: RateLimitedError,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ClearbitCompany:
    """Clearbit's data about a company."""

    domain: str
    name: str | None = None
    industry: str | None = None
    employees: int | None = None
    employees_range: str | None = None  #: such as "51-250"
    city: str | None = None
    country: str | None = None
    indexed_at: str | None = None  #: when Clearbit looked last, ISO 8601


@dataclass(frozen=True, slots=True, kw_only=True)
class ClearbitPerson:
    """Clearbit's data about a person."""

    email: str | None = None
    name: str | None = None
    title: str | None = None
    company: str | None = None
    domain: str | None = None  #: of the employer
    location: str | None = None
    indexed_at: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClearbitAnswer:
    """What Clearbit knows about one domain or address, which is nothing when all is None."""

    pending: bool = False  #: the look-up is still being made
    company: ClearbitCompany | None = None
    person: ClearbitPerson | None = None


class Clearbit:
    """Client of Clearbit's Enrichment API, safe to use from several threads."""

    def __init__(self, settings: Settings) -> None:
        self._provider = settings.provider(NAME)

    def company(self, domain: str, *, timeout: float) -> ClearbitAnswer:
        """Return what is known about the company of a domain."""
        reply = self._get(self._provider.base_url, "companies", {"domain": domain}, timeout)
        return ClearbitAnswer() if reply is None else company_of(reply)

    def person(self, email: str, *, timeout: float) -> ClearbitAnswer:
        """Return what is known about the person of an address, and about their company."""
        # People are on a host of their own; an address of the user's (CLEARBIT_BASE_URL) serves both.
        base_url = self._provider.base_url.replace("//company.clearbit.com", "//person.clearbit.com", 1)
        reply = self._get(base_url, "combined", {"email": email}, timeout)
        return ClearbitAnswer() if reply is None else person_of(reply)

    def online(self, *, timeout: float) -> OnlineCheck:
        """Return what a look-up without a domain tells: the key is taken, and how many requests the limit allows.

        Clearbit publishes no question about an account. It counts look-ups only that it answers with 200, 201, 202 or
        404 ("What counts as an Enrichment API request?", help.clearbit.com); what is no domain is refused with 422
        ("Why am I receiving a 422 error?"), and every answer has the ``X-RateLimit`` headers. That the key is looked at
        before the domain is published nowhere. Raises errors by the table above.
        """
        reply = self._send(self._provider.base_url, "companies", {"domain": NO_DOMAIN}, timeout, answers=(400, 422))
        kind = text(inner(reply.json_object(), "error"), "type")
        if reply.status < 400 or kind is None:
            raise missing(NAME, "error.type")
        most, left = (_header(reply, f"X-RateLimit-{name}") for name in ("Limit", "Remaining"))
        return OnlineCheck(
            account="" if most is None else f"limit of {most} requests",
            remaining="" if left is None else f"{left} requests until the limit is reset",
        )

    def _get(self, base_url: str, what: str, params: Mapping[str, QueryValue], timeout: float) -> HttpReply | None:
        """Return the answer, or None when Clearbit doesn't know what it was asked about."""
        try:
            return self._send(base_url, what, params, timeout)
        except NotFoundError as error:
            if error.detail == UNKNOWN:
                return None
            raise

    def _send(
        self,
        base_url: str,
        what: str,
        params: Mapping[str, QueryValue],
        timeout: float,
        *,
        answers: Collection[int] = (),
    ) -> HttpReply:
        return send(
            NAME,
            "GET",
            f"{base_url}/v2/{what}/find",
            reach=self._provider.reach,
            params=params,
            headers={"Authorization": f"Bearer {credential(self._provider, 'api_key')}"},
            timeout=timeout,
            errors=ERRORS,
            describe=error_type,
            reset_header=RESET_HEADER,
            answers=answers,
        )


def company_of(reply: HttpReply) -> ClearbitAnswer:
    """Read an answer about a company.

    Raises InvalidAnswerError for one without a domain.
    """
    if reply.status == 202:
        return ClearbitAnswer(pending=True)
    return ClearbitAnswer(company=_company(reply.json_object()))


def person_of(reply: HttpReply) -> ClearbitAnswer:
    """Read an answer about a person and their company, either of which may be null.

    Raises InvalidAnswerError for one without the keys of both.
    """
    if reply.status == 202:
        return ClearbitAnswer(pending=True)
    body = reply.json_object()
    if "person" not in body:
        raise missing(NAME, "person")
    person, company = inner(body, "person"), inner(body, "company")
    employment = inner(person, "employment")
    return ClearbitAnswer(
        company=_company(company) if company else None,
        person=ClearbitPerson(
            email=text(person, "email"),
            name=text(inner(person, "name"), "fullName"),
            title=text(employment, "title"),
            company=text(employment, "name"),
            domain=text(employment, "domain"),
            location=text(person, "location"),
            indexed_at=text(person, "indexedAt"),
        )
        if person
        else None,
    )


def _header(reply: HttpReply, name: str) -> int | None:
    found = reply.headers.get(name, "")
    return int(found) if found.isascii() and found.isdecimal() and len(found) < 10 else None


def _company(item: Fields) -> ClearbitCompany:
    domain = text(item, "domain")
    if domain is None:
        raise missing(NAME, "domain")
    category, metrics, place = inner(item, "category"), inner(item, "metrics"), inner(item, "geo")
    return ClearbitCompany(
        domain=domain,
        name=text(item, "name"),
        industry=text(category, "industry") or text(category, "industryGroup") or text(category, "sector"),
        employees=whole(metrics, "employees"),
        employees_range=text(metrics, "employeesRange"),
        city=text(place, "city"),
        country=text(place, "country"),
        indexed_at=text(item, "indexedAt"),
    )
