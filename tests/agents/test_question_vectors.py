"""Questions are embedded once, where documents are; whatever is wrong with the model, words are asked."""

from __future__ import annotations

from agent_context import Execution, MemoryRetriever
from stack import Sandbox

from agents.ports import Passage
from agents.question_vectors import ENTRY, embed_questions

MODEL = "sandbox-embedding-1"


def execution(sandbox: Sandbox, *models: str) -> Execution:
    made = Execution.against(sandbox.url)
    passage = Passage(chunk_id="k1", title="T", text="money", score=1.0)
    made.retriever = MemoryRetriever([passage], models=frozenset(models))
    return made


def test_a_question_is_embedded_and_paid_once(sandbox: Sandbox) -> None:
    made = execution(sandbox, MODEL)
    for _ in range(2):
        found, why = embed_questions(made.context(), ["money", "", "cash", "money"], "")
        assert found is not None
        assert (found.model, list(found.vectors), why) == (MODEL, ["money", "cash"], "")
    assert made.calls == ["openai"]
    assert made.costs[ENTRY] <= made.bounds[ENTRY]


def test_nobody_is_asked_where_no_document_is_embedded(sandbox: Sandbox) -> None:
    made = execution(sandbox)
    assert embed_questions(made.context(), ["money"], "") == (None, f"no document is embedded with {MODEL}")
    assert made.calls == []


def test_an_outage_leaves_the_words(sandbox: Sandbox) -> None:
    sandbox.post("/_sandbox/faults", {"provider": "openai", "mode": "down", "seconds": 60})
    found, why = embed_questions(execution(sandbox, MODEL).context(), ["money"], "")
    assert found is None
    assert why.startswith("the embedding model can't be asked: ")
