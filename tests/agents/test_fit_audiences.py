"""Whom a campaign asked for is whom it gets: audiences against leads that were labelled before the rules were made."""

from __future__ import annotations

from typing import Any

import pytest
from fit_labels import Figures, LabelledLead, Truth, figures, leads
from lead_campaigns import WORLD

from agents.config import CampaignConfig, TargetAudience
from agents.scoring import Criterion, LeadCriteria, Verdict, lead_score
from agents.state import Lead
from integrations.sandbox.staff import language_of

EXECUTIVES = {"owner", "executive", "vp", "director"}
MANAGERS = {"manager", "head"}
ONLY_INDUSTRY = {"must": ["industry"]}


def known(truth: Truth, *facts: str) -> Truth:
    """``truth`` for leads of which these facts are said, and no answer for the others."""
    return lambda one: None if any(getattr(one, fact) == "?" for fact in facts) else truth(one)


#: name -> (target_audience, qualification, who is right)
AUDIENCES: dict[str, tuple[dict[str, Any], dict[str, Any], Truth]] = {
    "executives": ({"job_titles": ["executives"]}, {}, lambda one: one.level in EXECUTIVES),
    "executives by their titles": (
        {"job_titles": ["CEO", "CTO", "CFO", "CMO", "CHRO", "Founder", "Owner", "VP", "Director"]},
        {},
        lambda one: one.level in EXECUTIVES,
    ),
    "marketing managers": (
        {"job_titles": ["Marketing Manager"]},
        {},
        lambda one: one.function == "marketing" and one.level in MANAGERS,
    ),
    "HR": ({"job_titles": ["HR"]}, {}, lambda one: one.function == "hr"),
    "HR managers": (
        {"job_titles": ["HR Manager", "Personalleiter"]},
        {},
        lambda one: one.function == "hr" and one.level in MANAGERS,
    ),
    "engineers": ({"job_titles": ["engineers"]}, {}, lambda one: one.function == "engineer"),
    "procurement": ({"job_titles": ["Einkauf"]}, {}, lambda one: one.function == "procurement"),
    "owners of small shops": (
        {"job_titles": ["owner"], "industries": ["retail"], "company_size": "1-50"},
        {},
        known(
            lambda one: one.level == "owner" and one.industry == "retail" and one.employees in {"1-10", "11-50"},
            "employees",
            "industry",
        ),
    ),
    "nurses": ({"job_titles": ["infirmière"]}, {}, lambda one: one.function == "nurse"),
    "Germans": ({"locations": ["Germany"]}, {}, lambda one: one.country == "DE"),
    "French": ({"locations": ["Frankreich"]}, {}, lambda one: one.country == "FR"),
    "DACH": ({"locations": ["DACH"]}, {}, lambda one: one.country in {"DE", "AT", "CH"}),
    "11 to 50 employees": ({"company_size": "11-50"}, {}, lambda one: one.employees == "11-50"),
    "more than 1000 employees": ({"company_size": "1001+"}, {}, lambda one: one.employees == "1001+"),
    "healthcare": ({"industries": ["healthcare"]}, ONLY_INDUSTRY, lambda one: one.industry == "healthcare"),
    "logistics": ({"industries": ["Logistik"]}, ONLY_INDUSTRY, lambda one: one.industry == "logistics"),
    "three industries": (
        {"industries": ["energy", "retail", "technology"]},
        ONLY_INDUSTRY,
        lambda one: one.industry in {"energy", "retail", "technology"},
    ),
    "marketing managers in Germany": (
        {"job_titles": ["Marketing Manager"], "locations": ["Germany"]},
        {},
        lambda one: one.function == "marketing" and one.level in MANAGERS and one.country == "DE",
    ),
    "executives of big companies": (
        {"job_titles": ["executives"], "company_size": "201+"},
        {},
        lambda one: one.level in EXECUTIVES and one.employees in {"201-1000", "1001+"},
    ),
}


def criteria(audience: dict[str, Any], qualification: dict[str, Any]) -> LeadCriteria:
    config = CampaignConfig.parse({"target_audience": audience, "qualification": qualification})
    return LeadCriteria.of(config.target_audience, config.qualification)


def judged(labelled: list[LabelledLead], wanted: LeadCriteria, truth: Truth) -> Figures:
    return figures(
        (lead_score(one.lead, wanted).qualified, right, f"{one.lead.job_title} | {one.level}:{one.function}")
        for one in labelled
        if (right := truth(one)) is not None
    )


@pytest.mark.parametrize("name", list(AUDIENCES))
def test_an_audience_gets_whom_it_asked_for(name: str) -> None:
    audience, qualification, truth = AUDIENCES[name]
    found = judged(leads(), criteria(audience, qualification), truth)
    assert found.right >= 5
    assert min(found.precision, found.recall) >= 0.95, str(found)


#: asked title -> (function, levels) of the world's staff
STAFF = {
    "Marketing Manager": ("marketing", {"manager"}),
    "HR": ("hr", {"manager", "staff"}),
    "Procurement": ("procurement", {"head", "staff"}),
    "Head of Procurement": ("procurement", {"head"}),
    "Owner": ("general", {"owner"}),
    "Nurse": ("nursing", {"staff"}),
    "Accountant": ("finance", {"staff"}),
    "Truck Driver": ("transport", {"staff"}),
    "Mechanical Engineer": ("engineering", {"staff"}),
    "Lawyer": ("legal", {"staff"}),
    "Teacher": ("education", {"staff"}),
}


@pytest.mark.parametrize("asked", list(STAFF))
def test_the_worlds_staff_is_told_in_every_language(asked: str) -> None:
    function, levels = STAFF[asked]
    wanted = LeadCriteria.of(TargetAudience.model_validate({"job_titles": [asked]}))
    staff = [(c, p) for c in WORLD.companies for p in c.people if p.function is not None]
    assert {language_of(company.city) for company, _ in staff} == {"en", "de", "fr", "es", "it", "nl", "pt", "ja"}
    found = figures(
        (lead_score(Lead(job_title=p.title), wanted).qualified, p.function == function and p.level in levels, p.title)
        for _, p in staff
    )
    assert found.right >= 5
    assert min(found.precision, found.recall) >= 0.95, str(found)


@pytest.mark.parametrize(
    ("changes", "value", "qualified"),
    [
        ({}, 1.0, True),
        ({"company_size": None}, 0.7692, True),  # one gap beside three that fit
        ({"company_size": None, "industry": None}, 0.5385, False),
        ({"location": None}, 0.6, False),  # where is not known, and was asked for
        ({"location": "Paris, France"}, 0.6, False),
        ({"job_title": "Kellnerin"}, 0.6, False),
        ({"company_size": "5"}, 0.6, False),
        ({"industry": "Software"}, 0.6, False),
        ({"industry": "Hospitality"}, 0.7692, True),  # may be a restaurant
        ({"job_title": None}, 0.6, False),
    ],
)
def test_what_is_missed_and_what_is_unknown(changes: dict[str, Any], value: float, qualified: bool) -> None:
    wanted = criteria(RESTAURANTS, {})
    score = lead_score(INHABER.model_copy(update=changes), wanted)
    assert (score.value, score.qualified) == (value, qualified), score
    assert len(score.reasons) == len(score.verdicts) == 4


RESTAURANTS = {
    "job_titles": ["owner"],
    "locations": ["Germany"],
    "industries": ["restaurants"],
    "company_size": "10-200",
}
INHABER = Lead(job_title="Inhaber", company_size="ca. 30", location="München", industry="Gastronomie")


def test_reasons_name_the_fact_and_what_was_asked_for() -> None:
    score = lead_score(
        INHABER.model_copy(update={"location": "Paris", "company_size": None}), criteria(RESTAURANTS, {})
    )
    assert score.reasons == (
        "company size unknown",
        "title Inhaber is one of owner (+0.4)",
        "industry Gastronomie matches restaurants (+0.3)",
        "Paris is not in Germany",
    )
    assert score.verdicts == {
        Criterion.SIZE: Verdict.UNKNOWN,
        Criterion.TITLE: Verdict.YES,
        Criterion.INDUSTRY: Verdict.YES,
        Criterion.PLACE: Verdict.NO,
    }


def test_keywords_add_and_never_take_away() -> None:
    wanted = criteria({"job_titles": ["owner"], "keywords": ["gluten free", "-cheap"]}, {})
    plain = lead_score(Lead(job_title="Owner"), wanted)
    assert (plain.value, plain.qualified) == (0.8, True)
    assert lead_score(Lead(job_title="Owner", company="Gluten Free Bakery"), wanted).value == 1.0
    assert lead_score(Lead(job_title="Waiter", company="Gluten Free Bakery"), wanted).qualified is False


def test_industries_alone_are_the_default_rules_own() -> None:
    wanted = criteria({"industries": ["energy"]}, {})
    banker = Lead(job_title="CEO", company_size="120", industry="Banking")
    assert lead_score(banker, wanted).value == 0.7
    assert lead_score(Lead(job_title="Engineer", company_size="120", industry="Solar"), wanted).value == 0.6
    strict = criteria({"industries": ["energy"]}, ONLY_INDUSTRY)
    assert lead_score(banker, strict).qualified is False
    assert lead_score(Lead(job_title="Engineer", industry="Solar"), strict).qualified is True


def test_must_is_what_has_to_be_met_and_nothing_else() -> None:
    soft = criteria(RESTAURANTS, {"must": ["title"]})
    assert lead_score(INHABER.model_copy(update={"location": "Paris"}), soft).value == 0.7692
    assert lead_score(INHABER.model_copy(update={"job_title": None}), soft).qualified is False
    hard = criteria(RESTAURANTS, {"must": ["size", "place", "title", "industry"]})
    assert lead_score(INHABER.model_copy(update={"company_size": None}), hard).qualified is False


def test_weights_and_threshold_are_the_campaigns() -> None:
    wanted = criteria({"industries": ["saas"]}, {"weights": {"title": 1, "size": 0, "industry": 1}, "threshold": 0.5})
    assert lead_score(Lead(job_title="CEO", industry="Farming"), wanted).value == 0.5
    assert lead_score(Lead(job_title="CEO", industry="Farming"), wanted).qualified is True
    strict = criteria(RESTAURANTS, {"threshold": 0.9})
    assert lead_score(INHABER.model_copy(update={"company_size": None}), strict).qualified is False


def test_what_is_named_but_not_asked_for_is_judged_by_the_default_rule() -> None:
    wanted = criteria({"locations": ["Germany"]}, {"must": ["place", "title"]})
    assert lead_score(Lead(job_title="CEO", location="Berlin"), wanted).qualified is True
    assert lead_score(Lead(job_title="Koch", location="Berlin"), wanted).qualified is False
