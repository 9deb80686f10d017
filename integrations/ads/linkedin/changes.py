"""Changes to a live campaign on LinkedIn: fields of the campaign, and the intended status of its creatives.

Settings: the daily budget as money; the audience as URNs by facet; the bid as what is optimised for and the cost cap
(``unitCost``); the end as seconds since 1970. A cost cap is what a result may cost on average. It goes with another
``optimizationTargetType``, which the campaign's objective has to have: CAP_COST_AND_MAXIMIZE_CLICKS for visits,
CAP_COST_AND_MAXIMIZE_LEADS for forms, none for conversions on a web site. Sources: "Create and manage campaigns"
(``runSchedule``, ``targetingCriteria``, ``unitCost``; ``optimizationPreference`` caps frequency for brand awareness
alone), "Ad budget pricing type combinations" and "Bidding strategies by objective" of LinkedIn's documentation. Not
from the documentation: that an automatic bid is written as a ``unitCost`` of 0. Invariant: criteria that say something
else than places, industries and titles (customer lists, the language, exclusions) are sent back unchanged.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import ROUND_DOWN, Decimal
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
from integrations.ads.figures import amount, unreadable
from integrations.ads.linkedin.spec import SPEC
from integrations.ads.linkedin.targeting import FACET, people
from integrations.ads.linkedin.wire import PROVIDER, RestLi, text
from integrations.ads.platform import RemoteCampaign, Wire
from integrations.currencies import smallest
from integrations.errors import BadRequestError, NotFoundError, TransientError
from integrations.fields import missing

#: automatic bidding -> the same with a cost cap
CAPPED: Mapping[str, str] = {
    "MAX_CLICK": "CAP_COST_AND_MAXIMIZE_CLICKS",
    "MAX_LEAD": "CAP_COST_AND_MAXIMIZE_LEADS",
}
_UNCAPPED = {capped: plain for plain, capped in CAPPED.items()}
#: A tuple: what an answer's status is can't be trusted to be hashable.
GONE = ("REMOVED", "PENDING_DELETION", "CANCELED", "ARCHIVED")


class LinkedInChanges(ChangesByKind):
    """Changes in one ad account at LinkedIn."""

    def __init__(self, api: RestLi) -> None:
        super().__init__(SPEC)
        self._api = api

    def _read(self, remote: RemoteCampaign, kind: ChangeKind, ad: str, wire: Wire) -> JsonValue:
        if kind is ChangeKind.AD_SWITCH:
            status = self._get(self._creative(remote, ad), wire).get("intendedStatus")
            if status in GONE:
                raise NotFoundError(PROVIDER, "the creative has been removed or archived")
            return status == "ACTIVE"
        found = self._get(self._campaign(remote), wire)
        if kind is ChangeKind.DAILY_BUDGET:
            return _money(found, "dailyBudget")
        if kind is ChangeKind.AUDIENCE:
            return _people(_criteria(found))
        if kind is ChangeKind.BID:
            return _bid(found)
        return _end(found)

    def _wanted(self, remote: RemoteCampaign, change: Change, now: JsonValue, wire: Wire) -> JsonValue:
        if isinstance(change, DailyBudget):
            return {"amount": plain(rounded(change.amount, change.currency)), "currencyCode": change.currency}
        if isinstance(change, AudienceChange):
            facets = people(self._api, change.audience, wire)
            return {name: [*sorted(urns)] for name, urns in facets.items() if urns}
        if isinstance(change, BidChange) and isinstance(now, dict):
            return _capped(str(now["optimizationTargetType"]), change)
        if isinstance(change, EndChange):
            return seconds(change.at)
        raise BadRequestError(PROVIDER, SPEC.unchangeable(change.kind))

    def _write(self, remote: RemoteCampaign, setting: Setting, wire: Wire) -> None:
        value = setting.value
        if setting.kind is ChangeKind.AD_SWITCH:
            status = "ACTIVE" if value else "PAUSED"
            self._set(self._creative(remote, setting.ad), {"intendedStatus": status}, wire)
            return
        path = self._campaign(remote)
        if setting.kind is ChangeKind.DAILY_BUDGET:
            self._set(path, {"dailyBudget": value}, wire)
            return
        now = self._get(path, wire)
        if setting.kind is ChangeKind.AUDIENCE and isinstance(value, dict):
            self._set(path, {"targetingCriteria": _aimed(_criteria(now), value)}, wire)
        elif setting.kind is ChangeKind.BID and isinstance(value, dict):
            cost = value["unitCost"] or {**_money(now, "dailyBudget"), "amount": "0"}
            self._set(path, {**value, "unitCost": cost}, wire)
        else:
            self._end(path, now, value, wire)

    def _end(self, path: str, campaign: Mapping[str, Any], end: JsonValue, wire: Wire) -> None:
        """Set the end of the campaign, and that of its group before where the group would end earlier."""
        number = str(campaign.get("campaignGroup", "")).rpartition(":")[2]
        group = f"{self._api.account_path}/adCampaignGroups/{number}"
        schedule = _schedule(self._get(group, wire))
        last = schedule.get("end")
        at = end * 1000 if isinstance(end, int) else None
        if last is not None and (at is None or last < at):
            self._set(group, {"runSchedule": _until(schedule, at)}, wire)
        self._set(path, {"runSchedule": _until(_schedule(campaign), at)}, wire)

    def _campaign(self, remote: RemoteCampaign) -> str:
        return f"{self._api.account_path}/adCampaigns/{remote.id}"

    def _creative(self, remote: RemoteCampaign, ad: str) -> str:
        return f"{self._api.account_path}/creatives/{text(remote.ids[ad])}"

    def _get(self, path: str, wire: Wire) -> dict[str, Any]:
        return wire(lambda timeout: self._api.get(path, {}, timeout=timeout))

    def _set(self, path: str, fields: Mapping[str, Any], wire: Wire) -> None:
        wire(lambda timeout: self._api.update(path, fields, timeout=timeout))


def rounded(amount: Decimal, currency: str) -> Decimal:
    """Return an amount that the currency has and LinkedIn takes (two decimals at most), rounded down."""
    return amount.quantize(max(smallest(currency), Decimal("0.01")), rounding=ROUND_DOWN)


def plain(value: Decimal) -> str:
    """Return an amount without needless zeros, so that equal ones are equal texts."""
    return f"{value.normalize():f}"


def epoch_ms(at: datetime) -> int:
    """Return a moment as LinkedIn counts it, in whole seconds."""
    return int(at.timestamp()) * 1000


def _money(item: Mapping[str, Any], name: str) -> dict[str, JsonValue]:
    found = item.get(name)
    if not isinstance(found, dict):
        raise missing(PROVIDER, name, TransientError)
    return {"amount": plain(amount(PROVIDER, found, "amount")), "currencyCode": str(found.get("currencyCode", ""))}


def _criteria(campaign: Mapping[str, Any]) -> dict[str, Any]:
    """Return a campaign's targeting.

    Raises TransientError for an answer without it: what it says beside the audience would be lost.
    """
    found = campaign.get("targetingCriteria")
    include = found.get("include") if isinstance(found, dict) else None
    if not isinstance(found, dict) or not isinstance(include, dict) or not isinstance(include.get("and"), list):
        raise missing(PROVIDER, "targetingCriteria.include.and", TransientError)
    return found


def _people(criteria: Mapping[str, Any]) -> dict[str, JsonValue]:
    """Return the URNs by facet that an audience is made of."""
    found: dict[str, JsonValue] = {}
    for entry in criteria["include"]["and"]:
        for facet, urns in _facets(entry).items():
            if facet.removeprefix(FACET) in ("locations", "industries", "titles"):
                found[facet.removeprefix(FACET)] = [*sorted(str(urn) for urn in urns)]
    return found


def _aimed(criteria: Mapping[str, Any], value: Mapping[str, Any]) -> dict[str, Any]:
    """Return criteria that mean the people of ``value``, and are else as they were."""
    ours = {FACET + name for name in ("locations", "industries", "titles")}
    others = [entry for entry in criteria["include"]["and"] if not ours & _facets(entry).keys()]
    wanted = [{"or": {FACET + name: urns}} for name, urns in value.items()]
    return {**criteria, "include": {"and": [*others, *wanted]}}


def _facets(entry: object) -> Mapping[str, Any]:
    found = entry.get("or") if isinstance(entry, dict) else None
    if not isinstance(found, dict) or not all(isinstance(urns, list) for urns in found.values()):
        raise unreadable(PROVIDER, "targetingCriteria.include.and")
    return found


def _bid(campaign: Mapping[str, Any]) -> dict[str, JsonValue]:
    target = campaign.get("optimizationTargetType")
    if not isinstance(target, str):
        raise missing(PROVIDER, "optimizationTargetType", TransientError)
    return {"optimizationTargetType": target, "unitCost": _money(campaign, "unitCost") if target in _UNCAPPED else None}


def _capped(target: str, change: BidChange) -> JsonValue:
    """Return the bid of a campaign that optimises for ``target``, with the cost cap of ``change`` or none."""
    automatic = _UNCAPPED.get(target, target)
    if automatic not in CAPPED:
        why = f"it has no cost cap for a campaign that optimises for {target}"
        raise BadRequestError(PROVIDER, f"{SPEC.title} can't change {change.kind.words}: {why}")
    if change.cap is None:
        return {"optimizationTargetType": automatic, "unitCost": None}
    cost: dict[str, JsonValue] = {
        "amount": plain(rounded(change.cap, change.currency)),
        "currencyCode": change.currency,
    }
    return {"optimizationTargetType": CAPPED[automatic], "unitCost": cost}


def _schedule(item: Mapping[str, Any]) -> dict[str, Any]:
    found = item.get("runSchedule")
    if not isinstance(found, dict) or not isinstance(found.get("start"), int):
        raise missing(PROVIDER, "runSchedule.start", TransientError)
    if not isinstance(found.get("end"), int | None):
        raise unreadable(PROVIDER, "runSchedule.end")
    return found


def _end(campaign: Mapping[str, Any]) -> JsonValue:
    end = _schedule(campaign).get("end")
    return None if end is None else int(end) // 1000


def _until(schedule: Mapping[str, Any], end: int | None) -> dict[str, Any]:
    return {"start": schedule["start"], **({"end": end} if end is not None else {})}
