"""Companies and people of the sandbox world, which search, sites, DNS and Hunter take their answers from.

Everything is a pure function of the seed, so that all providers give consistent answers in any order of requests.
Domains end in ``.example`` (RFC 2606: never delegated), so that nothing here can be mistaken for, or lead to, a real
company. The world has the pitfalls of real data: titles that contain "cto" inside other words, sizes exactly at a
limit, domains without mail, people who objected. And it is wide enough to tell apart what is asked for: functions,
seniorities, sizes, places, industries, and titles in the language of the place.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from hashlib import sha256
from random import Random
from types import MappingProxyType

from integrations.sandbox.staff import MANAGING_DIRECTOR, OWNER, Job, language_of, staff

DEFAULT_SEED = 7
ZONE = "example"
DISPOSABLE_DOMAINS = ("mailsink.example", "tenminutes.example")
#: The mail server of all domains of the sandbox.
MAIL_HOST = "mx.sandbox.example"

#: industry -> (number of companies, endings of their names, what they make)
_INDUSTRIES: Mapping[str, tuple[int, tuple[str, ...], str]] = MappingProxyType(
    {
        "saas": (60, ("flow", "desk", "stack", "board", "sync", "suite"), "subscription software for teams"),
        "technology": (60, ("logic", "byte", "node", "labs", "core", "grid"), "software and data infrastructure"),
        "finance": (50, ("fund", "capital", "ledger", "pay", "trust", "vault"), "financial services"),
        "healthcare": (35, ("care", "clinic", "health", "med"), "clinics and medical services"),
        "manufacturing": (35, ("works", "forge", "tool", "parts"), "machine parts and tooling"),
        "retail": (35, ("mart", "goods", "shop", "outfit"), "shops and e-commerce"),
        "education": (25, ("learn", "academy", "school", "tutor"), "courses and training"),
        "logistics": (25, ("freight", "route", "cargo", "haul"), "freight and warehousing"),
        "energy": (20, ("power", "solar", "watt", "volt"), "power generation and storage"),
        "hospitality": (15, ("inn", "stay", "table", "resort"), "hotels and restaurants"),
        "real estate": (15, ("homes", "estate", "property", "realty"), "offices and housing"),
        "media": (15, ("press", "media", "studio", "cast"), "publishing and broadcasting"),
        "legal": (10, ("law", "legal", "counsel"), "legal services"),
    }
)
#: The same of companies run by their owners, or far from English.
_LOCAL: Mapping[str, tuple[int, tuple[str, ...], str]] = MappingProxyType(
    {
        "restaurants": (60, ("bistro", "kitchen", "grill", "cantina"), "restaurants and catering"),
        "construction": (30, ("build", "bau", "roof"), "houses and roads"),
        "retail": (30, ("corner", "market"), "a shop in its neighbourhood"),
        "healthcare": (20, ("nursing", "praxis"), "care for the elderly"),
    }
)
_LOCAL_SIZES = (4, 7, 9, 14, 18, 25, 32, 45, 60, 80, 140, 190, 260)
_LOCAL_CITIES = (
    *("München, Germany", "Hamburg, Germany", "Köln, Deutschland", "Berlin, Deutschland", "Leipzig, Germany"),
    *("Wien, Österreich", "Lyon, France", "Bordeaux, France", "Milano, Italia", "Bologna, Italy", "Sevilla, España"),
    *("Rotterdam, Nederland", "Porto, Portugal", "Osaka, Japan", "Leeds, United Kingdom", "Portland, United States"),
)
_BEGINNINGS = (
    *("Bright", "Blue", "North", "River", "Clear", "True", "Quick", "Silver", "Stone", "Green", "Iron"),
    *("Cedar", "Harbor", "Summit", "Nova", "Lumen", "Orbit", "Pixel", "Quanta", "Vector", "Delta", "Echo"),
    *("Falcon", "Granite", "Hazel", "Juniper", "Kestrel", "Lark", "Maple", "Onyx", "Pine", "Quartz"),
)
_SIZES = (3, 8, 12, 25, 40, 50, 51, 75, 75, 120, 120, 180, 240, 350, 500, 900, 1500, 4200, 12000)
_CITIES = (
    *("Austin, United States", "New York, United States", "San Francisco, United States"),
    *("London, United Kingdom", "Berlin, Germany", "Paris, France", "Amsterdam, Netherlands"),
    *("Toronto, Canada", "Sydney, Australia", "Singapore, Singapore", "Dublin, Ireland", "Madrid, Spain"),
)
_FIRST = (
    *("Ana", "Ben", "Clara", "David", "Elena", "Farid", "Grace", "Hugo", "Ines", "Jonas", "Keiko", "Liam"),
    *("Maya", "Noah", "Olga", "Pedro", "Quinn", "Rosa", "Samir", "Tara", "Uma", "Victor", "Wendy", "Xavier"),
    *("Yusuf", "Zoë", "Amélie", "Björn", "Chidi", "Dana"),
)
_LAST = (
    *("Silva", "Okafor", "Larsen", "Novak", "Tanaka", "Rossi", "Kim", "Patel", "Müller", "Dubois", "Garcia"),
    *("Haddad", "Ivanov", "Johansson", "Keller", "Lopez", "Moreau", "Nguyen", "O'Brien", "Petrov", "Quigley"),
    *("Reyes", "Schmidt", "Torres", "Usman", "Vargas", "Weber", "Young", "Zhang", "van Dijk"),
)
_EXECUTIVES = (
    *("Chief Technology Officer", "CTO", "CFO", "Chief Marketing Officer", "VP Marketing", "VP of Sales"),
    *("Vice President, Engineering", "SVP Product", "Director of Marketing", "Managing Director"),
    *("Co-Founder & CEO", "Chief Operating Officer", "Sales Director", "President"),
)
_TRAPS = (
    *("Contractor", "Instructor", "Assistant to the CEO", "Art Director", "Account Executive"),
    *("Executive Assistant", "Active Directory Administrator", "Project Coordinator", "Product Owner"),
    *("Chief of Staff", "HR Business Partner", "Assistant Vice President"),
)
_OTHERS = (
    *("Software Engineer", "Marketing Manager", "Office Manager", "Sales Representative", "Data Analyst"),
    *("Customer Success Manager", "Designer", "Accountant", "Content Writer", "Head of Growth"),
)


class Mail(StrEnum):
    """Kinds of mail domains that companies have."""

    MX = "mx"
    A_ONLY = "a_only"  #: no MX record; its A record is its mail host (RFC 5321 §5.1)
    NONE = "none"  #: neither MX nor mail on A: the mail name doesn't exist
    NULL_MX = "null_mx"  #: takes no mail and says so (RFC 7505)
    ACCEPT_ALL = "accept_all"  #: takes every address, so that none can be verified


class Quirk(StrEnum):
    """Peculiarities of a company's web site."""

    PLAIN = "plain"
    JSON_LD = "json_ld"  #: schema.org facts in the page
    DIRTY = "dirty"  #: unclosed tags, odd encodings, addresses written with "at"
    REDIRECT = "redirect"  #: the home page moved
    INJECTION = "injection"  #: a prompt injection


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Person who works at a company."""

    first: str
    last: str
    title: str
    function: str | None  #: what the person does, where the title is one of :mod:`integrations.sandbox.staff`
    level: str | None  #: how high up, likewise
    email: str
    handle: str  #: of the public profile
    listed: bool  #: whether the company's web site names the person
    shows_email: bool  #: whether the site shows the address
    objected: bool  #: whether the person asked data providers not to process their data
    slow: bool  #: whether a verification is pending at first

    @property
    def name(self) -> str:
        """First and last name."""
        return f"{self.first} {self.last}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Company:
    """Company of the world."""

    name: str
    domain: str
    industry: str
    makes: str
    size: int  #: employees
    city: str
    founded: int
    pattern: str  #: of its addresses, in Hunter's notation
    mail: Mail
    quirk: Quirk
    people: tuple[Person, ...]

    @property
    def headcount(self) -> str:
        """Number of employees as a range, the form of data providers."""
        for low, high in ((1, 10), (11, 50), (51, 200), (201, 500), (501, 1000), (1001, 5000), (5001, 10000)):
            if low <= self.size <= high:
                return f"{low}-{high}"
        return "10001+"

    @property
    def web_host(self) -> str:
        """Host of its web site: its ``www`` where the domain itself has no address, or is the mail host."""
        return f"www.{self.domain}" if self.mail in (Mail.NONE, Mail.A_ONLY) else self.domain


@dataclass(frozen=True, slots=True)
class World:
    """All companies of one seed, with look-ups for the sandboxed providers."""

    seed: int
    companies: tuple[Company, ...]
    by_domain: Mapping[str, Company]
    by_name: Mapping[str, Company]  #: name in lower case
    by_email: Mapping[str, tuple[Company, Person]]

    @staticmethod
    @lru_cache(maxsize=4)
    def build(seed: int) -> World:
        """Build the world of ``seed``."""
        companies: list[Company] = []
        taken: set[str] = set()
        for industry, (count, endings, makes) in _INDUSTRIES.items():
            random = Random(f"world/{seed}/{industry}")
            names = [begin + end for begin in _BEGINNINGS for end in endings]
            random.shuffle(names)
            free = [name for name in names if name.lower() not in taken][:count]
            taken.update(name.lower() for name in free)
            companies += [_company(seed, name, industry, makes) for name in free]
        for industry, (count, endings, makes) in _LOCAL.items():
            random = Random(f"local/{seed}/{industry}")
            names = [begin + end for begin in _BEGINNINGS for end in endings if (begin + end).lower() not in taken]
            companies += [_local(seed, name, industry, makes) for name in random.sample(names, count)]
        return World(
            seed=seed,
            companies=tuple(companies),
            by_domain={c.domain: c for c in companies},
            by_name={c.name.lower(): c for c in companies},
            by_email={p.email: (c, p) for c in companies for p in c.people},
        )


def chance(*parts: object) -> float:
    """Return a number in [0, 1) that depends on the parts only."""
    digest = sha256("\x1f".join(str(part) for part in parts).encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64


def plain(text: str) -> str:
    """Return the ASCII letters of a name in lower case, as in e-mail addresses."""
    folded = unicodedata.normalize("NFKD", text.replace("ø", "o").replace("ß", "ss"))
    return "".join(char for char in folded if char.isascii() and char.isalpha()).lower()


def _company(seed: int, name: str, industry: str, makes: str) -> Company:
    random = Random(f"company/{seed}/{name}")
    domain = f"{name.lower()}.{ZONE}"
    pattern = random.choice(("{first}.{last}", "{first}.{last}", "{f}{last}", "{first}", "{last}.{first}"))
    size = random.choice(_SIZES)
    mail = random.choices(tuple(Mail), weights=(84, 4, 4, 3, 5))[0]
    quirk = random.choices(tuple(Quirk), weights=(50, 30, 10, 6, 4))[0]
    city = random.choice(_CITIES)
    founded = random.randint(1950, 2024)
    heads = _people(random, domain, pattern, [(title, None) for title in _titles(random, size)])
    return Company(
        name=name,
        domain=domain,
        industry=industry,
        makes=makes,
        size=size,
        city=city,
        founded=founded,
        pattern=pattern,
        mail=mail,
        quirk=quirk,
        people=_with_staff(seed, heads, domain, pattern, industry, size, city),
    )


def _local(seed: int, name: str, industry: str, makes: str) -> Company:
    """Make a company that its owner runs, or a managing director from some size on."""
    random = Random(f"local/{seed}/{name}")
    domain = f"{name.lower()}.{ZONE}"
    city, size = random.choice(_LOCAL_CITIES), random.choice(_LOCAL_SIZES)
    head = OWNER if size <= 100 or random.random() < 0.6 else MANAGING_DIRECTOR
    first = [(head.title(language_of(city)), head)]
    pattern = random.choice(("{first}.{last}", "{first}"))
    return Company(
        name=name,
        domain=domain,
        industry=industry,
        makes=makes,
        size=size,
        city=city,
        founded=random.randint(1950, 2024),
        pattern=pattern,
        mail=random.choices((Mail.MX, Mail.A_ONLY, Mail.ACCEPT_ALL), weights=(90, 5, 5))[0],
        quirk=random.choices((Quirk.PLAIN, Quirk.JSON_LD, Quirk.DIRTY), weights=(60, 30, 10))[0],
        people=_with_staff(seed, _people(random, domain, pattern, first), domain, pattern, industry, size, city),
    )


def _titles(random: Random, size: int) -> list[str]:
    titles = ["CEO" if random.random() < 0.7 else "Founder and CEO"]
    titles += random.sample(_EXECUTIVES, 2 if size > 50 else 1)
    titles += random.sample(_TRAPS, 2 if size > 12 else 0)
    titles += random.sample(_OTHERS, 3 if size > 50 else 1)
    return titles


def _with_staff(
    seed: int, heads: tuple[Person, ...], domain: str, pattern: str, industry: str, size: int, city: str
) -> tuple[Person, ...]:
    """Return a company's people, its heads first, the staff drawn from a stream of its own."""
    random = Random(f"staff/{seed}/{domain}")
    language = language_of(city)
    jobs = [(job.title(language), job) for job in staff(random, industry, size)]
    return heads + _people(random, domain, pattern, jobs, taken=frozenset(person.email for person in heads))


def _people(
    random: Random,
    domain: str,
    pattern: str,
    titles: Sequence[tuple[str, Job | None]],
    taken: frozenset[str] = frozenset(),
) -> tuple[Person, ...]:
    people: dict[str, Person] = {}
    while len(people) < len(titles):
        first, last = random.choice(_FIRST), random.choice(_LAST)
        fields = {"first": plain(first), "last": plain(last), "f": plain(first)[0]}
        email = f"{pattern.format(**fields)}@{domain}"
        if email in people or email in taken:
            continue
        title, job = titles[len(people)]
        people[email] = Person(
            first=first,
            last=last,
            title=title,
            function=job.function if job else None,
            level=job.level if job else None,
            email=email,
            handle=f"sandbox-{fields['first']}-{fields['last']}-{sha256(email.encode()).hexdigest()[:6]}",
            listed=random.random() < 0.8,
            shows_email=random.random() < 0.5,
            objected=random.random() < 0.015,
            slow=random.random() < 0.03,
        )
    return tuple(people.values())
