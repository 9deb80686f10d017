"""Changes to a live campaign on Facebook: fields of its ad set, and the status of its ads.

Settings: the daily budget in minor units; the audience as places and ids of interests and job titles; the bid as
``bid_strategy`` and ``bid_amount``; the end as seconds since 1970. Sources: "Ad Set" (``bid_amount``: "the maximum bid
you want to pay for a result based on your optimization_goal", in minor units; ``end_time``: 0 for none) and "Ad" of the
Marketing API reference, v26.0. Not from the documentation: that ``end_time=0`` takes an end away that was set before.
Invariant: what a targeting says beyond places, interests and job titles (customer lists, ages) is sent back unchanged.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from pydantic import JsonValue

from integrations.ads.change_kind import ChangeKind
from integrations.ads.changes import (
    AudienceChange,
    BidChange,
    Change,
    DailyBudget,
    EndChange,
    Setting,
    seconds,
)
from integrations.ads.changes_by_kind import ChangesByKind
from integrations.ads.facebook.errors import PROVIDER
from integrations.ads.facebook.money import minor_units
from integrations.ads.facebook.spec import SPEC
from integrations.ads.facebook.targeting import people
from integrations.ads.facebook.wire import Graph, identifier
from integrations.ads.figures import count, unreadable
from integrations.ads.platform import RemoteCampaign, Wire
from integrations.errors import BadRequestError, NotFoundError, TransientError
from integrations.fields import missing

UNCAPPED, CAPPED = "LOWEST_COST_WITHOUT_CAP", "LOWEST_COST_WITH_BID_CAP"
_GONE = ("DELETED", "ARCHIVED")
_FIELDS = {
    ChangeKind.DAILY_BUDGET: "id,daily_budget",
    ChangeKind.AUDIENCE: "id,targeting",
    ChangeKind.BID: "id,bid_strategy,bid_amount",
    ChangeKind.END: "id,end_time",
}


class FacebookChanges(ChangesByKind):
    """Changes in one ad account at Facebook."""

    def __init__(self, graph: Graph) -> None:
        super().__init__(SPEC)
        self._graph = graph

    def ad_set(self, remote: RemoteCampaign, wire: Wire) -> str:
        """Return the id of the campaign's ad set.

        Raises NotFoundError for a campaign without one.
        """
        if known := remote.ids.get("ad_set"):
            return known
        listed = next(self._graph.pages(remote.id, "adsets", wire=wire, fields="id,name"), None)
        if listed is None:
            raise NotFoundError(PROVIDER, "the campaign has no ad set")
        return identifier(listed)

    def _read(self, remote: RemoteCampaign, kind: ChangeKind, ad: str, wire: Wire) -> JsonValue:
        if kind is ChangeKind.AD_SWITCH:
            status = self._get(remote.ids[ad], "id,status", wire).get("status")
            if status in _GONE:
                raise NotFoundError(PROVIDER, "the ad has been deleted or archived")
            return status == "ACTIVE"
        found = self._get(self.ad_set(remote, wire), _FIELDS[kind], wire)
        if kind is ChangeKind.DAILY_BUDGET:
            return count(PROVIDER, found, "daily_budget")
        if kind is ChangeKind.AUDIENCE:
            return _people(_targeting(found))
        if kind is ChangeKind.BID:
            return _bid(found)
        return _moment(found.get("end_time"))

    def _wanted(self, remote: RemoteCampaign, change: Change, now: JsonValue, wire: Wire) -> JsonValue:
        if isinstance(change, DailyBudget):
            return minor_units(change.amount, change.currency)
        if isinstance(change, AudienceChange):
            return _people(people(self._graph, change.audience, change.keywords, wire))
        if isinstance(change, BidChange):
            if change.cap is None:
                return {"bid_strategy": UNCAPPED}
            return {"bid_strategy": CAPPED, "bid_amount": minor_units(change.cap, change.currency)}
        if isinstance(change, EndChange):
            return seconds(change.at)
        raise BadRequestError(PROVIDER, SPEC.unchangeable(change.kind))

    def _write(self, remote: RemoteCampaign, setting: Setting, wire: Wire) -> None:
        value = setting.value
        if setting.kind is ChangeKind.AD_SWITCH:
            self._set(remote.ids[setting.ad], {"status": "ACTIVE" if value else "PAUSED"}, wire)
            return
        ad_set = self.ad_set(remote, wire)
        if setting.kind is ChangeKind.AUDIENCE and isinstance(value, dict):
            now = _targeting(self._get(ad_set, _FIELDS[setting.kind], wire))
            self._set(ad_set, {"targeting": _aimed(now, value)}, wire)
        elif setting.kind is ChangeKind.BID and isinstance(value, dict):
            self._set(ad_set, value, wire)
        elif setting.kind is ChangeKind.DAILY_BUDGET:
            self._set(ad_set, {"daily_budget": value}, wire)
        else:
            at = datetime.fromtimestamp(value, UTC).isoformat() if isinstance(value, int) else 0
            self._set(ad_set, {"end_time": at}, wire)

    def _get(self, node: str, fields: str, wire: Wire) -> dict[str, Any]:
        return wire(lambda timeout: self._graph.get(node, timeout=timeout, fields=fields))

    def _set(self, node: str, fields: Mapping[str, Any], wire: Wire) -> None:
        wire(lambda timeout: self._graph.change(node, timeout=timeout, **fields))


def _targeting(ad_set: Mapping[str, Any]) -> dict[str, Any]:
    """Return an ad set's targeting.

    Raises TransientError for an answer without it: what it says beside the audience would be lost.
    """
    found = ad_set.get("targeting")
    if not isinstance(found, dict):
        raise missing(PROVIDER, "targeting", TransientError)
    return found


def _people(targeting: Mapping[str, Any]) -> dict[str, JsonValue]:
    """Return whom a targeting means, without what Facebook tells besides about each place and interest."""
    places = targeting.get("geo_locations")
    if not isinstance(places, dict):
        raise missing(PROVIDER, "targeting.geo_locations")
    flexible = targeting.get("flexible_spec") or []
    if not isinstance(flexible, list) or not all(isinstance(one, dict) for one in flexible):
        raise unreadable(PROVIDER, "targeting.flexible_spec")
    found: dict[str, JsonValue] = {"countries": [*sorted(str(one) for one in places.get("countries") or ())]}
    for kind in ("regions", "cities"):
        found[kind] = [*sorted(_key(one, "key") for one in places.get(kind) or ())]
    found["narrowed"] = [
        {kind: {_key(one, "id"): str(one.get("name", "")) for one in entries} for kind, entries in one.items()}
        for one in flexible
    ]
    return found


def _aimed(targeting: Mapping[str, Any], value: Mapping[str, Any]) -> dict[str, Any]:
    """Return a targeting that means the people of ``value``, and is else as it was."""
    places: dict[str, Any] = {"countries": value["countries"]} if value["countries"] else {}
    places |= {kind: [{"key": key} for key in value[kind]] for kind in ("regions", "cities") if value[kind]}
    found = {name: part for name, part in targeting.items() if name not in ("geo_locations", "flexible_spec")}
    found["geo_locations"] = places
    if value["narrowed"]:
        found["flexible_spec"] = [
            {kind: [{"id": key, "name": name} for key, name in entries.items()] for kind, entries in one.items()}
            for one in value["narrowed"]
        ]
    return found


def _key(entry: object, key: str) -> str:
    found = entry.get(key) if isinstance(entry, dict) else None
    if not isinstance(found, str | int):
        raise unreadable(PROVIDER, "targeting")
    return str(found)


def _bid(ad_set: Mapping[str, Any]) -> JsonValue:
    strategy = ad_set.get("bid_strategy")
    if not isinstance(strategy, str):
        raise missing(PROVIDER, "bid_strategy", TransientError)
    if strategy == UNCAPPED:
        return {"bid_strategy": UNCAPPED}
    return {"bid_strategy": strategy, "bid_amount": count(PROVIDER, ad_set, "bid_amount")}


def _moment(told: object) -> int | None:
    """Return a moment that Facebook tells, in seconds since 1970, None for none."""
    if told in (None, "", 0, "0"):
        return None
    try:
        return int(datetime.fromisoformat(str(told)).timestamp())
    except (ValueError, OverflowError):
        raise unreadable(PROVIDER, "end_time") from None
