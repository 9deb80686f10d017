"""Reasoning is cut before anything reads the text, and answers that merely speak of it are left alone."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations.llm.reasoning import cut_reasoning

GOOD = json.dumps({"title": "Good", "body": "Short."})
DRAFT = json.dumps({"title": "DRAFT", "body": "A much longer draft that must never be published. " * 5})

CUT = {
    "pair": f"<think>\nMaybe {DRAFT}\nNo.\n</think>\n\n{GOOD}",
    "upper case": f"<THINK>{DRAFT}</THINK>{GOOD}",
    "thinking": f"<thinking>{DRAFT}</thinking>\n{GOOD}",
    "reasoning with an attribute": f'<reasoning effort="high">{DRAFT}</reasoning>{GOOD}',
    "name space": f"<seed:think>{DRAFT}</seed:think>{GOOD}",
    "closing mark only": f"Well, {DRAFT}\n</think>\n{GOOD}",
    "broken draft": f'<think>{{"title": "DRAFT", oops </think>{GOOD}',
    "half a draft": f"<think>{DRAFT[:40]}</think>{GOOD}",
    "twice": f"<think>{DRAFT}</think><think>{DRAFT}</think>{GOOD}",
    "nested": f"<think>a <think>b</think> {DRAFT}</think>{GOOD}",
    "a mention within": f"<think>I use the <think> tag. {DRAFT}</think>{GOOD}",
    "the other name": f"<think>{DRAFT}</reasoning>{GOOD}",
    "before and after": f"{GOOD}<think>{DRAFT}</think>",
    "left open behind": f"{GOOD}\n<think>{DRAFT}",
    "brackets": f"[THINK]{DRAFT}[/THINK]{GOOD}",
    "triangles": f"◁think▷{DRAFT}◁/think▷{GOOD}",
    "tokens": f"<|begin_of_thought|>{DRAFT}<|end_of_thought|>{GOOD}",
    "Cohere": f"<|START_THINKING|>{DRAFT}<|END_THINKING|>{GOOD}",
    "Harmony": f"<|channel|>analysis<|message|>{DRAFT}<|end|>"
    f"<|start|>assistant<|channel|>final<|message|>{GOOD}<|return|>",
    "Harmony, constrained": f"<|channel|>analysis<|message|>{DRAFT}<|end|>"
    f"<|start|>assistant<|channel|>final <|constrain|>json<|message|>{GOOD}",
    "Harmony without its tokens": f"analysisWe need {DRAFT}.assistantfinal{GOOD}",
}
NOTHING_LEFT = {
    "unclosed": f"<think>{DRAFT}",
    "closed at the end": f"{DRAFT}</think>",
    "brackets": f"[THINK]{DRAFT}",
    "no final channel": f"<|channel|>analysis<|message|>{DRAFT}",
    "no final channel, without tokens": f"analysisWe need {DRAFT}",
    "another channel": f"<|channel|>commentary<|message|>{DRAFT}<|end|>",
}
KEPT = [
    json.dumps({"title": "How <think> tags work", "body": "First <think>, then </think>."}),
    json.dumps({"body": "<|channel|>final<|message|> is a mark, [THINK] is another."}),
    f"```json\n{json.dumps({'body': 'Use </think> to end it'})}\n```",
    f"Here you are: {json.dumps({'body': '<think>'})} Enjoy!",
    "Think again: a thinking cap costs < 3 and > 2.",
    "",
]


@pytest.mark.parametrize("text", CUT.values(), ids=CUT)
def test_only_the_answer_is_left(text: str) -> None:
    assert cut_reasoning(text) == GOOD


@pytest.mark.parametrize("text", NOTHING_LEFT.values(), ids=NOTHING_LEFT)
def test_reasoning_without_an_answer_leaves_nothing(text: str) -> None:
    assert cut_reasoning(text) == ""


@pytest.mark.parametrize("text", KEPT)
def test_an_answer_that_speaks_of_marks_is_left_alone(text: str) -> None:
    assert cut_reasoning(text) == text


@pytest.mark.parametrize("text", KEPT[:2])
def test_an_answer_that_speaks_of_marks_survives_behind_reasoning(text: str) -> None:
    assert cut_reasoning(f"<think>{DRAFT}</think>{text}") == text


@given(st.text(alphabet='<>/think[]THINK{}"ab \n|', max_size=200))
def test_any_text_is_cut_to_a_part_of_it(text: str) -> None:
    assert len(cut_reasoning(text)) <= len(text)


def test_a_text_full_of_braces_is_read_in_time() -> None:
    assert cut_reasoning("{" * 100_000 + "</think>" + GOOD) == GOOD
