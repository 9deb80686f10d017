"""Servers that know a part of the protocol: what they refuse is left out or said in another way, within the call."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from model_server import ModelServer, Reply, completion, running_model_server

from integrations.errors import BadRequestError, TransientError
from integrations.llm.dialect import Dialect
from integrations.llm.models import ChatModels
from integrations.llm.schema import extract
from integrations.settings import Settings

QUESTION = [{"role": "system", "content": "You know cities."}, {"role": "user", "content": "Name one."}]
SCHEMA = {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}
PARIS = json.dumps({"name": "Paris"})


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with running_model_server() as running:
        yield running


@pytest.fixture
def models(server: ModelServer) -> Iterator[ChatModels]:
    made = ChatModels(Settings.from_env({"OPENAI_BASE_URL": server.url, "OPENAI_API_KEY": "sk-test-1234"}))
    yield made
    made.close()


def ask(models: ChatModels, **options: Any) -> Any:
    given = {"messages": QUESTION, "schema": SCHEMA, "schema_name": "City", "timeout": 5.0, **options}
    return models.complete(given.pop("messages"), **given)


def test_a_server_without_response_format_is_asked_in_words_and_remembered(
    server: ModelServer, models: ChatModels
) -> None:
    def answer(request: Mapping[str, Any]) -> Reply:
        if "response_format" in request:
            return Reply(status=400, body={"error": {"message": "response_format is not supported"}})
        return Reply(body=completion(f"Sure: {PARIS}"))

    server.answer = answer
    assert extract(ask(models).text)["name"] == "Paris"
    kinds = [(request.get("response_format") or {}).get("type") for request in server.requests]
    assert kinds == ["json_schema", "json_object", None]
    ask(models)
    assert len(server.requests) == 4, "the second question is asked in words at once"
    ask(models, model="another")
    assert len(server.requests) == 7, "another model is another dialect"


def test_a_server_that_knows_json_mode_only(server: ModelServer, models: ChatModels) -> None:
    def answer(request: Mapping[str, Any]) -> Reply:
        if request.get("response_format", {}).get("type") == "json_schema":
            return Reply(status=422, body={"detail": [{"loc": ["body"], "msg": "unknown"}]})
        return Reply(body=completion(PARIS))

    server.answer = answer
    ask(models)
    ask(models)

    kinds = [(request.get("response_format") or {}).get("type") for request in server.requests]
    assert kinds == ["json_schema", "json_object", "json_object"]


def test_a_refusal_without_a_reason_ends_after_every_form_was_tried_and_teaches_nothing(
    server: ModelServer, models: ChatModels
) -> None:
    server.answer = lambda request: Reply(status=400, body={"error": {"message": "Bad Request"}})
    with pytest.raises(BadRequestError, match="Bad Request"):
        ask(models)
    assert len(server.requests) == 3
    server.answer = lambda request: Reply(body=completion(PARIS))
    ask(models)
    assert server.requests[-1]["response_format"]["type"] == "json_schema"


def test_a_model_that_refuses_a_parameter_is_asked_without_it(server: ModelServer, models: ChatModels) -> None:
    def answer(request: Mapping[str, Any]) -> Reply:
        for name in ("temperature", "seed"):
            if name in request:
                text = f"Unsupported parameter: '{name}' is not supported with this model."
                return Reply(
                    status=400, body={"error": {"message": text, "param": name, "code": "unsupported_parameter"}}
                )
        return Reply(body=completion(PARIS))

    server.answer = answer
    ask(models)
    ask(models)

    assert len(server.requests) == 4
    last = server.requests[-1]
    assert "temperature" not in last
    assert "seed" not in last
    assert last["response_format"]["type"] == "json_schema"


ROLE_REFUSALS = [
    (400, {"object": "error", "message": "System role not supported", "code": 400}),
    (400, {"error": {"message": "Only user and assistant roles are supported!", "type": "BadRequestError"}}),
    (400, {"error": {"message": "Conversation roles must alternate user/assistant/user/assistant/..."}}),
    (400, {"error": {"message": "Unsupported value: 'messages[0].role' does not support 'system' with this model."}}),
    (400, {"error": {"message": "Developer instruction is not enabled for this model"}}),
    (422, {"error": "Template error: syntax error: System role not supported (in chat template:1)"}),
    (422, {"detail": [{"loc": ["messages", 0, "role"], "msg": "Input should be 'user' or 'assistant'"}]}),
    (500, {"error": {"code": 500, "message": "Jinja Exception: System role not supported", "type": "server_error"}}),
    (200, {"error": {"message": "System role not supported"}}),
]


@pytest.mark.parametrize(("status", "body"), ROLE_REFUSALS)
def test_a_server_without_a_system_role_finds_the_instructions_in_the_users_message(
    server: ModelServer, models: ChatModels, status: int, body: Any
) -> None:
    def answer(request: Mapping[str, Any]) -> Reply:
        if any(message["role"] == "system" for message in request["messages"]):
            return Reply(status=status, body=body)
        return Reply(body=completion(PARIS))

    server.answer = answer

    for _ in range(2):
        assert extract(ask(models).text) == {"name": "Paris"}

    assert len(server.requests) == 3, "remembered"
    (message,) = server.requests[-1]["messages"]
    assert message["role"] == "user"
    assert message["content"].startswith("You know cities.")
    assert message["content"].endswith("Name one.")
    assert server.requests[-1]["response_format"]["type"] == "json_schema"
    assert server.requests[-1]["temperature"] == 0.2


def test_roles_alternate_where_they_must() -> None:
    roles = ("system", "user", "user", "assistant", "user")
    asked = [{"role": role, "content": str(number)} for number, role in enumerate(roles)]

    told = Dialect("plain", frozenset({"system"})).messages(asked)

    assert [(one["role"], one["content"]) for one in told] == [
        ("user", "0\n\n1\n\n2"),
        ("assistant", "3"),
        ("user", "4"),
    ]
    assert Dialect("plain").messages(asked) == asked


@pytest.mark.parametrize("known", ["max_tokens", "max_completion_tokens"])
def test_the_bound_of_an_answer_goes_by_the_name_that_the_server_knows(
    server: ModelServer, models: ChatModels, known: str
) -> None:
    def answer(request: Mapping[str, Any]) -> Reply:
        unknown = {"max_tokens", "max_completion_tokens"} & set(request) - {known}
        if unknown:
            return Reply(status=400, body={"error": {"message": f"Unrecognized request argument supplied: {unknown}"}})
        return Reply(body=completion(PARIS))

    server.answer = answer
    for _ in range(2):
        ask(models, max_tokens=77)
    assert server.requests[-1][known] == 77
    # The other name, when the server has changed its mind.
    known = "max_tokens" if known == "max_completion_tokens" else "max_completion_tokens"
    ask(models, max_tokens=77)
    assert server.requests[-1][known] == 77
    assert all({"max_tokens", "max_completion_tokens"} & set(request) for request in server.requests)


def test_a_call_without_a_bound_of_its_own_is_bounded(server: ModelServer, models: ChatModels) -> None:
    server.answer = lambda request: Reply(body=completion(PARIS))
    ask(models)
    assert server.requests[0]["max_completion_tokens"] == 4096


def test_a_server_that_takes_neither_name_is_not_asked_without_a_bound(server: ModelServer, models: ChatModels) -> None:
    server.answer = lambda request: Reply(status=400, body={"error": {"message": "max_tokens is too large"}})
    with pytest.raises(BadRequestError, match="too large"):
        ask(models)
    assert len(server.requests) == 2


def test_a_failure_that_is_not_about_roles_is_one_request(server: ModelServer, models: ChatModels) -> None:
    server.answer = lambda request: Reply(status=500, body={"error": {"message": "schema of the system tables"}})
    with pytest.raises(TransientError):
        ask(models)
    assert len(server.requests) == 1
