"""LinkedIn's versioned REST API: headers, Rest.li's own encoding, and what its refusals mean.

Rest.li 2.0 writes lists and records into the query with literal parentheses and commas, and escapes only
inside the values, which the usual ``params=`` of an HTTP client would break: queries are built here. Error table:

    401, 403, a token that has expired or was revoked    CredentialsError
    426, NONEXISTENT_VERSION, VERSION_MISSING            NeedsAttentionError
    404                                                  NotFoundError
    409, 412 another change was under way                TransientError
    400, 422, other 4xx                                  BadRequestError, ``detail`` names the refused fields
    429                                                  RateLimitedError
    502, 504 to a write                                  OutcomeUnknownError
    5xx otherwise                                        TransientError
    no answer, unreadable, without what was asked for    TransientError, OutcomeUnknownError to a write

LinkedIn documents no Retry-After (its limits are daily and end at midnight UTC); one from a gateway counts. Sources:
"Error handling" and "Rate limiting" of the LinkedIn API guide. Invariant: a version that LinkedIn no longer serves is
told apart from a bad request, for it needs a person (``LINKEDIN_VERSION``), not a retry.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any
from urllib.parse import quote

from integrations.ads.platform import Wire, object_id
from integrations.errors import (
    BadRequestError,
    CredentialsError,
    IntegrationError,
    NeedsAttentionError,
    OutcomeUnknownError,
    TransientError,
)
from integrations.http import HttpReply, credential, send
from integrations.settings import ProviderSettings

PROVIDER = "linkedin_ads"
PAGE_SIZE = 100
MAX_PAGES = 500
identifier = partial(object_id, PROVIDER)

#: Statuses that mean something else here than in :data:`integrations.http_errors.DEFAULT_ERRORS`.
STATUS_ERRORS: Mapping[int, type[IntegrationError]] = {
    409: TransientError,  # another change of the same object was under way
    412: TransientError,  # the same, on a versioned object
    422: BadRequestError,
    426: NeedsAttentionError,  # the version header names a version that is no longer served
}
#: LinkedIn's own codes (``code`` in the error body) that say more than the status.
CODE_ERRORS: Mapping[str, type[IntegrationError]] = {
    "NONEXISTENT_VERSION": NeedsAttentionError,
    "VERSION_MISSING": NeedsAttentionError,
    "REVOKED_ACCESS_TOKEN": CredentialsError,
    "EXPIRED_ACCESS_TOKEN": CredentialsError,
}


class RestLi:
    """LinkedIn's API for one ad account."""

    def __init__(self, settings: ProviderSettings) -> None:
        self._settings = settings

    def get(self, path: str, query: Mapping[str, str], *, timeout: float, finder: bool = False) -> dict[str, Any]:
        """Read with ``query`` values that are Rest.li text already (see :func:`urns`, :func:`text`)."""
        headers = {"X-RestLi-Method": "FINDER"} if finder else {}
        asked = "&".join(f"{name}={value}" for name, value in query.items())
        return self._send("GET", f"{path}?{asked}" if asked else path, timeout, headers=headers).json_object()

    def create(self, path: str, body: Mapping[str, Any], *, timeout: float) -> str:
        """Create an object and return its id: the header x-restli-id of a 201, whose body is empty."""
        reply = self._send("POST", path, timeout, json=body)
        found = reply.headers.get("x-restli-id") or reply.headers.get("x-linkedin-id") or ""
        if reply.status != 201 or not found:
            raise OutcomeUnknownError(PROVIDER, f"answered a creation with {reply.status} and no id")
        return found

    def update(self, path: str, changes: Mapping[str, Any], *, timeout: float) -> None:
        """Set some fields of an object (PARTIAL_UPDATE): 204, or a 200 that is no stranger's page."""
        body = {"patch": {"$set": dict(changes)}}
        reply = self._send("POST", path, timeout, json=body, headers={"X-RestLi-Method": "PARTIAL_UPDATE"})
        if reply.status not in (200, 204):
            raise OutcomeUnknownError(PROVIDER, f"answered an update with {reply.status}")
        if reply.body:
            reply.json_object()

    def pages(
        self, path: str, query: Mapping[str, str], *, wire: Wire, finder: bool = False
    ) -> Iterator[dict[str, Any]]:
        """Yield all elements of a finder, one wire call a page (cursors: ``pageToken``)."""
        token = ""
        for _ in range(MAX_PAGES):
            asked = {**query, "pageSize": str(PAGE_SIZE), **({"pageToken": text(token)} if token else {})}

            def ask(timeout: float, asked: Mapping[str, str] = asked) -> dict[str, Any]:
                return self.get(path, asked, timeout=timeout, finder=finder)

            page = wire(ask)
            yield from elements(page)
            metadata = page.get("metadata")
            token = str(metadata.get("nextPageToken") or "") if isinstance(metadata, dict) else ""
            if not token:
                return
        raise TransientError(PROVIDER, f"a listing did not end within {MAX_PAGES} pages")

    def _send(
        self, method: str, path: str, timeout: float, *, json: Any = None, headers: Mapping[str, str] | None = None
    ) -> HttpReply:
        return send(
            PROVIDER,
            method,
            f"{self._settings.base_url}/rest{path}",
            timeout=timeout,
            json=json,
            headers={
                "Authorization": f"Bearer {credential(self._settings, 'access_token')}",
                "LinkedIn-Version": self._settings.options["version"],
                "X-Restli-Protocol-Version": "2.0.0",
                **(headers or {}),
            },
            errors=STATUS_ERRORS,
            classify=lambda reply: CODE_ERRORS.get(error_code(reply)),
            describe=_described,
        )


def elements(page: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the objects of one answer.

    Raises TransientError for an answer without them.
    """
    found = page.get("elements")
    if not isinstance(found, list):
        raise TransientError(PROVIDER, "answered a listing without elements")
    return [item for item in found if isinstance(item, dict)]


def error_code(reply: HttpReply) -> str:
    """Return LinkedIn's own code in an error body, "" without one."""
    found = _error_body(reply).get("code")
    return found if isinstance(found, str) else ""


def _described(reply: HttpReply) -> str | None:
    """Return the code and the names of the refused fields, not LinkedIn's sentence, which may quote what was sent."""
    body = _error_body(reply)
    named = []
    inputs = _inner(body, "errorDetails").get("inputErrors")
    for item in inputs if isinstance(inputs, list) else []:
        found = item if isinstance(item, dict) else {}
        path = _inner(_inner(found, "input"), "inputPath").get("fieldPath")
        if isinstance(path, str):
            named.append(f"{path}: {found.get('code', '')}")
    return "; ".join([part for part in (error_code(reply), *named[:5]) if part]) or None


def _inner(found: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = found.get(key)
    return value if isinstance(value, dict) else {}


def _error_body(reply: HttpReply) -> dict[str, Any]:
    try:
        return reply.json_object()
    except IntegrationError:
        return {}


def text(value: str) -> str:
    """Return a value in Rest.li's query text: everything that is not a letter, a digit or -._~ is escaped."""
    return quote(value, safe="-._~")


def urns(values: Sequence[str]) -> str:
    """Return a list of URNs in Rest.li's query text: ``List(urn%3Ali%3A...,urn%3A...)``."""
    return f"List({','.join(text(value) for value in values)})"
