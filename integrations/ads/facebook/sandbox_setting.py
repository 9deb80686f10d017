"""How the settings of an ad set at the sandbox's Facebook reach its simulated market.

Pure. Dimensions of the aim are places, each entry of ``flexible_spec`` (inside one, interests and job titles are
alternatives of each other: "Flexible Targeting" of the Marketing API documentation) and the custom audiences. A bid is
relative to what its ``optimization_goal`` usually costs: a conversion, a thousand impressions, else a click. Ad sets
with a daily budget have no hours, and ours no frequency cap.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from integrations.ads.curve import Curve
from integrations.ads.facebook.money import minor_units
from integrations.sandbox.ad_setting import Setting, aim_size, relative_bid

_CONVERSIONS = frozenset({"OFFSITE_CONVERSIONS", "LEAD_GENERATION", "QUALITY_LEAD", "VALUE", "QUALITY_CALL"})
_SHOWN = frozenset({"REACH", "IMPRESSIONS"})


def setting_of(ad_set: Mapping[str, Any], curve: Curve, currency: str) -> tuple[Setting, float]:
    """Return how an ad set is set, and the size of its aim."""
    targeting = ad_set["targeting"]
    flexible = [
        [entry for entries in one.values() for entry in entries] for one in targeting.get("flexible_spec") or ()
    ]
    places = targeting["geo_locations"]
    dimensions = [sum(len(places.get(kind) or ()) for kind in ("countries", "regions", "cities"))]
    dimensions += [len(entries) for entries in flexible]
    dimensions.append(len(targeting.get("custom_audiences") or ()))
    setting = Setting(
        words=tuple(str(entry.get("name", "")) for entries in flexible for entry in entries),
        bid=relative_bid(_cap(ad_set, currency), _price(str(ad_set["optimization_goal"]), curve)),
        end=_end(ad_set.get("end_time")),
    )
    return setting, aim_size(dimensions)


def _cap(ad_set: Mapping[str, Any], currency: str) -> Decimal | None:
    amount = ad_set.get("bid_amount")
    return None if amount is None else Decimal(amount) / minor_units(Decimal(1), currency)


def _price(goal: str, curve: Curve) -> float:
    if goal in _CONVERSIONS:
        return curve.conversion_price
    return curve.cpm if goal in _SHOWN else curve.click_price


def _end(told: str | None) -> date | None:
    try:
        return datetime.fromisoformat(told).astimezone(UTC).date() if told else None
    except ValueError:
        return None
