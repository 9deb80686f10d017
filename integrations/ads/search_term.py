"""What people searched for when they saw a campaign's ads, on a platform that answers searches."""

from __future__ import annotations

from decimal import Decimal

from pydantic import BaseModel, ConfigDict


class SearchTerm(BaseModel):
    """One search and what came of it, on all days that were asked for."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    text: str
    impressions: int
    clicks: int
    conversions: int
    spend: Decimal  #: in ``currency``, major units
    currency: str = ""  #: of the ad account, "" where the platform doesn't tell
