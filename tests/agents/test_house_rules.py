"""House rules of content: foreign contacts, and what a brand or a requirement asks of a text."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.config import Brand, ContentRequirement
from agents.content_creation.house_rules import check, foreign_contacts, without_foreign_contacts
from agents.seo import Text

ALLOWED = json.dumps(
    {"website": "https://www.acme.example/shop", "mail": "hello@acme.example", "tel": "+1 202 555 0100"}
)


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("See https://www.acme.example/other?x=1 or acme.example.", []),
        ("Write to Hello@acme.example, call +1 (202) 555-0100.", []),
        ("See http://acme.example.evil.example/", ["web address"]),
        ("See https://evil-acme.example/", ["web address"]),
        ("Go to www.other.example now", ["web address"]),
        ("bob@acme.example", ["e-mail address"]),
        ("Call 030 1234 56789.", ["telephone number"]),
        ("From 2024-2025 we grew by 1,000,000 in 12 months.", []),
    ],
)
def test_foreign_contacts(text: str, kinds: list[str]) -> None:
    assert [kind for kind, _ in foreign_contacts(text, ALLOWED)] == kinds
    cleaned = without_foreign_contacts(text, ALLOWED)
    assert foreign_contacts(cleaned, ALLOWED) == []
    assert kinds or cleaned == text


@given(
    st.lists(
        st.sampled_from(["https://a.example/x", "x@y.example", "[l](https://b.example)", "word", "+49 30 1234567"])
    )
)
def test_no_foreign_contact_survives(parts: list[str]) -> None:
    assert foreign_contacts(without_foreign_contacts(" ".join(parts), ALLOWED), ALLOWED) == []


def test_a_links_words_stay() -> None:
    assert without_foreign_contacts("a [good deal](https://evil.example/x) today", "") == "a good deal today"


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
        ("Great \U0001f600", {"guidelines": ["no emojis"]}, {}, {"guidelines"}),
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
    found = check(Text(title="T", body=body), wanted, Brand(**brand), "")

    assert {finding.check for finding in found} == expected
    assert not any(finding.ok for finding in found)
