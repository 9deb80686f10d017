"""What would make a campaign better: rules that always hold, and the model's answer beside them.

Pure. The rules read what people did (figures). What a good ad text is they don't know: that is for figures to
show. Invariant: each suggestion is one sentence that a writer can act on, says for whom it
is, and comes in a stable order, the strongest first.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field, JsonValue

from agents.analytics.indifference import indifferent, told
from agents.analytics.proposals import MAX_PROPOSALS, Proposal
from agents.answer_form import AnswerForm, at_most, first
from agents.contacts import KnownContacts, foreign_contacts
from agents.performance_score import GOOD
from agents.state import MarketingAgentState, PiecePerformance, PlatformMetrics
from agents.yardstick import benchmark

MAX_SUGGESTIONS = 12
MAX_TAKEN = 30  #: suggestions of one answer
CONTENT = "content"  #: the subject of suggestions that are not about one platform


class ModelSuggestion(AnswerForm):
    """One suggestion of the model."""

    about: Annotated[str, at_most(60)] = Field(
        max_length=60, description='a platform of the brief such as "facebook_ads", or "content"'
    )
    text: Annotated[str, at_most(500)] = Field(max_length=500, description="one sentence that says what to change")


class ModelSuggestions(AnswerForm):
    """Answer of the model."""

    suggestions: Annotated[list[ModelSuggestion], first(MAX_TAKEN)] = Field(
        max_length=MAX_TAKEN, description="the most useful first, at most six"
    )
    actions: Annotated[list[Proposal], first(MAX_PROPOSALS)] = Field(
        max_length=MAX_PROPOSALS,
        default_factory=list,
        description="changes of settings that are worth trying; none is fine, figures decide whether they stay",
    )

    def texts(self) -> dict[str, str]:
        """Return what people and writers read, by field."""
        suggestions = {f"suggestions.{at}.text": one.text for at, one in enumerate(self.suggestions)}
        return suggestions | {f"actions.{at}": one.words_shown for at, one in enumerate(self.actions)}

    def without_foreign(self, known: KnownContacts) -> ModelSuggestions:
        """Return the suggestions that name no contact but ``known``, none when they name one only together."""
        kept = ModelSuggestions(
            suggestions=[one for one in self.suggestions if not foreign_contacts(one.text, known)],
            actions=[one for one in self.actions if not foreign_contacts(one.words_shown, known)],
        )
        together = "\n".join(kept.texts().values())
        return ModelSuggestions(suggestions=[]) if foreign_contacts(together, known) else kept


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestion:
    """Suggestion of what to change about a platform, or about :data:`CONTENT`."""

    about: str
    text: str

    def to_dict(self) -> dict[str, JsonValue]:
        """Return the form that stands in a message's payload."""
        return {"platform": "" if self.about == CONTENT else self.about, "text": self.text}


def rule_based(
    state: MarketingAgentState, platforms: Sequence[PlatformMetrics], pieces: Sequence[PiecePerformance]
) -> list[Suggestion]:
    """Suggest changes from figures, and for pieces from the checks that they miss."""
    found: list[Suggestion] = []
    if indifferent(state):
        found.append(Suggestion(about=CONTENT, text=told()))
    for metrics in sorted(platforms, key=lambda m: (m.score or 0.0, m.platform)):
        found += [Suggestion(about=metrics.platform, text=text) for text in _figures(metrics)]
    for piece in sorted(pieces, key=lambda p: (p.score, p.piece_id)):
        if piece.weak:
            title = next((p.title for p in state.generated_content if p.piece_id == piece.piece_id), "")
            why = f": {piece.reasons[0]}" if piece.reasons else ""
            found.append(Suggestion(about=CONTENT, text=f"Rewrite the piece {title[:80]!r}{why}."))
    return found


def merged(rules: Iterable[Suggestion], model: ModelSuggestions | None, known: Sequence[str]) -> tuple[Suggestion, ...]:
    """Put the rules' suggestions first, then the model's, each text once.

    ``known`` are the platforms that the model may speak about.
    """
    found = {(one.about, one.text): one for one in rules}
    for item in model.suggestions if model else []:
        about = item.about if item.about in known else CONTENT
        text = " ".join(item.text.split())[:300]
        if text:
            found.setdefault((about, text), Suggestion(about=about, text=text))
    return tuple(found.values())[:MAX_SUGGESTIONS]


def _figures(metrics: PlatformMetrics) -> list[str]:
    usual = benchmark(metrics.platform)
    if not metrics.impressions:
        return [
            "Nothing was shown yet: check that the campaign is enabled, "
            "its audience is not too narrow and its budget is not too small."
        ]
    found = []
    if metrics.ctr is not None and metrics.ctr < usual.ctr:
        found.append(
            f"The click rate of {metrics.ctr:.2%} is below the usual {usual.ctr:.2%}: "
            "try headlines that build on something else than the present ones."
        )
    if metrics.cvr is None or metrics.cvr < usual.cvr:
        shown = f"{metrics.cvr:.2%}" if metrics.cvr is not None else "nothing"
        found.append(
            f"The conversion rate of {shown} is below the usual {usual.cvr:.2%}: "
            "promise in the ad what the landing page keeps."
        )
    if (metrics.score or 0.0) < GOOD and not found:
        found.append("Results cost more than usual: test clearly different headlines against each other.")
    return found
