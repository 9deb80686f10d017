"""Units that bring people in: a web search, one site, one of the user's files.

Invariants: a page of search results is journalled before it is used, since it was paid for; a site is read within its
page budget and robots.txt; what comes out has passed the suppression list.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import PurePath
from typing import Any
from urllib.parse import urlsplit

from agents.config import FileSource, SearchSource, WebSource
from agents.lead_generation.clean import normal_domain, record_of
from agents.lead_generation.extract import extract
from agents.lead_generation.queries import search_queries, sites_to_read
from agents.lead_generation.screen import screen
from agents.ports import UnitContext
from agents.state import MarketingAgentState
from agents.unit import StageResult, Unit, short_hash
from integrations.errors import PolicyRefusedError, TransientError
from integrations.retry import RetryPolicy

SCRAPE_PAGES = 6  #: pages of a company's site that search found
MAX_TRIES = 2  #: tries to get the pages that failed, before the others are taken as they are


def discover_units(state: MarketingAgentState) -> list[Unit]:
    """One unit per query, site and file of the campaign's sources."""
    units: dict[str, Unit] = {}
    for source in state.campaign_config.lead_sources:
        if isinstance(source, SearchSource):
            for query in source.queries or search_queries(state.target_audience):
                _add(units, _search_unit(query, source.limit))
        elif isinstance(source, WebSource):
            for url in source.urls:
                _add(units, _site_unit(url, source.max_pages, given=True))
        else:
            _add(units, _file_unit(source))
    return list(units.values())


def scrape_units(state: MarketingAgentState, discovered: StageResult) -> list[Unit]:
    """One unit per company site that the searches found and nobody has read yet."""
    known = {
        domain
        for source in state.campaign_config.lead_sources
        if isinstance(source, WebSource)
        for url in source.urls
        if (domain := normal_domain(url))
    }
    searches = [output.get("results", []) for output in discovered.outputs("search")]
    return [_site_unit(url, SCRAPE_PAGES, given=False) for url in sites_to_read(searches, known)]


def run_search(unit: Unit, ctx: UnitContext) -> dict[str, Any]:
    """The results of one query, page by page."""
    query, limit = str(unit.input["query"]), int(unit.input["limit"])
    results: list[Mapping[str, Any]] = []
    more = True
    while more and len(results) < limit:
        page = _page(ctx, query, len(results), limit - len(results))
        results += page["results"]
        more = bool(page["more"] and page["results"])
    return {"query": query, "results": results[:limit]}


def _page(ctx: UnitContext, query: str, start: int, num: int) -> dict[str, Any]:
    entry = f"page.{start}"
    page: dict[str, Any] | None = ctx.journaled(entry)
    if page is None:
        search = ctx.providers.search
        found = ctx.call("serpapi", lambda timeout: search.page(query, start=start, num=num, timeout=timeout))
        page = {"results": [asdict(result) for result in found.results], "more": found.more}
        ctx.journal(entry, page)
    return page


def run_site(unit: Unit, ctx: UnitContext) -> dict[str, Any]:
    """Facts and people of one site."""
    url = str(unit.input["url"])
    web = ctx.providers.web
    timeout = ctx.providers.settings.http_timeout_s
    try:
        site = web.crawl(
            url,
            max_pages=int(unit.input["max_pages"]),
            timeout=timeout,
            fetch=lambda page: ctx.call("web", lambda left: web.fetch(page, timeout=left), scope=urlsplit(page).netloc),
        )
    except PolicyRefusedError as error:
        if error.detail == "robots" and not unit.input["given"]:
            return {"records": [], "suppressed": [], "closed": True}  # they don't want to be read: no failure
        raise
    tries = int(ctx.journaled("tries") or 0) + 1
    if site.failed and tries <= MAX_TRIES:
        ctx.journal("tries", tries)
        raise TransientError("web", f"{site.failed} pages of a site can't be read now")
    facts = extract([(page.url, page.html) for page in site.pages])
    company = {
        "company": facts.company,
        "domain": facts.domain,
        "industry": facts.industry,
        "company_size": facts.company_size,
        "location": facts.location,
    }
    records = [
        record_of({**company, **asdict(person), "source_url": person.page}, "web", url) for person in facts.people
    ]
    return {
        **screen(ctx, records),
        "company": company,
        "pages": len(site.pages),
        "forbidden": site.forbidden,
        "failed": site.failed,
    }


def run_file(unit: Unit, ctx: UnitContext) -> dict[str, Any]:
    """The rows of one of the user's files."""
    source = f"file:{unit.input['name']}"
    records = [record_of(row, source) for row in ctx.lead_files.rows(str(unit.input["file_id"]))]
    return screen(ctx, records)


def _add(units: dict[str, Unit], unit: Unit) -> None:
    units.setdefault(unit.key, unit)


def _search_unit(query: str, limit: int) -> Unit:
    return Unit(
        key=f"search:{short_hash(query.lower())}",
        kind="search",
        provider="serpapi",
        input={"query": query, "limit": limit},
    )


def _site_unit(url: str, max_pages: int, *, given: bool) -> Unit:
    return Unit(
        key=f"site:{short_hash(url.lower().rstrip('/'))}",
        kind="site",
        provider="web",
        input={"url": url, "max_pages": max_pages, "given": given},
        essential=given,
        # A site that is down is one source less; nobody waits a day for it.
        policy=RetryPolicy(max_wait_s=0.0),
    )


def _file_unit(source: FileSource) -> Unit:
    name = PurePath((source.path or source.file_id or "").replace("\\", "/")).name
    file_id = source.file_id or source.path or ""
    return Unit(
        key=f"file:{short_hash(file_id)}",
        kind="file",
        provider="local",
        input={"file_id": file_id, "name": name},
    )
