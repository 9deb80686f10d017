"""Changes of a campaign at the sandbox's LinkedIn: what is refused.

Pure. Sources: "Create and manage campaigns" and "Ad budget pricing type combinations" of the Marketing API
documentation. Invariant: what LinkedIn would refuse is refused here, with the field that it blames.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from integrations.ads.linkedin.sandbox_answers import OPTIMIZATIONS, RestLiError

_AMOUNT = re.compile(r"\d+(\.\d{1,2})?")


def check_change(
    campaign: Mapping[str, Any], changes: Mapping[str, Any], check_targeting: Callable[[Any], None]
) -> None:
    """Raise RestLiError naming the fields of a campaign's change that are wrong."""
    wanted = {**campaign, **changes}
    wrong = []
    if "targetingCriteria" in changes:
        criteria = changes["targetingCriteria"]
        if not isinstance(criteria, dict) or not criteria.get("include", {}).get("and"):
            wrong.append("targetingCriteria")
        else:
            check_targeting(criteria)
    if "dailyBudget" in changes and not _is_amount(changes["dailyBudget"]):
        wrong.append("dailyBudget/amount")
    if {"optimizationTargetType", "unitCost"} & changes.keys():
        wrong += _wrong_bid(wanted)
    if "runSchedule" in changes:
        schedule = changes["runSchedule"]
        if not isinstance(schedule, dict) or not isinstance(schedule.get("start"), int):
            wrong.append("runSchedule/start")
        elif schedule.get("end") is not None and schedule["end"] <= schedule["start"]:
            wrong.append("runSchedule/end")
    if wrong:
        raise RestLiError(422, "PARAM_INVALID", "Invalid field", wrong)


def _wrong_bid(campaign: Mapping[str, Any]) -> list[str]:
    target, cost = campaign.get("optimizationTargetType", "NONE"), campaign.get("unitCost")
    if target not in OPTIMIZATIONS.get(campaign["objectiveType"], ()):
        return ["optimizationTargetType"]
    if cost is not None and not _is_amount(cost):
        return ["unitCost/amount"]
    if cost is not None and cost.get("currencyCode") != campaign["dailyBudget"]["currencyCode"]:
        return ["unitCost/currencyCode"]
    if target.startswith("CAP_COST") and (cost is None or Decimal(cost["amount"]) <= 0):
        return ["unitCost"]
    return []


def _is_amount(money: Any) -> bool:
    amount = money.get("amount") if isinstance(money, dict) else None
    return isinstance(amount, str) and _AMOUNT.fullmatch(amount) is not None
