"""Orders about live ads: carried out at once over the wire, kept with what they replaced, and taken back."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from typing import Any

import pytest
from ad_platforms import Wire
from orchestrator_harness import Harness
from paused_ads import benches, reason, settings_of, shown, status, verbs, with_ads

from agents.action_log import ActionRecord, record_of
from agents.unit import effect_key
from integrations.ads.change_kind import ChangeKind
from integrations.ads.registry import platform as spec_of
from integrations.providers import Providers
from integrations.settings import Settings
from orchestration.control.ordering import act, open_orders, set_budget, undo
from orchestration.control.verbs import VerbRefusedError

FACEBOOK = "facebook_ads"


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


ACTIONS: Mapping[str, Mapping[str, Any]] = {
    "pause_ad": {"kind": "pause_ad", "platform": FACEBOOK, "ad": "ad.2"},
    "pause_platform": {"kind": "pause_platform", "platform": FACEBOOK},
    "new_variant": {
        "kind": "new_variant",
        "platform": FACEBOOK,
        "headlines": ["Ask your team first"],
        "descriptions": ["A calm look at what it costs."],
    },
    "widen_audience": {"kind": "widen_audience", "platform": FACEBOOK, "industries": ["software", "finance"]},
    "bid": {"kind": "bid", "platform": FACEBOOK, "cap": "2.50", "currency": "USD"},
}


@pytest.mark.parametrize("kind", ACTIONS)
def test_an_action_is_carried_out_at_once_and_taken_back(
    bench: Callable[..., Harness], settings: Settings, kind: str
) -> None:
    one = bench()
    with_ads(one)
    before = one.reports.show("c1")
    world = standing(settings)
    action_id = act(verbs(one), "c1", ACTIONS[kind], actor="ann")
    assert status(one) == "paused"
    assert reason(one).endswith("ordered by ann, is being carried out")
    one.deliver()
    done = record(one, action_id)
    assert (done.status, done.done, done.by) == ("applied", (FACEBOOK,), "ann"), done.failed
    assert standing(settings) != world
    after = one.reports.show("c1")
    for key in ("status", "reason", "due_at", "step", "route"):
        assert after[key] == before[key], key

    undo(verbs(one), "c1", action_id, actor="bob")
    one.deliver()
    assert (record(one, action_id).status, record(one, action_id).undone_by) == ("undone", "bob")
    assert status(one) == "waiting"
    if kind != "new_variant":  # an ad that was made stays, switched off
        assert standing(settings) == world
    with pytest.raises(VerbRefusedError, match="is undone"):
        undo(verbs(one), "c1", action_id, actor="bob")


def standing(settings: Settings) -> list[object]:
    """Everything that actions change, as Facebook has it."""
    platform, wire = Providers(settings).ads(FACEBOOK), Wire()
    remote = platform.find_by_key(effect_key("c1", FACEBOOK), wire=wire)
    assert remote is not None
    ads = sorted(step for step in remote.ids if step.startswith("ad."))
    kinds = [kind for kind in spec_of(FACEBOOK).changes if kind is not ChangeKind.AD_SWITCH]
    found = [platform.changes.setting(remote, kind, wire=wire) for kind in sorted(kinds)]
    switches = [platform.changes.setting(remote, ChangeKind.AD_SWITCH, ad=ad, wire=wire) for ad in ads]
    return [remote.status, *found, *switches]


def test_less_budget_is_spent_from_now_on_on_every_platform(bench: Callable[..., Harness], sandbox: Any) -> None:
    one = bench()
    with_ads(one)
    was = daily(one)
    assert sum(was.values()) > 30
    action_id = set_budget(verbs(one), "c1", "600", actor="ann")
    assert status(one) == "paused"
    assert open_orders(verbs(one), "c1") == (action_id,)
    one.deliver()
    assert open_orders(verbs(one), "c1") == ()
    assert status(one) == "waiting"
    now = daily(one)
    assert sum(now.values()) <= 20
    assert all(now[name] < was[name] for name in was)
    assert one.reports.row("c1").state.campaign_config.budget == Decimal(600)
    (kept,) = one.reports.row("c1").state.actions
    assert (kept.action_id, kept.action.kind) == (action_id, "set_budget")
    assert kept.done == ("facebook_ads", "linkedin_ads")
    assert set_budget(verbs(one), "c1", "600.00", actor="ann") == ""
    set_budget(verbs(one), "c1", "900", actor="ann")
    one.deliver()
    assert 20 < sum(daily(one).values()) <= 30


def test_money_moves_and_moves_back(bench: Callable[..., Harness], sandbox: Any) -> None:
    one = bench()
    with_ads(one)
    was = daily(one)
    less, more = sorted(was)
    moved = {
        less: {"before": str(was[less]), "after": str(was[less] - 4)},
        more: {"before": str(was[more]), "after": str(was[more] + 4)},
    }
    action_id = act(verbs(one), "c1", {"kind": "shift_budget", "moves": moved, "currency": "USD"}, actor="ann")
    one.deliver()
    assert daily(one) == {less: was[less] - 4, more: was[more] + 4}
    assert record(one, action_id).done == tuple(sorted(was))
    undo(verbs(one), "c1", action_id, actor="ann")
    one.deliver()
    assert daily(one) == was
    assert record(one, action_id).status == "undone"


@pytest.mark.parametrize(
    ("action", "said"),
    [
        ({"kind": "pause_ad", "platform": FACEBOOK, "ad": "ad.9"}, "ad=ad.9 is not shown; shown are: ad.1"),
        ({"kind": "pause_ad", "platform": "google_ads", "ad": "ad.1"}, "the campaign has no ads there; it has ads on"),
        ({"kind": "frequency_cap", "platform": FACEBOOK, "impressions": 3}, "can't change the frequency cap"),
        ({"kind": "bid", "platform": FACEBOOK, "cap": "9999", "currency": "USD"}, "above the daily budget"),
        ({"kind": "bid", "platform": FACEBOOK, "cap": "-1", "currency": "USD"}, "greater than 0"),
        ({"kind": "explode", "platform": FACEBOOK}, "that is no action"),
        ({"kind": "shift_budget", "moves": {FACEBOOK: {"before": 1, "after": 900}}, "currency": "USD"}, "none may be"),
        ({"kind": "schedule", "platform": FACEBOOK, "end": "2001-01-01T00:00:00Z"}, "is not between now and"),
    ],
)
def test_what_may_not_be_done_is_refused_and_nothing_is_stored(
    bench: Callable[..., Harness], settings: Settings, action: Mapping[str, Any], said: str
) -> None:
    one = bench()
    with_ads(one)
    before, world = one.reports.show("c1"), standing(settings)
    with pytest.raises(VerbRefusedError, match=said):
        act(verbs(one), "c1", action, actor="ann")
    assert (one.reports.show("c1"), standing(settings)) == (before, world)
    assert not one.broker.queue


def test_less_than_is_spent_is_no_budget(bench: Callable[..., Harness], sandbox: Any) -> None:
    one = bench()
    with_ads(one)
    one.database.run("UPDATE marketing.spend SET settled = 120 WHERE kind = 'ads' AND provider = 'facebook_ads'")
    with pytest.raises(VerbRefusedError, match=r"120\.00 USD is spent already"):
        set_budget(verbs(one), "c1", "100", actor="ann")


def test_a_paused_campaign_stays_paused_after_an_order(bench: Callable[..., Harness], sandbox: Any) -> None:
    one = bench()
    with_ads(one)
    verbs(one).pause("c1", actor="ann", ads=True)
    one.deliver()
    assert shown(sandbox) == []
    action_id = act(verbs(one), "c1", ACTIONS["bid"], actor="ann")
    one.deliver()
    assert (status(one), record(one, action_id).status, shown(sandbox)) == ("paused", "applied", [])
    verbs(one).resume("c1", actor="ann")
    one.deliver()
    assert (status(one), shown(sandbox)) == ("waiting", [FACEBOOK, "linkedin_ads"])


def test_a_pause_while_ads_are_changed_holds_after_it(bench: Callable[..., Harness], sandbox: Any) -> None:
    one = bench()
    with_ads(one)
    act(verbs(one), "c1", ACTIONS["bid"], actor="ann")
    assert verbs(one).pause("c1", actor="bob") == "paused"
    with pytest.raises(VerbRefusedError, match="being changed"):
        verbs(one).pause("c1", actor="bob", ads=True)
    with pytest.raises(VerbRefusedError, match="are being changed"):
        act(verbs(one), "c1", ACTIONS["pause_ad"], actor="ann")
    one.deliver()
    assert status(one) == "paused"
    verbs(one).resume("c1", actor="bob")
    assert status(one) == "waiting"


def test_an_ended_campaign_whose_ads_run_takes_orders(bench: Callable[..., Harness], sandbox: Any) -> None:
    one = bench()
    with_ads(one)
    one.database.run("UPDATE marketing.campaigns SET due_at = now() - interval '1 second'")
    one.ledger.reconcile()
    one.orchestrator.run_hop("c1")
    one.deliver()
    assert status(one) == "completed"
    act(verbs(one), "c1", ACTIONS["pause_platform"], actor="ann")
    one.deliver()
    assert (status(one), shown(sandbox)) == ("completed", ["linkedin_ads"])
