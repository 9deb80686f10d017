"""Verbs and repairs while nobody knows whether an ad was made: it is not lost, not doubled, and somebody is told."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest
from ad_platforms import ad_campaigns
from orchestrator_harness import Harness
from toys import Toy, echo, toys

from agents.effects import ENDED, INTENT, REMOTE, unsettled
from agents.names import AD_MANAGEMENT
from agents.ports import UnitContext
from agents.registry import agents as real_agents
from agents.state import MarketingAgentState
from agents.stopping import Wanted
from agents.unit import Stage, Unit, UnitResult
from integrations.settings import Settings
from orchestration.control.resolve import open_units, resolve
from orchestration.control.verbs import VerbRefusedError, Verbs
from orchestration.execution.context import Resources
from orchestration.execution.units import run_claimed
from orchestration.ledger.ledger import MAX_CRASHES
from orchestration.ledger.rows import CampaignRow

PAST = "clock_timestamp() - interval '60 seconds'"
INTENDED = {INTENT + "campaign": {"token": "t1", "at": "2026-01-01T00:00:00+00:00", "sends": 1}}
#: Journals of effects, and what may have been made although the journal knows no id.
JOURNALS: list[tuple[dict[str, Any], list[str]]] = [
    ({}, []),
    (INTENDED, ["campaign"]),
    ({**INTENDED, ENDED + "t1": "unknown"}, ["campaign"]),
    ({**INTENDED, ENDED + "t1": "refused"}, []),
    ({**INTENDED, ENDED + "t0": "refused"}, ["campaign"]),  # an earlier send was refused, this one not
    ({**INTENDED, REMOTE + "campaign": "77"}, []),
    ({**INTENDED, REMOTE + "campaign": None}, ["campaign"]),  # one that was made has been removed, and this one is anew
    ({**INTENDED, INTENT + "ad.1": {"token": "t2"}, REMOTE + "campaign": "77"}, ["ad.1"]),
    ({INTENT + "b": {"token": "2"}, INTENT + "B": {"token": "3"}, INTENT + "ad.1": {"token": "4"}}, ["B", "ad.1", "b"]),
    ({"held": "2026-01-01T00:00:00+00:00", "enabling": "77", "probe:campaign": {"token": "t1"}}, []),
]  # fmt: skip


class Finds(Toy):
    """An ad agent whose effects adopt what their journal says."""

    def stop(self, state: MarketingAgentState, wanted: Wanted | None = None) -> Stage | None:
        given = {"platform": "toy", "value": 0}
        unit = Unit(key="stop:toy", kind="stop", provider="toy", input=given, effect_key="k")
        return Stage(name="wind_down", units=[unit])


def adopts(unit: Unit, ctx: UnitContext) -> Mapping[str, Any]:
    return {**echo(unit, ctx), "found": ctx.journaled(REMOTE + "campaign")}


@pytest.fixture
def bench(database_url: str) -> Iterator[Callable[..., Harness]]:
    made: list[Harness] = []

    def make(**options: Any) -> Harness:
        crew = {**toys(stages=(1,)), AD_MANAGEMENT: Finds(AD_MANAGEMENT, (2,), adopts)}
        made.append(Harness(database_url, options.pop("agents", None) or crew, **options))
        return made[-1]

    yield make
    for one in made:
        one.close()


def verbs(one: Harness) -> Verbs:
    return Verbs(ledger=one.ledger, agents=one.agents, wakeups=one.broker, clock=one.orchestrator.resources.clock)


def at_the_effects(one: Harness) -> CampaignRow:
    one.submit("c1")
    before = one.orchestrator
    assert replace(before, serves=lambda agent: agent != AD_MANAGEMENT).run_hop("c1") == "handed on"
    one.broker.queue.clear()
    return one.reports.row("c1")


def change_effect(one: Harness, assignments: str, *args: Any) -> None:
    one.database.run(
        f"UPDATE marketing.units SET {assignments} WHERE key = 'u0' AND effect_key IS NOT NULL AND step >= 0", *args
    )


def judge(one: Harness) -> None:
    """Let this worker call others dead, and look."""
    one.ledger.beat()
    one.database.run(f"UPDATE marketing.workers SET fresh_since = {PAST}")
    one.database.run(f"UPDATE marketing.units SET started_at = {PAST} WHERE status = 'running'")
    one.ledger.reconcile()


def die_in_the_effect(one: Harness, times: int) -> None:
    """Worker after worker dies in the campaign's first effect."""
    for _ in range(times):
        change_effect(one, "status = 'running', worker = 'long gone'")
        judge(one)


# --- poison ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("journal", "open_ends"), JOURNALS)
def test_sql_and_python_agree_on_what_is_unsettled(
    bench: Callable[..., Harness], journal: dict[str, Any], open_ends: list[str]
) -> None:
    assert unsettled(journal) == open_ends
    assert bench().database.rows("SELECT marketing.unsettled(%s)", json.dumps(journal)) == [(open_ends,)]


def test_an_effect_that_may_have_happened_is_kept_for_a_person(
    bench: Callable[..., Harness], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("orchestration.ledger.ledger.LEASE_S", 0.5)
    one = bench(worker="judge")
    at_the_effects(one)
    change_effect(one, "journal = %s", json.dumps(INTENDED))
    die_in_the_effect(one, MAX_CRASHES)
    says = f"needs_attention: u0: local: its worker died {MAX_CRASHES} times while it ran"
    assert one.reports.status("c1") == ("waiting", says)
    assert one.reports.units("c1") == {"pending": 1, "succeeded": 2, "unknown": 1}
    (event,) = [e for e in one.reports.events("c1") if e.kind == "needs_attention"]
    assert (event.data["unit"], event.data["steps"]) == ("u0", ["campaign"])
    (unit,) = open_units(one.database, "c1")
    assert (unit.key, unit.steps) == ("u0", ("campaign",))
    judge(one)
    assert one.reports.status("c1") == ("waiting", says)
    # What a person has looked at is tried again: alone, and not for ever.
    assert resolve(verbs(one), "c1", "u0", found="77", actor="ann") == "running"
    judge(one)
    assert one.database.rows("SELECT crashes FROM marketing.units WHERE status = 'unknown'") == [(MAX_CRASHES // 2,)]
    one.deliver()
    assert one.reports.status("c1") == ("completed", None)
    sql = "SELECT result ->> 'found' FROM marketing.units WHERE key = 'u0' AND effect_key IS NOT NULL"
    assert one.database.rows(sql) == [("77",)]


def test_an_effect_that_never_got_so_far_fails_alone(
    bench: Callable[..., Harness], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("orchestration.ledger.ledger.LEASE_S", 0.5)
    one = bench(worker="judge")
    at_the_effects(one)
    change_effect(one, "journal = %s", json.dumps({**INTENDED, ENDED + "t1": "refused"}))
    die_in_the_effect(one, MAX_CRASHES)
    assert one.reports.units("c1") == {"failed": 1, "pending": 1, "succeeded": 2}
    assert one.orchestrator.run_hop("c1") == "completed"


def test_a_cancel_ends_though_its_own_work_kills_workers(
    bench: Callable[..., Harness], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("orchestration.ledger.ledger.LEASE_S", 0.5)
    one = bench(worker="judge")
    at_the_effects(one)
    verbs(one).cancel("c1", actor="ann")
    one.broker.queue.clear()
    one.ledger.changes.redirect(
        one.reports.row("c1"), ("cancelling",), _winding_down(one)
    )  # and before its unit is done, its worker dies
    for _ in range(MAX_CRASHES):
        one.database.run("UPDATE marketing.units SET status = 'running', worker = 'gone' WHERE key = 'stop:toy'")
        judge(one)
    one.orchestrator.run_hop("c1")
    status, reason = one.reports.status("c1")
    assert (status, "could not be paused" in (reason or "")) == ("failed", True)


def _winding_down(one: Harness) -> Any:
    from orchestration.flow.cancelling import begin_cancel

    row = one.reports.row("c1")
    return begin_cancel(row.state, row.step + 1, one.agents, one.orchestrator.resources.clock.now())


# --- going elsewhere while an effect is in question -----------------------------------------------------------------


@pytest.mark.parametrize("state", ["running", "unknown"])
def test_no_line_of_work_is_left_while_an_effect_of_it_is_in_question(
    bench: Callable[..., Harness], state: str
) -> None:
    one = bench()
    row = at_the_effects(one)
    (claimed,) = one.ledger.take("c1", row.step, row.stage, 1)
    if state == "unknown":
        change_effect(one, "status = 'unknown', worker = NULL, journal = %s", json.dumps(INTENDED))
    verbs(one).pause("c1", actor="ann")
    with pytest.raises(VerbRefusedError, match=r"u0 may have been carried out.*campaigns resolve c1 u0"):
        verbs(one).retry("c1", actor="ann", from_step=1)
    after = one.reports.row("c1")
    assert (after.step, after.epoch) == (row.step, row.epoch)
    assert one.reports.units("c1") == {"pending": 1, "succeeded": 2, state: 1}
    # Once it is known what became of it, the way is free.
    output = run_claimed(one.agents, claimed, one.ledger, one.orchestrator.resources)
    assert isinstance(output, UnitResult)
    one.ledger.finish(row.position, [output])
    assert verbs(one).retry("c1", actor="ann", from_step=1) == "running"


def test_a_unit_that_has_not_begun_or_only_reads_is_in_nobodys_way(bench: Callable[..., Harness]) -> None:
    one = bench()
    one.submit("c1")
    one.ledger.take("c1", 0, 0, 1)
    verbs(one).pause("c1", actor="ann")
    assert verbs(one).retry("c1", actor="ann", from_step=0) == "running"


def test_rework_waits_for_an_effect_in_question(bench: Callable[..., Harness]) -> None:
    one = bench()
    at_the_effects(one)
    change_effect(one, "status = 'unknown', journal = %s", json.dumps(INTENDED))
    one.database.run("UPDATE marketing.campaigns SET status = 'awaiting_approval', reason = 'approval of ads'")
    with pytest.raises(VerbRefusedError, match="u0 may have been carried out"):
        verbs(one).reject("c1", actor="ann", reason="too loud", rework=True)
    assert one.reports.units("c1")["unknown"] == 1
    assert one.reports.status("c1")[0] == "awaiting_approval"


def test_a_fork_leaves_what_is_in_question_to_its_parent(bench: Callable[..., Harness]) -> None:
    one = bench()
    at_the_effects(one)
    change_effect(one, "status = 'unknown', journal = %s", json.dumps(INTENDED))
    before = one.database.rows("SELECT to_jsonb(u) FROM marketing.units u WHERE campaign_id = 'c1' ORDER BY 1")
    child = verbs(one).fork("c1", 1, actor="ann", settings=Settings.from_env({}), new_id="c2")
    assert one.database.rows("SELECT to_jsonb(u) FROM marketing.units u WHERE campaign_id = 'c1' ORDER BY 1") == before
    assert open_units(one.database, "c1")[0].key == "u0"
    assert open_units(one.database, child) == []


def test_cancel_finds_an_ad_that_nobody_has_heard_of(
    bench: Callable[..., Harness], sandbox: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its worker died after it had switched the ad on, before it could say so."""
    monkeypatch.setattr("orchestration.ledger.ledger.LEASE_S", 0.5)
    env = {"SANDBOX_URL": sandbox.url, "DNS_RESOLVER": sandbox.dns_resolver or ""}
    one, victim = bench(agents=real_agents(), placement="chord"), bench(agents=real_agents(), worker="victim")
    for each in (one, victim):
        resources = Resources.of(Settings.from_env(env), each.database)
        each.orchestrator = replace(each.orchestrator, resources=resources)
    leads = [{"type": "search", "limit": 3}]
    one.submit("c1", lead_sources=leads, ad_platforms=["facebook", "linkedin"], budget=1000, content_required=False)
    one.orchestrator.run_hop("c1")
    while (row := one.reports.row("c1")).stage_name != "deploy":
        assert one.deliver(1)
    one.broker.queue.clear()
    for claimed in victim.ledger.take("c1", row.step, row.stage, 2):
        run_claimed(victim.agents, claimed, victim.ledger, victim.orchestrator.resources)
    assert [ad["status"] for ad in ad_campaigns(sandbox)] == ["active", "active"]
    verbs(one).cancel("c1", actor="ann")
    judge(one)
    assert one.reports.units("c1")["unknown"] == 2
    one.deliver()
    assert one.reports.status("c1")[0] == "cancelled"
    assert [ad["status"] for ad in ad_campaigns(sandbox)] == ["paused", "paused"]
    assert one.reports.units("c1")["skipped"] == 2
