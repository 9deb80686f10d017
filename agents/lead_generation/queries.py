"""From an audience to what is typed into a search engine, and from what comes back to companies and people.

Invariant: the same audience gives the same queries in the same order.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import zip_longest
from urllib.parse import urlsplit

from agents.config import DEFAULT_INDUSTRIES, TargetAudience
from agents.lead_generation.clean import CompanyFacts, Record, normal_domain
from agents.lead_generation.person_text import is_name, is_title
from agents.unit_kind import Part
from integrations.ads.keywords import unmarked

MAX_QUERIES = 10
MAX_SITES = 12  #: company sites that are read for one campaign
DEFAULT_TITLES = ("CEO", "VP Marketing")
PROFILE_HOST = "linkedin.com"
#: Directories, media and networks: pages about companies, not a company's own.
_NOT_A_COMPANY = re.compile(
    r"(?:^|\.)(?:linkedin|facebook|instagram|twitter|x|youtube|tiktok|pinterest|reddit|quora|medium|wikipedia|crunchbase"
    r"|glassdoor|indeed|g2|capterra|clutch|trustpilot|yelp|gartner|forbes|bloomberg|builtin|github|amazon|google"
    r"|ycombinator|zoominfo|apollo|f6s|wellfound|statista|investopedia|techcrunch)\.(?:com|org|co|net|io)$"
)


class Result(Part):
    """One organic result of a web search."""

    position: int = 0  #: from 1, over all pages
    title: str = ""
    link: str = ""
    snippet: str = ""
    source: str = ""  #: the name of the site


def search_queries(audience: TargetAudience) -> tuple[str, ...]:
    """Make queries of an audience's industries (else its keywords, else the default industries) and titles."""
    keywords = unmarked(audience.keywords)
    topics = audience.industries or keywords or audience.interests or DEFAULT_INDUSTRIES
    titles = audience.job_titles or DEFAULT_TITLES
    place = f" in {audience.locations[0]}" if audience.locations else ""
    # A title for every topic before the second title of any: the budget of queries is cut off at the end.
    queries = [f"{_topic(topic)} companies{place}" for topic in topics]
    queries += [f'{_topic(topic)} companies{place} "{plain_words(title)}"' for title in titles for topic in topics]
    if audience.industries:
        queries += [f"{_topic(topic)} {plain_words(word)} companies{place}" for word in keywords for topic in topics]
    return tuple(dict.fromkeys(queries))[:MAX_QUERIES]


def people_of(results: Iterable[Result], source: str = "search") -> list[Record]:
    """Read people from entries of public profiles, "Name - Title - Company | LinkedIn", and nothing behind them."""
    found: list[Record] = []
    for result in results:
        link = result.link
        if not is_profile(link):
            continue
        title = re.sub(r"\s*[|–-]\s*LinkedIn.*$", "", result.title)
        name, *rest = [part.strip() for part in re.split(r"\s+[-–—]\s+", title) if part.strip()] or [""]
        if not is_name(name):
            continue
        job = next((part for part in rest[:1] if is_title(part)), None)
        company = rest[-1] if len(rest) >= 2 or (rest and job is None) else None
        if job and company is None and (at := re.fullmatch(r"(.+?) (?:at|@) (.+)", job)):
            job, company = at[1], at[2]
        found.append(
            Record(source=source, name=name, job_title=job, company=company, profile_url=link, source_url=link)
        )
    return found


def companies_of(results: Iterable[Result]) -> list[CompanyFacts]:
    """Return the companies whose own sites were found."""
    return [
        CompanyFacts(source="search", company=result.source or None, domain=domain)
        for result in results
        if (domain := company_domain(result.link))
    ]


def sites_to_read(searches: Sequence[Sequence[Result]], known: Iterable[str]) -> list[str]:
    """Return start pages of the companies found, the best of each query first, each company once."""
    seen = set(known)
    sites: list[str] = []
    for rank in zip_longest(*searches):
        for result in rank:
            link = result.link if result else ""
            domain = company_domain(link)
            if domain and domain not in seen and len(sites) < MAX_SITES:
                seen.add(domain)
                parts = urlsplit(link)
                sites.append(f"{parts.scheme}://{parts.netloc}/")
    return sites


def is_profile(link: str) -> bool:
    """Return whether a link leads to a person's public profile."""
    parts = urlsplit(link)
    host = parts.hostname or ""
    return (host == PROFILE_HOST or host.endswith("." + PROFILE_HOST)) and parts.path.startswith("/in/")


def company_domain(link: str) -> str | None:
    """Return the domain of a link to a company's own site, or None for directories, media and networks."""
    try:
        domain = normal_domain(urlsplit(link).hostname or "")
    except ValueError:
        return None
    return None if domain is None or _NOT_A_COMPANY.search(domain) else domain


def _topic(text: str) -> str:
    return re.sub(r"\s+(?:compan(?:y|ies)|industry|businesses)$", "", plain_words(text), flags=re.I)


def plain_words(text: str) -> str:
    """Return a text without quotes and operators, which would change a query's meaning."""
    return re.sub(r"\s+", " ", re.sub(r'["()<>:]|\b(?:OR|AND|NOT)\b', " ", text)).strip()[:80]
