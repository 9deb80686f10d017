"""Length: models that are 30 % off end within 10 %, by at most four rewrites, and no sentence is cut in two."""

from __future__ import annotations

from typing import Any

import pytest
from agent_context import Execution
from content_campaigns import state, written
from memory_model import Asked, sandbox_answer

from agents.content_creation import ContentCreation
from agents.readability import plain, sentences
from integrations.sandbox.llm_text import Order, Writer

TARGETS = (60, 100, 150, 250, 400, 600, 800, 1200)


def off_by(share: float, *, obeys: bool) -> Any:
    """A model that writes ``share`` of what it is asked for, or of the first ask whatever it is asked for."""
    first: dict[str, int] = {}

    def answer(asked: Asked) -> Any:
        if "requirement" not in asked.brief:
            return sandbox_answer(asked)
        wanted = asked.brief["requirement"]
        target = wanted["target_length"] if obeys else first.setdefault(wanted["topic"], wanted["target_length"])
        order = Order(words=int(target * share), phrase="growth", headings=target >= 150)
        body = Writer(order, f"{wanted['topic']}/{len(asked.prompt)}").body()
        return written(title="Growth with a plan", body=body, call_to_action="Go")

    return answer


@pytest.mark.parametrize("obeys", [True, False])
@pytest.mark.parametrize("share", [0.7, 1.3])
def test_models_that_are_off_end_within_ten_per_cent(share: float, obeys: bool) -> None:
    wanted = [{"topic": f"growth {n}", "keywords": ["growth"], "target_length": n} for n in TARGETS]
    execution = Execution.in_memory(answer=off_by(share, obeys=obeys))

    after = ContentCreation().execute(state(content_requirements=wanted), execution)

    misses = [p for p in after.generated_content if abs(p.word_count - p.target_length) > 0.1 * p.target_length]
    assert [(p.target_length, p.word_count) for p in misses] == []
    assert len(execution.providers.models.requests) <= 5 * len(TARGETS)
    for piece in after.generated_content:
        assert all(one.rstrip("*_\"'”)").endswith((".", "!", "?", ":", "…")) for one in sentences(plain(piece.body)))
