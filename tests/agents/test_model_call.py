"""ask(): paid once, re-asked at most twice, and never a wrong type."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from agent_context import Execution
from model_server import ModelServer, Reply, completion, running_model_server
from pydantic import Field
from stack import Sandbox

from agents.answer_form import AnswerForm
from agents.model_call import MAX_REASKS, UNREADABLE_WAITS_S, ModelCall, ask
from integrations.errors import BadRequestError, InvalidAnswerError, PolicyRefusedError, TransientError
from integrations.providers import Providers
from integrations.settings import Settings


class Idea(AnswerForm):
    title: str = Field(max_length=20)
    steps: int = Field(ge=1)


GOOD = json.dumps({"title": "Short", "steps": 3})


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with running_model_server() as running:
        yield running


@pytest.fixture
def execution(server: ModelServer) -> Iterator[Execution]:
    providers = Providers(Settings.from_env({"OPENAI_BASE_URL": server.url, "LLM_PRICES": "m=1:1:1,other=1:1:1"}))
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
    assert sorted(journal) == ["answer", "answer.1", "answer.2", "asked_again"]
    assert caught.value.provider == "openai"


def test_a_crash_between_answers_goes_on_where_it_was(server: ModelServer, execution: Execution) -> None:
    server.answer = script("no", Reply(status=500, body={}), GOOD)

    with pytest.raises(TransientError):
        question(execution)
    assert question(execution).value.steps == 3

    assert len(server.requests) == 3
    assert len(server.requests[2]["messages"]) == 4, "the retry asks the second question, not the first"


@pytest.mark.parametrize("body", [b"<html>Sign in</html>", b"", b'{"choices": []}', b"[1]"])
def test_an_answer_that_can_not_be_read_is_booked_at_its_bound_and_asked_for_twice_more(
    server: ModelServer, execution: Execution, body: bytes
) -> None:
    server.answer = lambda request: Reply(body=body)

    for wait_s in UNREADABLE_WAITS_S:
        with pytest.raises(TransientError) as caught:
            question(execution, max_tokens=100)
        assert (caught.value.detail, caught.value.retry_after) == ("malformed_response", wait_s)
    for _ in range(2):
        with pytest.raises(InvalidAnswerError, match=r"in 3 answers: the answer is no chat completion"):
            question(execution, max_tokens=100)

    assert len(server.requests) == MAX_REASKS + 1
    assert execution.costs == execution.bounds
    assert all(paid > 0 for paid in execution.costs.values())
    assert server.requests[0]["messages"] == server.requests[2]["messages"], "there is nothing to be said about it"


def test_a_page_and_a_bad_answer_share_the_two_re_asks(server: ModelServer, execution: Execution) -> None:
    server.answer = script("no", Reply(body=b"<html>"), "no")
    with pytest.raises(TransientError):
        question(execution)
    with pytest.raises(InvalidAnswerError):
        question(execution)
    assert len(server.requests) == 3


def test_what_a_meter_says_never_costs_more_than_the_bound(server: ModelServer, execution: Execution) -> None:
    meter = {"prompt_tokens": 9_000_000, "completion_tokens": 9_000_000}
    server.answer = script(Reply(body={**completion(GOOD), "usage": meter}))

    question(execution, max_tokens=100)

    assert 0 < execution.costs["answer"] <= execution.bounds["answer"]


def test_a_draft_in_the_reasoning_is_not_the_answer(server: ModelServer, execution: Execution) -> None:
    draft = json.dumps({"title": "DRAFT", "steps": 9, "more": "x" * 500})
    server.answer = script(f"<think>{draft}</think>{GOOD}", f"<think>{draft}", GOOD)

    assert question(execution).value.title == "Short"
    assert question(execution, entry="other").value.title == "Short"
    assert len(server.requests) == 3, "a text that is reasoning only is no answer"


def test_an_answer_that_can_not_be_stored_is_asked_for_again(server: ModelServer, execution: Execution) -> None:
    server.answer = script('{"title": "a", "steps": 1e999}', '{"title": "a\\u0000b", "steps": 1}\ud83d')

    assert question(execution).value.title == "ab"


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
