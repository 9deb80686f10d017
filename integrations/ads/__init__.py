"""Ad platforms behind one protocol (:mod:`integrations.ads.platform`).

Invariant: importing this package loads no platform's SDK; a client is built, and its library imported,
by the first campaign that needs it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from integrations.errors import BadRequestError

if TYPE_CHECKING:
    from integrations.ads.platform import AdPlatform
    from integrations.settings import Settings

#: Platforms that we have a client for.
AVAILABLE = ("facebook_ads", "linkedin_ads")


def build(platform: str, settings: Settings) -> AdPlatform:
    """The client of ``platform``; BadRequestError for one that we can't speak to."""
    if platform == "facebook_ads":
        from integrations.ads.facebook.client import FacebookAds

        return FacebookAds(settings)
    if platform == "linkedin_ads":
        from integrations.ads.linkedin.client import LinkedInAds

        return LinkedInAds(settings)
    raise BadRequestError(platform, f"is not supported; use one of {', '.join(AVAILABLE)}")
