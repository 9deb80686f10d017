"""Knowledge base from outside a campaign: files and pages come in, are embedded, and questions are asked.

Embedding is a job that may stop anywhere: what lacks a vector is what is left to do. Invariants: documents are found by
their words from the moment that they are stored, whatever the embedding server does; a wire call passes the fleet's
switches, limits and breakers; an answer says when and why meaning took no part in it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from agents.ports import Embedded, Passage
from integrations.documents.reading import SUFFIXES, html_text, read_document
from integrations.errors import IntegrationError
from integrations.llm.errors import PROVIDER
from integrations.providers import Providers
from integrations.settings import Settings
from integrations.values import clean_text
from orchestration.execution.call_guard import Caller, CallGuard, admission
from orchestration.ledger.database import Database
from orchestration.ledger.waiting import Deferrals
from orchestration.stores.knowledge import Document, KnowledgeBase, Pending

BATCH = 32  #: texts of one call

NO_MODEL = "EMBEDDING_MODEL is none"
NO_EXTENSION = "this Postgres has no extension pgvector (0.7 or newer)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """How far embedding has come."""

    model: str
    embedded: int  #: chunks that have a vector
    chunks: int
    tokens: int = 0  #: that this run has sent
    cost: Decimal | None = Decimal(0)  #: USD of this run; None: the model's price is not known
    stopped: str = ""  #: why it ended before all was done

    @property
    def complete(self) -> bool:
        """Whether every chunk has a vector."""
        return not self.stopped and self.embedded >= self.chunks


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Answer of the knowledge base."""

    passages: tuple[Passage, ...]
    words_only: str = ""  #: why it was asked by words alone; "": by meaning, too


class Library:
    """Knowledge base of one database, under some settings."""

    def __init__(self, settings: Settings, database: Database) -> None:
        self._settings = settings
        self._database = database
        self._base = KnowledgeBase(database, settings.knowledge_language)
        self._providers = Providers(settings)

    def add(self, source: Path | str, *, brand: str = "", language: str | None = None) -> list[str]:
        """Store a file, every readable file below a folder, or a web page by its URL, and return the documents' ids.

        Raises ValueError when there is no such file, or one that can't be read, and IntegrationError for a page that
        can't be had.
        """
        if isinstance(source, str) and source.startswith(("http://", "https://")):
            return [self._add_page(source, brand, language)]
        path = Path(source)
        files = [path]
        if path.is_dir():
            files = sorted(one for one in path.rglob("*") if one.suffix.lower() in SUFFIXES and one.is_file())
        if not files:
            raise ValueError(f"{path} holds no {', '.join(sorted(SUFFIXES))} file")
        return [self._add_file(file, brand, language) for file in files]

    def _add_file(self, file: Path, brand: str, language: str | None) -> str:
        text = read_document(file.name, file.read_bytes())
        title = clean_text(file.stem.replace("_", " "))
        return self.add_text(title, str(file.resolve()), text, brand=brand, language=language)

    def _add_page(self, url: str, brand: str, language: str | None) -> str:
        with self._admitted("web") as timeout:
            page = self._providers.web.fetch(url, timeout=timeout)
        return self.add_text(page.url, page.url, html_text(page.html), brand=brand, language=language)

    def add_text(self, title: str, source: str, text: str, *, brand: str = "", language: str | None = None) -> str:
        """Store one document as :meth:`KnowledgeBase.add_text` does, and return its id."""
        return self._base.add_text(title, source, text, brand=brand, language=language)

    def documents(self, brand: str | None = None) -> list[Document]:
        """Return the documents of a brand and of every brand, or all for None."""
        return self._base.documents(brand, self._settings.embedding_model)

    def remove(self, document_id: str) -> bool:
        """Remove a document, and return whether there was one."""
        return self._base.remove(document_id)

    def embed(self, progress: Callable[[int, int], object] = lambda done, total: None) -> Coverage:
        """Give every chunk a vector of the present model, and forget those of other models once all have one.

        What was done stays done: a run that was stopped, or whose server went away, is taken up by the next one.
        ``progress`` is told (chunks with a vector, chunks) after each batch.
        """
        model = self._settings.embedding_model
        if not self._settings.embeds:
            return Coverage(model=model, embedded=0, chunks=0, stopped=NO_MODEL)
        if not self._base.prepare_vectors():
            return Coverage(model=model, embedded=0, chunks=0, stopped=NO_EXTENSION)
        tokens, cost, stopped = 0, Decimal(0), ""
        priced = True
        while pending := self._base.pending(model, BATCH):
            try:
                with self._admitted(PROVIDER, model) as timeout:
                    found = self._providers.embeddings.embed([one.text for one in pending], timeout=timeout)
            except IntegrationError as error:
                stopped = str(error)
                break
            self._base.put_vectors(
                model, list[tuple[Pending, Sequence[float]]](zip(pending, found.vectors, strict=True))
            )
            tokens += found.usage.input_tokens
            priced, cost = priced and found.usage.cost is not None, cost + (found.usage.cost or 0)
            progress(*self._base.coverage(model))
        done, total = self._base.coverage(model)
        if done == total:
            self._base.forget_other_models(model)
        return Coverage(
            model=model, embedded=done, chunks=total, tokens=tokens, cost=cost if priced else None, stopped=stopped
        )

    def ask(
        self,
        question: str,
        strategy: str = "multi_query",
        *,
        limit: int = 5,
        variants: Sequence[str] = (),
        brand: str = "",
    ) -> Found:
        """Return the best passages for a question, by words and, where that is possible, by meaning.

        Raises ValueError when the strategy is another one than ``multi_query`` and ``single``.
        """
        embedded, why = self._embedded([question, *(variants if strategy == "multi_query" else ())], brand)
        passages = self._base.query_knowledge(
            question, strategy, limit=limit, variants=variants, brand=brand, embedded=embedded
        )
        return Found(passages=tuple(passages), words_only=why)

    def query_knowledge(
        self,
        question: str,
        strategy: str = "multi_query",
        *,
        limit: int = 5,
        variants: Sequence[str] = (),
        brand: str = "",
    ) -> list[Passage]:
        """Return the passages of :meth:`ask`."""
        return list(self.ask(question, strategy, limit=limit, variants=variants, brand=brand).passages)

    def _embedded(self, texts: Sequence[str], brand: str) -> tuple[Embedded | None, str]:
        """Return the vectors of some questions, or None and why there are none."""
        model = self._settings.embedding_model
        if not self._settings.embeds:
            return None, NO_MODEL
        if not self._base.has_vectors:
            return None, NO_EXTENSION
        if not self._base.embedded_with(model, brand):
            return None, f"no document is embedded with {model}; `campaigns knowledge embed` does that"
        try:
            with self._admitted(PROVIDER, model) as timeout:
                found = self._providers.embeddings.embed(texts, timeout=timeout)
        except IntegrationError as error:
            return None, f"the embedding model can't be asked: {error}"
        return Embedded(model, dict(zip(texts, found.vectors, strict=True))), ""

    @contextmanager
    def _admitted(self, provider: str, scope: str = "") -> Iterator[float]:
        """Admit one wire call for as long as the context lasts, and give the seconds that it may take."""
        timeout = self._settings.timeout_s(provider)
        admitting = admission(self._settings)
        try:
            guard = CallGuard(
                self._settings,
                admitting,
                switched_off=lambda: {one.provider: "" for one in Deferrals(self._database).switches()},
            )
            caller = Caller(holder="knowledge", campaign="knowledge", effect=False, timeout_s=timeout)
            with guard.call(caller, provider, scope):
                yield timeout
        finally:
            if admitting is not None:
                admitting.close()
