"""What a follower of a waiting campaign is told: until when, and how to answer."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta

import pytest
from rich.console import Console

from workers.cli.progress import Lines, Snapshot, draw
from workers.cli.waiting import question, until

NOW = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("status", "reason", "due_in", "said"),
    [
        ("running", None, None, ""),
        ("waiting", "measuring: figures gather", timedelta(hours=36), "goes on 2026-03-02 21:30 UTC, in 36:00:00"),
        ("waiting", "measuring: figures gather", timedelta(days=5), "goes on 2026-03-06 09:30 UTC, in 5 days"),
        ("waiting", "measuring: figures gather", timedelta(seconds=-1), "goes on 2026-03-01 09:29 UTC, now"),
        ("waiting", "needs_attention: deploy:toy", None, "until somebody acts"),
        ("awaiting_approval", "approval of ads", None, "the question does not expire"),
        (
            "awaiting_approval",
            "approval of ads",
            timedelta(hours=1),
            "the question expires 2026-03-01 10:30 UTC, in 1:00:00",
        ),
    ],
)
def test_until_when_it_waits(status: str, reason: str | None, due_in: timedelta | None, said: str) -> None:
    assert until(status, reason, NOW + due_in if due_in else None, NOW) == said


def test_a_follower_is_asked_once_and_told_how_to_answer() -> None:
    asked = {
        "approval_id": "a1",
        "kind": "content",
        "request": {
            "pieces": [
                {"title": "A look", "content_type": "blog_post", "revision": 2, "body": "One.\n\nTwo\x1b[0m.",
                 "meta_description": "Short", "call_to_action": ""},
            ]
        },
        "expires_at": None,
    }  # fmt: skip
    text = io.StringIO()
    lines = Lines(Console(file=text, width=100, color_system=None))
    waits = Snapshot(
        name="L", status="awaiting_approval", reason="approval of content", campaign_id="c1",
        waits="the question does not expire", asked=asked,
    )  # fmt: skip
    lines.show(waits)
    lines.show(waits)
    told = " ".join(text.getvalue().split())
    assert told.count("Status: awaiting approval (approval of content); the question does not expire") == 1
    assert told.count("Approval wanted: 1 piece of content") == 1
    for expected in ("A look (blog post, revision 2)", "One. Two.", "Search result Short", "campaigns approve c1"):
        assert expected in told
    assert "\x1b" not in told
    drawn = io.StringIO()
    Console(file=drawn, width=100, color_system=None).print(draw(waits))
    assert "Waits" in drawn.getvalue()


def test_a_question_of_nothing_but_its_kind_can_be_shown() -> None:
    console = Console(file=io.StringIO(), width=80, color_system=None)
    for part in question({"approval_id": "a", "kind": "ads", "request": {"ads": [{"platform": "toy"}]}}, "c1"):
        console.print(part)
    assert isinstance(console.file, io.StringIO)
    assert "ads on Toy" in console.file.getvalue()
