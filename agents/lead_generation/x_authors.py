"""From public profiles of authors on X to people and companies.

Pure. A profile is what its owner says: it is data, never an instruction. Invariant: an author becomes a person only
with a name of a person and a job at a company in the profile's own words; that somebody posts about a topic says
nothing of whom they work for.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from agents.config import DEFAULT_INDUSTRIES, TargetAudience
from agents.lead_generation.answers import Company
from agents.lead_generation.clean import Record
from agents.lead_generation.person_text import is_name, is_title
from agents.lead_generation.queries import company_domain, plain_words
from agents.unit_kind import Part

MAX_QUERIES = 5
MAX_QUERY = 512  #: characters of one query, as X has it
ONLY_OWN = "-is:retweet"
_PARTS = re.compile(r"\s*[|•·\n;]\s*|[.!?](?:\s+|$)|,\s+")
_JOB = re.compile(
    r"(?:(?:now|currently|today)\s+)?(?P<title>[^@]+?)\s*(?:\s(?:at|bei|chez)\s|@)\s*(?P<company>\S.*)", re.I
)
_PAST = re.compile(r"\b(?:ex|former|formerly|previously|past)\b", re.I)


class Author(Part):
    """A public profile, as it is journalled."""

    username: str
    name: str = ""
    description: str = ""
    url: str | None = None
    location: str | None = None
    post_id: str


def x_queries(audience: TargetAudience) -> tuple[str, ...]:
    """Make queries of an audience's industries (else its keywords, else the default industries) and titles."""
    topics = audience.industries or audience.keywords or audience.interests or DEFAULT_INDUSTRIES
    titles = [_quoted(title) for title in audience.job_titles if plain_words(title)]
    return tuple(dict.fromkeys(_query(_quoted(topic), titles) for topic in topics if plain_words(topic)))[:MAX_QUERIES]


def people_of_authors(authors: Iterable[Author]) -> list[Record]:
    """Return the authors who say that they work somewhere, each once."""
    found: dict[str, Record] = {}
    for author in authors:
        job = _job(author.description)
        name = re.sub(r"[^\w\s.'’-]", "", author.name).strip()
        if job is None or not is_name(name) or author.username in found:
            continue
        found[author.username] = Record(
            source="x",
            name=name,
            job_title=job[0],
            company=job[1],
            domain=company_domain(author.url or ""),
            location=author.location,
            profile_url=f"https://x.com/{author.username}",
            source_url=f"https://x.com/{author.username}/status/{author.post_id}",
        )
    return list(found.values())


def companies_of_authors(authors: Iterable[Author]) -> list[Company]:
    """Return the companies that post under their own names and say where their sites are."""
    found: dict[str, Company] = {}
    for author in authors:
        domain = company_domain(author.url or "")
        own_name = re.sub(r"\W", "", author.name).lower()
        if domain and own_name and own_name in domain.replace("-", "") and not is_name(author.name):
            found.setdefault(domain, Company(company=author.name, domain=domain))
    return list(found.values())


def _job(description: str) -> tuple[str, str] | None:
    """Return title and company of the first present job that a profile states, or None."""
    for part in _PARTS.split(description):
        job = _JOB.fullmatch(part.strip())
        if job is None or _PAST.search(part):
            continue
        title, company = job["title"].strip(), re.sub(r"\s*\[.*$", "", job["company"]).strip().lstrip("@")
        if is_title(title) and 2 <= len(company) <= 60 and len(company.split()) <= 6:
            return title, company
    return None


def _query(topic: str, titles: Sequence[str]) -> str:
    """Return a query for a topic and one of the titles, as many of these as there is room for."""
    for count in range(len(titles), 0, -1):
        query = f"{topic} ({' OR '.join(titles[:count])}) {ONLY_OWN}"
        if len(query) <= MAX_QUERY:
            return query
    return f"{topic} {ONLY_OWN}"


def _quoted(text: str) -> str:
    words = plain_words(text)
    return f'"{words}"' if " " in words else words
