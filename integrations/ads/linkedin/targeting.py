"""From an audience in plain words to LinkedIn's targeting criteria.

LinkedIn targets by URNs of its own; the typeahead finder gives them, and a customer list has its ad segment's
("targetingCriteria" and its facets, Marketing API documentation). Invariants as on Facebook: a place
is always targeted, places that are all unknown are an error, unknown industries and titles only narrow less. People are
targeted in the language of the ads.
"""

from __future__ import annotations

import re
from typing import Any

from integrations.ads.audience import ListUse
from integrations.ads.linkedin.locale import locale_of, locale_problem
from integrations.ads.linkedin.wire import PROVIDER, RestLi, elements, text
from integrations.ads.platform import AdSpec, AimedList, Audience, Wire
from integrations.errors import BadRequestError

FACET = "urn:li:adTargetingFacet:"
DEFAULT_PLACE = "urn:li:geo:103644278"  #: United States, where nothing is said about the place
MAX_LOOKUPS = 4  #: per facet
_LISTS = FACET + "audienceMatchingSegments"  #: people whom an uploaded list has matched
_SEGMENT = re.compile(r"urn:li:adSegment:\d+")


def targeting(api: RestLi, spec: AdSpec, wire: Wire) -> dict[str, Any]:
    """Return a campaign's ``targetingCriteria``: any of each facet, all facets together."""
    audience, locale = spec.audience, locale_of(spec.language)
    if locale is None:
        raise BadRequestError(PROVIDER, locale_problem(spec.language) or "")
    facets = {"interfaceLocales": [locale.urn], **people(api, audience, wire)}
    wanted = [{"or": {FACET + facet: found}} for facet, found in facets.items() if found]
    return _narrowed(wanted, spec.customers)


def people(api: RestLi, audience: Audience, wire: Wire) -> dict[str, list[str]]:
    """Return the URNs by facet that an audience in plain words makes.

    Raises BadRequestError when none of the given places is known.
    """
    places = _known(api, "locations", audience.locations, wire)
    if audience.locations and not places:
        named = ", ".join(audience.locations[:MAX_LOOKUPS])
        raise BadRequestError(PROVIDER, f"knows none of the places {named}")
    return {
        "locations": places or [DEFAULT_PLACE],
        "industries": _known(api, "industries", audience.industries, wire),
        "titles": _known(api, "titles", audience.titles, wire),
    }


def reference_problem(aimed: AimedList | None) -> str | None:
    """Return why ads can't be aimed by a customer list, as far as its reference tells, None when they can."""
    if aimed is None or _SEGMENT.fullmatch(aimed.reference):
        return None
    return f"the customer list {aimed.reference!r} is no ad segment, such as urn:li:adSegment:10001"


def _narrowed(wanted: list[dict[str, Any]], aimed: AimedList | None) -> dict[str, Any]:
    """Return the criteria, with one more that people have to meet, or with those whom they keep out."""
    if aimed is None:
        return {"include": {"and": wanted}}
    segment = {"or": {_LISTS: [aimed.reference]}}
    if aimed.use is ListUse.EXCLUDE:
        return {"include": {"and": wanted}, "exclude": segment}
    return {"include": {"and": [*wanted, segment]}}


def _known(api: RestLi, facet: str, words: tuple[str, ...], wire: Wire) -> list[str]:
    found = []
    for word in words[:MAX_LOOKUPS]:
        query = {
            "q": "typeahead",
            "facet": text(FACET + facet),
            "query": text(word),
            "queryVersion": "QUERY_USES_URNS",
        }

        def ask(timeout: float, query: dict[str, str] = query) -> dict[str, Any]:
            return api.get("/adTargetingEntities", query, timeout=timeout)

        hits = elements(wire(ask))
        if hits and isinstance(hits[0].get("urn"), str):
            found.append(hits[0]["urn"])
    return list(dict.fromkeys(found))
