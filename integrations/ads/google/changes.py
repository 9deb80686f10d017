"""Changes to a live search campaign: fields of the campaign and its budget, criteria, and the status of its ads.

Settings: the daily budget in micros; the audience as places and keywords; negative keywords, hours and the end as they
are; the bid as the one field of the campaign's own bidding strategy that limits it, in micros. With ``target_spend``
that is the most that a click may cost (``cpc_bid_ceiling_micros``); with ``maximize_conversions`` it is the target for
what a conversion costs on average (``target_cpa_micros``), for Google disregards a ceiling there. Sets of criteria are
compared with those that are there, and what differs is added and removed in one atomic mutate. Sources: the field
reference and the messages of google-ads 34, v26. Invariant: the campaign ends with a whole day, none of which lies
after the end that was asked for; so creation has it too.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import JsonValue

from integrations.ads.change_kind import ChangeKind
from integrations.ads.changes import (
    AudienceChange,
    BidChange,
    Change,
    DailyBudget,
    EndChange,
    HoursChange,
    NegativeKeywords,
    Setting,
    negatives,
)
from integrations.ads.changes_by_kind import ChangesByKind
from integrations.ads.figures import count, part, unreadable
from integrations.ads.google import criteria, operations
from integrations.ads.google.errors import PROVIDER
from integrations.ads.google.gaql import query
from integrations.ads.google.money import micros
from integrations.ads.google.spec import SPEC
from integrations.ads.google.targeting import known_places, sought
from integrations.ads.google.wire import GoogleAdsWire
from integrations.ads.keywords import Keyword
from integrations.ads.platform import RemoteCampaign, Wire
from integrations.errors import BadRequestError, InvalidAnswerError, NotFoundError
from integrations.fields import missing

NEVER = "2037-12-30"  #: the last day that Google takes, which it may answer for a campaign without an end
#: bidding strategy -> the field that limits its bids
_LIMITS: Mapping[str, str] = {
    "TARGET_SPEND": "target_spend.cpc_bid_ceiling_micros",
    "MAXIMIZE_CONVERSIONS": "maximize_conversions.target_cpa_micros",
}
_FIELDS = (
    "campaign.id",
    "campaign.status",
    "campaign.end_date_time",
    "campaign.bidding_strategy_type",
    *(f"campaign.{name}" for name in _LIMITS.values()),
    "campaign_budget.id",
    "campaign_budget.amount_micros",
)


class GoogleChanges(ChangesByKind):
    """Changes in one ad account at Google."""

    def __init__(self, api: GoogleAdsWire) -> None:
        super().__init__(SPEC)
        self._api = api

    def _read(self, remote: RemoteCampaign, kind: ChangeKind, ad: str, wire: Wire) -> JsonValue:
        campaign = digits(remote.id)
        if kind is ChangeKind.AD_SWITCH:
            return self._shown(campaign, remote.ids[ad], wire)
        if kind is ChangeKind.AUDIENCE:
            words = criteria.group_keywords(self._api, campaign, wire)
            return _audience(criteria.places(self._api, campaign, wire), (one for one in words if not one.negative))
        if kind is ChangeKind.NEGATIVE_KEYWORDS:
            return _words(criteria.negative_keywords(self._api, campaign, wire))
        if kind is ChangeKind.HOURS:
            return [[*one] for one in sorted(criteria.hours(self._api, campaign, wire))]
        row = self._row(campaign, wire)
        if kind is ChangeKind.DAILY_BUDGET:
            return count(PROVIDER, part(PROVIDER, row, "campaignBudget"), "amountMicros")
        found = part(PROVIDER, row, "campaign")
        if kind is ChangeKind.BID:
            return _bid(found)
        end = str(found.get("endDateTime") or NEVER)
        return None if end[:10] >= NEVER else end

    def _wanted(self, remote: RemoteCampaign, change: Change, now: JsonValue, wire: Wire) -> JsonValue:
        if isinstance(change, DailyBudget):
            return micros(change.amount, change.currency)
        if isinstance(change, AudienceChange):
            found = known_places(self._api, change.audience.locations, wire)
            return _audience(found, (one for one in sought(change.keywords, change.audience) if not one.negative))
        if isinstance(change, NegativeKeywords):
            return _words(negatives(change, PROVIDER))
        if isinstance(change, HoursChange):
            return [[*one] for one in sorted((span.day, span.first, span.until) for span in change.spans)]
        if isinstance(change, BidChange) and isinstance(now, dict):
            return {**now, "micros": None if change.cap is None else micros(change.cap, change.currency)}
        if isinstance(change, EndChange):
            return None if change.at is None else last_moment(change.at, time_zone(self._api, wire))
        raise BadRequestError(PROVIDER, SPEC.unchangeable(change.kind))

    def _write(self, remote: RemoteCampaign, setting: Setting, wire: Wire) -> None:
        value, campaign = setting.value, self._name("campaigns", digits(remote.id))
        if setting.kind is ChangeKind.AD_SWITCH:
            ad = self._name("adGroupAds", remote.ids[setting.ad])
            changes = [operations.status_operation("ad_group_ad", ad, "ENABLED" if value else "PAUSED")]
        elif setting.kind is ChangeKind.DAILY_BUDGET and isinstance(value, int):
            budget = part(PROVIDER, self._row(remote.id, wire), "campaignBudget").get("id")
            changes = [operations.budget_operation(self._name("campaignBudgets", str(budget)), value)]
        elif setting.kind is ChangeKind.BID and isinstance(value, dict):
            changes = [operations.field_operation(campaign, str(value["field"]), value["micros"])]
        elif setting.kind is ChangeKind.END:
            changes = [operations.field_operation(campaign, "end_date_time", value)]
        elif setting.kind is ChangeKind.AUDIENCE and isinstance(value, dict):
            changes = self._aimed(remote, campaign, value, wire)
        else:
            changes = self._criteria(setting, campaign, wire)
        if changes:
            self._api.mutate(changes, wire=wire)

    def _aimed(
        self, remote: RemoteCampaign, campaign: str, value: Mapping[str, Any], wire: Wire
    ) -> list[operations.Operation]:
        """Return what makes places and keywords those of ``value``, new ones before old ones go."""
        places = criteria.places(self._api, remote.id, wire)
        words = criteria.group_keywords(self._api, remote.id, wire)
        wanted = {Keyword(text, match) for text, match in value["keywords"]}
        old = [name for one, names in words.items() if one not in wanted and not one.negative for name in names]
        group = self._name("adGroups", self._group(remote, wire))
        return [
            *criteria.place_operations(campaign, (one for one in value["places"] if one not in places)),
            *operations.keyword_operations(sorted(wanted - words.keys()), group),
            *criteria.removals(
                "campaign_criterion", (name for one, name in places.items() if one not in value["places"])
            ),
            *criteria.removals("ad_group_criterion", old),
        ]

    def _criteria(self, setting: Setting, campaign: str, wire: Wire) -> list[operations.Operation]:
        """Return what makes negative keywords or hours those of ``setting``."""
        own, told = campaign.rpartition("/")[2], setting.value if isinstance(setting.value, list) else []
        if setting.kind is ChangeKind.HOURS:
            now = criteria.hours(self._api, own, wire)
            spans = {(int(one[0]), int(one[1]), int(one[2])) for one in told}  # type: ignore[index,arg-type] # our own form
            gone = [name for one, name in now.items() if one not in spans]
            # What goes stands first: hours of one day may not overlap.
            added = criteria.schedule_operations(campaign, sorted(spans - now.keys()))
            return [*criteria.removals("campaign_criterion", gone), *added]
        known = criteria.negative_keywords(self._api, own, wire)
        wanted = {Keyword(str(one[0]), str(one[1]), negative=True) for one in told}  # type: ignore[index] # our own form
        gone = [name for one, name in known.items() if one not in wanted]
        added = criteria.negative_operations(campaign, sorted(wanted - known.keys()))
        return [*added, *criteria.removals("campaign_criterion", gone)]

    def _shown(self, campaign: str, ad: str, wire: Wire) -> bool:
        """Return whether an ad ("ad group's id~ad's id") is switched on.

        Raises NotFoundError for one that is gone.
        """
        chosen = (f"campaign.id = {campaign}", f"ad_group_ad.ad.id = {digits(ad.rpartition('~')[2])}")
        rows = self._api.rows(query(("ad_group_ad.status",), "ad_group_ad", *chosen), wire=wire)
        row = next(rows, None)
        status = part(PROVIDER, row, "adGroupAd").get("status") if row is not None else "REMOVED"
        if status == "REMOVED":
            raise NotFoundError(PROVIDER, "the ad does not exist or has been removed")
        return status == "ENABLED"

    def _group(self, remote: RemoteCampaign, wire: Wire) -> str:
        """Return the id of the campaign's oldest ad group."""
        if known := remote.ids.get("ad_group"):
            return digits(known)
        chosen = (f"campaign.id = {digits(remote.id)}", "ad_group.status != 'REMOVED'")
        rows = self._api.rows(query(("ad_group.id",), "ad_group", *chosen, order_by="ad_group.id"), wire=wire)
        row = next(rows, None)
        if row is None:
            raise NotFoundError(PROVIDER, "the campaign has no ad group")
        return digits(str(part(PROVIDER, row, "adGroup").get("id")))

    def _row(self, campaign: str, wire: Wire) -> Mapping[str, Any]:
        row = next(self._api.rows(query(_FIELDS, "campaign", f"campaign.id = {digits(campaign)}"), wire=wire), None)
        if row is None or part(PROVIDER, row, "campaign").get("status") == "REMOVED":
            raise NotFoundError(PROVIDER, "the campaign does not exist or has been removed")
        return row

    def _name(self, kind: str, remote_id: str) -> str:
        return f"customers/{self._api.customer_id}/{kind}/{remote_id}"


def digits(remote_id: str) -> str:
    """Return an id that may stand in a query.

    Raises BadRequestError for one that is no number.
    """
    if not remote_id.isascii() or not remote_id.isdecimal():
        raise BadRequestError(PROVIDER, "an id of an object is not a number")
    return remote_id


def time_zone(api: GoogleAdsWire, wire: Wire) -> ZoneInfo:
    """Return the account's time zone, in which a campaign's days begin and end."""
    row = next(api.rows(query(("customer.time_zone",), "customer"), wire=wire), {})
    customer = row.get("customer")
    name = customer.get("timeZone") if isinstance(customer, dict) else None
    if not isinstance(name, str) or not name:
        raise missing(PROVIDER, "customer.timeZone")
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, LookupError):
        raise InvalidAnswerError(PROVIDER, "answered a time zone of the account that we don't know") from None


def last_moment(at: datetime, zone: ZoneInfo) -> str:
    """Return the end of the last whole day that is over by ``at``."""
    return f"{(at.astimezone(zone).date() - timedelta(days=1)).isoformat()} 23:59:59"


def _audience(places: Any, words: Any) -> JsonValue:
    return {"places": sorted(places), "keywords": _words(words)}


def _words(words: Any) -> list[JsonValue]:
    return [[one.text, one.match] for one in sorted(words)]


def _bid(campaign: Mapping[str, Any]) -> JsonValue:
    """Return what limits a campaign's bids.

    Raises BadRequestError for a bidding strategy that our campaigns don't have.
    """
    strategy = str(campaign.get("biddingStrategyType"))
    if strategy not in _LIMITS:
        why = f"its bidding strategy is {strategy}, which has no limit that we set"
        raise BadRequestError(PROVIDER, f"{SPEC.title} can't change {ChangeKind.BID.words}: {why}")
    field = _LIMITS[strategy]
    name, _, inner = field.partition(".")
    value = campaign.get("".join(one.title() if at else one for at, one in enumerate(name.split("_"))))
    key = "".join(one.title() if at else one for at, one in enumerate(inner.split("_")))
    if value is not None and not isinstance(value, dict):
        raise unreadable(PROVIDER, f"campaign.{name}")
    return {"field": field, "micros": count(PROVIDER, value or {}, key) or None}
