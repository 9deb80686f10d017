"""Schedules and effects in question on the command line, over real ledger rows."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime

import pytest
from command_line import Command
from orchestrator_harness import Harness
from verbs_harness import ME, actors, begun, verbs_harness, waits_for_approval

from agents.effects import INTENT
from agents.unit import effect_key


@pytest.fixture
def bench(database_url: str, redis_url: str) -> Iterator[Harness]:
    with verbs_harness(database_url, redis_url) as made:
        yield made


def test_schedules_are_listed_paused_and_resumed(campaigns: Command, bench: Harness) -> None:
    assert campaigns("schedule", "list").out == "No campaign has a schedule of optimisations.\n"
    for campaign_id in ("c1", "c2"):
        begun(bench, campaign_id, optimize_every="36h", schedule={"days": 30})
    bench.submit("busy", optimize_every="1d")
    listed = campaigns("schedule", "list", "--json").json
    assert [(one["campaign_id"], one["status"]) for one in listed] == [
        ("c1", "waiting"),
        ("c2", "waiting"),
        ("busy", "running"),
    ]
    assert set(listed[0]) == {"campaign_id", "mode", "name", "status", "optimize_every", "next_run_at", "ends_at"}
    text = campaigns("schedule", "list").out
    assert "36:00:00" in text.splitlines()[1]
    assert listed[0]["ends_at"][:10] in text.splitlines()[1]
    assert "running" in text.splitlines()[3]
    assert "c1: paused" in campaigns("schedule", "pause", "c1").out
    refused = campaigns("schedule", "pause", "busy")
    assert (refused.code, "no schedule of it waits" in refused.err) == (2, True)
    assert len(campaigns("schedule", "pause", "--json").json) == 2
    statuses = {one["campaign_id"]: one["status"] for one in campaigns("schedule", "list", "--json").json}
    assert statuses == {"c1": "paused", "c2": "paused", "busy": "running"}
    assert campaigns("schedule", "resume").code == 0
    assert bench.reports.schedules()[0]["next_run_at"] == datetime.fromisoformat(listed[0]["next_run_at"])
    assert bench.reports.status("busy")[0] == "queued"
    shown = campaigns("show", "c1").words
    assert "next_optimization: every" in shown
    assert "Goes on" in shown
    assert "waiting: next optimization" in campaigns("list").out


def test_what_is_in_question_is_listed_and_settled(campaigns: Command, bench: Harness) -> None:
    waits_for_approval(bench)
    assert campaigns("resolve", "c1").out == "Nothing is in question.\n"
    assert campaigns("resolve", "c1", "deploy:toy", "--absent").code == 2
    assert campaigns("resolve", "c1", "nonsense", "--absent", "--json").json["error"] == "no_such_unit"
    bench.database.run(
        "UPDATE marketing.units SET status = 'unknown', journal = %s, due_at = now() + interval '1 hour' "
        "WHERE key = 'deploy:toy'",
        json.dumps({INTENT + "campaign": {"token": "t", "sends": 3}}),
    )
    bench.database.run(
        "UPDATE marketing.campaigns SET status = 'waiting', reason = 'needs_attention: deploy:toy: look', hold = NULL"
    )
    shown = campaigns("show", "c1").words
    assert "Until somebody acts" in shown
    assert "campaigns resolve c1" in shown
    key = effect_key("c1", "toy")
    assert f"deploy:toy: campaign, named with [{key}] at local" in campaigns("resolve", "c1").out
    assert campaigns("resolve", "c1", "--json").json[0]["steps"] == ["campaign"]
    answer = campaigns("resolve", "c1", "deploy:toy", "--found", "77", "--json")
    assert (answer.code, answer.json["status"]) == (0, "running")
    assert actors(bench)["resolved"] == ME
    assert bench.database.rows("SELECT due_at FROM marketing.units WHERE key = 'deploy:toy'") == [(None,)]
