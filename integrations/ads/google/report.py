"""Google's metrics rows as days and search terms of our own.

Pure. Rows are in protobuf's JSON form: whole numbers of 64 bits arrive as text, what is 0 is left out.
``metrics.conversions`` holds what the campaign bids for ("Conversion goals"): with a goal of leads or sales its one
conversion action (:mod:`integrations.ads.google.goals`), else those of the account's standard goals. They are counted
in fractions by Google's attribution, on the day of the click; a day's are rounded down. Invariant: a row we can't read
is an error, never a zero.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from integrations.ads.figures import amount, count, day, part
from integrations.ads.google.errors import PROVIDER
from integrations.ads.google.money import major_units
from integrations.ads.platform import DayReport
from integrations.fields import missing

METRICS = ("metrics.impressions", "metrics.clicks", "metrics.conversions", "metrics.cost_micros")
DAY_FIELDS = ("segments.date", "ad_group_ad.ad.id", "customer.currency_code", *METRICS)
TERM_FIELDS = ("search_term_view.search_term", "customer.currency_code", *METRICS)


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchTerm:
    """What people searched for when they saw a campaign's ads."""

    term: str
    impressions: int
    clicks: int
    conversions: int
    spend: Decimal  #: in ``currency``, major units
    currency: str


@dataclass(slots=True)
class _Sum:
    impressions: int = 0
    clicks: int = 0
    conversions: Decimal = Decimal(0)
    micros: int = 0
    currency: str = ""

    def add(self, row: Mapping[str, Any]) -> None:
        """Add a row's metrics.

        Raises InvalidAnswerError for a row that can't be read.
        """
        metrics, customer = part(PROVIDER, row, "metrics"), row.get("customer")
        self.impressions += count(PROVIDER, metrics, "impressions")
        self.clicks += count(PROVIDER, metrics, "clicks")
        self.conversions += amount(PROVIDER, metrics, "conversions")
        self.micros += count(PROVIDER, metrics, "costMicros")
        self.currency = str(customer.get("currencyCode", "")) if isinstance(customer, dict) else ""


def day_reports(rows: Iterable[Mapping[str, Any]]) -> list[DayReport]:
    """Sum the rows of all ads up per day, oldest first.

    Raises InvalidAnswerError for a row that can't be read.
    """
    days: dict[date, _Sum] = {}
    for row in rows:
        on = day(PROVIDER, part(PROVIDER, row, "segments").get("date"), "segments.date")
        days.setdefault(on, _Sum()).add(row)
    return [
        DayReport(
            day=on,
            impressions=found.impressions,
            clicks=found.clicks,
            conversions=int(found.conversions),
            spend=major_units(found.micros),
            currency=found.currency,
        )
        for on, found in sorted(days.items())
    ]


def search_terms(rows: Iterable[Mapping[str, Any]]) -> list[SearchTerm]:
    """Sum the rows up per search term, the most clicked first.

    Raises InvalidAnswerError for a row that can't be read.
    """
    terms: dict[str, _Sum] = {}
    for row in rows:
        term = part(PROVIDER, row, "searchTermView").get("searchTerm")
        if not isinstance(term, str):
            raise missing(PROVIDER, "searchTermView.searchTerm")
        terms.setdefault(term, _Sum()).add(row)
    found = [
        SearchTerm(
            term=term,
            impressions=one.impressions,
            clicks=one.clicks,
            conversions=int(one.conversions),
            spend=major_units(one.micros),
            currency=one.currency,
        )
        for term, one in terms.items()
    ]
    return sorted(found, key=lambda one: (-one.clicks, one.term))
