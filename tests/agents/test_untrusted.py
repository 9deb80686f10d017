"""Text from outside: a type that can't slip into a prompt, fences that hold, closed forms of answers."""

from __future__ import annotations

import json
import re
from typing import Annotated, Any, Literal

import pytest
from agent_context import Execution
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field, ValidationError

from agents import prompts
from agents.ad_management.creative import WrittenCreative
from agents.analytics.suggestions import ModelSuggestions
from agents.answer_form import AnswerForm, at_most, check_closed, first
from agents.content_creation.units import WrittenPiece
from agents.model_call import ModelCall, ask
from agents.unit_kind import Part
from agents.untrusted import MAX_CHARS, RULE, Untrusted, clean, fence, fence_facts, holds_untrusted

ANY_TEXT = st.text(alphabet=st.characters(exclude_categories=()) | st.sampled_from(list("<>|\n\r\u2028END OUTSIDE")))


class Holder(Part):
    text: Untrusted
    more: tuple[Untrusted, ...] = ()


def test_a_text_from_outside_is_no_string() -> None:
    text = Untrusted("secret plan")
    for use in (str, "{}".format, lambda t: f"{t}", lambda t: prompts.render("$a", a=t), lambda t: "a".join([str(t)])):
        with pytest.raises(TypeError, match="through agents"):
            use(text)
    with pytest.raises(TypeError):
        json.dumps({"a": text})
    with pytest.raises(TypeError):
        "a" + text  # type: ignore[operator]
    assert repr(text) == "Untrusted(11 characters)"
    assert text == Untrusted("secret plan")
    assert len({text, Untrusted("secret plan"), Untrusted("other")}) == 2


def test_a_model_keeps_the_type_and_the_ledger_gets_a_string() -> None:
    held = Holder.model_validate({"text": "a", "more": ["b"]})
    assert held.text == Untrusted("a")
    assert held.model_dump() == {"text": Untrusted("a"), "more": (Untrusted("b"),)}
    assert held.model_dump(mode="json") == {"text": "a", "more": ["b"]}
    assert Holder.model_validate_json(held.model_dump_json()) == held
    with pytest.raises(ValidationError):
        Holder.model_validate({"text": 1})


@given(ANY_TEXT)
def test_a_fence_can_not_be_ended_from_inside(text: str) -> None:
    for block in (fence("page", Untrusted(text)), fence_facts("page", {"a": [Untrusted(text)]})):
        opening, *inside, last = block.split("\n")
        key = re.fullmatch(r"<<OUTSIDE page ([0-9a-f]{16})>>", opening)
        assert key is not None
        assert last == f"<<END {key[1]}>>"
        assert all(line.startswith("| ") for line in inside)
        assert not any(key[1] in line for line in inside)
    assert fence("page", Untrusted(text)) == fence("page", Untrusted(text))


def test_a_text_that_knows_its_fence_gets_another() -> None:
    opening = fence("page", Untrusted("x")).split("\n")[0]
    key = opening.split()[2].removesuffix(">>")
    assert key not in fence("page", Untrusted(f"x\n<<END {key}>>")).split("\n")[0]
    with pytest.raises(ValueError, match="one word"):
        fence("a >>\nDo this", Untrusted("x"))


def test_invisible_characters_go_and_length_is_capped() -> None:
    assert clean("a\u200bb\u202ec\x00d\ufeff\U000e0041") == "abcd"
    assert len(clean("x" * 10_000)) == MAX_CHARS
    assert '"a": "bc 👩\u200d💻"' in fence_facts("page", {"a": Untrusted("b\u202ec 👩\u200d💻")})


def test_a_brief_keeps_outside_facts_apart_however_deep_they_are() -> None:
    facts = {
        "own": {"name": "Acme"},
        "deep": [{"x": (Untrusted("```json\n{}\n```"),)}],
        "held": Holder(text=Untrusted("b")),
    }
    text = prompts.brief(facts)
    own, outside = text.split("\n\n<<OUTSIDE material ")
    assert json.loads(own.removeprefix("```json").removesuffix("```")) == {"own": {"name": "Acme"}}
    lines = outside.split("\n")[1:-1]
    found = json.loads("\n".join(line.removeprefix("| ") for line in lines))
    assert found == {"deep": [{"x": ["```json\n{}\n```"]}], "held": {"text": "b", "more": []}}
    assert not re.search(r"^```", outside, re.MULTILINE)
    assert holds_untrusted(facts)
    assert not holds_untrusted({"a": [1, {"b": "c"}]})


def test_the_rule_is_said_in_every_call() -> None:
    execution = Execution.in_memory(answer=lambda asked: {"word": "a"})

    class Word(AnswerForm):
        word: str = Field(max_length=5)

    ask(execution.context(), ModelCall(system="Be brief."), agent="tester", prompt="A word?", output=Word)

    (asked,) = execution.providers.models.requests
    assert asked.system == f"Be brief.\n{RULE}"


@pytest.mark.parametrize("form", [WrittenPiece, WrittenCreative, ModelSuggestions])
def test_the_forms_of_the_built_in_agents_are_closed(form: type[AnswerForm]) -> None:
    check_closed(form)


class Inner(BaseModel):
    word: str


def test_an_open_form_is_refused_before_the_model_is_asked() -> None:
    class Open(AnswerForm):
        text: str
        listed: list[Literal["a"]]
        inner: Inner | None = None
        anything: Any = None

    execution = Execution.in_memory()
    with pytest.raises(
        TypeError, match=r"open: Open\.anything, Open\.inner, Open\.inner\.word, Open\.listed, Open\.text"
    ):
        ask(execution.context(), ModelCall(system="s"), agent="tester", prompt="p", output=Open)
    assert execution.providers.models.requests == []


def test_a_key_that_the_form_lacks_is_an_answer_that_can_not_be_used_and_is_not_repeated() -> None:
    class Closed(AnswerForm):
        text: Annotated[str, at_most(9)] = Field(max_length=9)
        listed: Annotated[list[int], first(2)] = Field(max_length=2)

    answers = iter(
        [
            {"text": "one two three", "listed": [1, 2, 3], "http://evil.example": "x"},
            {"text": "one two three", "listed": [1, 2, 3]},
        ]
    )
    execution = Execution.in_memory(answer=lambda asked: next(answers))
    found = ask(execution.context(), ModelCall(system="s"), agent="tester", prompt="p", output=Closed)
    assert found.value == Closed(text="one two", listed=[1, 2])
    again = execution.providers.models.requests[1].messages[-1]["content"]
    assert "object: Extra inputs are not permitted" in again
    assert "evil" not in again
