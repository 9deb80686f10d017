"""What a person is asked about content, and what their rejection makes the writers do.

Pure. Invariant: a piece is asked about once per revision, whole, as it will be published.
"""

from __future__ import annotations

from datetime import datetime

from agents.approval import Question
from agents.messages import PERSON, MessageType, message
from agents.names import CONTENT_CREATION
from agents.state import MarketingAgentState, PiecePerformance
from agents.unit import short_hash

GATE = "content"


def review(state: MarketingAgentState) -> Question | None:
    """Describe all pieces that the campaign has, or return None without any."""
    pieces = {short_hash(p.piece_id, str(p.revision), p.title, p.body): p for p in state.generated_content}
    if not pieces:
        return None
    return Question(
        kind=GATE,
        request={
            "pieces": [
                {
                    "piece_id": p.piece_id,
                    "revision": p.revision,
                    "content_type": p.content_type,
                    "title": p.title,
                    "body": p.body,
                    "meta_description": p.meta_description,
                    "call_to_action": p.call_to_action,
                }
                for p in pieces.values()
            ]
        },
        contents=tuple(pieces),
    )


def rework(state: MarketingAgentState, reason: str, step: int, now: datetime) -> MarketingAgentState:
    """Return the state in which every piece is weak for ``reason``, with a message that tells the writers why."""
    asked = message(
        sender=PERSON,
        receiver=CONTENT_CREATION,
        message_type=MessageType.OPTIMIZATION_SUGGESTION,
        payload={"suggestions": [reason], "piece_ids": [p.piece_id for p in state.generated_content]},
        correlation_id=f"{state.campaign_id}/{step}",
        now=now,
        ordinal=len(state.agent_messages),
    )
    return state.evolve(
        agent_messages=(*state.agent_messages, asked),
        # All of it is written anew, not only what figures call weak.
        content_performance=tuple(
            PiecePerformance(piece_id=p.piece_id, revision=p.revision, score=0.0, weak=True, reasons=(reason,))
            for p in state.generated_content
        ),
    )
