"""Web search through SerpApi's Google engine.

``GET /search.json``. SerpApi's protocol has the key in the query string, so no error made here holds a URL. Error table
(serpapi.com/api-status-and-error-codes):

    400 missing or bad argument          BadRequestError
    401, 403 bad key, account closed     CredentialsError
    410 result no longer stored          NotFoundError
    429 "run out of searches"            QuotaExhaustedError (until the plan renews)
    429 otherwise: hourly throughput     RateLimitedError
    5xx, search status "Error"           TransientError
    a search that has not finished       TransientError
    no answer, or one without results    TransientError

Other statuses: :mod:`integrations.http_errors`. A search without results is HTTP 200 with a top-level ``error`` string:
an empty list here, not a failure. SerpApi has no error codes, only sentences, which may quote the query and with it a
person's data. They are recognised by their words (:data:`ERROR_CODES`) and never repeated.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from integrations.errors import (
    BadRequestError,
    CredentialsError,
    IntegrationError,
    NotFoundError,
    QuotaExhaustedError,
    RateLimitedError,
    TransientError,
)
from integrations.fields import missing
from integrations.http import HttpReply, credential, send
from integrations.online import OnlineCheck, left, whole, word
from integrations.settings import Settings
from integrations.values import MAX_URL, http_url

NAME = "serpapi"
MAX_PAGE = 100  #: results that one page can hold at most
MAX_TEXT = 500  #: characters kept of a title or snippet

ERRORS: Mapping[int, type[IntegrationError]] = {
    400: BadRequestError,
    401: CredentialsError,
    403: CredentialsError,
    410: NotFoundError,
    429: RateLimitedError,
    503: TransientError,
}
OUT_OF_SEARCHES = "out_of_searches"
NO_RESULTS = "no_results"
#: Words of SerpApi's error sentences -> our code for ``detail``. The first that occurs decides.
ERROR_CODES: Mapping[str, str] = {
    "run out of searches": OUT_OF_SEARCHES,
    "throughput": "hourly_throughput",
    "any results": NO_RESULTS,
    "invalid api key": "invalid_key",
    "missing": "missing_argument",
    "unsupported": "unsupported_argument",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchResult:
    """Organic search result."""

    position: int  #: from 1, over all pages
    title: str
    link: str
    snippet: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchPage:
    """One page of search results, and whether there is another."""

    results: tuple[SearchResult, ...]
    more: bool


class SerpApi:
    """Client of SerpApi, safe to use from several threads."""

    def __init__(self, settings: Settings) -> None:
        self._provider = settings.provider(NAME)

    def page(self, query: str, *, start: int = 0, num: int = 10, timeout: float) -> SearchPage:
        """Return the results from ``start`` (0-based) on, ``num`` at most.

        Raises errors by the table above.
        """
        reply = send(
            NAME,
            "GET",
            f"{self._provider.base_url}/search.json",
            reach=self._provider.reach,
            params={
                "engine": "google",
                "q": query,
                "num": max(1, min(MAX_PAGE, num)),
                "start": start,
                "api_key": credential(self._provider, "api_key"),
            },
            timeout=timeout,
            errors=ERRORS,
            classify=_classify,
            describe=_describe,
        )
        return page_of(reply, start)

    def search(self, query: str, *, num: int = 20, timeout: float) -> list[SearchResult]:
        """Return the first ``num`` results, from as many pages as they need.

        ``timeout`` in seconds is for each page.
        """
        results: list[SearchResult] = []
        while len(results) < num:
            page = self.page(query, start=len(results), num=num - len(results), timeout=timeout)
            results += page.results
            if not page.more:
                break
        return results[:num]

    def online(self, *, timeout: float) -> OnlineCheck:
        """Return the account's plan and the searches that are left (``GET /account.json``, which costs no search).

        Raises errors by the table above, InvalidAnswerError for an answer without the searches.
        """
        found = send(
            NAME,
            "GET",
            f"{self._provider.base_url}/account.json",
            reach=self._provider.reach,
            params={"api_key": credential(self._provider, "api_key")},
            timeout=timeout,
            errors=ERRORS,
            classify=_classify,
            describe=_describe,
        ).json_object()
        if whole(found, "total_searches_left") is None:
            raise missing(NAME, "total_searches_left")
        plan, hourly = word(found, "plan_name"), whole(found, "account_rate_limit_per_hour")
        parts = [f"plan {plan}" if plan else "", f"{hourly} searches an hour" if hourly is not None else ""]
        return OnlineCheck(
            account=", ".join(part for part in parts if part),
            remaining=left(found, "total_searches_left", "searches_per_month", "searches"),
            problems=() if whole(found, "total_searches_left") else ("no searches are left until the plan renews",),
        )


def page_of(reply: HttpReply, start: int = 0) -> SearchPage:
    """Read an answer with results from ``start`` on.

    Raises TransientError for one without a page of results.
    """
    body = reply.json_object()
    code = _error_code(body)
    state = _mapping(body, "search_information").get("organic_results_state")
    status = _text(_mapping(body, "search_metadata"), "status")
    if body.get("error"):
        if state == "Fully empty" or code == NO_RESULTS:
            return SearchPage(results=(), more=False)
        raise TransientError(NAME, "the search ended in an error", detail=code)
    if status not in ("", "Success", "Cached"):
        raise TransientError(NAME, "the search has not succeeded", detail=status[:40])
    found = body.get("organic_results", [] if status else None)
    if not isinstance(found, list):
        raise missing(NAME, "organic_results", TransientError)
    results = tuple(
        SearchResult(
            position=start + place,
            title=_text(item, "title"),
            link=link,
            snippet=_text(item, "snippet"),
            source=_text(item, "source"),
        )
        for place, item in enumerate(found[:MAX_PAGE], start=1)
        if isinstance(item, dict) and (link := http_url(_text(item, "link", MAX_URL + 1)))
    )
    return SearchPage(results=results, more=bool(results) and "next" in _mapping(body, "serpapi_pagination"))


def _text(item: Mapping[str, object], key: str, most: int = MAX_TEXT) -> str:
    value = item.get(key)
    return value[:most] if isinstance(value, str) else ""


def _mapping(item: Mapping[str, object], key: str) -> Mapping[str, object]:
    value = item.get(key)
    return value if isinstance(value, Mapping) else {}


def _classify(reply: HttpReply) -> type[IntegrationError] | None:
    return QuotaExhaustedError if reply.status == 429 and _describe(reply) == OUT_OF_SEARCHES else None


def _describe(reply: HttpReply) -> str | None:
    try:
        return _error_code(reply.json_object())
    except IntegrationError:
        return None


def _error_code(body: Mapping[str, object]) -> str | None:
    error = body.get("error")
    words = error.lower() if isinstance(error, str) else ""
    return next((name for part, name in ERROR_CODES.items() if part in words), None)
