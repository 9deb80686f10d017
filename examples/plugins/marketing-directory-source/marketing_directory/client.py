"""The directory's API: ``GET /v1/companies``, a page at a time.

The key travels in a header. Error table; other statuses as in ``integrations.http_errors``:

    401, 403 bad key                 CredentialsError
    429 too many requests            RateLimitedError
    5xx, unreadable, no answer       TransientError
    an answer of another shape       InvalidAnswerError
"""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, ValidationError

from integrations.errors import CredentialsError, InvalidAnswerError, RateLimitedError
from integrations.http import credential, send
from integrations.provider_specs import ProviderSpec
from integrations.settings import Settings

NAME = "directory"
MAX_PAGE = 20  #: companies that one page holds at most

PROVIDER = ProviderSpec(
    name=NAME,
    live_url="https://directory.example",
    sandbox_path="/directory",
    base_url_variable="DIRECTORY_BASE_URL",
    credentials={"api_key": "DIRECTORY_API_KEY"},
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


class Directory:
    """The client; safe to use from several threads."""

    def __init__(self, settings: Settings) -> None:
        self._provider = settings.provider(NAME)

    def companies(self, industry: str, *, start: int, limit: int, timeout: float) -> Page:
        """Return up to ``limit`` companies from ``start`` (0-based) on. Raises by the table above."""
        reply = send(
            NAME,
            "GET",
            f"{self._provider.base_url}/v1/companies",
            reach=self._provider.reach,
            params={"industry": industry, "start": start, "limit": min(limit, MAX_PAGE)},
            headers={"Authorization": f"Bearer {credential(self._provider, 'api_key')}"},
            timeout=timeout,
            errors=ERRORS,
        )
        try:
            return Page.model_validate(reply.json_object())
        except ValidationError:
            raise InvalidAnswerError(NAME, "answered what is no page of companies") from None
