"""Where a lead stands among those who qualify, by what was learned from outcomes.

What was asked for decides who qualifies, and outcomes change nothing about that, so that leads with poor prospects are
still addressed and can prove the weights wrong. Among those who qualify they decide the order: the score runs from
the campaign's threshold to 1 with the share of the leads with outcomes that were less likely to say yes. A lead that
does not qualify keeps the rule's score, which says how far it is from what was asked for. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from agents.learning.traits import traits

if TYPE_CHECKING:
    from agents.learning.weights import Weights
    from agents.scoring import LeadScore
    from agents.state import Lead


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranked:
    """Score of a lead with its reasons."""

    value: float  #: 0..1
    reasons: tuple[str, ...]
    likelihood: float | None = None  #: of a yes, 0..1; None where nothing has been learned
    version: int | None = None  #: of the weights


def ranked(lead: Lead, score: LeadScore, weights: Weights | None) -> Ranked:
    """Return the score of a lead that the rule has judged, by ``weights`` where there are any."""
    if weights is None:
        return Ranked(value=score.value, reasons=score.reasons)
    own = traits(lead, score.verdicts)
    likelihood = weights.likelihood(score.value, own)
    value, reasons = score.value, score.reasons
    if score.qualified:
        share = weights.share(likelihood)
        value = round(score.threshold + (1.0 - score.threshold) * share, 4)
        told = f"{likelihood:.0%} likely to say yes, above {share:.0%} of {weights.outcomes:,} leads with an outcome"
        reasons = (*reasons, told, *weights.reasons(own))
    return Ranked(value=value, reasons=reasons, likelihood=round(likelihood, 4), version=weights.version)
