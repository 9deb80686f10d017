"""The SerpApi client over the wire: paging, no results, each row of its error table, nothing leaked."""

from __future__ import annotations

import pytest
from raw_server import Answer, raw_server, saying
from stack import Sandbox

from integrations.errors import (
    BadRequestError,
    CredentialsError,
    IntegrationError,
    QuotaExhaustedError,
    RateLimitedError,
    TransientError,
)
from integrations.serpapi import SerpApi
from integrations.settings import Settings


def client(url: str, key: str = "k") -> SerpApi:
    return SerpApi(Settings.from_env({"SERPAPI_BASE_URL": url, "SERPAPI_API_KEY": key}))


@pytest.fixture
def search(sandbox: Sandbox) -> SerpApi:
    return SerpApi(Settings.from_env({"SANDBOX_URL": sandbox.url}))


def test_companies_and_profiles_are_found(search: SerpApi) -> None:
    results = search.search('saas companies "VP marketing"', num=20, timeout=5)
    assert len(results) == 20
    profiles = [result for result in results if "linkedin.com/in/" in result.link]
    assert profiles
    assert all("VP" in result.title for result in profiles)
    assert any(".example:" in result.link for result in results)
    assert all("[sandbox]" in result.snippet for result in results)


def test_pages_are_put_together(search: SerpApi, sandbox: Sandbox) -> None:
    whole = search.search("saas companies", num=30, timeout=5)
    pages = [search.page("saas companies", start=start, num=10, timeout=5) for start in (0, 10, 20)]
    assert [r for page in pages for r in page.results] == whole
    assert [r.position for r in whole] == list(range(1, 31))
    last = search.page("saas companies", start=50, num=20, timeout=5)
    assert last.results
    assert not last.more


def test_no_results_are_no_failure(search: SerpApi) -> None:
    assert search.search("xyzzy plugh", timeout=5) == []


def test_the_same_query_gets_the_same_answer(search: SerpApi, sandbox: Sandbox) -> None:
    first = search.search("finance companies", timeout=5)
    search.search("energy companies", timeout=5)
    assert search.search("finance companies", timeout=5) == first
    sandbox.reset(seed=8)
    assert search.search("finance companies", timeout=5) != first


@pytest.mark.parametrize(("key", "expected"), [("invalid", CredentialsError), ("exhausted", QuotaExhaustedError)])
def test_keys(sandbox: Sandbox, key: str, expected: type[IntegrationError]) -> None:
    with pytest.raises(expected):
        client(f"{sandbox.url}/serpapi", key).search("saas", timeout=5)


def test_an_empty_query_is_refused(search: SerpApi) -> None:
    with pytest.raises(BadRequestError):
        search.search(" ", timeout=5)


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        ("down", TransientError),
        ("rate_limited", RateLimitedError),
        ("lost_reply", TransientError),
        ("garbage", TransientError),
        ("slow", TransientError),
    ],
)
def test_faults(search: SerpApi, sandbox: Sandbox, mode: str, expected: type[IntegrationError]) -> None:
    sandbox.post("/_sandbox/faults", {"provider": "serpapi", "mode": mode, "delay": 1})
    with pytest.raises(expected) as caught:
        search.search("saas", timeout=0.3 if mode == "slow" else 5)
    assert type(caught.value) is expected
    sandbox.post("/_sandbox/faults", {"provider": "serpapi", "mode": "ok"})
    assert search.search("saas", timeout=5)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ('{"organic_results": 7}', TransientError),
        ("[]", TransientError),
        ("{}", TransientError),
        ('{"search_information": 3, "error": "Something else."}', TransientError),
        ('{"search_metadata": {"status": "Error"}}', TransientError),
        ('{"search_metadata": {"status": "Queued"}, "organic_results": []}', TransientError),
    ],
)
def test_odd_answers_are_our_errors(body: str, expected: type[IntegrationError]) -> None:
    with raw_server(answering(body)) as server, pytest.raises(expected):
        client(server.url).search("saas", timeout=5)


@pytest.mark.parametrize(
    "body",
    [
        '{"organic_results": ["x", {"title": 3}, {"link": "javascript:alert(1)"}]}',
        '{"search_metadata": {"status": "Success"}, "local_results": {}}',
    ],
)
def test_odd_results_are_left_out(body: str) -> None:
    with raw_server(answering(body)) as server:
        assert client(server.url).search("saas", timeout=5) == []


def answering(body: str) -> Answer:
    return saying(f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode())


def test_the_key_is_in_no_error() -> None:
    body = '{"error": "no"}'
    answer = saying(f"HTTP/1.1 401 No\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode())
    with raw_server(answer) as server, pytest.raises(CredentialsError) as caught:
        client(server.url, "sk-secret").search("saas", timeout=5)
    assert b"sk-secret" in server.requests[0]
    assert "sk-secret" not in repr(caught.value.to_dict())
