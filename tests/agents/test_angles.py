"""Angles: which are tried next, what their ads have brought, and texts that stay with their angle when they are cut."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from agents.ad_management.fitting import Ad, Spare, fit_ads
from agents.angles.angle import EXPLAINED, Angle
from agents.angles.choice import next_angles
from agents.angles.learned import Learned, Verdict, learned, told, winner
from agents.evidence.effect import EffectBelief
from agents.same_days import on_same_days
from agents.state import AdDay
from agents.wanted import Counted
from integrations.ads.limits import PlatformLimits
from integrations.ads.registry import platform as platform_spec
from integrations.sandbox.llm_angles import ANGLES

GOOGLE, FACEBOOK = platform_spec("google_ads").limits, platform_spec("facebook_ads").limits
SPARE = Spare(
    angle=Angle.PLAIN,
    headlines=("Acme Flow", "See how it works", "Read more today", "Get to know us"),
    descriptions=("See how it works and decide for yourself.", "Read more on our website."),
)


def known(mean: float, verdict: Verdict = Verdict.UNCLEAR) -> Learned:
    return Learned(belief=EffectBelief(parts=((1.0, mean, 0.1),)), verdict=verdict)


def week(clicks: Mapping[str, int], *, days: int = 7, revision: int = 1, first: int = 0, **more: str) -> list[AdDay]:
    """A week in which the ad of each angle had so many clicks a day for the same money."""
    return [
        AdDay(
            platform=more.get("platform", "facebook_ads"),
            revision=revision,
            ad=f"ad.{at}",
            angle=angle,
            day=date(2026, 3, 1) + timedelta(first + day),
            impressions=2000,
            clicks=number,
            conversions=number // 12,
            spend=Decimal(30),
        )
        for at, (angle, number) in enumerate(clicks.items(), start=1)
        for day in range(days)
    ]


# The choice


def test_the_sandboxs_model_knows_every_angle() -> None:
    assert set(Angle) == set(ANGLES) == set(EXPLAINED)


def test_first_angles_differ_between_platforms_and_campaigns() -> None:
    first = [next_angles("Spring sale", turn, 3, {}) for turn in (0, 1)]
    assert all(len(set(angles)) == 3 for angles in first)
    assert not set(first[0]) & set(first[1])
    assert first[0] == next_angles("Spring sale", 0, 3, {})
    assert len({next_angles(f"Campaign {number}", 0, 3, {}) for number in range(20)}) > 10


def test_the_best_known_angle_comes_first_then_those_that_no_ad_has_tried() -> None:
    found = {Angle.PRICE: known(0.2), Angle.PROOF: known(-0.1), Angle.NUMBER: known(-0.2)}
    chosen = next_angles("x", 0, 3, found)
    assert chosen[0] is Angle.PRICE
    assert not set(chosen[1:]) & set(found)


def test_the_angle_that_stays_is_written_anew_only_when_it_has_won() -> None:
    found = {Angle.PRICE: known(0.2), Angle.PROOF: known(-0.2)}
    assert Angle.PRICE not in next_angles("x", 0, 2, found, kept=Angle.PRICE)
    won = {**found, Angle.PRICE: known(0.2, Verdict.WON)}
    assert next_angles("x", 0, 2, won, kept=Angle.PRICE)[0] is Angle.PRICE


def test_angles_without_figures_yet_are_not_tried_again_before_new_ones() -> None:
    tried = next_angles("x", 0, 3, {})
    assert not set(next_angles("x", 0, 2, {}, kept=tried[0], tried=tried)) & set(tried)


@given(
    st.dictionaries(st.sampled_from(Angle), st.tuples(st.floats(-1, 1), st.sampled_from(Verdict))),
    st.integers(0, 5),
    st.integers(1, 5),
    st.one_of(st.none(), st.sampled_from(Angle)),
)
def test_no_angle_twice_and_none_that_has_lost(
    figures: dict[Angle, tuple[float, Verdict]], turn: int, count: int, kept: Angle | None
) -> None:
    found = {angle: known(mean, verdict) for angle, (mean, verdict) in figures.items()}
    lost = {angle for angle, one in found.items() if one.verdict is Verdict.LOST}
    chosen = next_angles("x", turn, count, found, kept=kept)
    assert len(set(chosen)) == len(chosen) <= count
    assert not set(chosen) & lost
    assert len(chosen) == count or set(chosen) >= set(Angle) - lost - {kept}


# What was learned


def test_an_angle_wins_and_others_lose_only_by_many_figures() -> None:
    few = learned(week({"price": 3, "proof": 2, "number": 2}), Counted.CLICKS)
    assert {one.verdict for one in few.values()} == {Verdict.UNCLEAR}
    assert winner(few) is None
    many = learned(week({"price": 45, "proof": 20, "number": 22}), Counted.CLICKS)
    assert winner(many) is Angle.PRICE
    assert many[Angle.PROOF].verdict is Verdict.LOST


def test_figures_of_platforms_and_rounds_are_put_together() -> None:
    one = week({"price": 12, "proof": 9, "number": 9})
    both = [
        *one,
        *week({"price": 12, "plain": 9}, platform="linkedin_ads"),
        *week({"price": 12, "proof": 9}, revision=2),
    ]
    alone, pooled = (learned(days, Counted.CLICKS)[Angle.PRICE] for days in (one, both))
    assert pooled.belief.better > alone.belief.better
    assert winner(learned(both, Counted.CLICKS)) is Angle.PRICE


def test_ads_without_an_angle_teach_nothing() -> None:
    assert learned(week({"": 40}), Counted.CLICKS) == {}
    assert learned(week({"price": 40}), Counted.CLICKS) == {}, "nothing ran beside it"


def test_a_writer_is_told_the_best_first_with_an_interval() -> None:
    facts = told(learned(week({"proof": 20, "price": 45}), Counted.CLICKS), Counted.CLICKS)
    assert [(one["angle"], one["verdict"]) for one in facts] == [("price", "won"), ("proof", "lost")]
    assert "clicks for the money against the other angles, between +" in facts[0]["figures"]


# Side by side


def test_only_days_on_which_both_ran_are_compared() -> None:
    days = [*week({"a": 10, "b": 20}), *week({"a": 99}, first=7)]
    found = on_same_days(days, lambda one: one.angle == "b")
    assert found is not None
    others, chosen = found
    assert (others.clicks, chosen.clicks, others.spend, chosen.spend) == (70, 140, 210, 210)
    assert on_same_days(week({"a": 10}), lambda one: one.angle == "b") is None


def test_a_day_that_is_bad_for_all_is_no_scatter_of_the_split() -> None:
    days = [one for at in range(10) for one in week({"a": 4 + 40 * (at % 2), "b": 4 + 40 * (at % 2)}, days=1, first=at)]
    found = on_same_days(days, lambda one: one.angle == "b")
    assert found is not None
    assert [one.dispersion for one in found] == [1.0, 1.0]
    turned = [
        one for at in range(10) for one in week({"a": 4 + 40 * (at % 2), "b": 44 - 40 * (at % 2)}, days=1, first=at)
    ]
    wild = on_same_days(turned, lambda one: one.angle == "b")
    assert wild is not None
    assert wild[0].dispersion > 5


def test_two_ads_beside_one_have_no_more_money_a_day() -> None:
    found = on_same_days(week({"a": 10, "b": 10, "c": 10}), lambda one: one.angle != "a")
    assert found is not None
    assert [one.spend / one.days for one in found] == [30, 30]


# Cutting


def ad(angle: str, *headlines: str, descriptions: tuple[str, ...] = ("A plan for you.", "Two more plans.")) -> Ad:
    return Ad(angle=angle, headlines=headlines, descriptions=descriptions)


def test_texts_that_are_left_out_take_their_angle_along() -> None:
    asked = [
        ad("price", "See the price"),
        ad("proof", "see the PRICE!"),
        ad("number", "Cheap plans"),
        ad("audience", "Made for you", descriptions=("A cheap one",)),
    ]
    found = fit_ads(asked, SPARE, FACEBOOK, banned=("cheap",))
    assert found == (
        ad("price", "See the price", descriptions=("A plan for you.",)),
        ad("audience", "Made for you", descriptions=(SPARE.descriptions[0],)),
    )


def test_the_ad_that_stays_is_first_and_as_it_was() -> None:
    control = ad("question", "Which plan?", descriptions=("Choose.",))
    found = fit_ads(
        [ad("price", "Which plan"), ad("proof", "Reviews"), *[ad("number", str(n)) for n in range(9)]],
        SPARE,
        FACEBOOK,
        control=control,
    )
    assert found[0] is control
    assert [one.angle for one in found] == ["question", "proof", "number"]
    assert fit_ads([ad("price", "Which plan?")], SPARE, FACEBOOK, control=control) == (control,)


def test_an_ad_with_several_headlines_keeps_one_angle_and_all_are_of_one_size() -> None:
    asked = [ad("price", "Price 1", "Price 2", "Price 3", "Price 4"), ad("proof", "Review 1"), ad("number", *"123456")]
    found = fit_ads([*asked, ad("plain", "One more")], SPARE, GOOGLE)
    assert [one.angle for one in found] == ["price", "proof", "number"]
    assert {(len(one.headlines), len(one.descriptions)) for one in found} == {(3, 2)}
    assert found[1].headlines == ("Review 1", "Acme Flow", "See how it works")


@given(
    st.lists(st.tuples(st.sampled_from(Angle), st.lists(st.text(max_size=60), min_size=1, max_size=6)), max_size=5),
    st.sampled_from([FACEBOOK, GOOGLE]),
    st.booleans(),
)
def test_whatever_is_written_fits_and_every_text_keeps_its_angle(
    written: list[tuple[Angle, list[str]]], limits: PlatformLimits, stays: bool
) -> None:
    each = limits.min_headlines
    control = (
        ad("question", *[f"Kept {at}" for at in range(each)], descriptions=("Kept.",) * limits.min_descriptions)
        if stays
        else None
    )
    asked = [ad(angle, *headlines, descriptions=tuple(headlines)) for angle, headlines in written]
    found = fit_ads(asked, SPARE, limits, control=control)
    assert 1 <= len(found) <= limits.ads
    assert len({(len(one.headlines), len(one.descriptions)) for one in found}) == 1
    assert len({one.headlines for one in found}) == len(found)
    for one in found:
        assert all(0 < limits.width(text) <= limits.headline_width for text in one.headlines)
        assert all(0 < limits.width(text) <= limits.description_width for text in one.descriptions)
        if one is not control:
            assert one.angle in {angle for angle, _ in written} | {Angle.PLAIN}
