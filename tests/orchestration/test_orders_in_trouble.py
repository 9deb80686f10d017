"""Orders about live ads when replies get lost and workers die: carried out once, taken back whole, nothing held up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from ad_platforms import ad_campaigns
from orchestrator_harness import Harness
from ordered_ads import (
    KINDS,
    ORDERS,
    SOCIAL,
    Deaths,
    Later,
    LosingGuard,
    action_of,
    doubled,
    made,
    makes,
    standing,
)
from paused_ads import benches, dead, settings_of, status, verbs, wake, with_ads

from agents.action_log import record_of
from integrations.settings import Settings
from orchestration.control.ordering import act, set_budget, undo
from orchestration.control.resolve import open_units, resolve
from orchestration.execution.executor import UnitSlots


@pytest.fixture
def settings(sandbox: Any) -> Settings:
    return settings_of(sandbox)


@pytest.fixture
def bench(database_url: str, settings: Settings) -> Iterator[Callable[..., Harness]]:
    with benches(database_url, settings) as make:
        yield make


class Case:
    """A campaign whose ads run, and one kind of order about them."""

    def __init__(self, one: Harness, kind: str, settings: Settings, sandbox: Any) -> None:
        self.one, self.kind, self.settings, self.sandbox = one, kind, settings, sandbox
        order = ORDERS.get(kind)
        self.platforms = order.on if order is not None else SOCIAL
        self.clock = Later()
        one.orchestrator = replace(one.orchestrator, resources=replace(one.orchestrator.resources, clock=self.clock))
        with_ads(one, ad_platforms=list(self.platforms))
        if order is not None and order.first is not None:
            act(verbs(one), "c1", order.first, actor="ann")
            one.deliver()
        self.before, self.held, self.place = self.world(), self.money(), self.standing_still()
        self.made = made(sandbox)
        self.action_id = ""

    def world(self) -> dict[str, object]:
        return standing(self.settings, "c1", self.platforms)

    def daily(self) -> dict[str, Decimal]:
        creatives = self.one.reports.row("c1").state.ad_creatives
        return {one.platform: one.daily_budget or Decimal(0) for one in creatives}

    def money(self) -> dict[str, tuple[Decimal, Decimal]]:
        """What is held and what runs a day, by platform, in the spend ledger."""
        sql = "SELECT provider, held, daily FROM marketing.spend WHERE kind = 'ads' ORDER BY 1"
        return {row[0]: (row[1], row[2]) for row in self.one.database.rows(sql)}

    def standing_still(self) -> tuple[object, ...]:
        shown = self.one.reports.show("c1")
        return tuple(shown[key] for key in ("status", "reason", "due_at", "step", "route"))

    def order(self) -> None:
        if self.kind == "set_budget":
            set_budget(verbs(self.one), "c1", "600", actor="ann")
            self.action_id = self.one.reports.events("c1")[-1].data["order"]
            return
        action = action_of(self.kind, self.daily(), self.clock.now())
        self.action_id = act(verbs(self.one), "c1", action, actor="ann")

    def take_back(self) -> None:
        if self.kind == "set_budget":
            set_budget(verbs(self.one), "c1", "1000", actor="ann")
        else:
            undo(verbs(self.one), "c1", self.action_id, actor="bob")

    def share_clock(self, other: Harness) -> None:
        """Let another worker have the same clock."""
        resources = replace(other.orchestrator.resources, clock=self.clock)
        other.orchestrator = replace(other.orchestrator, resources=resources)

    def go_on(self) -> None:
        """Let time pass until nothing of an order is left to do."""
        for _ in range(40):
            self.one.deliver()
            if not self.one.database.rows("SELECT true FROM marketing.ad_switches WHERE settled_at IS NULL"):
                return
            self.clock.by += timedelta(seconds=20)
            self.one.database.run("UPDATE marketing.units SET due_at = NULL WHERE status IN ('pending', 'unknown')")
            wake(self.one)
        left = self.one.database.rows("SELECT key, status, error FROM marketing.units WHERE step < 0")
        raise AssertionError(f"{self.standing_still()}: {left}")

    def assert_carried_out(self) -> None:
        found = record_of(self.one.reports.row("c1").state.actions, self.action_id)
        assert found is not None
        assert (found.status, found.by) == ("applied", "ann"), found.failed
        assert self.world() != self.before
        self.assert_whole()

    def assert_taken_back(self) -> None:
        now = self.world()
        assert {key: now[key] for key in self.before} == self.before
        assert not any(now[key] for key in now.keys() - self.before.keys())  # an ad that was made stays, switched off
        assert self.money() == self.held
        self.assert_whole()

    def assert_whole(self) -> None:
        """The campaign is where it was, and what the ledger and the state say is what the platforms have."""
        assert self.standing_still() == self.place
        assert doubled(self.sandbox) == []
        money = self.money()
        ads = {ad["provider"]: ad for ad in ad_campaigns(self.sandbox)}
        for name, daily in self.daily().items():
            runs = ads[name]["status"] == "active"
            assert Decimal(ads[name]["daily_budget"]) == daily, name
            assert money[name][1] == (daily if runs else 0), name
            assert (money[name][0] > 0) == runs, name
        rows = self.one.database.rows("SELECT key FROM marketing.units WHERE step < 0 AND finished_at IS NULL")
        assert rows == []


#: Kinds of which every other one is carried out in the same way as one of these.
QUICK = ("pause_ad", "new_variant", "shift_budget")
EACH = [pytest.param(one, marks=[pytest.mark.slow] * (one not in QUICK)) for one in KINDS]


@pytest.mark.parametrize("kind", EACH)
def test_every_reply_of_an_order_gets_lost_once(
    bench: Callable[..., Harness], settings: Settings, sandbox: Any, kind: str
) -> None:
    one = bench()
    case = Case(one, kind, settings, sandbox)
    guard = LosingGuard(settings, sandbox, one.database)
    one.orchestrator = replace(one.orchestrator, resources=replace(one.orchestrator.resources, guard=guard))
    case.order()
    case.go_on()
    lost = len(guard.lost)
    assert lost > 0
    case.assert_carried_out()
    assert made(sandbox) - case.made == makes(kind)
    case.take_back()
    case.go_on()
    assert len(guard.lost) > lost
    case.assert_taken_back()


@pytest.mark.parametrize("kind", EACH)
def test_whoever_dies_wherever_another_carries_the_order_out(
    bench: Callable[..., Harness], settings: Settings, sandbox: Any, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("orchestration.ledger.ledger.LEASE_S", 0.5)
    one, victim = bench(), bench(worker="victim")
    case = Case(one, kind, settings, sandbox)
    case.share_clock(victim)
    deaths, died = Deaths(monkeypatch), set[str]()

    def work() -> None:
        victim.orchestrator.run_hop("c1")
        victim.deliver()

    def killed(ask: Callable[[], None], at: int, expected: Counter[str]) -> str | None:
        before = made(sandbox)
        ask()
        one.broker.queue.clear()
        point = deaths.die(at, work)
        victim.slots.close()  # what runs beside it dies too
        victim.slots = UnitSlots(8)
        victim.orchestrator = replace(victim.orchestrator, slots=victim.slots)
        victim.broker.queue.clear()
        dead(one, "victim")
        wake(one)
        case.go_on()
        assert made(sandbox) - before == expected
        return point

    for at in range(2, 99):  # the first one is before the campaign is looked at
        points = [killed(case.order, at, makes(kind))]
        case.assert_carried_out()
        points.append(killed(case.take_back, at, Counter()))
        case.assert_taken_back()
        if points == [None, None]:
            break
        died |= {point for point in points if point is not None}
    assert died >= {"take.before", "intend.before", "effect.before", "finish.before", "advance.before", "advance.after"}
    assert ("create.before" in died) == (kind == "new_variant")


def test_what_was_sent_in_vain_for_too_often_is_settled_by_a_person(
    bench: Callable[..., Harness], settings: Settings, sandbox: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("orchestration.ledger.ledger.LEASE_S", 0.5)
    one, victim = bench(), bench(worker="victim")
    case = Case(one, "new_variant", settings, sandbox)
    case.share_clock(victim)
    deaths, deadly = Deaths(monkeypatch), 0
    case.order()
    for _ in range(30):
        point = deaths.die(1, lambda: victim.orchestrator.run_hop("c1"), only="create.before")
        deadly += point is not None
        dead(one, "victim")
        one.ledger.reconcile()
        if "campaigns resolve" in (one.reports.status("c1")[1] or ""):
            break
        case.clock.by += timedelta(seconds=20)
        one.database.run("UPDATE marketing.units SET due_at = NULL WHERE status IN ('pending', 'unknown')")
    assert (deadly, status(one)) == (3, "paused")
    (unit,) = open_units(one.database, "c1")
    assert unit.steps
    assert resolve(verbs(one), "c1", unit.key, actor="ann") == "paused"
    wake(one)
    case.go_on()
    case.assert_carried_out()
    assert made(sandbox) - case.made == makes("new_variant")
