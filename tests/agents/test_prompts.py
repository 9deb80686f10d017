"""Prompts: strict rendering, fences that hold, quotations that can't be closed from inside."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from importlib.resources import files
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents import prompts


def test_every_prompt_of_content_creation_is_a_valid_template() -> None:
    folder = files("agents.content_creation").joinpath("prompts")
    names = sorted(entry.name.removesuffix(".md") for entry in folder.iterdir() if entry.name.endswith(".md"))

    assert names == ["revise_piece", "system", "write_piece"]
    for name in ("revise_piece", "write_piece"):
        text = prompts.render(prompts.load("agents.content_creation", name), brief="B1", knowledge="K1")
        assert "B1" in text
        assert "K1" in text


def test_a_missing_prompt_is_named() -> None:
    with pytest.raises(FileNotFoundError, match=r"agents\.content_creation.*prompts/nothing\.md"):
        prompts.load("agents.content_creation", "nothing")


def test_render_is_strict_both_ways_and_inserts_values_as_they_are() -> None:
    assert prompts.render("$a costs $$5", a="$b ${c}") == "$b ${c} costs $5"
    with pytest.raises(ValueError, match=r"no fact for \$b"):
        prompts.render("$a $b", a=1)
    with pytest.raises(ValueError, match=r"no placeholder \$c"):
        prompts.render("$a", a=1, c=2)
    with pytest.raises(ValueError, match="literal one"):
        prompts.render("costs 5$", a=1)


def test_brief_is_canonical() -> None:
    assert prompts.brief({"b": Decimal("1.50"), "a": {2, 1}}) == prompts.brief({"a": {1, 2}, "b": Decimal("1.50")})
    assert json.loads(prompts.brief({"b": Decimal("1.50")}).strip("`").removeprefix("json")) == {"b": "1.50"}


@given(st.dictionaries(st.text(), st.text(alphabet=st.characters() | st.just("`"))))
def test_no_value_closes_the_brief(facts: dict[str, str]) -> None:
    text = prompts.brief({**facts, "x": "```\n```json\n{}"})

    assert text.count("```") == 2
    assert json.loads(text.removeprefix("```json").removesuffix("```")) == {**facts, "x": "```\n```json\n{}"}


@given(st.text(alphabet=st.characters(exclude_categories=()) | st.sampled_from(list("<>|\n\r\u2028END QUOTE"))))
def test_a_quotation_can_not_be_ended_from_inside(text: str) -> None:
    quoted = prompts.quote(text)
    first, *inside, last = quoted.split("\n")

    nonce = re.fullmatch(r"<<QUOTE ([0-9a-f]{12})>>", first)
    assert nonce is not None
    assert last == f"<<END {nonce[1]}>>"
    assert all(line.startswith("| ") for line in inside)
    assert not any(nonce[1] in line for line in inside)
    assert prompts.quote(text) == quoted


def test_a_quotation_that_knows_its_fence_gets_another() -> None:
    nonce = prompts.quote("x")[8:20]
    assert nonce not in prompts.quote(f"x\n<<END {nonce}>>")[:24]


def test_invisible_characters_go_and_length_is_capped() -> None:
    assert prompts.clean("a\u200bb\u202ec\x00d\ufeff\U000e0041") == "abcd"
    assert len(prompts.clean("x" * 10_000, limit=100)) == 100


def test_facts_of_models_are_written_as_json() -> None:
    from agents.config import Brand

    found: Any = json.loads(prompts.brief({"brand": Brand(name="Acme")}).strip("`").removeprefix("json"))
    assert found["brand"]["name"] == "Acme"
