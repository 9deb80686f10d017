"""``campaigns world``, commands in a shell of another world, and what every command says of a live campaign."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from command_line import Command
from live_world import live_env, make_live
from orchestrator_harness import Harness
from spend_bench import claim, journal, usage
from toys import toys
from verbs_harness import begun, verbs_harness

from integrations.settings import Mode, Settings
from orchestration.ledger.database import Database
from orchestration.ledger.world import World
from workers.metrics import FleetCollector

LIVE = "this database is live, and MARKETING_MODE here is sandbox: set MARKETING_MODE=live to work with it"
CAMPAIGN = "name: Launch\ntarget_audience: {industry: saas}\n"
#: Commands that change something, but for the campaign that they are about.
ACTING = (
    "approve c1", "reject c1 --reason no", "pause c1", "pause --all", "resume c1", "cancel c1",
    "cancel --status awaiting_approval --yes", "retry c1", "retry --all-failed", "fork c1 --from-step 0",
    "resolve c1 deploy --absent", "limits c1 --llm 5", "schedule pause", "schedule resume", "breaker open hunter",
    "breaker close hunter", "submit FILE", "run FILE", "knowledge add FILE", "up --workers 0",
)  # fmt: skip


@pytest.fixture
def bench(database_url: str, redis_url: str) -> Iterator[Harness]:
    """A live database in which campaign ``c1`` asks for approval of its ads, seen from a live shell."""
    os.environ.update({"COLUMNS": "100", **live_env()})
    with verbs_harness(make_live(database_url), redis_url, Mode.LIVE) as made:
        begun(made, "c1", approval={"gate": "ads"}, budget="1000", currency="EUR", optimize_every="1d")
        yield made


def test_a_shell_of_another_world_is_refused(campaigns: Command, bench: Harness, tmp_path: Path) -> None:
    file = tmp_path / "campaign.md"
    file.write_text(CAMPAIGN, encoding="utf-8")
    os.environ["MARKETING_MODE"] = "sandbox"
    look = "SELECT (SELECT array_agg(c::text) FROM marketing.campaigns c), (SELECT count(*) FROM marketing.events)"
    before = bench.database.rows(look)
    for command in ACTING:
        refused = campaigns(*(str(file) if word == "FILE" else word for word in command.split()), "--json")
        assert (refused.code, refused.json) == (2, {"error": "wrong_world", "problems": [LIVE]}), command
        assert bench.database.rows(look) == before, command
    assert bench.database.value("SELECT count(*) FROM marketing.kill_switches") == 0


@pytest.mark.parametrize("shell", ["sandbox", "live"])
def test_a_live_campaign_is_called_live_whatever_the_shell(
    shell: str, campaigns: Command, bench: Harness, tmp_path: Path
) -> None:
    assert bench.reports.status("c1")[0] == "awaiting_approval"
    os.environ["MARKETING_MODE"] = shell
    reads = ("list", "show c1", "history c1", "spend c1", "spend", "schedule list", "limits c1", "resolve c1", "doctor")
    for command in reads:
        text = campaigns(*command.split())
        assert text.code == 0, command
        assert "live" in text.out.lower(), command
        if command != "doctor":  # which tells of the shell's providers too
            assert not any(word in text.out for word in ("simulated", "nothing was published")), command
    file = tmp_path / "c1.json"
    assert "live campaign" in campaigns("export", "c1", "-o", file).err
    for command in ("show c1", "spend c1", "spend", "export c1"):
        assert campaigns(*command.split(), "--json").json["mode"] == "live", command
    for command in ("list", "history c1", "schedule list"):
        assert {one["mode"] for one in campaigns(*command.split(), "--json").json} == {"live"}, command
    found = {
        one["text"]: one["state"] for one in campaigns("doctor", "--json").json["checks"] if one["check"] == "World"
    }
    told = [state for text, state in found.items() if text.startswith(LIVE)]
    assert told == ([] if shell == "live" else ["warning"])


def test_a_verb_says_live_and_so_does_its_question(campaigns: Command, bench: Harness) -> None:
    asked = campaigns("approve", "c1")
    assert "what it spends is real money" in asked.words
    assert "c1: running, live" in asked.out


def test_the_world_is_shown_and_changed(campaigns: Command, database_url: str, redis_url: str) -> None:
    os.environ.update({"DATABASE_URL": database_url, "REDIS_URL": redis_url})
    shown = campaigns("world", "show", "--json").json
    assert (shown["mode"], shown["by"], shown["process"], shown["history"]) == ("sandbox", "migrate", "sandbox", [])
    assert campaigns("world", "set", "sandbox").out == "This database is sandbox already.\n"
    assert campaigns("world", "set", "production").code == 2
    one = Harness(database_url, toys())
    one.submit("c1")
    refused = campaigns("world", "set", "live", "--yes")
    assert refused.code == 2
    assert "1 sandbox campaign is unfinished" in refused.err
    one.database.run("UPDATE marketing.campaigns SET status = 'completed'")
    held = "SELECT marketing.spend_reserve_ads('c1', 'k', 'a', 'p', 'EUR', 100, 6, NULL, NULL, NULL)"
    one.database.rows(held)
    asked = campaigns("world", "set", "live")
    assert asked.code == 2
    assert "add --yes to do it" in asked.err
    assert "becomes live" in asked.words
    assert "real money" in asked.words
    assert "may still run (6.00 EUR a day)" in asked.words
    assert campaigns("world", "show", "--json").json["mode"] == "sandbox"
    done = campaigns("world", "set", "live", "--yes", "--json").json
    assert (done["mode"], done["changed"]) == ("live", True)
    (change,) = done["history"]
    assert (change["from"], change["to"], change["actor"]) == ("sandbox", "live", done["by"])
    assert done["by"].startswith("cli:")
    assert "this shell can only read" in campaigns("world", "show").err
    # What has ended is a sandbox campaign still.
    assert "nothing was published or spent" in campaigns("show", "c1").words
    one.close()


def test_each_world_s_money_is_told_by_itself(campaigns: Command, database_url: str, redis_url: str) -> None:
    os.environ.update({"DATABASE_URL": database_url, "REDIS_URL": redis_url, "COLUMNS": "100"})
    with closing(Harness(database_url, toys())) as one:
        one.submit("c1")
        journal(one, claim(), "answer", {"text": "a"}, usage("0.90"))
        one.database.run("UPDATE marketing.campaigns SET status = 'completed'")
    with closing(Database(database_url)) as database:
        World(database, Mode.SANDBOX).change(Mode.LIVE, actor="ann")
    with closing(Harness(database_url, toys(), mode=Mode.LIVE)) as two:
        two.submit("c2")
        journal(two, claim(campaign="c2"), "answer", {"text": "a"}, usage("0.30"), campaign="c2")
    text = campaigns("spend").out
    live, _, sandbox = text.partition("The other world")
    assert "Live: real money." in live
    assert "0.30 USD" in live
    assert "0.90 USD" not in live
    assert "Sandbox: simulated money." in sandbox
    assert "0.90 USD" in sandbox
    assert "1.20" not in text
    found = campaigns("spend", "--json").json
    sums = [one["total"]["totals"]["llm"]["USD"]["settled"] for one in (found, found["other_world"])]
    assert [Decimal(one) for one in sums] == [Decimal("0.30"), Decimal("0.90")]
    with closing(Database(database_url)) as database:
        metrics = [*FleetCollector(Settings.from_env(), database, None).collect()]
    settled = [sample for metric in metrics if metric.name == "marketing_spend" for sample in metric.samples]
    assert {sample.labels["mode"]: sample.value for sample in settled} == {"live": 0.3, "sandbox": 0.9}


def test_migrate_says_of_which_world_the_database_is(campaigns: Command, bench: Harness) -> None:
    os.environ["MARKETING_MODE"] = "sandbox"
    told = campaigns("migrate")
    assert "The live database is up to date" in told.out
    assert campaigns("migrate", "--json").json["mode"] == "live"
    assert bench.ledger.world.read().mode is Mode.LIVE


def test_a_view_says_live_from_its_first_line(campaigns: Command, bench: Harness) -> None:
    bench.database.run("UPDATE marketing.campaigns SET status = 'completed', updated_at = %s", datetime.now(UTC))
    told = campaigns("watch", "c1")
    assert told.code == 0
    assert "Status: completed, live" in told.err
