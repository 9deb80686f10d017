"""Cutting texts: whole words, within the width, never to nothing, never twice."""

from __future__ import annotations

import re

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from agents.ad_management.cutting import cut, fit, says_any, tidy
from integrations.ads.registry import platform

FACEBOOK, GOOGLE = platform("facebook_ads").limits, platform("google_ads").limits


@pytest.mark.parametrize(
    ("text", "width", "expected"),
    [
        ("Short enough", 40, "Short enough"),
        ("Plan your pricing in three easy steps today", 30, "Plan your pricing in three"),
        ("One step for the whole of your team", 17, "One step"),  # not "One step for the"
        ("Book now. Pay later, whenever it suits you", 16, "Book now."),
        ("Oh. Pay later whenever it suits you best", 30, "Oh. Pay later whenever it"),  # the end came too early
        ("Unbelievablylongwordwithoutanyspace here", 10, ""),
        ('  "Quoted\n headline" ', 40, "Quoted headline"),
        ('Say "hello" to 5 ideas', 40, 'Say "hello" to 5 ideas'),
        ("## 3 steps\u0000 to go", 40, "3 steps to go"),
        ("", 10, ""),
        ("C++ and C# -- faster", 9, "C++"),
        ("Tools & more of it all", 9, "Tools"),
    ],
)
def test_examples(text: str, width: int, expected: str) -> None:
    assert cut(text, width, FACEBOOK) == expected


def test_wide_characters_count_double_where_the_platform_says_so() -> None:
    text = "中小企業のための会計ソフト。今すぐ無料で始めましょう"
    google, facebook = cut(text, 30, GOOGLE), cut(text, 30, FACEBOOK)
    assert google == "中小企業のための会計ソフト。"
    assert facebook == text
    assert GOOGLE.width(google) <= 30


def test_what_clings_together_stays_together() -> None:
    assert cut("日本語、テスト", 3, FACEBOOK) == "日本"  # not "日本語" without its comma, which belongs to it
    family = "👨\u200d👩\u200d👧"
    assert cut(f"Für {family} und Co", 6, FACEBOOK) == "Für"


@given(st.text(max_size=200), st.integers(1, 90))
def test_within_the_width_and_of_whole_words(text: str, width: int) -> None:
    assume(not any("\u2e80" <= c <= "\uffff" or ord(c) > 0x1F000 for c in text))
    found = cut(text, width, GOOGLE)
    assert GOOGLE.width(found) <= width
    source = tidy(text)
    assert source.startswith(found)
    if found and found != source:
        rest = source[len(found) :]
        assert not (re.match(r"\w", rest) and re.search(r"\w$", found)), (found, rest)


@given(st.text(max_size=100), st.integers(2, 40))
def test_wide_texts_stay_within_the_width(text: str, width: int) -> None:
    assert GOOGLE.width(cut(text, width, GOOGLE)) <= width


@given(st.lists(st.text(max_size=60), max_size=20))
def test_fit_gives_what_the_platform_wants(texts: list[str]) -> None:
    fallbacks = ["See how it works", "Read more today", "Get to know us"]
    found = fit(texts, fallbacks, least=3, most=15, width=30, limits=GOOGLE)
    assert 3 <= len(found) <= 15
    assert all(text and GOOGLE.width(text) <= 30 for text in found)
    assert len({text.casefold() for text in found}) == len(found)


def test_fit_drops_doubles_and_banned_words() -> None:
    given_texts = ["Save time", "save time!", "Cheap stuff", "Second"]
    assert fit(given_texts, [], least=1, most=3, width=30, limits=FACEBOOK, banned=("cheap",)) == (
        "Save time",
        "Second",
    )
    assert not says_any("Cheapskate", ["cheap"])


def test_fit_says_when_it_can_not() -> None:
    with pytest.raises(ValueError, match="only 1 of 2 texts fit into 5 characters"):
        fit(["One"], ["Extraordinary"], least=2, most=3, width=5, limits=FACEBOOK)
