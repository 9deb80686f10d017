"""What a typical campaign reaches on an ad platform: the measure of what ours reach."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Benchmark:
    """What a typical campaign reaches."""

    ctr: float  #: clicks per impression
    cvr: float  #: conversions per click
    cpa: float | None = None  #: money per conversion, in ``currency``
    currency: str = "USD"
