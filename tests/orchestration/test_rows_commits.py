"""What a commit is given reads back as what it was."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from types import NoneType
from typing import Any, get_args

import pytest
from pydantic import BaseModel

from agents.config import CampaignConfig
from agents.messages import MessageType, message
from agents.state import (
    AdCreative,
    AgentError,
    ApprovalGrant,
    CampaignPerformance,
    ContentPiece,
    Lead,
    MarketingAgentState,
    PiecePerformance,
    PlatformMetrics,
)
from agents.unit import Stage, Unit, UnitResult, UnitStatus
from integrations.address_hash import address_hash
from integrations.retry import RetryPolicy
from orchestration.flow.transition import FinishedHop, Transition
from orchestration.ledger.commits import Finish, patch, result_json, transition_json
from orchestration.ledger.database import encode
from orchestration.ledger.rows import Position, small_state, units_json

NOW = datetime(2026, 5, 4, 3, 2, 1, 987654, tzinfo=UTC)


def full() -> MarketingAgentState:
    """A state with something of every kind in it."""
    config = CampaignConfig.parse(
        {
            "target_audience": {"industry": "saas"}, "ad_platforms": ["google"], "budget": "1000.50",
            "measure_after": "36h", "optimize_every": "1d", "limits": {"ads": "2000"},
        }
    )  # fmt: skip
    sent = message(
        sender="a", receiver="*", message_type=MessageType.DATA_REQUEST, payload={"none": None, "deep": [{"n": None}]},
        correlation_id="c/0", now=NOW, ordinal=0,
    )  # fmt: skip
    metrics = PlatformMetrics(platform="google_ads", spend=Decimal("12.3400"), ctr=0.1)
    return MarketingAgentState.initial(config, campaign_id="c1", now=NOW).evolve(
        leads=(Lead(lead_id="1", email="a@b.example", company_size="51-200", collected_at=NOW), Lead(lead_id="2")),
        qualified_leads=(Lead(lead_id="1", score=0.7, score_reasons=("x",)),),
        generated_content=(ContentPiece(piece_id="p", content_type="blog", topic="t", title="ü\\\"'", body="\n%s"),),
        content_performance=(PiecePerformance(piece_id="p", revision=1, score=0.5),),
        ad_creatives=(AdCreative(creative_id="a", platform="x", daily_budget=Decimal("1.10"), remote_ids={"ad": "9"}),),
        campaign_performance=CampaignPerformance(overall_score=None, platforms=(metrics,), measured_at=NOW),
        agent_messages=(sent,),
        errors=(AgentError(agent="a", step=0, code="c", message="m", at=NOW),),
        approvals=(ApprovalGrant(kind="ads", budget=Decimal("3.00"), at=NOW + timedelta(hours=1)),),
    )


def test_a_patch_is_what_the_models_would_write() -> None:
    after = full()
    before = MarketingAgentState.initial(after.campaign_config, campaign_id="c1", now=NOW)
    written = json.loads(encode(patch(before, after)))
    assert set(written) == {
        "leads", "qualified_leads", "generated_content", "content_performance", "ad_creatives", "campaign_performance",
        "agent_messages", "errors", "approvals",
    }  # fmt: skip
    assert written == after.model_dump(mode="json", include=set(written))
    assert MarketingAgentState.load({**before.model_dump(mode="json"), **written}) == after


def test_a_patch_holds_only_what_changed() -> None:
    state = full()
    assert patch(state, state) == {}
    assert patch(state, state.evolve(step=state.step)) == {}
    assert patch(state, state.evolve(leads=tuple(lead.model_copy() for lead in state.leads))) == {}
    assert json.loads(encode(patch(state, state.evolve(current_agent=None, step=3)))) == {"step": 3}
    assert patch(state.evolve(current_agent="x"), state) == {"current_agent": None}


def test_the_small_state_is_what_the_models_would_write() -> None:
    state = full()
    lists = {"leads", "qualified_leads", "generated_content", "ad_creatives", "agent_messages"}
    assert json.loads(encode(small_state(state))) == state.model_dump(mode="json", exclude=lists)


def models(kind: Any) -> set[type[BaseModel]]:
    """A model and those inside it."""
    found = {kind}
    for field in kind.model_fields.values():
        for part in (field.annotation, *get_args(field.annotation)):
            if isinstance(part, type) and issubclass(part, BaseModel):
                found |= models(part)
    return found


@pytest.mark.parametrize("kind", [Lead, ContentPiece, AdCreative])
def test_a_list_without_its_nulls_reads_back_the_same(kind: type[BaseModel]) -> None:
    """A field that may be None is None when it is left out, in everything that a long list is made of."""
    for model in models(kind):
        for name, field in model.model_fields.items():
            if NoneType in get_args(field.annotation):
                assert field.default is None, f"{model.__name__}.{name}"
    state = full()
    lists = {name: getattr(state, name) for name in ("leads", "qualified_leads", "generated_content", "ad_creatives")}
    written = json.loads(encode(lists, nulls=False))
    assert "phone" not in written["leads"][0]
    assert MarketingAgentState.load({**state.model_dump(mode="json"), **written}) == state


def moved(state: MarketingAgentState, after: MarketingAgentState, **options: Any) -> Transition:
    hop = FinishedHop(step=0, agent="lead_generation", before=state, after=after)
    return Transition(before=state, state=after, status="running", agent="analytics", step=1, hops=[hop], **options)


def test_a_hop_that_is_all_that_changes_is_sent_once() -> None:
    after = full()
    before = MarketingAgentState.initial(after.campaign_config, campaign_id="c1", now=NOW)
    following, lists = transition_json(moved(before, after), claimed=0, base=-1)
    assert following["hops"] == [{"step": 0, "agent": "lead_generation"}]
    assert set(lists) == {"leads", "qualified_leads", "generated_content", "ad_creatives"}
    assert not set(lists) & set(following["patch"])
    assert following["patch"]["agent_messages"] == after.agent_messages


def test_what_changes_beyond_the_hops_is_in_no_checkpoint() -> None:
    after = full()
    before = MarketingAgentState.initial(after.campaign_config, campaign_id="c1", now=NOW)
    asked = after.evolve(agent_messages=(), leads=())
    following, lists = transition_json(moved(before, after, patched=(after, asked)), claimed=0, base=-1)
    (hop,) = following["hops"]
    assert hop["patch"]["leads"] == after.leads
    assert (lists["leads"], following["patch"]["agent_messages"]) == ((), ())


def test_a_result_leaves_out_what_there_is_none_of() -> None:
    unit = Unit(key="u", kind="k", provider="local")
    done = UnitResult(unit=unit, status=UnitStatus.SUCCEEDED, output={"none": None})
    assert result_json(done) == {"key": "u", "status": "succeeded", "result": {"none": None}}
    lost = UnitResult(unit=unit, status=UnitStatus.FAILED, error={"code": "x"})
    assert result_json(lost) == {"key": "u", "status": "failed", "error": {"code": "x"}}


def test_a_call_is_the_same_alone_and_among_others() -> None:
    after = full()
    before = MarketingAgentState.initial(after.campaign_config, campaign_id="c1", now=NOW)
    unit = Unit(key='u"\\', kind="k", provider="local", policy=RetryPolicy(max_retries=1))
    stage = Stage(name="s", units=[unit])
    done = UnitResult(unit=unit, status=UnitStatus.SUCCEEDED, output={"text": "ü'\"\\"})
    call = Finish.of(Position('c"1', 2, 1, 3, 4, 5), [done], moved(before, after, stage=stage), 1)
    written = json.loads(call.as_json())
    assert written.pop("results") == json.loads(call.results)
    assert written.pop("next") == json.loads(call.following or "")
    assert written.pop("lists") == json.loads(call.lists or "")
    assert written.pop("addresses") == call.addresses
    assert address_hash("a@b.example") in (call.addresses or [])
    assert written == {"campaign": 'c"1', "step": 2, "stage": 1, "epoch": 3, "revision": 4}
    assert json.loads(call.following or "")["base"] == 5
    assert json.loads(Finish.of(Position("c", 0, 0, 0), [done], None, 0).as_json()).keys() == {
        "campaign", "step", "stage", "epoch", "revision", "results",
    }  # fmt: skip
    assert units_json(stage)[0]["policy"]["max_retries"] == 1
