"""Wire shapes of changes to live search campaigns: messages of google-ads 34 (v26)."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from ad_platforms import Steps, Wire, fitting

from integrations.ads.change_kind import ChangeKind
from integrations.ads.changes import (
    AudienceChange,
    BidChange,
    EndChange,
    HoursChange,
    NegativeKeywords,
    NewAd,
    Span,
)
from integrations.ads.goal import Goal
from integrations.ads.google.changes import last_moment
from integrations.ads.google.report import ad_reports
from integrations.ads.platform import Audience, per_day
from integrations.ads.registry import build
from integrations.errors import BadRequestError
from integrations.settings import Settings


def google_mutates(sandbox: Any, kind: ChangeKind, change: Any) -> list[Any]:
    """The operations that a change sends, in JSON."""
    from google.ads.googleads.v26.services.types.google_ads_service import MutateGoogleAdsRequest
    from google.protobuf.json_format import MessageToDict

    ads: Any = build("google_ads", Settings.from_env({"SANDBOX_URL": sandbox.url}))
    live = ads.create(fitting(ads, keywords=("pricing",)), wire=Wire(), steps=Steps())
    sent: list[Any] = []
    real = ads.changes._api.mutate

    def kept(operations: Any, **more: Any) -> Any:
        request = MutateGoogleAdsRequest(customer_id="1", mutate_operations=list(operations))
        sent.extend(MessageToDict(MutateGoogleAdsRequest.pb(request))["mutateOperations"])
        return real(operations, **more)

    ads.changes._api.mutate = kept
    ads.changes.apply(live, ads.changes.plan(live, change, wire=Wire()).after, wire=Wire())
    assert {change.kind} == {kind}
    return sent


@pytest.mark.parametrize(
    ("change", "fields", "mask"),
    [
        (
            BidChange(cap=Decimal("2.5"), currency="USD"),
            {"targetSpend": {"cpcBidCeilingMicros": "2500000"}},
            "targetSpend.cpcBidCeilingMicros",
        ),
        (EndChange(at=datetime(2026, 3, 21, 9, tzinfo=UTC)), {"endDateTime": "2026-03-20 23:59:59"}, "endDateTime"),
        (EndChange(at=None), {}, "endDateTime"),
    ],
)
def test_google_is_told_by_a_field_mask(sandbox: Any, change: Any, fields: Any, mask: str) -> None:
    ((operation),) = google_mutates(sandbox, change.kind, change)
    told = operation["campaignOperation"]
    assert told["updateMask"] == mask
    assert {name: value for name, value in told["update"].items() if name != "resourceName"} == fields


def test_googles_hours_are_criteria(sandbox: Any) -> None:
    hours = HoursChange(spans=(Span(day=6, first=0, until=24),))
    (operation,) = google_mutates(sandbox, ChangeKind.HOURS, hours)
    made = operation["campaignCriterionOperation"]["create"]
    assert made["adSchedule"] == {
        "dayOfWeek": "SUNDAY",
        "startHour": 0,
        "startMinute": "ZERO",
        "endHour": 24,
        "endMinute": "ZERO",
    }


def test_googles_negative_keywords_are_criteria_of_the_campaign(sandbox: Any) -> None:
    (operation,) = google_mutates(sandbox, ChangeKind.NEGATIVE_KEYWORDS, NegativeKeywords(words=("[free plan]",)))
    made = operation["campaignCriterionOperation"]["create"]
    assert (made["negative"], made["keyword"]) == (True, {"text": "free plan", "matchType": "EXACT"})


def test_googles_audience_is_changed_in_one_mutate(sandbox: Any) -> None:
    change = AudienceChange(audience=Audience(locations=("France",)), keywords=("billing",))
    kinds = [
        (name.removesuffix("Operation"), next(iter(told)))
        for operation in google_mutates(sandbox, ChangeKind.AUDIENCE, change)
        for name, told in operation.items()
    ]
    assert kinds == [
        ("campaignCriterion", "create"),
        ("adGroupCriterion", "create"),
        ("campaignCriterion", "remove"),
        ("adGroupCriterion", "remove"),
    ]


def test_a_conversion_campaign_at_google_has_a_target_for_conversions(sandbox: Any) -> None:
    ads = build("google_ads", Settings.from_env({"SANDBOX_URL": sandbox.url}))
    live = ads.create(fitting(ads, goal=Goal.LEADS), wire=Wire(), steps=Steps())
    made = ads.changes.plan(live, BidChange(cap=Decimal(30), currency="USD"), wire=Wire())
    field = "maximize_conversions.target_cpa_micros"
    assert (made.before.value, made.after.value) == (
        {"field": field, "micros": None},
        {"field": field, "micros": 30_000_000},
    )
    ads.changes.apply(live, made.after, wire=Wire())
    assert ads.changes.setting(live, ChangeKind.BID, wire=Wire()) == made.after


def test_a_fourth_shown_ad_of_an_ad_group_is_refused(sandbox: Any) -> None:
    ads = build("google_ads", Settings.from_env({"SANDBOX_URL": sandbox.url}))
    wanted = fitting(ads)
    live = ads.create(wanted, wire=Wire(), steps=Steps())
    for number in (2, 3, 4):
        ad = NewAd(variant=number, headlines=wanted.headlines, descriptions=wanted.descriptions)
        if number == 4:
            with pytest.raises(BadRequestError, match="Too many enabled responsive search ads"):
                ads.add_ad(live, wanted, ad, wire=Wire(), steps=Steps())
        else:
            live = ads.add_ad(live, wanted, ad, wire=Wire(), steps=Steps())
    changed = fitting(ads, revision=2, headlines=("New texts",))
    updated = ads.update(live, changed, wire=Wire(), steps=Steps())
    assert [step for step in updated.ids if step.startswith("ad.")] == ["ad.1"]


def test_the_ads_whole_conversions_add_up_to_the_days() -> None:
    counted = {"1": [0.5, 1.9], "2": [0.5, 0.9], "3": [0.7, 0.4]}
    rows = [
        {
            "adGroupAd": {"ad": {"id": ad}},
            "segments": {"date": f"2026-03-0{day}"},
            "metrics": {"conversions": value, "costMicros": "1000000"},
        }
        for ad, values in counted.items()
        for day, value in enumerate(values, start=1)
    ]
    reports = ad_reports(rows, {ad: f"ad.{ad}" for ad in counted})
    assert [(one.day.day, one.ad, one.conversions) for one in reports] == [
        (1, "ad.1", 0),
        (1, "ad.2", 1),
        (1, "ad.3", 0),
        (2, "ad.1", 1),
        (2, "ad.2", 1),
        (2, "ad.3", 1),
    ]
    assert [(one.conversions, one.spend) for one in per_day(reports)] == [(1, 3), (3, 3)]


@pytest.mark.parametrize(
    ("at", "zone", "expected"),
    [
        (datetime(2026, 3, 31, tzinfo=UTC), "UTC", "2026-03-30 23:59:59"),
        (datetime(2026, 3, 31, 23, 59, tzinfo=UTC), "UTC", "2026-03-30 23:59:59"),
        (datetime(2026, 3, 31, tzinfo=UTC), "America/Los_Angeles", "2026-03-29 23:59:59"),
        (datetime(2026, 3, 31, tzinfo=UTC), "Asia/Tokyo", "2026-03-30 23:59:59"),
    ],
)
def test_no_day_lies_after_the_end(at: datetime, zone: str, expected: str) -> None:
    assert last_moment(at, ZoneInfo(zone)) == expected
    assert datetime.fromisoformat(expected).replace(tzinfo=ZoneInfo(zone)) < at
