"""``campaigns content`` and ``edit``: what was written, what has changed, and editing before an approval."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from command_line import Command
from orchestrator_harness import Harness
from paused_ads import benches, settings_of, status, verbs

from agents.state import ContentPiece
from workers.cli.content import page


@pytest.fixture
def bench(database_url: str, redis_url: str, sandbox: Any) -> Iterator[Harness]:
    os.environ.update({"DATABASE_URL": database_url, "REDIS_URL": redis_url, "COLUMNS": "100"})
    with benches(database_url, settings_of(sandbox)) as make:
        yield asked(make)


def asked(make: Callable[..., Harness]) -> Harness:
    """A campaign that asks about the piece that it has written, before ads are made of it."""
    one = make()
    one.submit(
        "c1",
        lead_sources=[{"type": "search", "limit": 3}],
        ad_platforms=["facebook"],
        budget=1000,
        approval={"gate": "content"},
    )
    one.orchestrator.run_hop("c1")
    one.deliver()
    assert status(one) == "awaiting_approval"
    return one


def piece(one: Harness) -> ContentPiece:
    return one.reports.row("c1").state.generated_content[0]


def test_it_is_shown_and_written_to_files(bench: Harness, campaigns: Command, tmp_path: Path) -> None:
    written = piece(bench)
    shown = campaigns("content", "c1")
    assert (shown.code, written.title in shown.out, f"id {written.piece_id}" in shown.out) == (0, True, True)
    assert campaigns("content", "c1", "--md").out.startswith(f"# {written.title}\n\n")
    assert campaigns("content", "c1", "--html", "--out", str(tmp_path)).code == 0
    (file,) = tmp_path.iterdir()
    assert (file.name[:3], file.suffix) == ("01-", ".html")
    assert f"<h1>{written.title}</h1>" in file.read_text()
    (found,) = campaigns("content", "c1", "--json").json
    assert found["revisions"][0]["body"] == written.body
    assert found["cost"]["calls"] >= 1
    assert found["cost"]["output_tokens"] > written.word_count  # it has cost at least its words
    assert f"{found['cost']['output_tokens']:,} out" in shown.out
    assert campaigns("content", "c1", "--piece", "2").code == 2
    assert campaigns("content", "c1", "--revision", "7").code == 2
    assert campaigns("content", "c1", "--diff").out.strip() == "Nothing was changed."


def test_an_edited_text_is_what_is_approved_and_used(bench: Harness, campaigns: Command, tmp_path: Path) -> None:
    before = piece(bench)
    text = tmp_path / "mine.md"
    text.write_text(f"# A title of my own\n\n{before.body}\n\nOne more <b>sentence</b> of mine.\n")
    edited = campaigns("edit", "c1", "1", "--file", str(text))
    assert (edited.code, "Revision 2 of 'A title of my own'" in edited.out) == (0, True)
    after = piece(bench)
    assert (after.revision, after.title, after.produced_by.startswith("person:")) == (2, "A title of my own", True)
    assert after.body.endswith("One more <b>sentence</b> of mine.")
    assert after.word_count > before.word_count
    assert status(bench) == "awaiting_approval"
    asked = bench.database.value("SELECT request FROM marketing.approvals WHERE status = 'open'")
    assert asked["pieces"][0]["title"] == "A title of my own"
    events = [(one.kind, one.actor) for one in bench.reports.events("c1")]
    assert ("edited", next(actor for kind, actor in events if kind == "edited")) in events
    told = campaigns("content", "c1", "--diff").out
    assert f"-# {before.title}" in told
    assert "+# A title of my own" in told
    verbs(bench).approve("c1", actor="ann")
    bench.deliver()
    assert status(bench) == "completed"
    asked_for = bench.database.rows(
        "SELECT input ->> 'prompt' FROM marketing.units WHERE kind = 'write_creative' ORDER BY step"
    )
    assert "A title of my own" in asked_for[-1][0]
    assert before.title not in asked_for[-1][0]


def test_the_same_text_changes_nothing(bench: Harness, campaigns: Command) -> None:
    before = bench.reports.show("c1")
    assert campaigns("edit", "c1", "1", "--title", piece(bench).title).code == 0
    assert bench.reports.show("c1") == before


def test_what_can_not_be_edited_is_refused(bench: Harness, campaigns: Command) -> None:
    before = bench.reports.show("c1")
    for options, said in (
        (("nothing", "--title", "x"), "has no piece 'nothing'"),
        (("1", "--title", ""), "title"),
        (("1",), "say what changes"),
    ):
        refused = campaigns("edit", "c1", *options)
        assert (refused.code, said in refused.err) == (2, True), refused.err
    assert bench.reports.show("c1") == before
    verbs(bench).approve("c1", actor="ann")
    bench.deliver()
    refused = campaigns("edit", "c1", "1", "--title", "x")
    assert (refused.code, "is edited while it is asked about" in refused.err) == (2, True)


def test_tags_of_a_text_are_shown_as_text() -> None:
    evil = ContentPiece(
        piece_id="p",
        content_type="blog_post",
        topic="t",
        title="<script>alert(1)</script>",
        body="# Hi\n\n<script>alert(2)</script>\n\n[go](javascript:alert(3)) and **bold**",
        meta_description='"><script>',
        call_to_action="<img src=x onerror=alert(4)>",
    )
    shown = page(evil, "en")
    assert "<script" not in shown
    assert "<img" not in shown
    assert 'href="javascript' not in shown
    assert "<strong>bold</strong>" in shown
