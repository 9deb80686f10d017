"""House rules of content: what a brand or a requirement asks of a text."""

from __future__ import annotations

from typing import Any

import pytest

from agents.config import Brand, ContentRequirement
from agents.content_creation.house_rules import broken, check, verdicts
from agents.seo.text import Text


@pytest.mark.parametrize(
    ("body", "brand", "requirement", "expected"),
    [
        ("A cheap plan.", {"banned_words": ["cheap"]}, {}, {"banned_words"}),
        ("A plan.", {"required_words": ["trust"]}, {}, {"required_words"}),
        ("A plan.", {"required_words": ["trust"]}, {"target_length": 20}, set()),
        ("A plan!", {"guidelines": ["No exclamation marks, please"]}, {}, {"guidelines"}),
        ("Use synergy.", {"guidelines": ["Avoid the word 'synergy'"]}, {}, {"guidelines"}),
        ("A plan.", {"guidelines": ['Always mention "free trial"']}, {}, {"guidelines"}),
        ("A free trial.", {"guidelines": ['Always mention "free trial"', "Never say 'cheap'"]}, {}, set()),
        ("Great \U0001f600", {"guidelines": ["no emojis"]}, {}, {"guidelines", "tone"}),
        ("Be kind.", {"guidelines": ["Sound like a neighbour"]}, {}, set()),
        ("Hey, that is awesome!", {}, {"tone": "professional"}, {"tone"}),
        ("The plan stands.", {}, {"tone": "friendly"}, {"tone"}),
        ("Hey, your plan is awesome!", {}, {"tone": "friendly"}, set()),
        ("A plan.", {}, {"call_to_action": "Book a demo"}, {"asked_action"}),
        ("A plan. Book a demo!", {}, {"call_to_action": "book a demo."}, set()),
    ],
)
def test_house_rules(body: str, brand: dict[str, Any], requirement: dict[str, Any], expected: set[str]) -> None:
    wanted = ContentRequirement(**{"target_length": 100, **requirement})
    text, its = Text(title="T", body=body), Brand(**brand)
    found = [*check(text, wanted, its), *broken(verdicts(text, its.guidelines))]

    assert {finding.check for finding in found} == expected
    assert not any(finding.ok for finding in found)
