"""What is known about companies, and to whom it applies.

A fact applies to a person through the company's domain, or through its name where that name belongs to one domain only:
two firms may both be called Apex. Invariants: a domain where everybody can have a mailbox is no company's; one that
people of several companies use is only that company's after whose name it is called, else nobody's; the better source's
fact wins, and a person's own fact always.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import TYPE_CHECKING

from agents.contacts.contact import plain_host, registered
from agents.contacts.known import SHARED
from agents.lead_generation.company_names import CompanyName, company_name
from agents.lead_generation.mailboxes import is_webmail
from integrations.host_names import readable_name

if TYPE_CHECKING:
    from agents.lead_generation.clean import CompanyFacts, Record

Known = dict[str, tuple[str, str]]  #: field -> its value, and the source that says so
FIELDS = ("company", "industry", "company_size")
#: Sources that take their results' word for which company a domain is; asked where no other one knows.
GUESSING = frozenset({"search", "x"})
CROWD = 20  #: companies at one domain from which on it is a provider's


@dataclass(slots=True)
class _Firm:
    """One company at one domain, under whichever of its names."""

    name: CompanyName
    home: bool  #: whether the domain is called after it
    people: bool = False  #: whether a person says that it is theirs
    known: Known = field(default_factory=dict)


@dataclass(slots=True)
class _Place:
    """One domain."""

    firms: list[_Firm] = field(default_factory=list)
    by_form: dict[str, _Firm] = field(default_factory=dict)
    nameless: Known = field(default_factory=dict)
    crowded: bool = False

    def firm(self, name: CompanyName) -> _Firm | None:
        """Return the company of that name at this domain."""
        for form in name.forms:
            if form in self.by_form:
                return self.by_form[form]
        if self.crowded:
            return None
        return next((firm for firm in self.firms if firm.name.related(name)), None)

    def add(self, name: CompanyName, *, home: bool) -> _Firm:
        """Take in a company that is not known here yet, as the owner of the domain where both are called like it."""
        firm = self.owner if home else None
        if firm is None:
            firm = _Firm(name, home)
            self.firms.append(firm)
            self.crowded = self.crowded or len(self.firms) > CROWD
        for form in name.forms:
            self.by_form[form] = firm
        return firm

    @property
    def owner(self) -> _Firm | None:
        """Company that the domain is called after, None where there is none."""
        return next((firm for firm in self.firms if firm.home), None)

    @property
    def shared(self) -> bool:
        """Whether people of several companies use the domain."""
        return self.crowded or sum(firm.people for firm in self.firms) > 1


class Companies:
    """Facts about companies, by domain and by name."""

    def __init__(self, facts: Iterable[CompanyFacts | Record], are_people: Callable[[object], bool]) -> None:
        """Take in what sources say, the better source's first, of companies and of people and their own companies."""
        self._found: dict[tuple[str | None, str | None], Known] = {}
        self._filled: dict[tuple[str | None, str | None], tuple[str | None, str | None]] = {}
        self._places: dict[str, _Place] = {}
        self._domains: dict[str, dict[str, str]] = {}  #: form of a name -> registered domain -> domain
        self._by_name: dict[str, Known] = {}
        ordered = [(found, company_name(found.company)) for found in facts]
        for found, name in ordered:
            if found.domain:
                self._settle(found.domain, name, own=are_people(found))
        for guessing in (False, True):
            self._learn_domains(ordered, guessing=guessing)
        for found, name in ordered:
            _add(self._bucket(found.domain, name), found)

    def completed(self, record: Record) -> Record:
        """Return the record with its company's domain and name filled in, by which people are matched.

        A domain that is not the company's is taken off.
        """
        given = (record.domain, record.company)
        filled = self._filled.get(given)
        if filled is None:
            filled = self._filled[given] = self._completed(*given)
        return record if filled == given else replace(record, domain=filled[0], company=filled[1])

    def facts(self, record: Record) -> Mapping[str, tuple[str, str]]:
        """Return name, industry and size of the record's company as far as they are known, each with its source."""
        given = (record.domain, record.company)
        known = self._found.get(given)
        if known is None:
            known = self._found[given] = self._facts(record.domain, company_name(record.company))
        return known

    def _completed(self, given: str | None, company: str | None) -> tuple[str | None, str | None]:
        name = company_name(company)
        domain = given if given and self._applies(given, name) else None
        domain = domain or self._only_domain(name)
        if not company and domain:
            company = self._facts(domain, name).get("company", ("", ""))[0] or None
        return domain, company

    def _facts(self, domain: str | None, name: CompanyName) -> Known:
        """Return what is known about the company of that name, at that domain."""
        place = self._places.get(top_of(domain or self._only_domain(name) or ""))
        if place is not None:
            return _at(place, name)
        return {} if self._ambiguous(name) else _all(self._by_name.get(form, {}) for form in name.forms)

    def _settle(self, domain: str, name: CompanyName, *, own: bool) -> None:
        """Take in that a company of that name is at a domain."""
        place = self._places.setdefault(top_of(domain), _Place())
        if name.forms:
            firm = place.firm(name) or place.add(name, home=name.at_home(label_of(domain)))
            firm.people = firm.people or own

    def _learn_domains(self, ordered: Sequence[tuple[CompanyFacts | Record, CompanyName]], *, guessing: bool) -> None:
        """Take in which domains a name belongs to, for names of which no better source has said so."""
        known = frozenset(self._domains)
        for found, name in ordered:
            if found.domain is None or (_kind(found.source) in GUESSING) is not guessing:
                continue
            if name.forms and known.isdisjoint(name.forms) and self._applies(found.domain, name):
                for form in name.forms:
                    self._domains.setdefault(form, {}).setdefault(top_of(found.domain), found.domain)

    def _bucket(self, domain: str | None, name: CompanyName) -> Known:
        """Return where facts about the company of that name, at that domain, are kept."""
        domain = domain or self._only_domain(name)
        if domain is None:
            known: Known = {}
            for form in name.forms:
                known = self._by_name.setdefault(form, known)
            return known
        place = self._places[top_of(domain)]
        firm = place.firm(name) if name.forms else None
        return firm.known if firm else place.nameless

    def _applies(self, domain: str, name: CompanyName) -> bool:
        """Tell whether a domain is that company's: not where several use it and it isn't called after this one."""
        place = self._places.get(top_of(domain))
        if place is None or not place.shared:
            return True
        firm = place.firm(name) if name.forms else place.owner
        return firm is not None and firm.home

    def _ambiguous(self, name: CompanyName) -> bool:
        """Tell whether the name belongs to several domains, and so to several companies."""
        return len({top for form in name.forms for top in self._domains.get(form, ())}) > 1

    def _only_domain(self, name: CompanyName) -> str | None:
        """Return the one domain that the name belongs to, None where it has none or several."""
        found = {top: domain for form in name.forms for top, domain in self._domains.get(form, {}).items()}
        return next(iter(found.values())) if len(found) == 1 else None


@lru_cache(maxsize=100_000)
def company_domain_of(domain: str | None) -> str | None:
    """Return a domain if it can be a company's: not one where everybody can have a mailbox, or a page."""
    return domain if domain and not is_webmail(domain) and top_of(domain) not in SHARED else None


@lru_cache(maxsize=100_000)
def top_of(domain: str) -> str:
    """Return what one owner has registered of a domain, in ASCII: all that is under it is one company's."""
    return registered(plain_host(domain))


@lru_cache(maxsize=100_000)
def label_of(domain: str) -> str:
    """Return the letters of a domain's own label: ``stonegroup`` of mail.stone-group.example."""
    label = top_of(domain).partition(".")[0]
    readable = readable_name(label) if "xn--" in label else label
    return "".join(company_name(readable).letters.split()) or readable.replace("-", "")


def _at(place: _Place, name: CompanyName) -> Known:
    """Return the facts of a company at one domain."""
    owner = place.owner
    if not name.forms:
        if place.shared and owner is None:
            return {}
        firms: Sequence[_Firm] = [owner] if owner else place.firms
        return _all([*(firm.known for firm in firms), place.nameless])
    firm = place.firm(name)
    if firm is None:
        return {} if place.shared or owner else _all([*(one.known for one in place.firms), place.nameless])
    if not firm.home and (place.shared or owner):
        return dict(firm.known)
    others = (one.known for one in place.firms if one is not firm and not one.people)
    return _all([firm.known, *others, place.nameless])


def _all(known: Iterable[Known]) -> Known:
    found: Known = {}
    for one in known:
        found = {**one, **found}
    return found


def _add(known: Known, found: CompanyFacts | Record) -> None:
    for name in FIELDS:
        if value := getattr(found, name):
            known.setdefault(name, (value, found.source))


def _kind(source: str) -> str:
    return source.partition(":")[0]
