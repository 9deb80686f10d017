"""Match a company's industry with the campaign's target industries, in the words people really use.

Invariant: matching is by whole words, so "biotechnology" is no "technology" and "IT" is not found in "it
is". A target that the table doesn't know is compared by its own words.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from functools import lru_cache

#: target -> phrases that count as it
SYNONYMS: Mapping[str, tuple[str, ...]] = {
    "saas": (
        *("saas", "software as a service", "cloud software", "cloud computing", "subscription software"),
        *("b2b software", "software", "computer software", "software development", "cloud"),
    ),
    "technology": (
        *("technology", "technologies", "tech", "information technology", "it services", "it consulting", "software"),
        *(
            "computer software",
            "software development",
            "saas",
            "software as a service",
            "internet",
            "computer hardware",
        ),
        *("computer networking", "artificial intelligence", "machine learning", "cybersecurity", "cyber security"),
        *(
            "cloud computing",
            "cloud",
            "data infrastructure",
            "big data",
            "semiconductors",
            "fintech",
            "information services",
        ),
        *("web development", "computers", "high tech", "hightech", "devops", "ict"),
    ),
    "finance": (
        *(
            "finance",
            "financial",
            "financial services",
            "fintech",
            "bank",
            "banks",
            "banking",
            "insurance",
            "insurtech",
        ),
        *("investment", "investments", "investment banking", "investment management", "asset management", "payments"),
        *(
            "wealth management",
            "venture capital",
            "private equity",
            "capital markets",
            "accounting",
            "lending",
            "credit",
        ),
    ),
    "fintech": ("fintech", "financial technology", "payments", "insurtech", "digital banking"),
    "healthcare": (
        *("healthcare", "health care", "health", "medical", "hospital", "hospitals", "clinic", "clinics", "pharma"),
        *("pharmaceuticals", "pharmaceutical", "biotech", "biotechnology", "medtech", "medical devices", "wellness"),
    ),
    "manufacturing": (
        *("manufacturing", "industrial", "machinery", "industrial automation", "automotive", "production", "tooling"),
        *("mechanical engineering", "electronics manufacturing"),
    ),
    "retail": ("retail", "ecommerce", "e commerce", "commerce", "consumer goods", "shops", "apparel", "fashion"),
    "education": (
        "education",
        "edtech",
        "e learning",
        "elearning",
        "higher education",
        "training",
        "university",
        "schools",
    ),
    "logistics": ("logistics", "freight", "transportation", "shipping", "supply chain", "warehousing", "trucking"),
    "energy": ("energy", "oil and gas", "oil", "renewables", "renewable energy", "utilities", "solar", "power"),
    "hospitality": ("hospitality", "hotels", "hotel", "restaurants", "travel", "tourism", "leisure"),
    "real estate": ("real estate", "property", "proptech", "realty", "housing"),
    "media": ("media", "publishing", "broadcasting", "entertainment", "advertising", "marketing and advertising"),
    "legal": ("legal", "law", "law practice", "legal services", "law firm"),
}
#: what people call a target -> its row above
_ALIASES: Mapping[str, str] = {
    **dict.fromkeys(("tech", "it", "information technology", "high tech", "ict"), "technology"),
    **dict.fromkeys(("software", "software as a service", "cloud", "b2b saas"), "saas"),
    **dict.fromkeys(("financial services", "financial", "banking", "finances"), "finance"),
    **dict.fromkeys(("health", "health care", "medical", "pharma"), "healthcare"),
    **dict.fromkeys(("industrial", "industry"), "manufacturing"),
    **dict.fromkeys(("ecommerce", "e commerce"), "retail"),
    **dict.fromkeys(("edtech",), "education"),
    **dict.fromkeys(("law",), "legal"),
}
_ALONE = frozenset({"it"})  #: counts only as the whole of an industry's name


def matching_target(industry: str | None, targets: Iterable[str]) -> str | None:
    """Return the first target industry that ``industry`` belongs to, or None."""
    text = words(industry or "")
    if not text:
        return None
    for target in targets:
        if any(_holds(text, phrase) for phrase in _phrases(words(target))):
            return target
    return None


def named_industry(text: str) -> str | None:
    """Return the industry that a sentence about a company names first, or None when it names none of ours."""
    spoken = words(text)
    places = [
        (place, -len(phrase), name)
        for name, phrases in SYNONYMS.items()
        for phrase in (name, *phrases)
        if (place := f" {spoken} ".find(f" {phrase} ")) >= 0
    ]
    return min(places)[2] if places else None


@lru_cache(maxsize=50_000)
def words(text: str) -> str:
    """Return the text's words in lower case with one space between them."""
    return " ".join(re.findall(r"[^\W_]+", unicodedata.normalize("NFKC", text).lower()))


@lru_cache(maxsize=2_000)
def _phrases(target: str) -> tuple[str, ...]:
    row = _ALIASES.get(target, target)
    # An alias that is narrower than its row ("banking") still takes the whole row: a campaign for banks is not
    # wrong about an insurer, and company directories mix the terms.
    known = SYNONYMS.get(row, ())
    alone = ("it",) if row == "technology" else ()
    return tuple(dict.fromkeys((target, *known, *alone)))


def _holds(text: str, phrase: str) -> bool:
    if phrase in _ALONE:
        return text == phrase
    return f" {phrase} " in f" {text} " or f" {phrase.rstrip('s')} " in f" {text.rstrip('s')} "
