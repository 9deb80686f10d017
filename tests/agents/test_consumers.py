"""Audiences of consumers: no business leads are looked for, and submit says what can be done instead."""

from __future__ import annotations

from typing import Any

import pytest

from agents.config import CampaignConfig, ConfigError, TargetAudience
from agents.fit.consumers import consumers
from agents.scoring import LeadCriteria, lead_score
from agents.state import Lead

RUNNERS = {"interests": ["running"], "locations": ["Berlin"]}
OWN_FILE = [{"type": "file", "path": "people.csv", "file_id": "f-1"}]


@pytest.mark.parametrize(
    ("audience", "private"),
    [
        (RUNNERS, True),
        ({"description": "Runners in Berlin who train for a marathon"}, True),
        ({"description": "Familien mit kleinen Kindern in Hamburg"}, True),
        ({"description": "Coureurs amateurs à Lyon"}, True),
        ({"interests": ["cooking"], "keywords": ["pans"]}, True),
        ({"description": "small teams"}, False),
        ({"description": "Owners of running shops"}, False),
        ({"description": "Companies that sell to runners"}, False),
        ({"description": "anyone"}, False),
        ({"interests": ["running"], "industries": ["retail"]}, False),
        ({"interests": ["running"], "job_titles": ["owner"]}, False),
        ({"interests": ["running"], "company_size": "1-10"}, False),
        ({"keywords": ["crm"]}, False),
        ({"locations": ["Berlin"]}, False),
    ],
)
def test_consumers_are_told_from_businesses(audience: dict[str, Any], private: bool) -> None:
    assert (consumers(TargetAudience.model_validate(audience)) is not None) is private


@pytest.mark.parametrize("sources", [None, "search", ["search", {"type": "file", "path": "a.csv"}]])
def test_a_search_for_consumers_is_refused_with_what_to_do_instead(sources: object) -> None:
    given = {"target_audience": RUNNERS, **({"lead_sources": sources} if sources is not None else {})}
    with pytest.raises(ConfigError) as error:
        CampaignConfig.parse(given)
    said = error.value.problems[0]
    for part in ("consumers (interests running", "no business leads", "lead_sources: []", "ads", "file", "job_titles"):
        assert part in said


def test_without_sources_or_with_a_file_it_is_taken() -> None:
    assert CampaignConfig.parse({"target_audience": RUNNERS, "lead_sources": []}).lead_sources == ()
    assert CampaignConfig.parse({"target_audience": RUNNERS, "lead_sources": OWN_FILE}).lead_sources
    with pytest.raises(ConfigError, match="lead_sources is empty"):
        CampaignConfig.parse({"target_audience": {"industry": "saas"}, "lead_sources": []})


def test_people_of_an_own_list_are_taken_unless_they_are_elsewhere() -> None:
    wanted = LeadCriteria.of(TargetAudience.model_validate(RUNNERS))
    assert lead_score(Lead(email="a@b.de", location="Berlin"), wanted).qualified is True
    assert lead_score(Lead(email="a@b.de"), wanted).qualified is True
    assert lead_score(Lead(email="a@b.de", location="Paris"), wanted).qualified is False
