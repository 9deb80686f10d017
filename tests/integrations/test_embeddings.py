"""Embeddings over the wire: the sandbox's, odd servers, and whose key goes where."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from model_server import ModelServer, Reply, running_model_server
from stack import Sandbox

from integrations.errors import TransientError
from integrations.llm.embeddings import Embeddings
from integrations.settings import Settings


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with running_model_server() as running:
        yield running


def client(**env: str) -> Embeddings:
    return Embeddings(Settings.from_env(env))


def test_the_sandbox_embeds_at_a_price(sandbox: Sandbox) -> None:
    made = client(SANDBOX_URL=sandbox.url)
    found = made.embed(["technicians", "technician", "refund"], timeout=10)
    made.close()
    near, far = (sum(a * b for a, b in zip(found.vectors[0], other, strict=True)) for other in found.vectors[1:])
    assert near > 0.5 > far
    assert found.usage.input_tokens > 0
    assert found.usage.cost is not None
    assert found.usage.cost <= (made.upper_bound(["technicians", "technician", "refund"]) or 0)


def test_another_server_never_gets_the_models_key(server: ModelServer) -> None:
    server.answer = lambda request: Reply(body={"data": [{"embedding": [3, 4]} for _ in request["input"]]})
    made = client(EMBEDDING_BASE_URL=server.url, OPENAI_API_KEY="sk-secret", OPENAI_BASE_URL="http://127.0.0.1:1/v1")
    assert made.embed(["a", "b"], timeout=10).vectors == ((0.6, 0.8), (0.6, 0.8))
    made.close()
    assert "sk-secret" not in str(server.headers)
    assert server.requests[0]["input"] == ["a", "b"]


@pytest.mark.parametrize(
    "body",
    [
        b"<html>", {}, {"data": []}, {"data": [{"embedding": "x"}]}, {"data": [{"embedding": [float("nan")]}]},
        {"data": [{"embedding": [0.0, 0.0]}]}, {"data": [{"embedding": [1.0]}, {"embedding": [1.0]}]},
    ],
)  # fmt: skip
def test_what_is_no_vector_per_text_is_refused(server: ModelServer, body: Any) -> None:
    server.answer = lambda request: Reply(body=body)
    made = client(EMBEDDING_BASE_URL=server.url)
    with pytest.raises(TransientError):
        made.embed(["a"], timeout=10)
    made.close()
