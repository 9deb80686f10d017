"""Web search as SerpApi's ``GET /search.json`` answers it, over the companies of the sandbox world.

Shapes as on SerpApi's public pages: ``organic_results``, ``search_information``, ``serpapi_pagination``;
no results is HTTP 200 with a top-level ``error``. Keys: ``invalid`` is refused (401), ``exhausted`` has no
searches left (429), any other is good. Invariant: the same query gets the same results in the same order.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from integrations.sandbox.protocol import JsonObject, Request, Response, waiting
from integrations.sandbox.world import DEFAULT_SEED, Company, Person, World, chance, plain

MAX_RESULTS = 100  #: Google shows no more for one query
PAGE_SIZE = 10
SEARCHES_A_MONTH = 5000
PROFILE_SITE = "linkedin.com"
_FILLER = frozenset(
    {"a", "an", "and", "at", "best", "by", "companies", "company", "contact", "email", "for", "from", "in"}
    | {"list", "of", "or", "site", "team", "the", "to", "top", "with"}
)
#: industry -> words that people search for it by
_SEARCH_WORDS: Mapping[str, str] = {
    "saas": "saas software cloud subscription b2b app platform",
    "technology": "technology tech software it data ai cloud infrastructure",
    "finance": "finance financial fintech bank banking insurance investment payments",
    "healthcare": "healthcare health medical hospital clinic clinics pharma",
    "manufacturing": "manufacturing industrial machine machinery factory tooling",
    "retail": "retail ecommerce commerce shop shops store consumer",
    "education": "education edtech school training courses university learning",
    "logistics": "logistics freight shipping transport warehousing supply",
    "energy": "energy solar power utilities renewable storage",
    "hospitality": "hospitality hotel hotels restaurant restaurants travel",
    "real estate": "real estate property housing realty",
    "media": "media publishing broadcasting entertainment",
    "legal": "legal law lawyers",
    "restaurants": "restaurant restaurants gastronomy catering food bistro",
    "construction": "construction building builders contractor",
}


@dataclass(frozen=True, slots=True)
class _Query:
    words: tuple[str, ...]
    phrases: tuple[str, ...]
    site: str | None


@dataclass(frozen=True, slots=True)
class _Hit:
    score: float
    key: str
    company: Company
    person: Person | None


class SerpApiSandbox:
    """Sandbox of SerpApi's Google engine."""

    name = "serpapi"
    prefix = "/serpapi"

    def __init__(self) -> None:
        self._seed = DEFAULT_SEED

    def handle(self, request: Request) -> Response:
        """Answer one request."""
        params = request.params()
        if request.path not in ("/search.json", "/search", "/account.json", "/account"):
            return Response(status=404, body={"error": f"Sandbox: no such endpoint: {request.path}"})
        key = params.get("api_key", "")
        if key in ("", "invalid"):
            return Response(status=401, body={"error": "Invalid API key. Your API key should be here: /manage-api-key"})
        if request.path.startswith("/account"):
            return Response(body=_account(key))
        if key == "exhausted":
            return Response(status=429, body={"error": "Your account has run out of searches."})
        query = params.get("q", "").strip()
        if not query:
            return Response(status=400, body={"error": "Missing query `q` parameter."})
        try:
            size, start = int(params.get("num", PAGE_SIZE)), int(params.get("start", 0))
        except ValueError:
            return Response(status=400, body={"error": "`num` and `start` are whole numbers."})
        return Response(body=self._page(request, query, max(1, min(100, size)), max(0, start)))

    def refuse(self, mode: str, retry_after_s: float | None = None) -> Response:
        """Return SerpApi's response for an outage or the hourly limit, which doesn't tell by itself when it ends."""
        headers = waiting(retry_after_s)
        if mode == "rate_limited":
            text = "You are exceeding the throughput limit of your plan per hour."
            return Response(status=429, body={"error": text}, headers=headers)
        down = {"search_metadata": {"status": "Error"}, "error": "Service unavailable."}
        return Response(status=503, body=down, headers=headers)

    def reset(self, seed: int, world: JsonObject | None) -> None:
        """Change to the world of ``seed``."""
        del world
        self._seed = seed

    def advance(self, days: int) -> None:
        """Do nothing, because search results don't depend on the time."""

    def ad_campaigns(self) -> Sequence[Mapping[str, object]]:
        """Return no ad campaigns."""
        return []

    def snapshot(self) -> None:
        """Return None, because requests create nothing here."""
        return None

    def restore(self, data: object) -> None:
        """Do nothing, because requests create nothing here."""

    def _page(self, request: Request, query: str, size: int, start: int) -> dict[str, object]:
        hits = self._search(query)[:MAX_RESULTS]
        port = request.headers.get("host", "").rpartition(":")[2]
        results = [_result(hit, start + place, port) for place, hit in enumerate(hits[start : start + size], start=1)]
        body: dict[str, object] = {
            "search_metadata": {
                "id": f"sandbox-{chance('search', self._seed, query, start):.12f}"[:20],
                "status": "Success",
                "sandbox": True,
            },
            "search_parameters": {"engine": "google", "q": query, "num": str(size), "start": start},
            "search_information": {
                "organic_results_state": "Results for exact spelling" if results else "Fully empty",
                "total_results": len(hits),
            },
        }
        if not results:
            return body | {"error": "Google hasn't returned any results for this query."}
        body["organic_results"] = results
        if start + size < len(hits):
            following = urlencode({"engine": "google", "q": query, "num": size, "start": start + size})
            body["serpapi_pagination"] = {
                "current": start // size + 1,
                "next": f"http://{request.headers.get('host', '')}{self.prefix}/search.json?{following}",
            }
        return body

    def _search(self, text: str) -> list[_Hit]:
        query = _parse(text)
        world = World.build(self._seed)
        hits: list[_Hit] = []
        for company in world.companies:
            about = _about(company)
            score = sum(about.get(word, 0) for word in query.words)
            if query.words and not score:
                continue
            matching = [p for p in company.people if all(_has_phrase(p.title, phrase) for phrase in query.phrases)]
            named = any(_has_phrase(company.name, phrase) for phrase in query.phrases)
            if query.site is None or query.site in company.domain:
                bonus = 1.0 if query.phrases and (matching or named) else 0.0
                if query.words or named:
                    hits.append(_Hit(score + bonus, company.domain, company, None))
            if query.phrases and (query.site is None or PROFILE_SITE in query.site):
                people = [p for p in company.people if _describes(p, company, query.phrases)]
                hits += [_Hit(score + 1.0, person.email, company, person) for person in people]
        return sorted(hits, key=lambda hit: (-hit.score, chance("rank", self._seed, text.lower(), hit.key)))


def _account(key: str) -> dict[str, object]:
    """Return the account as ``/account.json`` shows it, which tells the key and an address as well."""
    used = SEARCHES_A_MONTH if key == "exhausted" else 0
    return {
        "account_id": "sandbox",
        "api_key": key,
        "account_email": "sandbox@example.com",
        "plan_id": "sandbox",
        "plan_name": "Sandbox Plan",
        "plan_monthly_price": 0.0,
        "searches_per_month": SEARCHES_A_MONTH,
        "plan_searches_left": SEARCHES_A_MONTH - used,
        "extra_credits": 0,
        "total_searches_left": SEARCHES_A_MONTH - used,
        "this_month_usage": used,
        "last_hour_searches": 0,
        "account_rate_limit_per_hour": 1000,
    }


def _parse(text: str) -> _Query:
    lower = text.lower()
    site = re.search(r"\bsite:(\S+)", lower)
    lower = re.sub(r"\bsite:\S+", " ", lower)
    phrases = tuple(phrase for quoted in re.findall(r'"([^"]+)"', lower) if (phrase := quoted.strip()))
    bare = re.findall(r"[\w-]+", re.sub(r'"[^"]*"', " ", lower))
    # A quoted industry counts as that industry, not as a phrase.
    words = [word for word in bare if word not in _FILLER and word != "or"]
    topics = {word for spoken in _SEARCH_WORDS.values() for word in spoken.split()} | set(_SEARCH_WORDS)
    words += [word for phrase in phrases if phrase in topics for word in phrase.split()]
    return _Query(
        words=tuple(words),
        phrases=tuple(phrase for phrase in phrases if phrase not in topics),
        site=site[1].split("/")[0] if site else None,
    )


def _about(company: Company) -> dict[str, float]:
    """Return the words that a company is found by, with their weights."""
    found = dict.fromkeys(re.findall(r"\w+", f"{company.makes} {company.city}".lower()), 1.0)
    found |= dict.fromkeys(_SEARCH_WORDS[company.industry].split(), 2.0)
    found |= dict.fromkeys(company.industry.split(), 3.0)
    found[company.name.lower()] = 5.0
    return found


def _has_phrase(text: str, phrase: str) -> bool:
    """Return whether a text holds a phrase as whole words, such as "vp marketing" in "VP of Marketing"."""
    words = [word for word in re.findall(r"\w+", text.lower()) if word != "of"]
    wanted = [word for word in re.findall(r"\w+", phrase.lower()) if word != "of"]
    return bool(wanted) and f" {' '.join(wanted)} " in f" {' '.join(words)} "


def _describes(person: Person, company: Company, phrases: tuple[str, ...]) -> bool:
    texts = (person.title, company.name, company.industry, person.name)
    return all(any(_has_phrase(text, phrase) or plain(text) == plain(phrase) for text in texts) for phrase in phrases)


def _result(hit: _Hit, position: int, port: str) -> dict[str, object]:
    company, person = hit.company, hit.person
    if person is not None:
        return {
            "position": position,
            "title": f"{person.name} - {person.title} - {company.name} | LinkedIn",
            "link": f"https://www.linkedin.com/in/{person.handle}",
            "displayed_link": "https://www.linkedin.com › in (sandbox)",
            "snippet": f"{company.city} · {person.title} · {company.name}. [sandbox] A person who doesn't exist.",
            "source": "LinkedIn",
        }
    host = company.web_host
    return {
        "position": position,
        "title": f"{company.name} | {company.makes.capitalize()}",
        "link": f"http://{host}:{port}/" if port.isdecimal() else f"http://{host}/",
        "displayed_link": host,
        "snippet": f"[sandbox] {company.name} offers {company.makes}. {company.city}.",
        "source": company.name,
    }
