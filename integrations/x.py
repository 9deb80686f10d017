"""Public posts of the last seven days through X's API v2, ``GET /2/tweets/search/recent``, and what is left of them.

The key is the app's Bearer token. Error table (docs.x.com):

    400 bad query or page                BadRequestError
    401 bad token                        CredentialsError
    402 no credits left                  QuotaExhaustedError
    403 app not enrolled, no access      CredentialsError
    404 no such endpoint                 NotFoundError
    429 problem "usage-capped"           QuotaExhaustedError (until the cycle ends)
    429 otherwise                        RateLimitedError, until x-rate-limit-reset (Unix time)
    an answer without what was asked     InvalidAnswerError, which names the field

Other statuses: :mod:`integrations.http_errors`. Without a hit ``data`` is absent, which is no fault of the answer. X's
sentences may quote the query, so only its problem types are repeated.
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
)
from integrations.fields import Fields, inner, missing, rows, text, whole
from integrations.http import HttpReply, QueryValue, credential, send
from integrations.online import OnlineCheck
from integrations.settings import Settings
from integrations.values import MAX_URL, http_url

NAME = "x"
MAX_QUERY = 512  #: characters of a query
MIN_PAGE, MAX_PAGE = 10, 100  #: posts of one page
RESET_HEADER = "x-rate-limit-reset"
USAGE_CAPPED = "usage-capped"

ERRORS: Mapping[int, type[IntegrationError]] = {
    400: BadRequestError,
    401: CredentialsError,
    402: QuotaExhaustedError,
    403: CredentialsError,
    404: NotFoundError,
    429: RateLimitedError,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Author:
    """Public profile of an account that posts."""

    username: str
    name: str = ""
    description: str = ""
    url: str | None = None  #: the site that the profile names, as it is behind X's short link
    location: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """A public post, of which only the author is of use here."""

    id: str
    author: Author


@dataclass(frozen=True, slots=True, kw_only=True)
class PostPage:
    """One page of posts, and the token of the next, or None for the last."""

    posts: tuple[Post, ...]
    next_token: str | None = None


class X:
    """Client of X's API v2, safe to use from several threads."""

    def __init__(self, settings: Settings) -> None:
        self._provider = settings.provider(NAME)

    def posts(self, query: str, *, num: int = MAX_PAGE, next_token: str | None = None, timeout: float) -> PostPage:
        """Return one page of about ``num`` recent posts for a query in X's own language, newest first.

        A page has 10 to 100 posts, whatever ``num`` is. Raises BadRequestError for a query above 512 characters,
        which is not sent.
        """
        if len(query) > MAX_QUERY:
            raise BadRequestError(NAME, f"a query has at most {MAX_QUERY} characters, not {len(query)}")
        params: dict[str, QueryValue] = {
            "query": query,
            "max_results": max(MIN_PAGE, min(MAX_PAGE, num)),
            "tweet.fields": "author_id",
            "expansions": "author_id",
            "user.fields": "name,username,description,url,entities,location",
        }
        if next_token:
            params["next_token"] = next_token
        return page_of(self._get("tweets/search/recent", params, timeout))

    def online(self, *, timeout: float) -> OnlineCheck:
        """Return how many posts of the cycle are left (``GET /2/usage/tweets``), and how much credit.

        Both questions are free ("Get usage", "Get usage credits" of docs.x.com). The second one is newer, and its
        failure is no trouble: the credit is unknown then. X calls ``cap_reset_day`` a day in one place and the number
        of days left in another, so it is told as it comes. Raises errors by the table above.
        """
        params = {"usage.fields": "cap_reset_day,project_cap,project_usage"}
        data = inner(self._get("usage/tweets", params, timeout).json_object(), "data")
        cap, used, day = (_count(data, key) for key in ("project_cap", "project_usage", "cap_reset_day"))
        if cap is None:
            raise missing(NAME, "data.project_cap")
        unread = None if used is None else max(0, cap - used)
        credit = self._credit(timeout)
        told = [] if unread is None else [f"{unread} of {cap} posts"]
        told += [] if credit is None else [f"{credit:.2f} USD of credit"]
        return OnlineCheck(
            account=f"{cap} posts a cycle" + ("" if day is None else f", cap_reset_day {day}"),
            remaining=", ".join(told),
            problems=("no posts are left until the cap is reset",) if unread == 0 else (),
            notes=("no credit is left: X refuses searches that are paid for each post (402)",) if credit == 0 else (),
        )

    def _credit(self, timeout: float) -> float | None:
        """Return the credit in USD, or None when X doesn't say."""
        try:
            found = inner(self._get("usage/credits", {}, timeout).json_object(), "data").get("total_balance")
        except IntegrationError:
            return None
        known = isinstance(found, int | float) and not isinstance(found, bool)
        return max(0.0, float(found)) if known else None  # type: ignore[arg-type]  # ``known`` says that it is a number

    def _get(self, path: str, params: Mapping[str, QueryValue], timeout: float) -> HttpReply:
        return send(
            NAME,
            "GET",
            f"{self._provider.base_url}/2/{path}",
            reach=self._provider.reach,
            params=params,
            headers={"Authorization": f"Bearer {credential(self._provider, 'access_token')}"},
            timeout=timeout,
            errors=ERRORS,
            classify=_classify,
            describe=_describe,
            reset_header=RESET_HEADER,
        )


def page_of(reply: HttpReply) -> PostPage:
    """Read a page of posts, leaving out those whose author the answer doesn't tell.

    Raises InvalidAnswerError for an answer without the number of its results, and for one that announces results and
    has no posts or no authors.
    """
    body = reply.json_object()
    meta = inner(body, "meta")
    count = whole(meta, "result_count")
    if count is None:
        raise missing(NAME, "meta.result_count")
    if count == 0:
        return PostPage(posts=(), next_token=text(meta, "next_token"))
    for key, listed in (("data", body.get("data")), ("includes.users", inner(body, "includes").get("users"))):
        if not isinstance(listed, list):
            raise missing(NAME, key)
    users = {number: user for user in rows(inner(body, "includes"), "users") if (number := text(user, "id"))}
    posts = tuple(
        Post(id=number, author=author)
        for post in rows(body, "data")[:MAX_PAGE]
        if (number := text(post, "id")) and (author := _author(users.get(text(post, "author_id") or "", {})))
    )
    return PostPage(posts=posts, next_token=text(meta, "next_token"))


def _author(user: Fields) -> Author | None:
    username = text(user, "username")
    if username is None:
        return None
    links = rows(inner(inner(user, "entities"), "url"), "urls")
    link = text(links[0], "expanded_url", MAX_URL + 1) if links else None
    return Author(
        username=username,
        name=text(user, "name") or "",
        description=text(user, "description") or "",
        url=http_url(link) if link else None,
        location=text(user, "location"),
    )


def _count(item: Fields, key: str) -> int | None:
    """Return a whole number that X writes as a number or as text, or None."""
    found = text(item, key, 19)
    return whole({key: int(found)} if found and found.isascii() and found.isdecimal() else item, key)


def _classify(reply: HttpReply) -> type[IntegrationError] | None:
    return QuotaExhaustedError if reply.status == 429 and _describe(reply) == USAGE_CAPPED else None


def _describe(reply: HttpReply) -> str | None:
    """Return the name of X's problem type, such as "usage-capped", without the address that it is the end of."""
    try:
        kind = text(reply.json_object(), "type") or ""
    except IntegrationError:
        return None
    return kind.rpartition("/")[2][:120] or None if "/problems/" in kind else None
