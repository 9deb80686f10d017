"""Facebook's insights as days of our own.

Pure. Numbers arrive as strings, money as decimal major units, conversions hidden in ``actions`` under
several overlapping types. Invariant: one event counts once; a row we can't read is an error, never a zero.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from integrations.ads.facebook.errors import PROVIDER
from integrations.ads.figures import amount, count, day, unreadable
from integrations.ads.platform import DayReport, per_ad
from integrations.fields import missing

INSIGHT_FIELDS = "ad_id,date_start,date_stop,impressions,inline_link_clicks,spend,actions,account_currency"
#: Action types that count as a conversion. Each is the sum over its channels ("lead" already holds
#: "offsite_conversion.fb_pixel_lead" and "onsite_conversion.lead_grouped"), so no event is counted twice.
CONVERSION_ACTIONS = frozenset({"lead", "complete_registration", "purchase", "submit_application", "schedule"})


def ad_reports(rows: Iterable[Mapping[str, Any]], steps: Mapping[str, str]) -> list[DayReport]:
    """Return the days of each ad, oldest first (``steps``: id of an ad -> its step name).

    Raises InvalidAnswerError for a row that can't be read.
    """
    return per_ad(_row(row, steps) for row in rows)


def _row(row: Mapping[str, Any], steps: Mapping[str, str]) -> DayReport:
    return DayReport(
        day=day(PROVIDER, row.get("date_start"), "date_start"),
        ad=steps.get(str(row.get("ad_id")), ""),
        impressions=count(PROVIDER, row, "impressions"),
        clicks=count(PROVIDER, row, "inline_link_clicks"),
        conversions=_conversions(row.get("actions") or []),
        spend=amount(PROVIDER, row, "spend"),
        currency=str(row.get("account_currency") or ""),
    )


def _conversions(actions: object) -> int:
    if not isinstance(actions, list) or not all(isinstance(action, dict) for action in actions):
        raise unreadable(PROVIDER, "actions")
    found = 0
    for action in actions:
        kind = action.get("action_type")
        if isinstance(kind, str) and kind in CONVERSION_ACTIONS:
            if "value" not in action:
                raise missing(PROVIDER, "actions.value")
            found += int(amount(PROVIDER, action, "value"))
    return found
