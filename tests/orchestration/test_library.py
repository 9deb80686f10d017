"""The embedding job goes on where it was stopped, and an answer says when meaning took no part in it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from model_server import ModelServer, Reply, running_model_server

from integrations.settings import Settings
from orchestration.control.library import BATCH, Library
from orchestration.ledger.database import Database


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    made = Database(database_url)
    yield made
    made.close()


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with running_model_server() as running:
        running.answer = answer
        yield running


def answer(request: Mapping[str, Any]) -> Reply:
    data = [{"embedding": [float("refund" in text.lower()), 1.0]} for text in request["input"]]
    return Reply(body={"data": data, "usage": {"prompt_tokens": 5}})


def library(database: Database, server: ModelServer, model: str = "m") -> Library:
    return Library(Settings.from_env({"EMBEDDING_BASE_URL": server.url, "EMBEDDING_MODEL": model}), database)


def test_a_stopped_job_is_taken_up_and_a_new_model_replaces_the_old(database: Database, server: ModelServer) -> None:
    made = library(database, server)
    for n in range(BATCH + 3):
        made.add_text(f"T{n}", f"s{n}", "Refunds" if n == 5 else "Other")
    server.answer = lambda request: answer(request) if len(server.requests) == 1 else Reply(status=503, body={})
    stopped = made.embed()
    assert (stopped.embedded, stopped.chunks, stopped.complete) == (BATCH, BATCH + 3, False)
    assert "openai" in stopped.stopped
    words = made.ask("refund")
    assert "can't be asked" in words.words_only
    assert words.passages[0].text == "Refunds"
    server.answer = answer
    assert made.embed().complete
    assert [len(request["input"]) for request in server.requests][-1] == 3
    newer = library(database, server, "n")
    assert "no document is embedded with n" in newer.ask("refund").words_only
    assert newer.embed().complete
    assert newer.ask("refund").words_only == ""
    assert "no document is embedded with m" in made.ask("refund").words_only


def test_what_is_missing_is_said(database: Database, server: ModelServer) -> None:
    assert "EMBEDDING_MODEL is none" in library(database, server, "none").embed().stopped
    database.run("DROP TABLE marketing.chunk_vectors")
    made = library(database, server)
    made.add_text("T", "s", "Refunds")
    found = made.ask("refund")
    assert "no extension pgvector" in found.words_only
    assert [one.text for one in found.passages] == ["Refunds"]
