"""Optimisation rounds of content creation, models in memory: what is rewritten, and what the writer is told."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from agent_context import Execution
from content_campaigns import NOW, REQUIREMENTS, state, written
from memory_model import refused

from agents.content_creation import ContentCreation
from agents.content_creation.assignments import assignments, piece_id
from agents.messages import MessageType, message
from agents.state import ContentPiece, MarketingAgentState, PiecePerformance

AGENT = ContentCreation()


@pytest.fixture
def execution() -> Execution:
    return Execution.in_memory()


def piece(index: int, *, score: float = 0.9, revision: int = 1) -> ContentPiece:
    wanted = REQUIREMENTS[index]
    return ContentPiece(
        piece_id=piece_id("c-1", index),
        revision=revision,
        content_type=str(wanted["content_type"]),
        topic=str(wanted["topic"]),
        title=f"Old {index}",
        body=f"Old body {index}",
        seo_score=score,
        checks=("the title is about 90 pixels wide",),
    )


def in_a_round(*pieces: ContentPiece, weak: Mapping[int, str] | None = None, **changes: Any) -> MarketingAgentState:
    measured = tuple(
        PiecePerformance(piece_id=piece_id("c-1", i), revision=1, score=0.3, weak=True, reasons=(why,))
        for i, why in (weak or {}).items()
    )
    return state(content_requirements=REQUIREMENTS).evolve(
        generated_content=pieces, content_performance=measured, optimization_attempts=1, step=4, **changes
    )


def suggestion(text: str, *, ids: tuple[str, ...] = (), receiver: str = "content_creation") -> Any:
    return message(
        sender="analytics",
        receiver=receiver,
        message_type=MessageType.OPTIMIZATION_SUGGESTION,
        payload={"suggestions": [text], "piece_ids": list(ids)},
        correlation_id="c-1/3",
        now=NOW,
        ordinal=0,
    )


def test_a_round_rewrites_the_weak_pieces_only(execution: Execution) -> None:
    old = [piece(i) for i in range(4)]
    before = in_a_round(*old, weak={1: "few clicks"})

    after = AGENT.execute(before, execution)

    new = after.generated_content
    assert [p.piece_id for p in new] == [p.piece_id for p in old]
    assert (new[0], new[2], new[3]) == (old[0], old[2], old[3])
    assert new[1].revision == 2
    assert new[1].body != old[1].body
    assert new[1].seo_score > 0.9
    assert after.agent_messages[-1].payload["rewritten"] == 1


def test_the_writer_is_told_why_and_what_to_change(execution: Execution) -> None:
    execution.providers.models.answer = lambda asked: written()
    told = (
        suggestion("Put a number into the title."),
        suggestion("Not for this one.", ids=("another",)),
        suggestion("For ads.", receiver="ad_management"),
    )
    before = in_a_round(*[piece(i) for i in range(4)], weak={0: "few clicks"}, agent_messages=told)

    after = AGENT.execute(before, execution)

    brief = execution.providers.models.requests[0].brief
    assert brief["task"] == "revise_piece"
    assert brief["revision"] == 2
    assert brief["piece"]["body"] == "Old body 0"
    assert brief["suggestions"] == ["Put a number into the title."]
    assert "few clicks" in [finding["message"] for finding in brief["findings"]]
    assert all("content_creation" in m.read_by for m in after.agent_messages[:2])


def test_without_a_weak_piece_the_lowest_is_rewritten(execution: Execution) -> None:
    before = in_a_round(piece(0, score=0.8), piece(1, score=0.7), piece(2, score=0.75), piece(3))

    assert [a.index for a in assignments(before)] == [1]
    assert [p.revision for p in AGENT.execute(before, execution).generated_content] == [1, 2, 1, 1]


def test_a_piece_that_failed_before_is_written_in_the_next_round(execution: Execution) -> None:
    before = in_a_round(piece(0), piece(1), piece(3), weak={1: "x"})

    after = AGENT.execute(before, execution)

    assert [(p.content_type, p.revision) for p in after.generated_content] == [
        ("blog_post", 1),
        ("landing_page", 2),
        ("email", 1),
        ("social_post", 1),
    ]


def test_a_failed_rewrite_keeps_the_old_piece_and_the_campaign(execution: Execution) -> None:
    execution.providers.models.answer = refused
    before = in_a_round(*[piece(i) for i in range(4)], weak={2: "x"})

    after = AGENT.execute(before, execution)

    assert after.generated_content == before.generated_content
    assert [error.code for error in after.errors] == ["policy_refused"]
