"""From an audience in plain words to the places, language and keywords of a search campaign.

A search campaign reaches people by what they search for, where they are and which language they use. Google's places
have ids of its own, which one query gives; languages are few and fixed ("Codes and formats: language codes").
Invariants: a place is always targeted; places that are all unknown are an error, for ads shown everywhere instead
would waste the money; where a campaign names no keywords, the audience's own words are those people search for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from integrations.ads.google.errors import PROVIDER
from integrations.ads.google.gaql import listed, query
from integrations.ads.google.wire import GoogleAdsWire
from integrations.ads.keywords import Keyword, keywords
from integrations.ads.platform import AdSpec, Audience, Wire
from integrations.errors import BadRequestError

DEFAULT_PLACE = "geoTargetConstants/2840"  #: United States, where nothing is said about the place
MAX_PLACES = 10
ENGLISH = "languageConstants/1000"
LANGUAGES: Mapping[str, str] = {
    language: f"languageConstants/{number}"
    for language, number in {
        **{"en": 1000, "de": 1001, "fr": 1002, "es": 1003, "it": 1004, "ja": 1005, "da": 1009, "nl": 1010},
        **{"fi": 1011, "ko": 1012, "no": 1013, "pt": 1014, "sv": 1015, "pl": 1030, "tr": 1037, "cs": 1021},
    }.items()
}
#: Names that people write and Google's list of places doesn't have.
_SHORT = {"us": "United States", "usa": "United States", "uk": "United Kingdom", "uae": "United Arab Emirates"}
_PLACE_FIELDS = (
    "geo_target_constant.resource_name",
    "geo_target_constant.id",
    "geo_target_constant.name",
    "geo_target_constant.canonical_name",
    "geo_target_constant.target_type",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Targeting:
    """Whom a campaign reaches."""

    places: tuple[str, ...]  #: resource names of geo target constants
    language: str  #: resource name of a language constant
    keywords: tuple[Keyword, ...]


def targeting(api: GoogleAdsWire, spec: AdSpec, wire: Wire) -> Targeting:
    """Return whom the campaign reaches.

    Raises BadRequestError when none of the given places is known, or nothing is left to search for.
    """
    return Targeting(
        places=known_places(api, spec.audience.locations, wire),
        language=LANGUAGES.get(spec.language[:2].lower(), ENGLISH),
        keywords=searched(spec),
    )


def searched(spec: AdSpec) -> tuple[Keyword, ...]:
    """Return the campaign's keywords, else the audience's interests, industries and titles as keywords.

    Raises BadRequestError when none is left.
    """
    return sought(spec.keywords, spec.audience)


def sought(words: tuple[str, ...], audience: Audience) -> tuple[Keyword, ...]:
    """Return the keywords among ``words``, else the audience's interests, industries and titles as keywords.

    Raises BadRequestError when none is left.
    """
    found = keywords(words)
    if all(one.negative for one in found):
        found += keywords((*audience.interests, *audience.industries, *audience.titles))
    if all(one.negative for one in found):
        raise BadRequestError(PROVIDER, "a search campaign needs a keyword; give the audience keywords")
    return tuple(found)


def known_places(api: GoogleAdsWire, locations: Sequence[str], wire: Wire) -> tuple[str, ...]:
    """Return the places of these names, the default one for no names.

    Raises BadRequestError when none of them is known.
    """
    if not locations:
        return (DEFAULT_PLACE,)
    asked = [_parts(place) for place in locations[:MAX_PLACES]]
    named = dict.fromkeys(parts[0] for parts in asked if parts)
    conditions = (f"geo_target_constant.name IN {listed(named)}", "geo_target_constant.status = 'ENABLED'")
    rows = api.rows(query(_PLACE_FIELDS, "geo_target_constant", *conditions), wire=wire) if named else ()
    known = [found for row in rows if isinstance(found := row.get("geoTargetConstant"), dict)]
    places = [best for parts in asked if parts and (best := _best(parts, known))]
    if not places:
        raise BadRequestError(PROVIDER, f"knows none of the places {', '.join(locations[:MAX_PLACES])}")
    return tuple(dict.fromkeys(places))


def _parts(place: str) -> list[str]:
    """Return "Austin" and "United States" of "Austin, US", without empty parts."""
    parts = [part.strip() for part in place.split(",") if part.strip()]
    return [_SHORT.get(part.lower(), part) for part in parts]


def _best(parts: Sequence[str], known: Sequence[Mapping[str, Any]]) -> str | None:
    """Return the place of that name that is in what is written after it, a country before a town."""

    def rank(place: Mapping[str, Any]) -> tuple[bool, bool, int]:
        around = str(place.get("canonicalName", "")).lower()
        named = all(part.lower() in around for part in parts[1:])
        number = str(place.get("id", ""))
        return (not named, place.get("targetType") != "Country", int(number) if number.isdecimal() else 0)

    same = [place for place in known if str(place.get("name", "")).lower() == parts[0].lower()]
    found = min(same, key=rank, default=None)
    resource = found.get("resourceName") if found else None
    return resource if isinstance(resource, str) else None
