"""The hidden truth of the sandbox's ad platforms: steady, saturating, and fair to better texts."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations.ads.facebook.sandbox import FacebookSandbox
from integrations.ads.linkedin.sandbox import LinkedInAdsSandbox
from integrations.sandbox.ad_world import AdText, DayFigures, Life, curve, report, text_quality
from integrations.sandbox.protocol import Request

DULL = AdText(
    headline="Our product", description="Learn more about our product.", button="LEARN_MORE", audience=("saas",)
)
SHARP = AdText(
    headline="5 questions SaaS teams ask",
    description="See how SaaS teams plan billing in 3 steps. Book a short demo.",
    button="TRY_DEMO",
    audience=("saas",),
)


def life(budget: str = "20", days: int = 0) -> Life:
    made = Life(start=date(2026, 1, 1), budget=budget)
    made.ad_added("1-aaaa")
    made.switched(True)
    made.advance(days)
    return made


def sums(
    text: AdText, budget: str = "200", seed: int = 7, platform: str = "facebook_ads", days: int = 60
) -> DayFigures:
    found = report(
        life(budget, days),
        "1-aaaa",
        {"ad": text},
        market=curve(platform, seed, None),
        seed=seed,
        platform=platform,
        key="k",
    )["ad"]
    return DayFigures(
        day=found[0].day,
        impressions=sum(d.impressions for d in found),
        clicks=sum(d.clicks for d in found),
        conversions=sum(d.conversions for d in found),
        spend=sum((d.spend for d in found), Decimal(0)),
    )


@pytest.mark.parametrize("platform", ["facebook_ads", "linkedin_ads"])
@pytest.mark.parametrize("seed", [1, 7, 42])
def test_better_texts_do_better(platform: str, seed: int) -> None:
    dull, sharp = sums(DULL, seed=seed, platform=platform), sums(SHARP, seed=seed, platform=platform)
    assert sharp.clicks / sharp.impressions > 1.3 * dull.clicks / dull.impressions
    assert sharp.conversions / sharp.clicks > dull.conversions / dull.clicks
    assert 0.003 < sharp.clicks / sharp.impressions < 0.04
    assert 0.02 < sharp.conversions / sharp.clicks < 0.15


def test_more_money_brings_ever_less() -> None:
    per_money = [sums(SHARP, budget).clicks / float(sums(SHARP, budget).spend) for budget in ("20", "200", "2000")]
    assert per_money[0] > per_money[1] > 2 * per_money[2]


def test_the_past_does_not_change() -> None:
    market = curve("facebook_ads", 7, None)
    running = life()
    asked = {"market": market, "seed": 7, "platform": "facebook_ads", "key": "k"}
    first = report(running, "1-aaaa", {"ad": SHARP}, **asked)["ad"]
    running.advance(5)
    running.budget_changed("90")
    running.advance(1)
    running.ad_added("2-bbbb")
    later = report(running, "1-aaaa", {"ad": SHARP}, **asked)["ad"]
    assert later[:7] == first
    assert len(later) == 13
    assert all(day.spend <= 20 for day in later[:12])
    assert later[12].spend > 20
    second = report(running, "2-bbbb", {"ad": SHARP}, **asked)["ad"]
    assert (len(second), second[0].day, second[0].spend > 20) == (7, date(2026, 1, 14), True)
    assert Life.from_json(json.loads(json.dumps(running.to_json()))) == running


def test_a_paused_campaign_has_no_life() -> None:
    waiting = Life(start=date(2026, 1, 1), budget="20")
    waiting.ad_added("1-aaaa")
    waiting.advance(9)
    assert report(
        waiting,
        "1-aaaa",
        {"ad": SHARP},
        market=curve("facebook_ads", 7, None),
        seed=7,
        platform="facebook_ads",
        key="k",
    ) == {"ad": []}


def test_ads_share_the_budget_and_round_like_one() -> None:
    market = curve("linkedin_ads", 7, None)
    asked = {"market": market, "seed": 7, "platform": "linkedin_ads", "key": "k"}
    three = report(life("30"), "1-aaaa", {"a": SHARP, "b": SHARP, "c": SHARP}, **asked)
    for days in zip(*three.values(), strict=True):
        assert sum(day.spend for day in days) <= 30
    assert sum(day.conversions for days in three.values() for day in days) >= 1


@given(st.text(max_size=200), st.text(max_size=400), st.lists(st.text(max_size=30), max_size=3))
def test_quality_is_always_a_share(headline: str, description: str, audience: list[str]) -> None:
    text = AdText(headline=headline, description=description, audience=tuple(audience))
    assert 0.0 <= text_quality(text, [DULL, text]) <= 1.0


@pytest.mark.parametrize(
    ("worse", "why"),
    [
        (
            {"headline": "Questions SaaS teams ask us", "description": "See how SaaS teams plan. Book a demo."},
            "no number",
        ),
        ({"button": "LEARN_MORE"}, "weak button"),
        ({"audience": ("banks",)}, "other audience"),
        ({"headline": "5 best SaaS questions!! #1"}, "superlatives"),
        ({"headline": "5 SaaS"}, "too short"),
    ],
)
def test_each_rule_counts(worse: dict[str, Any], why: str) -> None:
    assert text_quality(replace(SHARP, **worse)) < text_quality(SHARP), why


def test_headlines_that_say_the_same_count_less() -> None:
    assert text_quality(SHARP, [SHARP, AdText(headline="6 questions SaaS teams ask", description="x")]) < text_quality(
        SHARP
    )


def test_a_world_overrides_its_curves() -> None:
    assert curve("facebook_ads", 7, {"platforms": {"*": {"quality": 0.4}}}).quality == 0.4
    world = {"platforms": {"*": {"quality": 0.4}, "facebook_ads": {"quality": 2, "cpm": 5}}}
    assert (curve("facebook_ads", 7, world).quality, curve("facebook_ads", 7, world).cpm) == (2.0, 5.0)
    with pytest.raises(ValueError, match=r"world\.platforms\.facebook_ads\.qualty is unknown"):
        curve("facebook_ads", 7, {"platforms": {"facebook_ads": {"qualty": 1}}})
    assert curve("facebook_ads", 7, None) != curve("facebook_ads", 8, None)


def test_a_restarted_sandbox_still_knows_its_ads() -> None:
    headers = {"authorization": "Bearer t", "linkedin-version": "202610", "x-restli-protocol-version": "2.0.0"}
    body = {"account": "a", "name": "Group [ma:aaaaaaaaaaaa]", "runSchedule": {"start": 1}, "status": "ACTIVE"}
    one = LinkedInAdsSandbox()
    answer = one.handle(
        Request(
            method="POST", path="/rest/adAccounts/1/adCampaignGroups", headers=headers, body=json.dumps(body).encode()
        )
    )
    assert answer.status == 201
    two = LinkedInAdsSandbox()
    two.restore(json.loads(json.dumps(one.snapshot())))
    assert two.snapshot() == one.snapshot() != LinkedInAdsSandbox().snapshot()

    form = b"name=Sale&objective=OUTCOME_TRAFFIC&status=PAUSED&special_ad_categories=[]"
    form += b"&is_adset_budget_sharing_enabled=false"
    request = Request(
        method="POST",
        path="/v26.0/act_1/campaigns",
        query="access_token=t",
        headers={"content-type": "application/x-www-form-urlencoded"},
        body=form,
    )
    three, four = FacebookSandbox(), FacebookSandbox()
    assert three.handle(request).body == four.handle(request).body  # ids depend on seed, name and count
    assert (
        three.handle(request).body
        != four.handle(Request(method="GET", path="/v26.0/act_1/campaigns", query="access_token=t")).body
    )
    four.restore(json.loads(json.dumps(three.snapshot())))
    assert four.ad_campaigns() == three.ad_campaigns()
    assert len(four.ad_campaigns()) == 2


@pytest.mark.parametrize(
    ("path", "query", "status", "code"),
    [
        ("/v26.0/act_1/campaigns", "", 401, 190),
        ("/v26.0/act_1/campaigns", "access_token=forbidden", 403, 200),
        ("/v26.0/7", "access_token=t", 400, 100),
        ("/", "access_token=t", 400, 2500),
    ],
)
def test_facebook_refuses_in_its_own_form(path: str, query: str, status: int, code: int) -> None:
    answer = FacebookSandbox().handle(Request(method="GET", path=path, query=query))
    assert (answer.status, answer.body["error"]["code"]) == (status, code)
