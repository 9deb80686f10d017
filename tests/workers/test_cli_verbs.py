"""Pause, resume and cancel on the command line, over real ledger rows: one, several, all; usage and what is refused."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from command_line import Command
from orchestrator_harness import Harness
from verbs_harness import ME, actors, begun, verbs_harness, waits_for_approval


@pytest.fixture
def bench(database_url: str, redis_url: str) -> Iterator[Harness]:
    with verbs_harness(database_url, redis_url) as made:
        yield made


def test_pause_and_resume_one_and_several(campaigns: Command, bench: Harness) -> None:
    for campaign_id in ("c1", "c2"):
        bench.submit(campaign_id)
    one = campaigns("pause", "c1", "--json")
    assert (one.code, one.json["status"], one.json["reason"]) == (0, "paused", f"paused by {ME}")
    assert campaigns("pause", "c1").code == 0  # safe to repeat
    several = campaigns("pause", "c1", "c2", "--json")
    assert [(each["campaign_id"], each["status"]) for each in several.json] == [("c1", "paused"), ("c2", "paused")]
    assert "c1: queued" in campaigns("resume", "c1").out
    assert actors(bench)["paused"] == actors(bench)["resumed"] == ME


def test_pause_takes_the_ads_along_and_resume_waits_for_them(campaigns: Command, bench: Harness) -> None:
    with_ads = ("c1", "c2", "c3")
    for campaign_id in with_ads:
        begun(bench, campaign_id, ad_platforms=["facebook"], budget=100, measure_after="2h")
    bench.submit("no-ads")
    campaigns("pause", "c2")
    one = campaigns("pause", "c1", "--ads", "--json")
    assert (one.code, one.json["status"]) == (0, "paused")
    assert one.json["reason"] == f"paused by {ME}; its ads are being paused"
    assert campaigns("pause", "c1", "--ads").code == 0  # safe to repeat
    every = campaigns("pause", "--all", "--ads", "--json").json  # also of what was paused without its ads
    told = {each["campaign_id"]: each["reason"].partition("; ")[2] for each in every}
    assert told == {**dict.fromkeys(with_ads, "its ads are being paused"), "no-ads": ""}
    wishes = "SELECT campaign_id, number, wanted FROM marketing.ad_switches ORDER BY 1, 2"
    assert bench.database.rows(wishes) == [(campaign_id, 1, "off") for campaign_id in with_ads]
    back = campaigns("resume", "c1")
    assert f"c1: paused (resumed by {ME}; goes on when its ads are on again)" in back.out
    rest = campaigns("resume", "--all", "--json").json
    assert {each["campaign_id"]: each["status"] for each in rest} == {
        **dict.fromkeys(with_ads, "paused"),
        "no-ads": "queued",
    }
    for campaign_id in with_ads:
        bench.orchestrator.run_hop(campaign_id)
        assert bench.reports.status(campaign_id)[0] == "waiting"
    assert actors(bench)["resumed"] == ME


def test_of_several_the_possible_is_done_and_the_rest_told(campaigns: Command, bench: Harness) -> None:
    begun(bench, "good")
    bench.submit("c1")
    answer = campaigns("pause", "good", "c1", "nobody", "--json")
    assert answer.code == 3
    assert [each.get("error", each.get("status")) for each in answer.json] == ["refused", "paused", "not_found"]
    assert "good is completed and has ended" in answer.err
    assert campaigns("pause", "good", "c1").code == 2
    alone = campaigns("pause", "good", "--json")
    assert (alone.code, alone.json["error"]) == (2, "refused")
    assert campaigns("cancel", "nobody").code == 3


def test_all_of_a_status_at_once(campaigns: Command, bench: Harness) -> None:
    begun(bench, "good")
    waits_for_approval(bench, "c1")
    for campaign_id in ("c2", "c3"):
        bench.submit(campaign_id)
    assert {each["campaign_id"] for each in campaigns("pause", "--all", "--json").json} == {"c1", "c2", "c3"}
    assert campaigns("pause", "--all").out == "0 campaigns.\n"
    assert campaigns("resume", "--all", "--json").code == 0
    assert [bench.reports.status(c)[0] for c in ("good", "c1", "c2", "c3")] == [
        "completed", "awaiting_approval", "queued", "queued",
    ]  # fmt: skip
    refused = campaigns("cancel", "--status", "queued")
    assert (refused.code, "cancel 2 campaigns (queued); add --yes" in refused.err) == (2, True)
    assert bench.reports.status("c2")[0] == "queued"
    done = campaigns("cancel", "--status", "queued", "--yes", "--reason", "budget freeze")
    assert (done.code, done.out.splitlines()[-1]) == (0, "2 campaigns.")
    assert bench.reports.status("c2") == ("cancelling", f"cancelled by {ME}: budget freeze")
    assert bench.reports.status("c1")[0] == "awaiting_approval"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("pause",), "or give --all"),
        (("pause", "c1", "--all"), "leave the ids out"),
        (("cancel",), "or give --status"),
        (("cancel", "--status", "completed"), "--status"),
        (("retry", "--from-step", "1", "c1", "c2"), "for one campaign"),
        (("retry", "--from-step", "1", "--all-failed"), "for one campaign"),
        (("fork", "c1"), "--from-step"),
        (("resolve", "c1", "u0"), "--found REMOTE_ID or --absent"),
        (("resolve", "c1", "--absent"), "Say which UNIT"),
        (("resolve", "c1", "u0", "--absent", "--found", "1"), "--found REMOTE_ID or --absent"),
    ],
)
def test_bad_usage_exits_with_2(arguments: tuple[str, ...], said: str, campaigns: Command) -> None:
    answer = campaigns(*arguments)
    assert answer.code == 2
    assert said in answer.err


@pytest.mark.parametrize(
    "arguments",
    [
        ("approve", "x"), ("reject", "x", "--reason", "r"), ("pause", "x"), ("resume", "x"), ("cancel", "x"),
        ("retry", "x"), ("fork", "x", "--from-step", "0"), ("resolve", "x"), ("resolve", "x", "u", "--absent"),
        ("schedule", "pause", "x"),
    ],
)  # fmt: skip
def test_an_unknown_campaign_exits_with_3(arguments: tuple[str, ...], campaigns: Command, bench: Harness) -> None:
    answer = campaigns(*arguments)
    assert (answer.code, answer.out) == (3, "")
    assert "there is no campaign 'x'" in answer.err


def test_who_works_on_it_is_told_when_nobody_does(campaigns: Command, bench: Harness) -> None:
    bench.submit("c1")
    assert campaigns("pause", "c1").err == ""
    bench.database.run("DELETE FROM marketing.workers")
    assert "No worker is running" in campaigns("resume", "c1").err
