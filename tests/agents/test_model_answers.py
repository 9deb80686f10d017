"""Whatever a model server answers, a unit ends with a typed value or an error of the tree, at a cost within its bound.

The answers are mutations of a good one, at every depth: the text, the object in it, the completion around it, the
body's bytes and its packing. They pass the whole client, from the bytes on the wire to the unit's journal.
"""

from __future__ import annotations

import copy
import gzip
import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Annotated, Any

import httpx2
import pytest
from agent_context import Execution
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import Field

from agents.answer_form import AnswerForm, at_most, first
from agents.model_call import MAX_REASKS, ModelCall, ask
from integrations.errors import IntegrationError, TransientError
from integrations.llm.errors import MALFORMED
from integrations.providers import Providers
from integrations.settings import Settings
from integrations.values import clean_json

ANSWERS = 3  #: in one example
EXAMPLES = 10_000 // ANSWERS + 1 if settings.default.max_examples > 100 else 10


Note = Annotated[str, at_most(5000), Field(max_length=5000)]


class Idea(AnswerForm):
    title: str = Field(max_length=200)
    steps: int
    notes: Annotated[list[Note], first(100)] = Field(default=[], max_length=100)
    share: float | None = None


GOOD: dict[str, Any] = {"title": "Short", "steps": 3, "notes": ["a", "b"], "share": 0.5}
ODD_TEXTS = [
    "", "\0", "a\0b", "\ud83d", "\udc00x", "\\u0000", "<think>", "</think>", "x" * 5000, "{", "}", "null", "\u2028",
    "<|channel|>final<|message|>", '{"error": 1}', "data: {}", "error", "length", "content_filter",
    "insufficient_quota",
]  # fmt: skip
ODD_NUMBERS = [0, -1, 1, 402, 429, 503, 10**20, -(10**20), 10**400, 2**63, 0.5, 1e308, float("inf"), float("nan"), True]
ODD_CONTAINERS: list[Any] = [
    None, [], {}, [[]], [None], [{}], {"content": "a"}, {"message": {"content": [{"type": "text", "text": "{}"}]}},
    {"code": 402}, {"code": "429", "message": "slower"}, {"message": "Rate limit"},
    [{"type": "thinking", "thinking": "a"}],
    {"arguments": {"title": "a", "steps": 1}}, [{"function": {"arguments": "{}"}}], {"prompt_tokens": 10**20},
    {"error": {"code": 503}}, json.loads("[" * 50 + "]" * 50),
]  # fmt: skip
odd_values = st.sampled_from([*ODD_CONTAINERS, *ODD_TEXTS, *ODD_NUMBERS]).map(copy.deepcopy)


changed_texts = st.sampled_from(
    [
        lambda text, at: text[:at],
        lambda text, at: text[at:],
        lambda text, at: text[:at] + "\0" + text[at:],
        lambda text, at: text + "\ud83d",
        lambda text, at: f"```json\n{text}\n```",
        lambda text, at: f"<think>{text}</think>{text}",
        lambda text, at: f"{text}</think>{text}",
        lambda text, at: f"<think>{text}",
        lambda text, at: f"Sure!\n{text}",
        lambda text, at: f"[THINK]{text}[/THINK]{text}",
        lambda text, at: f"analysisWell.{text}assistantfinal{text}",
        lambda text, at: text * 2,
        lambda text, at: f"<|channel|>analysis<|message|>{text}<|end|><|channel|>final<|message|>{text}",
    ]
)


@st.composite
def mutated(draw: st.DrawFn, value: Any, most: int = 3) -> Any:
    """A deep copy of a JSON value with some of its places changed."""
    found = json.loads(json.dumps(value))
    for _ in range(draw(st.integers(0, most))):
        place, parent = found, None
        key: Any = None
        while isinstance(place, dict | list) and place and (parent is None or draw(st.booleans())):
            key = draw(st.sampled_from(sorted(place) if isinstance(place, dict) else range(len(place))))
            parent, place = place, place[key]
        if parent is None:
            return draw(odd_values)
        if isinstance(parent, dict) and draw(st.booleans()):
            key = draw(
                st.sampled_from([key, "error", "usage", "choices", "reasoning_content", "tool_calls", "refusal"])
            )
        if isinstance(parent, dict) and draw(st.integers(0, 3)) == 0:
            parent.pop(key, None)
        else:
            parent[key] = draw(odd_values)
    return found


@st.composite
def texts(draw: st.DrawFn) -> str:
    """What a model writes."""
    text = json.dumps(draw(mutated(GOOD)), ensure_ascii=draw(st.booleans()))
    for change in draw(st.lists(changed_texts, max_size=2)):
        text = change(text, draw(st.integers(0, len(text))))
    return text


@st.composite
def bodies(draw: st.DrawFn) -> tuple[int, dict[str, str], bytes]:
    """A status, headers and a body."""
    message = {"role": "assistant", "content": draw(texts())}
    reason = draw(st.sampled_from(["stop", "length", "error"]))
    completion = {
        "id": "c", "object": "chat.completion", "created": 1, "model": "gpt-4.1-mini",
        "choices": [{"index": 0, "message": message, "finish_reason": reason}],
        "usage": {"prompt_tokens": 100, "completion_tokens": 50, "total_tokens": 150},
    }  # fmt: skip
    whole = json.dumps(draw(mutated(completion)), ensure_ascii=draw(st.booleans()))
    data = whole.encode("utf-8", "surrogatepass")
    at = draw(st.integers(0, len(data)))
    headers = {"content-type": draw(st.sampled_from(["application/json", "text/html", "text/event-stream"]))}
    how = draw(
        st.sampled_from([*["as it is"] * 4, "cut", "bom", "more", "page", "empty", "stream", "packed", "broken"])
    )
    match how:
        case "cut":
            data = data[:at]
        case "bom":
            data = b"\xef\xbb\xbf" + data
        case "more":
            data += draw(st.sampled_from([b"\0", b"\n<!-- gateway -->", data]))
        case "page":
            data = b"<html><body>Sign in</body></html>"
        case "empty":
            data = b""
        case "stream":
            data = b": keep-alive\n\ndata: " + data + b"\n\ndata: [DONE]\n\n"
        case "packed":
            data, headers["content-encoding"] = gzip.compress(data), "gzip"
        case "broken":
            headers["content-encoding"] = "gzip"
    return draw(st.sampled_from([200] * 9 + [201, 400, 500])), headers, data


@pytest.fixture
def execution() -> Iterator[Execution]:
    found = Settings.from_env({"OPENAI_BASE_URL": "http://127.0.0.1:9/v1", "LLM_MODEL": "gpt-4.1-mini"})
    providers = Providers(found)
    yield Execution(providers)
    providers.models.close()


@pytest.mark.timeout(900)  # ten thousand answers take a minute of a processor's time
@settings(max_examples=EXAMPLES, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(answers=st.lists(bodies(), min_size=ANSWERS, max_size=ANSWERS))
def test_no_answer_is_more_than_the_client_can_take(
    execution: Execution, monkeypatch: pytest.MonkeyPatch, answers: list[tuple[int, dict[str, str], bytes]]
) -> None:
    left = list(answers)

    def answer(transport: httpx2.HTTPTransport, request: httpx2.Request) -> httpx2.Response:
        status, headers, data = left.pop(0) if left else answers[-1]
        return httpx2.Response(status, headers=headers, stream=httpx2.ByteStream(data))

    monkeypatch.setattr(httpx2.HTTPTransport, "handle_request", answer)
    while left:
        execution.journals.clear()
        execution.costs.clear()
        _a_unit_ends(execution)


def _a_unit_ends(execution: Execution) -> None:
    """Try a unit until it has ended, or failed for a reason that is not its answers."""
    tries = 0
    while True:
        tries += 1
        try:
            ask(execution.context(), ModelCall(system="Be brief."), agent="tester", prompt="An idea?", output=Idea,
                max_tokens=500)  # fmt: skip
            break
        except TransientError as error:
            if error.detail != MALFORMED:
                break
        except IntegrationError:
            break
    assert tries <= MAX_REASKS + 1
    assert len(execution.costs) <= MAX_REASKS + 1
    for entry, paid in execution.costs.items():
        assert 0 <= paid <= execution.bounds[entry] < Decimal("0.1")
    for journal in execution.journals.values():
        for text in journal.values():
            assert clean_json(json.loads(text)) == json.loads(text), "what is journaled can be stored"
            assert len(text) < 1_000_000
