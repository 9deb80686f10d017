"""Approvals on the command line, over real ledger rows: what is asked, answered, and refused."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress

import pytest
from command_line import Command
from orchestrator_harness import Harness
from verbs_harness import ME, actors, verbs_harness, waits_for_approval


@pytest.fixture
def bench(database_url: str, redis_url: str) -> Iterator[Harness]:
    with verbs_harness(database_url, redis_url) as made:
        yield made


def test_approve_shows_what_will_be_published_and_spent(campaigns: Command, bench: Harness) -> None:
    waits_for_approval(bench, expires_after="7d")
    answer = campaigns("approve", "c1")
    assert answer.code == 0
    for expected in (
        "Approval wanted: ads on Facebook",
        "Headline Forecast before coffee",
        "Headline See your pipeline",
        "Text Revenue analytics.",
        "Button Book a tour",
        "Leads to https://www.northlight.example/",
        "Shown to industries: saas; titles: CTO, VP",
        "Per day 33.33 EUR",
        "Until 2026-03-31",
        "At most 1,000.00 EUR is spent over 30 days.",
        "The question expires",
        "c1: running",
        "Follow it with: campaigns watch c1",
    ):
        assert expected in answer.words
    assert "\x1b" not in answer.out
    assert actors(bench)["approved"] == ME
    bench.orchestrator.run_hop("c1")
    assert bench.reports.status("c1")[0] == "completed"
    again = campaigns("approve", "c1")
    assert (again.code, "c1 is completed and has ended" in again.err) == (2, True)


def at_a_terminal(answer: str, *arguments: str) -> tuple[int, str]:
    """Run the command at a terminal of its own, where a person types ``answer``: exit status and what was shown."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-c", "from workers.cli import main; main()", *arguments]
    process = subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    os.write(ours, f"{answer}\n".encode())
    shown = b""
    with open(ours, "rb", buffering=0) as terminal, suppress(OSError):  # EIO: the other end was closed
        while part := terminal.read(4096):
            shown += part
    return process.wait(30), shown.decode()


def test_a_person_at_a_terminal_is_asked(campaigns: Command, bench: Harness) -> None:
    waits_for_approval(bench)
    code, shown = at_a_terminal("n", "approve", "c1")
    assert (code, "Approve this?" in shown, "Nothing was approved." in shown) == (0, True, True)
    assert bench.reports.status("c1")[0] == "awaiting_approval"
    code, shown = at_a_terminal("", "approve", "c1", "--yes")
    assert (code, "Approve this?" in shown) == (0, False)
    assert bench.reports.status("c1")[0] == "running"
    code, shown = at_a_terminal("n", "cancel", "--status", "running")
    assert (code, "Cancel 1 campaign (running)?" in shown) == (0, True)
    assert bench.reports.status("c1")[0] == "running"


def test_programs_see_the_question_and_approve_without_being_asked(campaigns: Command, bench: Harness) -> None:
    waits_for_approval(bench)
    shown = campaigns("show", "c1", "--json").json
    assert shown["approval"]["kind"] == "ads"
    assert shown["approval"]["request"]["ads"][0]["daily_budget"] == "33.33"
    answer = campaigns("approve", "c1", "--json")
    assert (answer.code, answer.json["status"], answer.err) == (0, "running", "")
    assert {"campaign_id", "status", "reason", "step", "state", "units", "spend", "route"} <= set(answer.json)


def test_show_asks_the_question(campaigns: Command, bench: Harness) -> None:
    waits_for_approval(bench)
    answer = campaigns("show", "c1")
    assert "Launch: awaiting approval" in answer.words
    assert "The question does not expire" in answer.words
    assert "Headline Forecast before coffee" in answer.words
    assert "campaigns approve c1" in answer.words
    bench.orchestrator.run_hop("c1")
    campaigns("pause", "c1")
    assert "Approval wanted" not in campaigns("show", "c1").out
    assert campaigns("approve", "c1").code == 2


def test_reject_needs_a_reason_and_cancels_or_reworks(campaigns: Command, bench: Harness) -> None:
    waits_for_approval(bench)
    assert campaigns("reject", "c1").code == 2
    assert campaigns("reject", "c1", "--reason", " ").code == 2
    answer = campaigns("reject", "c1", "--reason", "too loud", "--rework", "--json")
    assert (answer.code, answer.json["status"]) == (0, "running")
    assert bench.reports.row("c1").agent == "content_creation"
    waits_for_approval(bench, "c2")
    answer = campaigns("reject", "c2", "--reason", "wrong market")
    assert (answer.code, "c2: cancelling" in answer.out) == (0, True)
    assert actors(bench, "c2")["rejected"] == ME
