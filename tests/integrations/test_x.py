"""The client of X over the wire: posts with their authors, pages, no hits, limits, and answers as X gives them."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from raw_server import raw_server, saying
from recorded import recorded
from stack import Sandbox

from integrations.errors import (
    BadRequestError,
    CredentialsError,
    IntegrationError,
    InvalidAnswerError,
    QuotaExhaustedError,
    RateLimitedError,
)
from integrations.sandbox.world import World
from integrations.settings import Settings
from integrations.x import PostPage, X

#: An answer as docs.x.com shows it, with fields that are none of ours.
RECORDED: dict[str, Any] = recorded("x_recent_search")


def client(url: str, token: str = "t") -> X:
    return X(Settings.from_env({"X_BASE_URL": url, "X_BEARER_TOKEN": token}))


@pytest.fixture
def x(sandbox: Sandbox) -> X:
    return X(Settings.from_env({"SANDBOX_URL": sandbox.url}))


def answered(body: object, status: int = 200, headers: str = "") -> Callable[..., None]:
    text = json.dumps(body)
    return saying(f"HTTP/1.1 {status} x\r\n{headers}Content-Length: {len(text)}\r\n\r\n{text}".encode())


def test_posts_come_with_their_authors(x: X) -> None:
    page = x.posts("saas -is:retweet", num=20, timeout=5)
    assert len(page.posts) == 20
    names = {person.name for company in World.build(7).companies for person in company.people}
    names |= {company.name for company in World.build(7).companies}
    assert {post.author.name for post in page.posts} <= names
    assert all(post.author.username and post.author.description for post in page.posts)
    assert any(post.author.url and ".example" in post.author.url for post in page.posts)


def test_pages_follow_one_another_and_end(x: X) -> None:
    seen: list[str] = []
    token: str | None = None
    for _ in range(20):
        page = x.posts('saas (CEO OR "VP Marketing")', num=10, next_token=token, timeout=5)
        seen += [post.id for post in page.posts]
        token = page.next_token
        if token is None:
            break
    assert token is None
    assert len(seen) == len(set(seen)) > 10


def test_no_hits_are_an_empty_page(x: X) -> None:
    assert x.posts("xyzzy", timeout=5) == PostPage(posts=())
    # ``data`` and ``includes`` are absent then.
    with raw_server(answered({"meta": {"result_count": 0}})) as server:
        assert client(server.url).posts("q", timeout=5) == PostPage(posts=())


@pytest.mark.parametrize(
    ("token", "expected", "detail"),
    [
        ("invalid", CredentialsError, None),
        ("unenrolled", CredentialsError, "client-forbidden"),
        ("exhausted", QuotaExhaustedError, "usage-capped"),
    ],
)
def test_tokens(sandbox: Sandbox, token: str, expected: type[IntegrationError], detail: str | None) -> None:
    with pytest.raises(expected) as caught:
        client(f"{sandbox.url}/x", token).posts("saas", timeout=5)
    assert caught.value.detail == detail


@pytest.mark.parametrize("query", ["", "-is:retweet", "lang:en"])
def test_what_is_no_query_is_refused(x: X, query: str) -> None:
    with pytest.raises(BadRequestError) as caught:
        x.posts(query, timeout=5)
    assert caught.value.detail == "invalid-request"


def test_a_query_that_is_too_long_is_not_sent(x: X, sandbox: Sandbox) -> None:
    assert x.posts("a" * 512, timeout=5).posts == ()
    with pytest.raises(BadRequestError, match="at most 512 characters, not 513"):
        x.posts("a" * 513, timeout=5)
    assert len(sandbox.get("/_sandbox/calls?provider=x")) == 1


def test_a_bad_page_token_is_refused(x: X) -> None:
    with pytest.raises(BadRequestError):
        x.posts("saas", next_token="b26v", timeout=5)


def test_a_limit_ends_when_the_header_says() -> None:
    ends = int(time.time()) + 120
    header = f"x-rate-limit-reset: {ends}\r\n"
    body = {"title": "Too Many Requests", "type": "about:blank", "status": 429}
    with raw_server(answered(body, 429, header)) as server, pytest.raises(RateLimitedError) as caught:
        client(server.url).posts("saas", timeout=5)
    assert caught.value.retry_after == pytest.approx(120, abs=3)
    assert not caught.value.outage


def test_a_recorded_answer_is_read_and_what_is_unknown_in_it_left_out() -> None:
    with raw_server(answered(RECORDED)) as server:
        page = client(server.url).posts("from:XDevelopers", timeout=5)
    assert [post.id for post in page.posts] == ["1373001119480344583", "1372627771717869568"]
    author = page.posts[0].author
    assert (author.username, author.name, author.url) == ("XDevelopers", "Developers", "https://developer.x.com/")
    assert page.next_token == RECORDED["meta"]["next_token"]
    head = server.requests[0].lower()
    assert b"authorization: bearer t" in head
    assert b"max_results=100" in head


@pytest.mark.parametrize("field", ["data", "includes", "meta"])
def test_a_missing_field_is_named(field: str) -> None:
    bare = {key: value for key, value in RECORDED.items() if key != field}
    with raw_server(answered(bare)) as server, pytest.raises(InvalidAnswerError, match=f"without the field {field}"):
        client(server.url).posts("q", timeout=5)
