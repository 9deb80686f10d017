"""Approvals over a real ledger: who is asked, how often, for what, and what an answer covers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from typing import Any

import pytest
from ad_platforms import ad_campaigns
from orchestrator_harness import Harness
from toys import Toy, deployment, echo, toys

from agents.config import CampaignConfig
from agents.names import AD_MANAGEMENT, CONTENT_CREATION
from agents.registry import agents as real_agents
from agents.state import AdCreative, ApprovalGrant, ContentPiece, MarketingAgentState
from agents.unit import Stage, Unit, effect_key
from integrations.settings import Settings
from orchestration.control.verbs import VerbRefusedError, Verbs
from orchestration.execution.context import Resources
from orchestration.flow.holds import hold_for

NOW = datetime(2026, 3, 1, tzinfo=UTC)


class Writer(Toy):
    """Writes one piece; each time it is asked, the next revision of it."""

    def update_state(self, state: MarketingAgentState, result: Any, now: datetime) -> MarketingAgentState:
        revision = 1 + max((piece.revision for piece in state.generated_content), default=0)
        piece = ContentPiece(
            piece_id="p", revision=revision, content_type="email", topic="t", title=f"Title {revision}", body="body"
        )
        return state.evolve(generated_content=(piece,))


class Advertiser(Toy):
    """Writes one ad, with a headline that follows the content, and then deploys it."""

    def plan(self, state: MarketingAgentState, results: Any) -> Stage | None:
        if not results:
            return Stage(name="creatives", units=[Unit(key="write", kind="toy", provider="local", input={"value": 0})])
        return deploy_stage(state, [piece.title for piece in state.generated_content]) if len(results) == 1 else None

    def update_state(self, state: MarketingAgentState, result: Any, now: datetime) -> MarketingAgentState:
        creative = AdCreative(creative_id="a", platform="toy", status="active", remote_ids={"campaign": "1"})
        return state.evolve(ad_creatives=(creative,))


def deploy_stage(state: MarketingAgentState, headlines: list[str]) -> Stage:
    unit = Unit(
        key="deploy",
        kind="toy",
        provider="local",
        input=deployment("toy", headlines=headlines),
        effect_key=effect_key(state.campaign_id, "toy"),
    )
    return Stage(name="deploy", units=[unit])


@pytest.fixture
def bench(database_url: str) -> Iterator[Callable[..., Harness]]:
    made: list[Harness] = []

    def make(**options: Any) -> Harness:
        crew = {
            **toys(stages=(1,)),
            CONTENT_CREATION: Writer(CONTENT_CREATION, (1,), echo),
            AD_MANAGEMENT: Advertiser(AD_MANAGEMENT, (1,), echo),
        }
        made.append(Harness(database_url, options.pop("agents", None) or crew, **options))
        return made[-1]

    yield make
    for one in made:
        one.close()


def verbs(one: Harness) -> Verbs:
    return Verbs(ledger=one.ledger, agents=one.agents, wakeups=one.broker, clock=one.orchestrator.resources.clock)


def run(one: Harness) -> tuple[str, str | None]:
    """As far as it goes: its status, and what is asked."""
    one.orchestrator.run_hop("c1")
    one.deliver()
    asked = one.reports.open_approval("c1")
    return one.reports.status("c1")[0], asked["kind"] if asked else None


def test_gate_all_asks_twice(bench: Callable[..., Harness]) -> None:
    one = bench()
    one.submit(approval={"gate": "all"})
    assert run(one) == ("awaiting_approval", "content")
    asked = one.reports.open_approval("c1")
    assert asked is not None
    assert [piece["title"] for piece in asked["request"]["pieces"]] == ["Title 1"]
    verbs(one).approve("c1", actor="ann")
    assert run(one) == ("awaiting_approval", "ads")
    verbs(one).approve("c1", actor="bob")
    assert run(one) == ("completed", None)
    exported = one.reports.export("c1")["approvals"]
    assert [(each["kind"], each["status"], each["decided_by"]) for each in exported] == [
        ("content", "approved", "ann"),
        ("ads", "approved", "bob"),
    ]
    assert exported[1]["request"]["ads"][0]["headlines"] == ["Title 1"]


@pytest.mark.parametrize(("gate", "kinds"), [("content", ["content"]), ("ads", ["ads"]), ("none", [])])
def test_each_gate_asks_for_its_own(bench: Callable[..., Harness], gate: str, kinds: list[str]) -> None:
    one = bench()
    one.submit(approval={"gate": gate})
    asked = []
    while (found := run(one))[0] == "awaiting_approval":
        asked.append(found[1])
        verbs(one).approve("c1", actor="ann")
    assert (found, asked) == (("completed", None), kinds)


def test_an_approval_given_twice_is_one(bench: Callable[..., Harness]) -> None:
    one = bench()
    one.submit(approval={"gate": "ads"})
    run(one)

    def approve(number: int) -> str:
        try:
            return verbs(one).approve("c1", actor=f"ann-{number}")
        except VerbRefusedError as error:
            return str(error)

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(approve, range(8)))
    assert answers.count("running") == 1
    assert set(answers) == {"running", "campaign c1 is running: it can't be approved"}
    assert len(one.reports.row("c1").state.approvals) == 1
    assert [e.kind for e in one.reports.events("c1")].count("approved") == 1
    assert run(one) == ("completed", None)
    assert one.database.rows("SELECT claims FROM marketing.units WHERE key = 'deploy'") == [(1,)]


@pytest.mark.parametrize("agreed", [True, False])
def test_an_answer_that_comes_while_paused_waits_for_the_resume(bench: Callable[..., Harness], agreed: bool) -> None:
    one = bench()
    one.submit(approval={"gate": "ads"})
    run(one)
    verbs(one).pause("c1", actor="ann")
    answer = partial(verbs(one).approve) if agreed else partial(verbs(one).reject, reason="no")
    with pytest.raises(VerbRefusedError, match="c1 is paused: it can't be"):
        answer("c1", actor="ann")
    assert one.reports.open_approval("c1") is not None
    assert one.orchestrator.run_hop("c1") == "not at work"
    assert verbs(one).resume("c1", actor="ann") == "awaiting_approval"
    assert one.orchestrator.run_hop("c1") == "not at work"


def test_rework_writes_anew_and_asks_again_at_every_gate(bench: Callable[..., Harness]) -> None:
    one = bench()
    one.submit(approval={"gate": "all"})
    run(one)
    verbs(one).approve("c1", actor="ann")
    assert run(one) == ("awaiting_approval", "ads")
    assert verbs(one).reject("c1", actor="ann", reason="too loud", rework=True) == "running"
    assert run(one) == ("awaiting_approval", "content")  # another text is not what was approved
    verbs(one).approve("c1", actor="ann")
    assert run(one) == ("awaiting_approval", "ads")
    asked = one.reports.open_approval("c1")
    assert asked is not None
    assert asked["request"]["ads"][0]["headlines"] == ["Title 2"]
    decided = [(each["kind"], each["status"]) for each in one.reports.export("c1")["approvals"]]
    assert decided == [("content", "approved"), ("ads", "rejected"), ("content", "approved"), ("ads", "open")]


def reworked(database_url: str, sandbox: Any) -> Iterator[Harness]:
    """A campaign of the real agents whose ads were sent back as too loud."""
    one = Harness(database_url, real_agents())
    env = {"SANDBOX_URL": sandbox.url, "DNS_RESOLVER": sandbox.dns_resolver or ""}
    one.orchestrator = replace(one.orchestrator, resources=Resources.of(Settings.from_env(env), one.database))
    pieces = [{"content_type": "email", "topic": topic, "target_length": 40} for topic in ("Releases", "Rollbacks")]
    one.submit(
        "c1", ad_platforms=["facebook"], budget=1000, approval={"gate": "ads"}, content_requirements=pieces,
        lead_sources=[{"type": "search", "limit": 5}],
    )  # fmt: skip
    assert run(one) == ("awaiting_approval", "ads")
    verbs(one).reject("c1", actor="ann", reason="too loud for bankers", rework=True)
    yield one
    one.close()


rework = pytest.fixture(reworked)


def test_a_reworked_campaign_asks_again_and_nothing_was_published(rework: Harness, sandbox: Any) -> None:
    assert [(p.weak, p.reasons) for p in rework.reports.row("c1").state.content_performance] == [
        (True, ("too loud for bankers",))
    ] * 2
    assert run(rework) == ("awaiting_approval", "ads")
    assert [piece.revision for piece in rework.reports.row("c1").state.generated_content] == [2, 2]
    assert ad_campaigns(sandbox) == []


def test_the_reason_is_in_the_prompt_of_every_piece(rework: Harness) -> None:
    run(rework)
    step = rework.reports.row("c1").step - 1
    briefs = rework.database.rows(
        "SELECT kind, input ->> 'brief' FROM marketing.units WHERE step = %s AND stage_name = 'write'", step
    )
    assert [kind for kind, _ in briefs] == ["rewrite", "rewrite"]
    assert all("too loud for bankers" in brief for _, brief in briefs)


@pytest.mark.parametrize(
    ("headlines", "budget", "asks"),
    [
        (["a"], "100", False),
        (["a"], "99.99", False),  # less money
        (["a"], "100.01", True),  # more money
        (["b"], "100", True),  # other words
        (["a", "b"], "100", True),
        (["a"], "200", True),  # that much was granted for other contents only
    ],
)
def test_an_approval_covers_these_contents_and_no_more_money(headlines: list[str], budget: str, asks: bool) -> None:
    keys = {"target_audience": {"industry": "saas"}, "budget": budget, "approval": {"gate": "ads"}}
    config, agent = CampaignConfig.parse(keys), real_agents()[AD_MANAGEMENT]
    state = MarketingAgentState.initial(config, campaign_id="c1", now=NOW)
    first = state.evolve(campaign_config=config.model_copy(update={"budget": Decimal(100)}))
    asked = hold_for(first, agent, deploy_stage(state, ["a"]), None, NOW)
    assert asked is not None
    assert asked.budget == Decimal(100)
    grants = [ApprovalGrant(kind="ads", contents=asked.contents, budget=asked.budget)]
    if budget == "200":
        grants.append(ApprovalGrant(kind="ads", contents=("other",), budget=Decimal(300)))
    again = hold_for(state.evolve(approvals=tuple(grants)), agent, deploy_stage(state, headlines), None, NOW)
    assert (again is not None) == asks
