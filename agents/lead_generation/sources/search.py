"""Leads from web search: public profile entries, and the sites of the companies that were found.

Invariant: a page of search results is journalled before it is used, since it was paid for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Literal

from pydantic import AliasChoices, Field

from agents.config import SourceConfig, TargetAudience
from agents.config_values import Texts
from agents.lead_generation.answers import Answer
from agents.lead_generation.clean import CompanyFacts, Record, normal_domain
from agents.lead_generation.queries import Result, companies_of, people_of, search_queries, sites_to_read
from agents.lead_generation.screen import screen
from agents.lead_generation.source import LeadSource
from agents.lead_generation.sources.web import SITE, site_unit
from agents.unit import StageResult, Unit, short_hash
from agents.unit_kind import Part, UnitKind

if TYPE_CHECKING:
    from agents.ports import UnitContext

SCRAPE_PAGES = 6  #: pages of a company's site that search found


class SearchSource(SourceConfig):
    """Leads from web search (SerpApi)."""

    type: Literal["search"] = "search"
    queries: Texts = Field(default=(), validation_alias=AliasChoices("queries", "query"))
    limit: int = Field(default=20, ge=1, le=100, description="results per query")


class SearchInput(Part):
    """A query and how many results it shall have at most."""

    query: str
    limit: int


class Page(Part):
    """One page of results, as it is journalled."""

    results: tuple[Result, ...]
    more: bool


class SearchAnswer(Answer):
    """Results of one query."""

    query: str
    results: tuple[Result, ...]
    suppressed: tuple[str, ...] | None = None  #: hashes of people in the results who must not be addressed

    def barred(self) -> Sequence[str]:
        """Return the identity hashes of people who must not be addressed."""
        return self.suppressed or ()

    def people(self) -> Sequence[Record]:
        """Return the people whose public profiles were found."""
        return people_of(self.results)

    def about_companies(self) -> Sequence[CompanyFacts]:
        """Return the companies whose sites were found."""
        return companies_of(self.results)


def run_search(given: SearchInput, ctx: UnitContext) -> SearchAnswer:
    """Get the results of one query, page by page."""
    results: list[Result] = []
    more = True
    while more and len(results) < given.limit:
        page = _page(ctx, given.query, len(results), given.limit - len(results))
        results += page.results
        more = page.more and bool(page.results)
    answer = SearchAnswer(query=given.query, results=tuple(results[: given.limit]))
    found = screen(ctx, answer.people()).suppressed
    return answer.model_copy(update={"suppressed": found}) if found else answer


def _page(ctx: UnitContext, query: str, start: int, num: int) -> Page:
    entry = f"page.{start}"
    journaled = ctx.journaled(entry)
    if journaled is not None:
        return Page.model_validate(journaled)
    search = ctx.providers.search
    found = ctx.call("serpapi", lambda timeout: search.page(query, start=start, num=num, timeout=timeout))
    page = Page(results=tuple(Result(**asdict(result)) for result in found.results), more=found.more)
    ctx.journal(entry, page.model_dump(mode="json"))
    return page


SEARCH = UnitKind(name="search", input=SearchInput, output=SearchAnswer, run=run_search)


def search_units(config: SearchSource, audience: TargetAudience) -> list[Unit]:
    """Plan one unit per query: the configured ones, else those that the audience suggests."""
    return [
        SEARCH.unit(
            f"search:{short_hash(query.lower())}", SearchInput(query=query, limit=config.limit), provider="serpapi"
        )
        for query in config.queries or search_queries(audience)
    ]


def sites_found(discovered: StageResult) -> list[Unit]:
    """Plan the reading of the company sites that the searches found and no unit has been given."""
    known = {
        domain
        for result in discovered.results
        if result.unit.kind == SITE.name
        if (domain := normal_domain(SITE.given(result.unit).url))
    }
    searches = [answer.results for _, answer in SEARCH.answers([discovered])]
    return [site_unit(url, SCRAPE_PAGES, given=False) for url in sites_to_read(searches, known)]


SOURCE = LeadSource(
    name="search",
    title="Web search",
    config=SearchSource,
    kinds=(SEARCH,),
    units=search_units,
    follow_up=sites_found,
    providers=("serpapi",),
)
