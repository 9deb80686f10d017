"""The world of a database: what another world's process, campaign or money can't do in it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from live_world import live_campaigns, live_env, make_live
from orchestrator_harness import Harness
from spend_bench import bound, claim, journal, usage
from toys import toys

from agents.config import CampaignConfig
from integrations.errors import OverBudgetError
from integrations.fleet_note import FleetNote, ProcessMark, note_path
from integrations.settings import Mode, Settings
from orchestration import Campaigns, IdempotencyConflictError
from orchestration.client import connected
from orchestration.control.submission import prepare
from orchestration.control.verbs import VerbRefusedError
from orchestration.handle import CampaignHandle
from orchestration.ledger.database import Database, Transaction, encode
from orchestration.ledger.rows import units_json
from orchestration.ledger.world import World, WrongWorldError
from orchestration.reports.spend import fleet_spend
from orchestration.spend.models import SpendLedger

SAAS = {"target_audience": {"industry": "saas"}, "name": "Launch"}
ADS = {**SAAS, "ad_platforms": ["facebook"], "budget": 100, "brand": {"website": "https://acme.test/"}}
REFUSED = "this database is live, and MARKETING_MODE here is sandbox: set MARKETING_MODE=live to work with it"

VERBS: dict[str, Callable[[CampaignHandle], object]] = {
    "pause": lambda one: one.pause(),
    "pause with ads": lambda one: one.pause(ads=True),
    "resume": lambda one: one.resume(),
    "cancel": lambda one: one.cancel(),
    "approve": lambda one: one.approve(),
    "reject": lambda one: one.reject("no"),
    "rework": lambda one: one.reject("no", rework=True),
    "retry": lambda one: one.retry(),
    "go back": lambda one: one.retry(from_step=0),
    "fork": lambda one: one.fork(0),
    "resolve": lambda one: one.resolve("deploy"),
    "limits": lambda one: one.limits(llm=5),
}


@pytest.fixture
def live(database_url: str, redis_url: str) -> Iterator[Campaigns]:
    """A client of a live database, with every key."""
    made = live_campaigns(make_live(database_url), redis_url)
    yield made
    made.close()


@pytest.fixture
def stranger(live: Campaigns, database_url: str, redis_url: str) -> Iterator[Campaigns]:
    """A client of the same database whose shell says nothing of live."""
    made = Campaigns.from_env({"DATABASE_URL": database_url, "REDIS_URL": redis_url})
    yield made
    made.close()


def everything(database: Database) -> list[Any]:
    """What a verb could have changed."""
    return database.rows(
        "SELECT (SELECT array_agg(c::text) FROM marketing.campaigns c), (SELECT count(*) FROM marketing.events), "
        "(SELECT array_agg(u::text) FROM marketing.units u), (SELECT count(*) FROM marketing.lead_files)"
    )


def test_a_client_of_another_world_reads_and_does_nothing_else(
    live: Campaigns, stranger: Campaigns, tmp_path: Path
) -> None:
    own = live.submit(CampaignConfig.parse(ADS), idempotency_key="k")
    before = everything(live.database)
    file = tmp_path / "leads.csv"
    file.write_text("email,company\njane@acme.biz,Acme\n", encoding="utf-8")
    with_file = {**SAAS, "lead_sources": [{"type": "file", "path": str(file)}]}
    for config, key in ((SAAS, None), (ADS, "k"), (with_file, None)):
        with pytest.raises(WrongWorldError) as refused:
            stranger.submit(CampaignConfig.parse(config), idempotency_key=key)
        assert str(refused.value) == REFUSED
    seen = stranger.get(own.campaign_id)
    for verb in VERBS.values():
        with pytest.raises(WrongWorldError, match="set MARKETING_MODE=live"):
            verb(seen)
    assert everything(live.database) == before
    # What it may read says what the row says.
    assert (seen.mode, seen.show()["mode"], seen.spend()["mode"]) == ("live", "live", "live")
    assert [one.mode for one in stranger.list()] == ["live"]
    assert stranger.spend()["mode"] == "live"
    assert stranger.reports.export(own.campaign_id)["mode"] == "live"
    assert [event.kind for event in seen.history()] == ["submitted"]


def test_a_client_looks_again_when_it_submits(live: Campaigns) -> None:
    live.submit(CampaignConfig.parse(SAAS)).cancel()
    live.database.run("UPDATE marketing.campaigns SET status = 'cancelled'")
    World(live.database, Mode.LIVE).change(Mode.SANDBOX, actor="ann")
    with pytest.raises(WrongWorldError, match="this database is sandbox, and MARKETING_MODE here is live"):
        live.submit(CampaignConfig.parse(SAAS))
    assert live.database.value("SELECT count(*) FROM marketing.campaigns") == 1


def test_live_defaults_come_with_the_database(live: Campaigns) -> None:
    first = live.submit(CampaignConfig.parse(ADS))
    for one in (first, first.fork(0, changes={"budget": 200})):
        config = one.state.campaign_config
        assert one.mode is Mode.LIVE
        assert (config.approval.gate, config.measure_after, config.optimize_every) == (
            "ads",
            timedelta(hours=48),
            timedelta(days=1),
        )


def test_a_change_of_world_waits_for_what_is_unfinished_and_is_told(database_url: str, redis_url: str) -> None:
    with closing(Campaigns.from_env({"DATABASE_URL": database_url, "REDIS_URL": redis_url})) as client:
        one = client.submit(CampaignConfig.parse(SAAS))
        for status in ("queued", "running", "waiting", "awaiting_approval", "paused", "cancelling"):
            client.database.run("UPDATE marketing.campaigns SET status = %s", status)
            with pytest.raises(WrongWorldError, match="1 sandbox campaign is unfinished"):
                client.world.change(Mode.LIVE, actor="ann")
            assert client.world.require() is Mode.SANDBOX
        assert client.world.change(Mode.SANDBOX, actor="ann") is False
        client.database.run("UPDATE marketing.campaigns SET status = 'failed'")
        assert client.world.change(Mode.LIVE, actor="ann") is True
        assert client.world.change(Mode.LIVE, actor="ann") is False
        row = client.world.read()
        assert (row.mode, row.by) == (Mode.LIVE, "ann")
        assert client.database.rows("SELECT kind, actor, data FROM marketing.fleet_events") == [
            ("world_changed", "ann", {"from": "sandbox", "to": "live"})
        ]
        assert one.mode is Mode.SANDBOX  # what has ended keeps its world


def test_a_submit_that_is_under_way_is_waited_for(
    database_url: str, redis_url: str, wait_until: Callable[..., Any]
) -> None:
    """Whoever submits in the very moment of the change is in its way, or is refused."""
    here = "database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    env = {"DATABASE_URL": database_url, "REDIS_URL": redis_url}
    row, stage = prepare(CampaignConfig.parse(SAAS), toys(), now=datetime.now(UTC))
    with closing(Campaigns.from_env(env)) as client, closing(Campaigns.from_env(env)) as person:
        refusals: list[str] = []

        def change() -> None:
            try:
                person.world.change(Mode.LIVE, actor="ann")
            except WrongWorldError as error:
                refusals.append(str(error))

        waiting = threading.Thread(target=change)

        def submit(tx: Transaction) -> None:
            campaign = encode({**row, "mode": "sandbox"})
            tx.rows("SELECT * FROM marketing.submit(%s, %s)", campaign, encode(units_json(stage)))
            waiting.start()
            wait_until(lambda: client.database.value(f"SELECT count(*) FROM pg_locks WHERE NOT granted AND {here}"))

        client.database.transaction(submit)
        waiting.join(10)
        assert refusals
        assert "1 sandbox campaign is unfinished" in refusals[0]


def test_what_ended_in_another_world_is_never_continued(live: Campaigns, stranger: Campaigns) -> None:
    one = live.submit(CampaignConfig.parse(SAAS), idempotency_key="launch")
    for status in ("failed", "completed"):
        live.database.run("UPDATE marketing.campaigns SET status = %s", status)
        live.database.run("UPDATE marketing.world SET mode = 'sandbox'")
        before = everything(live.database)
        seen = stranger.get(one.campaign_id)
        for name, verb in VERBS.items():
            with pytest.raises(VerbRefusedError, match=r"is a live campaign, and this database has been sandbox since"):
                verb(seen)
            assert everything(live.database) == before, name
        with pytest.raises(IdempotencyConflictError, match="is a live campaign"):
            stranger.submit(CampaignConfig.parse(SAAS), idempotency_key="launch")
        assert seen.show()["mode"] == "live"


def test_a_worker_of_another_world_touches_nothing(database_url: str) -> None:
    ours = Harness(database_url, toys(stages=(2,)))
    theirs = Harness(database_url, toys(stages=(2,)), worker="worker-b", mode=Mode.LIVE)
    ours.submit()
    before = everything(ours.database)
    assert theirs.orchestrator.run_hop("c1") == "not at work"
    assert theirs.ledger.take("c1", 0, 0, 5) == []
    assert not theirs.orchestrator.run_slot("c1", 0, 0)
    assert everything(ours.database) == before
    for _ in range(2):
        with pytest.raises(WrongWorldError, match="this database is sandbox, and MARKETING_MODE here is live"):
            theirs.ledger.beat()
    assert ours.database.rows("SELECT worker FROM marketing.workers") == []
    ours.database.run("UPDATE marketing.campaigns SET progress_at = now() - interval '1 day'")
    assert theirs.ledger.reconcile() == []
    assert [one.campaign_id for one in ours.ledger.reconcile()] == ["c1"]
    ours.database.run("UPDATE marketing.campaigns SET progress_at = created_at")
    ours.database.run("UPDATE marketing.units SET status = 'succeeded', result = '{}'")
    ours.database.run("UPDATE marketing.campaigns SET status = 'running', remaining = 0")
    assert theirs.orchestrator.advance("c1", 0, 0) is False
    assert ours.orchestrator.advance("c1", 0, 0) is True
    ours.close()
    theirs.close()


def test_a_paused_campaign_of_another_world_is_not_there(database_url: str) -> None:
    ours = Harness(database_url, toys(stages=(2,)))
    theirs = Harness(database_url, toys(stages=(2,)), worker="worker-b", mode=Mode.LIVE)
    ours.submit()
    for status in ("paused", "cancelling", "running"):
        ours.database.run("UPDATE marketing.campaigns SET status = %s", status)
        before = everything(ours.database)
        assert theirs.orchestrator.run_hop("c1") == "not at work"
        assert everything(ours.database) == before
    ours.close()
    theirs.close()


def test_money_of_two_worlds_is_never_in_one_sum(database_url: str) -> None:
    bench = Harness(database_url, toys())
    settings = Settings.from_env({}).model_copy(update={"llm_daily_cap": Decimal("1.00")})
    spend = SpendLedger(bench.database, settings)
    bench.submit()
    journal(bench, claim(), "answer", {"text": "a"}, usage("0.90"))
    with pytest.raises(OverBudgetError):
        spend.reserve(claim(key="u1"), "openai", bound("0.20"))
    bench.database.run("UPDATE marketing.campaigns SET status = 'failed'")
    World(bench.database, Mode.SANDBOX).change(Mode.LIVE, actor="ann")
    live = Harness(database_url, toys(), mode=Mode.LIVE)
    live.submit("c2")
    # The day's cap is the live world's own: what was simulated takes nothing of it, and is in no sum with it.
    spend.reserve(claim(key="u1", campaign="c2"), "openai", bound("0.95"))
    with pytest.raises(OverBudgetError):
        spend.reserve(claim(key="u2", campaign="c2"), "openai", bound("0.10"))
    found = fleet_spend(bench.database, settings)
    (cap,) = found["caps"]
    assert (found["mode"], cap["taken"]) == ("live", "0.95")
    assert found["total"]["totals"]["llm"] == {"USD": {"settled": "0.00", "held": "0.95"}}
    assert found["today"]["totals"]["llm"] == found["total"]["totals"]["llm"]
    other = found["other_world"]
    assert other is not None
    assert (other["mode"], other["total"]["totals"]["llm"]) == ("sandbox", {"USD": {"settled": "0.90", "held": "0.00"}})
    live.close()
    bench.close()


def test_the_fleet_s_daily_ads_of_two_worlds_have_each_their_cap(database_url: str) -> None:
    bench = Harness(database_url, toys())

    def refused_by(campaign: str) -> str | None:
        sql = "SELECT refused_by FROM marketing.spend_reserve_ads(%s, 'k', 'a', 'p', 'USD', 10, 6, NULL, 10, 'USD')"
        return bench.database.rows(sql, campaign)[0][0]  # type: ignore[no-any-return]  # text or null

    bench.submit("c1")
    bench.submit("c2")
    assert [refused_by("c1"), refused_by("c2")] == [None, "DAILY_CAP_ADS"]
    bench.database.run("UPDATE marketing.campaigns SET mode = 'live' WHERE campaign_id = 'c2'")
    bench.database.run("DELETE FROM marketing.spend WHERE campaign_id = 'c2'")
    assert refused_by("c2") is None
    bench.close()


def note(home: Path, database_url: str, redis_url: str, mode: str) -> None:
    """Leave the note of a fleet that runs in ``home``."""
    found = FleetNote(
        database_url=database_url, redis_url=redis_url, mode=mode, sandbox_url="http://127.0.0.1:9",
        kind="fleet", owner=ProcessMark(pid=1, started=0), ready=True,
    )  # fmt: skip
    note_path(home).parent.mkdir(parents=True)
    note_path(home).write_text(found.model_dump_json(), encoding="utf-8")


def test_a_client_beside_a_live_fleet_is_live_unless_it_says_otherwise(
    live: Campaigns, database_url: str, redis_url: str, tmp_path: Path
) -> None:
    note(tmp_path, database_url, redis_url, "live")
    home = {"MARKETING_HOME": str(tmp_path)}
    keys = {name: value for name, value in live_env().items() if name != "MARKETING_MODE"}
    with closing(Campaigns.from_env({**home, **keys})) as beside:
        assert beside.submit(CampaignConfig.parse(ADS)).state.campaign_config.approval.gate == "ads"
    with closing(Campaigns.from_env({**home, "MARKETING_MODE": "sandbox"})) as other, pytest.raises(WrongWorldError):
        other.submit(CampaignConfig.parse(ADS))
    assert connected({**home, "MARKETING_MODE": ""}).mode is Mode.LIVE
    # A database of its own is of the environment's world, whatever runs here.
    assert connected({**home, "DATABASE_URL": database_url}).mode is Mode.SANDBOX
