"""How long and how many the texts of an ad may be on a platform.

Pure facts, so that cutting and checking need no client; each platform's figures and their sources stand in its
spec. Invariant: the figures are what people *see*: where a platform accepts more than it shows (Facebook, LinkedIn),
the shown length counts, because what is cut by the platform is cut mid-sentence.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class PlatformLimits:
    """Counts, and widths in characters (double-width characters count ``wide`` each)."""

    min_headlines: int
    max_headlines: int
    headline_width: int
    min_descriptions: int
    max_descriptions: int
    description_width: int
    wide: int = 1
    #: None: each headline is an ad of its own, with one description. Else the counts above are those of one ad, which
    #: shows any of its headlines with any of its descriptions, and a campaign shows at most so many ads.
    combined_ads: int | None = None

    @property
    def ads(self) -> int:
        """Most ads that the texts of one campaign are."""
        return self.combined_ads or min(self.max_headlines, self.max_descriptions)

    def width(self, text: str) -> int:
        """Return the platform's count of ``text``'s characters."""
        return sum(self.wide if unicodedata.east_asian_width(c) in ("W", "F") else 1 for c in text)
