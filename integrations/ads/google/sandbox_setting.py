"""How the settings of a campaign at the sandbox's Google reach its simulated market.

Pure. Dimensions of the aim are places, languages, customer lists and the keywords of all ad groups. A bid is relative
to the usual price of what its strategy bids for: a click with TARGET_SPEND, a conversion with MAXIMIZE_CONVERSIONS.
Hours count by their share of the week. Keywords travel in Google's notation, so that the world knows exact ones.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from integrations.ads.curve import Curve
from integrations.ads.google.money import major_units
from integrations.ads.google.sandbox_changes import minutes
from integrations.sandbox.ad_setting import Setting, aim_size, relative_bid

Item = Mapping[str, Any]
_WEEK_MINUTES = 7 * 24 * 60
_MARKS = {"EXACT": "[{}]", "PHRASE": '"{}"'}


def setting_of(campaign: Item, objects: Mapping[str, Item], curve: Curve) -> tuple[Setting, float]:
    """Return how a campaign is set, and the size of its aim."""
    name = campaign["resourceName"]
    own = [one for one in _shown("campaignCriteria", objects) if one["campaign"] == name]
    groups = {one["resourceName"] for one in _shown("adGroups", objects) if one["campaign"] == name}
    words = [one for one in _shown("adGroupCriteria", objects) if one["adGroup"] in groups]
    aimed = [one for one in own if not one.get("negative")]
    hours = sum(minutes(one["adSchedule"]) for one in own if "adSchedule" in one)
    keywords = tuple(dict.fromkeys(_keywords(one for one in words if not one.get("negative"))))
    dimensions = [sum(kind in one for one in aimed) for kind in ("location", "language", "userList")]
    setting = Setting(
        words=keywords,
        negative_keywords=tuple(dict.fromkeys(_keywords(one for one in (*own, *words) if one.get("negative")))),
        bid=_bid(campaign, curve),
        schedule=hours / _WEEK_MINUTES if hours else 1.0,
        end=_end(campaign),
    )
    return setting, aim_size([*dimensions, len(keywords)])


def _shown(collection: str, objects: Mapping[str, Item]) -> Iterator[Item]:
    for key, item in objects.items():
        if key.startswith(f"{collection}/") and item["status"] == "ENABLED":
            yield item


def _keywords(criteria: Iterable[Item]) -> Iterator[str]:
    """Yield the keywords among criteria, in Google's notation."""
    for one in criteria:
        if word := one.get("keyword"):
            yield _MARKS.get(word["matchType"], "{}").format(word["text"])


def _bid(campaign: Item, curve: Curve) -> float:
    click = campaign.get("targetSpend", {}).get("cpcBidCeilingMicros")
    conversion = campaign.get("maximizeConversions", {}).get("targetCpaMicros")
    if conversion is not None:
        return relative_bid(_major(conversion), curve.conversion_price)
    return relative_bid(None if click is None else _major(click), curve.click_price)


def _major(micros: object) -> Decimal:
    return major_units(int(str(micros)))


def _end(campaign: Item) -> date | None:
    last = campaign.get("endDateTime")
    return None if last is None else date.fromisoformat(last[:10]) + timedelta(days=1)
