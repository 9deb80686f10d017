"""LinkedIn's versioned REST API: headers, Rest.li's own encoding, and what its refusals mean.

Rest.li 2.0 writes lists and records into the query with literal parentheses and commas, and escapes only
inside the values, which the usual ``params=`` of an HTTP client would break: queries are built here. Error table:

    "too large", 413, 414 to a reading call              TooMuchAskedError
    401, 403, a token that has expired or was revoked    CredentialsError
    426, NONEXISTENT_VERSION, VERSION_MISSING            NeedsAttentionError
    SEGMENT_LIMIT_EXCEEDED (429)                         NeedsAttentionError
    404; 400, 422 that say that something does not exist NotFoundError
    409, 412 another change was under way                TryAgainError
    409 that says that it is there already               BadRequestError
    other 4xx that say "try later"                       TryAgainError
    400, 422, other 4xx                                  BadRequestError, ``detail`` names the refused fields
    429                                                  RateLimitedError
    502, 504 to a write                                  OutcomeUnknownError
    5xx otherwise                                        TransientError
    no answer, unreadable, without what was asked for    TransientError, OutcomeUnknownError to a write

The message ends with LinkedIn's own sentences (``message``, ``errorDetails``), cleaned by
:mod:`integrations.ads.words`. LinkedIn documents no Retry-After (its limits are daily and end at midnight UTC); one
from a gateway counts. Sources: "Error handling" and "Rate limiting" of the LinkedIn API guide. Invariant: a version
that LinkedIn no longer serves is told apart from a bad request, for it needs a person (``LINKEDIN_VERSION``).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any
from urllib.parse import quote

from integrations.ads.page_size import LARGEST_PAGE, MAX_OBJECTS, PageSize
from integrations.ads.platform import Wire, object_id, object_name
from integrations.ads.words import own_words, says_missing, says_too_much, says_try_later
from integrations.errors import (
    BadRequestError,
    CredentialsError,
    IntegrationError,
    NeedsAttentionError,
    NotFoundError,
    OutcomeUnknownError,
    TooMuchAskedError,
    TransientError,
    TryAgainError,
)
from integrations.fields import missing
from integrations.http import HttpReply, credential, send
from integrations.http_errors import error_class
from integrations.settings import ProviderSettings

PROVIDER = "linkedin_ads"
identifier, named = partial(object_id, PROVIDER), partial(object_name, PROVIDER)

#: Statuses that mean something else here than in :data:`integrations.http_errors.DEFAULT_ERRORS`.
STATUS_ERRORS: Mapping[int, type[IntegrationError]] = {
    409: TryAgainError,  # another change of the same object was under way
    412: TryAgainError,  # the same, on a versioned object
    422: BadRequestError,
    426: NeedsAttentionError,  # the version header names a version that is no longer served
}
#: Codes of a version header that names no version which is served.
VERSION_CODES = ("NONEXISTENT_VERSION", "VERSION_MISSING")
#: LinkedIn's own codes (``code`` in the error body) that say more than the status.
CODE_ERRORS: Mapping[str, type[IntegrationError]] = {
    "NONEXISTENT_VERSION": NeedsAttentionError,
    "VERSION_MISSING": NeedsAttentionError,
    "SEGMENT_LIMIT_EXCEEDED": NeedsAttentionError,  # the account holds 1,000 DMP segments: some have to be deleted
    "REVOKED_ACCESS_TOKEN": CredentialsError,
    "EXPIRED_ACCESS_TOKEN": CredentialsError,
}
#: Refusals of a request that its words may tell more about.
_EXPLAINED = frozenset({400, 405, 406, 409, 413, 414, 418, 422})
#: A 409 that no retry changes.
_THERE_ALREADY = re.compile(r"duplicat|already (?:exist|been|in use|taken)", re.IGNORECASE)


class RestLi:
    """LinkedIn's API for one ad account."""

    def __init__(self, settings: ProviderSettings) -> None:
        self._settings = settings
        self.page_size = PageSize()

    @property
    def account_urn(self) -> str:
        """URN of the ad account."""
        return f"urn:li:sponsoredAccount:{credential(self._settings, 'ad_account_id')}"

    @property
    def account_path(self) -> str:
        """Path of the ad account."""
        return f"/adAccounts/{credential(self._settings, 'ad_account_id')}"

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
            raise OutcomeUnknownError(PROVIDER, f"answered a creation with {reply.status}, without x-restli-id")
        return found

    def update(self, path: str, changes: Mapping[str, Any], *, timeout: float) -> None:
        """Set some fields of an object (PARTIAL_UPDATE): 204, or a 200 that is no stranger's page."""
        body = {"patch": {"$set": dict(changes)}}
        reply = self._send("POST", path, timeout, json=body, headers={"X-RestLi-Method": "PARTIAL_UPDATE"})
        if reply.status not in (200, 204):
            raise OutcomeUnknownError(PROVIDER, f"answered an update with {reply.status}")
        if reply.body:
            reply.json_object()

    def put(self, path: str, body: Mapping[str, Any], *, timeout: float) -> None:
        """Make an object of that key be there, however often that is repeated: 200, 201 or 204."""
        reply = self._send("PUT", path, timeout, json=body)
        if reply.status not in (200, 201, 204):
            raise OutcomeUnknownError(PROVIDER, f"answered a PUT with {reply.status}")
        if reply.body:
            reply.json_object()

    def delete(self, path: str, *, timeout: float) -> None:
        """Delete an object: 200 or 204."""
        reply = self._send("DELETE", path, timeout)
        if reply.status not in (200, 204):
            raise OutcomeUnknownError(PROVIDER, f"answered a deletion with {reply.status}")
        if reply.body:
            reply.json_object()

    def create_many(self, path: str, items: Sequence[Mapping[str, Any]], *, timeout: float) -> None:
        """Create objects by one request (BATCH_CREATE), which carries each of them out, or refuses it, by itself.

        Raises OutcomeUnknownError for an answer that doesn't tell about each. Where some are refused, raises the error
        of the first status that another attempt may help, else of the first one; the others are created.
        """
        body = {"elements": [dict(item) for item in items]}
        reply = self._send("POST", path, timeout, json=body, headers={"X-RestLi-Method": "BATCH_CREATE"})
        statuses = _statuses(reply.json_object())
        if len(statuses) != len(items):
            raise OutcomeUnknownError(PROVIDER, f"answered a creation of {len(items)} objects about {len(statuses)}")
        refused = [status for status in statuses if status >= 400]
        if refused:
            classes = [error_class("POST", status, STATUS_ERRORS) for status in refused]
            found = next((one for one in classes if issubclass(one, TransientError)), classes[0])
            told = f"status {refused[classes.index(found)]}"
            raise found(PROVIDER, f"refused {len(refused)} of {len(items)} objects of one request", detail=told)

    def pages_from(self, path: str, query: Mapping[str, str], *, wire: Wire) -> Iterator[dict[str, Any]]:
        """Yield all elements of a finder that pages by ``start`` and ``count``, one wire call a page as :meth:`pages`.

        The last page is known by ``paging.total``, else by its being shorter than what was asked for.
        """
        start = 0
        while start < MAX_OBJECTS:

            def ask(size: int, start: int = start) -> tuple[int, dict[str, Any]]:
                asked = {**query, "start": str(start), "count": str(size)}
                return size, wire(lambda timeout: self.get(path, asked, timeout=timeout))

            size, page = self.page_size.asked(ask)
            found = elements(page)
            yield from found
            here = len(page["elements"])
            start += here
            paging = page.get("paging")
            total = paging.get("total") if isinstance(paging, dict) else None
            if not here or (start >= total if isinstance(total, int) else here < size):
                return
        raise TransientError(PROVIDER, f"a listing did not end within {MAX_OBJECTS} objects")

    def pages(
        self, path: str, query: Mapping[str, str], *, wire: Wire, finder: bool = False
    ) -> Iterator[dict[str, Any]]:
        """Yield all elements of a finder, one wire call a page and one more for each page that is too big.

        The cursor is ``pageToken``.
        """
        token = ""
        seen = 0
        while seen < MAX_OBJECTS:
            asked = {**query, **({"pageToken": text(token)} if token else {})}

            def ask(size: int, asked: Mapping[str, str] = asked) -> dict[str, Any]:
                sized = {**asked, "pageSize": str(size)}
                return wire(lambda timeout: self.get(path, sized, timeout=timeout, finder=finder))

            page = self.page_size.asked(ask)
            found = elements(page)
            seen += len(found) or LARGEST_PAGE
            yield from found
            metadata = page.get("metadata")
            token = str(metadata.get("nextPageToken") or "") if isinstance(metadata, dict) else ""
            if not token:
                return
        raise TransientError(PROVIDER, f"a listing did not end within {MAX_OBJECTS} objects")

    def _send(
        self, method: str, path: str, timeout: float, *, json: Any = None, headers: Mapping[str, str] | None = None
    ) -> HttpReply:
        token = credential(self._settings, "access_token")
        return send(
            PROVIDER,
            method,
            f"{self._settings.base_url}/rest{path}",
            reach=self._settings.reach,
            timeout=timeout,
            json=json,
            headers={
                "Authorization": f"Bearer {token}",
                "LinkedIn-Version": self._settings.options["version"],
                "X-Restli-Protocol-Version": "2.0.0",
                **(headers or {}),
            },
            errors=STATUS_ERRORS,
            classify=_classified,
            describe=_described,
            words=lambda reply: own_words(*_sentences(reply), *self._remedy(reply), secrets=[token]),
        )

    def _remedy(self, reply: HttpReply) -> list[str]:
        """Return what a person does about a version that LinkedIn doesn't serve (any more)."""
        if reply.status != 426 and error_code(reply) not in VERSION_CODES:
            return []
        now = own_words(self._settings.options["version"])[:20]
        return [f"Set LINKEDIN_VERSION, now {now!r}, to a version that LinkedIn serves."]


def elements(page: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the objects of one answer.

    Raises TransientError for an answer without them.
    """
    found = page.get("elements")
    if not isinstance(found, list):
        raise missing(PROVIDER, "elements", TransientError)
    return [item for item in found if isinstance(item, dict)]


def _statuses(answer: Mapping[str, Any]) -> list[int]:
    """Return what became of each object of a BATCH_CREATE, as far as the answer tells it."""
    told = answer.get("elements")
    found = [one.get("status") if isinstance(one, dict) else None for one in told] if isinstance(told, list) else []
    return [status for status in found if isinstance(status, int) and not isinstance(status, bool)]


def error_code(reply: HttpReply) -> str:
    """Return LinkedIn's own code in an error body, "" without one."""
    found = _error_body(reply).get("code")
    return found if isinstance(found, str) else ""


def _classified(reply: HttpReply) -> type[IntegrationError] | None:
    """Return the class by LinkedIn's code, else by its words, None where only the status says something."""
    known = CODE_ERRORS.get(error_code(reply))
    if known is not None or reply.status not in _EXPLAINED:
        return known
    said = ". ".join((error_code(reply), *_sentences(reply)))
    if reply.method == "GET" and (reply.status in (413, 414) or says_too_much(said)):
        return TooMuchAskedError
    if reply.status == 409:
        return BadRequestError if _THERE_ALREADY.search(said) and not says_try_later(said) else None
    if says_try_later(said):
        return TryAgainError
    return NotFoundError if says_missing(said) else None


def _sentences(reply: HttpReply) -> list[str]:
    """Return LinkedIn's own sentences in an error body, the one about the whole request first."""
    body = _error_body(reply)
    details = body.get("errorDetails")
    inner = [details] if isinstance(details, str) else [_inner(body, "errorDetails").get("message")]
    return [text for text in (body.get("message"), *inner, *_described_inputs(body)) if isinstance(text, str)]


def _described_inputs(body: Mapping[str, Any]) -> list[str]:
    """Return what is said about each refused field."""
    found = []
    for item in _inputs(body):
        path = _field_path(item)
        description = item.get("description") or item.get("message")
        if isinstance(description, str):
            found.append(f"{path}: {description}" if path and path not in description else description)
    return found[:5]


def _described(reply: HttpReply) -> str | None:
    """Return the code and the names of the refused fields."""
    body = _error_body(reply)
    named = [f"{path}: {item.get('code', '')}" for item in _inputs(body) if (path := _field_path(item))]
    return own_words("; ".join(part for part in (error_code(reply), *named[:5]) if part)) or None


def _inputs(body: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    found = _inner(body, "errorDetails").get("inputErrors")
    return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []


def _field_path(item: Mapping[str, Any]) -> str:
    path = _inner(_inner(item, "input"), "inputPath").get("fieldPath")
    return path if isinstance(path, str) else ""


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
