"""Fit of weights to leads with outcomes: a logistic regression that begins at the rule and is held back by a prior.

The weight of the rule's score has the prior :data:`RULE` ± :data:`RULE_SD`, so that nothing but outcomes takes leads
away from the rule's order. The weight of a trait is drawn towards 0, its kind (seniority, size, ...) by a variance of
its own, which is estimated along with the weights: a kind that says nothing is held at nothing, one that says much is
let go. That is MacKay's evidence approximation with automatic relevance determination (Bishop, "Pattern Recognition
and Machine Learning", 7.2.1 and 4.4.1), by its fixed point (equation 7.87), with a step of Newton's method between.
What only says how a lead was found and reached is one kind: each source has little of its own to say.

Invariant: it is a function of the examples and their order alone; nothing is drawn.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agents.learning.weights import TraitWeight, Weights
from agents.learning.words import kind

RULE, RULE_SD = 3.0, 2.0  #: logits for one point of the rule's score: 0.3 more of it is 2.5 times the odds
INTERCEPT_SD = 3.0  #: logits
VARIANCE = 0.3  #: of weights of one kind, before anything is known, in logits ...
PRIOR_TRAITS = 1.0  #: ... and how many traits that is worth
LEAST = 2  #: leads that have to have a trait, and that have to lack it
ROUNDS, NEWTON_STEPS = 25, 50
SETTLED = 0.05  #: relative change of a variance
_REACH = frozenset({"source", "address", "mailbox", "known", "asked"})
QUANTILES = 10  #: groups of :attr:`Weights.quantiles`

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A lead with its outcome."""

    rule: float  #: the rule's score
    traits: tuple[str, ...]
    yes: bool
    audience: str = ""  #: where leads of several are learned from


def fit(examples: Sequence[Example], *, audience: str = "") -> Weights:
    """Return the weights that the examples speak for, as version 0.

    Raises ValueError without examples.
    """
    if not examples:
        raise ValueError("there is nothing to learn from no outcomes")
    counts = Counter(trait for one in examples for trait in one.traits)
    names = sorted(trait for trait, n in counts.items() if LEAST <= n <= len(examples) - LEAST)
    matrix = _matrix(examples, names)
    means = matrix.mean(axis=0)
    means[0] = 0.0
    answers = np.array([one.yes for one in examples], dtype=np.float64)
    found = _posterior_mode(matrix - means, answers, [_group(name) for name in names])
    weights = dict(zip(names, found[2:], strict=True))
    said_yes = Counter(trait for one in examples if one.yes for trait in one.traits)
    likelihoods = 1.0 / (1.0 + np.exp(-((matrix - means) @ found)))
    return Weights(
        audience=audience,
        outcomes=len(examples),
        yes=int(answers.sum()),
        intercept=round(float(found[0] - means @ found), 6),
        rule=round(float(found[1]), 6),
        traits={
            name: TraitWeight(weight=round(float(weight), 6), yes=said_yes[name], of=counts[name])
            for name, weight in weights.items()
        },
        quantiles=_quantiles(likelihoods),
    )


def _group(trait: str) -> str:
    """Return the name of the traits whose weights have one variance with that of this one."""
    found = kind(trait)
    return "reach" if found in _REACH else found


def _matrix(examples: Sequence[Example], names: Sequence[str]) -> Floats:
    """Return a row for each example: 1, the rule's score, and 1 for each trait that it has."""
    place = {name: number for number, name in enumerate(names, start=2)}
    matrix = np.zeros((len(examples), len(names) + 2))
    matrix[:, 0] = 1.0
    for row, one in enumerate(examples):
        matrix[row, 1] = one.rule
        matrix[row, [place[trait] for trait in one.traits if trait in place]] = 1.0
    return matrix


def _posterior_mode(matrix: Floats, answers: Floats, kinds: Sequence[str]) -> Floats:
    """Return intercept, weight of the rule and weights of the traits, whose kinds are given."""
    names = sorted(set(kinds))
    members = np.array([names.index(one) for one in kinds], dtype=np.intp)
    sizes = np.bincount(members, minlength=len(names))
    rate = (answers.sum() + 0.5) / (len(answers) + 1.0)
    mean = np.zeros(matrix.shape[1])
    mean[:2] = np.log(rate / (1.0 - rate)), RULE
    variances = np.full(len(names), VARIANCE)
    found = mean
    for _ in range(ROUNDS):
        found, covariance = _newton(matrix, answers, mean, _precision(variances[members]), found, steps=1)
        squares = np.bincount(members, weights=found[2:] ** 2, minlength=len(names))
        unsure = np.bincount(members, weights=covariance.diagonal()[2:], minlength=len(names)) / variances
        better = (PRIOR_TRAITS * VARIANCE + squares) / (PRIOR_TRAITS + np.maximum(sizes - unsure, 0.0))
        settled = bool(np.all(np.abs(np.log(better / variances)) < SETTLED))
        variances = better
        if settled:
            break
    return _newton(matrix, answers, mean, _precision(variances[members]), found)[0]


def _precision(variances: Floats) -> Floats:
    return np.concatenate(([INTERCEPT_SD**-2, RULE_SD**-2], 1.0 / variances))


def _newton(
    matrix: Floats, answers: Floats, mean: Floats, precision: Floats, start: Floats, steps: int = NEWTON_STEPS
) -> tuple[Floats, Floats]:
    """Return the most likely weights under a Gaussian prior, and their covariance there (Laplace's approximation).

    The loss is strictly convex, so that a step is halved until it helps, and the end is the one minimum.
    """

    def loss(weights: Floats) -> float:
        logits = matrix @ weights
        return float(np.logaddexp(0.0, logits).sum() - answers @ logits + precision @ (weights - mean) ** 2 / 2.0)

    weights, at = start, loss(start)
    for _ in range(steps):
        gradient, curvature = _slopes(matrix, answers, mean, precision, weights)
        step = np.linalg.solve(curvature, gradient)
        length = 1.0
        while (following := loss(weights - length * step)) > at and length > 1e-4:
            length /= 2.0
        gained = at - following
        if gained <= 0.0:
            break
        weights, at = weights - length * step, following
        if gained < 1e-8:
            break
    curvature = _slopes(matrix, answers, mean, precision, weights)[1]
    covariance: Floats = np.linalg.inv(curvature).astype(np.float64)
    return weights, covariance


def _slopes(matrix: Floats, answers: Floats, mean: Floats, precision: Floats, weights: Floats) -> tuple[Floats, Floats]:
    likely = 1.0 / (1.0 + np.exp(-(matrix @ weights)))
    gradient = matrix.T @ (likely - answers) + precision * (weights - mean)
    return gradient, (matrix.T * (likely * (1.0 - likely))) @ matrix + np.diag(precision)


def _quantiles(likelihoods: Floats) -> tuple[float, ...]:
    """Return the inner quantiles, each once and strictly between 0 and 1."""
    inner = np.quantile(likelihoods, np.arange(1, QUANTILES) / QUANTILES)
    kept = sorted({round(float(one), 6) for one in inner})
    return tuple(one for one in kept if 0.0 < one < 1.0)
