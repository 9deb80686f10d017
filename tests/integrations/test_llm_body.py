"""Bodies with status 200: a completion wherever it stands, an error as what it means, or nothing that can be read."""

from __future__ import annotations

import gzip
import json
from typing import Any

import httpx2
import pytest
from model_server import completion

from integrations.errors import (
    BadRequestError,
    CredentialsError,
    IntegrationError,
    NotFoundError,
    PolicyRefusedError,
    QuotaExhaustedError,
    RateLimitedError,
    TransientError,
)
from integrations.llm.body import UnreadableBodyError
from integrations.llm.body_errors import meant_error
from integrations.llm.completion import MAX_TEXT_CHARS, plain_completion
from integrations.llm.errors import CODES, STATUSES
from integrations.llm.transport import plain

GOOD = '{"title": "Good"}'
WHOLE = json.dumps(completion(GOOD)).encode()


def read(data: bytes, **headers: str) -> Any:
    """The body that the client library is given, and its status."""
    request = httpx2.Request("POST", "http://127.0.0.1:9/v1/chat/completions")
    answer = plain(httpx2.Response(200, headers=headers, content=data, request=request))
    return answer.status_code, answer.json(), answer.headers


def said(body: Any) -> str:
    status, found, _ = read(json.dumps(body).encode())
    assert status == 200, found
    text: str = found["choices"][0]["message"]["content"]
    return text


def events(*bodies: Any) -> bytes:
    return "".join(f"data: {json.dumps(body)}\n\n" for body in bodies).encode() + b"data: [DONE]\n\n"


def delta(**fields: Any) -> dict[str, Any]:
    return {"id": "1", "model": "m", "choices": [{"index": 0, "delta": fields, "finish_reason": None}]}


@pytest.mark.parametrize(
    "data",
    [
        WHOLE,
        b"\xef\xbb\xbf" + WHOLE,
        WHOLE.decode().encode("utf-16"),
        b"\n\n  " + WHOLE,
        b": PROCESSING\n\n: PROCESSING\n\n" + WHOLE,
        WHOLE + b"\n<!-- gateway -->",
        WHOLE + WHOLE,
        b"data: " + WHOLE + b"\n\ndata: [DONE]\n\n",
        events(delta(role="assistant"), delta(content=GOOD[:5]), delta(content=GOOD[5:]), {"usage": {}, "choices": []}),
        events(*(delta(tool_calls=[{"function": {"arguments": part}}]) for part in (GOOD[:5], GOOD[5:]))),
        json.dumps(WHOLE.decode()).encode(),
        b"[" + WHOLE + b"]",
    ],
)  # fmt: skip
def test_a_completion_is_read_whatever_stands_around_it(data: bytes) -> None:
    status, found, _ = read(data)
    assert (status, found["choices"][0]["message"]["content"]) == (200, GOOD)


@pytest.mark.parametrize(
    "data",
    [
        b"", b" ", b"<html>Sign in</html>", b"null", b"[]", b"[1, 2]", b'"text"', b"17", b"{}", WHOLE[:80], b"OK",
        b"[" * 100_000, b"data: [DONE]\n\n", b'{"choices": []}', b'{"choices": null}', b'{"choices": [null]}',
        b'{"choices": [{}]}', b'{"choices": {"message": 1}}', b'{"error": null}', gzip.compress(WHOLE, mtime=0)[:30],
        b"\xff\xfe",
    ],
)  # fmt: skip
def test_what_holds_neither_a_completion_nor_an_error_is_unreadable(data: bytes) -> None:
    with pytest.raises(UnreadableBodyError):
        read(data)


def test_an_answer_that_the_server_gave_up_is_unreadable() -> None:
    with pytest.raises(UnreadableBodyError):
        read(json.dumps(completion('{"tit', finish="error")).encode())


MEANT: list[tuple[Any, type[IntegrationError]]] = [
    ({"error": {"message": "Insufficient credits.", "code": 402}}, QuotaExhaustedError),
    ({"error": {"message": "no", "code": "402"}}, QuotaExhaustedError),
    ({"error": {"message": "no", "code": "insufficient_quota"}}, QuotaExhaustedError),
    ({"error": {"message": "no", "type": "insufficient_quota"}}, QuotaExhaustedError),
    ({"error": "insufficient_quota"}, QuotaExhaustedError),
    ({"error": "You have run out of credits"}, QuotaExhaustedError),
    ({"error": {"message": "Insufficient Balance"}}, QuotaExhaustedError),
    ({"error": {"message": "slow", "code": 429}}, RateLimitedError),
    ({"error": {"message": "slow", "status": "RESOURCE_EXHAUSTED"}}, RateLimitedError),
    ({"error": "Rate limit exceeded: free-models-per-min"}, RateLimitedError),
    ([{"error": {"code": 429, "message": "slow"}}], RateLimitedError),
    ({"error": {"message": "no", "code": 401}}, CredentialsError),
    ({"error": {"message": "Invalid API key provided"}}, CredentialsError),
    ({"error": True, "message": "unauthorized", "status_code": 401}, CredentialsError),
    ({"error": {"message": "no", "code": "model_not_found"}}, NotFoundError),
    ({"object": "error", "message": "bad", "code": 400}, BadRequestError),
    ({"error": {"message": "no", "code": "content_filter"}}, PolicyRefusedError),
    ({"error": {"message": "maximum context length is 8 tokens"}}, BadRequestError),
    ({"error": {"message": "out of memory"}}, TransientError),
    ({"error": {"message": "overloaded", "type": "overloaded_error"}}, TransientError),
    ({"errors": [{"code": 429, "message": "slow"}], "success": False}, RateLimitedError),
    ({"detail": "Payment Required"}, QuotaExhaustedError),
    ({"choices": [], "error": {"code": 402}}, QuotaExhaustedError),
    ({"choices": None, "error": {"code": 429}}, RateLimitedError),
    ({"choices": [{"error": {"code": 402, "message": "no"}, "finish_reason": "error"}]}, QuotaExhaustedError),
    ({"choices": [{"error": {"code": 429}, "message": {"content": "He"}}]}, RateLimitedError),
    ({"choices": [{"message": {"content": ""}}], "error": {"code": 429}}, RateLimitedError),
]


@pytest.mark.parametrize(("body", "expected"), MEANT, ids=[json.dumps(body)[:60] for body, _ in MEANT])
def test_an_error_in_a_200_is_the_status_that_it_means(body: Any, expected: type[IntegrationError]) -> None:
    status, found, _ = read(json.dumps(body).encode())
    by_status = STATUSES[status][0] if status in STATUSES else TransientError
    assert CODES.get(found["error"]["code"] or "", by_status) is expected


def test_an_error_event_of_a_stream_counts() -> None:
    status, _, _ = read(events(delta(content="He"), {"error": {"code": 429, "message": "slow"}, "choices": []}))
    assert status == 429


def test_the_wait_that_an_error_asks_for_is_kept() -> None:
    body = {"error": {"code": 429, "message": "slow", "metadata": {"retry_after_seconds": 7}}}
    assert read(json.dumps(body).encode())[2]["retry-after"] == "7"
    assert read(json.dumps(body).encode(), **{"Retry-After": "9"})[2]["retry-after"] == "9"


def test_a_whole_answer_is_no_error_whatever_stands_beside_it() -> None:
    assert meant_error({**completion(GOOD), "error": {"code": 402}}) is None
    assert meant_error({**completion(GOOD), "error": None, "message": "fine"}) is None


@pytest.mark.parametrize(
    "message",
    [
        {"content": GOOD, "reasoning_content": '{"title": "DRAFT"}'},
        {"content": f"<think>x</think>{GOOD}"},
        {"content": [{"type": "thinking", "thinking": "DRAFT"}, {"type": "text", "text": GOOD}]},
        {"content": [{"type": "reasoning", "text": "DRAFT"}, GOOD]},
        {"content": [{"type": "output_text", "text": GOOD[:4]}, {"text": GOOD[4:]}]},
        {"content": json.loads(GOOD)},
        {"content": "", "tool_calls": [{"function": {"name": "f", "arguments": GOOD}}]},
        {"content": None, "tool_calls": [{"function": {"name": "f", "arguments": json.loads(GOOD)}}]},
        {"content": None, "function_call": {"name": "f", "arguments": GOOD}},
        {"content": GOOD.replace("G", "\0G\ud83d")},
    ],
)
def test_the_text_is_found_wherever_a_server_puts_it(message: dict[str, Any]) -> None:
    assert said({"choices": [{"message": message}]}) == GOOD


def test_reasoning_beside_an_empty_content_is_no_answer() -> None:
    for name in ("reasoning_content", "reasoning"):
        assert said({"choices": [{"message": {"content": None, name: GOOD}}]}) == ""
    assert said({"choices": [{"text": GOOD}]}) == GOOD


def test_names_and_texts_are_cleaned_and_bounded() -> None:
    whole = {**completion("x" * (MAX_TEXT_CHARS + 9), finish="MAX_TOKENS"), "system_fingerprint": "fp\0_1", "id": ["?"]}
    found = plain_completion({**whole, "model": "m\0" + "x" * 999})
    assert found["system_fingerprint"] == "fp_1"
    assert (found["id"], len(str(found["model"]))) == ("", 200)
    choice: Any = found["choices"]
    assert choice[0]["finish_reason"] == "length"
    assert len(choice[0]["message"]["content"]) == MAX_TEXT_CHARS


@pytest.mark.parametrize(
    "usage",
    [
        None,
        {},
        "none",
        [],
        {"prompt_tokens": 7},
        *({"prompt_tokens": odd, "completion_tokens": 3} for odd in (10**20, -5, 7.5, "7", True, None, [7])),
    ],
)
def test_a_meter_with_a_figure_that_can_not_be_is_not_believed_at_all(usage: Any) -> None:
    found: Any = plain_completion({**completion("x" * 400), "usage": usage})
    assert (found["usage"]["prompt_tokens"], found["usage"]["completion_tokens"]) == (0, 101)


def test_a_meter_is_believed_in_what_can_be() -> None:
    usage = {"prompt_tokens": 70, "completion_tokens": 9, "prompt_tokens_details": {"cached_tokens": 10**20}}
    found: Any = plain_completion({**completion("x"), "usage": usage})
    assert (found["usage"]["prompt_tokens"], found["usage"]["completion_tokens"]) == (70, 9)
    assert found["usage"]["prompt_tokens_details"] == {"cached_tokens": 0, "cache_write_tokens": 0}
