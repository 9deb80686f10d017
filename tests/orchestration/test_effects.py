"""Effects over a real ledger: lost replies, deaths, zombies; nothing is sent twice and nobody waits for ever."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier
from typing import Any

import pytest
from losing_proxy import losing_proxy
from orchestrator_harness import Harness
from toys import echo, toys

from agents.effects import ENDED, INTENT, REMOTE, EffectSteps
from agents.names import AD_MANAGEMENT
from agents.ports import EffectRules, UnitContext
from agents.registry import agents as real_agents
from agents.unit import Unit, UnitResult, UnitStatus, effect_key
from integrations.errors import NeedsAttentionError, NotNowError, OutcomeUnknownError, TransientError
from integrations.retry import RetryPolicy
from integrations.settings import Settings
from orchestration.execution.context import LedgerContext, Resources
from orchestration.execution.reconcile import OrphanFinder
from orchestration.ledger.lease import HEARTBEAT_S, LEASE_S
from orchestration.ledger.ledger import ADVANCED, DUPLICATE
from orchestration.ledger.rows import UNIT_COLUMNS, Claimed, Position

PAST = "clock_timestamp() - interval '60 seconds'"


@pytest.fixture
def bench(database_url: str) -> Iterator[Callable[..., Harness]]:
    made: list[Harness] = []

    def make(**options: Any) -> Harness:
        made.append(Harness(database_url, options.pop("agents", None) or toys(), **options))
        return made[-1]

    yield make
    for one in made:
        one.close()


def dead(one: Harness, worker: str) -> None:
    """The worker has been silent for longer than its lease, and ``one`` may judge."""
    one.ledger.beat()
    one.database.run("INSERT INTO marketing.workers (worker) VALUES (%s) ON CONFLICT DO NOTHING", worker)
    one.database.run(f"UPDATE marketing.workers SET fresh_since = {PAST}")
    one.database.run(f"UPDATE marketing.workers SET beat_at = {PAST} WHERE worker = %s", worker)
    one.database.run(f"UPDATE marketing.units SET started_at = {PAST} WHERE worker = %s", worker)


def context(one: Harness, claimed: Claimed, campaign_id: str = "c1") -> LedgerContext:
    return LedgerContext(claimed, one.ledger, one.orchestrator.resources, dict(claimed.journal))


def at_the_effects(one: Harness, campaign_id: str = "c1") -> tuple[int, int]:
    """Bring a campaign to the first stage of ad management; its step and stage."""
    one.submit(campaign_id)
    orchestrator = replace(one.orchestrator, serves=lambda agent: agent != AD_MANAGEMENT)
    assert orchestrator.run_hop(campaign_id) == "handed on"
    row = one.ledger.load(campaign_id)
    assert row is not None
    assert row.agent == AD_MANAGEMENT
    return row.step, row.stage


# --- whole agents over the sandbox's wire ---------------------------------------------------------------------------


@pytest.mark.parametrize("placement", ["local", "chord"])
def test_a_lost_reply_of_every_creation_is_adopted(bench: Callable[..., Harness], sandbox: Any, placement: str) -> None:
    one = bench(agents=real_agents(), placement=placement)
    with losing_proxy(sandbox.url) as proxy:
        env = {
            "SANDBOX_URL": sandbox.url,
            "DNS_RESOLVER": sandbox.dns_resolver or "",
            "FACEBOOK_BASE_URL": f"{proxy.url}/facebook",
            "LINKEDIN_ADS_BASE_URL": f"{proxy.url}/linkedin_ads",
        }
        one.orchestrator = replace(one.orchestrator, resources=Resources.of(Settings.from_env(env), one.database))
        leads = [{"type": "search", "limit": 3}]
        one.submit("c1", lead_sources=leads, ad_platforms=["facebook", "linkedin"], budget=1000, content_required=False)
        one.orchestrator.run_hop("c1")
        one.deliver()
    shown = one.reports.show("c1")
    assert (shown["status"], shown["reason"]) == ("completed", None)
    assert len(proxy.lost) >= 12
    assert len(set(proxy.lost)) == len(proxy.lost), "something was created twice"
    assert {c["status"] for c in shown["state"]["ad_creatives"]} == {"active"}
    ads = sandbox.get("/_sandbox/state")["ad_campaigns"]
    assert sorted(ad["effect_key"] for ad in ads) == sorted(
        effect_key("c1", name) for name in ("facebook_ads", "linkedin_ads")
    )
    burnt = one.database.rows("SELECT sum(attempts) FROM marketing.units WHERE effect_key IS NOT NULL")
    assert burnt == [(0,)]


# --- who may send ----------------------------------------------------------------------------------------------------


def test_one_that_was_thought_dead_does_not_send_beside_its_successor(
    bench: Callable[..., Harness], monkeypatch: pytest.MonkeyPatch
) -> None:
    zombie, heir = bench(worker="zombie"), bench(worker="heir")
    step, stage = at_the_effects(zombie)
    (claimed,) = zombie.ledger.take("c1", step, stage, 1)
    frozen = EffectSteps(context(zombie, claimed), "toy")
    monkeypatch.setattr("orchestration.ledger.ledger.LEASE_S", 0.5)
    dead(heir, "zombie")
    heir.ledger.reconcile()
    assert heir.reports.units("c1")["unknown"] == 1
    (taken,) = heir.ledger.take("c1", step, stage, 1)
    assert (taken.unit.key, taken.claims) == (claimed.unit.key, claimed.claims + 1)
    made = EffectSteps(context(heir, taken), "toy")
    made.intend("campaign")
    assert made.wire(lambda timeout: "sent") == "sent"
    with pytest.raises(NotNowError, match="another attempt holds the unit"):
        frozen.intend("campaign")
    with pytest.raises(NotNowError):
        frozen.wire(lambda timeout: pytest.fail("sent beside its successor"))
    # The same worker may claim it anew: the claim counts, not the name.
    heir.database.run("UPDATE marketing.units SET claims = claims + 1 WHERE key = %s", taken.unit.key)
    with pytest.raises(NotNowError):
        made.intend("ad_set")


def test_one_who_slept_asks_before_it_calls_anybody(bench: Callable[..., Harness]) -> None:
    one = bench()
    one.submit()
    (claimed,) = one.ledger.take("c1", 0, 0, 1)
    asleep = replace(claimed, taken_at=claimed.taken_at - 6)
    assert context(one, asleep).call("toy", lambda timeout: "paid") == "paid"
    one.database.run("UPDATE marketing.units SET claims = claims + 1")
    assert context(one, claimed).call("toy", lambda timeout: "paid") == "paid"  # took it a moment ago
    with pytest.raises(NotNowError, match="another attempt holds the unit"):
        context(one, asleep).call("toy", lambda timeout: pytest.fail("paid for what another does"))


@pytest.mark.parametrize(
    ("change", "may"),
    [
        ("status = 'running'", True),
        ("status = 'paused'", True),  # what runs is finished
        ("epoch = epoch + 1", False),
        ("status = 'cancelling'", False),
        ("status = 'cancelling', stage_name = 'wind_down'", True),
    ],
)
def test_an_abandoned_line_of_work_changes_nothing_outside(
    bench: Callable[..., Harness], change: str, may: bool
) -> None:
    one = bench()
    (claimed,) = one.ledger.take("c1", *at_the_effects(one), 1)
    one.database.run(f"UPDATE marketing.campaigns SET {change}")
    assert one.ledger.still_claimed(claimed) is may
    assert one.ledger.intend(claimed, {"k": 1}) is may


def test_a_late_sender_gives_up_before_its_lease_does() -> None:
    assert EffectRules().late_s + HEARTBEAT_S < LEASE_S


def test_a_late_result_is_taken_once_and_counted_once(bench: Callable[..., Harness]) -> None:
    zombie, heir = bench(worker="zombie"), bench(worker="heir")
    step, stage = at_the_effects(zombie)
    (claimed,) = zombie.ledger.take("c1", step, stage, 1)
    zombie.database.run(
        "UPDATE marketing.units SET status = 'unknown', worker = NULL WHERE worker = 'zombie' AND status = 'running'"
    )
    (taken,) = heir.ledger.take("c1", step, stage, 1)
    row = heir.ledger.load("c1")
    assert row is not None
    before, place = row.remaining, Position("c1", step, stage, claimed.epoch)

    def result(value: str) -> UnitResult:
        return UnitResult(unit=taken.unit, status=UnitStatus.SUCCEEDED, output={"value": value})

    assert zombie.ledger.finish(place, [result("late")]) == before - 1
    assert heir.ledger.finish(place, [result("second")]) == DUPLICATE
    after = heir.ledger.load("c1")
    assert after is not None
    assert after.remaining == before - 1
    kept = heir.database.rows(
        "SELECT result ->> 'value', worker FROM marketing.units WHERE step = %s AND stage = %s AND key = %s",
        step, stage, taken.unit.key,
    )  # fmt: skip
    assert kept == [("late", "zombie")]


def test_no_join_is_lost_between_two_that_finish_together(bench: Callable[..., Harness]) -> None:
    crew = [bench(worker="a"), bench(worker="b")]
    campaigns = [f"c{n}" for n in range(40)]
    claims: list[list[Claimed]] = []
    for campaign_id in campaigns:
        crew[0].submit(campaign_id)
        claims.append(crew[0].ledger.take(campaign_id, 0, 0, 8))
    assert {len(units) for units in claims} == {3}
    together = Barrier(2)

    def finish(one: Harness, mine: slice) -> list[int]:
        codes = []
        for campaign_id, units in zip(campaigns, claims, strict=True):
            together.wait()
            for claimed in units[mine]:
                done = UnitResult(unit=claimed.unit, status=UnitStatus.SUCCEEDED, output={"value": 1})
                codes.append(one.ledger.finish(Position(campaign_id, 0, 0, 0), [done]))
        return codes

    with ThreadPoolExecutor(2) as pool:
        halves = list(pool.map(finish, crew, [slice(0, 2), slice(2, 3)]))
    assert Counter(code for codes in halves for code in codes) == {0: 40, 1: 40, 2: 40}


# --- what ends where -------------------------------------------------------------------------------------------------


def test_what_probes_cannot_settle_waits_for_a_person(bench: Callable[..., Harness]) -> None:
    mended: list[bool] = []

    def body(unit: Unit, ctx: UnitContext) -> Mapping[str, Any]:
        if unit.effect and unit.key == "u0" and not mended:
            ctx.intend(INTENT + "campaign", {"token": "t1", "at": ctx.clock.now().isoformat(), "sends": 3})
            raise NeedsAttentionError("toy", "campaign was sent 3 times", detail="unsettled")
        return echo(unit, ctx)

    one = bench(agents=toys(body=body))
    one.submit()
    one.orchestrator.run_hop("c1")
    shown = one.reports.show("c1")
    assert shown["status"] == "waiting"
    assert shown["reason"] == "needs_attention: deploy: toy: campaign was sent 3 times [unsettled]".replace(
        "deploy", "u0"
    )
    assert shown["units"]["unknown"] == 1
    (event,) = [e for e in one.reports.events("c1") if e.kind == "needs_attention"]
    assert event.data["steps"] == ["campaign"]
    one.orchestrator.run_hop("c1")
    assert one.reports.show("c1")["status"] == "waiting"
    mended.append(True)
    one.database.run("UPDATE marketing.campaigns SET status = 'running'")
    one.database.run("UPDATE marketing.units SET due_at = NULL")
    one.orchestrator.run_hop("c1")
    assert one.reports.show("c1")["status"] == "completed"


@pytest.mark.parametrize(("unsettled", "status"), [(True, "waiting"), (False, "completed")])
def test_giving_up_on_an_effect_that_may_have_happened_needs_a_person(
    bench: Callable[..., Harness], unsettled: bool, status: str
) -> None:
    def body(unit: Unit, ctx: UnitContext) -> Mapping[str, Any]:
        if unit.effect and unit.key == "u0":
            ctx.intend(INTENT + "campaign", {"token": "t1", "at": ctx.clock.now().isoformat(), "sends": 1})
            if not unsettled:
                ctx.journal(ENDED + "t1", "refused")
            raise TransientError("toy", "is down", retry_after=0.0)
        return echo(unit, ctx)

    one = bench(agents=toys(stages=(2,), body=body, policy=RetryPolicy(max_wait_s=0.0)))
    one.submit()
    one.orchestrator.run_hop("c1")
    one.deliver()
    assert one.reports.show("c1")["status"] == status


def test_an_unknown_effect_is_looked_for_as_often_as_it_takes(bench: Callable[..., Harness]) -> None:
    looks: Counter[str] = Counter()

    def body(unit: Unit, ctx: UnitContext) -> Mapping[str, Any]:
        if unit.effect and unit.key == "u0":
            looks[unit.key] += 1
            if looks[unit.key] < 10:
                raise OutcomeUnknownError("toy", "no answer", retry_after=0.0)
            ctx.journal(REMOTE + "campaign", "id-1")
        return echo(unit, ctx)

    one = bench(agents=toys(stages=(2,), body=body))
    one.submit()
    one.orchestrator.run_hop("c1")
    assert one.reports.show("c1")["status"] == "completed"
    rows = one.database.rows("SELECT claims, attempts FROM marketing.units WHERE step = 2 AND key = 'u0'")
    assert rows == [(10, 0)]


# --- claims that nobody works on -------------------------------------------------------------------------------------


def test_a_claim_whose_answer_was_lost_is_given_back(bench: Callable[..., Harness]) -> None:
    one = bench()
    one.submit()
    stray = OrphanFinder(one.ledger)
    with one.ledger.claims.scope():
        (held,) = one.ledger.take("c1", 0, 0, 1)
        # Postgres commits this claim, and goes away before it says so.
        lost = one.database.rows(
            f"SELECT {UNIT_COLUMNS} FROM marketing.take('c1', 'sandbox', 0, 0, 'worker-a', 1) AS u"
        )
        assert lost[0][0] != held.unit.key
        assert [stray.look(), stray.look(), stray.look()] == [0, 1, 0]
        assert one.reports.units("c1") == {"pending": 2, "running": 1}
    # A task that died of an error lets go of the rest.
    assert [stray.look(), stray.look()] == [0, 1]
    assert [idle.campaign_id for idle in one.ledger.reconcile()] == ["c1"]
    assert one.orchestrator.run_hop("c1") == "completed"
    assert [stray.look(), stray.look()] == [0, 0]


def test_a_transition_whose_answer_was_lost_goes_on(bench: Callable[..., Harness]) -> None:
    one = bench(agents=toys(stages=(1, 2)))
    one.submit()
    real, lost = one.ledger.finish, []

    def finish(*args: Any, **options: Any) -> int:
        code = real(*args, **options)
        if code == ADVANCED and not lost:
            # Committed; the answer gets lost, and the call is repeated.
            lost.append(code)
            one.ledger.claims.__init__()  # type: ignore[misc]  # nothing was noted
            return real(*args, **options)
        return code

    one.ledger.finish = finish  # type: ignore[method-assign]  # between the ledger and its caller
    with one.ledger.claims.scope():
        assert one.orchestrator.run_hop("c1") == "waits for units"
    assert one.reports.units("c1") == {"running": 2, "succeeded": 1}
    stray = OrphanFinder(one.ledger)
    assert [stray.look(), stray.look()] == [0, 2]
    assert one.orchestrator.run_hop("c1") == "completed"


def test_a_unit_whose_task_died_is_not_started_any_more(bench: Callable[..., Harness]) -> None:
    one = bench()
    one.submit()
    with one.ledger.claims.scope():
        (claimed,) = one.ledger.take("c1", 0, 0, 1)
    from orchestration.execution.units import GivenBack, run_claimed

    outcome = run_claimed(one.agents, claimed, one.ledger, one.orchestrator.resources)
    assert isinstance(outcome, GivenBack)


def test_poison_fails_alone(bench: Callable[..., Harness], monkeypatch: pytest.MonkeyPatch) -> None:
    one = bench(worker="judge")
    one.submit()
    monkeypatch.setattr("orchestration.ledger.ledger.LEASE_S", 0.5)
    one.ledger.take("c1", 0, 0, 1)
    dead(one, "victim")
    for _ in range(6):
        one.database.run(
            f"UPDATE marketing.units SET status = 'running', worker = 'victim', started_at = {PAST} WHERE key = 'u0'"
        )
        one.ledger.reconcile()
    assert one.reports.units("c1") == {"failed": 1, "pending": 2}
    assert one.orchestrator.run_hop("c1") == "completed"
    error = one.database.rows("SELECT error FROM marketing.units WHERE step = 0 AND key = 'u0' AND status = 'failed'")
    assert error[0][0]["message"] == "its worker died 6 times while it ran"
