"""Units that complete what is known: facts of companies, and addresses of people who lack one.

Bounded: paid look-ups are counted over the whole hop (``enrichment.max_lookups``), executives come first. Work is cut
into chunks small enough to be retried and large enough not to be thousands of units; each paid answer is
journalled under its own entry, so a retry pays only for what is still missing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, TypeVar

from pydantic import TypeAdapter

from agents.config import Enrichment
from agents.fallbacks import OPTIONAL_WAIT_S
from agents.lead_generation.answers import Company, Screened
from agents.lead_generation.chunks import chunks
from agents.lead_generation.clean import Candidate, CompanyFacts, Record, record_of
from agents.lead_generation.company_size import parse_size
from agents.lead_generation.mailboxes import is_webmail
from agents.lead_generation.screen import hashes_of, screen
from agents.lead_generation.titles import is_executive
from agents.unit import StageResult, Unit, short_hash
from agents.unit_kind import Part, UnitKind
from integrations.hunter import DomainFacts, FoundEmail
from integrations.retry import RetryPolicy

if TYPE_CHECKING:
    from agents.ports import UnitContext

CHUNK = 10  #: look-ups of one unit
POLICY = RetryPolicy(max_wait_s=OPTIONAL_WAIT_S)
FACTS = TypeAdapter(DomainFacts)
ADDRESS = TypeAdapter(FoundEmail)
A = TypeVar("A")


class AskedCompany(Part):
    """A company to look up, by its domain or else its name."""

    domain: str | None
    company: str | None
    people: bool  #: whether its people are wanted too


class CompaniesInput(Part):
    """Companies to look up."""

    companies: tuple[AskedCompany, ...]


class CompaniesAnswer(Screened):
    """Facts of companies, and their people where they were asked for."""

    companies: tuple[Company, ...] = ()

    def about_companies(self) -> Sequence[CompanyFacts]:
        """Return the facts of the companies that were asked about."""
        return tuple(company.facts("hunter") for company in self.companies)


class AskedPerson(Part):
    """A person who lacks an address."""

    name: str
    company: str | None
    domain: str | None


class FindInput(Part):
    """People who lack an address."""

    people: tuple[AskedPerson, ...]


def enrich_units(candidates: Sequence[Candidate], wanted: Enrichment, silent: Iterable[str] = ()) -> list[Unit]:
    """Plan look-ups of companies that lack facts, then of people who lack an address.

    ``silent`` are domains of companies that were found but whose sites named nobody.
    """
    if not wanted.find_emails:
        return []
    left = wanted.max_lookups
    companies = _companies(candidates)
    named = {item.domain for item in companies} | {found.record.domain for found in candidates}
    companies += [AskedCompany(domain=domain, company=None, people=True) for domain in silent if domain not in named]
    companies = companies[: left - left // 2]
    left -= len(companies)
    people = [
        AskedPerson(name=name, company=found.record.company, domain=found.record.domain)
        for found in executives_first(candidates)
        if found.record.email is None and (found.record.domain or found.record.company)
        if (name := found.record.name) and _parts(name)
    ][:left]
    return [
        *(
            COMPANIES.unit(
                f"companies:{number:04d}",
                CompaniesInput(companies=part),
                provider="hunter",
                essential=False,
                policy=POLICY,
            )
            for number, part in chunks(companies, CHUNK)
        ),
        *(
            FIND.unit(f"find:{number:04d}", FindInput(people=part), provider="hunter", essential=False, policy=POLICY)
            for number, part in chunks(people, CHUNK)
        ),
    ]


def paid_lookups(stage: StageResult | None) -> int:
    """Return the number of look-ups that an enrich stage was planned for."""
    units = [result.unit for result in stage.results] if stage else []
    companies = sum(len(COMPANIES.given(unit).companies) for unit in units if unit.kind == COMPANIES.name)
    return companies + sum(len(FIND.given(unit).people) for unit in units if unit.kind == FIND.name)


def run_companies(given: CompaniesInput, ctx: UnitContext) -> CompaniesAnswer:
    """Look up facts of companies, and their people where they are asked for."""
    facts: list[Company] = []
    records: list[Record] = []
    for item in given.companies:
        found = _look_up_company(ctx, item)
        company = Company(
            company=found.organization or item.company,
            domain=found.domain or item.domain,
            industry=found.industry,
            company_size=found.headcount,
            location=found.city,
        )
        facts.append(company)
        for person in found.people if item.people else ():
            name = " ".join(part for part in (person.first_name, person.last_name) if part)
            row = {**dict(company), "name": name, "email": person.email, "job_title": person.position}
            records.append(record_of(row, "hunter"))
    screened = screen(ctx, records)
    return CompaniesAnswer(records=screened.records, suppressed=screened.suppressed, companies=tuple(facts))


def run_find(given: FindInput, ctx: UnitContext) -> Screened:
    """Look up addresses of people."""
    records: list[Record] = []
    barred: set[str] = set()
    for item in given.people:
        found = _look_up_person(ctx, item)
        record = Record(
            source="hunter",
            name=item.name,
            email=found.email,
            job_title=found.position,
            company=item.company or found.company,
            domain=item.domain or found.domain,
        )
        if found.suppressed:
            barred |= hashes_of(record)
            ctx.suppression.bar(hashes_of(record), "objected, says hunter")
        elif found.email:
            records.append(record)
    screened = screen(ctx, records)
    return Screened(records=screened.records, suppressed=tuple(sorted({*screened.suppressed, *barred})))


COMPANIES = UnitKind(name="companies", input=CompaniesInput, output=CompaniesAnswer, run=run_companies)
FIND = UnitKind(name="find", input=FindInput, output=Screened, run=run_find)


def executives_first(candidates: Sequence[Candidate]) -> list[Candidate]:
    """Return the candidates with executives before the others, each group in its order."""
    return sorted(candidates, key=lambda found: not is_executive(found.record.job_title or ""))


def _look_up_company(ctx: UnitContext, asked: AskedCompany) -> DomainFacts:
    hunter = ctx.providers.hunter
    return paid_once(
        ctx,
        f"company.{short_hash(asked.domain or '', asked.company or '')}",
        FACTS,
        lambda timeout: hunter.domain_search(asked.domain, company=asked.company, timeout=timeout),
    )


def _look_up_person(ctx: UnitContext, asked: AskedPerson) -> FoundEmail:
    hunter = ctx.providers.hunter
    first, last = _parts(asked.name) or (asked.name, "")
    return paid_once(
        ctx,
        f"find.{short_hash(asked.name, asked.domain or '', asked.company or '')}",
        ADDRESS,
        lambda timeout: hunter.find_email(asked.domain, first, last, company=asked.company, timeout=timeout),
    )


def paid_once(
    ctx: UnitContext,
    entry: str,
    answer: TypeAdapter[A],
    send: Callable[[float], A],
    *,
    final: Callable[[A], bool] = lambda _found: True,
) -> A:
    """Return a paid answer: from the journal, else from Hunter, and journalled when it is ``final``."""
    journaled = ctx.journaled(entry)
    if journaled is not None:
        return answer.validate_python(journaled)
    found = ctx.call("hunter", send)
    if final(found):
        ctx.journal(entry, answer.dump_python(found, mode="json"))
    return found


def _companies(candidates: Sequence[Candidate]) -> list[AskedCompany]:
    """List companies that lack size or industry, each once.

    A user's own list isn't padded with people whom they didn't name.
    """
    wanted: dict[str, AskedCompany] = {}
    for found in executives_first(candidates):
        record = found.record
        where = record.domain or record.company
        if not where or (record.domain and is_webmail(record.domain)):
            continue
        if parse_size(record.company_size) and record.industry:
            continue
        own_list = any(source.startswith("file") for source in found.sources)
        known = wanted.get(where.lower())
        if known is None:
            wanted[where.lower()] = AskedCompany(domain=record.domain, company=record.company, people=not own_list)
        elif not own_list and not known.people:
            wanted[where.lower()] = known.model_copy(update={"people": True})
    return list(wanted.values())


def _parts(name: str) -> tuple[str, str] | None:
    """Split a name into first and last, or return None when it has only one part."""
    parts = name.split()
    return (parts[0], " ".join(parts[1:])) if len(parts) > 1 else None
