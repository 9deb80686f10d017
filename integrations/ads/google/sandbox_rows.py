"""Rows of the sandbox's Google Ads, before a query's conditions: objects with what Google joins to them, and metrics.

Places have Google's own ids where they are well known; any other name is a town, but for names with "nowhere" in them.
A responsive search ad does as well as the best pair of its texts, for Google shows those that work. Search terms are
the keywords of their day and what people add to them. Invariant: rows depend on the objects and the ad world only.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import product
from typing import Any

from integrations.ads.google.sandbox_gaql import Query
from integrations.ads.google.sandbox_goals import CONFIGS, CUSTOM, STANDARD, Actions, account_rows, counted
from integrations.ads.google.sandbox_mutate import token_of
from integrations.ads.google.spec import SPEC
from integrations.sandbox.ad_setting import is_exact, plain
from integrations.sandbox.ad_text import AdText
from integrations.sandbox.ad_world import DayFigures
from integrations.sandbox.world import chance

Row = dict[str, Any]
Figures = Callable[[str, str, str, Mapping[str, AdText | Sequence[AdText]]], Mapping[str, list[DayFigures]]]
_COUNTRIES: Mapping[str, int] = {
    **{"united states": 2840, "germany": 2276, "united kingdom": 2826, "france": 2250, "netherlands": 2528},
    **{"canada": 2124, "australia": 2036, "singapore": 2702, "ireland": 2372, "spain": 2724, "austria": 2040},
    **{"switzerland": 2756, "italy": 2380, "india": 2356, "japan": 2392, "brazil": 2076, "poland": 2616},
}
_FIRST_TOWN = 9_000_000
_COLLECTIONS = {
    "campaign": "campaigns",
    "campaign_budget": "campaignBudgets",
    "campaign_criterion": "campaignCriteria",
    "ad_group": "adGroups",
    "ad_group_criterion": "adGroupCriteria",
    "ad_group_ad": "adGroupAds",
    "campaign_conversion_goal": STANDARD,
    "custom_conversion_goal": CUSTOM,
    "conversion_goal_campaign_config": CONFIGS,
}
_KEYS = {
    "campaign_budget": "campaignBudget",
    "campaign_criterion": "campaignCriterion",
    "ad_group": "adGroup",
    "ad_group_criterion": "adGroupCriterion",
    "ad_group_ad": "adGroupAd",
    "campaign_conversion_goal": "campaignConversionGoal",
    "custom_conversion_goal": "customConversionGoal",
    "conversion_goal_campaign_config": "conversionGoalCampaignConfig",
}
_OF_THE_ACCOUNT = ("conversion_action", "customer_conversion_goal")
#: what people add to a keyword, and the share of a day's searches that each form has; the rest is not told
_FORMS = (("{}", 0.5), ("{} software", 0.2), ("best {}", 0.15), ("{} price", 0.1))
_TOLD = 0.95  #: share of the searches that is told


def geo_target(name: str) -> Row | None:
    """Return the place of a name, None for one that doesn't exist."""
    plain = " ".join(name.split())
    if not plain or "nowhere" in plain.lower():
        return None
    country = _COUNTRIES.get(plain.lower())
    number = country or _FIRST_TOWN + int(chance("place", plain.lower()) * 900_000)
    return {
        "resourceName": f"geoTargetConstants/{number}",
        "id": str(number),
        "name": plain,
        "canonicalName": plain,
        "targetType": "Country" if country else "City",
        "status": "ENABLED",
    }


def known_place(resource_name: str) -> bool:
    """Return whether there is a place of that resource name."""
    found = re.fullmatch(r"geoTargetConstants/(\d+)", resource_name)
    return found is not None and (int(found[1]) in _COUNTRIES.values() or int(found[1]) >= _FIRST_TOWN)


def rows_of(
    query: Query, customer: Row, objects: Mapping[str, Row], figures: Figures, actions: Actions
) -> Iterator[Row]:
    """Yield the rows of a resource of the account."""
    if query.resource == "customer":
        yield {"customer": customer}
        return
    if query.resource in _OF_THE_ACCOUNT:
        for found in account_rows(query.resource, customer["resourceName"], actions):
            yield {"customer": customer, **found}
        return
    listed = "ad_group_ad" if query.resource == "search_term_view" else query.resource
    for key, item in objects.items():
        if key.startswith(f"{_COLLECTIONS[listed]}/"):
            row = {"customer": customer, **_joined(listed, item, objects)}
            if query.resource == "search_term_view":
                yield from _terms(row, objects, figures, counted(row["campaign"]["resourceName"], objects, actions))
            elif query.with_metrics:
                times = counted(row["campaign"]["resourceName"], objects, actions)
                yield from ({**row, **_metrics(day, times)} for day in _days(row, objects, figures))
            else:
                yield row


def _joined(resource: str, item: Row, objects: Mapping[str, Row]) -> Row:
    found = {_KEYS.get(resource, resource): item}
    if "adGroup" in item:
        found["adGroup"] = item = _of(item["adGroup"], objects)
    if "customConversionGoal" in item:
        found["customConversionGoal"] = _of(item["customConversionGoal"], objects)
    if "campaign" in item:
        found["campaign"] = item = _of(item["campaign"], objects)
    if "campaignBudget" in item:
        found["campaignBudget"] = _of(item["campaignBudget"], objects)
    return found


def _of(resource_name: str, objects: Mapping[str, Row]) -> Row:
    return objects["/".join(resource_name.split("/")[2:])]


def _days(row: Row, objects: Mapping[str, Row], figures: Figures) -> list[DayFigures]:
    """Return the days of an ad, none for one that the review refused."""
    ad, campaign = row["adGroupAd"], row["campaign"]
    if ad["policySummary"]["approvalStatus"] == "DISAPPROVED":
        return []
    texts = {
        one["resourceName"]: _pairs(one["ad"]["responsiveSearchAd"])
        for key, one in objects.items()
        if key.startswith("adGroupAds/") and one["adGroup"] == ad["adGroup"] and token_of(one) == token_of(ad)
    }
    return figures(campaign["id"], campaign["name"], token_of(ad), texts)[ad["resourceName"]]


def _pairs(ad: Mapping[str, Any]) -> list[AdText]:
    """Return what Google may show of a responsive search ad."""
    limits = SPEC.limits
    return [
        AdText(
            headline=head["text"],
            description=body["text"],
            headline_width=limits.headline_width,
            description_width=limits.description_width,
        )
        for head, body in product(ad["headlines"], ad["descriptions"])
    ]


def _metrics(day: DayFigures, times: int) -> Row:
    """Return a day's metrics in a campaign that counts so many conversion actions."""
    return {
        "segments": {"date": day.day.isoformat()},
        "metrics": {
            "impressions": day.impressions,
            "clicks": day.clicks,
            "conversions": day.conversions * times,
            "costMicros": int(day.spend * 1_000_000),
        },
    }


def _terms(row: Row, objects: Mapping[str, Row], figures: Figures, times: int) -> Iterator[Row]:
    """Yield the search terms of an ad's days, without rare ones, which Google doesn't tell either.

    Whole events: what a term's share of a day leaves over counts on its next day.
    """
    owner = row["customer"]["resourceName"]
    sums: dict[tuple[str, str], float] = {}
    for day in _days(row, objects, figures):
        found = _metrics(day, times)
        for term, share, converting in _shares(day):
            metrics = {}
            for name, value in found["metrics"].items():
                before = sums.get((term, name), 0.0)
                sums[term, name] = before + value * (converting if name == "conversions" else share)
                metrics[name] = _whole(sums[term, name]) - _whole(before)
            view = {
                "resourceName": f"{owner}/searchTermViews/{row['campaign']['id']}~{row['adGroup']['id']}~{term}",
                "searchTerm": term,
            }
            if any(metrics.values()):
                yield {**row, **found, "metrics": metrics, "searchTermView": view}


def _shares(day: DayFigures) -> list[tuple[str, float, float]]:
    """Return each term that people searched for on a day, with its share of the figures and of the conversions.

    What negative keywords exclude is left out: other searches take its share.
    """
    keywords = day.setting.words or ()
    forms = [
        (form.format(plain(word)), share / len(keywords))
        for word in keywords
        for form, share in (((_FORMS[0][0], _TOLD),) if is_exact(word) else _FORMS)
    ]
    kept = [(term, share) for term, share in forms if not day.setting.excludes(term)]
    scale = _TOLD / sum(share for _, share in kept) if kept else 0.0
    bad = sum(day.bad_terms.values())
    good = [(term, share * scale * (1 - bad), share * scale) for term, share in kept]
    return [*good, *((term, share, 0.0) for term, share in day.bad_terms.items())]


def _whole(amount: float) -> int:
    return int(amount + 1e-6)  # sums of shares may end a hair below the whole
