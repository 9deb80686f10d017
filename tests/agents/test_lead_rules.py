"""The rule of a good lead: titles as words, sizes as ranges, industries by their usual names, exact tenths."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.config import TargetAudience
from agents.fit.company_size import Employees, parse_size
from agents.fit.industries import matching_target, named_industry
from agents.fit.titles import is_executive
from agents.scoring import QUALIFIED_SCORE, LeadCriteria, lead_score, overall_score
from agents.state import CampaignPerformance, Lead

TITLES = Path(__file__).parent.parent / "data" / "titles.csv"


def test_titles_are_told_apart() -> None:
    with TITLES.open(encoding="utf-8", newline="") as file:
        labelled = [(row["title"], row["executive"] == "1") for row in csv.DictReader(file)]
    assert len(labelled) > 200
    hits = sum(is_executive(title) and wanted for title, wanted in labelled)
    found = sum(is_executive(title) for title, _ in labelled)
    precision, recall = hits / found, hits / sum(wanted for _, wanted in labelled)
    wrong = [title for title, wanted in labelled if is_executive(title) is not wanted]
    assert precision >= 0.95, wrong
    assert recall >= 0.95, wrong


@pytest.mark.parametrize(
    "title",
    [
        "CEO",
        "cto",
        "C.F.O.",
        "VP",
        "V.P. of Sales",
        "Vice-President",
        "Director",
        "Co-Founder & CEO",
        "Managing Director",
    ],
)
def test_executives(title: str) -> None:
    assert is_executive(title)


@pytest.mark.parametrize(
    "title",
    [
        *("Contractor", "Instructor", "Assistant to the CEO", "Executive Assistant to the CEO and CFO", "Art Director"),
        *("Coordinator", "Active Directory Administrator", "VPN Engineer", "Account Executive", "Product Owner", ""),
    ],
)
def test_others(title: str) -> None:
    assert not is_executive(title)


@given(st.text(max_size=200))
def test_any_title_is_decided(title: str) -> None:
    assert is_executive(title) in (True, False)
    assert is_executive(f"Assistant to the {title}, CEO") is is_executive(f"assistant to the {title}, ceo")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (51, Employees(51, 51)),
        ("240", Employees(240, 240)),
        ("240.0", Employees(240, 240)),
        ("51-200", Employees(51, 200)),
        ("11–50 employees", Employees(11, 50)),
        ("1-10,000", Employees(1, 10_000)),
        ("10,001+", Employees(10_001, None)),
        ("1.000-5.000", Employees(1_000, 5_000)),
        ("1k-5k", Employees(1_000, 5_000)),
        ("1-5k", Employees(1_000, 5_000)),
        ("2.5k", Employees(2_500, 2_500)),
        ("about 1 200 people", Employees(1_200, 1_200)),
        ("> 50", Employees(51, None)),
        (">= 50", Employees(50, None)),
        ("more than 50", Employees(51, None)),
        ("50 or fewer", Employees(1, 50)),
        ("up to 50", Employees(1, 50)),
        ("< 50", Employees(1, 49)),
        ("self-employed", Employees(1, 1)),
        ("", None),
        ("many", None),
        (0, None),
        (-3, None),
        (None, None),
        ("99999999999", None),
        ("200-100", None),
    ],
)
def test_sizes(text: int | str | None, expected: Employees | None) -> None:
    assert parse_size(text) == expected


@given(st.text(max_size=60))
def test_any_size_is_read_or_none(text: str) -> None:
    found = parse_size(text)
    assert found is None or found.most is None or found.least <= found.most


@pytest.mark.parametrize(
    ("industry", "targets", "expected"),
    [
        ("SaaS", ("saas",), "saas"),
        ("Software", ("saas",), "saas"),
        ("Computer Software", ("technology",), "technology"),
        ("Information Technology & Services", ("Tech",), "Tech"),
        ("IT", ("technology",), "technology"),
        ("FinTech", ("finance",), "finance"),
        ("Banking", ("Financial Services",), "Financial Services"),
        ("Insurance", ("finance",), "finance"),
        ("E-Commerce", ("retail",), "retail"),
        ("Aerospace & Defense", ("aerospace",), "aerospace"),
        ("Biotechnology", ("technology",), None),
        ("It is what it is", ("technology",), None),
        ("Retail", ("technology", "saas", "finance"), None),
        ("", ("saas",), None),
        (None, ("saas",), None),
    ],
)
def test_industries(industry: str | None, targets: tuple[str, ...], expected: str | None) -> None:
    assert matching_target(industry, targets) == expected


def test_an_industry_is_read_out_of_a_sentence() -> None:
    assert named_industry("We run hospitals with the help of software") == "hospitals"
    assert named_industry("We like cake") is None


GOOD = Lead(email="a@b.com", job_title="CEO", company_size="51-200", industry="SaaS")


@pytest.mark.parametrize(
    ("changes", "value"),
    [
        ({}, 1.0),
        ({"company_size": 50}, 0.7),
        ({"company_size": 51}, 1.0),
        ({"company_size": "1-10,000"}, 0.7),
        ({"company_size": None}, 0.7),
        ({"job_title": "Contractor"}, 0.6),
        ({"job_title": None}, 0.6),
        ({"industry": "Retail"}, 0.7),
        ({"industry": None, "job_title": None}, 0.3),
        ({"industry": None, "company_size": None}, 0.4),
        ({"industry": None, "company_size": None, "job_title": None}, 0.0),
    ],
)
def test_scores(changes: dict[str, object], value: float) -> None:
    score = lead_score(GOOD.model_copy(update=changes), LeadCriteria())
    assert score.value == value
    assert score.qualified is (value >= 0.7)
    assert len(score.reasons) == 3


def test_reasons_say_why() -> None:
    score = lead_score(GOOD.model_copy(update={"company_size": "1-10,000", "industry": "Farming"}), LeadCriteria())
    assert "may be above or below 50" in score.reasons[0]
    assert "executive title: CEO" in score.reasons[1]
    assert "Farming is none of technology, saas, finance" in score.reasons[2]


def test_criteria_come_from_the_audience() -> None:
    assert LeadCriteria.of(TargetAudience(keywords=("x",))).industries == ("technology", "saas", "finance")
    energy = LeadCriteria.of(TargetAudience.model_validate({"industry": "energy"}))
    assert lead_score(GOOD, energy).value == 0.7
    assert lead_score(GOOD.model_copy(update={"industry": "Solar"}), energy).value == 1.0


@given(
    st.builds(
        Lead,
        job_title=st.none() | st.text(max_size=50),
        industry=st.none() | st.text(max_size=50),
        company_size=st.none() | st.integers() | st.text(max_size=30),
    )
)
def test_scores_are_tenths_between_0_and_1(lead: Lead) -> None:
    value = lead_score(lead, LeadCriteria()).value
    assert value in (0.0, 0.3, 0.4, 0.6, 0.7, 1.0)


def test_one_door_for_scores() -> None:
    assert QUALIFIED_SCORE == 0.7
    assert overall_score(CampaignPerformance()) == 0.0
