"""The directory's API: ``GET /v1/companies``, a page at a time, and ``GET /v1/plan``, which is free of charge.

The key travels in a header. Error table; other statuses as in ``integrations.http_errors``:

    401, 403 bad key                 CredentialsError
    429 too many requests            RateLimitedError
    5xx, unreadable, no answer       TransientError
    an answer of another shape       InvalidAnswerError
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from integrations.errors import CredentialsError, InvalidAnswerError, RateLimitedError
from integrations.http import HttpReply, QueryValue, credential, send
from integrations.online import OnlineCheck
from integrations.provider_specs import ProviderSpec
from integrations.settings import Settings

NAME = "directory"
MAX_PAGE = 20  #: companies that one page holds at most


def online(settings: Settings, timeout: float) -> OnlineCheck:
    """Ask for the plan, for ``campaigns doctor --online``."""
    plan = Directory(settings).plan(timeout=timeout)
    return OnlineCheck(account=f"plan {plan.name}", remaining=f"{plan.left} companies")


PROVIDER = ProviderSpec(
    name=NAME,
    live_url="https://directory.example",
    sandbox_path="/directory",
    base_url_variable="DIRECTORY_BASE_URL",
    credentials={"api_key": "DIRECTORY_API_KEY"},
    online=online,
)

ERRORS = {401: CredentialsError, 403: CredentialsError, 429: RateLimitedError}


class Listed(BaseModel):
    """Base of what the directory answers: keys that we don't know are its own business."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Contact(Listed):
    """A person of a listed company."""

    name: str
    title: str | None = None
    email: str | None = None


class Listing(Listed):
    """A company as the directory lists it."""

    name: str
    website: str | None = None
    industry: str | None = None
    employees: str | None = None  #: a range, such as 51-200
    city: str | None = None
    contacts: tuple[Contact, ...] = ()


class Page(Listed):
    """One page of companies."""

    companies: tuple[Listing, ...]
    next: int | None = None  #: where the following page starts; None: this is the last


class Plan(Listed):
    """What the account may read."""

    name: Annotated[str, Field(max_length=60)]
    left: int  #: companies, until the plan renews


class Directory:
    """The client; safe to use from several threads."""

    def __init__(self, settings: Settings) -> None:
        self._provider = settings.provider(NAME)

    def companies(self, industry: str, *, start: int, limit: int, timeout: float) -> Page:
        """Return up to ``limit`` companies from ``start`` (0-based) on. Raises by the table above."""
        reply = self._get("companies", {"industry": industry, "start": start, "limit": min(limit, MAX_PAGE)}, timeout)
        try:
            return Page.model_validate(reply.json_object())
        except ValidationError:
            raise InvalidAnswerError(NAME, "answered what is no page of companies") from None

    def plan(self, *, timeout: float) -> Plan:
        """Return the account's plan. Raises by the table above."""
        try:
            return Plan.model_validate(self._get("plan", {}, timeout).json_object())
        except ValidationError:
            raise InvalidAnswerError(NAME, "answered what is no plan") from None

    def _get(self, what: str, params: Mapping[str, QueryValue], timeout: float) -> HttpReply:
        return send(
            NAME,
            "GET",
            f"{self._provider.base_url}/v1/{what}",
            reach=self._provider.reach,
            params=params,
            headers={"Authorization": f"Bearer {credential(self._provider, 'api_key')}"},
            timeout=timeout,
            errors=ERRORS,
        )
