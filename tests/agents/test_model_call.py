"""ask(): paid once, re-asked at most twice, and never a wrong type."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from agent_context import Execution
from model_server import ModelServer, Reply, completion, running_model_server
from pydantic import BaseModel, Field
from stack import Sandbox

from agents.model_call import MAX_REASKS, ModelCall, ask
from integrations.errors import BadRequestError, InvalidAnswerError, PolicyRefusedError, TransientError
from integrations.providers import Providers
from integrations.settings import Settings


class Idea(BaseModel):
    title: str = Field(max_length=20)
    steps: int = Field(ge=1)


GOOD = json.dumps({"title": "Short", "steps": 3})


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with running_model_server() as running:
        yield running


@pytest.fixture
def execution(server: ModelServer) -> Iterator[Execution]:
    providers = Providers(Settings.from_env({"OPENAI_BASE_URL": server.url}))
    yield Execution(providers)
    providers.models.close()


def question(execution: Execution, **options: Any) -> Any:
    call = ModelCall(system="Be brief.", model="m")
    return ask(execution.context(), call, agent="tester", prompt="An idea?", output=Idea, **options)


def script(*replies: Any) -> Callable[[Any], Reply]:
    left = list(replies)

    def answer(request: Any) -> Reply:
        reply = left.pop(0)
        return reply if isinstance(reply, Reply) else Reply(body=completion(reply))

    return answer


def test_a_good_answer_is_typed_and_says_who_made_it(server: ModelServer, execution: Execution) -> None:
    server.answer = script(f"```json\n{GOOD}\n```")

    value, produced_by = question(execution)

    assert value == Idea(title="Short", steps=3)
    assert produced_by == "openai:local-1"
    assert execution.calls == ["openai"]
    assert [usage.output_tokens for usage in execution.usages if usage] == [50]


def test_an_answer_is_paid_once(server: ModelServer, execution: Execution) -> None:
    server.answer = script(GOOD)

    assert question(execution) == question(execution)

    assert len(server.requests) == 1


def test_an_unusable_answer_is_asked_again_with_the_reason(server: ModelServer, execution: Execution) -> None:
    server.answer = script("What idea?", json.dumps({"title": "x" * 30, "steps": 0}), GOOD)

    assert question(execution).value.title == "Short"

    second, third = server.requests[1]["messages"], server.requests[2]["messages"]
    assert [m["role"] for m in second] == ["system", "user", "assistant", "user"]
    assert "holds no JSON object" in second[-1]["content"]
    assert "title: " in third[-1]["content"]
    assert "steps: " in third[-1]["content"]
    assert len(third) == 4, "only the last answer is shown"
    assert len(execution.calls) == 3


def test_every_answer_is_journaled_before_it_is_judged(server: ModelServer, execution: Execution) -> None:
    server.answer = script("no", "no", "no")

    for _ in range(2):
        with pytest.raises(InvalidAnswerError, match="no usable Idea in 3 answers") as caught:
            question(execution)

    assert len(server.requests) == MAX_REASKS + 1, "the second run found all three in the journal"
    (journal,) = execution.journals.values()
    assert sorted(journal) == ["answer", "answer.1", "answer.2"]
    assert caught.value.provider == "openai"


def test_a_crash_between_answers_goes_on_where_it_was(server: ModelServer, execution: Execution) -> None:
    server.answer = script("no", Reply(status=500, body={}), GOOD)

    with pytest.raises(TransientError):
        question(execution)
    assert question(execution).value.steps == 3

    assert len(server.requests) == 3
    assert len(server.requests[2]["messages"]) == 4, "the retry asks the second question, not the first"


def test_a_cut_off_answer_gets_more_room(server: ModelServer, execution: Execution) -> None:
    server.answer = script(Reply(body=completion(GOOD[:10], finish="length")), GOOD)

    question(execution, max_tokens=600)

    assert server.requests[0]["max_completion_tokens"] == 600
    assert server.requests[1]["max_completion_tokens"] == 2048
    assert "cut off" in server.requests[1]["messages"][-1]["content"]


def test_an_empty_answer_is_asked_again(server: ModelServer, execution: Execution) -> None:
    server.answer = script("", GOOD)

    question(execution)

    assert [m["role"] for m in server.requests[1]["messages"]] == ["system", "user", "user"]


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        (completion(None, refusal="I won't"), "refusal"),
        (completion("", finish="content_filter"), "content_filter"),
    ],
)
def test_a_refusal_is_final(server: ModelServer, execution: Execution, body: Any, detail: str) -> None:
    server.answer = script(Reply(body=body))

    with pytest.raises(PolicyRefusedError) as caught:
        question(execution)

    assert caught.value.detail == detail
    assert len(execution.journals) == 1, "it was paid for all the same"


def test_a_prompt_too_long_is_sent_once_more_without_its_dispensable_parts(
    server: ModelServer, execution: Execution
) -> None:
    too_long = Reply(status=400, body={"error": {"message": "too long", "code": "context_length_exceeded"}})
    server.answer = script(too_long, GOOD)
    question(execution, shorter="Idea?")
    assert server.requests[1]["messages"][1]["content"] == "Idea?"

    server.answer = script(too_long, too_long)
    with pytest.raises(BadRequestError):
        question(execution, shorter="Idea?", entry="another")
    server.answer = script(too_long)
    with pytest.raises(BadRequestError):
        question(execution, entry="third")


def test_messages_of_errors_hold_no_content(server: ModelServer, execution: Execution) -> None:
    server.answer = script(*[json.dumps({"title": "jane.doe@example.com writes to you", "steps": 1})] * 3)

    with pytest.raises(InvalidAnswerError) as caught:
        question(execution)

    assert "jane" not in str(caught.value.to_dict())


@pytest.mark.parametrize("how", ["prose", "broken", "empty", "wrong"])
def test_the_sloppy_sandbox_model_is_mended_by_asking_again(sandbox: Sandbox, how: str) -> None:
    sandbox.reset(world={"openai": {"bad_first": how}})
    providers = Providers(Settings.from_env({"SANDBOX_URL": sandbox.url}))
    execution = Execution(providers)

    assert isinstance(question(execution).value, Idea)

    providers.models.close()
    assert len(execution.calls) == 2


def test_a_cut_off_sandbox_answer_is_mended(sandbox: Sandbox) -> None:
    sandbox.reset(world={"openai": {"cut_first": True}})
    providers = Providers(Settings.from_env({"SANDBOX_URL": sandbox.url}))
    execution = Execution(providers)

    question(execution)

    providers.models.close()
    assert len(execution.calls) == 2


def test_on_the_way_of_another_model_that_one_is_asked_and_named(server: ModelServer, execution: Execution) -> None:
    server.answer = script("What idea?", "What?", "No.", GOOD)
    with pytest.raises(InvalidAnswerError):
        question(execution)

    execution.fallback = "model:other"
    value, produced_by = question(execution)

    assert value == Idea(title="Short", steps=3), "the first model's answers were taken for the other's"
    assert produced_by == "openai:local-1 (fallback)"
    assert [request["model"] for request in server.requests] == ["m"] * 3 + ["other"]
