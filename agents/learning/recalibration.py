"""Whether what was learned is used: only where it has foretold outcomes that it had not seen better than the rule.

Each of :data:`FOLDS` parts of the examples is foretold by weights that were fitted to the others, with all that the
fitting estimates. Invariants: below :data:`LEAST_OUTCOMES`, and below :data:`LEAST_EACH` of yes and of no, the rule
stays; it stays as well unless the weights win by more than one standard error, and order no worse.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import sqrt

from agents.learning.fitting import Example, fit
from agents.learning.quality import auc, calibration_error, losses
from agents.learning.weights import Weights

LEAST_OUTCOMES, LEAST_EACH = 40, 8
MOST_OUTCOMES = 2000  #: the newest; older ones say less of today, and fitting takes time
FOLDS = 5
MARGIN = 1.0  #: standard errors of the mean difference in logarithmic loss


@dataclass(frozen=True, slots=True, kw_only=True)
class Recalibration:
    """New weights, how good they are on what they had not seen, and whether they take the rule's place."""

    weights: Weights
    used: bool
    reason: str  #: in words, why they are used or not
    auc: float  #: of the weights
    rule_auc: float
    calibration_error: float  #: expected, of the weights


def enough(outcomes: int, yes: int) -> str | None:
    """Return what is missing before anything is learned, in words, or None when nothing is."""
    if outcomes < LEAST_OUTCOMES:
        return f"{outcomes} of at least {LEAST_OUTCOMES} leads with an outcome"
    if min(yes, outcomes - yes) < LEAST_EACH:
        return f"{yes} said yes and {outcomes - yes} said no, of each at least {LEAST_EACH} are needed"
    return None


def recalibrate(examples: Sequence[Example], *, audience: str = "") -> Recalibration:
    """Return what the examples teach.

    Raises ValueError where there are too few (:func:`enough`).
    """
    examples = examples[-MOST_OUTCOMES:]
    answers = [one.yes for one in examples]
    if missing := enough(len(answers), sum(answers)):
        raise ValueError(missing)
    learned = foretold(examples)
    ruled = foretold([replace(one, traits=()) for one in examples])
    gains = [rule - own for rule, own in zip(losses(ruled, answers), losses(learned, answers), strict=True)]
    mean = sum(gains) / len(gains)
    error = sqrt(sum((gain - mean) ** 2 for gain in gains) / (len(gains) - 1) / len(gains))
    own_auc, rule_auc = auc(learned, answers), auc([one.rule for one in examples], answers)
    used = mean > MARGIN * error and own_auc >= rule_auc
    compared = f"AUC {own_auc:.2f} against the rule's {rule_auc:.2f} on outcomes that they had not seen"
    return Recalibration(
        weights=fit(examples, audience=audience),
        used=used,
        reason=f"better than the rule: {compared}" if used else f"not surely better than the rule: {compared}",
        auc=own_auc,
        rule_auc=rule_auc,
        calibration_error=calibration_error(learned, answers),
    )


def foretold(examples: Sequence[Example]) -> list[float]:
    """Return for each example its likelihood by weights that were fitted without its part."""
    likelihoods = [0.0] * len(examples)
    order = sorted(range(len(examples)), key=lambda place: examples[place].yes)  # each part has its share of yes
    for part in range(FOLDS):
        left_out = set(order[part::FOLDS])
        weights = fit([one for place, one in enumerate(examples) if place not in left_out])
        for place in left_out:
            likelihoods[place] = weights.likelihood(examples[place].rule, examples[place].traits)
    return likelihoods
