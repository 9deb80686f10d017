"""Criteria of a live campaign: its places, negative keywords and hours, and the keywords of its ad groups.

Each is an object with a resource name, which can be added and removed, never changed. Sources: ``campaign_criterion``
and ``ad_group_criterion`` of the Google Ads API field reference, v26. Invariant: an hour without minutes is the whole
hour, and a criterion that can't be read is an error, for what isn't known would be added once more.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeAlias

from integrations.ads.figures import part, unreadable
from integrations.ads.google.errors import PROVIDER
from integrations.ads.google.gaql import query
from integrations.ads.google.wire import GoogleAdsWire
from integrations.ads.keywords import Keyword
from integrations.ads.platform import Wire

#: days of the week as Google names them, from Monday
DAYS = ("MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY")
Hours: TypeAlias = tuple[int, int, int]  #: day of the week (0 is Monday), first hour, hour that it ends before
_PLACE = "campaign_criterion.location.geo_target_constant"
_CAMPAIGN_KEYWORD = tuple(f"campaign_criterion.keyword.{name}" for name in ("text", "match_type"))
_SCHEDULE = tuple(
    f"campaign_criterion.ad_schedule.{name}"
    for name in ("day_of_week", "start_hour", "start_minute", "end_hour", "end_minute")
)
_GROUP_KEYWORD = (
    "ad_group.id",
    "ad_group_criterion.keyword.text",
    "ad_group_criterion.keyword.match_type",
    "ad_group_criterion.negative",
)
_MINUTES = {"ZERO": 0, "FIFTEEN": 15, "THIRTY": 30, "FORTY_FIVE": 45}


def group_keywords(api: GoogleAdsWire, campaign: str, wire: Wire) -> dict[Keyword, list[str]]:
    """Return the keywords of a campaign's ad groups, each with its criteria's resource names."""
    chosen = (f"campaign.id = {campaign}", "ad_group_criterion.type = 'KEYWORD'")
    kept = "ad_group_criterion.status != 'REMOVED'"
    found: dict[Keyword, list[str]] = {}
    for row in api.rows(query(_GROUP_KEYWORD, "ad_group_criterion", *chosen, kept), wire=wire):
        criterion = part(PROVIDER, row, "adGroupCriterion")
        found.setdefault(_keyword(criterion), []).append(_name(criterion))
    return found


def places(api: GoogleAdsWire, campaign: str, wire: Wire) -> dict[str, str]:
    """Return the places that a campaign is shown in, each with its criterion's resource name."""
    rows = _rows(api, campaign, (_PLACE,), wire, "type = 'LOCATION'", "negative = FALSE")
    return {str(part(PROVIDER, one, "location").get("geoTargetConstant")): _name(one) for one in rows}


def negative_keywords(api: GoogleAdsWire, campaign: str, wire: Wire) -> dict[Keyword, str]:
    """Return the negative keywords of a campaign, each with its criterion's resource name."""
    fields = (*_CAMPAIGN_KEYWORD, "campaign_criterion.negative")
    rows = _rows(api, campaign, fields, wire, "type = 'KEYWORD'", "negative = TRUE")
    return {_keyword(one): _name(one) for one in rows}


def hours(api: GoogleAdsWire, campaign: str, wire: Wire) -> dict[Hours, str]:
    """Return the hours that a campaign is shown in, each with its criterion's resource name, {} for always.

    Raises InvalidAnswerError for hours with minutes, which ours don't have.
    """
    found = {}
    for one in _rows(api, campaign, _SCHEDULE, wire, "type = 'AD_SCHEDULE'"):
        told = part(PROVIDER, one, "adSchedule")
        minutes = [_MINUTES.get(str(told.get(key, "ZERO"))) for key in ("startMinute", "endMinute")]
        first, until, day = told.get("startHour", 0), told.get("endHour", 0), told.get("dayOfWeek")
        if minutes != [0, 0] or day not in DAYS or not isinstance(first, int) or not isinstance(until, int):
            raise unreadable(PROVIDER, "campaignCriterion.adSchedule")
        found[DAYS.index(str(day)), first, until] = _name(one)
    return found


def schedule_operations(campaign: str, wanted: Iterable[Hours]) -> list[dict[str, Any]]:
    """Return what adds hours to a campaign (its resource name)."""
    return [
        _added(
            campaign,
            ad_schedule={
                "day_of_week": DAYS[day],
                "start_hour": first,
                "start_minute": "ZERO",
                "end_hour": until,
                "end_minute": "ZERO",
            },
        )
        for day, first, until in wanted
    ]


def place_operations(campaign: str, wanted: Iterable[str]) -> list[dict[str, Any]]:
    """Return what adds places to a campaign (its resource name)."""
    return [_added(campaign, location={"geo_target_constant": place}) for place in wanted]


def negative_operations(campaign: str, wanted: Iterable[Keyword]) -> list[dict[str, Any]]:
    """Return what adds negative keywords to a campaign (its resource name)."""
    return [_added(campaign, negative=True, keyword={"text": word.text, "match_type": word.match}) for word in wanted]


def removals(kind: str, names: Iterable[str]) -> list[dict[str, Any]]:
    """Return what removes criteria, where ``kind`` is ``campaign_criterion`` or ``ad_group_criterion``."""
    return [{f"{kind}_operation": {"remove": name}} for name in names]


def _added(campaign: str, **fields: Any) -> dict[str, Any]:
    return {"campaign_criterion_operation": {"create": {"campaign": campaign, **fields}}}


def _rows(
    api: GoogleAdsWire, campaign: str, fields: tuple[str, ...], wire: Wire, *conditions: str
) -> Iterator[Mapping[str, Any]]:
    kept = [f"campaign_criterion.{one}" for one in (*conditions, "status != 'REMOVED'")]
    asked = query(fields, "campaign_criterion", f"campaign.id = {campaign}", *kept)
    for row in api.rows(asked, wire=wire):
        yield part(PROVIDER, row, "campaignCriterion")


def _keyword(criterion: Mapping[str, Any]) -> Keyword:
    word = part(PROVIDER, criterion, "keyword")
    text, match = word.get("text"), word.get("matchType")
    if not isinstance(text, str) or not isinstance(match, str):
        raise unreadable(PROVIDER, "keyword")
    return Keyword(text, match, criterion.get("negative") is True)


def _name(criterion: Mapping[str, Any]) -> str:
    found = criterion.get("resourceName")
    if not isinstance(found, str):
        raise unreadable(PROVIDER, "resourceName")
    return found
