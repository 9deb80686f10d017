"""Leads from X: authors of public posts about the audience's topics whose profiles say where they work.

Of a post nothing is kept but its number and its author's public profile. Invariant: a page of posts is journalled
before it is used, since it was paid for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import AfterValidator, AliasChoices, BeforeValidator, Field

from agents.config import SourceConfig, TargetAudience
from agents.config_values import LongText, listed
from agents.lead_generation.answers import Company, Screened
from agents.lead_generation.clean import CompanyFacts, normal_domain
from agents.lead_generation.queries import MAX_SITES, company_domain
from agents.lead_generation.screen import screen
from agents.lead_generation.source import LeadSource
from agents.lead_generation.sources.search import SCRAPE_PAGES
from agents.lead_generation.sources.web import SITE, site_unit
from agents.lead_generation.x_authors import MAX_QUERY, Author, companies_of_authors, people_of_authors, x_queries
from agents.unit import StageResult, Unit, short_hash
from agents.unit_kind import Part, UnitKind
from integrations.x import MAX_PAGE, X

if TYPE_CHECKING:
    from agents.ports import UnitContext


def _short(queries: tuple[str, ...]) -> tuple[str, ...]:
    for query in queries:
        if len(query) > MAX_QUERY:
            raise ValueError(f"a query on X has at most {MAX_QUERY} characters, not {len(query)}; split it")
    return queries


class XSource(SourceConfig):
    """Leads from public posts on X of the last seven days."""

    type: Literal["x"] = "x"
    queries: Annotated[tuple[LongText, ...], BeforeValidator(listed), Field(max_length=50), AfterValidator(_short)] = (
        Field(
            default=(),
            validation_alias=AliasChoices("queries", "query"),
            description="in X's query language; default: the audience's industries and titles",
        )
    )
    limit: int = Field(default=100, ge=10, le=1000, description="posts per query")


class PostsInput(Part):
    """A query and how many posts it shall have at most."""

    query: str
    limit: int


class Page(Part):
    """One page of posts, as it is journalled."""

    authors: tuple[Author, ...]
    following: str | None


class PostsAnswer(Screened):
    """Authors of posts who say where they work, and companies that post."""

    companies: tuple[Company, ...] = ()
    sites: tuple[str, ...] = ()  #: of the companies

    def about_companies(self) -> Sequence[CompanyFacts]:
        """Return the companies that post under their own names."""
        return tuple(company.facts("x") for company in self.companies)


def run_posts(given: PostsInput, ctx: UnitContext) -> PostsAnswer:
    """Get the authors of the posts that match one query, page by page."""
    authors: list[Author] = []
    following: str | None = None
    for number in range(-(-given.limit // MAX_PAGE)):
        page = _page(ctx, given.query, number, given.limit - number * MAX_PAGE, following)
        authors += page.authors
        following = page.following
        if following is None:
            break
    people = people_of_authors(authors[: given.limit])
    companies = tuple(companies_of_authors(authors[: given.limit]))
    screened = screen(ctx, people)
    domains = {company.domain for company in companies} | {person.domain for person in screened.records}
    links = [author.url for author in authors if author.url and company_domain(author.url) in domains]
    return PostsAnswer(
        records=screened.records,
        suppressed=screened.suppressed,
        companies=companies,
        sites=tuple(dict.fromkeys(links))[:MAX_SITES],
    )


def _page(ctx: UnitContext, query: str, number: int, num: int, following: str | None) -> Page:
    entry = f"page.{number}"
    journaled = ctx.journaled(entry)
    if journaled is not None:
        return Page.model_validate(journaled)
    client = ctx.providers.client(X)
    found = ctx.call("x", lambda timeout: client.posts(query, num=num, next_token=following, timeout=timeout))
    page = Page(
        authors=tuple(Author(post_id=post.id, **asdict(post.author)) for post in found.posts),
        following=found.next_token,
    )
    ctx.journal(entry, page.model_dump(mode="json"))
    return page


POSTS = UnitKind(name="posts", input=PostsInput, output=PostsAnswer, run=run_posts)


def post_units(config: XSource, audience: TargetAudience) -> list[Unit]:
    """Plan one unit per query: the configured ones, else those that the audience suggests."""
    return [
        POSTS.unit(f"posts:{short_hash(query)}", PostsInput(query=query, limit=config.limit), provider="x")
        for query in config.queries or x_queries(audience)
    ]


def sites_named(discovered: StageResult) -> list[Unit]:
    """Plan the reading of the company sites that profiles name and no unit has been given."""
    known = {
        normal_domain(SITE.given(result.unit).url) for result in discovered.results if result.unit.kind == SITE.name
    }
    sites: dict[str, str] = {}
    for _, answer in POSTS.answers([discovered]):
        for url in answer.sites:
            if (domain := normal_domain(url)) and domain not in known:
                sites.setdefault(domain, url)
    return [site_unit(url, SCRAPE_PAGES, given=False) for url in list(sites.values())[:MAX_SITES]]


SOURCE = LeadSource(
    name="x",
    title="X",
    config=XSource,
    kinds=(POSTS,),
    units=post_units,
    follow_up=sites_named,
    providers=("x",),
)
