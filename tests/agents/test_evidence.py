"""What figures prove: few prove nothing, many prove what is so, and chance is rarely taken for a change."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.ad_figures import number_of
from agents.evidence.counts import Counts, counts, dispersion
from agents.evidence.effect import CLICKS_SD, SURE, effect
from agents.evidence.efficiency import Efficiency, Usual, efficiency
from agents.same_days import on_same_days
from agents.state import AdDay
from agents.wanted import Counted
from agents.yardstick import benchmark

USUAL = Usual(cvr=0.0772, cpc=2.135)
COST = 27.66


@dataclass(frozen=True)
class Day:
    clicks: int
    conversions: int
    spend: Decimal


def days(random: Random, number: int, daily: float, *, clicks: float = 1.0, cvr: float = 1.0) -> list[Day]:
    """Days at the usual rates times ``clicks`` and ``cvr``, each figure scattered by a tenth."""
    found = []
    for _ in range(number):
        spend = daily * min(1.0, 0.96 * random.lognormvariate(0, 0.1))
        assert USUAL.cpc
        visits = _poisson(random, spend / USUAL.cpc * clicks * random.lognormvariate(0, 0.1))
        yes = sum(random.random() < USUAL.cvr * cvr for _ in range(visits))
        found.append(Day(visits, yes, Decimal(f"{spend:.2f}")))
    return found


def _poisson(random: Random, mean: float) -> int:
    left, events = random.expovariate(1.0), 0
    while left < mean:
        left, events = left + random.expovariate(1.0), events + 1
    return events


def judged(figures: Counts, what: Counted = Counted.CONVERSIONS) -> Efficiency:
    found = efficiency({"a": figures}, {"a": USUAL}, COST if what is Counted.CONVERSIONS else 2.135, what)
    assert found is not None
    return found


def test_without_spend_there_is_nothing_to_say() -> None:
    assert efficiency({}, {}, COST, Counted.CONVERSIONS) is None
    assert efficiency({"a": counts([])}, {"a": USUAL}, COST, Counted.CONVERSIONS) is None


@pytest.mark.parametrize("weekly", [70, 200, 660])
def test_a_campaign_at_its_bar_is_rarely_taken_for_one_below(weekly: int) -> None:
    random, wrong, weeks = Random(weekly), 0, 0
    for _ in range(150):
        so_far: list[Day] = []
        for _ in range(4):
            so_far += days(random, 7, weekly / 7)
            weeks += 1
            wrong += judged(counts(so_far)).below >= 0.95
    assert wrong / weeks <= 0.05


def test_a_bad_campaign_is_found() -> None:
    random = Random(7)
    found = [judged(counts(days(random, 7, 60, clicks=0.5, cvr=0.7))).below for _ in range(40)]
    assert sum(one >= 0.95 for one in found) >= 36


def test_three_clicks_prove_nothing_and_three_hundred_do() -> None:
    few = Counts(clicks=3, conversions=0, spend=6.4)
    many = Counts(clicks=300, conversions=0, spend=640)
    assert 0.3 < judged(few).below < 0.7
    assert judged(many).below > 0.999
    assert judged(many, Counted.CLICKS).below < 0.6  # the visits came, for what they usually cost


def test_scattered_days_prove_less() -> None:
    assert dispersion([(10, 10.0)] * 7) == 1.0
    assert dispersion([(0, 10.0), (20, 10.0)] * 7) > 5
    calm, wild = (Counts(clicks=150, conversions=12, spend=640, dispersion=one) for one in (1.0, 6.0))
    assert judged(calm).below > judged(wild).below > 0.5


def test_no_effect_is_rarely_taken_for_one() -> None:
    random, wrong = Random(99), 0
    for _ in range(150):
        before, after, said = counts(days(random, 7, 94)), list[Day](), False
        for _ in range(3):
            after += days(random, 7, 94)
            said |= effect([(before, counts(after))], Counted.CONVERSIONS).better >= SURE
        wrong += said
    assert wrong / 150 <= 0.05


def test_a_third_more_clicks_are_found_within_three_weeks() -> None:
    random, found = Random(13), 0
    for _ in range(150):
        before, after, said = counts(days(random, 7, 94)), list[Day](), False
        for _ in range(3):
            after += days(random, 7, 94, clicks=1.3)
            belief = effect([(before, counts(after))], Counted.CONVERSIONS)
            said |= belief.better >= SURE
            low, high = belief.interval
            assert low < belief.mean < high
        found += said
    assert found / 150 >= 0.8


def looks(random: Random, *, lift: float, common: float = 0.0) -> bool:
    """Whether two new ads beside the one that stayed are called better at one of three weekly looks."""
    found: list[AdDay] = []
    said = False
    for week in range(3):
        for at in range(7 * week, 7 * week + 7):
            of_the_day = random.lognormvariate(0, common)
            for number, times in ((1, 1.0), (2, lift), (3, lift)):
                (one,) = days(random, 1, 94 / 3, clicks=times * of_the_day)
                found.append(
                    AdDay(
                        platform="facebook_ads",
                        revision=2,
                        ad=f"ad.{number}",
                        day=date(2026, 1, 1) + timedelta(at),
                        clicks=one.clicks,
                        conversions=one.conversions,
                        spend=one.spend,
                    )
                )
        pair = on_same_days(found, lambda one: number_of(one.ad) != 1)
        assert pair is not None
        said |= effect([pair], Counted.CONVERSIONS).better >= SURE
    return said


@pytest.mark.parametrize("common", [0.0, 0.4])
def test_new_ads_beside_one_that_stayed_are_told_from_it_and_rarely_by_luck(common: float) -> None:
    """660 USD a week, 310 clicks; ``common`` scatter of a day is on all ads, so it hides nothing."""
    random = Random(21)
    assert sum(looks(random, lift=1.0, common=common) for _ in range(150)) / 150 <= 0.05
    assert sum(looks(random, lift=1.3, common=common) for _ in range(150)) / 150 >= 0.8


def test_many_conversions_overrule_the_clicks() -> None:
    before = Counts(clicks=4000, conversions=320, spend=8000, days=7)
    drawn = Counts(clicks=4800, conversions=190, spend=8000, days=7)  # more clicks, of people who don't convert
    assert effect([(before, drawn)], Counted.CLICKS).better > 0.99
    assert effect([(before, drawn)], Counted.CONVERSIONS).better < 0.05
    assert effect([(before, drawn)], Counted.CONVERSIONS).loss > 0.2


def test_more_money_is_no_worse_text() -> None:
    before = Counts(clicks=1000, conversions=80, spend=2000, days=7)
    twice = Counts(clicks=1624, conversions=130, spend=4000, days=7)  # 2 ** -0.3 of the clicks per money
    found = effect([(before, twice)], Counted.CLICKS)
    assert abs(found.mean) < 0.02
    assert found.better < SURE


@given(
    st.lists(st.tuples(*(st.integers(0, 10**6) for _ in range(4)), st.floats(0, 1e6), st.floats(0, 1e6)), max_size=4)
)
def test_any_figures_give_a_belief(given: list[tuple[int, int, int, int, float, float]]) -> None:
    pairs = [
        (
            Counts(clicks=a, conversions=b, spend=s, days=7),
            Counts(clicks=c, conversions=d, spend=t, days=7),
        )
        for a, b, c, d, s, t in given
    ]
    found = effect(pairs, Counted.CONVERSIONS)
    low, high = found.interval
    assert -1 <= low <= found.mean <= high
    assert 0 <= found.better <= 1
    assert -1e-9 <= found.loss <= 1


def test_without_figures_it_is_what_changes_usually_do() -> None:
    found = effect([], Counted.CLICKS)
    assert found.mean == pytest.approx(0, abs=1e-6)
    assert found.parts == ((1.0, 0.0, CLICKS_SD),)
    assert benchmark("facebook_ads").cvr == USUAL.cvr  # what the figures above are drawn around
