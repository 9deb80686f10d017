"""Whether what was learned is used: only where it has foretold outcomes that it had not seen better than the rule.

Each of :data:`FOLDS` parts of the examples is foretold by weights that were fitted to the others, with all that the
fitting estimates; where leads of several audiences are learned from, each audience is a part, so that what is used for
one without outcomes has been tried on audiences that were new to it. Invariant: the rule stays unless there are enough
outcomes (:mod:`agents.learning.enough`), and the weights win by more than :data:`MARGIN` standard errors and order no
worse.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import sqrt

from agents.learning.enough import MOST_OUTCOMES, missing
from agents.learning.fitting import Example, fit
from agents.learning.quality import auc, calibration_error, losses
from agents.learning.weights import Weights

FOLDS = 10
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


def recalibrate(examples: Sequence[Example], *, audience: str = "") -> Recalibration:
    """Return what the examples teach.

    Raises ValueError where there are too few (:func:`~agents.learning.enough.missing`).
    """
    examples = examples[-MOST_OUTCOMES:]
    answers = [one.yes for one in examples]
    if lacking := missing(len(answers), sum(answers)):
        raise ValueError(lacking)
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
    for left_out in _parts(examples):
        weights = fit([one for place, one in enumerate(examples) if place not in left_out])
        for place in left_out:
            likelihoods[place] = weights.likelihood(examples[place].rule, examples[place].traits)
    return likelihoods


def _parts(examples: Sequence[Example]) -> list[set[int]]:
    audiences = sorted({one.audience for one in examples})
    if len(audiences) > 1:
        return [{place for place, one in enumerate(examples) if one.audience == name} for name in audiences]
    order = sorted(range(len(examples)), key=lambda place: examples[place].yes)  # each part has its share of yes
    return [set(order[part::FOLDS]) for part in range(FOLDS)]
