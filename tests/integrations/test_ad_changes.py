"""Wire shapes of changes to live ads, as the documentation of each platform has them, and values of changes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest
from ad_platforms import START, Steps, Wire, fitting
from pydantic import ValidationError

from integrations.ads.change_kind import ChangeKind
from integrations.ads.changes import (
    BidChange,
    DailyBudget,
    EndChange,
    HoursChange,
    NegativeKeywords,
    Setting,
    Span,
    negatives,
)
from integrations.ads.facebook.changes import FacebookChanges
from integrations.ads.linkedin.changes import LinkedInChanges
from integrations.ads.platform import AdPlatform, RemoteCampaign
from integrations.ads.registry import build, platform
from integrations.errors import BadRequestError, InvalidAnswerError, TransientError
from integrations.settings import Settings


class Kept:
    """A client's wire that answers what the test gives it, and keeps what it is told to change."""

    account_path = "/adAccounts/3000"

    def __init__(self, **answers: Any) -> None:
        self.answers = answers  #: last part of a path -> answer
        self.told: list[tuple[str, Mapping[str, Any]]] = []

    def get(self, *path: Any, timeout: float, **params: Any) -> Any:
        del timeout, params
        name = next(one for one in reversed(path) if isinstance(one, str)).rpartition("/")[2]
        return self.answers[name]

    def change(self, *path: str, timeout: float, **params: Any) -> None:
        del timeout
        self.told.append((path[0], params))

    def update(self, path: str, changes: Mapping[str, Any], *, timeout: float) -> None:
        del timeout
        self.told.append((path, changes))


def set_at(changes: Any, kept: Kept, remote: RemoteCampaign, kind: ChangeKind, value: Any, ad: str = "") -> Any:
    changes.apply(remote, Setting(kind=kind, ad=ad, value=value), wire=Wire())
    return kept.told


# Facebook: "Ad Set" and "Ad" of the Marketing API reference (v26.0)

FACEBOOK = RemoteCampaign(id="1", ids={"campaign": "1", "ad_set": "11", "ad.1": "21", "creative.1": "31"})
TARGETING = {
    "age_min": 18,
    "custom_audiences": [{"id": "9"}],
    "geo_locations": {
        "countries": ["DE", "AT"],
        "cities": [{"key": "2418779", "name": "Graz", "country": "AT", "distance_unit": "mile"}],
        "location_types": ["home", "recent"],
    },
    "flexible_spec": [{"interests": [{"id": 6003, "name": "Billing"}]}],
    "targeting_automation": {"advantage_audience": 0},
}


def on_facebook(**fields: Any) -> tuple[FacebookChanges, Kept]:
    kept = Kept(**{"11": {"id": "11", **fields}, "21": {"id": "21", "status": "ACTIVE"}})
    return FacebookChanges(kept), kept  # type: ignore[arg-type] # what it needs of a Graph


@pytest.mark.parametrize(
    ("fields", "kind", "value", "told"),
    [
        ({"daily_budget": "1666"}, ChangeKind.DAILY_BUDGET, 2000, {"daily_budget": 2000}),
        (
            {"bid_strategy": "LOWEST_COST_WITHOUT_CAP"},
            ChangeKind.BID,
            {"bid_strategy": "LOWEST_COST_WITH_BID_CAP", "bid_amount": 250},
            {"bid_strategy": "LOWEST_COST_WITH_BID_CAP", "bid_amount": 250},
        ),
        (
            {"end_time": "2026-03-31T00:00:00+0000"},
            ChangeKind.END,
            1774051200,
            {"end_time": "2026-03-21T00:00:00+00:00"},
        ),
        ({"end_time": "2026-03-31T00:00:00+0000"}, ChangeKind.END, None, {"end_time": 0}),
    ],
)
def test_facebook_is_told_so(fields: Any, kind: ChangeKind, value: Any, told: Any) -> None:
    changes, kept = on_facebook(**fields)
    assert set_at(changes, kept, FACEBOOK, kind, value) == [("11", told)]


def test_facebooks_ads_are_switched_one_by_one() -> None:
    changes, kept = on_facebook()
    assert set_at(changes, kept, FACEBOOK, ChangeKind.AD_SWITCH, False, "ad.1") == [("21", {"status": "PAUSED"})]


def test_facebook_keeps_what_a_targeting_says_beside_the_people() -> None:
    changes, kept = on_facebook(targeting=TARGETING)
    now = changes.setting(FACEBOOK, ChangeKind.AUDIENCE, wire=Wire())
    assert now.value == {
        "countries": ["AT", "DE"],
        "regions": [],
        "cities": ["2418779"],
        "narrowed": [{"interests": {"6003": "Billing"}}],
    }
    wanted = {"countries": ["FR"], "regions": [], "cities": [], "narrowed": []}
    ((_, told),) = set_at(changes, kept, FACEBOOK, ChangeKind.AUDIENCE, wanted)
    kept_parts = ("age_min", "custom_audiences", "targeting_automation")
    assert told["targeting"] == {
        **{name: TARGETING[name] for name in kept_parts},
        "geo_locations": {"countries": ["FR"]},
    }


@pytest.mark.parametrize(
    ("kind", "fields", "error"),
    [
        (ChangeKind.DAILY_BUDGET, {"daily_budget": "much"}, InvalidAnswerError),
        (ChangeKind.AUDIENCE, {}, TransientError),
        (ChangeKind.AUDIENCE, {"targeting": {"geo_locations": {"cities": ["Graz"]}}}, InvalidAnswerError),
        (ChangeKind.BID, {}, TransientError),
        (ChangeKind.END, {"end_time": "soon"}, InvalidAnswerError),
    ],
)
def test_what_facebook_answers_unreadably_is_no_setting(kind: ChangeKind, fields: Any, error: type[Exception]) -> None:
    changes, _ = on_facebook(**fields)
    with pytest.raises(error):
        changes.setting(FACEBOOK, kind, wire=Wire())


# LinkedIn: "Create and manage campaigns" and "Creatives" of the Marketing API documentation

LINKEDIN = RemoteCampaign(id="5", ids={"campaign": "5", "group": "6", "creative.1": "urn:li:sponsoredCreative:7"})
LOCALE = {"or": {"urn:li:adTargetingFacet:interfaceLocales": ["urn:li:locale:en_US"]}}
PLACES = {"or": {"urn:li:adTargetingFacet:locations": ["urn:li:geo:2", "urn:li:geo:1"]}}
SEGMENT = {"or": {"urn:li:adTargetingFacet:audienceMatchingSegments": ["urn:li:adSegment:8"]}}
BIDS = {"dailyBudget": {"amount": "20.00", "currencyCode": "EUR"}, "optimizationTargetType": "MAX_CLICK"}


def on_linkedin(**fields: Any) -> tuple[LinkedInChanges, Kept]:
    whole = {"campaignGroup": "urn:li:sponsoredCampaignGroup:6", "runSchedule": {"start": 1000, "end": 9000}, **fields}
    group = {"runSchedule": {"start": 500, "end": 9000}}
    kept = Kept(**{"5": whole, "6": group, "urn%3Ali%3AsponsoredCreative%3A7": {"intendedStatus": "ACTIVE"}})
    return LinkedInChanges(kept), kept  # type: ignore[arg-type] # what it needs of a RestLi


CAMPAIGN, GROUP = "/adAccounts/3000/adCampaigns/5", "/adAccounts/3000/adCampaignGroups/6"


@pytest.mark.parametrize(
    ("kind", "value", "told"),
    [
        (
            ChangeKind.DAILY_BUDGET,
            {"amount": "25", "currencyCode": "EUR"},
            [(CAMPAIGN, {"dailyBudget": {"amount": "25", "currencyCode": "EUR"}})],
        ),
        (
            ChangeKind.BID,
            {
                "optimizationTargetType": "CAP_COST_AND_MAXIMIZE_CLICKS",
                "unitCost": {"amount": "2.5", "currencyCode": "EUR"},
            },
            [
                (
                    CAMPAIGN,
                    {
                        "optimizationTargetType": "CAP_COST_AND_MAXIMIZE_CLICKS",
                        "unitCost": {"amount": "2.5", "currencyCode": "EUR"},
                    },
                )
            ],
        ),
        (ChangeKind.END, 4, [(CAMPAIGN, {"runSchedule": {"start": 1000, "end": 4000}})]),
        (
            ChangeKind.END,
            12,
            [
                (GROUP, {"runSchedule": {"start": 500, "end": 12000}}),
                (CAMPAIGN, {"runSchedule": {"start": 1000, "end": 12000}}),
            ],
        ),
        (
            ChangeKind.END,
            None,
            [(GROUP, {"runSchedule": {"start": 500}}), (CAMPAIGN, {"runSchedule": {"start": 1000}})],
        ),
    ],
)
def test_linkedin_is_told_so(kind: ChangeKind, value: Any, told: Any) -> None:
    changes, kept = on_linkedin(**BIDS)
    assert set_at(changes, kept, LINKEDIN, kind, value) == told


def test_linkedin_bids_by_itself_again() -> None:
    cap = {"optimizationTargetType": "CAP_COST_AND_MAXIMIZE_CLICKS", "unitCost": {"amount": "2", "currencyCode": "EUR"}}
    changes, kept = on_linkedin(**{**BIDS, **cap})
    free = {"optimizationTargetType": "MAX_CLICK", "unitCost": None}
    ((_, told),) = set_at(changes, kept, LINKEDIN, ChangeKind.BID, free)
    assert told == {"optimizationTargetType": "MAX_CLICK", "unitCost": {"amount": "0", "currencyCode": "EUR"}}


def test_linkedins_creatives_are_switched_one_by_one() -> None:
    changes, kept = on_linkedin()
    ((path, told),) = set_at(changes, kept, LINKEDIN, ChangeKind.AD_SWITCH, False, "creative.1")
    assert path == "/adAccounts/3000/creatives/urn%3Ali%3AsponsoredCreative%3A7"
    assert told == {"intendedStatus": "PAUSED"}


def test_linkedin_keeps_criteria_of_other_facets() -> None:
    exclude = {"or": {"urn:li:adTargetingFacet:titles": ["urn:li:title:3"]}}
    criteria = {"include": {"and": [LOCALE, PLACES, SEGMENT]}, "exclude": exclude}
    changes, kept = on_linkedin(targetingCriteria=criteria)
    now = changes.setting(LINKEDIN, ChangeKind.AUDIENCE, wire=Wire())
    assert now.value == {"locations": ["urn:li:geo:1", "urn:li:geo:2"]}
    ((_, told),) = set_at(changes, kept, LINKEDIN, ChangeKind.AUDIENCE, {"locations": ["urn:li:geo:4"]})
    place = {"or": {"urn:li:adTargetingFacet:locations": ["urn:li:geo:4"]}}
    assert told["targetingCriteria"] == {"include": {"and": [LOCALE, SEGMENT, place]}, "exclude": exclude}


def test_linkedin_has_no_cost_cap_for_conversions() -> None:
    changes, kept = on_linkedin(**{**BIDS, "optimizationTargetType": "MAX_CONVERSION"})
    with pytest.raises(BadRequestError, match=r"LinkedIn can't change the bid: it has no cost cap .* MAX_CONVERSION"):
        changes.plan(LINKEDIN, BidChange(cap=Decimal(2), currency="EUR"), wire=Wire())
    assert kept.told == []


# Bad values, as the sandbox refuses them like the platforms


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("facebook_ads", Setting(kind=ChangeKind.BID, value={"bid_strategy": "COST_CAP"}), "Bid amount is required"),
        ("facebook_ads", Setting(kind=ChangeKind.END, value=int(START.timestamp()) - 1), "after the start time"),
        (
            "linkedin_ads",
            Setting(kind=ChangeKind.BID, value={"optimizationTargetType": "MAX_LEAD", "unitCost": None}),
            "optimizationTargetType",
        ),
        ("linkedin_ads", Setting(kind=ChangeKind.END, value=int(START.timestamp()) - 1), "runSchedule/end"),
        ("google_ads", Setting(kind=ChangeKind.END, value="2026-02-01 23:59:59"), "START_DATE_AFTER_END_DATE"),
        (
            "google_ads",
            Setting(kind=ChangeKind.END, value="2026-03-20 12:00:00"),
            "REQUESTED_DATE_GRANULARITY_NOT_SUPPORTED",
        ),
        (
            "google_ads",
            Setting(kind=ChangeKind.HOURS, value=[[0, 8, 12], [0, 11, 14]]),
            "AD_SCHEDULE_TIME_INTERVALS_OVERLAP",
        ),
        (
            "google_ads",
            Setting(kind=ChangeKind.BID, value={"field": "target_spend.cpc_bid_ceiling_micros", "micros": 1}),
            "BID_TOO_SMALL",
        ),
    ],
)
def test_a_bad_value_is_refused_in_the_platforms_words(sandbox: Any, name: str, value: Setting, said: str) -> None:
    ads: AdPlatform = build(name, Settings.from_env({"SANDBOX_URL": sandbox.url}))
    live = ads.create(fitting(ads), wire=Wire(), steps=Steps())
    before = ads.changes.setting(live, value.kind, wire=Wire())
    with pytest.raises(BadRequestError) as refused:
        ads.changes.apply(live, value, wire=Wire())
    assert said in json.dumps(refused.value.to_dict())
    assert ads.changes.setting(live, value.kind, wire=Wire()) == before


def test_facebook_caps_frequency_for_reach_only(sandbox: Any) -> None:
    ads: Any = build("facebook_ads", Settings.from_env({"SANDBOX_URL": sandbox.url}))
    live = ads.create(fitting(ads), wire=Wire(), steps=Steps())
    cap = [{"event": "IMPRESSIONS", "interval_days": 7, "max_frequency": 2}]
    with pytest.raises(BadRequestError, match="performance goal of reach"):
        ads._graph.change(live.ids["ad_set"], timeout=5, frequency_control_specs=cap)
    schedule = [{"start_minute": 480, "end_minute": 720, "days": [1]}]
    with pytest.raises(BadRequestError, match="with a daily budget"):
        ads._graph.change(live.ids["ad_set"], timeout=5, pacing_type=["day_parting"], adset_schedule=schedule)


# Values


@pytest.mark.parametrize(
    ("build_it", "said"),
    [
        (lambda: DailyBudget(amount=Decimal(0), currency="USD"), "greater than 0"),
        (lambda: BidChange(cap=Decimal(-1), currency="USD"), "greater than 0"),
        (lambda: Span(day=7, first=0, until=1), "less than or equal to 6"),
        (lambda: Span(day=0, first=9, until=9), "until=9 is not after first=9"),
        (
            lambda: HoursChange(spans=(Span(day=0, first=8, until=12), Span(day=0, first=11, until=13))),
            "overlap on day 0 at hour 11",
        ),
        (lambda: EndChange(at=datetime(2026, 3, 1)), "timezone"),
    ],
)
def test_a_change_that_means_nothing_is_refused(build_it: Any, said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        build_it()


def test_negative_keywords_are_a_set_whatever_their_marks() -> None:
    change = NegativeKeywords(words=("free", "-free", '"free"', "[free]"))
    assert [(one.text, one.match, one.negative) for one in negatives(change, "x")] == [
        ("free", "EXACT", True),
        ("free", "PHRASE", True),
    ]
    with pytest.raises(BadRequestError, match=r"can't take '!!' as a negative keyword"):
        negatives(NegativeKeywords(words=("!!",)), "x")


@pytest.mark.parametrize("name", ["facebook_ads", "google_ads", "linkedin_ads"])
def test_every_kind_can_be_changed_or_has_a_reason(name: str) -> None:
    spec = platform(name)
    assert spec.changes | spec.unchanging.keys() == set(ChangeKind)
    assert all(spec.unchangeable(kind) == "" for kind in spec.changes)
