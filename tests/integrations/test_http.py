"""The small HTTP layer against peers that break every rule: which error, how soon, and nothing leaked."""

from __future__ import annotations

import gzip
import logging
import pickle
import socket
import time
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from raw_server import Answer, raw_server, saying, silent, trickling

from integrations.errors import (
    BadRequestError,
    CredentialsError,
    IntegrationError,
    InvalidAnswerError,
    NotFoundError,
    OutcomeUnknownError,
    QuotaExhaustedError,
    RateLimitedError,
    TransientError,
)
from integrations.http import send
from integrations.http_errors import retry_after

OK = b"HTTP/1.1 200 OK\r\n"
SECRET = "sk-very-secret"


def status(code: int, *headers: str, body: bytes = b"{}") -> Answer:
    lines = "".join(f"{header}\r\n" for header in headers)
    head = f"HTTP/1.1 {code} x\r\nContent-Length: {len(body)}\r\nConnection: close\r\n{lines}\r\n"
    return saying(head.encode() + body)


def failing(answer: Answer, method: str = "GET", timeout: float = 5.0, **given: object) -> IntegrationError:
    with raw_server(answer) as server, pytest.raises(IntegrationError) as caught:
        send(
            "serpapi",
            method,
            f"{server.url}/x?api_key={SECRET}",
            timeout=timeout,
            headers={"Authorization": SECRET},
            **given,  # type: ignore[arg-type]  # tests hand through any keyword
        )
    error = caught.value
    assert SECRET not in f"{error!r} {error} {error.to_dict()} {error.__cause__}"
    assert isinstance(pickle.loads(pickle.dumps(error)), type(error))
    return error


def test_a_status_may_be_an_answer() -> None:
    """Where a refusal is what was asked for; all other statuses stay errors."""
    with raw_server(status(422, "x-left: 7", body=b'{"error": 1}')) as server:
        reply = send("clearbit", "GET", server.url, timeout=5.0, answers=(400, 422))
    assert (reply.status, reply.headers["X-Left"], reply.json()) == (422, "7", {"error": 1})
    assert type(failing(status(401), answers=(400, 422))) is CredentialsError


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (400, BadRequestError),
        (401, CredentialsError),
        (402, QuotaExhaustedError),
        (403, CredentialsError),
        (404, NotFoundError),
        (408, TransientError),
        (409, BadRequestError),
        (418, BadRequestError),
        (429, RateLimitedError),
        (500, TransientError),
        (502, TransientError),
        (503, TransientError),
        (504, TransientError),
        (599, TransientError),
    ],
)
def test_statuses_of_a_reading_call(code: int, expected: type[IntegrationError]) -> None:
    assert type(failing(status(code))) is expected


@pytest.mark.parametrize(
    ("code", "expected"),
    [(502, OutcomeUnknownError), (504, OutcomeUnknownError), (500, TransientError), (503, TransientError)],
)
def test_a_gateways_error_leaves_a_write_unknown(code: int, expected: type[IntegrationError]) -> None:
    assert type(failing(status(code), "POST")) is expected


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(saying(), id="dropped"),
        pytest.param(saying(b"\x00\xff nonsense\r\n\r\n"), id="not HTTP"),
        pytest.param(saying(OK + b"Content-Length: 20\r\n\r\n{}"), id="cut short"),
        pytest.param(saying(OK + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n"), id="bad chunk"),
        pytest.param(saying(OK + b"Content-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc"), id="not gzip"),
    ],
)
@pytest.mark.parametrize(("method", "expected"), [("GET", TransientError), ("POST", OutcomeUnknownError)])
def test_no_answer_after_sending(answer: Answer, method: str, expected: type[IntegrationError]) -> None:
    assert type(failing(answer, method)) is expected


@pytest.mark.parametrize(("method", "expected"), [("GET", TransientError), ("PATCH", OutcomeUnknownError)])
@pytest.mark.parametrize("answer", [silent, trickling(OK + b"Content-Length: 1000\r\n\r\n")])
def test_a_slow_answer_ends_by_its_timeout(answer: Answer, method: str, expected: type[IntegrationError]) -> None:
    began = time.monotonic()
    assert type(failing(answer, method, timeout=0.3)) is expected
    assert time.monotonic() - began < 2


def test_a_refused_connection_was_not_sent() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    for method in ("GET", "POST"):
        with pytest.raises(TransientError) as caught:
            send("hunter", method, f"http://127.0.0.1:{port}/?key={SECRET}", timeout=2)
        assert SECRET not in str(caught.value)


def test_a_body_is_bounded_even_when_compressed() -> None:
    bomb = gzip.compress(b"0" * 3_000_000)
    head = OK + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(bomb)
    assert type(failing(saying(head + bomb), max_bytes=1_000_000)) is InvalidAnswerError
    with raw_server(saying(head + bomb)) as server:
        assert len(send("x", "GET", server.url, timeout=5, max_bytes=3_000_000).body) == 3_000_000


def test_a_body_that_is_no_json() -> None:
    body = saying(OK + b"Content-Length: 6\r\n\r\n<html>")
    for method, expected in (("GET", TransientError), ("POST", OutcomeUnknownError)):
        with raw_server(body) as server:
            reply = send("x", method, server.url, timeout=5)
        with pytest.raises(expected):
            reply.json()
    for method, expected in (("GET", TransientError), ("POST", OutcomeUnknownError)):
        with raw_server(saying(OK + b"Content-Length: 2\r\n\r\n[]")) as server:
            reply = send("x", method, server.url, timeout=5)
        assert reply.json() == []
        with pytest.raises(expected):
            reply.json_object()


def test_json_comes_out_clean() -> None:
    text = b'{"a\\u0000": ["x\\ud800\\u0001y", NaN, 1e999, 1' + b"0" * 20 + b"]}"
    with raw_server(saying(OK + b"Content-Length: %d\r\n\r\n" % len(text) + text)) as server:
        assert send("x", "GET", server.url, timeout=5).json() == {"a": ["xy", None, None, None]}


def test_too_long_an_answer_to_a_write_may_have_been_carried_out() -> None:
    long = saying(OK + b"Content-Length: 2000\r\n\r\n" + b" " * 2000)
    assert type(failing(long, "POST", max_bytes=1000)) is OutcomeUnknownError
    assert type(failing(long, "GET", max_bytes=1000)) is InvalidAnswerError


@pytest.mark.parametrize("headers", [(), ("Content-Encoding: br",)])
def test_a_refusal_may_be_as_long_and_odd_as_it_likes(headers: tuple[str, ...]) -> None:
    assert type(failing(status(429, *headers, body=b"x" * 5000), max_bytes=1000)) is RateLimitedError


@pytest.mark.parametrize("location", ["http://[bad", "/\xff\xfe", "http://127.0.0.1:1/"])
def test_a_redirect_is_an_answer_and_its_body_is_bounded(location: str) -> None:
    long = status(302, f"Location: {location}", body=b"x" * 5000)
    with raw_server(long) as server:
        assert send("x", "GET", server.url, timeout=5).status == 302
    assert type(failing(long, max_bytes=1000)) is InvalidAnswerError


@pytest.mark.parametrize(
    "given",
    [
        {"params": {"q": "\ud800"}},
        {"json": {"budget": float("nan")}},
        {"headers": {"X-Key": "“quoted”"}},
        {"headers": {"X-Key": "broken\nline"}},
    ],
)
def test_what_can_not_be_sent_was_not_sent(given: dict[str, object]) -> None:
    with raw_server(status(200)) as server, pytest.raises(BadRequestError):
        send("x", "POST", server.url, timeout=5, **given)  # type: ignore[arg-type]  # hands any keyword through
    assert server.requests == []


def test_tables_and_bodies_decide_before_the_default() -> None:
    assert type(failing(status(403), errors={403: RateLimitedError})) is RateLimitedError
    quota = failing(
        status(429, body=b"out of searches"),
        errors={429: RateLimitedError},
        classify=lambda reply: QuotaExhaustedError if b"out of" in reply.body else None,
        describe=lambda reply: "code-7",
    )
    assert type(quota) is QuotaExhaustedError
    assert quota.detail == "code-7"


def test_retry_after_is_kept() -> None:
    assert failing(status(429, "Retry-After: 7")).retry_after == 7
    assert failing(status(503)).retry_after is None


def test_redirects_are_not_followed_and_cookies_not_kept() -> None:
    with raw_server(status(302, "Location: http://127.0.0.1:1/", "Set-Cookie: a=b")) as server:
        assert send("x", "GET", server.url, timeout=5).status == 302
        send("x", "GET", server.url, timeout=5)
    assert all(b"Cookie" not in request for request in server.requests)


def test_the_environments_proxy_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.delenv("NO_PROXY", raising=False)
    with raw_server(status(200)) as server:
        assert send("x", "GET", server.url, timeout=5).json() == {}


def test_keys_in_queries_are_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG), raw_server(status(200)) as server:
        send("x", "GET", f"{server.url}/?api_key={SECRET}", timeout=5)
    assert SECRET not in caplog.text


def test_retry_after_reads_dates() -> None:
    now = datetime(2026, 1, 1, 12, tzinfo=UTC)
    assert retry_after({"Retry-After": "Thu, 01 Jan 2026 12:00:30 GMT"}, now) == 30
    assert retry_after({"Retry-After": "Thu, 01 Jan 2026 11:00:00 GMT"}, now) == 0


@pytest.mark.parametrize(
    "value",
    [
        *("soon", "", "nan", "inf", "9" * 400, "1e999"),
        "Mon, 01 Jan 2026 00:00:00 +99999999999999999999",
        "Mon, 01 Jan 99999999999 00:00:00 GMT",
    ],
)
def test_retry_after_that_says_nothing(value: str) -> None:
    assert retry_after({"Retry-After": value}) is None


@given(st.text(max_size=40) | st.floats().map(str))
def test_retry_after_survives_anything(value: str) -> None:
    found = retry_after({"Retry-After": value})
    assert found is None or 0 <= found < float("inf")


def test_torn_headers_put_no_url_into_the_log(caplog: pytest.LogCaptureFixture) -> None:
    with raw_server(saying(OK + b"No colon here\r\nContent-Length: 2\r\n\r\n{}")) as server:
        send("x", "GET", server.url, timeout=5, params={"api_key": "s3cret"})
    assert "s3cret" not in caplog.text
