"""The approval gate over a real ledger: what is asked, what an answer lets through, and what silence means."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from typing import Any

import pytest
from ad_toys import Bench, crew, status, verbs
from orchestrator_harness import Harness
from toys import echo

from agents.ports import UnitContext
from agents.unit import Unit
from orchestration.control.expiry import expire_approvals
from orchestration.control.verbs import VerbRefusedError


@pytest.fixture
def bench(database_url: str) -> Iterator[Callable[..., Harness]]:
    with closing(Bench(database_url)) as made:
        yield made


def gated(one: Harness, gate: str, **approval: Any) -> None:
    one.submit(approval={"gate": gate, **approval})


def test_nothing_reaches_a_platform_before_approval(bench: Callable[..., Harness]) -> None:
    effects: list[str] = []

    def body(unit: Unit, ctx: UnitContext) -> Mapping[str, Any]:
        if unit.effect:
            effects.append(unit.key)
        return echo(unit, ctx)

    one = bench(agents=crew(body=body))
    gated(one, "ads")
    assert one.orchestrator.run_hop("c1") == "awaiting_approval"
    one.deliver()
    assert effects == []
    asked = one.reports.open_approval("c1")
    assert asked is not None
    assert asked["kind"] == "ads"
    assert asked["request"]["ads"][0]["headlines"] == ["h0"]
    assert one.reports.row("c1").state.agent_messages[-1].message_type == "approval_request"
    assert verbs(one).approve("c1", actor="ann") == "running"
    one.deliver()
    assert status(one) == "completed"
    assert effects == ["deploy"]
    assert one.reports.open_approval("c1") is None
    with pytest.raises(VerbRefusedError):
        verbs(one).approve("c1", actor="ann")


def test_what_was_approved_passes_and_anything_else_asks_anew(bench: Callable[..., Harness]) -> None:
    one = bench(agents=crew(scores=(0.1, 0.9)))
    gated(one, "ads")
    one.orchestrator.run_hop("c1")
    verbs(one).approve("c1", actor="ann")
    one.deliver()
    assert status(one) == "awaiting_approval"  # the round's new headline is something else
    verbs(one).approve("c1", actor="ann")
    one.deliver()
    assert status(one) == "completed"
    # Going back makes the same ad again: it is covered.
    verbs(one).retry("c1", actor="ann", from_step=one.reports.row("c1").step - 1)
    one.deliver()
    assert status(one) == "completed"


def test_reject_cancels_or_goes_back_to_content_with_the_reason(bench: Callable[..., Harness]) -> None:
    one = bench()
    gated(one, "ads")
    one.orchestrator.run_hop("c1")
    assert verbs(one).reject("c1", actor="ann", reason="too loud", rework=True) == "running"
    row = one.reports.row("c1")
    assert (row.agent, row.step) == ("content_creation", 3)
    said = [m for m in row.state.agent_messages if m.receiver == "content_creation" and m.sender == "person"]
    assert said[0].payload["suggestions"] == ["too loud"]
    one.deliver()
    assert status(one) == "awaiting_approval"
    verbs(one).reject("c1", actor="ann", reason="still too loud")
    one.deliver()
    assert status(one) == "cancelled"
    decided = one.database.rows("SELECT status, reason FROM marketing.approvals ORDER BY asked_at")
    assert ("rejected", "still too loud") in decided


@pytest.mark.parametrize(("policy", "end"), [("cancel", "cancelled"), ("approve", "completed")])
def test_a_question_nobody_answers_expires_by_its_policy(bench: Callable[..., Harness], policy: str, end: str) -> None:
    one = bench()
    gated(one, "ads", expires_after="1h", on_expiry=policy)
    one.orchestrator.run_hop("c1")
    assert expire_approvals(one.ledger, verbs(one)) == 0
    one.database.run("UPDATE marketing.campaigns SET due_at = now() - interval '1 second'")
    assert expire_approvals(one.ledger, verbs(one)) == 1
    one.deliver()
    assert status(one) == end


def test_a_paused_question_stays_a_question(bench: Callable[..., Harness]) -> None:
    one = bench()
    gated(one, "ads")
    one.orchestrator.run_hop("c1")
    verbs(one).pause("c1", actor="ann")
    with pytest.raises(VerbRefusedError, match="is paused"):
        verbs(one).approve("c1", actor="ann")
    assert verbs(one).resume("c1", actor="ann") == "awaiting_approval"
    verbs(one).approve("c1", actor="ann")
    one.deliver()
    assert status(one) == "completed"
