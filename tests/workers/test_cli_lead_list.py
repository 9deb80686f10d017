"""``campaigns leads ID``: what is shown, written and excluded, at any width and whatever a lead's text holds."""

from __future__ import annotations

import csv
import io
import os
import re
from collections.abc import Iterator
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path

import checkout
import pytest
from command_line import Command
from orchestrator_harness import Harness
from toys import toys

from agents.state import Lead
from orchestration.ledger.database import encode
from orchestration.reports.leads import LeadRow
from workers.cli.spreadsheet import csv_text

NOW = datetime(2026, 3, 1, tzinfo=UTC)
EVIL = "Evil\x1b[31m\x9b2J\u202eCorp\nLtd"
JANE = Lead(
    lead_id="0a1b2c3d4e5f", email="jane@acme.example", email_status="valid", name="Jane Roe",
    job_title="Head of Finance", company="Acme", domain="acme.example", phone="+49 30 1234",
    sources=("file:mine.csv", "search"), score=0.92,
    score_reasons=("title Head of Finance is asked for (+0.4)", "industry SaaS matches saas (+0.3)"),
    qualified_at=NOW, collected_at=NOW, legal_basis="consent", delivered=("webhook", "hubspot"), rows=("f1:1", "f1:3"),
)  # fmt: skip
BAD = Lead(lead_id="bad", name="=cmd|' /C calc'!A0", company=EVIL, sources=("web",), score=0.31)


@pytest.fixture
def bench(database_url: str, redis_url: str) -> Iterator[Harness]:
    os.environ.update({"DATABASE_URL": database_url, "REDIS_URL": redis_url, "COLUMNS": "80"})
    made = Harness(database_url, toys())
    made.ledger.beat()
    made.submit("c1", lead_sources=[{"type": "file", "path": "dir/mine.csv", "file_id": "f1"}])
    put(made, BAD, JANE)
    yield made
    made.close()


def put(bench: Harness, *leads: Lead) -> None:
    bench.database.run("UPDATE marketing.campaigns SET leads = %s", encode([one.model_dump() for one in leads]))


@pytest.mark.parametrize("width", [40, 80, 120, 200])
def test_leads_are_shown_best_first_within_the_width(
    bench: Harness, campaigns: Command, monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    shown = campaigns("leads", "c1")
    assert shown.code == 0
    assert max(map(len, shown.out.splitlines())) <= width
    assert not {"\x1b", "\x9b", "\u202e"} & set(shown.out)
    assert "2 leads, 1 qualified (*), 1 delivered" in shown.words
    assert shown.out.index("0.92") < shown.out.index("0.31")
    told = ["Jane Roe", "Head of Finance", "Acme", "valid", "file:mine.csv", "consent", "webhook", "0a1b2c3d4e5f"]
    assert not [one for one in told if one not in shown.words]
    assert "industry SaaS" in shown.words if width < 170 else "SaaS" in shown.words


def test_options_come_before_or_behind_the_id(bench: Harness, campaigns: Command) -> None:
    for arguments in (("leads", "c1", "--qualified", "--json"), ("leads", "--qualified", "--json", "c1")):
        found = campaigns(*arguments).json
        assert (found["campaign_id"], found["mode"]) == ("c1", "sandbox")
        assert [one["lead_id"] for one in found["leads"]] == ["0a1b2c3d4e5f"]
    assert found["leads"][0]["score_reasons"] == list(JANE.score_reasons)
    assert "1 of them asked for" in campaigns("leads", "c1", "--not-delivered", "--company", "evil").words
    helped = campaigns("leads", "--help").out
    assert "--min-score" in helped
    assert "check" in helped


def test_csv_has_stated_columns_and_no_cell_is_a_formula(bench: Harness, campaigns: Command, tmp_path: Path) -> None:
    shown = campaigns("leads", "c1", "--csv")
    rows = list(csv.DictReader(io.StringIO(shown.out)))
    assert list(rows[0]) == [one.name for one in fields(LeadRow)]
    assert (rows[0]["phone"], rows[0]["qualified"], rows[0]["delivered"]) == ("'+49 30 1234", "yes", "webhook; hubspot")
    assert (rows[1]["name"], rows[1]["company"]) == ("'=cmd|' /C calc'!A0", "Evil2JCorp Ltd".replace("2J", ""))
    assert not {"\x1b", "\x9b", "\u202e", "\r"} & set(shown.out)
    told = checkout.read("docs/running-campaigns.md").partition("the CSV file: ")[2].partition("; with `--rows`")[0]
    assert re.findall(r"`(\w+)`", told) == list(rows[0])
    file = tmp_path / "leads.csv"
    written = campaigns("leads", "c1", "--csv", file)
    assert (written.code, written.out) == (0, "")
    assert file.read_text(encoding="utf-8") == "\ufeff" + shown.out
    assert file.stat().st_mode & 0o777 == 0o600
    assert campaigns("leads", "c1", "--csv", tmp_path / "no" / "leads.csv").code == 2


def test_every_first_character_of_a_formula_is_guarded() -> None:
    for first in ("=", "+", "-", "@", "\t=", "\r=", " =", "＝"):
        (line,) = csv.reader(io.StringIO(csv_text(["a"], [{"a": f"{first}1"}]).split("\n", 1)[1]))
        assert line[0].startswith("'"), repr(first)
    assert csv_text(["a", "b"], [{"a": -0.5, "b": None}]) == "a,b\n-0.5,\n"


def test_a_lead_is_excluded_and_taken_back(bench: Harness, campaigns: Command) -> None:
    done = campaigns("leads", "c1", "--exclude", "jane@acme.example", "--exclude", "bad", "--reason", "our own\x1b[2J")
    assert done.code == 0
    assert "0a1b2c3d4e5f: excluded. Has been put at webhook, hubspot already" in done.words
    assert "jane@" not in done.out
    assert "excluded: our own" in campaigns("leads", "c1", "--excluded").words
    assert "Lead excluded: lead bad, reason our own  [cli:" in campaigns("history", "c1").out
    again = campaigns("leads", "c1", "--exclude", "bad", "--include", "0a1b2c3d4e5f", "--json").json
    assert again["excluded"] == [{"lead_id": "bad", "new": False, "delivered": [], "unconfirmed": []}]
    assert again["included"] == [{"lead": "0a1b2c3d4e5f", "new": True}]
    assert [one["excluded"] for one in campaigns("leads", "c1", "--json").json["leads"]] == [None, "our own"]


def test_what_can_not_be_is_refused(bench: Harness, campaigns: Command) -> None:
    assert campaigns("leads", "c9").code == 3
    gone = campaigns("leads", "c1", "--exclude", "nobody@acme.example")
    assert gone.code == 2
    assert "no lead with this address" in gone.err
    for arguments in (
        ["--csv", "x", "--json"], ["--exclude", "bad", "--qualified"], ["--reason", "x"], ["--min-score", "2"],
        ["--rows", "--company", "x"], ["--json", "--limit", "3"], ["--limit", "0"],
    ):  # fmt: skip
        assert campaigns("leads", "c1", *arguments).code == 2, arguments


def test_what_became_of_each_row_of_a_file_is_shown(bench: Harness, campaigns: Command) -> None:
    bench.database.run(
        "UPDATE marketing.campaigns SET agent_messages = %s",
        encode([{
            "message_id": "m", "sender": "lead_generation", "receiver": "orchestrator", "message_type": "status_update",
            "payload": {
                "rows_set_aside": {"suppressed": {"f1": "2,4-5"}}, "files": {"mine.csv": {"left_out": {"x": 3}}},
            },
            "correlation_id": "c", "timestamp": NOW,
        }]),
    )  # fmt: skip
    shown = campaigns("leads", "c1", "--rows")
    assert "5 rows, 1 kept, 1 merged, 3 set aside" in shown.words
    for row in ("mine.csv 1 kept 0a1b2c3d4e5f Jane Roe", "mine.csv 3 merged", "mine.csv 4 set aside suppressed"):
        assert row in shown.words
    assert "3 mine.csv: x" in shown.words
    document = campaigns("leads", "c1", "--rows", "--json").json
    assert (len(document["rows"]), document["left_out"]) == (5, {"mine.csv": {"x": 3}})
    lines = campaigns("leads", "c1", "--rows", "--csv").out.splitlines()
    assert lines[:2] == ["file,row,outcome,lead_id,lead,reason", "mine.csv,1,kept,0a1b2c3d4e5f,Jane Roe,"]


def test_a_long_list_is_cut_on_the_screen_alone(bench: Harness, campaigns: Command) -> None:
    put(bench, *(JANE.model_copy(update={"lead_id": f"{n:04}", "score": n / 10_000}) for n in range(300)))
    shown = campaigns("leads", "c1")
    assert shown.out.count("lead 0") == 50
    assert "250 more" in shown.err
    assert campaigns("leads", "c1", "--limit", "1000").out.count("lead 0") == 300
    assert len(campaigns("leads", "c1", "--csv").out.splitlines()) == 301
