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
from integrations.sandbox.ad_life import Life
from integrations.sandbox.ad_rule import USUAL_RULE
from integrations.sandbox.ad_setting import NEUTRAL, Setting, aim_size, relative_bid
from integrations.sandbox.ad_text import AdText, features
from integrations.sandbox.ad_world import DayFigures, market, report
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


def life(budget: str = "20", days: int = 0, ads: tuple[str, ...] = ("ad",)) -> Life:
    made = Life.starting(date(2026, 1, 1), budget)
    for name in ads:
        made.ad_added("1-aaaa", name)
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
        market=market(platform, seed, None),
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
    place = market("facebook_ads", 7, None)
    running = life()
    asked = {"market": place, "seed": 7, "platform": "facebook_ads", "key": "k"}
    first = report(running, "1-aaaa", {"ad": SHARP}, **asked)["ad"]
    running.advance(5)
    running.budget_changed("90")
    running.advance(1)
    running.ad_added("2-bbbb", "ad2")
    later = report(running, "1-aaaa", {"ad": SHARP}, **asked)["ad"]
    assert later[:7] == first
    assert len(later) == 13
    assert all(day.spend <= 20 for day in later[:12])
    assert later[12].spend > 20
    second = report(running, "2-bbbb", {"ad2": SHARP}, **asked)["ad2"]
    assert (len(second), second[0].day, second[0].spend > 20) == (7, date(2026, 1, 14), True)
    assert Life.from_json(json.loads(json.dumps(running.to_json()))) == running


def test_a_paused_campaign_has_no_life() -> None:
    waiting = Life.starting(date(2026, 1, 1), "20")
    waiting.ad_added("1-aaaa", "ad")
    waiting.advance(9)
    assert report(
        waiting,
        "1-aaaa",
        {"ad": SHARP},
        market=market("facebook_ads", 7, None),
        seed=7,
        platform="facebook_ads",
        key="k",
    ) == {"ad": []}


def test_ads_share_the_budget_and_round_like_one() -> None:
    place = market("linkedin_ads", 7, None)
    asked = {"market": place, "seed": 7, "platform": "linkedin_ads", "key": "k"}
    three = report(life("30", ads=("a", "b", "c")), "1-aaaa", {"a": SHARP, "b": SHARP, "c": SHARP}, **asked)
    for days in zip(*three.values(), strict=True):
        assert sum(day.spend for day in days) <= 30
    assert sum(day.conversions for days in three.values() for day in days) >= 1


@given(st.text(max_size=200), st.text(max_size=400), st.lists(st.text(max_size=30), max_size=3))
def test_quality_is_always_a_share(headline: str, description: str, audience: list[str]) -> None:
    text = AdText(headline=headline, description=description, audience=tuple(audience))
    assert all(0.0 <= much <= 1.0 for much in features(text, [DULL, text]).values())
    assert 0.35 <= USUAL_RULE.ctr.factor(text, [DULL, text]) <= 1.351


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
    assert USUAL_RULE.ctr.factor(replace(SHARP, **worse)) < USUAL_RULE.ctr.factor(SHARP), why


def test_headlines_that_say_the_same_count_less() -> None:
    assert USUAL_RULE.ctr.factor(
        SHARP, [SHARP, AdText(headline="6 questions SaaS teams ask", description="x")]
    ) < USUAL_RULE.ctr.factor(SHARP)


def test_a_world_overrides_its_curves() -> None:
    assert market("facebook_ads", 7, {"platforms": {"*": {"quality": 0.4}}}).curve.quality == 0.4
    world = {"platforms": {"*": {"quality": 0.4}, "facebook_ads": {"quality": 2, "cpm": 5}}}
    found = market("facebook_ads", 7, world).curve
    assert (found.quality, found.cpm) == (2.0, 5.0)
    with pytest.raises(ValueError, match=r"world\.platforms\.facebook_ads\.qualty is unknown"):
        market("facebook_ads", 7, {"platforms": {"facebook_ads": {"qualty": 1}}})
    assert market("facebook_ads", 7, None) != market("facebook_ads", 8, None)


def days(
    running: Life, *names: str, token: str = "1-aaaa", platform: str = "facebook_ads", **changes: Any
) -> dict[str, list[DayFigures]]:
    """Return the days of ads of one text in a world in which the platform's market differs so."""
    place = market(platform, 7, {"platforms": {platform: changes}})
    texts = dict.fromkeys(names or ("ad",), SHARP)
    return report(running, token, texts, market=place, seed=7, platform=platform, key="k")


def total(found: list[DayFigures], name: str) -> float:
    return float(sum(getattr(day, name) for day in found))


def test_a_paused_ad_gives_its_share_to_the_others_from_the_next_day_on() -> None:
    running = life("30", ads=("a", "b", "c"))
    before = days(running, "a", "b", "c")
    running.ad_switched("c", False)
    assert days(running, "a", "b", "c") == before
    running.advance(3)
    running.ad_switched("c", True)
    running.advance(2)
    after = days(running, "a", "b", "c")
    assert {name: found[:7] for name, found in after.items()} == before
    assert [len(after[name]) for name in "abc"] == [12, 12, 9]
    assert all(day.spend <= 10 for day in [*after["a"][:7], *after["a"][10:]])
    assert all(10 < day.spend <= 15 for day in after["a"][7:10])
    assert Life.from_json(json.loads(json.dumps(running.to_json()))) == running


def test_an_ad_that_is_added_later_changes_no_day_before() -> None:
    running = life("30", days=2, ads=("a", "b"))
    before = days(running, "a", "b")
    running.ad_added("1-aaaa", "c")
    running.ad_added("2-bbbb", "new")
    running.advance(2)
    after = days(running, "a", "b", "c")
    assert {name: after[name][:9] for name in "ab"} == before
    assert [len(after[name]) for name in "abc"] == [11, 11, 2]  # the first days of new texts are theirs alone
    assert [day.day for day in after["c"]] == [date(2026, 1, 17), date(2026, 1, 18)]
    new = days(running, "new", token="2-bbbb")["new"]
    assert len(new) == 9
    assert all(day.spend > 10 for day in new[:7])


def test_every_family_meets_at_half_spend() -> None:
    base = market("facebook_ads", 7, None).curve
    full = 1000 / base.cpm * base.half_spend
    for family, exponent in (("hill", 1.0), ("hill", 2.0), ("log", 1.0), ("power", 0.5), ("exponential", 1.0)):
        found = base.model_copy(update={"family": family, "exponent": exponent})
        assert found.impressions(base.half_spend) == pytest.approx(full / 2, rel=1e-3)
        steps = [found.impressions(base.half_spend * at) for at in (0, 0.5, 1, 2, 4)]
        assert steps[0] == 0
        assert steps == sorted(steps)


def test_late_conversions_come_later_and_none_is_lost() -> None:
    sure = {"noise": 0, "cvr": 0.5, "ctr": 0.1}
    running = life("200", days=20)
    at_once, late = days(running, **sure)["ad"], days(running, delay=3, **sure)["ad"]
    assert total(late[:7], "conversions") < 0.7 * total(at_once[:7], "conversions")
    running.ad_switched("ad", False)
    running.advance(10)
    assert abs(total(days(running, delay=3, **sure)["ad"], "conversions") - total(at_once, "conversions")) <= 1
    assert days(running, delay=3, **sure)["ad"][:27] == late


def test_drift_turn_and_dead_platforms() -> None:
    running = life("200", days=20)

    def rate(found: list[DayFigures]) -> float:
        return total(found, "clicks") / total(found, "impressions")

    drifting = days(running, drift=-0.02, noise=0)["ad"]
    assert rate(drifting[20:]) < 0.8 * rate(drifting[:7])
    turned = days(running, turn={"day": 10, "times": 0.5}, noise=0)["ad"]
    assert rate(turned[10:]) == pytest.approx(rate(turned[:10]) / 2, rel=0.02)
    dead = days(running, dead="spends")["ad"]
    assert total(dead, "spend") > 0 == total(dead, "clicks") + total(dead, "conversions")
    assert days(running, dead="unseen") == {"ad": []}


@pytest.mark.parametrize(
    ("setting", "parameters", "name", "more"),
    [
        (Setting(audience=0.25), {"audience_fit": 0.3}, "clicks/impressions", True),
        (Setting(audience=0.25), {"audience_fit": 0.3}, "impressions", False),
        (Setting(bid=0.5), {}, "spend", False),
        (Setting(bid=2.0), {}, "impressions/spend", False),
        (Setting(schedule=0.5), {"schedule_gain": 1.0}, "conversions/clicks", True),
        (Setting(frequency_cap=1.0), {"people": 2000}, "spend", False),
        (Setting(audience=4.0), {"people": 40_000, "fatigue": 0.5}, "clicks/impressions", True),
        (Setting(negative_keywords=("jobs",)), {"bad_terms": {"jobs": 0.4}}, "conversions/clicks", True),
    ],
)
def test_a_setting_counts_from_the_next_day_on(
    setting: Setting, parameters: dict[str, Any], name: str, more: bool
) -> None:
    running = life("400")
    before = days(running, noise=0, **parameters)["ad"]
    running.setting_changed(setting)
    running.advance(14)
    after = days(running, noise=0, **parameters)["ad"]
    assert after[:7] == before

    def figure(found: list[DayFigures]) -> float:
        above, _, below = name.partition("/")
        return total(found, above) / (total(found, below) if below else 1)

    assert (figure(after[14:]) > 1.05 * figure(before)) if more else (figure(after[14:]) < 0.95 * figure(before))


def test_words_of_an_aim_count_from_the_next_day_on() -> None:
    running = life("400")
    running.setting_changed(Setting(words=("saas",)))
    place, weights = market("facebook_ads", 7, {"texts": {"ctr": {"audience": 1.0}}}), {"seed": 7, "key": "k"}
    texts = {"ad": [replace(SHARP, headline="Banks plan", description="Banks ask"), SHARP]}

    def found() -> list[DayFigures]:
        return report(running, "1-aaaa", texts, market=place, platform="facebook_ads", **weights)["ad"]  # type: ignore[arg-type]

    running.advance(7)
    before = found()
    running.setting_changed(Setting(words=("retail",)))
    running.advance(7)
    running.setting_changed(Setting(words=("banks",), end=date(2026, 1, 26)))
    running.advance(7)
    after = found()
    assert after[:14] == before
    first, without, other = (total(after[since : since + 4], "clicks") for since in (7, 14, 21))
    assert without < 0.6 * first
    assert 0.8 * first < other < 1.2 * first, "the text for banks is shown to banks"
    assert [day.day for day in after[21:]] == [date(2026, 1, day) for day in (22, 23, 24, 25)]
    assert Life.from_json(json.loads(json.dumps(running.to_json()))) == running


def test_the_measure_of_an_aim_is_monotone() -> None:
    one = aim_size([1, 2])
    assert aim_size([1, 2, 3]) < one < aim_size([1, 3]) < aim_size([2, 3]) < aim_size([3])
    assert aim_size([1]) == aim_size([1, 0]) > one
    assert aim_size([]) == 1.0


def test_the_aim_at_the_first_ad_is_the_usual_one() -> None:
    made = Life.starting(date(2026, 1, 1), "20")
    for size in (0.9, 0.5):
        made.stands(NEUTRAL, size)
    made.ad_added("1-aaaa", "ad")
    made.switched(True)
    for size, audience in ((0.25, 0.5), (1.0, 2.0), (0.001, 0.1), (0.5, 1.0)):
        made.stands(NEUTRAL, size)
        assert made.setting_on(made.clock) == replace(NEUTRAL, audience=audience)
        made.advance(1)
    assert len(made.settings) == 5
    assert made.setting_on(0) == NEUTRAL


@pytest.mark.parametrize(
    ("negative", "excluded"),
    [
        ("free pricing", {"pricing free", "free pricing", "pricing for free"}),
        ('"pricing free"', {"pricing free"}),
        ("[pricing]", {"pricing"}),
        ("PRICING", {"pricing", "pricing free", "free pricing", "pricing for free"}),
        ("pric", set()),
        ("[]", set()),
    ],
)
def test_a_negative_keyword_excludes_what_its_marks_say(negative: str, excluded: set[str]) -> None:
    setting = Setting(negative_keywords=("jobs", negative))
    searches = {"pricing", "pricing free", "free pricing", "pricing for free"}
    assert {one for one in searches if setting.excludes(one)} == excluded


def test_a_bid_is_relative_to_what_is_usual() -> None:
    curve = market("google_ads", 7, None).curve
    assert curve.click_price == pytest.approx(curve.cpm / 1000 / curve.ctr)
    assert curve.conversion_price == pytest.approx(curve.click_price / curve.cvr)
    assert [relative_bid(cap, 4.0) for cap in (None, Decimal(2), Decimal(8), Decimal("0.01"))] == [1.0, 0.5, 2.0, 0.1]


def test_the_review_refuses_by_word_and_by_share() -> None:
    sandbox = LinkedInAdsSandbox()
    sandbox.reset(7, {"platforms": {"linkedin_ads": {"refusals": {"words": ["miracle"], "share": 0.3}}}})
    assert sandbox.refusal("A Miracle", "of billing") == "MISLEADING_CONTENT"
    refused = sum(bool(sandbox.refusal(f"Text {number}", "")) for number in range(200))
    assert 30 < refused < 90
    sandbox.reset(7, None)
    assert not any(sandbox.refusal(f"Text {number}", "") for number in range(50))


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
