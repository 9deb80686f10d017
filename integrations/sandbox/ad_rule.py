"""A world's hidden rule of good text: how much each feature of an ad's text adds to, or takes from, its rates.

    factor = max(0.05, base + Σ weight · feature) ^ power        features: integrations.sandbox.ad_text

One such factor multiplies the click rate, another one, with weights of its own, the conversion rate. A rule that is
given holds alone: a weight that it doesn't name is 0.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Annotated

from pydantic import Field

from integrations.ads.curve import Parameters
from integrations.sandbox.ad_text import AdText, features

LEAST = 0.05  #: of the sum, so that every text does something

Weight = Annotated[float, Field(ge=-2, le=2)]


class Effect(Parameters):
    """What the text does to one rate: signed weights of its features, 0 for those without an effect."""

    base: Annotated[float, Field(gt=0, le=3)] = 1.0  #: of a text without any feature
    power: Annotated[float, Field(gt=0, le=2)] = 1.0
    length: Weight = 0.0
    fit: Weight = 0.0
    question: Weight = 0.0
    proof: Weight = 0.0
    price: Weight = 0.0
    audience: Weight = 0.0
    number: Weight = 0.0
    action: Weight = 0.0
    superlative: Weight = 0.0
    calm: Weight = 0.0
    urgent: Weight = 0.0
    playful: Weight = 0.0
    alike: Weight = 0.0

    def factor(self, ad: AdText, siblings: Sequence[AdText] = ()) -> float:
        """Return what multiplies the rate of an ad that runs beside ``siblings``."""
        found = self.base + sum(getattr(self, name) * much for name, much in features(ad, siblings).items())
        return math.pow(max(LEAST, found), self.power)


class TextRule(Parameters):
    """How texts work in a world."""

    ctr: Effect = Effect()
    cvr: Effect = Effect()

    def best(self, candidates: Sequence[AdText]) -> AdText:
        """Return the text with the highest click rate, the first of equals."""
        return candidates[0] if len(candidates) == 1 else max(candidates, key=self.ctr.factor)


_USUAL = Effect(base=0.75, number=0.15, action=0.15, audience=0.2, fit=0.1, alike=-0.1, superlative=-0.15)
#: of a world that names none: concrete, active and relevant texts work, also, and half as much, after the click
USUAL_RULE = TextRule(ctr=_USUAL, cvr=_USUAL.model_copy(update={"power": 0.5}))
