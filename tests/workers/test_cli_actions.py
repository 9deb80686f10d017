"""``campaigns act``, ``undo``, ``budget``, ``actions`` and what ``limits`` does to live ads, as a person sees them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest
from click.testing import CliRunner
from command_line import Answer, Command
from orchestrator_harness import Harness
from paused_ads import benches, settings_of, status, verbs, wake, with_ads
from stack import wait_until

from agents.action_kinds import kinds, wrong
from agents.action_log import ActionRecord, Effect
from agents.actions import PauseAd
from orchestration.control.ordering import open_orders
from workers.cli.act import act_command
from workers.cli.actions import shortened
from workers.cli.actions import table as actions_table
from workers.cli.layout import Bars, bar
from workers.cli.output import console

Served = Callable[..., Answer]


@pytest.fixture
def bench(database_url: str, redis_url: str, sandbox: Any) -> Iterator[Harness]:
    os.environ.update({"DATABASE_URL": database_url, "REDIS_URL": redis_url, "COLUMNS": "80"})
    with benches(database_url, settings_of(sandbox)) as make:
        one = make()
        with_ads(one)
        yield one


@pytest.fixture
def served(bench: Harness, campaigns: Command) -> Served:
    """The command, while a worker carries out the one order that it gives."""

    def carry_out() -> None:
        wait_until(lambda: open_orders(verbs(bench), "c1"), timeout=20)
        while open_orders(verbs(bench), "c1"):
            wake(bench)
            bench.deliver()

    def run(*arguments: str) -> Answer:
        bench.ledger.beat()
        with ThreadPoolExecutor(1) as pool:
            worker = pool.submit(carry_out)
            answer = campaigns(*arguments)
            worker.result()
        return answer

    return run


def test_an_ad_is_paused_told_of_and_shown_again(bench: Harness, served: Served, campaigns: Command) -> None:
    assert campaigns("actions", "c1").words == "Nothing was changed and nothing is proposed."
    done = served("act", "c1", "pause_ad", "platform=Facebook", "ad=ad.2", "why=too dear")
    assert (done.code, "Facebook ad.2 paused (too dear), by cli:" in done.words) == (0, True)
    (record,) = campaigns("actions", "c1", "--json").json
    assert (record["status"], record["action"]["platform"]) == ("applied", "facebook_ads")
    undone = served("undo", "c1", record["action_id"][:6], "--json")
    assert (undone.code, undone.json["action"]["status"], undone.json["status"]) == (0, "undone", "waiting")
    listed = campaigns("actions", "c1").words
    assert f"{record['action_id'][:6]} " in listed
    assert "undone Facebook ad.2 paused (too dear); taken back by cli:" in listed
    again = campaigns("undo", "c1", record["action_id"])
    assert (again.code, "is undone: there is nothing to take back" in again.err) == (2, True)


def test_what_a_platform_refuses_ends_with_1(bench: Harness, served: Served) -> None:
    gone = "jsonb_set(ad_creatives, '{0,remote_ids,ad.2}', '\"999\"')"
    bench.database.run(f"UPDATE marketing.campaigns SET ad_creatives = {gone}")
    refused = served("act", "c1", "pause_ad", "platform=facebook", "ad=ad.2")
    assert refused.code == 1
    assert "failed: Facebook ad.2 paused" in refused.out
    assert "not changed: facebook_ads:" in refused.out


def test_a_budget_is_given_and_shown(bench: Harness, served: Served, campaigns: Command) -> None:
    assert served("budget", "c1", "600").out.partition(": ")[2].startswith("the budget is 600 in all, by cli:")
    shown = campaigns("budget", "c1").words
    assert "Budget 600.00 USD over 30 days" in shown
    assert "Spent 0.00 USD, 600.00 USD left" in shown
    found = campaigns("budget", "c1", "--json").json
    assert (found["budget"], [one["provider"] for one in found["platforms"]]) == (
        "600",
        ["facebook_ads", "linkedin_ads"],
    )
    assert float(found["held"]) <= 600
    lowered = served("limits", "c1", "--ads", "500")
    assert lowered.code == 0
    assert "the budget is 500 in all" in lowered.words
    assert "of 500.00 USD taken" in lowered.words


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("explode", "a=b"), "pause_ad: Stop showing one ad"),
        (("pause_ad", "platform=facebook"), "pause_ad needs ad=...; its keys are platform=  ad=  [why=]"),
        (("pause_ad", "platform=facebook", "add=ad.2"), "add is no key of pause_ad; its keys are"),
        (("pause_ad", "platform"), "'platform': write KEY=VALUE"),
        (("pause_ad", "ad=ad.1", "ad=ad.2"), "ad is given twice"),
        (("pause_ad", "ad=[1"), "ad: line 1"),
        ((), "Say what to do: a KIND with its keys, or --proposal ACTION"),
        (("pause_ad", "--proposal", "a1"), "Say what to do"),
    ],
)
def test_what_is_no_order_is_refused_before_a_service_is_looked_for(
    campaigns: Command, arguments: tuple[str, ...], said: str
) -> None:
    refused = campaigns("act", "c1", *arguments)
    assert refused.code == 2
    assert " ".join(said.split()) in " ".join(refused.err.split())


def test_what_may_not_be_is_refused_and_what_nobody_does_is_told(bench: Harness, campaigns: Command) -> None:
    for arguments, said in (
        (("pause_ad", "platform=facebook", "ad=ad.9"), "ad=ad.9 is not shown; shown are"),
        (("bid", "platform=facebook", "cap=much"), "cap='much': Input should be a valid decimal"),
        (("--proposal", "a1"), "has no action 'a1'"),
    ):
        refused = campaigns("act", "c1", *arguments)
        assert (refused.code, said in refused.err) == (2, True), refused.err
    assert status(bench) == "waiting"
    bench.database.run("DELETE FROM marketing.workers")
    ordered = campaigns("act", "c1", "bid", "platform=facebook", "cap=2.50")
    assert (ordered.code, "It is ordered, but no worker is running" in ordered.err) == (4, True)


def test_money_is_moved_by_what_each_platform_gets(served: Served) -> None:
    moved = served("act", "c1", "shift_budget", "moves={facebook: 10}", "--json").json["action"]
    move = moved["action"]["moves"]["facebook_ads"]
    assert (moved["status"], move["after"], float(move["before"]) > 10) == ("applied", "10", True)
    assert moved["action"]["currency"] == "USD"


def test_help_lists_every_kind_and_fits_80_columns() -> None:
    shown = CliRunner().invoke(act_command, ["--help"], terminal_width=80).output
    words = " ".join(shown.split())
    assert len(kinds()) == 13
    for kind in kinds().values():
        assert f"{kind.name} {' '.join(kind.form.split())} {kind.does}" in words
    assert max(map(len, shown.splitlines())) <= 80
    assert kinds()["bid"].free == ("currency", "why")
    assert wrong("bid", {"platform": "x", "cap": 1}) is None


def test_actions_fit_80_columns_with_what_they_have_done(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    effect = Effect(mean=0.12, low=0.02, high=0.3, better=0.97, verdict="improved")
    common = {"step": 1, "at": datetime(2026, 3, 1, 9, 30, tzinfo=UTC)}
    action = PauseAd(platform="facebook_ads", ad="ad.2")
    records = (
        ActionRecord(action_id="aaaaaaa1", by="cli:somebody", action=action, effect=effect, **common),
        ActionRecord(action_id="aaaaaaa2", proposed=True, action=action, expected=effect, **common),
    )
    printer = console()
    with printer.capture() as captured:
        printer.print(actions_table(records))
    lines = captured.get().splitlines()
    words = " ".join(captured.get().split())
    assert lines[0].split() == ["Action", "When", "By", "Status", "What"]
    assert max(map(len, lines)) <= 80
    assert "+12%" in words
    assert "expected +12%, between" in words
    assert shortened(["aaaaaaa1", "aaaaaaa2"]) == {"aaaaaaa1": "aaaaaaa1", "aaaaaaa2": "aaaaaaa2"}
    assert shortened(["abcdefgh"]) == {"abcdefgh": "abcdef"}


def test_bars_are_as_long_as_what_they_show_and_fit() -> None:
    assert [bar(share, 4) for share in (0.0, 0.5, 1.0, 2.0, 0.53)] == ["", "██", "████", "████", "██▏"]
    assert (bar(0.5, 4, plain=True), bar(1.0, -3)) == ("##", "")
    printer = console()
    printer.width = 30
    with printer.capture() as captured:
        printer.print(Bars([("Facebook ad.1", 4.0, "4.00"), ("Facebook ad.2", 1.0, "1.00")]))
    first, second = captured.get().splitlines()
    assert (first.count("█"), second.count("█"), len(first)) == (7, 1, 30)
