"""How an ad platform of the sandbox answers money: the figures behind :mod:`integrations.sandbox.ad_world`."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """One platform's simulated market."""

    quality: float = 1.1  #: multiplies what texts achieve
    ctr: float  #: clicks per impression of a typical ad
    cvr: float  #: conversions per click
    cpm: float  #: price of 1000 impressions, in the account's currency
    half_spend: float  #: daily spend at which half of the cheap impressions are gone
    noise: float = 0.1  #: standard deviation of the logarithm of each daily figure
