"""The knowledge base finds a text by any word, by its meaning, always in the same order, and each brand its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from agents.ports import Embedded
from orchestration.ledger.database import Database
from orchestration.stores.fusing import fuse, hybrid
from orchestration.stores.knowledge import KnowledgeBase


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    made = Database(database_url)
    yield made
    made.close()


@pytest.fixture
def knowledge(database: Database) -> KnowledgeBase:
    base = KnowledgeBase(database)
    base.add_text(
        "Refunds", "refunds", "Customers may return a purchase within thirty days for a full refund of money."
    )
    base.add_text(
        "Security", "security", "Data is encrypted at rest. Single sign-on works with every identity provider."
    )
    base.add_text("Pricing", "pricing", "The starter plan is free; the team plan costs nine dollars per seat.")
    return base


def titles(knowledge: KnowledgeBase, question: str, strategy: str = "single", brand: str = "") -> list[str]:
    return [passage.title for passage in knowledge.query_knowledge(question, strategy, brand=brand)]


@pytest.mark.parametrize("strategy", ["single", "multi_query"])
def test_one_word_of_many_is_enough(knowledge: KnowledgeBase, strategy: str) -> None:
    assert titles(knowledge, "how do I get my money back", strategy) == ["Refunds"]


def test_a_rare_word_counts_more_than_a_frequent_one(knowledge: KnowledgeBase) -> None:
    for n in range(5):
        knowledge.add_text(f"Plan {n}", f"plan-{n}", "A plan for the plan of the plan.")
    assert titles(knowledge, "plan identity")[0] == "Security"


def test_variants_of_a_question_are_fused(knowledge: KnowledgeBase) -> None:
    found = knowledge.query_knowledge("sign-on", variants=["encrypted data", "identity provider"])
    assert found[0].title == "Security"
    assert found[0].score > knowledge.query_knowledge("sign-on")[0].score
    alone = knowledge.query_knowledge("sign-on", "single", variants=["starter plan"])
    assert [passage.title for passage in alone] == ["Security"]


def test_the_order_is_stable_and_limited(knowledge: KnowledgeBase) -> None:
    for n in range(8):
        knowledge.add_text(f"Note {n}", f"note-{n}", "the plan plan plan")
    once = knowledge.query_knowledge("plan", limit=4)
    assert len(once) == 4
    assert once == knowledge.query_knowledge("plan", limit=4)


def test_a_question_of_stop_words_or_quotes_finds_nothing_and_breaks_nothing(knowledge: KnowledgeBase) -> None:
    for question in ("the of and", "'; DROP TABLE --", "%s %(x)s", '"', "(((", "", "\0"):
        assert knowledge.query_knowledge(question) == []
    with pytest.raises(ValueError, match="strategy='magic'"):
        knowledge.query_knowledge("x", "magic")


def test_a_document_replaces_what_its_source_held(knowledge: KnowledgeBase) -> None:
    knowledge.add_text("Pricing", "pricing", "Everything is included.")
    assert titles(knowledge, "starter") == []
    assert titles(knowledge, "included") == ["Pricing"]
    knowledge.add_text("Tariffs", "pricing", "Everything is included.")  # the text is the same, its words are not
    assert titles(knowledge, "tariffs") == ["Tariffs"]
    assert titles(knowledge, "pricing") == []


def test_each_brand_finds_its_own_and_what_is_of_every_brand(knowledge: KnowledgeBase) -> None:
    knowledge.add_text("A's plans", "pricing", "Plans of A", brand="Brand A")
    knowledge.add_text("B's plans", "pricing", "Plans of B", brand="Brand B")
    assert sorted(titles(knowledge, "plan", brand=" brand  a")) == ["A's plans", "Pricing"]
    assert titles(knowledge, "plan") == ["Pricing"]
    assert [one.title for one in knowledge.documents("brand b")] == ["Pricing", "Refunds", "Security", "B's plans"]


def test_words_are_read_in_the_language_of_their_document(knowledge: KnowledgeBase) -> None:
    knowledge.add_text("Häuser", "h", "Die Häuser werden gedämmt.", language="german")
    assert titles(knowledge, "haus") == ["Häuser"]
    assert titles(knowledge, "customer") == ["Refunds"]
    with pytest.raises(ValueError, match=r"language='klingon' is not one of .*english"):
        knowledge.add_text("x", "x", "x", language="klingon")


def test_a_document_can_be_removed(knowledge: KnowledgeBase) -> None:
    (refunds,) = [one for one in knowledge.documents() if one.title == "Refunds"]
    assert (refunds.chunks, refunds.language, refunds.source) == (1, "english", "refunds")
    assert knowledge.remove(refunds.document_id)
    assert not knowledge.remove(refunds.document_id)
    assert titles(knowledge, "money") == []


def test_meaning_finds_what_shares_no_word(knowledge: KnowledgeBase) -> None:
    vectors = {"Refunds": [1.0, 0.0], "Security": [0.0, 1.0], "Pricing": [0.6, 0.8]}
    pending = knowledge.pending("m", 10)
    knowledge.put_vectors("m", [(one, vectors[one.text.split("\n")[0]]) for one in pending])
    assert knowledge.pending("m", 10) == []
    assert knowledge.coverage("m") == (3, 3)
    assert knowledge.embedded_with("m")
    assert not knowledge.embedded_with("other")
    asked = Embedded("m", {"reimbursement": [0.8, 0.6]})
    found = knowledge.query_knowledge("reimbursement", embedded=asked)
    assert [passage.title for passage in found] == ["Pricing", "Refunds", "Security"]
    assert knowledge.query_knowledge("reimbursement", embedded=Embedded("m", {"reimbursement": [1.0]})) == []
    assert knowledge.query_knowledge("reimbursement") == []


def test_a_vector_goes_with_the_text_that_it_was_made_of(knowledge: KnowledgeBase, database: Database) -> None:
    pending = knowledge.pending("m", 10)
    knowledge.put_vectors("m", [(one, [1.0, 0.0]) for one in pending])
    database.run("UPDATE marketing.chunks SET text = 'Something else' WHERE text LIKE 'Customers%%'")
    assert knowledge.coverage("m") == (2, 3)
    knowledge.put_vectors("m", [(one, [1.0, 0.0]) for one in pending])  # late: of the old text
    assert knowledge.coverage("m") == (2, 3)
    assert titles(knowledge, "purchase") == []


def test_without_the_extension_words_are_searched(knowledge: KnowledgeBase, database: Database) -> None:
    database.run("DROP TABLE marketing.chunk_vectors")
    assert not knowledge.has_vectors
    assert not knowledge.embedded_with("m")
    asked = Embedded("m", {"money": [1.0, 0.0]})
    assert [one.title for one in knowledge.query_knowledge("money", embedded=asked)] == ["Refunds"]
    knowledge.add_text("Refunds", "refunds", "No money back")
    assert [one.embedded for one in knowledge.documents(model="m")] == [0, 0, 0]
    assert knowledge.prepare_vectors()
    assert knowledge.has_vectors


def test_words_settle_what_meaning_leaves_open() -> None:
    assert hybrid({1: 0.5}, {}) == {1: 0.5}
    near = hybrid({1: 1.0, 3: 1.0}, {2: 0.5, 1: 0.4})
    assert [item for item, _ in fuse([(1.0, near)])] == [1, 3, 2]
    assert fuse([(1.0, {1: 0.5, 2: 0.4}), (0.5, {2: 0.4})])[0][0] == 2


def test_empty_documents_are_refused(knowledge: KnowledgeBase) -> None:
    with pytest.raises(ValueError, match="holds no text"):
        knowledge.add_text("x", "x", " \n ")
