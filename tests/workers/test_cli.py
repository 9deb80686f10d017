"""The command ``campaigns`` over a real database: exit statuses, what is printed where, what is stored."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from command_line import Command
from orchestrator_harness import Harness
from stack import Sandbox
from toys import echo, toys

from agents.ports import UnitContext
from agents.unit import Unit
from integrations.errors import PermanentError
from orchestration.ledger.database import Database
from workers.cli import cli, explain

CAMPAIGN = "name: Launch\ntarget_audience: {industry: saas}\n"
NOBODY = "postgresql://me:hunter2@127.0.0.1:1/nothing"
WRONG: dict[str, tuple[str, str]] = {
    "unknown key": (CAMPAIGN + "budgett: 3\n", "budgett: unknown key; did you mean 'budget'?"),
    "negative budget": (CAMPAIGN + "budget: -5\n", "budget=-5"),
    "unknown platform": (CAMPAIGN + "budget: 5\nad_platforms: [tiktok]\n", "'tiktok' is not an ad platform"),
    "empty audience": ("name: Launch\ntarget_audience: {}\n", "target_audience: is empty"),
    "no audience": ("name: Launch\n", "target_audience: is missing"),
    "junk": ("x" * 10_000_000, "is larger than 1 MB"),
    "syntax": ("name: [a\nb: }", "is not valid YAML"),
    "a key twice": (CAMPAIGN + "name: Again\n", "the key 'name' is there twice"),
    "no lead file": (CAMPAIGN + "lead_sources: {type: file, path: gone.csv}\n", "there is no such file"),
}


@pytest.fixture
def bench(database_url: str) -> Iterator[Harness]:
    """A database with two toy campaigns: ``good`` completed, ``bad`` failed; the command's own."""

    def body(unit: Unit, ctx: UnitContext) -> Any:
        if ctx.campaign_id == "bad":
            raise PermanentError("web", "the site\x1b[31m said no")
        return echo(unit, ctx)

    os.environ["DATABASE_URL"] = database_url
    made = Harness(database_url, toys(body=body))
    for campaign_id in ("good", "bad"):
        made.broker._put("hop", made.submit(campaign_id), "lead_generation")
        made.deliver()
    yield made
    made.close()


def stored(url: str) -> int:
    database = Database(url, pool_size=1)
    try:
        return int(database.rows("SELECT count(*) FROM marketing.campaigns")[0][0])
    finally:
        database.close()


# ---- bad input


@pytest.mark.parametrize("command", ["run", "submit"])
@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_campaign_is_refused_and_leaves_no_row(
    command: str, case: str, campaigns: Command, database_url: str, tmp_path: Path
) -> None:
    os.environ["DATABASE_URL"] = database_url
    content, said = WRONG[case]
    file = tmp_path / "campaign.yaml"
    file.write_text(content)
    answer = campaigns(command, file)
    assert (answer.code, answer.out) == (2, "")
    assert said in answer.err
    assert "Traceback" not in answer.err
    assert stored(database_url) == 0


def test_a_refusal_is_json_for_programs_too(campaigns: Command, tmp_path: Path) -> None:
    file = tmp_path / "campaign.yaml"
    file.write_text("budget: -5\ntarget_audience: {}\n")
    answer = campaigns("run", file, "--json")
    assert answer.code == 2
    assert answer.json["error"] == "bad_config"
    assert len(answer.json["problems"]) == 2
    assert "2 things are not right" in answer.err


def test_a_refused_run_starts_nothing(campaigns: Command, tmp_path: Path) -> None:
    file = tmp_path / "campaign.yaml"
    file.write_text("target_audience: {}\n")
    os.environ["MARKETING_HOME"] = str(tmp_path / "home")
    assert campaigns("run", file, "--embedded").code == 2
    assert not (tmp_path / "home").exists()


@pytest.mark.parametrize(
    ("arguments", "settings", "said"),
    [
        (("nonsense",), {}, "No such command"),
        (("list", "--status", "fine"), {}, "--status"),
        (("list", "--failed", "--status", "completed"), {}, "exclude each other"),
        (("show",), {}, "Missing argument 'ID'"),
        (("up", "--workers", "-1"), {}, "--workers"),
        (("list",), {"MARKETING_MODE": "production"}, "MARKETING_MODE='production'"),
        (("list",), {"DATABASE_URL": "mysql://x"}, "this project speaks postgresql"),
        (("up",), {"REDIS_URL": "http://x"}, "REDIS_URL is no URL of Redis"),
        (("knowledge", "add", "gone.md"), {}, "gone.md"),
    ],
)
def test_bad_options_and_settings_exit_with_2(
    arguments: tuple[str, ...], settings: dict[str, str], said: str, campaigns: Command
) -> None:
    os.environ.update(settings)
    answer = campaigns(*arguments)
    assert answer.code == 2
    assert said in answer.err


def test_live_mode_names_the_missing_keys_at_submit(campaigns: Command, database_url: str, tmp_path: Path) -> None:
    os.environ.update({"DATABASE_URL": database_url, "MARKETING_MODE": "live"})
    file = tmp_path / "campaign.yaml"
    file.write_text(CAMPAIGN)
    answer = campaigns("submit", file)
    assert answer.code == 2
    assert "OPENAI_API_KEY" in answer.err
    assert stored(database_url) == 0


def test_a_campaign_that_cannot_work_is_refused_where_no_service_answers(campaigns: Command, tmp_path: Path) -> None:
    os.environ.update({"DATABASE_URL": NOBODY, "MARKETING_MODE": "live"})
    file = tmp_path / "campaign.yaml"
    file.write_text(CAMPAIGN)
    for command in ("submit", "run"):
        answer = campaigns(command, file)
        assert answer.code == 2
        assert "OPENAI_API_KEY" in answer.err


# ---- not found, not reachable, defects


@pytest.mark.parametrize("command", ["show", "watch", "history", "export"])
def test_an_unknown_campaign_exits_with_3(command: str, campaigns: Command, bench: Harness) -> None:
    answer = campaigns(command, "nobody")
    assert (answer.code, answer.out) == (3, "")
    assert "there is no campaign 'nobody'" in answer.err


@pytest.mark.parametrize(
    "arguments", [("list",), ("show", "x"), ("migrate",), ("up",), ("knowledge", "add", "README.md"), ("doctor",)]
)
def test_a_database_that_is_away_exits_with_4_and_keeps_its_password(
    arguments: tuple[str, ...], campaigns: Command, tmp_path: Path
) -> None:
    (tmp_path / "README.md").write_text("words")
    os.environ["DATABASE_URL"] = NOBODY
    answer = campaigns(*(tmp_path / one if one.endswith(".md") else one for one in arguments))
    assert answer.code == 4
    assert "127.0.0.1:1" in answer.out + answer.err
    assert "hunter2" not in answer.out + answer.err


def test_a_redis_that_is_away_is_told_before_anything_starts(campaigns: Command, tmp_path: Path) -> None:
    os.environ.update({"REDIS_URL": "redis://:hunter2@127.0.0.1:1/0", "MARKETING_HOME": str(tmp_path / "home")})
    answer = campaigns("up")
    assert answer.code == 4
    assert "redis://:***@127.0.0.1:1/0" in answer.err
    assert not (tmp_path / "home").exists()


def test_where_nothing_runs_the_way_out_is_named(campaigns: Command, tmp_path: Path) -> None:
    os.environ["MARKETING_HOME"] = str(tmp_path / "home")
    for arguments in (("list",), ("show", "x"), ("migrate",)):
        answer = campaigns(*arguments)
        assert answer.code == 4
        assert "campaigns up" in answer.err


def test_a_database_without_tables_is_told(campaigns: Command, database_url: str) -> None:
    database = Database(database_url, pool_size=1)
    database.run("DROP SCHEMA marketing CASCADE")
    database.close()
    os.environ["DATABASE_URL"] = database_url
    answer = campaigns("list")
    assert answer.code == 4
    assert "campaigns migrate" in answer.err
    assert campaigns("migrate", "--json").json["before"] is None
    assert "is up to date" in campaigns("migrate").out
    assert campaigns("list").out == "No campaigns yet.\n"


def test_a_defect_is_one_line_and_a_log(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    os.environ["MARKETING_HOME"] = str(tmp_path)
    assert explain(RuntimeError("secret details"), as_json=True) == 70
    out, err = capsys.readouterr()
    assert json.loads(out)["error"] == "defect"
    assert len(err.splitlines()) == 1
    assert "secret details" not in out + err
    log = tmp_path / "logs" / "campaigns.log"
    assert "secret details" in log.read_text()
    assert log.stat().st_mode & 0o077 == 0


# ---- looking at campaigns


def test_list(campaigns: Command, bench: Harness) -> None:
    everything = campaigns("list", "--json")
    assert everything.code == 0
    assert {one["campaign_id"]: one["status"] for one in everything.json} == {"good": "completed", "bad": "failed"}
    assert {"campaign_id", "name", "status", "step"} <= set(everything.json[0])
    for options in (("--failed",), ("--status", "failed")):
        assert [one["campaign_id"] for one in campaigns("list", "--json", *options).json] == ["bad"]
    assert campaigns("list", "--json", "--status", "paused").json == []
    assert campaigns("list", "--status", "paused").out == "No campaigns in this state.\n"
    text = campaigns("list").out
    assert [line.split()[0] for line in text.splitlines()] == ["Campaign", "bad", "good"]


def test_show(campaigns: Command, bench: Harness) -> None:
    shown = campaigns("show", "good", "--json")
    assert shown.code == 0
    contract = {key: value for key, value in shown.json.items() if key != "overview"}
    assert contract == bench.reports.show("good")
    assert "Score" in [section["title"] for section in shown.json["overview"]]
    assert shown.json["route"] == ["lead_generation", "content_creation", "ad_management", "analytics"]
    text = campaigns("show", "good")
    assert text.code == 0
    assert "✓ Campaign: completed" in text.out
    failed = campaigns("show", "bad")
    assert failed.code == 0  # looking at a failed campaign is no failure
    assert "web: the site said no" in " ".join(failed.out.split())


def test_watch_ends_with_the_campaign(campaigns: Command, bench: Harness) -> None:
    good, bad = campaigns("watch", "good", "--json"), campaigns("watch", "bad", "--json")
    assert (good.code, bad.code) == (0, 1)
    lines = [json.loads(line) for line in good.out.splitlines()]
    assert [lines[0]["event"], lines[-1]] == [
        "submitted",
        {"event": "ended", "campaign_id": "good", "status": "completed", "reason": None},
    ]
    assert json.loads(bad.out.splitlines()[-1])["status"] == "failed"
    told = campaigns("watch", "bad")
    assert told.code == 1
    assert "Lead generation: s0 3/3 (3 failed)" in told.err
    assert "✗ Campaign: failed" in told.out
    assert "\x1b" not in told.out + told.err


def test_history(campaigns: Command, bench: Harness) -> None:
    events = campaigns("history", "good", "--json").json
    assert [event["kind"] for event in events][:2] == ["submitted", "started"]
    assert events[-1]["kind"] == "completed"
    text = campaigns("history", "good").out.splitlines()
    assert len(text) == len(events)
    assert text[-1].endswith("Completed")


def test_export(campaigns: Command, bench: Harness, tmp_path: Path) -> None:
    whole = campaigns("export", "good").json
    assert whole["campaign_id"] == "good"
    assert len(whole["ledger"]) == sum(whole["units"].values())
    file = tmp_path / "good.json"
    assert campaigns("export", "good", "-o", file, "--json").json == {"campaign_id": "good", "output": str(file)}
    assert json.loads(file.read_text()) == whole
    assert file.stat().st_mode & 0o077 == 0
    assert [one.name for one in tmp_path.iterdir()] == ["good.json"]
    assert campaigns("export", "good", "-o", tmp_path / "gone" / "x.json").code == 2


# ---- submitting, documents, the doctor


def test_submit_stores_once_per_key(campaigns: Command, database_url: str, redis_url: str, tmp_path: Path) -> None:
    os.environ.update({"DATABASE_URL": database_url, "REDIS_URL": redis_url})
    file = tmp_path / "campaign.yaml"
    file.write_text(CAMPAIGN)
    first = campaigns("submit", file, "--idempotency-key", "k", "--json")
    assert first.code == 0
    assert {"campaign_id", "status", "reason", "step", "state", "units", "spend", "route"} <= set(first.json)
    again = campaigns("submit", file, "--idempotency-key", "k", "--json")
    assert again.json["campaign_id"] == first.json["campaign_id"]
    other = campaigns("submit", file, "--idempotency-key", "k", "--set", "name=Other")
    assert other.code == 2
    assert "idempotency_key='k'" in other.err
    assert stored(database_url) == 1
    assert campaigns("submit", file).out.startswith("Submitted Launch: ")
    assert stored(database_url) == 2


def test_what_a_command_logs_is_for_people_unless_json_is_asked_for(database_url: str, tmp_path: Path) -> None:
    file = tmp_path / "campaign.yaml"
    file.write_text(CAMPAIGN)
    env = {**os.environ, "DATABASE_URL": database_url, "REDIS_URL": "redis://127.0.0.1:1/0"}
    program = [sys.executable, "-c", "from workers.cli import main; main()", "submit", str(file)]

    def log_line(form: str) -> str:
        formed = {**env, "LOG_FORMAT": form}
        done = subprocess.run(program, env=formed, capture_output=True, text=True, check=True, timeout=60)
        (said,) = [line for line in done.stderr.splitlines() if "its wake-up was not published" in line]
        return said

    with ThreadPoolExecutor(2) as pool:  # each waits some seconds for a broker
        for_people, for_programs = pool.map(log_line, ("text", "json"))
    assert for_people.startswith("campaign ")
    assert json.loads(for_programs)["logger"] == "orchestration.execution.canvas"


def test_knowledge(campaigns: Command, database_url: str, sandbox: Sandbox, tmp_path: Path) -> None:
    os.environ.update({"DATABASE_URL": database_url, "SANDBOX_URL": sandbox.url})
    (tmp_path / "a.md").write_text("Revenue forecasts")
    (tmp_path / "b.txt").write_text("Tours take twenty minutes")
    added = campaigns("knowledge", "add", tmp_path, "--json").json
    assert len(added["documents"]) == 2
    assert added["embedding"]["complete"]
    said = campaigns("knowledge", "add", tmp_path / "a.md").out
    assert said.startswith("1 document added.\n2 of 2 passages embedded")
    listed = campaigns("knowledge", "list", "--json").json
    assert [(one["title"], one["chunks"], one["embedded"]) for one in listed] == [("a", 1, 1), ("b", 1, 1)]
    asked = campaigns("knowledge", "ask", "how many minutes?", "--json").json
    assert asked["passages"][0]["text"] == "Tours take twenty minutes"
    assert asked["words_only"] == ""
    os.environ["EMBEDDING_MODEL"] = "none"
    assert "Asked by words alone: EMBEDDING_MODEL is none" in campaigns("knowledge", "ask", "forecast").err
    assert campaigns("knowledge", "remove", listed[0]["document_id"][:8]).out == "a removed.\n"
    assert campaigns("knowledge", "remove", listed[0]["document_id"]).code == 3
    (tmp_path / "c.pdf").write_bytes(b"%PDF")
    refused = campaigns("knowledge", "add", tmp_path / "c.pdf")
    assert refused.code == 2
    assert "c.pdf can't be read" in refused.err


def test_doctor(campaigns: Command, bench: Harness, redis_url: str) -> None:
    os.environ.update({"REDIS_URL": redis_url, "OPENAI_API_KEY": "sk-secret"})
    answer = campaigns("doctor", "--json")
    assert answer.code == 0
    assert answer.json["ok"] is True
    found = {one["check"]: one for one in answer.json["checks"]}
    assert {"Python", "Packages", "Settings", "Mode", "Postgres", "Tables", "Redis", "Workers"} <= set(found)
    assert found["Workers"]["text"].startswith("0 processes")
    assert "OPENAI_API_KEY=***" in found["Settings"]["text"]
    assert "sk-secret" not in answer.out + answer.err + campaigns("doctor").out
    bench.ledger.beat()
    os.environ["MARKETING_MODE"] = "live"
    found = {one["check"] + one["text"]: one["state"] for one in campaigns("doctor", "--json").json["checks"]}
    assert found["Workers1 process at work"] == "ok"
    assert found["Keysserpapi lacks SERPAPI_API_KEY"] == "warning"
    assert found["Keysopenai: set"] == "ok"


# ---- the command itself


def test_every_command_takes_json() -> None:
    commands = [*cli.commands.values(), *cli.commands["knowledge"].commands.values()]  # type: ignore[attr-defined]  # a group
    for command in commands:
        if not hasattr(command, "commands"):
            assert any("--json" in parameter.opts for parameter in command.params), command.name


def test_help_loads_nothing_heavy() -> None:
    program = (
        "import sys\nfrom workers.cli import main\n"
        "try:\n    main(['--help'])\nexcept SystemExit as end:\n    assert end.code == 0\n"
        "print(sorted({name.partition('.')[0] for name in sys.modules}))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert "Commands:" in done.stdout
    heavy = {"celery", "kombu", "sqlalchemy", "pydantic", "openai", "langchain_openai", "facebook_business", "rich"}
    loaded = json.loads(done.stdout.splitlines()[-1].replace("'", '"'))
    assert not heavy & set(loaded)


def test_a_reader_that_has_seen_enough_is_no_error(bench: Harness) -> None:
    command = subprocess.Popen(
        [sys.executable, "-c", "from workers.cli import main; main()", "export", "good"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert command.stdout is not None
    assert command.stderr is not None
    command.stdout.close()  # nobody will read the document
    assert command.stderr.read() == b""
    command.stderr.close()
    assert command.wait(30) == 141
