"""Leads from LinkedIn by licensed routes: what a search engine shows of public profiles, or a provider's licensed data.

Invariant: no page of linkedin.com is ever fetched. Of a search result only title, snippet and URL are stored, and what
was paid for is journalled before it is used.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Literal

from pydantic import AliasChoices, Field

from agents.config import SourceConfig, TargetAudience
from agents.config_values import Texts
from agents.lead_generation.answers import Answer, Screened
from agents.lead_generation.clean import Record, record_of
from agents.lead_generation.profile_queries import people_sql, profile_queries
from agents.lead_generation.queries import Result, is_profile, people_of
from agents.lead_generation.screen import screen
from agents.lead_generation.source import LeadSource
from agents.unit import Unit, short_hash
from agents.unit_kind import Part, UnitKind
from integrations.pdl import MAX_PAGE, PeopleDataLabs

if TYPE_CHECKING:
    from agents.ports import UnitContext


class LinkedInSource(SourceConfig):
    """People on LinkedIn, without a visit to it."""

    type: Literal["linkedin"] = "linkedin"
    driver: Literal["serpapi", "pdl"] = Field(
        default="serpapi", description="serpapi: entries in web search; pdl: licensed data of People Data Labs"
    )
    job_titles: Texts = Field(
        default=(),
        validation_alias=AliasChoices("job_titles", "job_title", "titles", "title"),
        description="default: those of the audience",
    )
    companies: Texts = Field(
        default=(),
        validation_alias=AliasChoices("companies", "company"),
        description="default: the audience's industries",
    )
    limit: int = Field(default=20, ge=1, le=1000, description="serpapi: results per query; pdl: people in all")


class ProfilesInput(Part):
    """A query for entries of profiles and how many results it shall have at most."""

    query: str
    limit: int


class Entries(Part):
    """One page of entries of profiles, as it is journalled, and how many results it had."""

    results: tuple[Result, ...]
    size: int
    more: bool


class ProfilesAnswer(Answer):
    """Entries of profiles of one query."""

    results: tuple[Result, ...]

    def people(self) -> Sequence[Record]:
        """Return the people whom the entries name."""
        return people_of(self.results, "linkedin:serpapi")


class LicensedInput(Part):
    """A query over licensed data and how many people it shall find at most."""

    sql: str
    limit: int


class LicensedPage(Part):
    """One page of people, as it is journalled."""

    people: tuple[dict[str, str | None], ...]
    following: str | None


def run_profiles(given: ProfilesInput, ctx: UnitContext) -> ProfilesAnswer:
    """Get the entries of profiles that one query finds, page by page."""
    results: list[Result] = []
    start, more = 0, True
    while more and start < given.limit:
        page = _entries(ctx, given.query, start, given.limit - start)
        results += page.results
        start += page.size
        more = page.more and page.size > 0
    return ProfilesAnswer(results=tuple(results))


def run_licensed(given: LicensedInput, ctx: UnitContext) -> Screened:
    """Get the people whom one query over licensed data finds, page by page."""
    people: list[dict[str, str | None]] = []
    following: str | None = None
    for number in range(-(-given.limit // MAX_PAGE)):
        page = _licensed(ctx, given.sql, number, given.limit - len(people), following)
        people += page.people
        following = page.following
        if following is None:
            break
    return screen(ctx, [record_of(_row(person), "linkedin:pdl") for person in people[: given.limit]])


def _entries(ctx: UnitContext, query: str, start: int, num: int) -> Entries:
    entry = f"page.{start}"
    journaled = ctx.journaled(entry)
    if journaled is not None:
        return Entries.model_validate(journaled)
    search = ctx.providers.search
    found = ctx.call("serpapi", lambda timeout: search.page(query, start=start, num=num, timeout=timeout))
    kept = [
        Result(title=one.title, link=one.link, snippet=one.snippet) for one in found.results if is_profile(one.link)
    ]
    page = Entries(results=tuple(kept), size=len(found.results), more=found.more)
    ctx.journal(entry, page.model_dump(mode="json"))
    return page


def _licensed(ctx: UnitContext, sql: str, number: int, size: int, following: str | None) -> LicensedPage:
    entry = f"page.{number}"
    journaled = ctx.journaled(entry)
    if journaled is not None:
        return LicensedPage.model_validate(journaled)
    client = ctx.providers.client(PeopleDataLabs)
    found = ctx.call("pdl", lambda timeout: client.search(sql, size=size, scroll_token=following, timeout=timeout))
    page = LicensedPage(people=tuple(asdict(person) for person in found.people), following=found.scroll_token)
    ctx.journal(entry, page.model_dump(mode="json"))
    return page


def _row(person: dict[str, str | None]) -> dict[str, object]:
    profile = person["profile"]
    url = f"https://www.{profile.removeprefix('www.')}" if profile else None
    return {
        "name": person["name"],
        "email": person["work_email"],
        "job_title": person["title"],
        "company": person["company"],
        "domain": person["domain"],
        "industry": person["industry"],
        "company_size": person["size"],
        "location": person["location"],
        "profile_url": url,
        "source_url": url,
    }


PROFILES = UnitKind(name="profiles", input=ProfilesInput, output=ProfilesAnswer, run=run_profiles)
LICENSED = UnitKind(name="licensed", input=LicensedInput, output=Screened, run=run_licensed)


def people_units(config: LinkedInSource, audience: TargetAudience) -> list[Unit]:
    """Plan one unit per query for entries of profiles, or one for licensed data."""
    if config.driver == "pdl":
        sql = people_sql(audience, config.job_titles, config.companies)
        given = LicensedInput(sql=sql, limit=config.limit)
        return [LICENSED.unit(f"licensed:{short_hash(sql)}", given, provider="pdl")]
    return [
        PROFILES.unit(
            f"profiles:{short_hash(query)}", ProfilesInput(query=query, limit=config.limit), provider="serpapi"
        )
        for query in profile_queries(audience, config.job_titles, config.companies)
    ]


SOURCE = LeadSource(
    name="linkedin",
    title="LinkedIn",
    config=LinkedInSource,
    kinds=(PROFILES, LICENSED),
    units=people_units,
    chosen_providers=lambda config: (config.driver,),
)
