"""From an audience in plain words to Facebook's targeting ids.

Facebook targets by ids of its own; its search edge gives them. Invariants: someone is always targeted by
place; a place that Facebook doesn't know is an error when none of the given places is known, for ads
shown everywhere instead would waste the money; an unknown interest or job title only narrows less; Facebook doesn't
widen what was asked for. Since v23.0 it would by default, and it refuses an ad set with interests or custom audiences
that doesn't say whether it may ("Advantage+ audience" of the Marketing API documentation).
"""

from __future__ import annotations

from typing import Any

from integrations.ads.audience import ListUse
from integrations.ads.facebook.errors import PROVIDER
from integrations.ads.facebook.wire import Graph
from integrations.ads.goal import Goal
from integrations.ads.keywords import unmarked
from integrations.ads.platform import AdSpec, AimedList, Audience, Wire
from integrations.errors import BadRequestError, TransientError
from integrations.fields import missing

DEFAULT_COUNTRY = "US"  #: where nothing is said about the place
MAX_LOOKUPS = 4  #: per kind; more of them hardly narrow an audience further


def targeting(graph: Graph, spec: AdSpec, wire: Wire) -> dict[str, Any]:
    """Return the ``targeting`` of an ad set.

    Raises BadRequestError when none of the given places is known.
    """
    country = spec.customers.country if spec.customers else None
    found = people(graph, spec.audience, spec.keywords, wire, country=country)
    return {**found, "targeting_automation": {"advantage_audience": 0}, **_customers(spec.customers, spec.goal)}


def people(
    graph: Graph, audience: Audience, keywords: tuple[str, ...], wire: Wire, *, country: str | None = None
) -> dict[str, Any]:
    """Return the part of a ``targeting`` that an audience in plain words makes: places, interests, job titles.

    ``country`` stands in for places that are not given. Raises BadRequestError when none of the given places is known.
    """
    places = _places(graph, audience.locations, country, wire)
    words = tuple(dict.fromkeys((*audience.industries, *audience.interests, *unmarked(keywords))))
    narrowed = {
        "interests": _known(graph, "adinterest", words, wire),
        "work_positions": _known(graph, "adworkposition", audience.titles, wire),
    }
    flexible = {kind: entries for kind, entries in narrowed.items() if entries}
    return {"geo_locations": places, **({"flexible_spec": [flexible]} if flexible else {})}


def _customers(aimed: AimedList | None, goal: Goal) -> dict[str, Any]:
    """Return what a customer list adds: the audience, and that ads for it are shown to no others.

    A lookalike audience is left by default where ads are optimised for more than clicks ("Advantage lookalike"); an ad
    set of another objective that says so is refused.
    """
    if aimed is None:
        return {}
    if aimed.use is ListUse.LOOKALIKE:
        kept = {} if goal is Goal.TRAFFIC else {"targeting_relaxation_types": {"lookalike": 0}}
        seed = {"excluded_custom_audiences": [{"id": aimed.seed}]} if aimed.seed else {}
        return {"custom_audiences": [{"id": aimed.reference}], **seed, **kept}
    if aimed.use is ListUse.EXCLUDE:
        return {"excluded_custom_audiences": [{"id": aimed.reference}]}
    return {"custom_audiences": [{"id": aimed.reference}], "targeting_relaxation_types": {"custom_audience": 0}}


def _places(graph: Graph, locations: tuple[str, ...], country: str | None, wire: Wire) -> dict[str, Any]:
    if not locations:
        return {"countries": [country or DEFAULT_COUNTRY]}
    found: dict[str, list[Any]] = {}
    for location in locations[:MAX_LOOKUPS]:
        hit = _first(graph, wire, type="adgeolocation", q=location, location_types=["country", "region", "city"])
        kind, key = (hit.get("type"), hit.get("key")) if hit else (None, None)
        if hit is None or not key:
            continue
        if kind == "country":
            found.setdefault("countries", []).append(str(hit.get("country_code") or key))
        elif kind in ("region", "city"):
            found.setdefault("regions" if kind == "region" else "cities", []).append({"key": str(key)})
    if not found:
        raise BadRequestError(PROVIDER, f"knows none of the places {', '.join(locations[:MAX_LOOKUPS])}")
    return found


def _known(graph: Graph, kind: str, words: tuple[str, ...], wire: Wire) -> list[dict[str, str]]:
    hits = [_first(graph, wire, type=kind, q=word) for word in words[:MAX_LOOKUPS]]
    entries = {str(hit["id"]): str(hit.get("name", "")) for hit in hits if hit and hit.get("id")}
    return [{"id": identifier, "name": name} for identifier, name in entries.items()]


def _first(graph: Graph, wire: Wire, **asked: Any) -> dict[str, Any] | None:
    reply = wire(lambda timeout: graph.get("search", timeout=timeout, limit=1, **asked))
    data = reply.get("data")
    if not isinstance(data, list):  # read as "nothing found" it would widen the audience
        raise missing(PROVIDER, "data", TransientError)
    return data[0] if data and isinstance(data[0], dict) else None
