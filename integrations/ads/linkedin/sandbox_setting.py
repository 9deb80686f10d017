"""How the settings of a campaign at the sandbox's LinkedIn reach its simulated market.

Pure. Each group of ``include.and`` is a dimension of the aim, and its URNs are alternatives. A cost cap is relative to
the usual price of a lead where leads are bid for, else of a click. A campaign ends with its group at the latest.
LinkedIn has no hours, and our campaigns no frequency cap.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from integrations.ads.curve import Curve
from integrations.ads.linkedin.sandbox_answers import words_of
from integrations.sandbox.ad_setting import Setting, aim_size, relative_bid


def setting_of(campaign: Mapping[str, Any], group: Mapping[str, Any], curve: Curve) -> tuple[Setting, float]:
    """Return how a campaign of a campaign group is set, and the size of its aim."""
    criteria = campaign["targetingCriteria"]
    dimensions = [sum(len(urns) for urns in one.get("or", {}).values()) for one in criteria["include"]["and"]]
    ends = [end for one in (campaign, group) if (end := one["runSchedule"].get("end")) is not None]
    setting = Setting(
        words=words_of(criteria),
        bid=relative_bid(_cap(campaign), _price(campaign, curve)),
        end=_day(min(ends)) if ends else None,
    )
    return setting, aim_size(dimensions)


def _cap(campaign: Mapping[str, Any]) -> Decimal | None:
    capped = str(campaign.get("optimizationTargetType", "")).startswith("CAP_COST")
    cost = campaign.get("unitCost") or {}
    return Decimal(cost["amount"]) if capped and "amount" in cost else None


def _price(campaign: Mapping[str, Any], curve: Curve) -> float:
    leads = str(campaign.get("optimizationTargetType", "")).endswith("LEADS")
    return curve.conversion_price if leads else curve.click_price


def _day(epoch_ms: int) -> date:
    return datetime.fromtimestamp(epoch_ms / 1000, UTC).date()
