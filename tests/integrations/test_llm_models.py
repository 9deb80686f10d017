"""ChatModels over the wire: what is sent, what comes back, and servers that know half of the protocol."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from decimal import Decimal

import pytest
from llm_questions import PARIS, City, Connect, ask
from model_server import ModelServer, Reply, completion, running_model_server
from stack import Sandbox

from integrations.errors import CredentialsError, TransientError
from integrations.llm.models import ChatModels
from integrations.llm.schema import extract
from integrations.settings import Settings


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with running_model_server() as running:
        yield running


@pytest.fixture
def connect() -> Iterator[Connect]:
    with closing(Connect()) as made:
        yield made


@pytest.mark.parametrize("mode", ["json_schema", "function_calling", "json_mode"])
def test_every_mode_brings_a_valid_object_from_the_sandbox(sandbox: Sandbox, connect: Connect, mode: str) -> None:
    models = connect(f"{sandbox.url}/openai/v1", LLM_STRUCTURED_MODE=mode)

    answer = ask(models)

    City.model_validate(extract(answer.text))
    assert answer.finish_reason == "stop"
    assert answer.model == "sandbox-1"
    assert answer.system_fingerprint == "sandbox"
    assert answer.usage.input_tokens > 50
    assert (
        answer.usage.cost
        == (answer.usage.input_tokens * Decimal("0.4") + answer.usage.output_tokens * Decimal("1.6")) / 1_000_000
    )


def test_the_request_says_all_and_the_schema_stands_in_the_prompt_too(server: ModelServer, connect: Connect) -> None:
    server.answer = lambda request: Reply(body=completion(PARIS))

    ask(connect(server.url), model="some-model", temperature=0.5, seed=3, max_tokens=99)

    sent = server.requests[0]
    assert (sent["model"], sent["temperature"], sent["seed"], sent["max_completion_tokens"]) == (
        "some-model",
        0.5,
        3,
        99,
    )
    described = sent["response_format"]["json_schema"]
    assert described["strict"] is True
    assert described["schema"]["additionalProperties"] is False
    assert described["schema"]["required"] == ["name", "inhabitants", "tags"]
    assert "maxLength" not in json.dumps(described["schema"])
    assert '"maxLength":80' in sent["messages"][0]["content"]
    assert server.headers[0]["authorization"] == "Bearer sk-test-1234"


def test_a_failing_call_is_one_request(server: ModelServer, connect: Connect) -> None:
    server.answer = lambda request: Reply(status=500, body={"error": {"message": "oops"}})

    with pytest.raises(TransientError):
        ask(connect(server.url))

    assert len(server.requests) == 1


def test_json_in_a_fence_from_a_server_that_ignores_response_format(server: ModelServer, connect: Connect) -> None:
    server.answer = lambda request: Reply(body=completion(f"Here you are:\n```json\n{PARIS}\n```\nEnjoy!"))

    assert extract(ask(connect(server.url)).text)["name"] == "Paris"


def test_a_cut_off_answer_keeps_text_and_usage(server: ModelServer, connect: Connect) -> None:
    server.answer = lambda request: Reply(
        body=completion('{"name": "Par', finish="length", model="gpt-4.1-mini-2025-04-14")
    )

    answer = ask(connect(server.url))

    assert (answer.finish_reason, answer.text) == ("length", '{"name": "Par')
    assert answer.usage.output_tokens == 50
    assert answer.usage.cost == Decimal("0.00012")  # 100 x 0.40 + 50 x 1.60 per million


def test_filtered_refused_and_empty_answers_are_answers(server: ModelServer, connect: Connect) -> None:
    models = connect(server.url)

    server.answer = lambda request: Reply(body=completion("", finish="content_filter"))
    assert ask(models).finish_reason == "content_filter"
    server.answer = lambda request: Reply(body=completion(None, refusal="I can't."))
    assert ask(models).refusal == "I can't."
    server.answer = lambda request: Reply(body=completion(None))
    assert ask(models).text == ""


def test_broken_arguments_of_a_function_call_reach_the_reader(server: ModelServer, connect: Connect) -> None:
    call = {"id": "1", "type": "function", "function": {"name": "City", "arguments": '{"name": "Par'}}
    server.answer = lambda request: Reply(body=completion(None, finish="stop", tool_calls=[call]))

    answer = ask(connect(server.url, LLM_STRUCTURED_MODE="function_calling"))

    assert answer.text == '{"name": "Par'
    assert server.requests[0]["tool_choice"]["function"]["name"] == "City"


def test_an_answer_under_another_name_costs_what_was_asked_for(server: ModelServer, connect: Connect) -> None:
    """The bound was made of the asked model's price; only where nobody knows it does the answer's name tell."""
    server.answer = lambda request: Reply(body={**completion(PARIS), "model": "gpt-4.1"})

    asked = ask(connect(server.url, LLM_PRICES="fast=1:1:1"), model="fast").usage
    alias = ask(connect(server.url), model="nobody-knows-this-alias").usage

    assert asked.model == alias.model == "gpt-4.1"
    assert asked.cost == Decimal(asked.input_tokens + asked.output_tokens) / 1_000_000
    assert alias.cost == (alias.input_tokens * Decimal(2) + alias.output_tokens * Decimal(8)) / 1_000_000


def test_a_server_without_usage_is_estimated_and_an_unknown_model_has_no_price(
    server: ModelServer, connect: Connect
) -> None:
    without = {k: v for k, v in completion(PARIS).items() if k != "usage"}
    server.answer = lambda request: Reply(body=without)

    usage = ask(connect(server.url), model="llama3").usage

    assert usage.output_tokens == len(PARIS) // 4 + 1
    assert usage.input_tokens > 20
    assert usage.cost is None


def test_live_mode_without_a_key_names_the_variable() -> None:
    models = ChatModels(Settings.from_env({"MARKETING_MODE": "live"}))

    with pytest.raises(CredentialsError, match="OPENAI_API_KEY"):
        ask(models)
