"""Campaign parameters of links (UTM), by which a web analytics tool tells what an ad has brought.

One scheme for every platform and every link:

    utm_source    the platform: facebook, linkedin, google
    utm_medium    paid
    utm_campaign  the campaign's name as a slug, and the first 8 characters of its id: spring-sale-3f2a9c0d
    utm_content   the ad, as its name at the platform ends: r2-1f3a.1 (revision, hash of the texts, variant)

Pure. Invariants: the same arguments give the same link; what the page's own address holds stays as it is written, its
fragment too; a parameter that it has already is not set again; no value holds anything of a person.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from urllib.parse import parse_qsl, urlsplit, urlunsplit

MEDIUM = "paid"
MAX_SLUG = 40  #: characters of a campaign's name in utm_campaign
ID_CHARACTERS = 8  #: of a campaign's id in utm_campaign


def campaign_link(url: str, *, platform: str, name: str, campaign_id: str) -> str:
    """Return the landing page ``url`` with source, medium and campaign.

    ``platform`` is a platform's own name, such as facebook_ads; ``name`` and ``campaign_id`` are the campaign's.
    """
    campaign = "-".join(part for part in (slug(name), slug(campaign_id)[:ID_CHARACTERS]) if part)
    return tagged(url, {"utm_source": platform.removesuffix("_ads"), "utm_medium": MEDIUM, "utm_campaign": campaign})


def ad_link(url: str, *, token: str, variant: int) -> str:
    """Return a link of :func:`campaign_link` with the ad that it stands in (``variant`` counts from 1)."""
    return tagged(url, {"utm_content": f"r{token}.{variant}"})


def tagged(url: str, parameters: Mapping[str, str]) -> str:
    """Return ``url`` with those of ``parameters`` that its query doesn't have yet.

    Values are letters, digits and -._ only.
    """
    parts = urlsplit(url)
    own = {name.lower() for name, _ in parse_qsl(parts.query, keep_blank_values=True)}
    added = [f"{name}={value}" for name, value in parameters.items() if name not in own]
    query = "&".join(part for part in (parts.query.rstrip("&"), *added) if part)
    return urlunsplit(parts._replace(query=query))


def slug(text: str) -> str:
    """Return a text as small letters, digits and single hyphens of ASCII, "" when nothing of it is left."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", plain.lower()).strip("-")[:MAX_SLUG].rstrip("-")
