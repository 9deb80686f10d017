"""Retry and fork on the command line, over real ledger rows."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from command_line import Command
from orchestrator_harness import Harness
from verbs_harness import ME, Mended, actors, begun, verbs_harness


@pytest.fixture
def bench(database_url: str, redis_url: str) -> Iterator[Harness]:
    with verbs_harness(database_url, redis_url) as made:
        yield made


def test_dead_letters_are_listed_with_their_reason_and_retried(campaigns: Command, bench: Harness) -> None:
    for campaign_id in ("bad1", "bad2"):
        begun(bench, campaign_id)
    listed = campaigns("list", "--failed")
    rows = listed.out.splitlines()
    assert len(rows) == 3
    assert all("web: the site said no" in row for row in rows[1:])
    assert "campaigns retry ID" in listed.err
    Mended.is_so = True
    one = campaigns("retry", "bad1", "--json")
    assert (one.code, one.json["status"]) == (0, "running")
    assert one.json["units"] == {"pending": 1, "succeeded": 1}
    rest = campaigns("retry", "--all-failed", "--json")
    assert [each["campaign_id"] for each in rest.json] == ["bad2"]
    assert actors(bench, "bad2")["retried"] == ME
    assert campaigns("retry", "--all-failed").out == "0 campaigns.\n"
    for campaign_id in ("bad1", "bad2"):
        bench.orchestrator.run_hop(campaign_id)
        assert bench.reports.status(campaign_id)[0] == "completed"
    refused = campaigns("retry", "bad1")
    assert (refused.code, "only a failed one is retried" in refused.err) == (2, True)


def test_going_back_to_a_step_and_to_none_that_there_is(campaigns: Command, bench: Harness) -> None:
    begun(bench, "c1")
    answer = campaigns("retry", "c1", "--from-step", "9")
    assert answer.code == 2
    assert "there are 0 (lead_generation), 1 (content_creation), 2 (ad_management), 3 (analytics)" in answer.err
    assert campaigns("retry", "c1", "--from-step", "9", "--json").json["error"] == "no_such_step"
    back = campaigns("retry", "c1", "--from-step", "1", "--json")
    assert (back.code, back.json["status"], back.json["step"]) == (0, "running", 4)


def test_a_fork_is_a_campaign_of_its_own(campaigns: Command, bench: Harness) -> None:
    begun(bench, "c1", budget="1000", ad_platforms=["facebook"])
    parent = campaigns("show", "c1", "--json").json
    answer = campaigns(
        "fork", "c1", "--from-step", "1", "--json",
        "--set", "name=Second try", "--set", "platforms=[linkedin]", "--set", "target_audience.titles=[CEO]",
        "--set", "brand.url=https://x.example/",
    )  # fmt: skip
    assert answer.code == 0
    child = answer.json
    config = child["state"]["campaign_config"]
    assert child["campaign_id"] != "c1"
    assert (child["name"], child["status"], child["step"]) == ("Second try", "running", 0)
    assert (config["ad_platforms"], config["approval"]["gate"]) == (["linkedin_ads"], "ads")
    assert config["target_audience"]["job_titles"] == ["CEO"]
    assert config["target_audience"]["industries"] == ["saas"]
    assert config["brand"]["website"] == "https://x.example/"
    assert child["state"]["leads"] == parent["state"]["leads"]
    assert actors(bench, child["campaign_id"])["forked"] == actors(bench)["was_forked"] == ME
    assert "Forked from c1, step 1" in campaigns("fork", "c1", "--from-step", "1").out
    assert campaigns("fork", "c1", "--from-step", "7").code == 2


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("budgett=3", "budgett: unknown key; did you mean 'budget'?"),
        ("budget=-3", "budget=-3"),
        ("platforms=[tiktok]", "'tiktok' is not an ad platform"),
        ("lead_sources={type: file, path: new.csv}", "a fork has its parent's lead files"),
        ("name", "write key=value"),
    ],
)
def test_a_wrong_change_makes_no_fork(change: str, said: str, campaigns: Command, bench: Harness) -> None:
    begun(bench, "c1")
    answer = campaigns("fork", "c1", "--from-step", "1", "--set", change)
    assert (answer.code, said in answer.err) == (2, True)
    assert len(bench.reports.campaigns()) == 1
