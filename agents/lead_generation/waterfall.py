"""Waterfall of enrichers: which one is asked about which company or person, stage by stage.

Pure. The first stage asks the first enricher that can be asked; what it doesn't know goes to the next one in the next
stage. Invariants: an enricher is asked about nothing that an earlier one has completed, nor twice about the same; what
no enricher answered, since a unit failed, is not asked for again; all look-ups of a hop together stay within
``enrichment.max_lookups``.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

from agents.chunks import chunks
from agents.config import Enrichment
from agents.fallbacks import OPTIONAL_WAIT_S
from agents.fit.asked_titles import fits_title
from agents.fit.company_size import parse_size
from agents.fit.titles import is_executive
from agents.lead_generation import enricher_registry
from agents.lead_generation.clean import Candidate
from agents.lead_generation.enrich import COMPANIES, PEOPLE, CompaniesInput, PeopleInput
from agents.lead_generation.enricher import AskedCompany, AskedPerson, Enricher
from agents.lead_generation.mailboxes import is_role, is_webmail
from agents.unit import StageResult, Unit
from integrations.retry import RetryPolicy

CHUNK = 10  #: look-ups of one unit

#: Without another enricher behind it, a unit waits for its own; with one it is tried once more before that one is used.
ALONE = RetryPolicy(max_wait_s=OPTIONAL_WAIT_S)
BEFORE_THE_NEXT = replace(ALONE, max_retries=1)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Planned(Generic[T]):
    """A question, and the enrichers that can answer it: the one to ask, then its fallbacks."""

    question: T
    able: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Asked:
    """What earlier stages asked, by every name that it goes by, and who answered."""

    chain: Sequence[Enricher]
    by: Mapping[str, set[str | None]]  #: None: a unit failed, and no enricher answered
    begun: bool  #: whether there was an earlier stage

    def left(self, names: Iterable[str], able: Iterable[Enricher]) -> tuple[str, ...]:
        """Return those of the ``able`` enrichers that are still to be asked about what goes by ``names``."""
        told = {one for name in names for one in self.by.get(name, ())}
        if (self.begun and not told) or None in told:
            return ()
        order = [enricher.name for enricher in self.chain]
        last = max((order.index(name) for name in told if name in order), default=-1)
        return tuple(enricher.name for enricher in able if order.index(enricher.name) > last)


def units(
    candidates: Sequence[Candidate],
    wanted: Enrichment,
    silent: Iterable[str],
    done: Sequence[StageResult],
    titles: Sequence[str] = (),
) -> list[Unit]:
    """Plan the look-ups of the next stage, after the stages of look-ups ``done``.

    ``silent`` are domains of companies that were found but whose sites named no person. Companies come before people,
    people with the ``titles`` asked for (else executives) before others.
    """
    if not wanted.find_emails:
        return []
    asked = _asked(enricher_registry.chain(wanted.providers), done)
    left = max(0, wanted.max_lookups - paid_lookups(done))
    candidates = wanted_first(candidates, titles)
    companies = [*_companies(candidates, asked), *_silent(candidates, silent, asked)][: left - left // 2]
    people = list(_people(candidates, asked))[: left - len(companies)]
    return [
        *(
            COMPANIES.unit(
                f"companies:{number:04d}",
                CompaniesInput(companies=part),
                provider=able[0],
                essential=False,
                policy=_policy(able),
            )
            for number, (able, part) in enumerate(_grouped(companies))
        ),
        *(
            PEOPLE.unit(
                f"find:{number:04d}",
                PeopleInput(people=part),
                provider=able[0],
                essential=False,
                policy=_policy(able),
            )
            for number, (able, part) in enumerate(_grouped(people))
        ),
    ]


def paid_lookups(done: Iterable[StageResult]) -> int:
    """Return the number of look-ups that the stages were planned for."""
    planned = [result.unit for stage in done for result in stage.results]
    companies = sum(len(COMPANIES.given(unit).companies) for unit in planned if unit.kind == COMPANIES.name)
    return companies + sum(len(PEOPLE.given(unit).people) for unit in planned if unit.kind == PEOPLE.name)


def wanted_first(candidates: Sequence[Candidate], titles: Sequence[str] = ()) -> list[Candidate]:
    """Return the candidates with the titles asked for, else executives, before the others, each group in its order."""
    return sorted(candidates, key=lambda found: not _wanted(found.record.job_title or "", titles))


def _wanted(title: str, titles: Sequence[str]) -> bool:
    return bool(fits_title(title, titles)) if titles else is_executive(title)


def _policy(able: Sequence[str]) -> RetryPolicy:
    return replace(BEFORE_THE_NEXT, fallback=tuple(able[1:])) if len(able) > 1 else ALONE


def _grouped(planned: Sequence[_Planned[T]]) -> Iterator[tuple[tuple[str, ...], tuple[T, ...]]]:
    """Yield (enrichers, questions) of each unit, whose questions all have the same enrichers."""
    groups: dict[tuple[str, ...], list[T]] = {}
    for one in planned:
        groups.setdefault(one.able, []).append(one.question)
    for able, questions in groups.items():
        for _, part in chunks(questions, CHUNK):
            yield able, part


def _asked(chain: Sequence[Enricher], done: Sequence[StageResult]) -> _Asked:
    by: defaultdict[str, set[str | None]] = defaultdict(set)
    for result in (result for stage in done for result in stage.results):
        names: list[list[str]] = []
        told: Sequence[str | None] | None = None
        if result.unit.kind == COMPANIES.name:
            names = [_names_of_company(one) for one in COMPANIES.given(result.unit).companies]
            companies = COMPANIES.answer(result)
            told = companies.by if companies else None
        elif result.unit.kind == PEOPLE.name:
            names = [_names_of_person(one) for one in PEOPLE.given(result.unit).people]
            people = PEOPLE.answer(result)
            told = people.by if people else None
        failed: list[str | None] = [None] * len(names)
        for known, answered_by in zip(names, told or failed, strict=True):
            for name in known:
                by[name].add(answered_by)
    return _Asked(chain, by, begun=bool(done))


def _companies(candidates: Sequence[Candidate], asked: _Asked) -> Iterator[_Planned[AskedCompany]]:
    """Plan to ask about the companies that lack size or industry, each once.

    A user's own list isn't padded with people whom they didn't name.
    """
    wanted: dict[str, AskedCompany] = {}
    for found in candidates:
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
    for one in wanted.values():
        able = (enricher for enricher in asked.chain if enricher.company and (one.domain or enricher.by_name))
        if left := asked.left(_names_of_company(one), able):
            yield _Planned(one, left)


def _silent(candidates: Sequence[Candidate], silent: Iterable[str], asked: _Asked) -> Iterator[_Planned[AskedCompany]]:
    """Plan to ask for the people of companies whose sites named no person."""
    named = {found.record.domain for found in candidates}
    able = [enricher for enricher in asked.chain if enricher.company and enricher.lists_people]
    for domain in dict.fromkeys(domain for domain in silent if domain not in named):
        one = AskedCompany(domain=domain, company=None, people=True)
        if left := asked.left(_names_of_company(one), able):
            yield _Planned(one, left)


def _people(candidates: Sequence[Candidate], asked: _Asked) -> Iterator[_Planned[AskedPerson]]:
    """Plan to ask for the addresses of named people, and for the people behind addresses."""
    for found in candidates:
        record = found.record
        one = AskedPerson(name=record.name, email=record.email, company=record.company, domain=record.domain)
        if record.email is None:
            named = record.name and " " in record.name and (record.domain or record.company)
            able = [enricher for enricher in asked.chain if enricher.address] if named else []
        elif (record.name and record.job_title) or is_role(record.email):
            continue
        else:
            able = [enricher for enricher in asked.chain if enricher.person]
        if left := asked.left(_names_of_person(one), able):
            yield _Planned(one, left)


def _names_of_company(one: AskedCompany) -> list[str]:
    return [f"company:{name.lower()}" for name in (one.domain, one.company) if name]


def _names_of_person(one: AskedPerson) -> list[str]:
    if one.email:
        return [f"address:{one.email}"]
    return [f"person:{one.name}:{place}".lower() for place in (one.domain, one.company) if place]
