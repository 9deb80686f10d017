"""Orders about live ads that meet other verbs, other people, questions, caps and outages."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from threading import Barrier
from typing import Any

import postgres_faults
import pytest
from ad_platforms import Wire, ad_campaigns, fault
from orchestrator_harness import Harness
from ordered_ads import FACEBOOK, LINKEDIN, ORDERS, Later, action_of, standing
from paused_ads import BOTH, benches, reason, settings_of, shown, status, verbs, wake, with_ads

from agents.action_log import ActionRecord, record_of
from agents.ad_figures import by_day
from agents.unit import UnitResult, effect_key
from integrations.providers import Providers
from integrations.settings import Settings
from orchestration.control.limits import change_limits
from orchestration.control.ordering import act, set_budget, undo
from orchestration.control.verbs import VerbRefusedError
from orchestration.execution.units import run_claimed
from orchestration.ledger.ad_switches import AdSwitches

BID = ORDERS["bid"].action
PAUSE = ORDERS["pause_platform"].action


@pytest.fixture
def settings(sandbox: Any) -> Settings:
    return settings_of(sandbox)


@pytest.fixture
def bench(database_url: str, settings: Settings) -> Iterator[Callable[..., Harness]]:
    with benches(database_url, settings) as make:
        yield make


def record(one: Harness, action_id: str) -> ActionRecord:
    found = record_of(one.reports.row("c1").state.actions, action_id)
    assert found is not None
    return found


def daily(one: Harness) -> dict[str, Decimal]:
    return {c.platform: c.daily_budget or Decimal(0) for c in one.reports.row("c1").state.ad_creatives}


def unfinished(one: Harness) -> list[Any]:
    return [
        *one.database.rows("SELECT number FROM marketing.ad_switches WHERE settled_at IS NULL"),
        *one.database.rows("SELECT key FROM marketing.units WHERE step < 0 AND finished_at IS NULL"),
    ]


def money(one: Harness) -> dict[str, tuple[Decimal, Decimal]]:
    """What is held and what runs a day, by platform."""
    rows = one.database.rows("SELECT provider, held, daily FROM marketing.spend WHERE kind = 'ads' ORDER BY 1")
    return {row[0]: (row[1], row[2]) for row in rows}


def try_again(one: Harness) -> None:
    one.database.run("UPDATE marketing.units SET due_at = NULL WHERE status IN ('pending', 'unknown')")
    wake(one)
    one.deliver()


def half_done(one: Harness, sandbox: Any, action: Any = BID) -> str:
    """Order something that its platform, which is down, has yet to do."""
    platform = action["platform"]
    with fault(sandbox, platform, "down"):
        action_id = act(verbs(one), "c1", action, actor="ann")
        one.deliver()
    assert f"on {platform} can't be changed yet as ann has ordered, this is tried again" in reason(one)
    return action_id


# --- other verbs ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("begun", [False, True])
def test_a_cancel_overtakes_an_order(bench: Callable[..., Harness], sandbox: Any, begun: bool) -> None:
    one = bench()
    with_ads(one)
    if begun:
        half_done(one, sandbox)
    else:
        act(verbs(one), "c1", BID, actor="ann")
    assert verbs(one).cancel("c1", actor="bob") == "cancelling"
    one.deliver()
    assert (status(one), shown(sandbox), unfinished(one)) == ("cancelled", [], [])
    assert {held for held, _ in money(one).values()} == {Decimal(0)}
    with pytest.raises(VerbRefusedError, match="c1 is cancelled"):
        act(verbs(one), "c1", BID, actor="ann")


def test_pause_and_resume_say_where_the_campaign_goes_after_an_order(
    bench: Callable[..., Harness], sandbox: Any
) -> None:
    one = bench()
    with_ads(one)
    action_id = half_done(one, sandbox)
    assert verbs(one).pause("c1", actor="bob") == "paused"
    assert verbs(one).resume("c1", actor="bob") == "paused"
    try_again(one)
    assert (status(one), record(one, action_id).status) == ("waiting", "applied")
    undoing = half_done_undo(one, sandbox, action_id)
    assert verbs(one).pause("c1", actor="bob") == "paused"
    try_again(one)
    assert (status(one), record(one, undoing).status) == ("paused", "undone")
    verbs(one).resume("c1", actor="bob")
    assert status(one) == "waiting"


def half_done_undo(one: Harness, sandbox: Any, action_id: str) -> str:
    with fault(sandbox, LINKEDIN, "down"):
        undone = undo(verbs(one), "c1", action_id, actor="ann")
        one.deliver()
    assert unfinished(one)
    return undone


def test_a_campaign_goes_back_only_after_an_order(bench: Callable[..., Harness], sandbox: Any) -> None:
    one = bench()
    with_ads(one)
    action_id = half_done(one, sandbox)
    with pytest.raises(VerbRefusedError, match="the ads of campaign c1 are being changed"):
        verbs(one).retry("c1", actor="bob", from_step=0)
    try_again(one)
    assert record(one, action_id).status == "applied"
    verbs(one).retry("c1", actor="bob", from_step=0)
    one.deliver()
    assert (status(one), shown(sandbox)) == ("waiting", BOTH)
    assert len(ad_campaigns(sandbox)) == 2


def test_a_budget_that_a_person_has_set_stays_when_the_campaign_goes_back(
    bench: Callable[..., Harness], sandbox: Any
) -> None:
    one = bench()
    with_ads(one)
    set_budget(verbs(one), "c1", "600", actor="ann")
    one.deliver()
    verbs(one).retry("c1", actor="bob", from_step=0)
    one.deliver()
    assert one.reports.row("c1").state.campaign_config.budget == Decimal(600)
    assert sum(daily(one).values()) <= 20
    assert sum(Decimal(ad["daily_budget"]) for ad in ad_campaigns(sandbox)) <= 20


# --- other people -----------------------------------------------------------------------------------------------------


def test_of_two_people_who_order_at_the_same_moment_one_is_told_to_wait(
    bench: Callable[..., Harness], sandbox: Any
) -> None:
    one, other = bench(), bench(worker="worker-b")
    with_ads(one)
    barrier = Barrier(2)

    def order(by: Harness, action: Any, actor: str) -> str | VerbRefusedError:
        barrier.wait()
        try:
            return act(verbs(by), "c1", action, actor=actor)
        except VerbRefusedError as error:
            return error

    with ThreadPoolExecutor(2) as pool:
        said = [f.result() for f in [pool.submit(order, one, BID, "ann"), pool.submit(order, other, PAUSE, "bob")]]
    (refused,) = [answer for answer in said if isinstance(answer, VerbRefusedError)]
    assert "has changed just now, or its ads are being changed: try again" in str(refused)
    (action_id,) = [answer for answer in said if isinstance(answer, str)]
    one.deliver()
    other.deliver()
    assert (status(one), record(one, action_id).status) == ("waiting", "applied")
    assert len(one.reports.row("c1").state.actions) == 1
    loser, action = (other, PAUSE) if isinstance(said[1], VerbRefusedError) else (one, BID)
    second = act(verbs(loser), "c1", action, actor="bob")
    loser.deliver()
    assert [a.action_id for a in one.reports.row("c1").state.actions] == [action_id, second]


# --- campaigns that are somewhere else --------------------------------------------------------------------------------


def test_a_question_stays_open_and_whole(bench: Callable[..., Harness], sandbox: Any) -> None:
    sandbox.reset(7, {"platforms": {"*": {"quality": 0.05}}})  # so that there is another round
    one = bench()
    leads = [{"type": "search", "limit": 3}]
    one.submit(
        "c1", lead_sources=leads, ad_platforms=["facebook", "linkedin"], budget=1000, content_required=False,
        approval={"gate": "ads"},
    )  # fmt: skip
    one.orchestrator.run_hop("c1")
    one.deliver()
    assert status(one) == "awaiting_approval"
    verbs(one).approve("c1", actor="ann")
    one.deliver()
    assert status(one) == "awaiting_approval", "the round after the first asks again"
    question, before = one.reports.open_approval("c1"), one.reports.show("c1")
    row = one.ledger.load("c1")
    assert row is not None
    planned = one.ledger.planned(row)
    for order in (
        lambda: set_budget(verbs(one), "c1", "600", actor="ann"),
        lambda: act(verbs(one), "c1", action_of("shift_budget", daily(one), Later().now()), actor="ann"),
    ):
        with pytest.raises(VerbRefusedError, match="just giving money to its platforms: answer what it asks first"):
            order()
    assert one.reports.show("c1") == before
    action_id = act(verbs(one), "c1", BID, actor="ann")
    with pytest.raises(VerbRefusedError, match="c1 is paused: it can't be approved"):
        verbs(one).approve("c1", actor="bob")
    assert one.reports.open_approval("c1") == question
    one.deliver()
    after = one.reports.show("c1")
    assert record(one, action_id).status == "applied"
    for key in ("status", "reason", "due_at", "step", "route"):
        assert after[key] == before[key], key
    assert one.reports.open_approval("c1") == question
    now = one.ledger.load("c1")
    assert now is not None
    assert (now.hold, one.ledger.planned(now)) == (row.hold, planned)
    assert verbs(one).approve("c1", actor="bob") == "running"
    one.deliver()
    assert record(one, action_id).stands
    assert len(ad_campaigns(sandbox)) == 2


def test_a_running_campaign_ends_what_it_does_before_an_order_and_goes_on_after_it(
    bench: Callable[..., Harness], sandbox: Any
) -> None:
    one = bench()
    with_ads(one)
    one.orchestrator = replace(one.orchestrator, placement="chord")  # nothing of a stage begins with it
    one.database.run("UPDATE marketing.campaigns SET due_at = now() - interval '1 second'")
    wake(one)
    one.deliver(1)
    row = one.ledger.load("c1")
    assert row is not None
    assert (row.status, row.stage_name) == ("running", "measure")
    (claimed, *_) = one.ledger.take("c1", row.step, row.stage, 1)
    one.broker.queue.clear()
    one.orchestrator = replace(one.orchestrator, placement="local")
    action_id = act(verbs(one), "c1", BID, actor="ann")
    one.deliver()
    assert AdSwitches(one.ledger).units("c1") == []  # not even planned
    outcome = run_claimed(one.agents, claimed, one.ledger, one.orchestrator.resources)
    assert isinstance(outcome, UnitResult)
    one.ledger.finish(row.position, [outcome])
    wake(one)
    one.deliver()
    assert record(one, action_id).status == "applied"
    assert (status(one), unfinished(one)) == ("completed", [])
    assert record(one, action_id) in one.reports.row("c1").state.actions
    set_budget(verbs(one), "c1", "600", actor="ann")
    one.deliver()
    over = by_day(one.reports.row("c1").state.campaign_performance.daily)
    left = 600 - sum(day.spend for day in over[:-1])  # the newest day is not over
    assert (status(one), sum(daily(one).values()) * (30 - len(over[:-1])) <= left) == ("completed", True)


# --- what platforms and caps refuse -----------------------------------------------------------------------------------


def test_a_refusal_of_the_platform_is_told_and_the_campaign_goes_on(
    bench: Callable[..., Harness], settings: Settings, sandbox: Any
) -> None:
    one = bench()
    with_ads(one)
    platform, wire = Providers(settings).ads(FACEBOOK), Wire()
    remote = platform.find_by_key(effect_key("c1", FACEBOOK), wire=wire)
    assert remote is not None
    act(verbs(one), "c1", PAUSE, actor="ann")
    one.deliver()
    before = money(one)
    platform.remove(remote.ids, wire=wire)  # by hand
    action_id = act(verbs(one), "c1", {"kind": "resume_platform", "platform": FACEBOOK}, actor="ann")
    one.deliver()
    assert record(one, action_id).status == "failed"
    assert "deleted" in record(one, action_id).failed[FACEBOOK]
    assert (status(one), money(one)) == ("waiting", before)


def test_what_a_cap_refuses_has_failed_and_says_what_would_be_right(
    bench: Callable[..., Harness], sandbox: Any
) -> None:
    one = bench()
    with_ads(one)
    act(verbs(one), "c1", PAUSE, actor="ann")
    one.deliver()
    change_limits(verbs(one), "c1", actor="ann", ads_per_day="20")
    before, world = money(one), ad_campaigns(sandbox)
    action_id = act(verbs(one), "c1", {"kind": "resume_platform", "platform": FACEBOOK}, actor="ann")
    one.deliver()
    assert record(one, action_id).status == "failed"
    assert "raise it with `campaigns limits c1 --ads-per-day X`" in record(one, action_id).failed[FACEBOOK]
    assert (status(one), money(one), ad_campaigns(sandbox)) == ("waiting", before, world)


def test_a_platform_that_stays_away_fails_an_order_in_the_end(bench: Callable[..., Harness], sandbox: Any) -> None:
    one = bench()
    with_ads(one)
    clock = Later()
    one.orchestrator = replace(one.orchestrator, resources=replace(one.orchestrator.resources, clock=clock))
    before = money(one)
    with fault(sandbox, LINKEDIN, "down"):
        moved = action_of("shift_budget", daily(one), clock.now())
        action_id = act(verbs(one), "c1", moved, actor="ann")
        one.deliver()
        for _ in range(12):
            clock.by += timedelta(minutes=2)
            try_again(one)
    found = record(one, action_id)
    assert (status(one), unfinished(one)) == ("waiting", [])
    lower = FACEBOOK if Decimal(str(moved["moves"][FACEBOOK]["after"])) < daily_before(moved, FACEBOOK) else LINKEDIN
    assert LINKEDIN in found.failed or lower == LINKEDIN
    assert "was not available" in found.failed[LINKEDIN]
    spent = {ad["provider"]: Decimal(ad["daily_budget"]) for ad in ad_campaigns(sandbox)}
    assert spent == daily(one)
    assert sum(spent.values()) <= sum(amount for _, amount in before.values())


def daily_before(moved: Any, platform: str) -> Decimal:
    return Decimal(moved["moves"][platform]["before"])


def test_what_was_taken_back_in_part_is_not_undone_and_is_taken_back_later(
    bench: Callable[..., Harness], sandbox: Any
) -> None:
    one = bench()
    with_ads(one)
    clock, was = Later(), daily(one)
    one.orchestrator = replace(one.orchestrator, resources=replace(one.orchestrator.resources, clock=clock))
    moved = action_of("shift_budget", was, clock.now())
    action_id = act(verbs(one), "c1", moved, actor="ann")
    one.deliver()
    (less,) = [name for name, daily_now in daily(one).items() if daily_now < was[name]]
    undo(verbs(one), "c1", action_id, actor="bob")
    with fault(sandbox, less, "down"):
        for _ in range(13):
            one.deliver()
            clock.by += timedelta(minutes=2)
            try_again(one)
    found = record(one, action_id)
    assert (unfinished(one), found.undone_at, found.stands) == ([], None, True)
    assert found.failed[less].startswith("could not be taken back: ")
    undo(verbs(one), "c1", action_id, actor="bob")
    one.deliver()
    assert (record(one, action_id).status, daily(one)) == ("undone", was)


# --- the database -----------------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("how", ["lost", "done", "57P01", "40001"])
@pytest.mark.parametrize("at", ["update_ad_switches", "insert_ad_switches", "commit"])
def test_an_outage_of_the_database_at_any_moment_of_an_order(
    bench: Callable[..., Harness], settings: Settings, sandbox: Any, how: str, at: str
) -> None:
    first = bench()
    with_ads(first)
    place = first.reports.show("c1")
    world = standing(settings, "c1", (FACEBOOK, LINKEDIN))
    hit = []

    def draw(operation: str, kinds: tuple[str, ...]) -> str | None:
        """Once in every second operation of this name."""
        if operation != f"postgres.{at}" or how not in kinds:
            return None
        hit.append(operation)
        return how if len(hit) % 2 else None

    end = postgres_faults.install(draw)
    try:
        one = bench(worker="worker-b")
        action_id = act(verbs(one), "c1", BID, actor="ann")
        one.deliver()
        for _ in range(3):
            try_again(one)
        assert record(one, action_id).status == "applied"
        undo(verbs(one), "c1", action_id, actor="ann")
        one.deliver()
        for _ in range(3):
            try_again(one)
        assert hit
    finally:
        end()
    assert unfinished(first) == []
    (kept,) = first.reports.row("c1").state.actions
    assert kept.status == "undone"
    after = first.reports.show("c1")
    for key in ("status", "reason", "due_at", "step", "route"):
        assert after[key] == place[key], key
    assert standing(settings, "c1", (FACEBOOK, LINKEDIN)) == world
