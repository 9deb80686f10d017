"""What stands at an ad platform reaches its simulated market: changed over the wire, seen in later days, undone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
import stack
from ad_platforms import START, Steps, Wire, fitting
from example_platform import PLATFORMS, client, sandbox_with_example

from integrations.ads.change_kind import ChangeKind
from integrations.ads.changes import (
    AudienceChange,
    BidChange,
    Change,
    EndChange,
    HoursChange,
    NegativeKeywords,
    Span,
)
from integrations.ads.curve import Curve
from integrations.ads.facebook.sandbox_setting import setting_of as facebook_setting
from integrations.ads.google.sandbox_setting import setting_of as google_setting
from integrations.ads.linkedin.sandbox_setting import setting_of as linkedin_setting
from integrations.ads.platform import AdPlatform, Audience, DayReport, RemoteCampaign, per_day
from integrations.ads.registry import platform
from integrations.sandbox.ad_setting import LEAST

FIRST = START.date()
#: days that are looked at: before a change, under it, and after it was undone
LONG = 14
#: no noise and no effect of texts, so that the figures tell what a setting does
WORLD: dict[str, Any] = {
    "texts": {},
    "platforms": {
        "*": {"noise": 0, "audience_fit": 0.3, "schedule_gain": 1.0},
        "tiktok_ads": {"cvr": 0.05},
        "google_ads": {"bad_terms": {"jobs": 0.3, "free": 0.2}},
    },
}
OFFICE = tuple(Span(day=day, first=9, until=18) for day in range(5))


def aim(number: int) -> tuple[Audience, tuple[str, ...]]:
    """An audience with so many alternatives in each dimension, and as many keywords."""
    audience = Audience(
        industries=("saas", "fintech", "retail", "logistics")[:number],
        titles=("CFO", "CEO", "CTO", "COO")[:number],
        locations=("Germany", "France", "Spain", "Italy")[:number],
    )
    return audience, ("pricing", "billing", "invoicing", "budgets")[:number]


def aimed(number: int) -> AudienceChange:
    audience, keywords = aim(number)
    return AudienceChange(audience=audience, keywords=keywords)


def curve_of(name: str) -> Curve:
    found = platform(name).curve
    assert found is not None
    return found


def bid(name: str, times: float) -> BidChange:
    return BidChange(cap=Decimal(f"{curve_of(name).click_price * times:.2f}"), currency="USD")


@dataclass(frozen=True)
class Effect:
    """What a change does to figures of later days: "impressions" or "clicks/impressions" -> more or less."""

    change: Change
    figures: dict[str, bool]


EFFECTS: dict[str, Callable[[str], Effect]] = {
    "narrower": lambda _: Effect(aimed(1), {"impressions": False, "clicks/impressions": True}),
    "wider": lambda _: Effect(aimed(4), {"impressions": True, "clicks/impressions": False}),
    "lower bid": lambda name: Effect(bid(name, 0.5), {"spend": False, "impressions": False}),
    "higher bid": lambda name: Effect(bid(name, 2.0), {"impressions/spend": False}),
    "hours": lambda _: Effect(HoursChange(spans=OFFICE), {"conversions/clicks": True, "impressions": False}),
    "negative": lambda _: Effect(NegativeKeywords(words=("jobs", "free")), {"conversions/clicks": True}),
}


@pytest.fixture(scope="module")
def _sandbox_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[stack.Sandbox]:
    with sandbox_with_example(tmp_path_factory.mktemp("site"), tmp_path_factory.mktemp("sandbox")) as sandbox:
        yield sandbox


def running(name: str, sandbox: stack.Sandbox) -> tuple[AdPlatform, RemoteCampaign]:
    """A campaign without an end that has run for its first seven days."""
    ads = client(name, sandbox)
    sandbox.reset(world=WORLD)
    audience, keywords = aim(2)
    spec = fitting(ads, audience=audience, keywords=keywords, daily_budget=Decimal(200), end=None)
    made = ads.create(spec, wire=Wire(), steps=Steps())
    ads.enable(made, wire=Wire())
    return ads, made


def days(ads: AdPlatform, live: RemoteCampaign, since: date = FIRST) -> list[DayReport]:
    return per_day(ads.report(live, since, wire=Wire()))


def lived(sandbox: stack.Sandbox, ads: AdPlatform, live: RemoteCampaign) -> list[DayReport]:
    """Let days go by and return them; those before stay as they were."""
    before = days(ads, live)
    sandbox.post("/_sandbox/advance", {"days": LONG})
    after = days(ads, live)
    assert after[: len(before)] == before
    return after[len(before) :]


def figure(found: list[DayReport], name: str) -> float:
    above, _, below = name.partition("/")
    sums = [float(sum(getattr(one, part) for one in found)) for part in (above, below) if part]
    return sums[0] / sums[1] if below else sums[0]


@pytest.mark.slow
@pytest.mark.parametrize("effect", EFFECTS)
@pytest.mark.parametrize("name", PLATFORMS)
def test_a_change_counts_on_later_days_and_undone_no_more(sandbox: stack.Sandbox, name: str, effect: str) -> None:
    wanted = EFFECTS[effect](name)
    if wanted.change.kind not in platform(name).changes:
        assert platform(name).unchangeable(wanted.change.kind)
        return
    ads, live = running(name, sandbox)
    usual = lived(sandbox, ads, live)
    plan = ads.changes.plan(live, wanted.change, wire=Wire())
    ads.changes.apply(live, plan.after, wire=Wire())
    changed = lived(sandbox, ads, live)
    ads.changes.apply(live, plan.before, wire=Wire())
    undone = lived(sandbox, ads, live)
    for one, more in wanted.figures.items():
        times = figure(changed, one) / figure(usual, one)
        assert times > 1.03 if more else times < 0.97, (one, times)
        assert figure(undone, one) == pytest.approx(figure(usual, one), rel=0.03), one


@pytest.mark.parametrize("name", PLATFORMS)
def test_nothing_is_shown_after_the_end(sandbox: stack.Sandbox, name: str) -> None:
    if ChangeKind.END not in platform(name).changes:
        return
    ads, live = running(name, sandbox)
    plan = ads.changes.plan(live, EndChange(at=START + timedelta(days=10)), wire=Wire())
    ads.changes.apply(live, plan.after, wire=Wire())
    assert [one.day for one in lived(sandbox, ads, live)] == [FIRST + timedelta(days=at) for at in (7, 8, 9)]
    ads.changes.apply(live, plan.before, wire=Wire())
    after = lived(sandbox, ads, live)
    assert (after[0].day, len(after)) == (FIRST + timedelta(days=7 + LONG), LONG)


@pytest.mark.parametrize("name", PLATFORMS)
def test_a_pause_leaves_the_setting(sandbox: stack.Sandbox, name: str) -> None:
    ads, live = running(name, sandbox)
    plan = ads.changes.plan(live, aimed(1), wire=Wire())
    ads.changes.apply(live, plan.after, wire=Wire())
    changed = lived(sandbox, ads, live)
    ads.pause(live, wire=Wire())
    assert lived(sandbox, ads, live) == [], "what rests has no days"
    ads.enable(live, wire=Wire())
    again = lived(sandbox, ads, live)
    assert figure(again, "impressions") == pytest.approx(figure(changed, "impressions"), rel=0.03)


@pytest.mark.parametrize(
    ("goal", "currency", "amount", "price"),
    [
        ("LINK_CLICKS", "USD", 100, curve_of("facebook_ads").click_price),
        ("OFFSITE_CONVERSIONS", "USD", 100, curve_of("facebook_ads").conversion_price),
        ("LEAD_GENERATION", "JPY", 1, curve_of("facebook_ads").conversion_price),
        ("REACH", "USD", 100, curve_of("facebook_ads").cpm),
    ],
)
def test_a_cap_at_facebook_is_for_what_the_ad_set_optimises_for(
    goal: str, currency: str, amount: int, price: float
) -> None:
    ad_set = {"targeting": {"geo_locations": {"countries": ["DE"]}}, "optimization_goal": goal, "bid_amount": amount}
    setting, _ = facebook_setting(ad_set, curve_of("facebook_ads"), currency)
    assert setting.bid == pytest.approx(max(LEAST, 1 / price))
    assert facebook_setting({**ad_set, "bid_amount": None}, curve_of("facebook_ads"), currency)[0].bid == 1.0


def test_a_campaign_at_linkedin_ends_with_its_group_and_pays_for_leads() -> None:
    campaign = {
        "targetingCriteria": {"include": {"and": [{"or": {"urn:li:adTargetingFacet:locations": ["a", "b"]}}]}},
        "optimizationTargetType": "CAP_COST_AND_MAXIMIZE_LEADS",
        "unitCost": {"amount": "100", "currencyCode": "USD"},
        "runSchedule": {"start": 0, "end": 20 * 86_400_000},
    }
    curve = curve_of("linkedin_ads")
    group = {"runSchedule": {"start": 0, "end": 10 * 86_400_000}}
    setting, aim = linkedin_setting(campaign, group, curve)
    assert setting.bid == pytest.approx(100 / curve.conversion_price)
    assert (setting.end, aim) == (date(1970, 1, 11), 0.5)
    assert linkedin_setting(campaign, {"runSchedule": {"start": 0}}, curve)[0].end == date(1970, 1, 21)
    clicks, _ = linkedin_setting({**campaign, "optimizationTargetType": "MAX_CLICK"}, group, curve)
    assert clicks.bid == 1.0


def test_a_campaign_at_google_is_set_by_what_is_switched_on() -> None:
    campaign = {"resourceName": "c/1/campaigns/1", "maximizeConversions": {"targetCpaMicros": "35000000"}}
    group = {"resourceName": "c/1/adGroups/2", "campaign": "c/1/campaigns/1", "status": "ENABLED"}

    def keyword(text: str, status: str, match: str = "PHRASE", negative: bool = False) -> dict[str, Any]:
        word = {"text": text, "matchType": match}
        return {"adGroup": group["resourceName"], "status": status, "keyword": word, "negative": negative}

    objects: dict[str, Any] = {
        "adGroups/2": group,
        "adGroupCriteria/2~1": keyword("pricing", "ENABLED"),
        "adGroupCriteria/2~2": keyword("billing", "PAUSED"),
        "adGroupCriteria/2~3": keyword("jobs", "ENABLED", "EXACT", negative=True),
        "campaignCriteria/1~4": {"campaign": "c/1/campaigns/2", "status": "ENABLED", "location": {}},
    }
    curve = curve_of("google_ads")
    setting, aim = google_setting(campaign, objects, curve)
    assert (setting.words, setting.negative_keywords, aim) == (('"pricing"',), ("[jobs]",), pytest.approx(1 / 3))
    assert setting.bid == pytest.approx(35 / curve.conversion_price)


def test_a_wasteful_search_term_is_seen_by_its_figures_and_goes(sandbox: stack.Sandbox) -> None:
    ads, live = running("google_ads", sandbox)
    usual = lived(sandbox, ads, live)
    terms = {one.text: one for one in ads.search_terms(live, FIRST, wire=Wire())}
    for term in ("pricing jobs", "billing jobs", "pricing free", "billing free"):
        assert terms[term].clicks > 10
        assert terms[term].spend > 50
        assert terms[term].conversions == 0
    good = terms["pricing"]
    assert good.conversions / good.clicks > 1.5 * figure(usual, "conversions/clicks")
    assert sum(one.clicks for one in terms.values()) <= figure(days(ads, live), "clicks")

    plan = ads.changes.plan(live, NegativeKeywords(words=("jobs", "[pricing free]")), wire=Wire())
    ads.changes.apply(live, plan.after, wire=Wire())
    assert {one.text: one for one in ads.search_terms(live, FIRST, wire=Wire())} == terms
    since = lived(sandbox, ads, live)[0].day
    later = {one.text for one in ads.search_terms(live, since, wire=Wire())}
    assert {one for one in later if "jobs" in one or "free" in one} == {"billing free"}
    assert {one.text: one for one in ads.search_terms(live, FIRST, since - timedelta(days=1), wire=Wire())} == terms
    ads.changes.apply(live, plan.before, wire=Wire())
    since = lived(sandbox, ads, live)[0].day
    assert {one.text for one in ads.search_terms(live, since, wire=Wire())} == terms.keys()


def test_other_keywords_leave_the_terms_of_days_gone_by(sandbox: stack.Sandbox) -> None:
    ads, live = running("google_ads", sandbox)
    terms = ads.search_terms(live, FIRST, wire=Wire())
    change = AudienceChange(audience=aim(2)[0], keywords=("[forecasting]",))
    ads.changes.apply(live, ads.changes.plan(live, change, wire=Wire()).after, wire=Wire())
    since = lived(sandbox, ads, live)[0].day
    assert ads.search_terms(live, FIRST, since - timedelta(days=1), wire=Wire()) == terms
    assert [one.text for one in ads.search_terms(live, since, wire=Wire())] == ["forecasting"]
