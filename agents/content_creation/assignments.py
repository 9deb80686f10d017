"""Which pieces a hop has to write: all required ones at first, the weak ones in an optimisation round.

Invariant: a pure function of the state. A piece keeps its id over all its revisions, because the id
derives from the campaign and the piece's place in the requirements.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from agents.config import CampaignConfig, ContentRequirement, TargetAudience
from agents.messages import MessageType, receive
from agents.state import ContentPiece, MarketingAgentState
from agents.unit import short_hash
from integrations.ads.keywords import unmarked

AGENT = "content_creation"
DEFAULT_TYPE = "blog_post"
DEFAULT_LENGTH = 400  #: words
MAX_SUGGESTIONS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """One piece to write or to rewrite."""

    index: int  #: place in the requirements, from 0
    piece_id: str
    revision: int
    requirement: ContentRequirement  #: topic and audience filled in
    previous: ContentPiece | None = None  #: set when it is a rewrite
    reasons: tuple[str, ...] = ()  #: why it is rewritten
    suggestions: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """Part of the keys of its units, such as ``01-blog_post``."""
        kind = re.sub(r"[^a-z0-9]+", "_", self.requirement.content_type.lower()).strip("_")[:30]
        return f"{self.index + 1:02d}-{kind or 'piece'}"


def requirements(state: MarketingAgentState) -> tuple[ContentRequirement, ...]:
    """Return what has to be written, with nothing left open, which is one blog post when the campaign names nothing."""
    config = state.campaign_config
    wanted = state.content_requirements
    if not wanted and config.content_required:
        keywords = unmarked(state.target_audience.keywords)[:3] or (default_keyword(config, state.target_audience),)
        wanted = (ContentRequirement(content_type=DEFAULT_TYPE, keywords=keywords, target_length=DEFAULT_LENGTH),)
    return tuple(_filled(requirement, state) for requirement in wanted)


def _filled(requirement: ContentRequirement, state: MarketingAgentState) -> ContentRequirement:
    keyword = (requirement.keywords or (default_keyword(state.campaign_config, state.target_audience),))[0]
    return requirement.model_copy(
        update={
            "topic": requirement.topic or f"better results with {keyword}",
            "audience": requirement.audience or audience_name(state.target_audience),
        }
    )


def default_keyword(config: CampaignConfig, audience: TargetAudience) -> str:
    """Return a keyphrase for a campaign that names none."""
    if words := unmarked(audience.keywords):
        return words[0]
    if config.brand.product:
        return config.brand.product
    if audience.industries:
        return f"{audience.industries[0]} growth"
    return audience.interests[0] if audience.interests else "steady growth"


def audience_name(audience: TargetAudience) -> str:
    """Return the audience in a few words, e.g. "VP Marketing and CMO in saas"."""
    people = " and ".join(audience.job_titles[:2])
    fields = " and ".join(audience.industries[:2])
    if people:
        return f"{people} in {fields}" if fields else people
    if fields:
        return f"{fields} companies"
    return audience.interests[0] if audience.interests else "growing companies"


def assignments(state: MarketingAgentState) -> tuple[Assignment, ...]:
    """Return the pieces to write in this hop, in the order of the requirements."""
    present = {piece.piece_id: piece for piece in state.generated_content}
    wanted = [(i, piece_id(state.campaign_id, i), r) for i, r in enumerate(requirements(state))]
    suggestions = unread_suggestions(state)
    if state.optimization_attempts == 0:
        # Everything is to be written; what a person has sent back is rewritten, with their reasons.
        sent_back = {p.piece_id: p.reasons for p in state.content_performance if p.weak}
        return tuple(
            Assignment(
                index=i,
                piece_id=key,
                revision=_next_revision(present.get(key)),
                requirement=r,
                previous=present.get(key) if key in sent_back else None,
                reasons=sent_back.get(key, ()),
                suggestions=_about(key, suggestions) if key in sent_back else (),
            )
            for i, key, r in wanted
        )
    weak = weak_pieces(state, [key for _, key, _ in wanted])
    found = []
    for i, key, requirement in wanted:
        old = present.get(key)
        if old is not None and key not in weak:
            continue  # good enough: left as it is
        found.append(
            Assignment(
                index=i,
                piece_id=key,
                revision=_next_revision(old),
                requirement=requirement,
                previous=old,
                reasons=weak.get(key, ()),
                suggestions=_about(key, suggestions),
            )
        )
    return tuple(found)


def _about(key: str, suggestions: Iterable[tuple[str, frozenset[str] | None]]) -> tuple[str, ...]:
    """Return the suggestions for one piece."""
    return tuple(text for text, about in suggestions if about is None or key in about)[:MAX_SUGGESTIONS]


def piece_id(campaign_id: str, index: int) -> str:
    """Return the id of the piece in that place of the requirements."""
    return short_hash(campaign_id, "piece", str(index))


def _next_revision(old: ContentPiece | None) -> int:
    return 1 if old is None else old.revision + 1


def weak_pieces(state: MarketingAgentState, keys: Sequence[str]) -> Mapping[str, tuple[str, ...]]:
    """Return the ids of the pieces to rewrite, with the reasons.

    They are those marked weak, else the one with the lowest score.
    """
    present = {piece.piece_id: piece for piece in state.generated_content if piece.piece_id in keys}
    measured = {p.piece_id: p for p in state.content_performance if p.piece_id in present}
    weak = {key: p.reasons for key, p in measured.items() if p.weak}
    if weak or not present:
        return weak

    def score(key: str) -> tuple[float, int]:
        figure = measured[key].score if key in measured else present[key].seo_score
        return (0.0 if math.isnan(figure) else figure, keys.index(key))

    lowest = min(present, key=score)
    return {lowest: measured[lowest].reasons if lowest in measured else ()}


def unread_suggestions(state: MarketingAgentState) -> list[tuple[str, frozenset[str] | None]]:
    """Return the suggestions of the messages not read yet, each text once.

    Each comes with the ids of the pieces that it is about, None for all.
    """
    unread, _ = receive(state.agent_messages, AGENT)
    found: dict[str, frozenset[str] | None] = {}
    for item in unread:
        if item.message_type is not MessageType.OPTIMIZATION_SUGGESTION:
            continue
        ids = [*_texts(item.payload.get("piece_ids")), *_texts(item.payload.get("piece_id"))]
        for key in ("suggestion", "suggestions", "text"):
            for text in _texts(item.payload.get(key)):
                found.setdefault(text, frozenset(ids) if ids else None)
    return list(found.items())


def _texts(value: Any) -> Iterable[str]:
    if isinstance(value, str):
        return (value[:500],) if value.strip() else ()
    if isinstance(value, Mapping):
        return [text for key in ("suggestion", "text", "action") for text in _texts(value.get(key))]
    if isinstance(value, list | tuple):
        return [text for item in value for text in _texts(item)]
    return ()
