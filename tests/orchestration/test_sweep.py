"""After their schedule the ads of ended campaigns are off, measured for the last time, and hold no money."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any

import pytest
from ad_platforms import Wire, fault
from orchestrator_harness import Harness
from paused_ads import BOTH, benches, dead, reason, said, settings_of, shown, status, tick, verbs, wake, with_ads

from agents.names import AD_MANAGEMENT
from agents.unit import UnitResult, effect_key
from integrations.providers import Providers
from integrations.settings import Settings
from orchestration.execution.sweep import sweep
from orchestration.execution.units import run_claimed
from orchestration.ledger.ad_switches import AdSwitches
from orchestration.stores.retention import Retention


@pytest.fixture
def settings(sandbox: Any) -> Settings:
    return settings_of(sandbox)


@pytest.fixture
def bench(database_url: str, settings: Settings) -> Iterator[Callable[..., Harness]]:
    with benches(database_url, settings) as make:
        yield make


def ended(one: Harness, **config: Any) -> None:
    """A campaign that has ended while its ads run."""
    with_ads(one, **config)
    one.database.run("UPDATE marketing.campaigns SET due_at = now() - interval '1 second' WHERE status = 'waiting'")
    tick(one)
    one.deliver()
    assert status(one) == "completed"
    assert one.reports.row("c1").state.campaign_config.schedule.days == 30


def days_pass(one: Harness, days: int) -> None:
    """So many days go by, as far as the sweep can see."""
    for sql in (
        "UPDATE marketing.campaigns SET created_at = created_at - make_interval(days => %s)",
        "UPDATE marketing.ad_switches SET asked_at = asked_at - make_interval(days => %s)",
    ):
        one.database.run(sql, days)


def swept(one: Harness) -> int:
    return sweep(one.ledger, one.agents, one.broker)


def again(one: Harness, journal: str = "{}") -> None:
    """Carry out what is asked for, trying again at once, until nothing is left."""
    for _ in range(40):
        one.deliver()
        one.database.run(
            "UPDATE marketing.units SET due_at = NULL, journal = journal || %s WHERE status IN ('pending', 'unknown')",
            journal,
        )
        if not wake(one):
            return
    raise AssertionError("it does not come to an end")


def money(one: Harness) -> tuple[Decimal, Decimal]:
    """(held, settled) of all ads."""
    sql = "SELECT sum(held), sum(settled) FROM marketing.spend WHERE kind = 'ads'"
    held, settled = one.database.rows(sql)[0]
    return held, settled


def told(one: Harness) -> list[Any]:
    """What the history says of sweeps."""
    return [event.data for event in one.reports.events("c1") if event.kind == "ads_swept"]


def test_ads_that_still_run_after_the_schedule_are_switched_off_and_counted(
    bench: Callable[..., Harness], sandbox: Any
) -> None:
    one = bench()
    ended(one)
    before, row = one.reports.show("c1"), one.reports.row("c1")
    held, settled = money(one)
    assert held > 0
    sandbox.post("/_sandbox/advance", {"days": 3})
    days_pass(one, 29)
    assert (swept(one), shown(sandbox), money(one)) == (0, BOTH, (held, settled)), "its schedule is not over"
    days_pass(one, 1)
    assert swept(one) == 1
    assert swept(one) == 0
    one.deliver()
    assert (shown(sandbox), said(one)) == ([], ["paused", "paused"])
    assert told(one) == [{"paused": ", ".join(BOTH), "measured": ", ".join(BOTH)}]
    now_held, now_settled = money(one)
    assert (now_held, now_settled > settled) == (0, True)
    after = one.reports.show("c1")
    for key in ("status", "reason", "step", "route"):
        assert after[key] == before[key], key
    assert one.reports.row("c1").revision == row.revision + 1
    assert wake(one) == 0


def test_figures_that_come_late_are_counted_a_day_after_and_then_it_is_over(
    bench: Callable[..., Harness], sandbox: Any
) -> None:
    one = bench()
    ended(one)
    days_pass(one, 30)
    assert swept(one) == 1
    one.deliver()
    assert swept(one) == 0
    days_pass(one, 1)
    assert swept(one) == 1
    one.deliver()
    assert told(one)[1] == {"measured": ", ".join(BOTH)}
    for _ in range(3):
        days_pass(one, 1)
        assert swept(one) == 0
    assert money(one)[0] == 0


@pytest.mark.parametrize("status_", ["failed", "cancelled"])
def test_campaigns_that_failed_keep_to_their_schedule_too(
    bench: Callable[..., Harness], sandbox: Any, status_: str
) -> None:
    one = bench()
    with_ads(one)
    one.database.run("UPDATE marketing.campaigns SET status = %s, reason = 'why', due_at = NULL", status_)
    days_pass(one, 29)
    assert (swept(one), shown(sandbox)) == (0, BOTH)
    days_pass(one, 1)
    assert swept(one) == 1
    one.deliver()
    assert (shown(sandbox), money(one)[0], status(one), reason(one)) == ([], 0, status_, "why")


@pytest.mark.parametrize("verb", ["pause", "none"])
def test_campaigns_that_have_not_ended_are_left_alone(bench: Callable[..., Harness], sandbox: Any, verb: str) -> None:
    one = bench()
    with_ads(one)
    if verb == "pause":
        verbs(one).pause("c1", actor="ann")
    days_pass(one, 40)
    assert (swept(one), shown(sandbox)) == (0, BOTH)


def test_a_campaign_without_ads_or_of_another_world_is_never_due(bench: Callable[..., Harness], sandbox: Any) -> None:
    one = bench()
    ended(one)
    one.submit("c2", ad_platforms=[])
    one.database.run("UPDATE marketing.campaigns SET status = 'completed' WHERE campaign_id = 'c2'")
    one.database.run("UPDATE marketing.campaigns SET mode = 'live' WHERE campaign_id = 'c1'")
    days_pass(one, 40)
    assert (swept(one), shown(sandbox)) == (0, BOTH)


def test_sweeps_at_once_ask_once(bench: Callable[..., Harness], sandbox: Any) -> None:
    some = [bench(worker=f"w{n}") for n in range(4)]
    ended(some[0])
    days_pass(some[0], 31)
    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(lambda n: swept(some[n % 4]), range(24))) == 1
        wakeups = list(pool.map(lambda n: some[n % 4].orchestrator.run_hop("c1", AD_MANAGEMENT), range(12)))
    assert len(wakeups) == 12
    for one in some:
        one.deliver()
    assert (shown(sandbox), money(some[0])[0], len(told(some[0]))) == ([], 0, 1)
    assert some[0].database.value("SELECT count(*) FROM marketing.units WHERE step < 0 AND claims = 1") == 2


def test_a_sweep_without_a_message_is_carried_out_all_the_same(bench: Callable[..., Harness], sandbox: Any) -> None:
    one = bench()
    ended(one)
    days_pass(one, 31)
    one.broker.refuses = True
    assert swept(one) == 1
    one.broker.refuses = False
    assert wake(one) == 1
    one.deliver()
    assert (shown(sandbox), money(one)[0]) == ([], 0)


def test_an_answer_that_got_lost_leaves_it_known_whose_doing_it_was(
    bench: Callable[..., Harness], sandbox: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, victim = bench(), bench(worker="victim")
    ended(one)
    days_pass(one, 31)
    assert swept(one) == 1
    row = victim.reports.row("c1")
    switches = AdSwitches(victim.ledger)
    switch = switches.open(row)
    assert switch is not None
    from orchestration.execution.ad_switching import end_stage

    assert switches.plan(row, switch, end_stage(row.state, victim.agents))
    for unit in switches.take(row, switch):  # it dies before it can say what it has done
        assert isinstance(run_claimed(victim.agents, unit, victim.ledger, victim.orchestrator.resources), UnitResult)
    assert shown(sandbox) == []
    one.deliver()
    assert told(one) == []
    monkeypatch.setattr("orchestration.ledger.ledger.LEASE_S", 0.5)
    dead(one, "victim")
    one.database.run("UPDATE marketing.units SET started_at = now() - interval '6 minutes' WHERE status = 'running'")
    assert wake(one) == 1
    one.deliver()
    assert told(one) == [{"paused": ", ".join(BOTH), "measured": ", ".join(BOTH)}]
    assert money(one)[0] == 0


def test_replies_that_get_lost_do_no_harm(bench: Callable[..., Harness], sandbox: Any) -> None:
    one = bench()
    ended(one)
    days_pass(one, 31)
    assert swept(one) == 1
    with fault(sandbox, "facebook_ads", "lost_reply", rate=0.5):
        again(one)
    assert told(one) == [{"paused": ", ".join(BOTH), "measured": ", ".join(BOTH)}]
    assert (shown(sandbox), money(one)[0]) == ([], 0)


def test_a_platform_that_stays_away_is_said_and_asked_again_the_next_day(
    bench: Callable[..., Harness], sandbox: Any
) -> None:
    one = bench()
    ended(one)
    days_pass(one, 31)
    with fault(sandbox, "facebook_ads", "down"):
        swept(one)
        one.deliver()
        assert (shown(sandbox), told(one)) == (["facebook_ads"], [])
        assert (status(one), reason(one)) == ("completed", "")
        again(one, journal='{"waiting_since": "2026-01-01T00:00:00+00:00"}')  # it has been down for months
    assert (shown(sandbox), said(one)) == (["facebook_ads"], ["active", "paused"])
    (first,) = told(one)
    assert first["paused"] == "linkedin_ads"
    assert first["not_reached"].startswith("facebook_ads: ")
    assert money(one)[0] > 0, "what may still run is held"
    assert swept(one) == 0
    days_pass(one, 1)
    assert swept(one) == 1
    one.deliver()
    assert (shown(sandbox), money(one)[0]) == ([], 0)
    assert told(one)[1]["paused"] == "facebook_ads"


def test_an_ad_that_is_surely_off_holds_nothing_although_its_last_figures_can_not_be_read(
    bench: Callable[..., Harness], sandbox: Any
) -> None:
    one = bench()
    ended(one, ad_platforms=["facebook"])
    days_pass(one, 31)
    with fault(sandbox, "facebook_ads", "down"):
        swept(one)
        again(one, journal='{"waiting_since": "2026-01-01T00:00:00+00:00", "seen_off": true}')
    assert told(one)[0]["not_reached"].startswith("facebook_ads: ")
    assert money(one)[0] == 0


def test_an_ad_that_is_gone_at_the_platform_holds_nothing(
    bench: Callable[..., Harness], sandbox: Any, settings: Settings
) -> None:
    one = bench()
    ended(one)
    facebook = Providers(settings).ads("facebook_ads")
    found = facebook.find_by_key(effect_key("c1", "facebook_ads"), wire=Wire())
    assert found is not None
    facebook.remove({"campaign": found.id}, wire=Wire())
    days_pass(one, 31)
    swept(one)
    one.deliver()
    assert (shown(sandbox), money(one)[0]) == ([], 0)
    assert told(one) == [{"paused": "linkedin_ads", "measured": "linkedin_ads"}]


def test_a_verb_that_comes_between_is_not_in_the_way(bench: Callable[..., Harness], sandbox: Any) -> None:
    one = bench()
    ended(one)
    days_pass(one, 31)
    assert swept(one) == 1
    assert verbs(one).cancel("c1", actor="ann") == "cancelling"
    one.deliver()
    assert (status(one), shown(sandbox), money(one)[0]) == ("cancelled", [], 0)
    wake(one)
    one.deliver()
    assert one.database.rows("SELECT key FROM marketing.units WHERE status IN ('pending', 'running', 'unknown')") == []
    assert told(one) in ([], [{"measured": ", ".join(BOTH)}])


def test_retention_leaves_a_sweep_that_is_under_way_alone(bench: Callable[..., Harness], sandbox: Any) -> None:
    one = bench()
    ended(one, retention="1d")
    days_pass(one, 31)
    with fault(sandbox, "facebook_ads", "down"):
        swept(one)
        one.deliver()
    one.database.run("UPDATE marketing.campaigns SET updated_at = now() - interval '2 days'")
    assert Retention(one.database).sweep() == 1
    again(one)
    assert (shown(sandbox), money(one)[0]) == ([], 0)
