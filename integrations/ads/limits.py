"""How long and how many the texts of an ad may be on each platform, with the sources.

Pure facts, so that cutting and checking need no client. Invariant: the figures are what people *see*:
where a platform accepts more than it shows (Facebook, LinkedIn), the shown length counts, because what
is cut by the platform is cut mid-sentence.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True, kw_only=True)
class PlatformLimits:
    """Counts, and widths in characters (double-width characters count ``wide`` each)."""

    platform: str
    min_headlines: int
    max_headlines: int
    headline_width: int
    min_descriptions: int
    max_descriptions: int
    description_width: int
    wide: int = 1

    def width(self, text: str) -> int:
        """The platform's count of ``text``'s characters."""
        return sum(self.wide if unicodedata.east_asian_width(c) in ("W", "F") else 1 for c in text)


#: Facebook: headline 40 and primary text 125 shown before "See more" (Meta Ads Guide, image ads in the feed).
#: LinkedIn: headline 70 and introductory text 150 shown before it is cut on most devices (LinkedIn Ads Guide,
#: single image ads; 200 and 600 are accepted).
#: Google: responsive search ads, 3-15 headlines of 30 and 2-4 descriptions of 90; double-width characters
#: count 2 (Google Ads help, "About responsive search ads" and "text ad length limits").
#: Three ads per campaign on Facebook and LinkedIn are our own choice: enough to compare, few enough that a
#: small budget still gives each of them data (Facebook takes 50 per ad set, LinkedIn 15 active per campaign).
LIMITS: Mapping[str, PlatformLimits] = MappingProxyType(
    {
        limits.platform: limits
        for limits in (
            PlatformLimits(
                platform="facebook_ads",
                min_headlines=1,
                max_headlines=3,
                headline_width=40,
                min_descriptions=1,
                max_descriptions=3,
                description_width=125,
            ),
            PlatformLimits(
                platform="linkedin_ads",
                min_headlines=1,
                max_headlines=3,
                headline_width=70,
                min_descriptions=1,
                max_descriptions=3,
                description_width=150,
            ),
            PlatformLimits(
                platform="google_ads",
                min_headlines=3,
                max_headlines=15,
                headline_width=30,
                min_descriptions=2,
                max_descriptions=4,
                description_width=90,
                wide=2,
            ),
        )
    }
)
