"""ChatModels over the wire: what is sent, what comes back, and servers that know half of the protocol."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import pytest
from model_server import ModelServer, Reply, completion, running_model_server
from pydantic import BaseModel, Field
from stack import Sandbox

from integrations.errors import BadRequestError, CredentialsError, TransientError
from integrations.llm.models import ChatModels
from integrations.llm.schema import extract
from integrations.settings import Settings


class City(BaseModel):
    name: str = Field(max_length=80)
    inhabitants: int = Field(ge=0)
    tags: list[str] = []


QUESTION = [{"role": "system", "content": "You know cities."}, {"role": "user", "content": "Name one."}]
PARIS = json.dumps({"name": "Paris", "inhabitants": 2_100_000, "tags": []})


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with running_model_server() as running:
        yield running


Connect = Callable[..., ChatModels]


@pytest.fixture
def connect() -> Iterator[Connect]:
    opened: list[ChatModels] = []

    def build(url: str, **env: str) -> ChatModels:
        settings = Settings.from_env({"OPENAI_BASE_URL": url, "OPENAI_API_KEY": "sk-test-1234", **env})
        opened.append(ChatModels(settings))
        return opened[-1]

    yield build
    for models in opened:
        models.close()


def ask(models: ChatModels, **options: Any) -> Any:
    return models.complete(
        QUESTION, **{"schema": City.model_json_schema(), "schema_name": "City", "timeout": 5.0, **options}
    )


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


def test_a_silent_server_costs_the_time_limit_and_no_more(server: ModelServer, connect: Connect) -> None:
    released = threading.Event()
    server.answer = lambda request: Reply(body=lambda handler: released.wait(10))
    models = connect(server.url)
    ask_quickly(models)  # loads the libraries, so that the time below is the call's

    before = time.monotonic()
    with pytest.raises(TransientError) as caught:
        ask(models, timeout=0.3)
    released.set()

    assert caught.value.detail == "timeout"
    assert time.monotonic() - before < 2


def ask_quickly(models: ChatModels) -> None:
    with pytest.raises(TransientError):
        ask(models, timeout=0.05)


def test_a_dripping_server_can_not_hold_a_call_beyond_its_deadline(server: ModelServer, connect: Connect) -> None:
    done = threading.Event()

    def drip(handler: Any) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n")
        while not done.wait(0.05):
            try:
                handler.wfile.write(b" ")
                handler.wfile.flush()
            except OSError:
                return

    server.answer = lambda request: Reply(body=drip)
    models = connect(server.url)
    before = time.monotonic()
    try:
        with pytest.raises(TransientError) as caught:
            ask(models, timeout=0.5)
    finally:
        done.set()

    assert caught.value.detail == "timeout"
    assert time.monotonic() - before < 4


def test_an_endless_answer_is_not_read_to_its_end(
    server: ModelServer, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("integrations.llm.transport.MAX_ANSWER_BYTES", 10_000)
    server.answer = lambda request: Reply(body=json.dumps(completion(PARIS)).encode() + b" " * 50_000)

    with pytest.raises(TransientError):
        ask(connect(server.url))


def test_a_redirect_is_not_followed(server: ModelServer, connect: Connect) -> None:
    with running_model_server() as other:
        server.answer = lambda request: Reply(
            status=307, body={}, headers={"Location": f"{other.url}/chat/completions"}
        )
        with pytest.raises(BadRequestError):
            ask(connect(server.url))
        assert other.requests == []


def test_the_environment_redirects_nothing(
    server: ModelServer, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    nowhere = "http://127.0.0.1:9"
    for name in ("OPENAI_BASE_URL", "OPENAI_API_BASE", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "OPENAI_PROXY"):
        monkeypatch.setenv(name, nowhere)
    monkeypatch.setenv("LANGSMITH_GATEWAY", "true")
    monkeypatch.setenv("LANGSMITH_GATEWAY_API_KEY", "gateway-key")
    server.answer = lambda request: Reply(body=completion(PARIS))

    ask(connect(server.url))

    assert len(server.requests) == 1
    assert server.headers[0]["authorization"] == "Bearer sk-test-1234"


_TRACED = """
import sys
from integrations.llm.models import ChatModels
from integrations.settings import Settings
models = ChatModels(Settings.from_env({"SANDBOX_URL": sys.argv[1]}))
models.complete([{"role": "user", "content": "Hello"}], timeout=20)
from langchain_core.tracers.langchain import wait_for_all_tracers
wait_for_all_tracers()
models.close()
"""


@pytest.mark.parametrize(("variable", "traced"), [("LANGCHAIN_TRACING_V2", False), ("LANGSMITH_TRACING", True)])
def test_only_the_documented_switch_turns_tracing_on(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, variable: str, traced: bool
) -> None:
    with running_model_server() as service:  # stands in for the tracing service: whoever connects is recorded
        monkeypatch.setenv(variable, "true")
        monkeypatch.setenv("LANGSMITH_API_KEY", "traces")
        monkeypatch.setenv("LANGSMITH_ENDPOINT", service.url)
        _run(_TRACED, sandbox.url)

    assert bool(service.connections) == traced


def test_live_mode_without_a_key_names_the_variable() -> None:
    models = ChatModels(Settings.from_env({"MARKETING_MODE": "live"}))

    with pytest.raises(CredentialsError, match="OPENAI_API_KEY"):
        ask(models)


def test_threads_get_their_own_answers(sandbox: Sandbox, connect: Connect) -> None:
    models = connect(f"{sandbox.url}/openai/v1")

    def one(number: int) -> None:
        brief = json.dumps({"task": "paraphrase_question", "question": f"number {number}", "count": 1})
        for _ in range(5):
            answer = models.complete(
                [{"role": "user", "content": f"```json\n{brief}\n```\nAnswer in JSON."}],
                schema={"type": "object", "properties": {"questions": {"type": "array", "items": {"type": "string"}}}},
                seed=number % 3,
                timeout=20.0,
            )
            said[number].append(f"number {number}" in answer.text)

    said: dict[int, list[bool]] = {number: [] for number in range(8)}
    threads = [threading.Thread(target=one, args=(number,)) for number in said]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert said == {number: [True] * 5 for number in said}


def _run(code: str, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_call_never_loads_langgraph_and_an_import_loads_no_client(sandbox: Sandbox) -> None:
    code = """
import sys
import agents.content_creation, agents.model_call, integrations.llm.models
heavy = {"openai", "langchain_openai", "langchain_core", "langsmith", "langgraph"}
assert not heavy & set(sys.modules), heavy & set(sys.modules)
from integrations.settings import Settings
models = integrations.llm.models.ChatModels(Settings.from_env({"SANDBOX_URL": sys.argv[1]}))
answer = models.complete([{"role": "user", "content": "JSON"}], schema={"type": "object", "properties": {}}, timeout=20)
assert "openai" in sys.modules and "langgraph" not in sys.modules
models.close()
print(answer.model)
"""
    assert _run(code, sandbox.url).strip() == "sandbox-1"


def test_a_forked_child_opens_connections_of_its_own(sandbox: Sandbox) -> None:
    code = """
import os, sys
from integrations.llm.models import ChatModels
from integrations.settings import Settings
models = ChatModels(Settings.from_env({"SANDBOX_URL": sys.argv[1]}))
def ask(text):
    brief = '```json\\n{"task": "paraphrase_question", "question": "%s", "count": 1}\\n```' % text
    schema = {"type": "object", "properties": {"questions": {"type": "array", "items": {"type": "string"}}}}
    return text in models.complete([{"role": "user", "content": brief}], schema=schema, timeout=20).text
assert ask("parent")
parents = id(models._http)
children = []
for number in range(3):
    pid = os.fork()
    if pid == 0:
        right = models._http is None and all(ask(f"child {number} {i}") for i in range(10))
        os._exit(0 if right and id(models._http) != parents else 1)
    children.append(pid)
right = all(ask(f"parent {i}") for i in range(10))
codes = [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in children]
models.close()
print(right, codes)
"""
    assert _run(code, sandbox.url).strip() == "True [0, 0, 0]"
