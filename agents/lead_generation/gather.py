"""Pure path from the results of a hop's stages to people, and from people to scored leads.

Invariant: everything here is a function of the stage results in their planned order, so planning a later stage and
writing the state see the same people.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cache
from types import MappingProxyType
from urllib.parse import urlsplit

from agents.fit.company_size import parse_size
from agents.lead_generation import source_registry
from agents.lead_generation.answers import Answer
from agents.lead_generation.clean import SUPPRESSED, Candidate, Cleaned, Record, identity, normal_domain
from agents.lead_generation.cleaned_cache import CleanedCache, Findings
from agents.lead_generation.enrich import COMPANIES, PEOPLE, CompaniesAnswer, PeopleAnswer
from agents.lead_generation.mailboxes import is_role
from agents.lead_generation.sources.file import FILE
from agents.lead_generation.sources.web import SITE
from agents.lead_generation.verify import RESOLVE, VERIFY
from agents.learning.ranking import ranked
from agents.learning.weights import Weights
from agents.legal_basis import LEGITIMATE_INTEREST, LegalBasis, notice_due, read_basis
from agents.scoring import LeadCriteria, lead_score
from agents.state import Lead
from agents.unit import StageResult, short_hash
from agents.unit_kind import AnyKind, kinds

#: Hunter's verdict -> the lead's; what is missing here takes no mail
VERDICTS: Mapping[str, str] = {
    "valid": "valid",
    "accept_all": "accept_all",
    "webmail": "unknown",
    "unknown": "unknown",
}

UNDELIVERABLE = "undeliverable e-mail address"
MAX_WARNINGS, MAX_WARNING = 10, 300  #: of one file that are told, and characters of each
_ADDRESS = re.compile(r"\S+@\S+")
_CLEANED = CleanedCache()


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """What is known about mail domains and addresses."""

    domains: Mapping[str, str] = field(default_factory=dict)  #: domain -> accepts | refuses | unknown
    emails: Mapping[str, str] = field(default_factory=dict)  #: address -> Hunter's verdict

    def status(self, email: str) -> str | None:
        """Return the e-mail status of a lead with this address, or None when the address takes no mail.

        An address of a function, such as info@, is ``role`` whatever the verdict: it reaches no single person.
        """
        if self.domains.get(email.rpartition("@")[2]) == "refuses":
            return None
        verdict = self.emails.get(email)
        status = VERDICTS.get(verdict) if verdict else "unverified"
        return "role" if status is not None and is_role(email) else status


@cache
def unit_kinds() -> Mapping[str, AnyKind]:
    """Return the agent's own unit kinds and those of every installed source."""
    return {**source_registry.unit_kinds(), **kinds(COMPANIES, PEOPLE, RESOLVE, VERIFY)}


def people(results: Sequence[StageResult]) -> Cleaned:
    """Merge all people whom the stages so far have brought."""
    answers = list(_answers(results))
    return _CLEANED.clean(
        Findings(
            records=tuple(record for answer in answers for record in answer.people()),
            companies=tuple(facts for answer in answers for facts in answer.about_companies()),
            barred=frozenset(found for answer in answers for found in answer.barred()),
        )
    )


def silent_sites(results: Sequence[StageResult]) -> list[str]:
    """Return the domains of sites that named no person, whether read or closed to us."""
    silent: list[str] = []
    for result in (result for stage in results for result in stage.results if result.unit.kind == SITE.name):
        answer = SITE.answer(result)
        domain = normal_domain(SITE.given(result.unit).url)
        if domain and not (answer and answer.records):
            silent.append(domain)
    return silent


def verified(results: Sequence[StageResult]) -> Verified:
    """Collect the findings of the resolve and verify stages."""
    domains: dict[str, str] = {}
    emails: dict[str, str] = {}
    for _, resolved in RESOLVE.answers(results):
        domains |= resolved.domains
    for _, checked in VERIFY.answers(results):
        emails |= checked.emails
    return Verified(domains=domains, emails=emails)


def suppressed_rows(results: Sequence[StageResult]) -> list[tuple[str, str]]:
    """Return the rows of own files that the suppression list kept out, each with that reason."""
    return [(row, SUPPRESSED) for _, answer in FILE.answers(results) for row in answer.suppressed_rows or ()]


def about_files(results: Sequence[StageResult]) -> Mapping[str, Mapping[str, object]]:
    """Return what the reading of own files had to say, by their names: warnings, and rows that it left out."""
    found: dict[str, Mapping[str, object]] = {}
    for _, answer in FILE.answers(results):
        warnings = [_ADDRESS.sub("[address]", text)[:MAX_WARNING] for text in (answer.warnings or ())[:MAX_WARNINGS]]
        told = {"warnings": warnings, "left_out": dict(answer.unread or {})}
        if any(told.values()):
            found[answer.name or ""] = {name: value for name, value in told.items() if value}
    return found


def sites_not_read(results: Sequence[StageResult]) -> Mapping[str, Mapping[str, int | str]]:
    """Return why sites were not read: how many by reason, and the reason for each that the user has named."""
    reasons: Counter[str] = Counter()
    named: dict[str, str] = {}
    for result in (result for stage in results for result in stage.results if result.unit.kind == SITE.name):
        answer = SITE.answer(result)
        if answer is not None and not answer.closed:
            continue
        reason = "robots.txt forbids it" if answer else str((result.error or {}).get("message") or "no answer")
        reasons[reason] += 1
        given = SITE.given(result.unit)
        if given.given:
            named[urlsplit(given.url).hostname or ""] = reason
    found: dict[str, Mapping[str, int | str]] = {"by_reason": dict(sorted(reasons.items())), "named": named}
    return {name: value for name, value in found.items() if value}


def stand_ins(results: Sequence[StageResult]) -> Mapping[str, int]:
    """Return how many units were done by another enricher in the place of their own, as "hunter for clearbit"."""
    known = unit_kinds()
    found: Counter[str] = Counter()
    for result in (result for stage in results for result in stage.results if result.ok):
        answer = known[result.unit.kind].answer(result)
        if isinstance(answer, CompaniesAnswer | PeopleAnswer) and answer.stood_in:
            found[f"{answer.stood_in} for {result.unit.provider}"] += 1
    return dict(sorted(found.items()))


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    """What became of all that was found."""

    leads: tuple[Lead, ...]
    rejected: Mapping[str, int]  #: number of records that were set aside, and of addresses that were lost, by reason
    rows_set_aside: tuple[tuple[str, str], ...]  #: (row of an own file, reason)


def leads(
    cleaned: Cleaned,
    known: Verified,
    criteria: LeadCriteria,
    *,
    campaign_id: str,
    now: datetime,
    bases: Mapping[str, LegalBasis] = MappingProxyType({}),
    weights: Weights | None = None,
) -> Scored:
    """Return scored leads, and what was set aside.

    ``bases`` are the legal bases of the sources, by the kind of source; ``weights`` what outcomes have taught. An
    address that takes no mail is taken off its lead, which keeps the next one of its own; a lead that nothing else
    identifies goes with it.
    """
    rejected = Counter(cleaned.rejected)
    kept: list[tuple[Candidate, str]] = []
    dead: list[Candidate] = []
    for found in cleaned.candidates:
        deliverable = _deliverable(found, known)
        lost = len(found.emails) - len(deliverable)
        if lost:
            rejected[UNDELIVERABLE] += lost
        if deliverable or not found.record.email:
            email, status = next(iter(deliverable.items()), (None, "unverified"))
            record = found.record if email == found.record.email else replace(found.record, email=email)
            kept.append((replace(found, record=record, other_emails=tuple(deliverable)[1:]), status))
        else:
            dead.append(replace(found, record=replace(found.record, email=None), other_emails=()))
    persons = {_person(found.record): found.key for found, _ in kept}
    gone: list[tuple[str, str]] = []
    merged: dict[str, tuple[str, ...]] = {}
    for found in dead:
        person = _person(found.record)
        if person and person not in persons:
            persons[person] = found.key
            kept.append((found, "unverified"))
        elif person:
            merged[persons[person]] = (*merged.get(persons[person], ()), *found.rows)
        else:
            gone += [(row, UNDELIVERABLE) for row in found.rows]
    place = {found.key: number for number, found in enumerate(cleaned.candidates)}
    kept.sort(key=lambda item: place[item[0].key])
    scored = tuple(
        _scored(
            _lead(replace(found, rows=(*found.rows, *merged.get(found.key, ()))), status, campaign_id, now, bases),
            criteria,
            now,
            weights,
        )
        for found, status in kept
    )
    return Scored(
        leads=scored, rejected=dict(sorted(rejected.items())), rows_set_aside=(*cleaned.rows_set_aside, *gone)
    )


def _deliverable(found: Candidate, known: Verified) -> dict[str, str]:
    """Return the addresses of a person that take mail, each with its status, in their order."""
    statuses = ((email, known.status(email)) for email in found.emails)
    return {email: status for email, status in statuses if status is not None}


def _person(record: Record) -> str:
    return identity(record.name, record.company, record.domain) or identity(record.profile_url if record.name else None)


def _lead(
    found: Candidate,
    status: str,
    campaign_id: str,
    now: datetime,
    bases: Mapping[str, LegalBasis],
) -> Lead:
    record = found.record
    return Lead(
        lead_id=short_hash(campaign_id, found.key),
        email=record.email,
        email_status=status,
        other_emails=found.other_emails,
        name=record.name,
        job_title=record.job_title,
        company=record.company,
        domain=record.domain,
        industry=record.industry,
        company_size=_size(record.company_size),
        location=record.location,
        phone=record.phone,
        profile_url=record.profile_url,
        sources=found.sources,
        company_facts_from=found.company_facts_from,
        rows=found.rows,
        source_url=record.source_url,
        collected_at=now,
        legal_basis=_basis(found, bases),
        notice_due_at=notice_due(now),
    )


def _scored(lead: Lead, criteria: LeadCriteria, now: datetime, weights: Weights | None) -> Lead:
    score = lead_score(lead, criteria)
    place = ranked(lead, score, weights)
    return lead.model_copy(
        update={
            "score": place.value,
            "score_reasons": place.reasons,
            "likelihood": place.likelihood,
            "weights_version": place.version,
            "qualified_at": now if score.qualified else None,
        }
    )


def _basis(found: Candidate, bases: Mapping[str, LegalBasis]) -> LegalBasis:
    """Return what the best source says of the person itself, else what the configuration says of that source."""
    own = read_basis(found.record.legal_basis or "")
    return own or bases.get(found.sources[0].partition(":")[0], LEGITIMATE_INTEREST)


def _size(text: str | None) -> int | str | None:
    """Return a plain count as a number, and a range as it was written."""
    employees = parse_size(text)
    plain = text is not None and text.replace(",", "").removesuffix(".0").isdecimal()
    return employees.least if employees and plain and employees.least == employees.most else text


def _answers(results: Sequence[StageResult]) -> Iterator[Answer]:
    known = unit_kinds()
    for result in (result for stage in results for result in stage.results if result.ok):
        answer = known[result.unit.kind].answer(result)
        if isinstance(answer, Answer):
            yield answer
