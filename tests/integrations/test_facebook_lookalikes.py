"""Facebook's lookalike audiences: made of a customer list, aimed at, and gone with the list, over the wire."""

from __future__ import annotations

from typing import Any

import pytest
from ad_platforms import KEY, Steps, Wire, spec
from stack import Sandbox

from integrations.address_hash import address_hash
from integrations.ads.audience import ListTerms, ListUse
from integrations.ads.facebook.audience import FacebookAudiences
from integrations.ads.facebook.client import FacebookAds
from integrations.ads.facebook.wire import Graph
from integrations.ads.goal import Goal
from integrations.ads.lookalike import Lookalike, MakesLookalikes
from integrations.ads.platform import AimedList, Audience
from integrations.errors import BadRequestError, IntegrationError, ListTooShortError, OutcomeUnknownError, TryAgainError
from integrations.settings import Settings

TERMS = ListTerms()
ALIKE = Lookalike(country="DE", percent=3)
OTHER = "0" * 12  #: effect key of the lookalike audience
SPEC = {"ratio": 0.03, "country": "DE"}


@pytest.fixture
def lists(sandbox: Sandbox) -> FacebookAudiences:
    return FacebookAudiences(Settings.from_env({"SANDBOX_URL": sandbox.url}))


@pytest.fixture
def ads(sandbox: Sandbox) -> FacebookAds:
    return FacebookAds(Settings.from_env({"SANDBOX_URL": sandbox.url}))


@pytest.fixture
def graph(sandbox: Sandbox) -> Graph:
    return Graph(Settings.from_env({"SANDBOX_URL": sandbox.url}).provider("facebook_ads"))


def seed(lists: FacebookAudiences, people: int = 100) -> str:
    made = lists.create("Customers", KEY, TERMS, wire=Wire())
    lists.add(made, [address_hash(f"p{n}@acme.example") for n in range(people)], TERMS, wire=Wire())
    return made


def alike(lists: FacebookAudiences, of: str, wanted: Lookalike = ALIKE) -> str:
    return lists.create_lookalike("Customers", OTHER, of, wanted, wire=Wire())


def stored(sandbox: Sandbox) -> list[str]:
    return [row["id"] for row in sandbox.get("/_sandbox/state")["audiences"]]


def test_it_is_made_of_a_list_and_has_an_id_and_a_size_of_its_own(lists: FacebookAudiences, graph: Graph) -> None:
    assert isinstance(lists, MakesLookalikes)
    origin = seed(lists)
    made = alike(lists, origin)
    assert made != origin
    assert lists.find_by_key(OTHER, wire=Wire()) == made
    assert lists.find_by_key(KEY, wire=Wire()) == origin
    assert lists.reference(made, wire=Wire()) == made
    shown = graph.get(made, timeout=5, fields="subtype,lookalike_spec,approximate_count_upper_bound")
    assert (shown["subtype"], shown["approximate_count_upper_bound"]) == ("LOOKALIKE", 1_200_000)
    assert shown["lookalike_spec"] == {
        **SPEC, "allow_international_seeds": True,
        "origin": [{"id": origin, "name": f"Customers [ma:{KEY}]", "type": "custom_audience"}],
    }  # fmt: skip


def test_a_list_that_is_too_short_is_told_apart(lists: FacebookAudiences) -> None:
    with pytest.raises(ListTooShortError, match="Source Audience is Too Small") as caught:
        alike(lists, seed(lists, 99))
    assert caught.value.detail == "code 2654"
    assert type(IntegrationError.from_dict(caught.value.to_dict())) is ListTooShortError


def test_a_second_one_of_the_same_is_looked_for_instead(lists: FacebookAudiences) -> None:
    origin = seed(lists)
    alike(lists, origin)
    with pytest.raises(TryAgainError, match="is there already"):
        alike(lists, origin)
    alike(lists, origin, Lookalike(country="DE", percent=4))


def test_a_lost_reply_leaves_one_that_is_found(lists: FacebookAudiences, sandbox: Sandbox) -> None:
    origin = seed(lists)
    sandbox.post("/_sandbox/faults", {"provider": "facebook_ads", "mode": "lost_reply"})
    with pytest.raises(OutcomeUnknownError):
        alike(lists, origin)
    sandbox.post("/_sandbox/faults", {"provider": "facebook_ads", "mode": "ok"})
    assert lists.find_by_key(OTHER, wire=Wire()) in stored(sandbox)
    assert len(stored(sandbox)) == 2


def test_it_goes_with_its_list_and_one_made_by_hand_is_left(
    lists: FacebookAudiences, graph: Graph, sandbox: Sandbox
) -> None:
    origin = seed(lists)
    alike(lists, origin)
    lists.delete(origin, wire=Wire())
    lists.delete(origin, wire=Wire())
    assert stored(sandbox) == []
    origin = seed(lists)
    fields = {"name": "By hand", "subtype": "LOOKALIKE", "origin_audience_id": origin, "lookalike_spec": SPEC}
    graph.created("act_1000", "customaudiences", timeout=5, **fields)
    ours = alike(lists, origin)
    with pytest.raises(BadRequestError, match="Delete the lookalike audiences"):
        lists.delete(origin, wire=Wire())
    assert ours not in stored(sandbox)
    assert len(stored(sandbox)) == 2


@pytest.mark.parametrize("goal", Goal)
@pytest.mark.parametrize(("locations", "countries"), [((), ["DE"]), (("Germany",), ["DE"])])
def test_ads_are_aimed_at_it_and_not_at_its_list(
    ads: FacebookAds, lists: FacebookAudiences, goal: Goal, locations: tuple[str, ...], countries: list[str]
) -> None:
    origin = seed(lists)
    aimed = AimedList(reference=alike(lists, origin), use=ListUse.LOOKALIKE, seed=origin, country="DE")
    wanted = spec(customers=aimed, goal=goal, audience=Audience(locations=locations))
    assert ads.validate(wanted, wire=Wire()) == []
    remote = ads.create(wanted, wire=Wire(), steps=Steps())
    targeting = ads._graph.get(remote.ids["ad_set"], timeout=5, fields="targeting")["targeting"]
    assert targeting["custom_audiences"] == [{"id": aimed.reference}]
    assert targeting["excluded_custom_audiences"] == [{"id": origin}]
    assert targeting["geo_locations"]["countries"] == countries
    kept = None if goal is Goal.TRAFFIC else {"lookalike": 0}
    assert targeting.get("targeting_relaxation_types") == kept


@pytest.mark.parametrize(
    ("changes", "blamed"),
    [
        ({"origin_audience_id": "7"}, "origin_audience_id"),
        ({"origin_audience_id": ""}, "origin_audience_id"),
        ({"lookalike_spec": {**SPEC, "ratio": 0.21}}, "lookalike_spec"),
        ({"lookalike_spec": {**SPEC, "ratio": 0.015}}, "lookalike_spec"),
        ({"lookalike_spec": {**SPEC, "country": "Germany"}}, "lookalike_spec"),
        ({"name": ""}, "name"),
    ],
)
def test_what_the_sandbox_refuses(graph: Graph, lists: FacebookAudiences, changes: dict[str, Any], blamed: str) -> None:
    fields = {"name": "A", "subtype": "LOOKALIKE", "origin_audience_id": seed(lists), "lookalike_spec": SPEC}
    with pytest.raises(BadRequestError) as caught:
        graph.created("act_1000", "customaudiences", timeout=5, **{**fields, **changes})
    assert blamed in (caught.value.detail or "")


def test_nobody_is_put_on_it_by_hand(lists: FacebookAudiences) -> None:
    with pytest.raises(BadRequestError):
        lists.add(alike(lists, seed(lists)), [address_hash("p@acme.example")], TERMS, wire=Wire())
