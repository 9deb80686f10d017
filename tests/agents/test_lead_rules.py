"""The default rule of a good lead, in exact tenths: executives, more than 50 employees, target industries."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.config import TargetAudience
from agents.scoring import QUALIFIED_SCORE, LeadCriteria, lead_score, overall_score
from agents.state import CampaignPerformance, Lead

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
