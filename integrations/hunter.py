"""E-mail finding and verification through Hunter's API v2.

The key is sent in a header. Error table (hunter.io/api-documentation/v2), in which 403 is the rate limit and 429 the
used-up plan:

    202 verification still running       status "pending": the next call is free of charge
    222 the mail server failed           status "smtp_failed": ask again later
    400, 422 bad argument                BadRequestError
    401 bad key                          CredentialsError
    403 rate limit                       RateLimitedError
    404 no such endpoint or object       NotFoundError
    429 plan used up                     QuotaExhaustedError (until the plan renews)
    451 the person objected              a result with ``suppressed``: never write to them
    451 about a domain                   PolicyRefusedError
    5xx, no data, unreadable, no answer  TransientError
    a status that we don't know          InvalidAnswerError

Other statuses: :mod:`integrations.http_errors`. Hunter itself sends no Retry-After; that of a gateway is kept.

Limits: 15 requests a second and 500 a minute (verifier 10 and 300).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from integrations.errors import (
    BadRequestError,
    CredentialsError,
    IntegrationError,
    InvalidAnswerError,
    NotFoundError,
    PolicyRefusedError,
    QuotaExhaustedError,
    RateLimitedError,
    TransientError,
)
from integrations.fields import missing
from integrations.http import HttpReply, QueryValue, credential, send
from integrations.online import OnlineCheck, whole, word
from integrations.settings import Settings

NAME = "hunter"
MAX_PEOPLE = 100  #: that one answer can hold at most
PENDING = "pending"  #: status of a verification that is still running
SMTP_FAILED = "smtp_failed"  #: status of an address whose mail server failed just now
STATUSES = frozenset({"valid", "invalid", "accept_all", "webmail", "disposable", "unknown"})

ERRORS: Mapping[int, type[IntegrationError]] = {
    400: BadRequestError,
    401: CredentialsError,
    403: RateLimitedError,
    404: NotFoundError,
    422: BadRequestError,
    429: QuotaExhaustedError,
    451: PolicyRefusedError,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundEmail:
    """Hunter's answer about one person's address."""

    email: str | None  #: None when Hunter knows none
    score: int | None = None  #: 0..100, Hunter's confidence
    position: str | None = None
    company: str | None = None
    domain: str | None = None
    suppressed: bool = False  #: the person asked not to be processed


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """Hunter's verdict on whether an address takes mail."""

    status: str  #: one of STATUSES, PENDING or SMTP_FAILED
    score: int | None = None
    suppressed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownPerson:
    """Person whom Hunter lists at a domain."""

    email: str
    first_name: str | None = None
    last_name: str | None = None
    position: str | None = None
    confidence: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DomainFacts:
    """Hunter's data about a company."""

    domain: str | None
    organization: str | None = None
    industry: str | None = None
    headcount: str | None = None  #: a range, such as "51-200"
    city: str | None = None
    pattern: str | None = None  #: of its addresses, such as "{first}.{last}"
    accept_all: bool = False
    disposable: bool = False
    webmail: bool = False
    people: tuple[KnownPerson, ...] = ()


class Hunter:
    """Client of Hunter's API, safe to use from several threads."""

    def __init__(self, settings: Settings) -> None:
        self._provider = settings.provider(NAME)

    def find_email(
        self, domain: str | None, first: str, last: str, *, company: str | None = None, timeout: float
    ) -> FoundEmail:
        """Find the address of a person at ``domain``, or at the company of that name."""
        try:
            reply = self._get(
                "email-finder", {**_place(domain, company), "first_name": first, "last_name": last}, timeout
            )
        except PolicyRefusedError:
            return FoundEmail(email=None, suppressed=True)
        return email_of(reply)

    def verify(self, email: str, *, timeout: float) -> Verification:
        """Verify whether an address takes mail, with one of two further statuses while there is no verdict yet."""
        try:
            reply = self._get("email-verifier", {"email": email}, timeout)
        except PolicyRefusedError:
            return Verification(status="unknown", suppressed=True)
        return verdict_of(reply)

    def online(self, *, timeout: float) -> OnlineCheck:
        """Return the account's plan and what is left of it (``GET /account``, which is free of charge).

        Raises errors by the table above, InvalidAnswerError for an answer without requests.
        """
        data = _data(self._get("account", {}, timeout))
        counts = _left(data)
        if not counts:
            raise missing(NAME, "data.requests")
        renewal = word(data, "reset_date", 10)
        return OnlineCheck(
            account=f"plan {word(data, 'plan_name') or 'without a name'}" + (f", renews {renewal}" if renewal else ""),
            remaining=", ".join(f"{count} {kind}" for kind, count in counts.items()),
            notes=tuple(f"no {kind} seem to be left until the plan renews" for kind in counts if not counts[kind]),
        )

    def domain_search(
        self, domain: str | None, *, company: str | None = None, limit: int = 10, timeout: float
    ) -> DomainFacts:
        """Return facts about the company of a domain (or of that name) and up to ``limit`` of its people."""
        return facts_of(self._get("domain-search", {**_place(domain, company), "limit": limit}, timeout))

    def _get(self, endpoint: str, params: Mapping[str, QueryValue], timeout: float) -> HttpReply:
        return send(
            NAME,
            "GET",
            f"{self._provider.base_url}/{endpoint}",
            reach=self._provider.reach,
            params=params,
            headers={"X-API-KEY": credential(self._provider, "api_key")},
            timeout=timeout,
            errors=ERRORS,
            describe=_describe,
        )


def email_of(reply: HttpReply) -> FoundEmail:
    """Read an answer about one person's address.

    Raises TransientError for one without data.
    """
    data = _data(reply)
    return FoundEmail(
        email=_text(data, "email"),
        score=_percent(data, "score"),
        position=_text(data, "position"),
        company=_text(data, "company"),
        domain=_text(data, "domain"),
    )


def verdict_of(reply: HttpReply) -> Verification:
    """Read a verdict on an address.

    Raises TransientError without data, InvalidAnswerError without a status and for an unknown one.
    """
    if reply.status == 202:
        return Verification(status=PENDING)
    if reply.status == 222:
        return Verification(status=SMTP_FAILED)
    data = _data(reply)
    status = _text(data, "status")
    if status is None:
        raise missing(NAME, "data.status")
    if status not in STATUSES:
        raise InvalidAnswerError(NAME, "verified with a status we don't know", detail=status[:40])
    return Verification(status=status, score=_percent(data, "score"))


def _left(data: Mapping[str, object]) -> dict[str, int]:
    """Return what is left, by kind: one count of credits, or one each of searches and verifications.

    It is ``remaining`` where Hunter says so, else ``available`` (what the period holds) less ``used``.
    """
    requests = data.get("requests")
    found: dict[str, int] = {}
    for kind in ("credits", "searches", "verifications"):
        counts = requests.get(kind) if isinstance(requests, dict) else None
        if not isinstance(counts, dict):
            continue
        remaining, used, held = (whole(counts, name) for name in ("remaining", "used", "available"))
        if remaining is not None:
            found[kind] = remaining
        elif used is not None and held is not None:
            found[kind] = max(0, held - used)
    return found


def facts_of(reply: HttpReply) -> DomainFacts:
    """Read an answer about a company.

    Raises TransientError for one without data, InvalidAnswerError for one without a list of people, which may be empty.
    """
    data = _data(reply)
    listed = data.get("emails")
    if not isinstance(listed, list):
        raise missing(NAME, "data.emails")
    return DomainFacts(
        domain=_text(data, "domain"),
        organization=_text(data, "organization"),
        industry=_text(data, "industry"),
        headcount=_text(data, "headcount"),
        city=_text(data, "city"),
        pattern=_text(data, "pattern"),
        accept_all=data.get("accept_all") is True,
        disposable=data.get("disposable") is True,
        webmail=data.get("webmail") is True,
        people=tuple(
            KnownPerson(
                email=email,
                first_name=_text(item, "first_name"),
                last_name=_text(item, "last_name"),
                position=_text(item, "position"),
                confidence=_percent(item, "confidence"),
            )
            for item in listed[:MAX_PEOPLE]
            if isinstance(item, dict) and item.get("type") != "generic" and (email := _text(item, "value"))
        ),
    )


def _place(domain: str | None, company: str | None) -> dict[str, QueryValue]:
    return {"domain": domain} if domain else {"company": company or ""}


def _data(reply: HttpReply) -> Mapping[str, object]:
    data = reply.json_object().get("data")
    if not isinstance(data, dict):
        raise missing(NAME, "data", TransientError)
    return data


def _text(item: Mapping[str, object], key: str) -> str | None:
    value = item.get(key)
    return value.strip()[:300] or None if isinstance(value, str) else None


def _percent(item: Mapping[str, object], key: str) -> int | None:
    value = item.get(key)
    if not isinstance(value, int | float) or isinstance(value, bool):
        return None
    return int(value) if 0 <= value <= 100 else None


def _describe(reply: HttpReply) -> str | None:
    """Return Hunter's own error id, without its ``details``, which quote the address of the request."""
    try:
        errors = reply.json_object().get("errors")
    except IntegrationError:
        return None
    first = errors[0] if isinstance(errors, list) and errors and isinstance(errors[0], dict) else {}
    found = first.get("id")
    return found[:120] if isinstance(found, str) and found else None
