"""From a site's pages to facts about the company and the people it names.

Rules, no model: what a page says is data from a stranger. Invariants: a statement for machines (schema.org)
beats a labelled one, a labelled one beats a sentence; an address without a name counts only when it belongs to the
site's own domain; nothing is taken from scripts, comments or hidden text.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from urllib.parse import urlsplit

from agents.email_address import EMAIL, normal_email
from agents.fit.company_size import parse_size
from agents.fit.industries import named_industry
from agents.lead_generation.clean import normal_domain
from agents.lead_generation.companies import label_of
from agents.lead_generation.company_names import company_name
from agents.lead_generation.linked_data import kinds
from agents.lead_generation.mailboxes import is_nobodys, is_role, is_webmail
from agents.lead_generation.name_forms import name_key
from agents.lead_generation.page_text import PageText, read_page
from agents.lead_generation.person_text import People, is_title, named

MAX_PEOPLE = 200  #: of one site
_LABELS = {
    "industry": ("industry", "sector", "branch", "branche", "secteur", "settore", "setor"),
    "company_size": (
        *("company size", "employees", "team size", "number of employees", "headcount", "staff", "mitarbeiter"),
        *("anzahl mitarbeiter", "mitarbeiterzahl", "effectif", "salariés", "empleados", "dipendenti", "medewerkers"),
    ),
    "location": ("headquarters", "location", "address", "hq", "head office", "sitz", "standort", "siège", "sede"),
}
_OVER = r"over|more than|über|mehr als|plus de|más de|oltre|più di|mais de|meer dan|ponad|fler än|mere end|yli"
_NUMBER = r"(?<![\d.,])(?:\d{1,3}(?:[.,'\u00a0\u202f ]\d{3})+(?!\d)|\d+)"
_COUNT = (
    r"(?:(?:about|around|approximately|some|nearly|now|currently|etwa|rund|ca\.?|circa|environ|aktuell|derzeit) |~)*"
    rf"(?P<over>(?:{_OVER}) )?(?P<size>{_NUMBER}(?:\s*(?:-|–|to|bis|à|a)\s*{_NUMBER})?\s*\+?)"
)
_WORKERS = (
    r"(?:employees|people|staff|team members|colleagues|professionals|specialists|experts|workers"
    r"|mitarbeiter(?:innen|:innen|\*innen|/innen)?|mitarbeitende[rn]?|beschäftigte[rn]?|angestellte[rn]?|salariés|employés"
    r"|collaborateurs|empleados|trabajadores|colaboradores|dipendenti|collaboratori|funcionários|medewerkers|werknemers"
    r"|pracowników|anställda|medarbejdere|ansatte|työntekijää|zaměstnanců)"
)
_SIZES = tuple(
    re.compile(pattern, re.I)
    for pattern in (
        rf"(?:company size|employees|team size|headcount|number of employees)\s*:\s*{_COUNT}",
        r"\b(?:we (?:are|have|employ)|team of|workforce of|staff of|our|employs|employing|has) (?:a team of )?"
        rf"{_COUNT}\s*{_WORKERS}",
        rf"\b(?:team|workforce|staff) of {_COUNT}",
        rf"{_COUNT}[- ](?:person|people|strong)\b (?:company|team|business)?",
        rf"\b{_COUNT}\s*(?:employees|staff members|team members)\b",
        r"\b(?:beschäftig\w+|mit|emploi\w+|compt\w+|avec|tiene|cuenta con|emplea|con|conta|tem|heeft|met|har)"
        rf"\s(?:\w+\s){{0,3}}?{_COUNT}\s*{_WORKERS}",
        rf"\b{_COUNT}\s*{_WORKERS}\b(?<!people)(?<!experts)(?<!professionals)(?<!specialists)",
    )
)
_INDUSTRY = re.compile(
    r"\b(?:is|are|as) (?:an?|the|your|one of the)?\s*(?:[\w-]+ ){0,2}?(?P<industry>[\w& -]{2,40}?) "
    r"(?:company|provider|firm|startup|start-up|business|group|agency|platform|vendor|manufacturer)\b",
    re.I,
)

#: Headings over what others say of the company.
_TESTIMONIALS = re.compile(
    r"testimonial|customers?\b.*\b(?:say|stor|love)|what\b.*\b(?:clients|customers|people|users)\b|reviews?\b"
    r"|success stor|case stud|trusted by|kundenstimmen|referenzen|das sagen|unsere kunden|avis clients|nos clients"
    r"|témoignages|testimonios|nuestros clientes|recensioni|i nostri clienti|depoimentos",
    re.I,
)
_WORKS_AT = re.compile(r"\s(?:at|@|bei|chez)\s+(?P<company>[^\W\d_a-z][^,;(]{1,60})$")


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundPerson:
    """A person whom a site names."""

    name: str | None = None
    job_title: str | None = None
    email: str | None = None
    page: str = ""  #: URL of the page


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteFacts:
    """What a site says about its company and people."""

    company: str | None = None
    domain: str | None = None
    industry: str | None = None
    company_size: str | None = None
    location: str | None = None
    people: tuple[FoundPerson, ...] = field(default=())

    def to_dict(self) -> dict[str, object]:
        """Return the facts as JSON."""
        return asdict(self)


def extract(pages: Sequence[tuple[str, str]]) -> SiteFacts:
    """Collect the facts of a site from its pages, (URL, HTML) each, the start page first."""
    read = [(url, read_page(html)) for url, html in pages]
    texts = [page for _, page in read]
    emails = _emails(texts)
    domain = _domain(pages[0][0] if pages else "", emails)
    company = _company(texts, domain)
    return SiteFacts(
        company=company,
        domain=domain,
        industry=_industry(texts),
        company_size=_size(texts),
        location=_location(texts),
        people=tuple(_people(read, domain, company)),
    )


def _domain(url: str, emails: Counter[str]) -> str | None:
    """Return the site's host, or for an address or localhost the domain of most of its e-mail addresses."""
    host = normal_domain(urlsplit(url).hostname or "")
    if host and not host.endswith(".localhost"):
        return host
    owned = [(count, domain) for domain, count in emails.items() if not is_webmail(domain)]
    return max(owned, key=lambda found: (found[0], found[1]))[1] if owned else None


def _emails(pages: Iterable[PageText]) -> Counter[str]:
    """Count the domains of the addresses on the pages."""
    texts = (text for page in pages for text in (*page.lines, *(cell for row in page.rows for cell in row)))
    found = (email for text in texts for raw in EMAIL.findall(text) if (email := normal_email(raw)))
    return Counter(email.rpartition("@")[2] for email in found)


def _organizations(pages: Iterable[PageText]) -> Iterator[dict[str, object]]:
    for page in pages:
        for item in page.linked_data:
            if any(
                re.search(r"organization|corporation|business|store|restaurant", kind, re.I) for kind in kinds(item)
            ):
                yield item


def _company(pages: Sequence[PageText], domain: str | None) -> str | None:
    for item in _organizations(pages):
        if name := _text(item.get("name")):
            return name
    for page in pages:
        if page.site_name:
            return page.site_name
    label = re.sub(r"\W", "", (domain or "").partition(".")[0])
    parts = [part.strip() for page in pages for part in re.split(r"\s[|–—-]\s|[|:]", page.title) if part.strip()]
    headings = [heading for page in pages for heading in page.headings if len(heading.split()) <= 5]
    for part in (*parts, *headings):
        letters = re.sub(r"\W", "", name_key(part))
        if label and letters and (letters == label or letters.startswith(label) or label.startswith(letters)):
            return part
    named = [
        part
        for part in (*parts, *headings)
        if not re.match(r"(?:home|welcome|index|about|contact|our team)\b", part, re.I)
    ]
    return named[0] if named and len(named[0].split()) <= 6 else None


def _industry(pages: Sequence[PageText]) -> str | None:
    for item in _organizations(pages):
        if text := _text(item.get("industry")):
            return text
    for page in pages:
        for label in _LABELS["industry"]:
            if page.labelled.get(label):
                return page.labelled[label]
    for line in _sentences(pages):
        if labelled := re.match(r"(?:industry|sector)\s*:\s*(.{2,60})$", line, re.I):
            return labelled[1].strip()
    for line in _sentences(pages):
        if (found := _INDUSTRY.search(line)) and (name := named_industry(found["industry"])):
            return name
    for item in _organizations(pages):
        if name := named_industry(_text(item.get("keywords")) or ""):
            return name
    summary = " ".join(text for page in pages for text in (page.title, page.description, *page.headings[:2]))
    return named_industry(summary)


def _size(pages: Sequence[PageText]) -> str | None:
    for item in _organizations(pages):
        if size := _stated_size(item.get("numberOfEmployees")):
            return size
    for page in pages:
        for label in _LABELS["company_size"]:
            if parse_size(page.labelled.get(label)):
                return page.labelled[label]
    for pattern in _SIZES:
        for line in _sentences(pages):
            found = pattern.search(line)
            if found and (size := _counted(found)) and parse_size(size):
                return size
    return None


def _counted(found: re.Match[str]) -> str:
    """Return the number of a sentence as it is written in English: "über 1.200" is ``1200+``."""
    size = re.sub(r"\s+", " ", found["size"]).strip(" .,'")
    plain = re.sub(r"(?<=\d)[.'\u00a0\u202f ](?=\d{3}(?!\d))", "", size)
    return f"{plain.rstrip('+ ')}+" if found["over"] else plain


def _stated_size(value: object) -> str | None:
    if isinstance(value, dict):
        low, high = value.get("minValue"), value.get("maxValue")
        value = f"{low}-{high}" if low is not None and high is not None else value.get("value", low)
    if isinstance(value, int | float) and not isinstance(value, bool):
        value = str(int(value))
    return value if isinstance(value, str) and parse_size(value) else None


def _location(pages: Sequence[PageText]) -> str | None:
    for item in _organizations(pages):
        address = item.get("address")
        if isinstance(address, dict):
            parts = [text for key in ("addressLocality", "addressCountry") if (text := _text(address.get(key)))]
            if parts:
                return ", ".join(parts)
    for page in pages:
        for label in _LABELS["location"]:
            if page.labelled.get(label):
                return page.labelled[label][:120]
    return None


def _sentences(pages: Iterable[PageText]) -> Iterator[str]:
    for page in pages:
        yield from page.lines
        yield from (": ".join(row).replace("\n", " ") for row in page.rows if len(row) == 2)


def _people(read: Sequence[tuple[str, PageText]], domain: str | None, company: str | None) -> list[FoundPerson]:
    found: dict[str, FoundPerson] = {}
    taken: set[str] = set()
    for url, page in read:
        skipped = _of_others(page)
        lines = ["" if number in skipped else line for number, line in enumerate(page.lines)]
        people = [*_stated_people(page), *People.of_rows(page.rows), *People.of_lines(lines, page.pieces, page.heads)]
        for name, title, raw in people:
            key = name_key(name)
            if (company and key == name_key(company)) or (title and _elsewhere(title, company, domain)):
                continue
            email = normal_email(raw) if raw else None
            email = None if email and (is_role(email) or is_nobodys(email)) else email
            known = found.get(key)
            if known is None:
                known = FoundPerson(name=name, job_title=title, email=email, page=url)
            else:
                known = FoundPerson(
                    name=name, job_title=known.job_title or title, email=known.email or email, page=known.page
                )
            found[key] = known
            taken.add(email or "")
    for url, page in read:
        texts = (*page.lines, *(cell for row in page.rows for cell in row))
        for raw in (address for text in texts for address in EMAIL.findall(text)):
            email = normal_email(raw)
            own = email and domain and (email.endswith(f"@{domain}") or email.endswith(f".{domain}"))
            if email and own and email not in taken and not is_role(email) and not is_nobodys(email):
                taken.add(email)
                found[email] = FoundPerson(email=email, page=url)
    return list(found.values())[:MAX_PEOPLE]


def _of_others(page: PageText) -> frozenset[int]:
    """Return the numbers of the lines under headings of what customers say: their people aren't the site's."""
    found: set[int] = set()
    others = False
    for number, line in enumerate(page.lines):
        if number in page.heads:
            others = bool(_TESTIMONIALS.search(line))
        if others:
            found.add(number)
    return frozenset(found)


def _elsewhere(title: str, company: str | None, domain: str | None) -> bool:
    """Tell whether a title names a company that is not the site's own: "CEO at Globex", "CTO, Initech Ltd"."""
    where = _WORKS_AT.search(title)
    other = where["company"] if where else title.rpartition(", ")[2] if ", " in title else ""
    name = company_name(other)
    if not name.forms or (where is None and name.forms[0] == name_key(other)):
        return False  # no company is named, or what is named has no legal form
    own = bool(domain) and name.at_home(label_of(domain or ""))
    return not own and not (company and company_name(company).related(name))


def _stated_people(page: PageText) -> Iterator[tuple[str, str | None, str | None]]:
    for item in page.linked_data:
        if "Person" not in kinds(item):
            continue
        parts = (_text(item.get(key)) for key in ("givenName", "familyName"))
        name = named(_text(item.get("name")) or " ".join(part for part in parts if part))
        if name:
            title = _text(item.get("jobTitle"))
            yield name, title if title and is_title(title) else None, _text(item.get("email"))


def _text(value: object) -> str | None:
    if isinstance(value, list):
        value = value[0] if value else None
    return re.sub(r"\s+", " ", value).strip()[:200] or None if isinstance(value, str) else None
