"""The error table of model servers, row by row, over the wire."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from model_server import ModelServer, Reply, running_model_server
from stack import Sandbox

from integrations.errors import (
    BadRequestError,
    CredentialsError,
    IntegrationError,
    NotFoundError,
    PermanentError,
    PolicyRefusedError,
    QuotaExhaustedError,
    RateLimitedError,
    TransientError,
)
from integrations.llm.errors import retry_after, translate
from integrations.llm.models import ChatModels
from integrations.settings import Settings

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def _error(message: str = "no", **fields: Any) -> dict[str, Any]:
    return {"error": {"message": message, "type": "some_error", "param": None, "code": None, **fields}}


@pytest.fixture(scope="module")
def server() -> Iterator[ModelServer]:
    with running_model_server() as running:
        yield running


def _failure(server: ModelServer, reply: Reply) -> IntegrationError:
    server.answer = lambda request: reply
    settings = Settings.from_env({"OPENAI_BASE_URL": server.url, "OPENAI_API_KEY": "sk-secret-key"})
    models = ChatModels(settings)
    try:
        with pytest.raises(IntegrationError) as caught:
            models.complete([{"role": "user", "content": "Hello"}], timeout=5)
    finally:
        models.close()
    assert "sk-secret-key" not in str(caught.value.to_dict())
    assert caught.value.provider == "openai"
    assert IntegrationError.from_dict(caught.value.to_dict()).to_dict() == caught.value.to_dict()
    return caught.value


TABLE = [
    (400, _error(), BadRequestError, "400"),
    (400, _error(code="content_filter"), PolicyRefusedError, "content_filter"),
    (400, _error(code="context_length_exceeded"), BadRequestError, "context_length_exceeded"),
    (400, _error("This model's maximum context length is 8192 tokens."), BadRequestError, "context_length_exceeded"),
    (400, _error("the request exceeds the available context size"), BadRequestError, "context_length_exceeded"),
    (401, _error("Incorrect API key provided: sk-secret-key"), CredentialsError, "401"),
    (402, _error(), QuotaExhaustedError, "402"),
    (403, _error(), CredentialsError, "403"),
    (404, _error(code="model_not_found"), NotFoundError, "model_not_found"),
    (404, b"404 page not found", NotFoundError, "404"),
    (408, _error(), TransientError, "408"),
    (409, _error(), TransientError, "409"),
    (413, _error(), BadRequestError, "413"),
    (418, _error(), BadRequestError, "418"),
    (422, _error(), BadRequestError, "422"),
    (429, _error(code="rate_limit_exceeded"), RateLimitedError, "rate_limit_exceeded"),
    (429, _error(code="insufficient_quota"), QuotaExhaustedError, "insufficient_quota"),
    (429, _error(type="insufficient_quota"), QuotaExhaustedError, "insufficient_quota"),
    (500, _error(), TransientError, "500"),
    (502, b"<html>Bad gateway</html>", TransientError, "502"),
    (503, _error(), TransientError, "503"),
    (529, _error(), TransientError, "529"),
    (200, b"<html>Sign in to the hotel network</html>", TransientError, "malformed_response"),
    (200, b"", TransientError, "malformed_response"),
    (200, {"error": {"message": "out of memory"}}, TransientError, "500"),
    (200, {"error": {"message": "Insufficient credits", "code": 402}}, QuotaExhaustedError, "402"),
    (200, {"error": {"message": "slow", "code": 429}}, RateLimitedError, "429"),
    (200, {"error": {"message": "no", "type": "insufficient_quota"}}, QuotaExhaustedError, "insufficient_quota"),
    (200, {"choices": None}, TransientError, "malformed_response"),
    (200, {"choices": []}, TransientError, "malformed_response"),
    (200, [1, 2], TransientError, "malformed_response"),
    (200, b"[" * 100_000, TransientError, "malformed_response"),
]


@pytest.mark.parametrize(("status", "body", "expected", "detail"), TABLE)
def test_each_row(server: ModelServer, status: int, body: Any, expected: type[IntegrationError], detail: str) -> None:
    headers = {"Content-Type": "text/html"} if isinstance(body, bytes) else {}

    error = _failure(server, Reply(status=status, body=body, headers=headers))

    assert type(error) is expected
    assert error.detail == detail


def test_what_the_server_says_about_a_bad_request_is_passed_on_shortened_and_without_keys(
    server: ModelServer,
) -> None:
    said = "no such field; your key sk-secret-key and Bearer abc.def are fine " + "x" * 400

    error = _failure(server, Reply(status=400, body=_error(said)))

    assert "no such field" in error.message
    assert "abc.def" not in error.message
    assert len(error.message) < 300


def test_what_a_server_sends_back_of_a_prompt_stays_out(server: ModelServer) -> None:
    said = (
        "1 validation error for Request\nmessages: Field required [type=missing, input_value={'content': "
        "'Write to jane@acme.example'}, input_type=dict] see https://errors.example/v/missing"
    )

    error = _failure(server, Reply(status=400, body=_error(said)))

    assert "messages: Field required" in error.message
    for private in ("Write to", "jane", "https://"):
        assert private not in error.message


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after-ms": "250", "retry-after": "9"}, 0.25),
        ({"retry-after": "9"}, 9.0),
        ({"retry-after": "1.5"}, 1.5),
        ({"retry-after": format_datetime(NOW + timedelta(seconds=42), usegmt=True)}, 42.0),
        ({"retry-after": format_datetime(NOW - timedelta(seconds=42), usegmt=True)}, 0.0),
        ({"retry-after": "-3"}, 0.0),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "inf"}, None),
        ({}, None),
    ],
)
def test_retry_after(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after(headers, NOW) == seconds


def test_retry_after_reaches_the_error(server: ModelServer) -> None:
    reply = Reply(status=429, body=_error(code="rate_limit_exceeded"), headers={"Retry-After": "7"})

    assert _failure(server, reply).retry_after == 7.0


def test_nobody_listens() -> None:
    with running_model_server() as server:
        url = server.url
    models = ChatModels(Settings.from_env({"OPENAI_BASE_URL": url}))
    with pytest.raises(TransientError) as caught:
        models.complete([{"role": "user", "content": "Hello"}], timeout=5)
    models.close()
    assert caught.value.detail == "unreachable"


def test_an_answer_that_can_not_be_unpacked_or_is_too_large_came_all_the_same(
    server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    packed = _failure(server, Reply(body=b"no gzip", headers={"Content-Encoding": "gzip"}))
    monkeypatch.setattr("integrations.llm.transport.MAX_ANSWER_BYTES", 10_000)
    large = _failure(server, Reply(body=b" " * 50_000))

    assert packed.detail == large.detail == "malformed_response"


FAULTS = [
    ("down", TransientError, "service_unavailable"),
    ("rate_limited", RateLimitedError, "rate_limit_exceeded"),
    ("garbage", TransientError, "malformed_response"),
    ("lost_reply", TransientError, "connection"),
    ("slow", TransientError, "timeout"),
]


@pytest.mark.parametrize(("mode", "expected", "detail"), FAULTS)
def test_faults_of_the_sandbox(sandbox: Sandbox, mode: str, expected: type[IntegrationError], detail: str) -> None:
    sandbox.post("/_sandbox/faults", {"provider": "openai", "mode": mode, "seconds": 60, "rate": 1.0})
    models = ChatModels(Settings.from_env({"SANDBOX_URL": sandbox.url}))
    try:
        with pytest.raises(expected) as caught:
            models.complete([{"role": "user", "content": "Hello"}], timeout=0.7)
    finally:
        models.close()
    assert caught.value.detail == detail


@given(st.sampled_from([ValueError, KeyError, TypeError, OSError, RuntimeError, ZeroDivisionError]), st.text())
def test_the_table_is_total(error_class: type[Exception], text: str) -> None:
    error = translate(error_class(text))

    assert isinstance(error, TransientError | PermanentError)
    assert not text or len(text) < 3 or text not in error.message or text in "the answer is no chat completion"
