"""The knowledge base finds a text that answers in other words, and always in the same order."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestration.ledger.database import Database
from orchestration.stores.knowledge import CHUNK_WORDS, KnowledgeBase, split


@pytest.fixture
def knowledge(database_url: str) -> Iterator[KnowledgeBase]:
    database = Database(database_url)
    base = KnowledgeBase(database)
    base.add_text(
        "Refunds", "refunds", "Customers may return a purchase within thirty days for a full refund of money."
    )
    base.add_text(
        "Security", "security", "Data is encrypted at rest. Single sign-on works with every identity provider."
    )
    base.add_text("Pricing", "pricing", "The starter plan is free; the team plan costs nine dollars per seat.")
    yield base
    database.close()


def test_multi_query_finds_what_a_plain_search_misses(knowledge: KnowledgeBase) -> None:
    question = "how do I get my money back"
    assert knowledge.query_knowledge(question, "single") == []
    assert [p.title for p in knowledge.query_knowledge(question)] == ["Refunds"]


def test_variants_of_a_question_are_fused(knowledge: KnowledgeBase) -> None:
    found = knowledge.query_knowledge("sign-on", variants=["encrypted data", "identity provider"])
    assert found[0].title == "Security"
    assert found[0].score > knowledge.query_knowledge("sign-on")[0].score


def test_the_order_is_stable_and_limited(knowledge: KnowledgeBase) -> None:
    for n in range(8):
        knowledge.add_text(f"Note {n}", f"note-{n}", "the plan plan plan")
    once = knowledge.query_knowledge("plan", limit=4)
    assert len(once) == 4
    assert once == knowledge.query_knowledge("plan", limit=4)


def test_a_question_of_stop_words_or_quotes_finds_nothing_and_breaks_nothing(knowledge: KnowledgeBase) -> None:
    for question in ("the of and", "'; DROP TABLE --", "%s %(x)s", '"', "((("):
        assert knowledge.query_knowledge(question) == []
    with pytest.raises(ValueError, match="strategy='magic'"):
        knowledge.query_knowledge("x", "magic")


def test_files_are_loaded_and_replaced(knowledge: KnowledgeBase, tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text("# Onboarding\n\nOnboarding takes two weeks.", encoding="utf-8")
    (tmp_path / "b.html").write_text("<p>Migration is done by <b>engineers</b></p>", encoding="utf-8")
    (tmp_path / "c.bin").write_bytes(b"\x00\x01")
    assert len(knowledge.add(tmp_path)) == 2
    (tmp_path / "a.md").write_text("Onboarding takes three days.", encoding="utf-8")
    knowledge.add(tmp_path / "a.md")
    (found,) = knowledge.query_knowledge("onboarding")
    assert "three days" in found.text
    assert "engineers" in knowledge.query_knowledge("migration")[0].text


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [("x.pdf", b"%PDF", "is not one of"), ("x.md", b"\xff\xfe\x00", "is not UTF-8"), ("x.md", b"  ", "holds no text")],
)
def test_what_cannot_be_read_is_refused(
    knowledge: KnowledgeBase, tmp_path: Path, name: str, content: bytes, said: str
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ValueError, match=said):
        knowledge.add(tmp_path / name)


def test_chunks_are_bounded_and_lose_no_word() -> None:
    text = "\n\n".join(" ".join(f"w{p}-{n}" for n in range(size)) for p, size in enumerate((5, 500, 100, 90, 1)))
    chunks = split(text)
    assert all(len(chunk.split()) <= CHUNK_WORDS for chunk in chunks)
    assert " ".join(chunks).split() == text.split()
