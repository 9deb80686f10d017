"""How an ad platform of the sandbox answers money: the figures behind :mod:`integrations.sandbox.ad_world`.

Impressions of a day's spend s, with x = s / half_spend and full = 1000 / cpm · half_spend, what half_spend would buy if
nothing became scarce. All families give full / 2 at half_spend:

    hill         full · x^e / (1 + x^e)             e = exponent, 1: the first ones cost cpm; at most full
    log          full · a · ln(1 + x / a)           ever dearer, without an end (a = 0.398)
    power        full · x^e / 2                     constant elasticity e, at most 1
    exponential  full · b · (1 - exp(-x / b))       an end that is met early (b = 0.627)

The Hill form is that of marketing-mix models (Jin et al. 2017, "Bayesian Methods for Media Mix Modeling with Carryover
and Shape Effects"). Invariant: with the defaults only ctr, cvr, cpm, half_spend, quality and noise have an effect.
"""

from __future__ import annotations

import math
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

#: a · ln(1 + 1 / a) = 1 / 2, so that the family meets the others at half_spend
_LOG = 0.39795
#: b · (1 - exp(-1 / b)) = 1 / 2
_EXPONENTIAL = 0.62750

Positive = Annotated[float, Field(gt=0, le=1e6)]
Share = Annotated[float, Field(ge=0, le=1)]
NEUTRAL_WEEK = (1.0,) * 7


class Parameters(BaseModel):
    """Base of hidden parameters: frozen, finite, and no key that isn't known."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Turn(Parameters):
    """A break: on one day a platform's quality changes for good."""

    day: int = Field(ge=0, le=3650, description="simulated day of the campaign, from 0")
    times: Positive


class Refusals(Parameters):
    """What the platform's review refuses: a share of the texts, drawn by their hash, and texts with certain words."""

    share: Share = 0.0
    words: tuple[str, ...] = ()
    reason: str = Field(default="MISLEADING_CONTENT", min_length=1)


class Curve(Parameters):
    """One platform's simulated market."""

    quality: Positive = 1.1  #: multiplies what texts achieve
    ctr: Annotated[float, Field(gt=0, le=1)]  #: clicks per impression of a typical ad
    cvr: Annotated[float, Field(gt=0, le=1)]  #: conversions per click
    cpm: Positive  #: price of 1000 impressions, in the account's currency
    half_spend: Positive  #: daily spend that buys half of what it would if nothing became scarce
    family: Literal["hill", "log", "power", "exponential"] = "hill"
    exponent: Annotated[float, Field(ge=0.2, le=5)] = 1.0  #: of the families hill and power
    noise: Annotated[float, Field(ge=0, le=2)] = 0.1  #: standard deviation of the logarithm of each daily figure
    #: mean days from click to conversion, spread evenly over 0 to twice that
    delay: Annotated[int, Field(ge=0, le=60)] = 0
    #: change of the quality per day: -0.01 is 1 % less each day
    drift: Annotated[float, Field(ge=-0.05, le=0.05)] = 0.0
    turn: Turn | None = None
    #: "spends": shows and costs, and nothing comes of it; "unseen": shows nothing and costs nothing
    dead: Literal["no", "spends", "unseen"] = "no"
    refusals: Refusals = Refusals()
    #: ctr · size^-audience_fit for an audience of relative size
    audience_fit: Annotated[float, Field(ge=0, le=2)] = 0.0
    people: Annotated[int, Field(ge=0)] = 0  #: who can be reached at the usual aim; 0: no limit, and nobody tires
    #: ctr · exp(-fatigue · (f - 1)) once an ad was seen f > 1 times a week
    fatigue: Annotated[float, Field(ge=0, le=5)] = 0.0
    bid_price: Annotated[float, Field(ge=0, le=2)] = 0.5  #: cpm · bid^bid_price for a bid relative to the usual one
    #: half_spend · bid^bid_reach; below 1 so much of the budget is spent
    bid_reach: Annotated[float, Field(ge=0, le=2)] = 1.0
    #: cvr · (1 + gain · (1 - share of the hours that are shown))
    schedule_gain: Annotated[float, Field(ge=0, le=5)] = 0.0
    #: times ctr, from Monday
    weekdays: Annotated[tuple[Positive, ...], Field(min_length=7, max_length=7)] = NEUTRAL_WEEK
    #: word that searches add to a keyword -> share of the clicks, which never convert
    bad_terms: dict[str, Share] = {}

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.family == "power" and self.exponent > 1:
            raise ValueError(f"exponent={self.exponent:g} of the family power is more than 1")
        if sum(self.bad_terms.values()) > 1:
            raise ValueError(f"bad_terms={self.bad_terms} are more than all clicks; their sum is at most 1")
        return self

    @property
    def click_price(self) -> float:
        """Return what a click of a typical ad costs while nothing is scarce, in the account's currency."""
        return self.cpm / (1000 * self.ctr)

    @property
    def conversion_price(self) -> float:
        """Return what a conversion of a typical ad costs while nothing is scarce, in the account's currency."""
        return self.click_price / self.cvr

    def impressions(self, spend: float, *, room: float = 1.0, price: float = 1.0) -> float:
        """Return the impressions of a day's ``spend`` before noise.

        ``room`` multiplies half_spend, ``price`` cpm.
        """
        half = self.half_spend * room
        full = 1000 / (self.cpm * price) * half
        x = spend / half
        if self.family == "log":
            return full * _LOG * math.log1p(x / _LOG)
        if self.family == "power":
            return full * math.pow(x, self.exponent) / 2
        if self.family == "exponential":
            return full * _EXPONENTIAL * -math.expm1(-x / _EXPONENTIAL)
        return full / (1 + math.pow(x, -self.exponent)) if x > 0 else 0.0

    def quality_on(self, day: int) -> float:
        """Return the quality on a simulated day of a campaign, from 0."""
        turned = self.turn.times if self.turn is not None and day >= self.turn.day else 1.0
        return self.quality * math.pow(1 + self.drift, day) * turned
