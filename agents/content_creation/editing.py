"""A piece as a person has edited it: another revision, checked as any other.

Pure. Invariant: what the person wrote is kept word for word, but for invisible characters; the checks are told, never
enforced, for a person may know better.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from pydantic import ValidationError

from agents.content_creation.assignments import Assignment, piece_id, requirements
from agents.content_creation.checking import brand_checked, scored
from agents.content_creation.drafts import draft, piece, text_of
from agents.content_creation.units import CheckBrand, Score, Written
from agents.state import ContentPiece, MarketingAgentState

TEXTS = ("title", "body", "meta_description", "call_to_action")  #: that can be edited


def edited(
    state: MarketingAgentState, subject: str, texts: Mapping[str, str], by: str, now: datetime
) -> MarketingAgentState | None:
    """Return the state in which the piece with the id ``subject`` has other ``texts``, or None without such a piece.

    The same state when nothing is different. Raises ValueError that names what can't be, and what would be right.
    """
    old = next((one for one in state.generated_content if one.piece_id == subject), None)
    if old is None:
        return None
    if strange := [name for name in texts if name not in TEXTS]:
        raise ValueError(f"{strange[0]} can't be edited; use {', '.join(TEXTS)}")
    if all(getattr(old, name) == text for name, text in texts.items()):
        return state
    new = _piece(state, old, texts, by, now)
    return state.evolve(
        generated_content=tuple(new if one.piece_id == subject else one for one in state.generated_content)
    )


def _piece(
    state: MarketingAgentState, old: ContentPiece, texts: Mapping[str, str], by: str, now: datetime
) -> ContentPiece:
    wanted = requirements(state)
    places = {piece_id(state.campaign_id, at): at for at in range(len(wanted))}
    index = places.get(old.piece_id, 0)
    assignment = Assignment(
        index=index, piece_id=old.piece_id, revision=old.revision + 1, requirement=wanted[index], previous=old
    )
    try:
        written = Written(
            **{name: texts.get(name, getattr(old, name)) for name in TEXTS},
            label=assignment.label,
            sources=old.sources,
            produced_by=f"person:{by}",
        )
    except ValidationError as error:
        first = error.errors()[0]
        raise ValueError(f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from None
    brand, requirement = state.campaign_config.brand, assignment.requirement
    text = text_of(written, requirement, brand)
    score = scored(Score(label=assignment.label, written=written, requirement=requirement, brand=brand))
    rules = CheckBrand(label=assignment.label, written=written, requirement=requirement, brand=brand, system="")
    return piece(draft(text, written, score, brand_checked(rules, text)), assignment, now)
