"""Industries by their kin and in the words that people use, against lists that were labelled before."""

from __future__ import annotations

import pytest
from fit_labels import figures, industries, unseen
from hypothesis import given
from hypothesis import strategies as st

from agents.fit.industries import in_industry, matching_target, named_industry


@pytest.mark.parametrize("half", ["seen", "unseen"])
def test_industries_are_told(half: str) -> None:
    labelled = [one for one in industries() if unseen(one[0] + one[1]) is (half == "unseen")]
    assert len(labelled) > 300
    found = figures(
        (bool(in_industry(text, target)), right, f"{text} for {target}") for target, text, right in labelled
    )
    assert min(found.precision, found.recall) >= 0.97, str(found)


@pytest.mark.parametrize(
    ("industry", "targets", "expected"),
    [
        ("SaaS", ("saas",), "saas"),
        ("Software", ("saas",), "saas"),
        ("Computer Software", ("technology",), "technology"),
        ("Information Technology & Services", ("Tech",), "Tech"),
        ("IT", ("technology",), "technology"),
        ("I.T.", ("IT",), "IT"),
        ("Internet Publishing", ("technology",), "technology"),
        ("FinTech", ("finance",), "finance"),
        ("FinTech", ("technology",), "technology"),
        ("Banking", ("Financial Services",), "Financial Services"),
        ("Versicherungen", ("finance",), "finance"),
        ("E-Commerce", ("retail",), "retail"),
        ("Aerospace & Defense", ("aerospace",), "aerospace"),
        ("Gastronomie", ("restaurants",), "restaurants"),
        ("レストラン", ("Gastronomie",), "Gastronomie"),
        ("NAICS 511210 Software Publishers", ("saas",), "saas"),
        ("Widget polishing", ("widget polishing",), "widget polishing"),
        ("Biotechnology", ("technology",), None),
        ("Law Enforcement", ("legal",), None),
        ("Blood Bank", ("finance",), None),
        ("Intellectual Property Law", ("real estate",), None),
        ("Non-software consulting", ("saas",), None),
        ("Personal Training", ("education",), None),
        ("It is what it is", ("technology",), None),
        ("Retail", ("technology", "saas", "finance"), None),
        ("", ("saas",), None),
        (None, ("saas",), None),
    ],
)
def test_targets(industry: str | None, targets: tuple[str, ...], expected: str | None) -> None:
    assert matching_target(industry, targets) == expected


@pytest.mark.parametrize(
    ("industry", "target", "expected"),
    [
        ("Hospitality", "restaurants", None),  # wider: may be one
        ("Hotels", "restaurants", False),
        ("Restaurants", "hospitality", True),
        ("Widget polishing", "restaurants", None),  # not understood
        ("Restaurants", "widget polishing", False),
        ("Banking", "insurance", False),
    ],
)
def test_kin(industry: str, target: str, expected: bool | None) -> None:
    assert in_industry(industry, target) is expected


def test_an_industry_is_read_out_of_a_sentence() -> None:
    assert named_industry("We run hospitals with the help of software") == "hospitals"
    assert named_industry("We like cake") is None


@given(st.text(max_size=120), st.text(max_size=40))
def test_any_industry_is_judged(industry: str, target: str) -> None:
    assert in_industry(industry, target) in (True, False, None)
