"""Rows of LinkedIn's adAnalytics, whole: asked for in parts where one answer would be cut.

The finder has no pages and cuts its answer at 15,000 rows without saying so ("Reporting", Marketing API). So an answer
of that many is never believed: the same is asked for half of the ads, then for half of the days. Invariant: rows are
returned whole or not at all.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from integrations.ads.linkedin.report import day_of
from integrations.ads.linkedin.wire import PROVIDER, RestLi, elements, urns
from integrations.ads.platform import Wire
from integrations.errors import InvalidAnswerError, TooMuchAskedError

MAX_ROWS = 15_000  #: of one answer
#: What is asked for (at most 20 per call); clicks are those on the link, as the benchmarks count them.
METRICS = (
    "dateRange",
    "pivotValues",
    "impressions",
    "landingPageClicks",
    "externalWebsiteConversions",
    "oneClickLeads",
    "costInLocalCurrency",
)


def rows(api: RestLi, creatives: Sequence[str], since: date, until: date | None, wire: Wire) -> list[dict[str, Any]]:
    """Return the rows of all ``creatives`` per day, up to now when ``until`` is None.

    Raises InvalidAnswerError when even one day of one ad is cut, TooMuchAskedError when it is too much for LinkedIn.
    """
    query = {
        "q": "analytics",
        "pivot": "CREATIVE",
        "timeGranularity": "DAILY",
        "dateRange": f"(start:{day_text(since)}" + (f",end:{day_text(until)})" if until else ")"),
        "fields": ",".join(METRICS),
        "creatives": urns(creatives),
    }
    try:
        found = elements(wire(lambda timeout: api.get("/adAnalytics", query, timeout=timeout)))
    except TooMuchAskedError:
        if len(creatives) == 1:
            raise
        found = []
    else:
        if len(found) < MAX_ROWS:
            return found
    if len(creatives) > 1:
        middle = len(creatives) // 2
        return [row for half in (creatives[:middle], creatives[middle:]) for row in rows(api, half, since, until, wire)]
    return _in_halves(api, creatives, since, until, found, wire)


def day_text(day: date) -> str:
    """Return a day in Rest.li's query text."""
    return f"(year:{day.year},month:{day.month},day:{day.day})"


def _in_halves(
    api: RestLi, creatives: Sequence[str], since: date, until: date | None, cut: Sequence[dict[str, Any]], wire: Wire
) -> list[dict[str, Any]]:
    last = until or max(datetime.now(UTC).date(), *(day_of(row) for row in cut))
    if since >= last:
        raise InvalidAnswerError(PROVIDER, f"cuts its report at {MAX_ROWS} rows, even of one ad on {since.isoformat()}")
    middle = since + (last - since) / 2
    return [
        *rows(api, creatives, since, middle, wire),
        *rows(api, creatives, middle + timedelta(days=1), until, wire),
    ]
