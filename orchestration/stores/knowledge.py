"""Knowledge base: documents in chunks, found by Postgres full-text search.

``websearch_to_tsquery`` ANDs its terms, so a natural question finds nothing in a text that answers it in
other words; ``multi_query`` therefore asks several forms of the question and fuses their rankings.
Invariant: the same documents and question give the same passages in the same order.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

from pydantic_core import from_json

from agents.erasure import Erasing
from agents.ports import Passage
from integrations.values import clean_text, visible
from integrations.web.markup import parsable
from orchestration.ledger.database import Database
from orchestration.ledger.erasure import Statements, guarded

STRATEGIES = ("multi_query", "single")
RRF_K = 60  #: reciprocal rank fusion's constant (Cormack, Clarke, Buettcher, SIGIR 2009)
CHUNK_WORDS = 180
MAX_DOCUMENT_BYTES = 5_000_000
SUFFIXES = frozenset({".md", ".txt", ".rst", ".html", ".htm"})

#: Any word of the question.
_ANY = "array_to_string(ARRAY(SELECT quote_literal(lexeme) FROM unnest(to_tsvector('english', %s))), ' | ')::tsquery"
#: All its words, and quoted phrases, as people type them into a search box.
_ALL = "websearch_to_tsquery('english', %s)"
#: Its words next to each other.
_PHRASE = "phraseto_tsquery('english', %s)"


class KnowledgeBase:
    """Documents of the user, and questions to them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, path: Path) -> list[str]:
        """Load a file, or every readable file below a folder, and return the documents' ids.

        Raises ValueError when there is no such file, or one that can't be read.
        """
        files = sorted(f for f in path.rglob("*") if f.suffix.lower() in SUFFIXES) if path.is_dir() else [path]
        if not files:
            raise ValueError(f"{path} holds no {', '.join(sorted(SUFFIXES))} file")
        return [self._add_file(file) for file in files]

    def _add_file(self, file: Path) -> str:
        if file.suffix.lower() not in SUFFIXES:
            raise ValueError(f"{file.name} is not one of {', '.join(sorted(SUFFIXES))}")
        if file.stat().st_size > MAX_DOCUMENT_BYTES:
            raise ValueError(f"{file.name} is larger than {MAX_DOCUMENT_BYTES // 1_000_000} MB")
        try:
            text = file.read_text(encoding="utf-8-sig")
        except UnicodeDecodeError:
            raise ValueError(f"{file.name} is not UTF-8 text") from None
        if file.suffix.lower() in {".html", ".htm"}:
            from bs4 import BeautifulSoup

            text = BeautifulSoup(parsable(text), "html.parser").get_text("\n\n")
        return self.add_text(clean_text(file.stem.replace("_", " ")), visible(str(file.resolve())), text)

    def add_text(self, title: str, source: str, text: str) -> str:
        """Store one document in place of what its source held before, and return its id.

        Addresses of people who are suppressed are left out.
        """
        if not split(text):
            raise ValueError(f"{title!r} holds no text")
        return guarded(
            self._database, [title, source, text], Erasing.state, lambda to, given: _store(to, *from_json(given))
        )

    def query_knowledge(
        self, question: str, strategy: str = "multi_query", *, limit: int = 5, variants: Sequence[str] = ()
    ) -> list[Passage]:
        """Return the best ``limit`` passages for ``question``, best first.

        ``single`` asks the question as it is typed; ``multi_query`` asks it as any of its words, all of them,
        and a phrase, does the same for ``variants`` (paraphrases), and sums 1 / (RRF_K + rank).
        Raises ValueError when the strategy is another one.
        """
        if strategy not in STRATEGIES:
            raise ValueError(f"strategy={strategy!r} is not one of {', '.join(STRATEGIES)}")
        if strategy == "single":
            rankings = [self._ranking(_ALL, question, limit)]
        else:
            asked = [q for q in dict.fromkeys((question, *variants)) if q.strip()]
            rankings = [self._ranking(form, q, 4 * limit) for q in asked for form in (_ANY, _ALL, _PHRASE)]
        fused: dict[str, Passage] = {}
        for ranking in rankings:
            for rank, (chunk_id, title, text) in enumerate(ranking, start=1):
                score = 1 / (RRF_K + rank) + (fused[chunk_id].score if chunk_id in fused else 0.0)
                fused[chunk_id] = Passage(chunk_id=chunk_id, title=title, text=text, score=score)
        return sorted(fused.values(), key=lambda p: (-p.score, p.chunk_id))[:limit]

    def _ranking(self, form: str, question: str, limit: int) -> list[tuple[str, str, str]]:
        rows = self._database.rows(
            f"WITH q AS (SELECT {form} AS query) "
            "SELECT c.chunk_id, d.title, c.text FROM q, marketing.chunks c "
            "JOIN marketing.documents d USING (document_id) "
            "WHERE c.lexemes @@ q.query "
            "ORDER BY ts_rank_cd(c.lexemes, q.query, 32) DESC, c.chunk_id LIMIT %s",
            question, limit,
        )  # fmt: skip
        return [(str(row[0]), str(row[1]), str(row[2])) for row in rows]


def _store(to: Statements, title: str, source: str, text: str) -> str:
    chunks = split(text)
    document_id = sha256(source.encode()).hexdigest()[:32]
    chunk_ids = [sha256(f"{document_id}/{n}/{chunk}".encode()).hexdigest()[:32] for n, chunk in enumerate(chunks)]
    # One statement: readers see the old document or the new one. Chunks that are the same in both stay where
    # they are, for within a statement a deleted key is still taken.
    to.rows(
        "WITH gone AS ("
        "  DELETE FROM marketing.chunks WHERE document_id = %s AND chunk_id <> ALL(%s::text[])), kept AS ("
        "  INSERT INTO marketing.documents (document_id, title, source) VALUES (%s, %s, %s)"
        "  ON CONFLICT (document_id) DO UPDATE SET title = excluded.title RETURNING document_id)"
        " INSERT INTO marketing.chunks (chunk_id, document_id, ordinal, text)"
        " SELECT c.id, kept.document_id, c.n, c.text FROM kept, unnest(%s::text[], %s::integer[], %s::text[])"
        " AS c(id, n, text) ON CONFLICT (chunk_id) DO NOTHING RETURNING true",
        document_id, chunk_ids, document_id, title, source, chunk_ids, list(range(len(chunks))), chunks,
    )  # fmt: skip
    return document_id


def split(text: str) -> list[str]:
    """Gather paragraphs into chunks of about CHUNK_WORDS words, and cut longer ones."""
    chunks: list[list[str]] = [[]]
    for paragraph in re.split(r"\n\s*\n", clean_text(text)):
        words = paragraph.split()
        if len(chunks[-1]) + len(words) > CHUNK_WORDS >= len(words):  # it fits into a chunk of its own
            chunks.append([])
        for word in words:
            if len(chunks[-1]) == CHUNK_WORDS:
                chunks.append([])
            chunks[-1].append(word)
    return [" ".join(chunk) for chunk in chunks if chunk]
