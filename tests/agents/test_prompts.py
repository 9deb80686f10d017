"""Prompts: strict rendering, and a brief that no value can close."""

from __future__ import annotations

import json
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

    tasks = ("adjust_length", "adjust_tone", "optimize_seo", "revise_piece", "write_piece")
    assert names == sorted((*tasks, "check_brand_guidelines", "judge", "system"))
    for name in tasks:
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


def test_facts_of_models_are_written_as_json() -> None:
    from agents.config import Brand

    found: Any = json.loads(prompts.brief({"brand": Brand(name="Acme")}).strip("`").removeprefix("json"))
    assert found["brand"]["name"] == "Acme"
