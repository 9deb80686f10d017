"""Google's metrics rows as days and search terms of our own.

Pure. Rows are in protobuf's JSON form: whole numbers of 64 bits arrive as text, what is 0 is left out.
``metrics.conversions`` holds what the campaign bids for ("Conversion goals"): with a goal of leads or sales its one
conversion action (:mod:`integrations.ads.google.goals`), else those of the account's standard goals. They are counted
in fractions by Google's attribution, on the day of the click; a day's are rounded down, and its ads' so that they add
up to the day's. Invariant: a row we can't read is an error, never a zero.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from integrations.ads.figures import amount, count, day, part
from integrations.ads.google.errors import PROVIDER
from integrations.ads.google.money import major_units
from integrations.ads.platform import DayReport
from integrations.ads.search_term import SearchTerm
from integrations.fields import missing

METRICS = ("metrics.impressions", "metrics.clicks", "metrics.conversions", "metrics.cost_micros")
DAY_FIELDS = ("segments.date", "ad_group_ad.ad.id", "customer.currency_code", *METRICS)
TERM_FIELDS = ("search_term_view.search_term", "customer.currency_code", *METRICS)


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


def ad_reports(rows: Iterable[Mapping[str, Any]], steps: Mapping[str, str]) -> list[DayReport]:
    """Return the days of each ad, oldest first (``steps``: number of an ad -> its step name).

    Raises InvalidAnswerError for a row that can't be read.
    """
    days: dict[tuple[date, str], _Sum] = {}
    for row in rows:
        on = day(PROVIDER, part(PROVIDER, row, "segments").get("date"), "segments.date")
        days.setdefault((on, steps.get(_number(row), "")), _Sum()).add(row)
    return list(_reports(days))


def _reports(days: Mapping[tuple[date, str], _Sum]) -> Iterator[DayReport]:
    counted: dict[date, Decimal] = {}  #: conversions of a day's ads so far
    for (on, ad), found in sorted(days.items(), key=lambda item: item[0]):
        before = counted.get(on, Decimal(0))
        counted[on] = before + found.conversions
        yield DayReport(
            day=on,
            ad=ad,
            impressions=found.impressions,
            clicks=found.clicks,
            conversions=int(counted[on]) - int(before),
            spend=major_units(found.micros),
            currency=found.currency,
        )


def _number(row: Mapping[str, Any]) -> str:
    """Return the number of the ad that a row is about, "" for none."""
    shown = row.get("adGroupAd")
    ad = shown.get("ad") if isinstance(shown, dict) else None
    return str(ad.get("id", "")) if isinstance(ad, dict) else ""


def search_terms(rows: Iterable[Mapping[str, Any]]) -> tuple[SearchTerm, ...]:
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
            text=term,
            impressions=one.impressions,
            clicks=one.clicks,
            conversions=int(one.conversions),
            spend=major_units(one.micros),
            currency=one.currency,
        )
        for term, one in terms.items()
    ]
    return tuple(sorted(found, key=lambda one: (-one.clicks, one.text)))
