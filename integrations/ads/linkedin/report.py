"""LinkedIn's adAnalytics as days of our own.

Pure. Amounts arrive as strings in the ad account's currency, whose name is not told. Invariant: a row we
can't read is an error, never a zero.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from integrations.ads.figures import amount, count, unreadable
from integrations.ads.linkedin.wire import PROVIDER
from integrations.ads.platform import DayReport, per_ad
from integrations.fields import inner, missing


def ad_reports(rows: Iterable[Mapping[str, Any]], steps: Mapping[str, str]) -> list[DayReport]:
    """Return the days of each creative, oldest first (``steps``: URN of a creative -> its step name).

    Raises InvalidAnswerError for a row that can't be read.
    """
    return per_ad(
        DayReport(
            day=day_of(row),
            ad=_step(row, steps),
            impressions=count(PROVIDER, row, "impressions"),
            clicks=count(PROVIDER, row, "landingPageClicks"),
            conversions=count(PROVIDER, row, "externalWebsiteConversions") + count(PROVIDER, row, "oneClickLeads"),
            spend=amount(PROVIDER, row, "costInLocalCurrency"),
            currency="",
        )
        for row in rows
    )


def _step(row: Mapping[str, Any], steps: Mapping[str, str]) -> str:
    """Return the step name of the creative that a row is about: the one value that it is pivoted by."""
    values = row.get("pivotValues")
    return steps.get(str(values[0]), "") if isinstance(values, list) and len(values) == 1 else ""


def day_of(row: Mapping[str, Any]) -> date:
    """Return the day of a row.

    Raises InvalidAnswerError for one that can't be read.
    """
    start = inner(inner(row, "dateRange"), "start")
    parts = [start.get(key) for key in ("year", "month", "day")]
    for key, value in zip(("year", "month", "day"), parts, strict=True):
        if value is None:
            raise missing(PROVIDER, f"dateRange.start.{key}")
    try:
        year, month, on = (part for part in parts if isinstance(part, int))
        return date(year, month, on)
    except (ValueError, OverflowError):
        raise unreadable(PROVIDER, "dateRange.start") from None
