"""From what the sources gave to one record per person: normalise, fill in from the company, merge.

Pure, and called again at every stage with all that is known by then. Invariants: who is the same person is decided by
:mod:`agents.lead_generation.people`, what is a company's by :mod:`agents.lead_generation.companies`; no source's fact
is lost, the better source's wins; each row of the user's own file is in one person or among those set aside; the result
depends on the records and their order only.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from functools import lru_cache
from urllib.parse import urlsplit

from agents.email_address import mailbox, normal_email
from agents.lead_files.cells import EMPTY
from agents.lead_generation.companies import Companies, company_domain_of
from agents.lead_generation.company_names import company_name
from agents.lead_generation.foreign_text import without_contacts
from agents.lead_generation.mailboxes import is_disposable, is_role
from agents.lead_generation.name_forms import person_forms
from agents.lead_generation.people import Group, People
from agents.lead_generation.person_name import person_name
from agents.unit import short_hash
from integrations.host_names import readable_name

#: What an address is lost by: it is no address, or thrown away after use.
BROKEN, DISPOSABLE = "broken e-mail address", "disposable e-mail address"
SUPPRESSED = "suppressed"  #: why a person is set aside who must not be addressed
#: Sources in the order in which their facts are believed; "" is any other source.
_TRUST = ("file", "web", "hunter", "", "search", "x")


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What one source says about one person.

    ``source`` begins with its kind: file | web | hunter | search | ...
    """

    source: str
    email: str | None = None
    name: str | None = None
    job_title: str | None = None
    company: str | None = None
    domain: str | None = None
    industry: str | None = None
    company_size: str | None = None
    location: str | None = None
    phone: str | None = None
    profile_url: str | None = None
    source_url: str | None = None
    legal_basis: str | None = None  #: one of agents.legal_basis; None: that of its source in the configuration
    row: str | None = None  #: of the user's own file, as ``file:number``


@dataclass(frozen=True, slots=True, kw_only=True)
class CompanyFacts:
    """What one source says about one company."""

    source: str
    company: str | None = None
    domain: str | None = None
    industry: str | None = None
    company_size: str | None = None
    location: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """One person, merged over all sources."""

    key: str  #: identity inside the campaign: a hash, no personal data
    record: Record
    other_emails: tuple[str, ...] = ()  #: of other mailboxes of the same person
    rows: tuple[str, ...] = ()  #: of the user's own files, the one first that the others were merged into
    sources: tuple[str, ...]
    company_facts_from: tuple[str, ...] = ()  #: sources of industry and size, where they aren't the person's own

    @property
    def emails(self) -> tuple[str, ...]:
        """All addresses, the best one first."""
        return (self.record.email, *self.other_emails) if self.record.email else self.other_emails


@dataclass(frozen=True, slots=True, kw_only=True)
class Cleaned:
    """People, and the number of records that were set aside, by reason."""

    candidates: tuple[Candidate, ...]
    rejected: Mapping[str, int] = field(default_factory=dict)
    rows_set_aside: tuple[tuple[str, str], ...] = ()  #: (row of an own file, reason)


def record_of(row: Mapping[str, object], source: str, source_url: str | None = None) -> Record:
    """Make a record of loose text values, leaving out keys that a Record doesn't have."""
    values = {key: text for key in _GIVEN if (text := tidy(row.get(key)))}
    return Record(source=source, source_url=tidy(row.get("source_url")) or source_url, **values)


_GIVEN = tuple(f.name for f in fields(Record) if f.name not in ("source", "source_url"))


def clean(records: Sequence[Record], companies: Sequence[CompanyFacts] = (), suppressed: Iterable[str] = ()) -> Cleaned:
    """Merge ``records`` into people, completed with what is known about their companies.

    ``suppressed`` holds :func:`identities` of people who must not be addressed: they are left out.
    """
    rejected: Counter[str] = Counter()
    rows: list[tuple[str, str]] = []
    ordered = sorted(enumerate(records), key=lambda item: (_trust(item[1].source), item[0]))
    normal = [without_contacts(_normalised(record, rejected)) for _, record in ordered]
    facts: list[CompanyFacts | Record] = [*map(_of_company, companies), *normal]
    facts.sort(key=lambda found: _trust(found.source))
    known = Companies(facts, are_people=lambda found: isinstance(found, Record))
    barred = frozenset(suppressed)
    people = People()
    # People with an address first, so that a bare name finds the address it belongs to.
    for record in sorted(map(known.completed, normal), key=lambda found: found.email is None):
        reason = None
        if barred and not barred.isdisjoint(identities(record)):
            reason = SUPPRESSED
        elif not _identified(record):
            reason = "nothing identifies a person"
        elif not people.add(record):
            rejected["duplicate"] += 1
        if reason:
            rejected[reason] += 1
            if record.row:
                rows.append((record.row, reason))
    candidates = tuple(_merged(group, known) for group in people.groups)
    return Cleaned(candidates=candidates, rejected=dict(rejected), rows_set_aside=tuple(rows))


def identity(*parts: str | None) -> str:
    """Return a hash that stands for a person without naming them, or "" when nothing is known.

    Of an address (its mailbox) or a profile alone, or of a name with a company, whose domain counts before its name.
    """
    if len(parts) == 1:
        (text,) = parts
        return short_hash("one", mailbox(text) if "@" in text and "/" not in text else text) if text else ""
    name, company, domain = parts
    return next(iter(_of_person(name, domain or next(iter(company_name(company).forms), ""))), "")


def identities(record: Record) -> set[str]:
    """Return every identity by which another source may name the same person as a normalised record."""
    found = {identity(record.email), identity(record.profile_url)}
    # The domain may be another source's guess, so the name of the company counts as well.
    for where in (record.domain or "", *company_name(record.company).forms):
        found.update(_of_person(record.name, where))
    return found - {""}


def normalised(record: Record) -> Record:
    """Return a record whose address, domain and name are written as all sources write them, else None.

    The domain is the company's: that of the address, unless everybody can have a mailbox there.
    """
    email = normal_email(record.email) if record.email else None
    domain = company_domain_of(normal_domain(record.domain)) if record.domain else None
    if domain is None and email:
        domain = company_domain_of(email.rpartition("@")[2])
    name = normal_name(record.name) if record.name else None
    if (email, domain, name) == (record.email, record.domain, record.name):
        return record
    return replace(record, email=email, domain=domain, name=name)


@lru_cache(maxsize=100_000)
def normal_domain(raw: str) -> str | None:
    """Return the host of a URL or domain without ``www.``, as people read it, or None when the text is neither."""
    text = raw.strip().lower()
    try:
        host = readable_name(urlsplit(text if "://" in text else f"//{text}").hostname or "")
    except ValueError:
        return None
    host = host.removeprefix("www.")
    good = re.fullmatch(r"(?:[^\W_](?:[\w-]*[^\W_])?\.)+[^\W\d_]{2,}", host)
    return host if good and len(host) <= 253 else None


@lru_cache(maxsize=100_000)
def normal_name(raw: str) -> str | None:
    """Clean a person's name: salutation and degree off, "Last, First" turned round, sane capitals."""
    return person_name(raw)


def tidy(value: object) -> str | None:
    """Return a value as one line of text, or None for nothing and what people write for nothing."""
    if value is None or isinstance(value, bool | list | dict):
        return None
    text = re.sub(r"\s+", " ", str(value)).strip()
    return None if text.lower() in EMPTY else text


def _normalised(record: Record, rejected: Counter[str]) -> Record:
    found = normalised(record)
    if record.email and not found.email:
        rejected[BROKEN] += 1
    elif found.email and is_disposable(found.email.rpartition("@")[2]):
        rejected[DISPOSABLE] += 1
        domain = company_domain_of(normal_domain(record.domain)) if record.domain else None
        found = replace(found, email=None, domain=domain)
    return found


def _identified(record: Record) -> bool:
    return bool(record.email or (record.name and (record.company or record.domain or record.profile_url)))


def _trust(source: str) -> int:
    kind = source.partition(":")[0]
    return _TRUST.index(kind if kind in _TRUST else "")


def _of_company(found: CompanyFacts) -> CompanyFacts:
    domain = company_domain_of(normal_domain(found.domain)) if found.domain else None
    return without_contacts(found if domain == found.domain else replace(found, domain=domain))


def _of_person(name: str | None, where: str) -> list[str]:
    return [short_hash("person", form, where) for form in person_forms(name)] if name and where else []


def _merged(group: Group, companies: Companies) -> Candidate:
    first, *others = ordered = group.records
    addresses: list[str] = []
    if others:
        ordered = sorted(ordered, key=lambda record: _trust(record.source))
        addresses = _addresses(ordered)
        first, *others = ordered
        for other in others:
            first = replace(first, **{f.name: getattr(first, f.name) or getattr(other, f.name) for f in fields(Record)})
        if addresses and first.email != addresses[0]:
            first = replace(first, email=addresses[0])
    known = companies.facts(first)
    filled = {name: known[name] for name in ("industry", "company_size") if name in known and not getattr(first, name)}
    company = {} if first.company or "company" not in known else {"company": known["company"][0]}
    sources = tuple(dict.fromkeys(record.source for record in ordered))
    values = {**company, **{name: value for name, (value, _) in filled.items()}}
    return Candidate(
        key=short_hash("candidate", group.key),
        record=replace(first, **values) if values else first,
        other_emails=tuple(addresses[1:]),
        rows=tuple(record.row for record in ordered if record.row),
        sources=sources,
        company_facts_from=tuple(dict.fromkeys(source for _, source in filled.values() if source not in sources)),
    )


def _addresses(records: Sequence[Record]) -> list[str]:
    """Return one address of each mailbox, a person's own before those of functions, which reach no single person."""
    found: dict[str, str] = {}
    for email in sorted((record.email for record in records if record.email), key=is_role):
        found.setdefault(mailbox(email), email)
    return list(found.values())
