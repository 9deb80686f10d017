"""Pausing a campaign with its ads: what is switched off, what is switched on again, and what is left alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from ad_platforms import Wire, ad_campaigns
from orchestrator_harness import Harness
from paused_ads import BOTH, benches, reason, said, settings_of, shown, status, tick, verbs, with_ads
from toys import Toy, echo, toys

from agents.config import CampaignConfig
from agents.names import AD_MANAGEMENT
from agents.registry import agents as real_agents
from agents.state import AdCreative, MarketingAgentState
from agents.stopping import Wanted
from agents.unit import Unit, UnitResult, UnitStatus, effect_key
from integrations.providers import Providers
from integrations.settings import Settings
from orchestration.control.verbs import VerbRefusedError
from orchestration.execution.ad_switching import settled, switched_off
from orchestration.ledger.ad_switches import AdSwitch, SwitchUnit


@pytest.fixture
def settings(sandbox: Any) -> Settings:
    return settings_of(sandbox)


@pytest.fixture
def bench(database_url: str, settings: Settings) -> Iterator[Callable[..., Harness]]:
    with benches(database_url, settings) as make:
        yield make


def events(one: Harness) -> list[tuple[str, str]]:
    """What happened since the ads ran, and who said so."""
    every = [(event.kind, event.actor) for event in one.reports.events("c1")]
    return every[[kind for kind, _ in every].index("waiting") + 1 :]


def go_on(one: Harness) -> None:
    """The wait for figures is over."""
    one.database.run("UPDATE marketing.campaigns SET due_at = now() - interval '1 second' WHERE status = 'waiting'")
    tick(one)
    one.deliver()


# --- off, and on again -----------------------------------------------------------------------------------------------


def test_ads_are_paused_with_their_campaign_and_go_on_with_it(bench: Callable[..., Harness], sandbox: Any) -> None:
    one = bench()
    with_ads(one)
    before = one.reports.show("c1")
    assert verbs(one).pause("c1", actor="ann", ads=True) == "paused"
    assert verbs(one).pause("c1", actor="bob", ads=True) == "paused"
    assert reason(one) == "paused by ann; its ads are being paused"
    one.deliver()
    assert (status(one), reason(one), shown(sandbox)) == ("paused", "paused by ann, and its ads", [])
    assert said(one) == ["paused", "paused"]
    assert one.orchestrator.run_hop("c1") == "not at work"
    assert verbs(one).pause("c1", actor="bob", ads=True) == "paused"  # nothing is left to do
    assert verbs(one).pause("c1", actor="bob") == "paused"
    assert not one.broker.queue

    assert verbs(one).resume("c1", actor="ann") == "paused"
    assert verbs(one).resume("c1", actor="bob") == "paused"
    assert reason(one) == "resumed by ann; goes on when its ads are on again"
    one.deliver()
    assert shown(sandbox) == BOTH
    after = one.reports.show("c1")
    for key in ("status", "reason", "due_at", "step", "state", "route"):
        assert after[key] == before[key], key
    assert events(one) == [("paused", "ann"), ("ads_paused", "system"), ("resuming", "ann"), ("resumed", "ann")]
    go_on(one)
    assert status(one) == "completed"
    assert len(ad_campaigns(sandbox)) == 2
    assert [stage.step for stage in one.reports.stages("c1")] == sorted(s.step for s in one.reports.stages("c1"))
    assert min(stage.step for stage in one.reports.stages("c1")) == 0


def test_what_a_person_has_paused_by_hand_stays_paused(
    bench: Callable[..., Harness], sandbox: Any, settings: Settings
) -> None:
    one = bench()
    with_ads(one)
    facebook = Providers(settings).ads("facebook_ads")
    found = facebook.find_by_key(effect_key("c1", "facebook_ads"), wire=Wire())
    assert found is not None
    facebook.pause(found, wire=Wire())
    for _ in range(2):  # nor does a second pause make it ours
        verbs(one).pause("c1", actor="ann", ads=True)
        one.deliver()
        assert shown(sandbox) == []
        verbs(one).resume("c1", actor="ann")
        one.deliver()
        assert (status(one), shown(sandbox)) == ("waiting", ["linkedin_ads"])
    go_on(one)
    assert (status(one), shown(sandbox)) == ("completed", ["linkedin_ads"])


def test_a_round_of_optimisation_switches_no_paused_ad_on(
    bench: Callable[..., Harness], sandbox: Any, settings: Settings
) -> None:
    agents = real_agents()
    one = bench(agents={**agents, "analytics": Toy("analytics", (1,), echo, scores=(0.1, 0.9))})
    with_ads(one, content_required=True, measure_after="2h")
    facebook = Providers(settings).ads("facebook_ads")
    found = facebook.find_by_key(effect_key("c1", "facebook_ads"), wire=Wire())
    assert found is not None
    facebook.pause(found, wire=Wire())
    go_on(one)
    assert one.reports.row("c1").state.optimization_attempts == 1
    assert said(one) == ["paused", "active"]
    go_on(one)
    assert (status(one), shown(sandbox)) == ("completed", ["linkedin_ads"])


def test_ads_of_a_campaign_that_is_paused_already(bench: Callable[..., Harness], sandbox: Any) -> None:
    one = bench()
    with_ads(one)
    verbs(one).pause("c1", actor="ann")
    assert verbs(one).pause("c1", actor="bob", ads=True) == "paused"
    one.deliver()
    assert (reason(one), shown(sandbox)) == ("paused by bob, and its ads", [])
    verbs(one).resume("c1", actor="ann")
    one.deliver()
    assert (status(one), shown(sandbox)) == ("waiting", BOTH)


def test_without_ads_it_is_a_plain_pause(bench: Callable[..., Harness]) -> None:
    one = bench(agents=toys())
    one.submit()
    assert verbs(one).pause("c1", actor="ann", ads=True) == "paused"
    assert reason(one) == "paused by ann"
    assert verbs(one).resume("c1", actor="ann") == "queued"


# --- minds that change -----------------------------------------------------------------------------------------------


def test_a_pause_that_is_taken_back_before_it_was_carried_out(bench: Callable[..., Harness], sandbox: Any) -> None:
    one = bench()
    with_ads(one)
    verbs(one).pause("c1", actor="ann", ads=True)
    verbs(one).resume("c1", actor="ann")
    one.deliver()
    assert (status(one), shown(sandbox)) == ("waiting", BOTH)


@pytest.mark.parametrize("ads", [False, True])
def test_a_resume_that_is_taken_back(bench: Callable[..., Harness], sandbox: Any, ads: bool) -> None:
    one = bench()
    with_ads(one)
    verbs(one).pause("c1", actor="ann", ads=True)
    one.deliver()
    verbs(one).resume("c1", actor="ann")
    assert verbs(one).pause("c1", actor="bob", ads=ads) == "paused"
    one.deliver()
    assert (status(one), shown(sandbox)) == ("paused", [] if ads else BOTH)
    assert reason(one) == ("paused by bob, and its ads" if ads else "paused by bob; its ads are on")
    assert verbs(one).resume("c1", actor="ann") == ("paused" if ads else "waiting")
    one.deliver()
    assert (status(one), shown(sandbox)) == ("waiting", BOTH)


def test_a_campaign_whose_ads_are_paused_is_cancelled_and_does_not_go_back(
    bench: Callable[..., Harness], sandbox: Any
) -> None:
    one = bench()
    with_ads(one)
    verbs(one).pause("c1", actor="ann", ads=True)
    with pytest.raises(VerbRefusedError, match="is paused with its ads: resume it"):
        verbs(one).retry("c1", actor="ann", from_step=0)
    one.deliver()
    with pytest.raises(VerbRefusedError, match="is paused with its ads: resume it"):
        verbs(one).retry("c1", actor="ann", from_step=0)
    assert verbs(one).cancel("c1", actor="ann") == "cancelling"
    one.deliver()
    assert (status(one), shown(sandbox), said(one)) == ("cancelled", [], ["paused", "paused"])
    # A wish of the line of work that was left behind counts no more.
    assert verbs(one).retry("c1", actor="ann", from_step=0) == "running"


# --- pure ------------------------------------------------------------------------------------------------------------


def unit(
    number: int, wanted: Wanted, *, ours: bool = False, status: str = "succeeded", platform: str = "x"
) -> SwitchUnit:
    planned = Unit(
        key=f"{wanted}:{platform}", kind="stop", provider=platform, input={"platform": platform, "wanted": wanted},
        effect_key=platform, agent=AD_MANAGEMENT,
    )  # fmt: skip
    answer = {"platform": platform, "found": True, "paused": ours, "enabled": wanted == "on"}
    output = answer if status == "succeeded" else None
    result = UnitResult(unit=planned, status=UnitStatus(status), output=output, error={"message": "no"})
    return SwitchUnit(number=number, wanted=wanted, ours=ours, result=result)


def test_whose_doing_it_is_that_an_ad_is_off() -> None:
    assert switched_off([]) == frozenset()
    assert switched_off([unit(1, "off", ours=True), unit(1, "off", platform="y")]) == {"x"}
    assert switched_off([unit(1, "off", ours=True), unit(2, "on")]) == frozenset()
    assert switched_off([unit(1, "off", ours=True), unit(2, "on", status="failed")]) == {"x"}
    # The pause was taken back while it was carried out: what it had begun counts.
    assert switched_off([unit(1, "off", ours=True, status="skipped")]) == {"x"}
    assert switched_off([unit(1, "off", ours=True), unit(2, "on", status="skipped"), unit(3, "off")]) == {"x"}


def test_only_what_changed_is_told_in_the_state() -> None:
    config = CampaignConfig.parse({"target_audience": {"industry": "saas"}})
    creatives = tuple(
        AdCreative(creative_id=name, platform=name, status=before)
        for name, before in (("x", "active"), ("y", "active"), ("z", "failed"), ("w", "paused"))
    )
    state = MarketingAgentState.initial(config, campaign_id="c1").evolve(ad_creatives=creatives)
    switch = AdSwitch(
        number=1,
        wanted="off",
        go_on=False,
        actor="ann",
        agent=AD_MANAGEMENT,
        epoch=0,
        planned=True,
        settled=False,
        unreached=(),
    )
    units = [unit(1, "off", ours=True), unit(1, "off", platform="y", status="failed"), unit(1, "off", platform="w")]
    end = settled(state, switch, units, real_agents())
    assert [(c.platform, c.status) for c in end.state.ad_creatives] == [
        ("x", "paused"), ("y", "active"), ("z", "failed"), ("w", "paused"),
    ]  # fmt: skip
    assert end.unreached == ("y",)
    assert end.change.data == {"platforms": "x", "not_paused": "y"}
