"""What is known of rates that may have changed: a posterior over shapes, levels and the time of the last change.

In a slot s an arm brings Poisson(level x exposure_s[shape]). Given the shape and the slot from which the present level
holds, the level is Gamma by conjugacy, so that the posterior is a table over (slot of the last change, shape). This is
Bayesian change-point detection (Adams and MacKay, 2007) with at most one change in the slots that are looked at:
how much is forgotten is not set, it is weighed by how well each past predicts what came after. After a change the level
starts at the prior; the shape is kept with probability :data:`SHAPE_KEPT`.

An arm may be dead: its level is 0, by a prior of its own, as no Gamma around the level that arms have in common has a
place for it. In the table that is one more shape, whose likelihood is 1 without a count and 0 with one; it wakes by a
change, as any level does.

Days scatter more than Poisson says. A slot's likelihood is tempered by 1 / (1 + scatter² x mean), which gives it the
variance of a Poisson count whose rate has the relative deviation ``scatter`` (the negative binomial's, to first order).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln, logsumexp

Floats = NDArray[np.float64]

HAZARD = 1 / 60  #: how likely a change is, a slot
SHAPE_KEPT = 0.7
SCATTER, SCATTER_SLOTS = 0.25, 4.0  #: relative deviation before anything is seen, and how many slots that is worth
WINDOW = 7  #: slots whose mean a slot's scatter is judged by


@dataclass(frozen=True, slots=True, kw_only=True)
class Posterior:
    """Levels of all arms, by tables of arms x (slots + 1) x shapes: a row for each first slot of the present level."""

    log_weight: Floats  #: normalised in each arm
    counted: Floats  #: Gamma's shape, arms x (slots + 1)
    exposed: Floats  #: Gamma's rate, infinite where the arm is dead
    shapes: int  #: number of shapes, without the one of a dead arm, which is the last of the table where there is one

    def draw(self, size: int, rng: np.random.Generator) -> tuple[Floats, NDArray[np.intp]]:
        """Draw levels and the numbers of their shapes, both arms x ``size``.

        The level of a dead arm is 0, with any shape.
        """
        arms, rows, shapes = self.log_weight.shape
        flat = np.exp(self.log_weight).reshape(arms, -1)
        edges = np.cumsum(flat, axis=1)
        at = np.stack([np.searchsorted(edges[arm], rng.random(size) * edges[arm, -1]) for arm in range(arms)])
        at = np.minimum(at, rows * shapes - 1)
        row, shape = np.divmod(at, shapes)
        arm = np.arange(arms)[:, None]
        return rng.standard_gamma(self.counted[arm, row]) / self.exposed[arm, row, shape], np.minimum(
            shape, self.shapes - 1
        )

    def changed(self, slots: int) -> Floats:
        """Return how likely each arm's level has changed within the newest ``slots``."""
        rows = self.log_weight.shape[1]
        recent = self.log_weight[:, max(1, rows - slots) :]
        found: Floats = np.exp(logsumexp(recent, axis=(1, 2))) if recent.shape[1] else np.zeros(rows)
        return found


def posterior(
    counts: Floats, exposure: Floats, weight: Floats, log_prior: Floats, *, strength: float, dead: float = 0.0
) -> Posterior:
    """Return what ``counts`` (arms x slots) say of levels, given ``exposure`` (arms x slots x shapes).

    ``weight`` tempers each slot. The prior of a level is Gamma with the shape ``strength`` and the mean that all arms
    have in common; with the probability ``dead`` the arm is dead.
    """
    slots = exposure.shape[1]
    typical = exposure @ np.exp(log_prior)
    common = (float((counts * weight).sum()) + 0.5 * strength) / max(float((typical * weight).sum()), 1e-9)
    rate = strength / common
    seen = counts * weight
    lit = np.where(seen[..., None] > 0, np.log(np.maximum(exposure, 1e-9)), 0.0) * seen[..., None]
    tables = [_cumulated(part) for part in (seen[..., None], exposure * weight[..., None], lit)]
    count, exposed, fits = tables
    since_count, since_exposed, since_fits = (part[:, -1:] - part for part in tables)
    after = _evidence(since_count, since_exposed, since_fits, strength, rate)
    before = _evidence(count, exposed, fits, strength, rate)
    since_exposed = rate + since_exposed
    if dead:
        after, before = _with_dead(after, since_count), _with_dead(before, count)
        since_exposed = np.concatenate([since_exposed, np.full_like(since_exposed[..., :1], np.inf)], axis=2)
        log_prior = np.append(log_prior + np.log1p(-dead), np.log(dead))
    after, before = after + log_prior, before + log_prior
    rows = np.arange(slots + 1)
    last = np.where(rows == 0, 0.0, np.log(HAZARD)) + (slots - rows) * np.log1p(-HAZARD)
    kept = before + after - log_prior + np.log(SHAPE_KEPT)
    fresh = logsumexp(before, axis=2, keepdims=True) + after + np.log1p(-SHAPE_KEPT)
    joint = np.where(rows[:, None] == 0, after, np.logaddexp(kept, fresh)) + last[:, None]
    joint = joint - logsumexp(joint, axis=(1, 2), keepdims=True)
    return Posterior(
        log_weight=joint,
        counted=strength + since_count[..., 0],
        exposed=since_exposed,
        shapes=exposure.shape[2],
    )


def tempering(counts: Floats, exposure: Floats, days: Floats) -> tuple[Floats, float]:
    """Return the weight of each slot, and the scatter beyond Poisson that it stands for.

    ``exposure`` is arms x slots: what counts are roughly proportional to. The scatter is read from one slot to the
    next, so that a market that turns is not taken for a noisy one (von Neumann's estimator).
    """
    slots = counts.shape[1]
    if not slots:
        return np.ones_like(counts), SCATTER
    kernel = np.ones(WINDOW)
    smooth = np.stack(
        [np.convolve(row, kernel, mode="same") if slots >= WINDOW else np.full(slots, row.sum()) for row in counts]
    )
    near = np.stack(
        [np.convolve(row, kernel, mode="same") if slots >= WINDOW else np.full(slots, row.sum()) for row in exposure]
    )
    mean = exposure * (smooth + 0.5) / np.maximum(near, 1e-9)
    known = (exposure > 0) & (mean > 2.0)
    relative = np.where(known, counts / np.maximum(mean, 1e-9) - 1.0, 0.0)
    pair = known[:, 1:] & known[:, :-1]
    step = (relative[:, 1:] - relative[:, :-1]) ** 2 / 2
    poisson = (1.0 / np.maximum(mean[:, 1:], 1.0) + 1.0 / np.maximum(mean[:, :-1], 1.0)) / 2
    trust = np.where(pair, 1.0 / (SCATTER**2 + poisson), 0.0) * SCATTER**2
    excess = float((trust * np.clip(step - poisson, -1.0, 1.0)).sum())
    square = max((excess + SCATTER_SLOTS * SCATTER**2) / (trust.sum() + SCATTER_SLOTS), 0.05**2)
    return 1.0 / (1.0 + square * mean / np.maximum(days, 1.0)), float(np.sqrt(square))


def _cumulated(part: Floats) -> Floats:
    return np.concatenate([np.zeros_like(part[:, :1]), np.cumsum(part, axis=1)], axis=1)


def _with_dead(evidence: Floats, count: Floats) -> Floats:
    """Return ``evidence`` with the likelihood of a dead arm as one more shape."""
    return np.concatenate([evidence, np.where(count > 0, -np.inf, 0.0)], axis=2)


def _evidence(count: Floats, exposed: Floats, fits: Floats, strength: float, rate: float) -> Floats:
    """Logarithm of the likelihood with the level integrated out, but for what no shape and no change bears on."""
    found: Floats = (
        fits
        + gammaln(strength + count)
        - gammaln(strength)
        + strength * np.log(rate)
        - (strength + count) * np.log(rate + exposed)
    )
    return found
