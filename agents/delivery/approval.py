"""What a person is asked before leads are delivered: to whom, how many, and which of their fields.

Pure. Invariant: the answer covers these leads with these values at these places; one lead less passes, anything else
asks anew. The question itself names no lead.
"""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import JsonValue

from agents.approval import Question
from agents.delivery.sending import SEND
from agents.delivery.units import Batch
from agents.state import MarketingAgentState
from agents.unit import Stage, short_hash
from integrations.delivery.registry import TARGETS

GATE = "leads"


def question(state: MarketingAgentState, stage: Stage) -> Question | None:
    """Return the question about the batches of a stage, or None for a stage without any."""
    asked = [SEND.given(unit) for unit in stage.units if unit.effect]
    if not asked:
        return None
    shown: list[JsonValue] = []
    for label in dict.fromkeys(batch.label for batch in asked):
        batches = [batch for batch in asked if batch.label == label]
        shown.append(
            {
                "to": label,
                "title": TARGETS[batches[0].to].title,
                "leads": sum(len(batch.people) for batch in batches),
                "fields": dict(batches[0].fields),
            }
        )
    covers = tuple(content for batch in asked for content in _contents(batch))
    seen = f"campaigns leads {state.campaign_id}"
    return Question(
        kind=GATE, request={"deliver": shown, "content": short_hash(*covers), "leads": seen}, contents=covers
    )


def _contents(batch: Batch) -> Iterator[str]:
    for person in batch.people:
        values = person.values(batch.fields)
        yield short_hash(batch.label, person.lead_id, *(f"{name}={value}" for name, value in sorted(values.items())))
