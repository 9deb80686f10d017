"""Readability and SEO checks: known texts, thresholds, and properties."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents import readability
from agents.languages.language import Language, language
from agents.seo.assess import CHECKS, NORMS, assess
from agents.seo.keyphrase import uses
from agents.seo.kinds import kind_of
from agents.seo.pages import title_pixels
from agents.seo.text import Text

_FOUND = language("en")
assert _FOUND is not None
ENGLISH: Language = _FOUND

GOOD = Text(
    title="Email marketing: seven steps that bring replies",
    body="\n\n".join(
        [
            "Email marketing works when you write to people, not to lists. First, pick one goal. Then write one mail.",
            "## Start small",
            "However, a short plan helps. You test one idea each week. Next, you keep what works for your team.",
            "For example, send two subjects to fifty readers. Then count who opens the email and who writes back.",
            "Because people skim, the first line has to say why they should read on. Cut every word that doesn't help.",
            "If a reader asks something, answer on the same day. That way the email list grows, without tricks.",
            "After a month you know more than any study can tell. Still, look at the numbers before you change course.",
            "## Go on",
            "As a result, email marketing gets easier. So you save time.",
        ]
    ),
    meta_description="Email marketing in seven plain steps: pick a goal, write to one reader, test one idea each week, "
    "and keep only what brings replies.",
    call_to_action="Get the checklist",
    keywords=("email marketing",),
    target_length=130,
)


def points(text: Text, check: str) -> int | None:
    found = CHECKS[check](check, text)
    return None if found is None else found.points


def test_a_good_text_passes_every_check() -> None:
    report = assess(GOOD, "blog_post")

    assert [f for f in report.problems if f.check != "sentence_openings"] == []
    assert report.score > 0.9


def test_an_empty_text_is_judged_too() -> None:
    assert 0 <= assess(Text(title="", body=""), "blog_post").score < 0.7


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("blog_post", "page"),
        ("Blog Post", "page"),
        ("landing-page", "page"),
        ("linkedin article", "page"),
        ("email", "email"),
        ("E-Mail", "email"),
        ("email newsletter", "email"),
        ("social_post", "social"),
        ("linkedin_post", "social"),
        ("Facebook ad", "ad"),
        ("ad_copy", "ad"),
        ("case study", "page"),
    ],
)
def test_kinds(name: str, kind: str) -> None:
    assert kind_of(name) == kind


def test_an_unknown_type_is_judged_by_its_length() -> None:
    assert kind_of("something", 800) == "page"
    assert kind_of("something", 40) == "social"


def test_an_email_is_not_judged_as_a_blog() -> None:
    mail = Text(title="A short hello", body="Hi Ann,\n\nyou asked for news. Here it is.", call_to_action="Reply")

    assert assess(mail, "email").problems == ()
    assert {f.check for f in assess(mail, "blog_post").problems} >= {"meta_description"}
    assert "meta_description" not in NORMS["email"]


@pytest.mark.parametrize(("size", "expected"), [(0, 1), (120, 5), (121, 9), (156, 9), (157, 5)])
def test_meta_description(size: int, expected: int) -> None:
    assert points(replace(GOOD, meta_description="x" * size), "meta_description") == expected


@pytest.mark.parametrize(("words", "expected"), [(90, 9), (110, 9), (89, 5), (111, 5), (80, 5), (79, 2), (121, 2)])
def test_length_to_target(words: int, expected: int) -> None:
    assert points(Text(title="x", body="word " * words, target_length=100), "length") == expected


@pytest.mark.parametrize(("uses_in_200", "expected"), [(0, 4), (1, 4), (2, 9), (6, 9), (7, 9), (8, -10), (9, -50)])
def test_keyword_density(uses_in_200: int, expected: int) -> None:
    body = " ".join(["growth"] * uses_in_200 + ["word"] * (200 - uses_in_200))
    assert points(Text(title="", body=body, keywords=("growth",)), "keyword_density") == expected


def test_density_is_not_judged_in_short_texts_or_without_keywords() -> None:
    assert points(Text(title="", body="growth " * 50, keywords=("growth",)), "keyword_density") is None
    assert points(Text(title="", body="growth " * 500), "keyword_density") is None


def test_keyword_in_title_and_introduction() -> None:
    assert points(replace(GOOD, title="Marketing by e-mail"), "keyword_in_title") == 2
    assert points(replace(GOOD, title="Marketing by email"), "keyword_in_title") == 6
    body = "Email is old. Marketing is older.\n\nMore."
    assert points(replace(GOOD, body=body), "keyword_in_introduction") == 6
    assert points(replace(GOOD, body="Nothing.\n\nEmail marketing."), "keyword_in_introduction") == 3


def test_structure() -> None:
    assert points(replace(GOOD, body="# Again\n\nText."), "one_heading") == 1
    assert points(replace(GOOD, body="word " * 301), "subheadings") == 3
    assert points(replace(GOOD, body="word " * 200 + "\n\n## Next\n\n" + "word " * 200), "subheadings") == 9
    assert points(replace(GOOD, body="word " * 151), "paragraph_length") == 6
    assert points(replace(GOOD, body="word " * 201), "paragraph_length") == 3
    assert points(replace(GOOD, body="We go. We see. We win."), "sentence_openings") == 3
    assert points(replace(GOOD, body="word " * 21 + "."), "sentence_length") == 3


def test_each_language_is_judged_by_its_own_words() -> None:
    german = replace(GOOD, body="Der Plan wird gemacht. " * 80, language="de")
    assert points(german, "passive_voice") == 3
    assert points(german, "transition_words") == 3
    assert points(german, "readability") == 9
    swedish = replace(german, language="sv")
    assert points(swedish, "passive_voice") is None
    assert points(swedish, "transition_words") is None
    assert points(swedish, "readability") is None


@pytest.mark.parametrize(
    ("text", "phrase", "count"),
    [
        ("Lead scoring. LEAD SCORINGS! leads scoring", "lead scoring", 3),
        ("misleading scoring", "lead scoring", 0),
        ("The company's plan", "company", 1),
        ("class glass", "clas", 0),
        ("anything", "", 0),
        ("a b a b a", "a b", 2),
    ],
)
def test_uses(text: str, phrase: str, count: int) -> None:
    assert uses(text, phrase) == count


def test_title_width_by_font_metrics() -> None:
    assert title_pixels("iii") == 13  # 3 x 222 / 1000 em of 20 px
    assert title_pixels("WWW") == 57
    assert 350 <= title_pixels("Seven ways to win more customers this year") <= 420
    assert title_pixels("") == 0


def test_passive_and_transitions() -> None:
    assert ENGLISH.is_passive("The plan was written by the team.")
    assert ENGLISH.is_passive("Mistakes are quickly made.")
    assert not ENGLISH.is_passive("The team wrote the plan.")
    assert not ENGLISH.is_passive("We are interested in plans.")
    assert ENGLISH.ties("However, it rained.")
    assert not ENGLISH.ties("It rained.")


@pytest.mark.parametrize(
    ("word", "count"),
    [
        ("cat", 1), ("people", 2), ("marketing", 3), ("table", 2), ("make", 1), ("makes", 1), ("wanted", 2),
        ("used", 1), ("boxes", 2), ("idea", 2), ("automation", 4), ("the", 1), ("I", 1), ("x", 1), ("2026", 1),
        ("create", 2), ("simple", 2), ("customer", 3), ("every", 3), ("reliable", 4), ("nation", 2),
    ],
)  # fmt: skip
def test_syllables_within_one_of_the_dictionary(word: str, count: int) -> None:
    assert abs(ENGLISH.syllables(word) - count) <= 1


def test_flesch_of_known_texts() -> None:
    easy = readability.reading_ease("The cat sat on the mat. The dog ran to the cat.")
    hard = readability.reading_ease(
        "Organizational heterogeneity necessitates interdisciplinary methodological considerations regarding "
        "implementation of sustainability initiatives throughout multinational corporations."
    )
    assert easy is not None
    assert hard is not None
    assert easy > 100
    assert hard < 0
    assert readability.reading_ease("") is None


def test_text_is_cut_into_parts() -> None:
    markdown = "Intro [link](https://x.example/y) **bold**.\n\n## Head\n\n- one\n- two\n\nEnd e.g. here. Dr. Who? Yes!"
    assert readability.plain(markdown).startswith("Intro link bold.")
    assert readability.sentences("Ask Dr. Who. He, e.g., knows! Yes") == ["Ask Dr. Who.", "He, e.g., knows!", "Yes"]
    assert len(readability.paragraphs(markdown)) == 3
    assert readability.word_count("one [two](http://a.b/c) *three*") == 3
    assert readability.word_count("漢字 kana") == 3


@given(st.text(max_size=400), st.text(max_size=200), st.lists(st.text(max_size=20), max_size=3), st.integers(0, 500))
def test_any_text_gets_a_score_between_0_and_1(body: str, title: str, keywords: list[str], target: int) -> None:
    text = Text(title=title, body=body, keywords=tuple(keywords), target_length=target)
    for kind in ("blog_post", "email", "social_post", "ad_copy"):
        report = assess(text, kind)
        assert 0 <= report.score <= 1
        assert all(finding.message for finding in report.problems)
        assert assess(text, kind) == report
