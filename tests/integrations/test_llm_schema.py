"""Schemas on their way out, and JSON on its way back."""

from __future__ import annotations

import contextlib
import json
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field

from integrations.llm.answer import RawAnswer
from integrations.llm.schema import extract, instructions, strict
from integrations.sandbox.llm_schema import strict_problem
from integrations.usage import Usage
from integrations.values import MAX_INTEGER, clean_json


class Part(BaseModel):
    title: str = Field(default="", max_length=30, description="what it is")
    kind: Literal["a", "b"] = "a"


class Whole(BaseModel):
    parts: list[Part] = Field(min_length=1, max_length=3)
    note: str | None = None


class Knot(BaseModel):
    inner: Knot | None = None


def test_strict_is_what_strict_mode_accepts() -> None:
    found = strict(Whole.model_json_schema())

    assert strict_problem(found) is None
    assert strict_problem(Whole.model_json_schema()) is not None
    part = found["properties"]["parts"]["items"]
    assert part["required"] == ["title", "kind"]
    assert part["properties"]["title"]["description"] == "what it is. at most 30 characters"
    assert found["properties"]["parts"]["minItems"] == 1
    assert "$defs" not in found


def test_a_recursive_schema_is_refused() -> None:
    with pytest.raises(ValueError, match="recursive at 'Knot'"):
        strict(Knot.model_json_schema())


def test_the_words_hold_the_whole_schema() -> None:
    text = instructions(Whole.model_json_schema())
    assert json.loads(text[text.index("{") :]) == Whole.model_json_schema()


@pytest.mark.parametrize(
    "text",
    [
        '{"a": {"b": 1}}',
        '```json\n{"a": {"b": 1}}\n```',
        'Sure! {"a": {"b": 1}} Hope that helps {smile}',
        'The form is {"b": 1}, so:\n{"a": {"b": 1}}',
        '[{"a": {"b": 1}}]',
    ],
)
def test_extract_finds_the_object(text: str) -> None:
    assert extract(text) == {"a": {"b": 1}}


def test_extract_accepts_raw_line_breaks_in_strings() -> None:
    assert extract('{"body": "one\ntwo"}') == {"body": "one\ntwo"}


@pytest.mark.parametrize("text", ["", "no", "[1, 2]", "{broken", "{" * 5000, "null"])
def test_extract_says_that_there_is_none(text: str) -> None:
    with pytest.raises(ValueError, match="no JSON object"):
        extract(text)


def test_extract_takes_the_last_of_objects_of_a_size_and_no_fragment() -> None:
    draft, good = (
        json.dumps({"title": "DRAFT", "body": "long " * 9}),
        json.dumps({"title": "Good", "body": "short " * 5}),
    )

    assert extract(f"First: {draft}\nBetter: {good}")["title"] == "Good"
    assert extract(f'{good}\nI left out {{"note": 1}}.')["title"] == "Good"


def test_extract_cleans_what_escapes_hide() -> None:
    assert extract('{"a\\u0000": "\\u0000b\\ud83d\\ude00\\ud83d"}') == {"a": "b\N{GRINNING FACE}"}


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999", "9223372036854775808", "1" * 6000])
def test_extract_refuses_numbers_that_can_not_be_stored(number: str) -> None:
    with pytest.raises(ValueError, match="a number in the answer is"):
        extract(f'{{"a": {{"b": [{number}]}}, "c": {{"d": 1}}}}')


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-MAX_INTEGER, MAX_INTEGER) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.text(), _JSON, min_size=1, max_size=4), st.text(alphabet=" abc.:\n#`"))
def test_extract_copes_with_prose_around_any_object(value: dict[str, Any], prose: str) -> None:
    assert extract(f"{prose}\n{json.dumps(value)}\n{prose}") == clean_json(value)


@given(st.text())
def test_extract_raises_nothing_but_value_error(text: str) -> None:
    with contextlib.suppress(ValueError):
        assert isinstance(extract(text), dict)


def test_a_raw_answer_survives_json() -> None:
    usage = Usage(provider="openai", model="m", output_tokens=5)
    raw = RawAnswer(text="x", finish_reason="stop", model="m", usage=usage, refusal=None, system_fingerprint="f")

    assert RawAnswer.from_dict(json.loads(json.dumps(raw.to_dict()))) == raw
