"""Knowledge base: documents in chunks, found by their words and by what they mean.

By words means BM25 over any word of the question (``sql/knowledge.sql``), so that something is found whenever a word
matches. By meaning means the cosine of vectors that an embedding model has made, where Postgres has the extension
``vector`` and the caller brings the question's vectors: no store calls a provider. Invariants: the same documents and
question give the same passages in the same order; a brand's documents are found by that brand's questions alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from pydantic_core import from_json

from agents.erasure import Erasing
from agents.ports import Embedded, Passage
from integrations.documents.chunking import Chunk, split
from integrations.values import clean_text, visible
from orchestration.ledger.database import Database
from orchestration.ledger.erasure import Statements, guarded
from orchestration.stores.fusing import fuse, hybrid

STRATEGIES = ("multi_query", "single")
CANDIDATES = 50  #: passages that each way of asking brings to the fusion
VARIANT_WEIGHT = 0.5  #: of another wording, beside the question's 1
DEFAULT_LANGUAGE = "english"


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A document of the knowledge base."""

    document_id: str
    brand: str  #: "": of every brand
    title: str
    source: str
    language: str
    chunks: int
    embedded: int  #: chunks that have a vector of the model that was asked for
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Pending:
    """A chunk that lacks a vector."""

    chunk: int
    text: str  #: what is to be embedded: heading and text


class KnowledgeBase:
    """Documents of the user, and questions to them."""

    def __init__(self, database: Database, language: str = DEFAULT_LANGUAGE) -> None:
        self._database = database
        self._language = language

    def add_text(self, title: str, source: str, text: str, *, brand: str = "", language: str | None = None) -> str:
        """Store one document in place of what its source held before for the brand, and return its id.

        ``text`` is Markdown or plain text, ``language`` a text search configuration of Postgres. Addresses of people
        who are suppressed are left out. Raises ValueError when there is no text in it, or no such language.
        """
        if not split(text):
            raise ValueError(f"{title!r} holds no text")
        spoken = self.known_language(language or self._language)
        return guarded(
            self._database,
            [visible(title), visible(source), text],
            Erasing.state,
            lambda to, given: _store(to, brand_key(brand), spoken, *from_json(given)),
        )

    def known_language(self, language: str) -> str:
        """Return a language as Postgres calls it.

        Raises ValueError, which names those that there are, for one that it has no dictionary of.
        """
        known = [str(row[0]) for row in self._database.rows("SELECT cfgname FROM pg_ts_config ORDER BY 1")]
        if language.lower() not in known:
            raise ValueError(f"language={language!r} is not one of {', '.join(known)}")
        return language.lower()

    def documents(self, brand: str | None = None, model: str = "") -> list[Document]:
        """Return the documents of a brand and of every brand, or all for None, by title.

        Those of their chunks that have a vector of ``model`` are counted.
        """
        vectors = "marketing.chunk_vectors" if self.has_vectors else "(SELECT 0 AS chunk, '' AS model LIMIT 0)"
        return self._database.records(
            Document,
            "SELECT d.document_id, d.brand, d.title, d.source, d.language, d.chunks, "
            f"count(v.chunk) AS embedded, d.created_at FROM marketing.documents d LEFT JOIN marketing.chunks c "
            f"USING (document_id) LEFT JOIN {vectors} v ON v.chunk = c.chunk AND v.model = %s "
            "WHERE %s::text IS NULL OR d.brand IN ('', %s) "
            "GROUP BY d.document_id ORDER BY d.brand, d.title, d.document_id",
            model, None if brand is None else brand_key(brand), brand_key(brand or ""),
        )  # fmt: skip

    def remove(self, document_id: str) -> bool:
        """Remove a document, and return whether there was one."""
        sql = "DELETE FROM marketing.documents WHERE document_id = %s RETURNING true"
        return bool(self._database.rows(sql, document_id))

    @property
    def has_vectors(self) -> bool:
        """Whether Postgres can hold vectors: the extension is there."""
        return bool(self._database.value("SELECT to_regclass('marketing.chunk_vectors') IS NOT NULL"))

    def prepare_vectors(self) -> bool:
        """Make what vectors need, where Postgres has the extension, and return whether it has."""
        return bool(self._database.value("SELECT marketing.make_vectors()"))

    def embedded_with(self, model: str, brand: str = "") -> bool:
        """Return whether any chunk that a brand's question may find has a vector of ``model``."""
        if not self.has_vectors:
            return False
        sql = (
            "SELECT EXISTS (SELECT FROM marketing.chunk_vectors v "
            "WHERE v.model = %s AND v.brand IN (0, marketing.brand_of(%s)))"
        )
        return bool(self._database.value(sql, model, brand_key(brand)))

    def query_knowledge(
        self,
        question: str,
        strategy: str = "multi_query",
        *,
        limit: int = 5,
        variants: Sequence[str] = (),
        brand: str = "",
        embedded: Embedded | None = None,
    ) -> list[Passage]:
        """Return the best ``limit`` passages for ``question``, best first.

        ``single`` asks the question alone; ``multi_query`` asks ``variants`` (other wordings) as well. Each is asked by
        its words, and by meaning where ``embedded`` has its vector. A passage's score is the fused one
        (:mod:`orchestration.stores.fusing`), which compares within one answer only. Raises ValueError when the strategy
        is another one.
        """
        if strategy not in STRATEGIES:
            raise ValueError(f"strategy={strategy!r} is not one of {', '.join(STRATEGIES)}")
        asked = [question] if strategy == "single" else [*dict.fromkeys((question, *variants))]
        most = max(CANDIDATES, 4 * limit)
        vectors = embedded.vectors if embedded else {}
        found = []
        for text in filter(str.strip, asked):
            near = self._by_meaning(embedded.model, vectors[text], brand, most) if embedded and text in vectors else {}
            found.append((1.0 if text == question else VARIANT_WEIGHT, hybrid(self._by_words(text, brand, most), near)))
        best = fuse(found)[:limit]
        texts = self._passages([chunk for chunk, _ in best])
        return [
            Passage(chunk_id=chunk_id, title=title, text=text, score=score)
            for chunk, score in best
            if chunk in texts
            for chunk_id, title, text in (texts[chunk],)
        ]

    def _by_words(self, question: str, brand: str, limit: int) -> dict[int, float]:
        sql = "SELECT chunk, share FROM marketing.find_by_words(%s, %s, %s)"
        rows = self._database.rows(sql, clean_text(question), brand_key(brand), limit)
        return {int(row[0]): float(row[1]) for row in rows}

    def _by_meaning(self, model: str, vector: Sequence[float], brand: str, limit: int) -> dict[int, float]:
        if not self.has_vectors:
            return {}
        rows = self._database.rows(
            "WITH near AS (SELECT v.chunk, v.embedding <=> %s::halfvec AS distance FROM marketing.chunk_vectors v "
            "WHERE v.model = %s AND v.size = %s AND v.brand IN (0, marketing.brand_of(%s)) "
            "ORDER BY distance, v.chunk LIMIT %s) SELECT n.chunk, 1 - n.distance "
            "FROM near n JOIN marketing.chunks c USING (chunk) JOIN marketing.documents d USING (document_id) "
            "WHERE d.brand IN ('', %s) ORDER BY n.distance, d.document_id, c.ordinal",
            _literal(vector), model, len(vector), brand_key(brand), limit, brand_key(brand),
        )  # fmt: skip
        return {int(row[0]): float(row[1]) for row in rows}

    def _passages(self, chunks: Sequence[int]) -> Mapping[int, tuple[str, str, str]]:
        rows = self._database.rows(
            "SELECT c.chunk, c.chunk_id, concat_ws(' > ', d.title, nullif(c.heading, '')), c.text "
            "FROM marketing.chunks c JOIN marketing.documents d USING (document_id) WHERE c.chunk = ANY(%s::bigint[])",
            list(chunks),
        )  # fmt: skip
        return {int(row[0]): (str(row[1]), str(row[2]), str(row[3])) for row in rows}

    def pending(self, model: str, limit: int) -> list[Pending]:
        """Return up to ``limit`` chunks that lack a vector of ``model``, in the order in which they were added."""
        rows = self._database.rows(
            "SELECT c.chunk, marketing.text_to_embed(d.title, c.heading, c.text) "
            "FROM marketing.chunks c JOIN marketing.documents d USING (document_id) WHERE NOT EXISTS "
            "(SELECT FROM marketing.chunk_vectors v WHERE v.model = %s AND v.chunk = c.chunk) "
            "ORDER BY c.chunk LIMIT %s",
            model, limit,
        )  # fmt: skip
        return [Pending(int(row[0]), str(row[1])) for row in rows]

    def coverage(self, model: str) -> tuple[int, int]:
        """Return how many chunks have a vector of ``model``, and how many there are."""
        done, total = self._database.rows(
            "SELECT (SELECT count(*) FROM marketing.chunk_vectors v WHERE v.model = %s), "
            "(SELECT count(*) FROM marketing.chunks)",
            model,
        )[0]
        return int(done), int(total)

    def put_vectors(self, model: str, vectors: Sequence[tuple[Pending, Sequence[float]]]) -> None:
        """Store vectors of length 1, of those chunks whose text is still what was embedded."""
        self._database.run(
            "INSERT INTO marketing.chunk_vectors (model, brand, chunk, size, embedding) "
            "SELECT %s, marketing.brand_of(d.brand), c.chunk, g.size, g.vector::halfvec "
            "FROM unnest(%s::bigint[], %s::text[], %s::integer[], %s::text[]) AS g(chunk, text, size, vector) "
            "JOIN marketing.chunks c ON c.chunk = g.chunk JOIN marketing.documents d USING (document_id) "
            "WHERE g.text = marketing.text_to_embed(d.title, c.heading, c.text) "
            "ON CONFLICT (model, chunk) DO UPDATE SET size = excluded.size, embedding = excluded.embedding",
            model,
            [one.chunk for one, _ in vectors],
            [one.text for one, _ in vectors],
            [len(vector) for _, vector in vectors],
            [_literal(vector) for _, vector in vectors],
        )

    def forget_other_models(self, model: str) -> None:
        """Remove the vectors of every model but one."""
        self._database.run("DELETE FROM marketing.chunk_vectors WHERE model <> %s", model)


def brand_key(brand: str) -> str:
    """Return a brand's name as documents are kept under it: case and outer space don't count."""
    return " ".join(clean_text(brand).split()).casefold()


def _literal(vector: Sequence[float]) -> str:
    return "[" + ",".join(f"{value:.6g}" for value in vector) + "]"


def _store(to: Statements, brand: str, language: str, title: str, source: str, text: str) -> str:
    chunks = split(text)
    document_id = sha256(f"{brand}\n{source}".encode()).hexdigest()[:32]
    chunk_ids = [_chunk_id(document_id, n, chunk) for n, chunk in enumerate(chunks)]
    # One statement: readers see the old document or the new one. Chunks that are the same in both stay where
    # they are, for within a statement a deleted key is still taken.
    to.rows(
        "WITH gone AS ("
        "  DELETE FROM marketing.chunks WHERE document_id = %s AND chunk_id <> ALL(%s::text[])), kept AS ("
        "  INSERT INTO marketing.documents (document_id, brand, title, source, language) VALUES (%s, %s, %s, %s, %s)"
        "  ON CONFLICT (document_id) DO UPDATE SET title = excluded.title, language = excluded.language"
        "  RETURNING document_id)"
        " INSERT INTO marketing.chunks (chunk_id, document_id, ordinal, heading, text)"
        " SELECT c.id, kept.document_id, c.n, c.heading, c.text"
        " FROM kept, unnest(%s::text[], %s::integer[], %s::text[], %s::text[])"
        " AS c(id, n, heading, text) ON CONFLICT (chunk_id) DO NOTHING RETURNING true",
        document_id, chunk_ids, document_id, brand, title, source, language, chunk_ids, list(range(len(chunks))),
        [chunk.heading for chunk in chunks], [chunk.text for chunk in chunks],
    )  # fmt: skip
    return document_id


def _chunk_id(document_id: str, number: int, chunk: Chunk) -> str:
    return sha256(f"{document_id}/{number}/{chunk.heading}/{chunk.text}".encode()).hexdigest()[:32]
