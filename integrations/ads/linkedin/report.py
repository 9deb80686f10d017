"""LinkedIn's adAnalytics as days of our own.

Pure. Amounts arrive as strings in the ad account's currency, whose name is not told. Invariant: a row we
can't read is an error, never a zero.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from integrations.ads.linkedin.wire import PROVIDER
from integrations.ads.platform import DayReport
from integrations.errors import InvalidAnswerError


def day_reports(rows: Iterable[Mapping[str, Any]]) -> list[DayReport]:
    """Sum the rows of all creatives up per day, oldest first.

    Raises InvalidAnswerError for a row that can't be read.
    """
    days: dict[date, DayReport] = {}
    for row in rows:
        try:
            start = row["dateRange"]["start"]
            day = date(start["year"], start["month"], start["day"])
            spend = Decimal(str(row.get("costInLocalCurrency", "0")))
            if not spend.is_finite():
                raise ValueError("costInLocalCurrency")
            before = days.get(day)
            days[day] = DayReport(
                day=day,
                impressions=int(row.get("impressions", 0)) + (before.impressions if before else 0),
                clicks=int(row.get("landingPageClicks", 0)) + (before.clicks if before else 0),
                conversions=int(row.get("externalWebsiteConversions", 0))
                + int(row.get("oneClickLeads", 0))
                + (before.conversions if before else 0),
                spend=spend + (before.spend if before else 0),
                currency="",
            )
        except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError):
            raise InvalidAnswerError(PROVIDER, "answered analytics that we can't read") from None
    return [days[day] for day in sorted(days)]
