"""Learned weights, as a campaign keeps them: how likely a lead is to say yes, and why, in words.

They apply without numpy. Invariant: a version of weights never changes; a campaign keeps the one that it was submitted
with, so that its leads are scored the same whenever that is repeated.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from math import exp

from pydantic import BaseModel, ConfigDict

from agents.learning.words import in_words

SHOWN = 3  #: traits that a lead's reasons name
LEAST_SHOWN = 0.2  #: logits; what moves a lead less than that is no reason
_FARTHEST = 30.0  #: logits


class TraitWeight(BaseModel):
    """What is learned of one trait."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    weight: float  #: logits by which it moves a lead that has it
    yes: int  #: leads with it that said yes ...
    of: int  #: ... of so many


class Weights(BaseModel):
    """One version of what was learned from outcomes."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: int = 0  #: of its account and audience, from 1; 0 before it is stored
    audience: str = ""  #: that it is for; "" for all of the account
    outcomes: int  #: leads that it was learned from
    yes: int  #: those of them that said yes
    intercept: float  #: logit of a lead at 0 of the rule, without traits
    rule: float  #: logits for one point of the rule's score
    traits: Mapping[str, TraitWeight]
    quantiles: tuple[float, ...]  #: likelihoods that parted those leads into groups of the same size

    def likelihood(self, rule: float, traits: Iterable[str]) -> float:
        """Return how likely a lead with this score of the rule and these traits is to say yes, in 0..1."""
        logit = self.intercept + self.rule * rule
        logit += sum(self.traits[trait].weight for trait in traits if trait in self.traits)
        return 1.0 / (1.0 + exp(-max(-_FARTHEST, min(_FARTHEST, logit))))

    def share(self, likelihood: float) -> float:
        """Return the share of the leads with outcomes that was less likely to say yes, 0..1, more for the likelier."""
        knots = [0.0, *self.quantiles, 1.0]
        place = min(len(knots) - 2, bisect_right(knots, likelihood) - 1)
        low, high = knots[place], knots[place + 1]
        return (place + (likelihood - low) / (high - low)) / (len(knots) - 1)

    def reasons(self, traits: Sequence[str]) -> tuple[str, ...]:
        """Return in words what of a lead moves it most, the most first."""
        known = [(trait, self.traits[trait]) for trait in traits if trait in self.traits]
        known.sort(key=lambda item: -abs(item[1].weight))
        several = {(one.yes, one.of): trait for trait, one in reversed(known)}  # what the same leads have is told once
        kept = [trait for trait, one in known if several[one.yes, one.of] == trait and abs(one.weight) >= LEAST_SHOWN]
        return tuple(self.told(trait) for trait in kept[:SHOWN])

    def told(self, trait: str) -> str:
        """Return in words how leads with a trait have answered, and whether that counts for or against one.

        The weight may point elsewhere than the plain numbers do, where another trait accounts for them.
        """
        one = self.traits[trait]
        others, others_yes = self.outcomes - one.of, self.yes - one.yes
        told = f"{in_words(trait)}: {one.yes} of {one.of} said yes"
        if one.yes and others_yes and others:
            ratio = (one.yes / one.of) / (others_yes / others)
            told += f", {ratio:.1f} times as often as others"
            if (ratio > 1) is not (one.weight > 0):
                told += ", which the rest accounts for"
        return f"{told} ({'counts for it' if one.weight > 0 else 'counts against it'})"
