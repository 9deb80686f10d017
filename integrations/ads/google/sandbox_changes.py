"""What Google Ads lets change of a live campaign, in the sandbox's half, each refusal with Google's own code.

Pure but for the campaign that is changed. Sources: the enumerations and messages of google-ads 34 (v26). Invariant: a
check never asks for more than Google does.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from integrations.ads.google.sandbox_failures import Refused, refused

Item = Mapping[str, Any]
#: field of a campaign criterion -> its type
CRITERIA: Mapping[str, str] = {
    "location": "LOCATION",
    "language": "LANGUAGE",
    "keyword": "KEYWORD",
    "userList": "USER_LIST",
    "adSchedule": "AD_SCHEDULE",
}
_BIDS = {
    "targetSpend.cpcBidCeilingMicros": "TARGET_SPEND",
    "maximizeConversions.targetCpaMicros": "MAXIMIZE_CONVERSIONS",
}
MOST_SHOWN = 3  #: responsive search ads that are shown, of one ad group ("About responsive search ads")
MOST_SPANS = 6  #: of hours, of one day
_LEAST_BID = 10_000


def change_campaign(item: dict[str, Any], change: Item, path: str) -> bool:
    """Return whether ``path`` of a field mask names the end or the bid of a campaign, which is changed then.

    Raises Refused for a value that Google refuses.
    """
    if path == "endDateTime":
        _set_end(item, change.get(path))
    elif path in _BIDS:
        _set_bid(item, change, path)
    else:
        return False
    return True


def check_schedule(item: Item, others: Iterable[Item]) -> None:
    """Check new hours of a campaign beside its other criteria."""
    new = item.get("adSchedule")
    if new is None:
        return
    for name in ("dayOfWeek", "startHour", "startMinute", "endHour", "endMinute"):
        if name not in new:
            raise refused("fieldError", "REQUIRED", "The required field was not present.", "ad_schedule")
    first, until = _span(new)
    if not 0 <= first < until <= 24 * 60:
        raise _schedule("AD_SCHEDULE_INVALID_TIME_INTERVAL", "The time interval is not valid.")
    same = [
        other["adSchedule"]
        for other in others
        if other["campaign"] == item["campaign"]
        and other["status"] != "REMOVED"
        and other.get("adSchedule", {}).get("dayOfWeek") == new["dayOfWeek"]
    ]
    if any(first < _span(other)[1] and _span(other)[0] < until for other in same):
        raise _schedule("AD_SCHEDULE_TIME_INTERVALS_OVERLAP", "The time intervals overlap.")
    if len(same) >= MOST_SPANS:
        raise _schedule("AD_SCHEDULE_EXCEEDED_INTERVALS_PER_DAY_LIMIT", "Too many intervals on one day.")


def minutes(schedule: Item) -> int:
    """Return how many minutes of the week hours have."""
    first, until = _span(schedule)
    return until - first


def check_shown(item: Item, others: Iterable[Item]) -> None:
    """Check an ad that shall be shown beside the others of its ad group."""
    shown = [
        other
        for other in others
        if other is not item and other["adGroup"] == item["adGroup"] and other["status"] == "ENABLED"
    ]
    if item.get("status", "ENABLED") == "ENABLED" and len(shown) >= MOST_SHOWN:
        said = "Too many enabled responsive search ads in the ad group."
        raise refused("resourceCountLimitExceededError", "RESOURCE_LIMIT", said)


def _set_end(item: dict[str, Any], told: object) -> None:
    if told is None:
        item.pop("endDateTime", None)
        return
    try:
        end = datetime.strptime(str(told), "%Y-%m-%d %H:%M:%S")
    except ValueError:
        code = "INVALID_STRING_DATE_TIME_SECONDS"
        raise refused("dateError", code, "The date is not valid.", "end_date_time") from None
    if not str(told).endswith("23:59:59"):
        code = "REQUESTED_DATE_GRANULARITY_NOT_SUPPORTED"
        raise refused("dateRangeError", code, "The campaign ends with a day.", "end_date_time")
    if end < datetime.strptime(item.get("startDateTime", "2000-01-01 00:00:00"), "%Y-%m-%d %H:%M:%S"):
        said = "The end is before the start."
        raise refused("dateRangeError", "START_DATE_AFTER_END_DATE", said, "end_date_time")
    item["endDateTime"] = told


def _set_bid(item: dict[str, Any], change: Item, path: str) -> None:
    strategy, _, limit = path.partition(".")
    told = change.get(strategy, {}).get(limit)
    if told is not None and int(told) < _LEAST_BID:
        raise refused("biddingError", "BID_TOO_SMALL", "The bid is too small.", "campaign_bidding_strategy")
    if told is not None and int(told) % _LEAST_BID:
        said = "The bid has too many fractional digits."
        raise refused("biddingError", "BID_TOO_MANY_FRACTIONAL_DIGITS", said, "campaign_bidding_strategy")
    for other in _BIDS:
        item.pop(other.partition(".")[0], None)  # strategies exclude each other
    item[strategy] = {} if told is None else {limit: told}
    item["biddingStrategyType"] = _BIDS[path]


def _span(schedule: Item) -> tuple[int, int]:
    """Return the minutes of the day that hours begin and end with."""
    parts = {"ZERO": 0, "FIFTEEN": 15, "THIRTY": 30, "FORTY_FIVE": 45}
    first, until = (
        int(schedule[f"{end}Hour"]) * 60 + parts.get(schedule[f"{end}Minute"], 0) for end in ("start", "end")
    )
    return first, until


def _schedule(code: str, said: str) -> Refused:
    return refused("criterionError", code, said, "ad_schedule")
