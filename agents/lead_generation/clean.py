"""From what the sources gave to one record per person: normalise, fill in from the company, merge.

Pure, and called again at every stage with all that is known by then. Invariants: the same person is the same
e-mail address, else the same name at the same company; no source's fact is lost, the better source's wins; the
result depends on the records and their order only.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from functools import lru_cache
from urllib.parse import urlsplit

from agents.lead_files.cells import EMPTY
from agents.lead_generation.foreign_text import without_contacts
from agents.lead_generation.mailboxes import is_disposable, is_webmail
from agents.lead_generation.person_name import person_name
from agents.unit import short_hash

_LEGAL_FORMS = re.compile(
    r"(?:,? (?:inc|incorporated|llc|ltd|limited|gmbh|corp|corporation|co|company|plc|ag|bv|sa|srl|spa|sas|pty|llp"
    r"|kg|oy|ab|as)\b)+$"
)
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
    sources: tuple[str, ...]
    company_facts_from: tuple[str, ...] = ()  #: sources of industry and size, where they aren't the person's own


@dataclass(frozen=True, slots=True, kw_only=True)
class Cleaned:
    """People, and the number of records that were set aside, by reason."""

    candidates: tuple[Candidate, ...]
    rejected: Mapping[str, int] = field(default_factory=dict)


def record_of(row: Mapping[str, object], source: str, source_url: str | None = None) -> Record:
    """Make a record of loose text values, leaving out keys that a Record doesn't have."""
    known = {f.name for f in fields(Record)} - {"source", "source_url"}
    values = {key: text for key in known if (text := tidy(row.get(key)))}
    return Record(source=source, source_url=tidy(row.get("source_url")) or source_url, **values)


def clean(records: Sequence[Record], companies: Sequence[CompanyFacts] = (), suppressed: Iterable[str] = ()) -> Cleaned:
    """Merge ``records`` into people, completed with what is known about their companies.

    ``suppressed`` holds :func:`identity` hashes of people who must not be addressed: they are left out.
    """
    rejected: Counter[str] = Counter()
    ordered = sorted(enumerate(records), key=lambda item: (_trust(item[1].source), item[0]))
    normal = [without_contacts(_normalised(record, rejected)) for _, record in ordered]
    known = _Companies([*map(without_contacts, companies), *(_facts(record) for record in normal)])
    normal = [known.completed(record) for record in normal]
    barred = frozenset(suppressed)
    groups: dict[str, list[Record]] = {}
    by_person: dict[str, str] = {}  # identity -> group
    # People with an address first, so that a bare name finds the address it belongs to.
    for record in sorted(normal, key=lambda found: found.email is None):
        person = identity(record.name, record.company, record.domain)
        named = identity(record.name, record.company, None)  # the domain may be another source's guess
        if barred & {person, named, identity(record.email), identity(record.profile_url)}:
            rejected["suppressed"] += 1
            continue
        if not _identified(record):
            rejected["nothing identifies a person"] += 1
            continue
        group = record.email or by_person.get(person) or person or f"profile:{record.profile_url}"
        if group in groups:
            rejected["duplicate"] += 1
        groups.setdefault(group, []).append(record)
        if person:
            by_person.setdefault(person, group)
    candidates = tuple(_merged(group, found, known) for group, found in groups.items())
    return Cleaned(candidates=candidates, rejected=dict(rejected))


def identity(*parts: str | None) -> str:
    """Return a hash that stands for a person without naming them, or "" when nothing is known.

    Of an address alone, or of a name with a company (whose domain counts before its name).
    """
    if len(parts) == 1:
        return short_hash("one", parts[0]) if parts[0] else ""
    name, company, domain = parts
    where = domain or company_key(company)
    return short_hash("person", name_key(name), where) if name and where else ""


@lru_cache(maxsize=100_000)
def normal_email(raw: str) -> str | None:
    """Return an address in lower case without ``mailto:`` and display name, or None when it can't be one."""
    from email_validator import EmailNotValidError, validate_email

    text = raw.strip()
    if found := re.search(r"<([^<>]+@[^<>]+)>", text):
        text = found[1]
    text = re.sub(r"^mailto:", "", text, flags=re.I).partition("?")[0].strip(" \t\"'<>;,.()[]")
    if len(text) > 254:
        return None
    try:
        # test_environment lets ``.test`` pass: whether a domain exists is for DNS to say, not for syntax.
        return validate_email(text, check_deliverability=False, test_environment=True).normalized.lower()
    except EmailNotValidError:
        return None


def normal_domain(raw: str) -> str | None:
    """Return the host of a URL or domain without ``www.``, or None when the text is neither."""
    text = raw.strip().lower()
    try:
        host = urlsplit(text if "://" in text else f"//{text}").hostname or ""
    except ValueError:
        return None
    host = host.rstrip(".").removeprefix("www.")
    good = re.fullmatch(r"(?:[^\W_](?:[\w-]*[^\W_])?\.)+[^\W\d_]{2,}", host)
    return host if good and len(host) <= 253 else None


def normal_name(raw: str) -> str | None:
    """Clean a person's name: salutation and degree off, "Last, First" turned round, sane capitals."""
    return person_name(raw)


@lru_cache(maxsize=100_000)
def name_key(name: str | None) -> str:
    """Return a name without accents, case and punctuation."""
    folded = unicodedata.normalize("NFKD", (name or "").replace("ß", "ss").replace("ø", "o"))
    return " ".join(re.findall(r"\w+", "".join(c for c in folded if not unicodedata.combining(c)).lower()))


@lru_cache(maxsize=100_000)
def company_key(company: str | None) -> str:
    """Return a company's name without legal form, case and punctuation."""
    text = re.sub(r"[.'’]", "", name_key(company))
    return _LEGAL_FORMS.sub("", f" {text}").strip() or text


def tidy(value: object) -> str | None:
    """Return a value as one line of text, or None for nothing and what people write for nothing."""
    if value is None or isinstance(value, bool | list | dict):
        return None
    text = re.sub(r"\s+", " ", str(value)).strip()
    return None if text.lower() in EMPTY else text


def _normalised(record: Record, rejected: Counter[str]) -> Record:
    email = normal_email(record.email) if record.email else None
    if record.email and not email:
        rejected["broken e-mail address"] += 1
    if email and is_disposable(email.rpartition("@")[2]):
        rejected["disposable e-mail address"] += 1
        email = None
    domain = normal_domain(record.domain) if record.domain else None
    if not domain and email and not is_webmail(email.rpartition("@")[2]):
        domain = email.rpartition("@")[2]
    return replace(record, email=email, domain=domain, name=normal_name(record.name) if record.name else None)


def _identified(record: Record) -> bool:
    return bool(record.email or (record.name and (record.company or record.domain or record.profile_url)))


def _trust(source: str) -> int:
    kind = source.partition(":")[0]
    return _TRUST.index(kind if kind in _TRUST else "")


def _facts(record: Record) -> CompanyFacts:
    return CompanyFacts(
        source=record.source,
        company=record.company,
        domain=record.domain,
        industry=record.industry,
        company_size=record.company_size,
        location=record.location,
    )


class _Companies:
    """What is known about companies, by domain and by name."""

    def __init__(self, facts: Sequence[CompanyFacts]) -> None:
        ordered = sorted(facts, key=lambda found: _trust(found.source))
        self._domains: dict[str, str] = {}
        self._by_key: dict[str, dict[str, tuple[str, str]]] = {}  # where -> field -> value, source
        for found in ordered:
            key = company_key(found.company)
            if key and found.domain:
                self._domains.setdefault(key, found.domain)
        for found in ordered:
            domain = found.domain or self._domains.get(company_key(found.company))
            for where in {domain or "", company_key(found.company)} - {""}:
                known = self._by_key.setdefault(where, {})
                for name in ("company", "industry", "company_size"):
                    value = getattr(found, name)
                    if value:
                        known.setdefault(name, (value, found.source))

    def completed(self, record: Record) -> Record:
        """Return the record with its company's domain and name filled in, by which people are matched."""
        domain = record.domain or self._domains.get(company_key(record.company))
        known = self._by_key.get(domain or "", {})
        return replace(record, domain=domain, company=record.company or known.get("company", (None, ""))[0])

    def facts(self, record: Record) -> Mapping[str, tuple[str, str]]:
        """Return the industry and size of the record's company, each with its source."""
        by_domain = self._by_key.get(record.domain or "", {})
        return {**self._by_key.get(company_key(record.company), {}), **by_domain}


def _merged(group: str, found: Sequence[Record], companies: _Companies) -> Candidate:
    ordered = sorted(found, key=lambda record: _trust(record.source))
    first = ordered[0]
    for other in ordered[1:]:
        first = replace(first, **{f.name: getattr(first, f.name) or getattr(other, f.name) for f in fields(Record)})
    known = companies.facts(first)
    filled = {name: known[name] for name in ("industry", "company_size") if name in known and not getattr(first, name)}
    company = {} if first.company or "company" not in known else {"company": known["company"][0]}
    sources = tuple(dict.fromkeys(r.source for r in ordered))
    return Candidate(
        key=short_hash("candidate", group),
        record=replace(first, **company, **{name: value for name, (value, _) in filled.items()}),
        sources=sources,
        company_facts_from=tuple(dict.fromkeys(source for _, source in filled.values() if source not in sources)),
    )
