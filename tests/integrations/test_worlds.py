"""The example worlds do what they say, and a world that can't be is refused by name."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import checkout
import pytest

from integrations.sandbox.ad_text import AdText, features
from integrations.sandbox.ad_world import Market, market
from integrations.sandbox.llm_angles import ANGLES
from integrations.sandbox.llm_tasks_ads import suggest, write_creative
from integrations.sandbox.parameters import Reset, checked

FOLDER = checkout.ROOT / "examples/worlds"
PLAIN = AdText(headline="Billing for SaaS", description="A page about billing.", audience=("saas",))
WITH = {
    "question": "How do teams plan?",
    "number": "Billing in 3 steps",
    "proof": "Customers tell",
    "price": "See the price",
    "urgent": "Start now",
    "calm": "In your own time, no rush",
    "superlative": "The best billing",
}
#: world -> (texts from best to worst by clicks)
ORDERS = {
    "questions": ("question", "", "number"),
    "dead_platform": ("proof", "calm", "", "urgent"),
    "turning": ("price", "", "question"),
}


def world(name: str) -> dict[str, Any]:
    body: dict[str, Any] = json.loads((FOLDER / f"{name}.json").read_text())
    checked(Reset, body)
    found: dict[str, Any] = body["world"]
    return found


def place(name: str, platform: str = "facebook_ads") -> Market:
    return market(platform, 7, world(name))


def text(feature: str) -> AdText:
    return replace(PLAIN, headline=WITH[feature]) if feature else replace(PLAIN, headline="Billing")


def test_there_are_five_and_each_is_described() -> None:
    names = sorted(path.stem for path in FOLDER.glob("*.json"))
    assert names == ["dead_platform", "indifferent", "late_and_loud", "questions", "turning"]
    for name in names:
        assert f"`{name}`" in (FOLDER / "README.md").read_text()
        assert world(name)["about"]


@pytest.mark.parametrize("name", ORDERS)
def test_which_text_wins_is_the_worlds(name: str) -> None:
    rule = place(name).texts.ctr
    factors = [rule.factor(text(feature)) for feature in ORDERS[name]]
    assert factors == sorted(factors, reverse=True)
    assert len(set(factors)) == len(factors)


def test_where_texts_have_no_effect_none_wins() -> None:
    rule = place("indifferent").texts
    assert {rule.ctr.factor(text(feature)) for feature in WITH} == {1.0}
    assert {rule.cvr.factor(text(feature)) for feature in WITH} == {1.0}


def test_clicks_and_conversions_may_want_different_texts() -> None:
    rule = place("late_and_loud").texts
    assert rule.ctr.factor(text("urgent")) > rule.ctr.factor(text(""))
    assert rule.cvr.factor(text("urgent")) < rule.cvr.factor(text(""))


def test_the_worlds_markets_are_as_described() -> None:
    assert [place("dead_platform", p).curve.dead for p in ("linkedin_ads", "facebook_ads")] == ["spends", "no"]
    turning = place("turning").curve
    assert turning.quality_on(10) < 0.51 * turning.quality_on(9) < turning.quality_on(0)
    assert (place("late_and_loud").curve.delay, place("late_and_loud").curve.noise) == (5, 0.4)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"wrld": {}}, "wrld is unknown; use seed, world"),
        ({"seed": "x"}, "seed='x': input should be a valid integer"),
        ({"world": {"texts": {"ctr": {"questoin": 1}}}}, "world.texts.ctr.questoin is unknown; use action, alike"),
        ({"world": {"texts": {"ctr": {"question": 9}}}}, "world.texts.ctr.question=9: input should be less than"),
        ({"world": {"platforms": {"mars": {}}}}, "world.platforms.mars is unknown; use *, facebook_ads"),
        ({"world": {"platforms": {"*": {"noise": -1}}}}, "world.platforms.*.noise=-1: input should be greater"),
        (
            {"world": {"platforms": {"facebook_ads": {"family": "power", "exponent": 2}}}},
            "world.platforms.facebook_ads.exponent=2 of the family power is more than 1",
        ),
        ({"world": {"platforms": {"*": {"turn": {"day": 3}}}}}, "world.platforms.*.turn.times is missing"),
        ({"world": {"preferences": "x"}}, "world.preferences='x': input should be a valid integer"),
    ],
)
def test_a_wrong_world_is_refused_by_name(body: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError) as refused:
        checked(Reset, body)
    assert str(refused.value).startswith(said)


FEATURE_OF = {"urgency": "urgent", **{name: name for name in ANGLES if name not in ("plain", "urgency")}}


def brief(**more: Any) -> dict[str, Any]:
    limits = {"headlines": {"chars": 40, "max": 5}, "descriptions": {"chars": 90, "max": 4}}
    return {"brand": {"product": "Acme Flow"}, "audience": {"industries": ["saas"]}, "limits": limits, **more}


def ads(written: dict[str, object]) -> list[dict[str, Any]]:
    found = written["ads"]
    assert isinstance(found, list)
    return found


@pytest.mark.parametrize("language", ["en", "de"])
@pytest.mark.parametrize("angle", FEATURE_OF)
def test_the_model_writes_what_the_angle_names(language: str, angle: str) -> None:
    asked = [{"angle": "plain"}, {"angle": angle}]
    plain, written = ads(write_creative(brief(ads=asked, language=language), 7))
    assert (plain["angle"], written["angle"]) == ("plain", angle)
    for kind in ("headlines", "descriptions"):
        texts = written[kind]
        assert isinstance(texts, list)
        assert texts
        for one in texts:
            text = AdText(headline=one, description="", audience=("saas",))
            assert features(text)[FEATURE_OF[angle]], one


def test_suggestions_are_no_orders_and_a_brief_without_angles_gets_a_plain_ad() -> None:
    first = write_creative(brief(), 7)
    assert write_creative(brief(suggestions=["Put a number into each headline."]), 7) == first
    assert [ad["angle"] for ad in ads(first)] == ["plain"]


def test_the_models_advice_names_no_feature() -> None:
    low = {"facebook_ads": {"ctr": 0.001, "cvr": 0.001, "benchmark": {"ctr": 0.01, "cvr": 0.1}}}
    said = str(suggest({"figures": low}, 7)).lower()
    assert "angle" in said
    assert not [word for word in ("question", "number", "price", "proof", "audience") if word in said]
