"""``qualification`` in a campaign file: what it takes, what it refuses, and what is said when nobody qualifies."""

from __future__ import annotations

from typing import Any

import pytest

from agents.config import CampaignConfig, ConfigError
from agents.fit.criteria import Criterion
from agents.fit.shortfall import shortfall
from agents.fit.verdict import Verdict
from agents.qualification import Qualification

YES, NO, UNKNOWN = Verdict.YES, Verdict.NO, Verdict.UNKNOWN


def parsed(audience: dict[str, Any], qualification: object) -> Qualification:
    return CampaignConfig.parse({"target_audience": audience, "qualification": qualification}).qualification


def test_criteria_go_by_the_names_of_the_audiences_keys_too() -> None:
    audience = {"job_titles": ["CEO"], "locations": ["Berlin"], "keywords": ["crm"]}
    found = parsed(audience, {"must": ["job_titles", "location"], "weights": {"company_size": 1, "keywords": 0.5}})
    assert found.must == (Criterion.TITLE, Criterion.PLACE)
    assert found.weights == {Criterion.SIZE: 1, Criterion.KEYWORD: 0.5}
    assert parsed(audience, {"must": "title"}).must == (Criterion.TITLE,)


def test_it_is_stored_and_read_again() -> None:
    config = CampaignConfig.parse(
        {"target_audience": {"industry": "saas"}, "qualification": {"must": ["industry"], "weights": {"title": 1}}}
    )
    again = CampaignConfig.parse(config.model_dump(mode="json"))
    assert again.qualification == config.qualification
    assert CampaignConfig.parse({"target_audience": {"company_size": "11-50"}}).qualification == Qualification()


@pytest.mark.parametrize(
    ("qualification", "said"),
    [
        ({"must": ["titel"]}, "'titel' is no criterion; use size, title, industry, place or keyword"),
        ({"weights": {"size": -1}}, "qualification.weights.size=-1: "),
        ({"threshold": 0}, "qualification.threshold=0: "),
        ({"threshold": 1.5}, "qualification.threshold=1.5: "),
        ({"minimum": 1}, "qualification.minimum: unknown key; "),
        ({"must": ["place"]}, "qualification names place, but target_audience has no locations"),
        ({"weights": {"keyword": 1}}, "qualification names keyword, but target_audience has no keywords"),
    ],
)
def test_refusals_name_key_value_and_what_is_right(qualification: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError) as error:
        parsed({"industry": "saas"}, qualification)
    assert any(said in problem for problem in error.value.problems), error.value.problems


def test_what_leads_are_short_of_is_counted() -> None:
    title, place, keyword = Criterion.TITLE, Criterion.PLACE, Criterion.KEYWORD
    found = shortfall(
        [
            {title: NO, place: YES, keyword: UNKNOWN},
            {title: NO, place: NO, keyword: UNKNOWN},
            {title: YES, place: UNKNOWN, keyword: YES},
            {title: UNKNOWN, place: YES, keyword: YES},
        ]
    )
    assert found.figures() == {
        "missed": {"title": 2, "place": 1},
        "unknown": {"keyword": 2, "place": 1, "title": 1},
        "missed_by_one": {"title": 2, "place": 1},
    }
    assert found.words() == [
        "title: 2 not as asked, 1 unknown",
        "place: 1 not as asked, 1 unknown",
        "keyword: 2 unknown",
        "3 missed by one criterion (title 2, place 1)",
    ]
    assert shortfall([]).words() == []
