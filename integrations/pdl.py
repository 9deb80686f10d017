"""Licensed data about people and companies through People Data Labs' API v5.

The key is sent in a header. Error table (docs.peopledatalabs.com/docs/errors):

    400 bad argument, bad SQL            BadRequestError
    401 bad key                          CredentialsError
    402 credits used up                  QuotaExhaustedError
    403 no permission for the endpoint   CredentialsError
    404 not_found                        None, or an empty page: not billed
    404 otherwise: no such endpoint      NotFoundError
    429 rate limit                       RateLimitedError, until x-ratelimit-reset (UTC)
    an answer without what was asked     InvalidAnswerError, which names the field

Other statuses: :mod:`integrations.http_errors`. A search costs a credit for each record that it returns, an enrichment
one for a match. Free plans give ``true`` in the place of an address: that is no address here.
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
from integrations.fields import Fields, error_type, inner, missing, rows, text, whole
from integrations.http import HttpReply, QueryValue, credential, send
from integrations.online import OnlineCheck
from integrations.settings import Settings

NAME = "pdl"
MAX_PAGE = 100  #: records of one page of a search
MIN_LIKELIHOOD = 6  #: of 1 to 10: below it a match may well be another person
RESET_HEADER = "x-ratelimit-reset"
UNKNOWN = "not_found"
ENDPOINTS = ("person/search", "person/enrich", "company/enrich")  #: each has credits of its own
LEFT_HEADER = "x-totallimit-remaining"  #: credits that are left for the endpoint

ERRORS: Mapping[int, type[IntegrationError]] = {
    400: BadRequestError,
    401: CredentialsError,
    402: QuotaExhaustedError,
    403: CredentialsError,
    404: NotFoundError,
    429: RateLimitedError,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PdlPerson:
    """A person's record, as far as it is of use here."""

    name: str | None = None
    title: str | None = None
    company: str | None = None
    domain: str | None = None  #: of the employer's site
    industry: str | None = None
    size: str | None = None  #: the employer's employees as a range, such as "51-200"
    location: str | None = None
    profile: str | None = None  #: the URL of the profile on LinkedIn, without scheme
    work_email: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PdlCompany:
    """A company's record, as far as it is of use here."""

    name: str
    domain: str | None = None
    industry: str | None = None
    size: str | None = None
    employees: int | None = None
    location: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PeoplePage:
    """One page of a search, and the token of the next, or None for the last."""

    people: tuple[PdlPerson, ...]
    scroll_token: str | None = None


class PeopleDataLabs:
    """Client of People Data Labs, safe to use from several threads."""

    def __init__(self, settings: Settings) -> None:
        self._provider = settings.provider(NAME)

    def search(self, sql: str, *, size: int = 10, scroll_token: str | None = None, timeout: float) -> PeoplePage:
        """Return one page of the people that an SQL query over the table ``person`` finds, ``size`` at most."""
        params: dict[str, QueryValue] = {"sql": sql, "size": max(1, min(MAX_PAGE, size)), "titlecase": "true"}
        if scroll_token:
            params["scroll_token"] = scroll_token
        reply = self._get("person/search", params, timeout)
        return PeoplePage(people=()) if reply is None else page_of(reply)

    def person(
        self, *, name: str | None = None, company: str | None = None, email: str | None = None, timeout: float
    ) -> PdlPerson | None:
        """Return the record of a person, by address or by name and company, or None when there is no likely one."""
        params = {"name": name, "company": company, "email": email}
        given: dict[str, QueryValue] = {key: value for key, value in params.items() if value}
        reply = self._get("person/enrich", {**given, "min_likelihood": MIN_LIKELIHOOD, "titlecase": "true"}, timeout)
        return None if reply is None else person_of(reply)

    def company(self, *, website: str | None = None, name: str | None = None, timeout: float) -> PdlCompany | None:
        """Return the record of a company, by its site or else its name, or None when there is no likely one."""
        place: dict[str, QueryValue] = {"website": website} if website else {"name": name or ""}
        reply = self._get("company/enrich", {**place, "titlecase": "true"}, timeout)
        return None if reply is None else company_of(reply)

    def online(self, *, timeout: float) -> OnlineCheck:
        """Return which endpoints the plan has, and the credits that are left for each.

        Each is asked without parameters: that is refused (400) with the headers that tell the credits ("Usage limits"),
        and refusals are not billed ("How credits work", docs.peopledatalabs.com). Raises errors by the table above.
        """
        found: dict[str, int | None] = {}
        for what in ENDPOINTS:
            reply = self._send(what, {}, timeout, answers=(400, 402, 403, 404))
            kind = text(inner(reply.json_object(), "error"), "type")
            if reply.status < 400 or kind is None:
                raise missing(NAME, "error.type")
            if reply.status != 403:
                found[what] = 0 if reply.status == 402 else _credits_left(reply)
        lacking = tuple(what for what in ENDPOINTS if what not in found)
        used_up = [what for what, left in found.items() if left == 0]
        over = len(used_up) == len(found) > 0
        return OnlineCheck(
            rights=tuple(found),
            lacking=() if found else lacking,
            remaining=", ".join(f"{left} credits for {what}" for what, left in found.items() if left is not None),
            problems=("no credits are left until the plan renews",) if over else (),
            notes=(
                *(f"the plan has no {what}" for what in lacking if found),
                *(f"no credits are left for {what}" for what in used_up if not over),
            ),
        )

    def _get(self, what: str, params: Mapping[str, QueryValue], timeout: float) -> HttpReply | None:
        """Return the answer, or None when nothing was found."""
        try:
            return self._send(what, params, timeout)
        except NotFoundError as error:
            if error.detail == UNKNOWN:
                return None
            raise

    def _send(
        self, what: str, params: Mapping[str, QueryValue], timeout: float, *, answers: Collection[int] = ()
    ) -> HttpReply:
        return send(
            NAME,
            "GET",
            f"{self._provider.base_url}/v5/{what}",
            reach=self._provider.reach,
            params=params,
            headers={"X-Api-Key": credential(self._provider, "api_key")},
            timeout=timeout,
            errors=ERRORS,
            describe=error_type,
            reset_header=RESET_HEADER,
            answers=answers,
        )


def page_of(reply: HttpReply) -> PeoplePage:
    """Read a page of a search.

    Raises InvalidAnswerError for one without records.
    """
    body = reply.json_object()
    if not isinstance(body.get("data"), list):
        raise missing(NAME, "data")
    people = tuple(_person(record) for record in rows(body, "data")[:MAX_PAGE])
    return PeoplePage(people=people, scroll_token=text(body, "scroll_token"))


def person_of(reply: HttpReply) -> PdlPerson:
    """Read an enriched person.

    Raises InvalidAnswerError for an answer without a record.
    """
    body = reply.json_object()
    if not isinstance(body.get("data"), Mapping):
        raise missing(NAME, "data")
    return _person(inner(body, "data"))


def company_of(reply: HttpReply) -> PdlCompany:
    """Read an enriched company.

    Raises InvalidAnswerError for an answer without a name.
    """
    body = reply.json_object()
    name = text(body, "name")
    if name is None:
        raise missing(NAME, "name")
    return PdlCompany(
        name=name,
        domain=text(body, "website"),
        industry=text(body, "industry"),
        size=text(body, "size"),
        employees=whole(body, "employee_count"),
        location=text(inner(body, "location"), "name"),
    )


def _credits_left(reply: HttpReply) -> int | None:
    left = reply.headers.get(LEFT_HEADER, "").strip()
    return int(left) if left.isascii() and left.isdecimal() and len(left) < 19 else None


def _person(record: Fields) -> PdlPerson:
    return PdlPerson(
        name=text(record, "full_name"),
        title=text(record, "job_title"),
        company=text(record, "job_company_name"),
        domain=text(record, "job_company_website"),
        industry=text(record, "job_company_industry"),
        size=text(record, "job_company_size"),
        location=text(record, "location_name"),
        profile=text(record, "linkedin_url"),
        work_email=text(record, "work_email"),
    )
