"""Facebook's insights as days of our own.

Pure. Numbers arrive as strings, money as decimal major units, conversions hidden in ``actions`` under
several overlapping types. Invariant: one event counts once; a row we can't read is an error, never a zero.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from integrations.ads.facebook.errors import PROVIDER
from integrations.ads.platform import DayReport
from integrations.errors import InvalidAnswerError

INSIGHT_FIELDS = "ad_id,date_start,date_stop,impressions,inline_link_clicks,spend,actions,account_currency"
#: Action types that count as a conversion. Each is the sum over its channels ("lead" already holds
#: "offsite_conversion.fb_pixel_lead" and "onsite_conversion.lead_grouped"), so no event is counted twice.
CONVERSION_ACTIONS = frozenset({"lead", "complete_registration", "purchase", "submit_application", "schedule"})


def day_reports(rows: Iterable[Mapping[str, Any]]) -> list[DayReport]:
    """Sum the rows of all ads up per day, oldest first.

    Raises InvalidAnswerError for a row that can't be read.
    """
    days: dict[date, DayReport] = {}
    for row in rows:
        try:
            found = _row(row)
        except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError):
            raise InvalidAnswerError(PROVIDER, "answered insights that we can't read") from None
        before = days.get(found.day)
        days[found.day] = found if before is None else _sum(before, found)
    return [days[day] for day in sorted(days)]


def _row(row: Mapping[str, Any]) -> DayReport:
    spend = Decimal(str(row.get("spend", "0")))
    if not spend.is_finite():
        raise ValueError("spend")
    actions = row.get("actions") or []
    return DayReport(
        day=date.fromisoformat(row["date_start"]),
        impressions=int(row.get("impressions", 0)),
        clicks=int(row.get("inline_link_clicks", 0)),
        conversions=sum(
            int(Decimal(str(action["value"]))) for action in actions if action.get("action_type") in CONVERSION_ACTIONS
        ),
        spend=spend,
        currency=str(row.get("account_currency") or ""),
    )


def _sum(one: DayReport, other: DayReport) -> DayReport:
    return DayReport(
        day=one.day,
        impressions=one.impressions + other.impressions,
        clicks=one.clicks + other.clicks,
        conversions=one.conversions + other.conversions,
        spend=one.spend + other.spend,
        currency=one.currency or other.currency,
    )
