"""Summaries and questions of any agent: how facts are written, and that nothing of a question is left out."""

from __future__ import annotations

import ast
import io
import json
import subprocess
import sys
from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path
from typing import Any

import checkout
import pytest
from plugin_package import install, python_path
from pydantic import JsonValue
from rich.console import Console, RenderableType

from agents.overview import (
    Cell,
    Column,
    Count,
    Facts,
    Figure,
    Line,
    Money,
    Percent,
    Platform,
    Points,
    Quoted,
    Ranked,
    Ranking,
    Score,
    Section,
    Table,
    Term,
)
from agents.registry import agent_names
from integrations.ads.platform import AdSpec
from workers.cli.request import _Ad
from workers.cli.sections import drawn, written
from workers.cli.waiting import question

SMS = checkout.ROOT / "examples/plugins/marketing-sms"
#: Prints what a program sees of its agents: with the package of the fifth one, and without.
SEEN = """
import io, json
from datetime import UTC, datetime
from rich.console import Console
from agents import registry
from agents.config import CampaignConfig
from agents.config_problems import ConfigError
from agents.messages import ORCHESTRATOR, MessageType, message
from agents.state import MarketingAgentState
from agents.versions import UnknownVersionError
from integrations.settings import Mode, Settings
from orchestration.control.submission import resolve
from orchestration.ledger.rows import CampaignRow
from workers.cli.fork_changes import fork_changes
from workers.cli.summary import summary

AUDIENCE = {"target_audience": {"industry": "saas"}}
now = datetime(2026, 3, 1, tzinfo=UTC)

def gate(**keys):
    return resolve(CampaignConfig.parse({**AUDIENCE, **keys}), Mode.LIVE).approval.gate

def refusal(value):
    try:
        CampaignConfig.parse({**AUDIENCE, "approval": {"gate": value}})
    except ConfigError as error:
        return str(error)

config = CampaignConfig.parse({**AUDIENCE, "name": "Launch"})
state = MarketingAgentState.initial(config, campaign_id="c1", now=now)
sent = [
    message(sender=agent, receiver=ORCHESTRATOR, message_type=MessageType.TASK_RESULT, payload={"scheduled": 1234},
            correlation_id="c1/0", now=now, ordinal=0)
    for agent in ("sms", "fax_bridge")
]
row = CampaignRow(
    campaign_id="c1", mode=Mode.SANDBOX, name="Launch", status="completed", reason=None, agent=None, step=3, stage=0,
    stage_name="", stage_size=0, remaining=0, revision=0, epoch=0, base_step=-1, hold=None,
    route=("lead_generation", "content_creation", "fax_bridge", "sms", "analytics"),
    state=state.evolve(agent_messages=tuple(sent)),
)
console = Console(file=io.StringIO(), width=100, color_system=None)
spend = {"llm": {}, "tokens": {"input": 0, "output": 0, "unpriced": 0}, "ads": {}}
for part in summary(row, {"succeeded": 1}, spend, Settings.from_env({})):
    console.print(part)
stored = state.model_dump(mode="json")
stored["campaign_config"]["approval"]["gate"] = "sms"
try:
    loaded = MarketingAgentState.load(stored).campaign_config.approval.gate
except UnknownVersionError as error:
    loaded = str(error)
print(json.dumps({
    "summary": console.file.getvalue(),
    "gates": registry.gates(),
    "schema": CampaignConfig.model_json_schema()["$defs"]["Approval"]["properties"]["gate"]["anyOf"][0]["enum"],
    "refusal": refusal("faxes"),
    "own": refusal("sms"),
    "stored": loaded,
    "live ads": gate(ad_platforms=["facebook"], budget=10),
    "live": gate(),
    "explicit": gate(approval={"gate": "none"}),
    "fork": fork_changes(config, ())["approval"]["gate"],
}))
"""


def seen() -> dict[str, Any]:
    run = subprocess.run([sys.executable, "-c", SEEN], capture_output=True, text=True, timeout=60, check=False)
    assert run.returncode == 0, run.stderr
    found: dict[str, Any] = json.loads(run.stdout)
    return found


def headings(summary: str) -> list[str]:
    return [one for one in summary.splitlines()[1:] if one and not one.startswith(" ")]


def printed(parts: Iterable[RenderableType], width: int = 80) -> str:
    console = Console(file=io.StringIO(), width=width, markup=False, highlight=False, color_system=None)
    for part in parts:
        console.print(part)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def asked(request: dict[str, JsonValue], kind: str = "sms", width: int = 80) -> str:
    return printed(question({"approval_id": "a", "kind": kind, "request": request, "expires_at": None}, "c1"), width)


def test_an_agent_of_another_package_has_its_part_of_the_summary(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", python_path(install(SMS, tmp_path / "site")))
    found = seen()
    assert headings(found["summary"]) == [
        "Leads", "Content", "Text messages", "Score", "Fax bridge", "Money (simulated)", "More",
    ]  # fmt: skip
    assert found["summary"].count("Scheduled  1,234") == 2
    assert "lead generation → content creation → fax bridge → text messages → analytics" in found["summary"]
    assert found["gates"] == ["leads", "content", "sms", "ads"]
    assert found["schema"] == ["leads", "content", "sms", "ads", "all", "none"]
    assert found["refusal"] == "approval.gate='faxes': is no approval gate; use leads, content, sms, ads, all, none"
    assert (found["own"], found["stored"]) == (None, "sms")
    assert [found[name] for name in ("live ads", "live", "explicit", "fork")] == ["all", "sms", "none", "sms"]


def test_without_the_package_its_figures_are_shown_and_its_gate_is_refused() -> None:
    found = seen()
    assert headings(found["summary"]) == ["Leads", "Content", "Score", "Fax bridge", "Sms", "Money (simulated)", "More"]
    assert found["schema"] == ["leads", "content", "ads", "all", "none"]
    assert found["own"] == "approval.gate='sms': is no approval gate; use leads, content, ads, all, none"
    assert found["stored"] == "approval gate 'sms' is not installed here"
    assert [found[name] for name in ("live ads", "live", "explicit", "fork")] == ["ads", None, "none", "ads"]


def test_an_agent_can_not_have_a_gate_that_stands_for_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    site = install(SMS, tmp_path / "site")
    module = site / "marketing_sms" / "agent.py"
    module.write_text(
        module.read_text("utf-8").replace("ClassVar[str] = SMS\n    outside", 'ClassVar[str] = "none"\n    outside')
    )
    monkeypatch.setenv("PYTHONPATH", python_path(site))
    run = subprocess.run([sys.executable, "-c", SEEN], capture_output=True, text=True, timeout=60, check=False)
    assert "'sms' has a gate 'none', which stands for every gate or none" in run.stderr


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        ("as it is", "as it is"),
        (Count(1234), "1,234"),
        (Money(Decimal("1250"), "EUR"), "1,250.00 EUR"),
        (Money(Decimal("0.0041"), "USD"), "0.0041 USD"),
        (Percent(0.01951), "1.95%"),
        (Score(0.7), "0.70"),
        (Score(None), "?"),
        (Figure(Decimal("1234.567")), "1,234.57"),
        (Term("blog_post"), "blog post"),
        (Platform("facebook_ads"), "Facebook"),
        (Quoted("x" * 300), "x" * 199 + "…"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_each_kind_of_cell_is_written_in_one_way(cell: Cell, text: str) -> None:
    assert written(cell) == text


@pytest.mark.parametrize("width", [30, 60, 120])
def test_a_section_fits_any_terminal_and_obeys_no_data(width: int) -> None:
    evil = "Evil\x1b[31m\x9b2J\u202e Corp"
    section = Section(
        evil,
        (
            Line((Count(2), " of ", evil)),
            Points(((evil, ": ", Quoted(evil)),), trouble=True),
            Ranking((Ranked(Score(1.0), evil, evil),), more=3),
            Facts((((Term("sent_to"), ", ", Term(evil)), (evil, " ", Count(1234))),)),
            Table((Column("Name", wraps=True), Column("Sum", number=True)), ((evil, Count(1234)),)),
        ),
    )
    text = printed(drawn(section), width)
    assert max(map(len, text.splitlines())) <= width
    assert not {"\x1b", "\x9b", "\u202e"} & set(text)
    for expected in ("Evil Corp", "2 of Evil Corp", "1.00", "… and 3 more", "1,234"):
        assert expected in text
    assert "Sent to" in text


@pytest.mark.parametrize("width", [30, 80, 200])
def test_nothing_of_a_question_is_left_out(width: int) -> None:
    request: dict[str, JsonValue] = {
        "messages": [
            {"to": "+49 30 1", "text": "First line\n\nSecond line " + "word " * 60, "urgent": True, "retries": 0},
            {"to": "+49 30 2", "options": {"after": {"hours": 1.5}, "tags": ["x1", "x2"], "reply_to": None}},
        ],
        "matrix": [[11, 12], []],
        "jane_doe@acme.example": 7000000,
        "budget": "12.50",
        "currency": "EUR",
    }
    text = " ".join(asked(request, width=width).split())
    for expected in (
        "Approval wanted: sms", "to: +49 30 1", "text: First line", "Second line " + "word " * 59 + "word",
        "urgent: yes", "retries: 0", "hours: 1.5", "- x1", "- x2", "reply to: none", "- 11", "- 12", "- none",
        "jane_doe@acme.example: 7000000", "At most 12.50 EUR is spent.", "campaigns approve c1",
    ):  # fmt: skip
        assert expected in text


def test_effects_that_nobody_described_are_shown_with_what_they_are_given() -> None:
    effects: list[JsonValue] = [
        {
            "unit": f"send:{n}",
            "kind": "send_sms",
            "provider": "sms_gateway",
            "input": {"to": f"+49 {n}", "tries": [1, 2]},
        }
        for n in range(3)
    ]
    text = asked({"effects": effects}, kind="effects")
    assert "Approval wanted: 3 effects on sms gateway" in text
    for n in range(3):
        assert f"send:{n} (send sms, sms gateway)\n  to: +49 {n}\n  tries:\n    - 1\n    - 2\n" in text.replace(
            " \n", "\n"
        )


@pytest.mark.parametrize(
    "request_",
    [
        {"ads": [{"platform": "facebook_ads", "headlines": ["H"]}, {"platform": "x", "voice": "secret tone"}]},
        {"ads": [{"platform": "facebook_ads", "tone": "secret tone"}], "budget": "1", "currency": "EUR"},
        {"pieces": [{"title": "T", "body": "B", "footer": "secret tone"}]},
        {"pieces": "secret tone"},
        {"ads": [{"platform": "facebook_ads"}], "besides": {"voice": "secret tone"}},
        {"effects": [{"unit": "u", "input": {"voice": "secret tone"}}]},
        {"budget": "secret tone"},
        {"ads": [], "pieces": [], "days": ["secret tone"]},
    ],
)
def test_what_is_not_quite_an_ad_or_a_piece_is_told_key_by_key(request_: dict[str, JsonValue]) -> None:
    assert "secret tone" in asked(request_)


def test_every_part_of_an_ad_is_known_to_its_picture() -> None:
    # A list is shown by how many people are on it, before the platform has a name for it.
    assert set(_Ad.model_fields) == {"platform", "customer_list", *AdSpec.model_fields} - {"customers"}


def test_the_command_line_names_no_agent() -> None:
    named = []
    for path in (checkout.ROOT / "workers").rglob("*.py"):
        tree = ast.parse(path.read_bytes())
        docs = {
            id(node.body[0].value)
            for node in ast.walk(tree)
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and node.body
            if isinstance(node.body[0], ast.Expr)
        }
        named += [
            f"{checkout.name(path)}:{node.lineno}"
            for node in ast.walk(tree)
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docs
            if any(name in node.value for name in agent_names())
        ]
    assert not named, f"ask agents.registry instead: {named}"
