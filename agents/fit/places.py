"""Places of leads and campaigns: countries, regions, cities and groups such as DACH, in the names of eight languages.

A place is read from right to left as people write it ("Paris, Texas, United States"), and a bare name is the biggest
place that has it. Invariant: what a place leaves open ("Germany" where Berlin was asked for) is unknown, not wrong.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import NamedTuple

from agents.fit.patterns import lines
from agents.fit.text import folded, has_cjk
from agents.fit.verdict import best

MAX_PLACE = 200  #: characters of a place that are read
NEAR = 5  #: times that a city counts in the countries whose languages are read
_NEAR = frozenset(["DE", "AT", "CH", "FR", "BE", "NL", "ES", "IT", "PT", "GB", "IE", "US", "CA", "JP", "BR"])
_PARTS = re.compile(r"[,;/|()\[\]·•–—、，]|\s-\s|\b(?:and|und|et)\b")
_AROUND = re.compile(
    r"\b(?:greater|metropolitan|metropolitana|metro|bay area|area|region|region of|raum|grossraum|metropolregion"
    r"|umgebung|agglomeration|state of|province of|provincia de|provincia di|freistaat|kanton|canton|county"
    r"|remote|hybrid"
    r"|city of|nahe|bei|near|prefecture|und umgebung|based in)\b"
)
_POSTAL = re.compile(r"\b(?:[a-z]{1,2}-)?\d[\d\s-]*[a-z]{0,2}\b|\bcedex\b")
_CODE = re.compile(r"[A-Z]{2}")
_MOST_WORDS = 5


class City(NamedTuple):
    """A city, by its weight among those of the same name."""

    weight: int
    country: str
    region: str | None
    name: str


@dataclass(frozen=True, slots=True)
class Place:
    """Country, region and city of a location, as far as it says them."""

    country: str  #: ISO 3166
    region: str | None = None
    city: str | None = None


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a campaign's word for a place may mean."""

    countries: frozenset[str] = frozenset()
    regions: frozenset[str] = frozenset()
    city: City | None = None


@dataclass(slots=True)
class _Names:
    """All names, folded."""

    countries: dict[str, str]
    groups: dict[str, frozenset[str]]
    regions: defaultdict[str, list[str]]
    cities: defaultdict[str, list[City]]
    cjk: re.Pattern[str]
    codes: frozenset[str]


def in_places(location: str, asked: Iterable[str]) -> bool | None:
    """Tell whether a location lies in one of the places asked for, or None when it doesn't say."""
    return best(_in_place(location, one) for one in asked)


@lru_cache(maxsize=50_000)
def place(location: str) -> Place | None:
    """Read a location, or return None when no place of it is known."""
    parts = [part for part in (_clean(part) for part in _PARTS.split(location[:MAX_PLACE])) if part]
    known = _names()
    if (whole := _spaced(location)) in known.countries:
        return Place(known.countries[whole])
    countries: list[str] = []
    regions: list[str] = []  # of the last part that names any
    cities: list[City] = []
    for part in parts:
        if not _CODE.fullmatch(part):
            names = list(_found(part))
            countries += [known.countries[name] for name in names if name in known.countries]
            regions = [region for name in names for region in known.regions.get(name, ())] or regions
            cities += [city for name in names for city in known.cities.get(name, ())]
    for code in (part for part in parts if _CODE.fullmatch(part)):
        country, region = _code(code, cities, alone=len(parts) == 1)
        countries += [country] if country else []
        regions = [region] if region else regions
    return _placed(countries, regions, cities)


def _placed(countries: list[str], regions: list[str], cities: list[City]) -> Place | None:
    own = [city for city in cities if city.region in regions]
    country = countries[-1] if countries else None
    if country is not None and own and not any(city.country == country for city in cities):
        country = None  # "Atlanta, Georgia" is no country's
    if country is None and regions:
        country = max(own).country if own else regions[0][:2]
    if country is None and cities:
        country = max(cities).country
    if country is None:
        return None
    inside = [region for region in regions if region.startswith(country + "-")]
    here = [city for city in cities if city.country == country]
    fitting = [city for city in here if not inside or city.region in inside or city.region is None]
    fitting = fitting or ([] if inside else here)
    city = max((one for one in fitting if one.name == fitting[0].name), default=None)
    region = city.region if city and city.region else inside[0] if inside else None
    return Place(country, region, city.name if city else None)


@lru_cache(maxsize=2_000)
def wanted(asked: str) -> Wanted | None:
    """Read a place that a campaign asks for, or return None when it isn't known."""
    known = _names()
    name = folded(_spaced(asked))
    if name in known.groups:
        return Wanted(countries=known.groups[name])
    single = _clean(asked)
    if single in known.groups:
        return Wanted(countries=known.groups[single])
    if not _PARTS.search(asked):
        country = known.countries.get(name) or known.countries.get(single)
        regions = frozenset(known.regions.get(single, ()))
        city = max(known.cities.get(single, ()), default=None)
        if _CODE.fullmatch(single) and single in known.codes:
            country = single
        if country or regions:
            return Wanted(frozenset({country} if country else ()), regions)
        if city:
            return Wanted(city=city)
    found = place(asked)
    if found is None:
        return None
    if found.city:
        return Wanted(city=City(0, found.country, found.region, found.city))
    return Wanted(regions=frozenset({found.region})) if found.region else Wanted(frozenset({found.country}))


def _in_place(location: str, asked: str) -> bool | None:
    target, lead = wanted(asked), place(location)
    if target is None or lead is None:
        return True if f" {_spaced(asked)} " in f" {_spaced(location)} " else None
    answers: list[bool | None] = []
    if target.countries:
        answers.append(lead.country in target.countries)
    for region in target.regions:
        answers.append(_in_region(lead, region))
    if target.city is not None:
        answers.append(_in_city(lead, target.city))
    return best(answers)


def _in_region(lead: Place, region: str) -> bool | None:
    if lead.country != region[:2]:
        return False
    return None if lead.region is None else lead.region == region


def _in_city(lead: Place, city: City) -> bool | None:
    if lead.country != city.country:
        return False
    if lead.city is not None:
        return lead.city == city.name and (lead.region == city.region or None in (lead.region, city.region))
    if lead.region is not None and city.region is not None and lead.region != city.region:
        return False
    return None


def _code(code: str, cities: list[City], *, alone: bool) -> tuple[str | None, str | None]:
    """Return what two capital letters are: a country, or a region of the country that the city is in."""
    known = _names()
    states = [one for one in known.regions.get(code.lower(), ()) if one.endswith("-" + code) or not alone]
    for region in states:
        if any(city.region == region for city in cities):
            return None, region
    if code in known.codes and (alone or any(city.country == code for city in cities) or not states):
        return code, None
    american = [region for region in states if region.startswith("US-")]
    return (None, american[0]) if american else (code if code in known.codes else None, None)


def _clean(part: str) -> str:
    """Return a part of a place without postal codes and "greater ... area", two capital letters as they are."""
    part = part.strip()
    if _CODE.fullmatch(part):
        return part
    return " ".join(_AROUND.sub(" ", _POSTAL.sub(" ", folded(part))).replace("'", " ").replace("-", " ").split())


def _spaced(text: str) -> str:
    return " ".join(folded(text).replace("'", " ").replace("-", " ").split())


def _found(text: str) -> Iterator[str]:
    """Yield the longest known names in a part, from left to right."""
    known = _names()
    if has_cjk(text):
        yield from (one[0] for one in known.cjk.finditer(text))
        return
    words = text.split()
    start = 0
    while start < len(words):
        for end in range(min(len(words), start + _MOST_WORDS), start, -1):
            name = " ".join(words[start:end])
            whole = start == 0 and end == len(words)
            if (len(name) > 3 or whole) and (name in known.countries or name in known.regions or name in known.cities):
                yield name
                start = end
                break
        else:
            start += 1


@cache
def _names() -> _Names:
    countries: dict[str, str] = {}
    groups: dict[str, frozenset[str]] = {}
    regions: defaultdict[str, list[str]] = defaultdict(list)
    cities: defaultdict[str, list[City]] = defaultdict(list)
    for key, names in _lines("countries.txt"):
        if key.startswith("+"):
            codes, _, spellings = names.partition("|")
            for name in spellings.split(","):
                groups[_spaced(name)] = frozenset(codes.split())
            continue
        for name in names.split(","):
            countries.setdefault(_spaced(name), key)
    for key, names in _lines("regions.txt"):
        for name in names.split(","):
            regions[_spaced(name)].append(key)
    for key, names in _lines("cities.txt"):
        country, dash, _ = key.partition("-")
        for entry in names.split(","):
            spellings, _, thousands = entry.strip().rpartition("=")
            weight = int(thousands) * (NEAR if country in _NEAR else 1)
            first, *others = spellings.split("/")
            for name in dict.fromkeys((first, *others)):
                cities[_spaced(name)].append(City(weight, country, key if dash else None, first))
    every = sorted({name for names in (countries, regions, cities) for name in names if has_cjk(name)}, key=len)
    return _Names(
        countries,
        groups,
        regions,
        cities,
        re.compile("|".join(map(re.escape, reversed(every)))),
        frozenset(countries.values()),
    )


def _lines(name: str) -> Iterator[tuple[str, str]]:
    for line in lines(name):
        key, _, names = line.partition(":")
        yield key, names
