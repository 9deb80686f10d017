"""Fallbacks of units: which units have them, what they give, and that the result names the fallback."""

from __future__ import annotations

import pytest
from agent_context import Execution

from agents.config import CampaignConfig, Models
from agents.content_creation import ContentCreation
from agents.fallbacks import MAIL_DOMAIN, TEMPLATE, model_of, model_policy
from agents.lead_generation.clean import Candidate, record_of
from agents.lead_generation.verify import VERIFY, verify_units
from agents.state import Lead, MarketingAgentState
from agents.unit import StageResult, Unit, UnitResult, UnitStatus

CONFIG = CampaignConfig.parse(
    {
        "target_audience": {"industry": "saas", "job_titles": ["CTO"]},
        "brand": {
            "name": "Northlight",
            "product": "Pipeline",
            "required_words": ["forecast"],
            "website": "https://n.example",
        },
        "models": {"default": "a", "fallbacks": ["b", "a", "c"], "template_after": "2h"},
        "content_requirements": {"content_type": "email", "topic": "faster releases", "call_to_action": "Book a demo"},
    }
)


@pytest.fixture
def execution() -> Execution:
    return Execution.against("http://127.0.0.1:1", None)  # nobody is there: a fallback that calls anybody fails


def write_unit(attempt: int = 0) -> Unit:
    state = MarketingAgentState.initial(CONFIG, campaign_id="c1").evolve(
        current_agent="content_creation", qualified_leads=(Lead(lead_id="1"),), optimization_attempts=attempt
    )
    agent = ContentCreation()
    research = agent.plan(state, [])
    assert research is not None
    results = [UnitResult(unit=unit, status=UnitStatus.FAILED) for unit in research.units]
    write = agent.plan(state, [StageResult(name=research.name, results=results)])
    assert write is not None
    return write.units[0]


def test_a_models_unit_falls_back_to_each_configured_model_once() -> None:
    policy = write_unit().policy
    assert policy.fallbacks_after(0.0) == ("model:b", "model:c")
    assert policy.fallbacks_after(7200.0) == ("model:b", "model:c", TEMPLATE)
    assert [model_of(name) for name in (None, *policy.fallbacks_after(7200.0))] == [None, "b", "c", None]


def test_what_is_only_an_improvement_is_waited_for_less_and_has_no_template() -> None:
    policy = model_policy(Models(), essential=False)
    assert policy.fallbacks_after(1e9) == ()
    assert policy.max_wait_s == 3600.0


def test_the_template_says_the_brief_and_that_it_is_one(execution: Execution) -> None:
    unit = write_unit()
    execution.fallback = TEMPLATE
    made = ContentCreation().run(unit, execution.for_unit("c1", 1, 1, unit))
    assert made["produced_by"] == "template (no model could be reached)"
    assert made["title"] == "Faster releases"
    for said in ("Northlight offers Pipeline.", "forecast", "Book a demo at https://n.example"):
        assert said in made["body"]
    assert execution.calls == []


def test_addresses_nobody_can_verify_now_are_unknown_on_the_word_of_the_dns(execution: Execution) -> None:
    people = [
        Candidate(
            key=f"k{n}",
            record=record_of({"email": f"ann{n}@n.example", "name": "Ann Lee"}, "search"),
            sources=("search",),
        )
        for n in range(3)
    ]
    (unit,) = verify_units(people, CONFIG.enrichment, [], 0)
    assert unit.policy.fallbacks_after(0.0) == (MAIL_DOMAIN,)
    execution.fallback = MAIL_DOMAIN
    found = VERIFY.execute(unit, execution.for_unit("c1", 0, 4, unit))
    assert set(found["emails"].values()) == {"unknown"}
    assert len(found["emails"]) == 3
    assert found["verified_by"] == MAIL_DOMAIN
    assert execution.calls == []
