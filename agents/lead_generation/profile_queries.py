"""From an audience to questions about people on LinkedIn, for a search engine and for a licensed provider of data.

Pure. Invariant: the same audience gives the same questions in the same order, and no text of a user's ends a quotation.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from agents.config import DEFAULT_INDUSTRIES, TargetAudience
from agents.fit.industries import matching_target
from agents.fit.text import words
from agents.lead_generation.queries import DEFAULT_TITLES, MAX_QUERIES, plain_words

MAX_ALTERNATIVES = 30  #: of one condition, so that the query fits into a URL
#: LinkedIn's names of industries, in which licensed data have them, by the target industry that they count as.
_INDUSTRIES: Mapping[str, tuple[str, ...]] = {
    "saas": ("computer software", "internet"),
    "technology": (
        *("information technology and services", "computer software", "internet", "computer hardware"),
        *("computer networking", "semiconductors", "computer & network security"),
    ),
    "finance": (
        *("financial services", "banking", "insurance", "investment banking", "investment management"),
        *("capital markets", "venture capital & private equity"),
    ),
    "healthcare": ("hospital & health care", "medical practice", "medical devices", "pharmaceuticals", "biotechnology"),
    "manufacturing": ("machinery", "industrial automation", "mechanical or industrial engineering", "automotive"),
    "retail": ("retail", "consumer goods", "apparel & fashion", "supermarkets"),
    "education": ("education management", "higher education", "e-learning", "professional training & coaching"),
    "logistics": ("logistics and supply chain", "transportation/trucking/railroad", "warehousing", "maritime"),
    "energy": ("renewables & environment", "oil & energy", "utilities"),
    "hospitality": ("hospitality", "restaurants", "leisure, travel & tourism"),
    "real estate": ("real estate", "commercial real estate"),
    "media": ("media production", "broadcast media", "publishing", "online media", "marketing and advertising"),
    "legal": ("legal services", "law practice"),
}


def profile_queries(audience: TargetAudience, titles: Sequence[str], companies: Sequence[str]) -> tuple[str, ...]:
    """Make queries for entries of profiles: each title with each company, else with each industry."""
    places = companies or audience.industries or audience.keywords or DEFAULT_INDUSTRIES
    wanted = titles or audience.job_titles or DEFAULT_TITLES
    queries = [
        f'site:linkedin.com/in "{plain_words(title)}" "{plain_words(place)}"' for title in wanted for place in places
    ]
    return tuple(dict.fromkeys(query for query in queries if '""' not in query))[:MAX_QUERIES]


def people_sql(audience: TargetAudience, titles: Sequence[str], companies: Sequence[str]) -> str:
    """Make one query in the provider's SQL: any of the titles, at any of the companies or in any of the industries."""
    wanted = titles or audience.job_titles or DEFAULT_TITLES
    groups = [[f"job_title LIKE '%{word}%'" for title in wanted if (word := _literal(title))]]
    if companies:
        groups.append([f"job_company_name = '{word}'" for company in companies if (word := _literal(company))])
    else:
        industries = [name for target in audience.industries or DEFAULT_INDUSTRIES for name in _named(target)]
        groups.append([f"job_company_industry = '{name}'" for name in dict.fromkeys(industries)])
    if countries := [word for place in audience.locations if (word := _literal(place))]:
        groups.append([f"location_name LIKE '%{word}%'" for word in countries])
    return "SELECT * FROM person WHERE " + " AND ".join(
        f"({' OR '.join(group[:MAX_ALTERNATIVES])})" for group in groups if group
    )


def _named(target: str) -> Sequence[str]:
    known = _INDUSTRIES.get(words(target)) or next(
        (names for own, names in _INDUSTRIES.items() if matching_target(own, [target])), ()
    )
    return known or tuple(word for word in (_literal(target),) if word)


def _literal(text: str) -> str:
    """Return a text as it stands between quotes in SQL, without wildcards."""
    return plain_words(text.replace("%", " ").replace("_", " ")).lower().replace("'", "''")
