"""Units that complete what is known: facts of companies, addresses of people, people behind addresses.

A unit asks one enricher; where another one follows in the waterfall, that is the unit's fallback. Work is cut into
chunks small enough to be retried and large enough not to be thousands of units. Invariant: the answer says of each
question which enricher answered it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from pydantic import TypeAdapter

from agents.lead_generation import enricher_registry
from agents.lead_generation.answers import Screened
from agents.lead_generation.clean import CompanyFacts, Record
from agents.lead_generation.enricher import AskedCompany, AskedPerson, CompanyFound, PersonFound
from agents.lead_generation.paid import ASKS, PENDING_S, more_rounds, paid_once
from agents.lead_generation.screen import hashes_of, screen
from agents.unit import short_hash
from agents.unit_kind import Part, UnitKind
from integrations.errors import BadRequestError, StillWorkingError

if TYPE_CHECKING:
    from agents.ports import UnitContext


class CompaniesInput(Part):
    """Companies to look up."""

    companies: tuple[AskedCompany, ...]


class CompaniesAnswer(Screened):
    """Facts of companies, and their people where they were asked for."""

    companies: tuple[CompanyFound, ...] = ()  #: one for each question, in its order; without ``people``
    by: tuple[str, ...] = ()  #: the enricher that answered each
    stood_in: str | None = None  #: the fallback that answered in the place of the unit's own enricher

    def about_companies(self) -> Sequence[CompanyFacts]:
        """Return the facts of the companies that were asked about."""
        return tuple(found.facts(by) for found, by in zip(self.companies, self.by, strict=True))


class PeopleInput(Part):
    """People of whom something is missing."""

    people: tuple[AskedPerson, ...]


class PeopleAnswer(Screened):
    """What was found out about people."""

    by: tuple[str, ...] = ()
    stood_in: str | None = None


class _Told(Part):
    """An answer as it is journalled."""

    by: str
    company: CompanyFound | None = None
    person: PersonFound | None = None


TOLD = TypeAdapter(_Told)


def run_companies(given: CompaniesInput, ctx: UnitContext) -> CompaniesAnswer:
    """Look up facts of companies, and their people where they are asked for.

    Raises StillWorkingError while look-ups are being made.
    """
    told = _all_told(ctx, [(_company_entry(asked), _company_question(ctx, asked)) for asked in given.companies])
    found = [one.company or CompanyFound() for one in told]
    screened = screen(ctx, [record for one in found for record in one.people])
    return CompaniesAnswer(
        records=screened.records,
        suppressed=screened.suppressed,
        # What was asked about a domain holds for that domain, whichever one the enricher knows the company by.
        companies=tuple(
            one.model_copy(update={"people": (), "domain": asked.domain or one.domain})
            for asked, one in zip(given.companies, found, strict=True)
        ),
        by=tuple(one.by for one in told),
        stood_in=ctx.fallback,
    )


def run_people(given: PeopleInput, ctx: UnitContext) -> PeopleAnswer:
    """Look up addresses of people, and people behind addresses.

    Raises StillWorkingError while look-ups are being made.
    """
    told = _all_told(ctx, [(_person_entry(asked), _person_question(ctx, asked)) for asked in given.people])
    records: list[Record] = []
    barred: set[str] = set()
    for asked, one in zip(given.people, told, strict=True):
        found = one.person or PersonFound()
        record = Record(
            source=one.by,
            name=asked.name or found.name,
            email=asked.email or found.email,
            job_title=found.job_title,
            company=asked.company or found.company,
            domain=asked.domain or found.domain,
            location=found.location,
            profile_url=found.profile_url,
        )
        if found.objected:
            if record.email:
                ctx.suppression.suppress(record.email, f"objected, says {one.by}")
            barred |= hashes_of(record)
            ctx.suppression.bar(hashes_of(record), "objected, says hunter")
        elif found.email:
            records.append(record)
    screened = screen(ctx, records)
    return PeopleAnswer(
        records=screened.records,
        suppressed=tuple(sorted({*screened.suppressed, *barred})),
        by=tuple(one.by for one in told),
        stood_in=ctx.fallback,
    )


COMPANIES = UnitKind(name="companies", input=CompaniesInput, output=CompaniesAnswer, run=run_companies)
PEOPLE = UnitKind(name="find", input=PeopleInput, output=PeopleAnswer, run=run_people)


def _all_told(ctx: UnitContext, questions: Sequence[tuple[str, Callable[[float], _Told]]]) -> list[_Told]:
    """Return the answer to each question, an empty one where the enricher refuses the question or is never done.

    Raises StillWorkingError, and the refusal when every question is refused.
    """
    by = ctx.fallback or ctx.unit.provider
    told: dict[str, _Told] = {}
    refusal: BadRequestError | None = None
    waiting = dict(questions)
    for _ in range(ASKS):
        for entry, send in list(waiting.items()):
            try:
                found = paid_once(ctx, by, entry, TOLD, send, final=lambda one: not _pending(one))
            except BadRequestError as error:  # of this question; the others are none the worse
                refusal, found = error, _Told(by=by)
            if not _pending(found):
                told[entry] = found
                del waiting[entry]
    if refusal is not None and all(one.company is None and one.person is None for one in told.values()) and not waiting:
        raise refusal
    if waiting and more_rounds(ctx):
        raise StillWorkingError(by, f"{len(waiting)} look-ups are still being made", retry_after=PENDING_S)
    return [told.get(entry) or _Told(by=by) for entry, _ in questions]


def _pending(told: _Told) -> bool:
    return bool((told.company and told.company.pending) or (told.person and told.person.pending))


def _company_question(ctx: UnitContext, asked: AskedCompany) -> Callable[[float], _Told]:
    enricher = enricher_registry.enricher(ctx.fallback or ctx.unit.provider)

    def ask(timeout: float) -> _Told:
        assert enricher.company is not None, f"{enricher.name} has no facts of companies"
        found = enricher.company(ctx.providers, asked, timeout)
        dated = found if found.as_of else found.model_copy(update={"as_of": ctx.clock.now().date()})
        return _Told(by=enricher.name, company=dated)

    return ask


def _person_question(ctx: UnitContext, asked: AskedPerson) -> Callable[[float], _Told]:
    enricher = enricher_registry.enricher(ctx.fallback or ctx.unit.provider)
    function = enricher.person if asked.email else enricher.address

    def ask(timeout: float) -> _Told:
        assert function is not None, f"{enricher.name} can't be asked about people"
        found = function(ctx.providers, asked, timeout)
        dated = found if found.as_of else found.model_copy(update={"as_of": ctx.clock.now().date()})
        return _Told(by=enricher.name, person=dated)

    return ask


def _company_entry(asked: AskedCompany) -> str:
    return f"company.{short_hash(asked.domain or '', asked.company or '')}"


def _person_entry(asked: AskedPerson) -> str:
    return f"find.{short_hash(asked.name or '', asked.email or '', asked.domain or '', asked.company or '')}"
