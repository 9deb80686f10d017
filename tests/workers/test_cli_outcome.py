"""``campaigns outcome`` over a real database: what it takes, refuses and shows, and that it prints no address."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from command_line import Command
from orchestrator_harness import Harness
from preference_worlds import cases
from toys import toys

from orchestration.ledger.database import encode
from workers import orchestrator_tasks
from workers.app import app

JANE = "jane.doe@acme.example"


@pytest.fixture
def bench(database_url: str, redis_url: str) -> Iterator[Harness]:
    os.environ.update({"DATABASE_URL": database_url, "REDIS_URL": redis_url, "COLUMNS": "140"})
    made = Harness(database_url, toys())
    made.submit("c1", brand={"name": "Acme"})
    leads = [{"lead_id": "a7", "email": JANE, "job_title": "CTO"}, {"lead_id": "b8", "job_title": "Owner"}]
    made.database.run("UPDATE marketing.campaigns SET leads = %s", encode(leads))
    yield made
    made.close()


def test_an_outcome_is_recorded_and_known_the_second_time(bench: Harness, campaigns: Command) -> None:
    done = campaigns("outcome", JANE, "won", "--at", "2026-03-01")
    assert (done.code, done.out.strip()) == (0, "1 outcome recorded.")
    assert campaigns("outcome", "a7", "won", "--json").json == {"new": 0, "known": 1, "refused": []}
    refused = campaigns("outcome", "joan@acme.example", "lost", "--campaign", "c1")
    assert refused.code == 2
    assert "Refused: lead: campaign 'c1' has no lead with this address" in refused.err
    assert "acme.example" not in done.out + done.err + refused.out + refused.err
    assert "Outcomes recorded" in campaigns("history", "c1").out


def test_a_file_is_recorded_but_for_rows_that_are_wrong(bench: Harness, campaigns: Command, tmp_path: Path) -> None:
    file = tmp_path / "crm.csv"
    file.write_text(f"email;outcome;date\n{JANE};Won;2026-03-01\nwho@x.example;lost;\n{JANE};bought;\n")
    done = campaigns("outcome", "--file", file)
    assert (done.code, done.out.strip()) == (2, "1 outcome recorded.")
    assert "Refused: row 3: lead: no campaign has a lead with this address" in done.err
    assert "Refused: row 4: outcome='bought': use won, meeting, lost or bounced" in done.err
    assert "@" not in done.out + done.err
    file.write_text("lead\na7\nb8\n")
    assert campaigns("outcome", "--file", file, "bounced", "--json").json["new"] == 2


@pytest.mark.parametrize(
    "arguments",
    [
        (), ("a7",), ("a7", "won", "x"), ("--show", "a7"), ("--file", "x.csv", "won", "lost"),
        ("--recalibrate", "--at", "1"),
    ],
)  # fmt: skip
def test_what_is_no_order_is_refused(bench: Harness, campaigns: Command, arguments: tuple[str, ...]) -> None:
    assert campaigns("outcome", *arguments).code == 2


def test_what_was_learned_is_shown_with_its_reasons(bench: Harness, campaigns: Command) -> None:
    assert "No outcome is known yet." in campaigns("outcome", "--show").out
    assert "not enough new outcomes" in campaigns("outcome", "--recalibrate").out
    for n, one in enumerate(cases(206, most=150)):
        bench.database.run(
            "INSERT INTO marketing.outcomes (campaign_id, lead_id, outcome, at, mode, account, audience, rule, traits, "
            "actor) VALUES ('c1', %s, %s, now(), 'sandbox', 'acme', 'industries: saas', %s, %s, 'test')",
            str(n), "won" if one.yes else "lost", one.rule, encode(list(one.traits)),
        )  # fmt: skip
    made = campaigns("outcome", "--recalibrate")
    assert made.code == 0
    assert "Weights 1 for industries: saas of acme" in made.out
    assert "In use: better than the rule: AUC 0." in made.out
    assert "said yes" in made.out
    shown = campaigns("outcome", "--show")
    assert "150 leads" in shown.words
    document = campaigns("outcome", "--show", "--json").json
    assert document["outcomes"][0]["outcomes"].keys() == {"won", "lost"}
    assert document["weights"][0]["used"] is True
    assert document["weights"][0]["weights"]["version"] == 1


def test_outcomes_are_a_task_by_name_and_recalibration_a_tick() -> None:
    assert orchestrator_tasks.outcome.name == "campaigns.outcome"
    assert {"campaigns.outcome", "orchestration.execution.recalibration"} <= set(app.tasks)
