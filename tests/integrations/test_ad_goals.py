"""What ads are for: each goal over the wire, what a platform needs for it, and combinations that it refuses.

What is Google's own is in test_google_goals.py.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from ad_platforms import KEY, START, Steps, Wire, deaths, fault, fitting, spec
from google_goals import goals_of, tied_to
from live_world import live_env

from integrations.ads.facebook.goals import FORM_LINK, form_button
from integrations.ads.goal import Goal, goal_problem
from integrations.ads.platform import AdPlatform, AdSpec, RemoteCampaign, per_day
from integrations.ads.registry import build, platform
from integrations.errors import BadRequestError, OutcomeUnknownError, TransientError
from integrations.settings import Settings

SINCE = START.date() - timedelta(days=1)
FORMS = {"FACEBOOK_LEAD_FORM_ID": "61", "LINKEDIN_LEAD_FORM_ID": "81"}
TRACKED = {"FACEBOOK_PIXEL_ID": "51", "LINKEDIN_CONVERSION_ID": "71"}
PLATFORMS = ["facebook_ads", "google_ads", "linkedin_ads"]


@pytest.fixture(scope="module", autouse=True)
def _loaded(_sandbox_process: Any) -> None:
    """Loading Google's messages takes a second, more on a busy machine, here and in the sandbox."""
    build("google_ads", Settings.from_env({"SANDBOX_URL": _sandbox_process.url})).find_by_key(KEY, wire=Wire(60))


def client(sandbox: Any, name: str, **ids: str) -> Any:
    """Return a client in live mode, which has only the ids that are given, at the sandbox."""
    return build(name, Settings.from_env(live_env(sandbox.url, **ids)))


def shown(ads: Any, made: RemoteCampaign) -> tuple[dict[str, Any], dict[str, Any], list[dict[str, Any]]]:
    """Return a campaign, its ad set ({} at LinkedIn) and what its ads are made of, as the platform keeps them."""
    wire = Wire()
    if ads.name == "linkedin_ads":
        found = ads._api.get(f"/adAccounts/3000/adCampaigns/{made.id}", {}, timeout=5)
        return found, {}, list(ads._creatives(made.id, wire).values())
    fields = (
        "id,name,objective,optimization_goal,promoted_object,destination_type,billing_event,tracking_specs,creative"
    )
    (ad_set,) = ads._graph.pages(made.id, "adsets", wire=wire, fields=fields)
    for ad in ads._graph.pages(made.id, "ads", wire=wire, fields=fields):
        assert ("tracking_specs" in ad) is bool(ads._settings.options["pixel_id"])
    parts = ads._graph.pages("act_1000", "adcreatives", wire=wire, fields="id,object_story_spec")
    return ads._graph.get(made.id, timeout=5, fields=fields), ad_set, list(parts)


@pytest.mark.parametrize(
    ("goal", "ids", "objective", "ad_set"),
    [
        (Goal.TRAFFIC, {}, "OUTCOME_TRAFFIC", {"optimization_goal": "LINK_CLICKS"}),
        (Goal.TRAFFIC, TRACKED, "OUTCOME_TRAFFIC", {"optimization_goal": "LINK_CLICKS"}),
        (
            Goal.LEADS,
            {**FORMS, **TRACKED},
            "OUTCOME_LEADS",
            {
                "optimization_goal": "LEAD_GENERATION",
                "destination_type": "ON_AD",
                "promoted_object": {"page_id": "2000"},
            },
        ),
        (
            Goal.LEADS,
            TRACKED,
            "OUTCOME_LEADS",
            {
                "optimization_goal": "OFFSITE_CONVERSIONS",
                "destination_type": "WEBSITE",
                "promoted_object": {"pixel_id": "51", "custom_event_type": "LEAD"},
            },
        ),
        (
            Goal.SALES,
            TRACKED,
            "OUTCOME_SALES",
            {
                "optimization_goal": "OFFSITE_CONVERSIONS",
                "destination_type": "WEBSITE",
                "promoted_object": {"pixel_id": "51", "custom_event_type": "PURCHASE"},
            },
        ),
    ],
)
def test_facebooks_objects(
    sandbox: Any, goal: Goal, ids: dict[str, str], objective: str, ad_set: dict[str, Any]
) -> None:
    ads, wanted = client(sandbox, "facebook_ads", **ids), spec(goal=goal)
    assert ads.validate(wanted, wire=Wire()) == []
    made = ads.create(wanted, wire=Wire(), steps=Steps())
    found, group, creatives = shown(ads, made)
    assert found["objective"] == objective
    assert {name: value for name, value in group.items() if name not in ("id", "name", "billing_event")} == ad_set
    assert group["billing_event"] == "IMPRESSIONS"
    data = [one["object_story_spec"]["link_data"] for one in creatives]
    form = goal is Goal.LEADS and bool(ids.get("FACEBOOK_LEAD_FORM_ID"))
    assert [one["link"] for one in data] == [FORM_LINK if form else wanted.link(variant) for variant in (1, 2)]
    assert data[0]["call_to_action"]["value"] == ({"lead_gen_form_id": "61"} if form else {"link": wanted.link(1)})
    assert data[0]["call_to_action"]["type"] == ("SIGN_UP" if form else "TRY_DEMO")


@pytest.mark.parametrize(
    ("goal", "ids", "objective", "optimization"),
    [
        (Goal.TRAFFIC, {}, "WEBSITE_VISIT", "MAX_CLICK"),
        (Goal.LEADS, {**FORMS, **TRACKED}, "LEAD_GENERATION", "MAX_LEAD"),
        (Goal.LEADS, TRACKED, "WEBSITE_CONVERSION", "MAX_CONVERSION"),
        (Goal.SALES, TRACKED, "WEBSITE_CONVERSION", "MAX_CONVERSION"),
    ],
)
def test_linkedins_objects(sandbox: Any, goal: Goal, ids: dict[str, str], objective: str, optimization: str) -> None:
    ads, wanted = client(sandbox, "linkedin_ads", **ids), spec(goal=goal)
    assert ads.validate(wanted, wire=Wire()) == []
    made = ads.create(wanted, wire=Wire(), steps=Steps())
    found, _, creatives = shown(ads, made)
    assert (found["objectiveType"], found["optimizationTargetType"]) == (objective, optimization)
    form = objective == "LEAD_GENERATION"
    for one in creatives:
        action = {"destination": "urn:li:adForm:81", "label": "REQUEST_DEMO"} if form else None
        assert one.get("leadgenCallToAction") == action
        assert ("contentLandingPage" in one["inlineContent"]["post"]) is not form
    ads.enable(made, wire=Wire())
    calls = [call["endpoint"] for call in sandbox.get("/_sandbox/calls?provider=linkedin_ads")]
    assert any("campaignConversions" in call for call in calls) is (bool(ids) and not form)


@pytest.mark.parametrize("name", PLATFORMS)
@pytest.mark.parametrize("goal", Goal)
def test_every_goal_is_reported_in_conversions_and_updated_in_place(sandbox: Any, name: str, goal: Goal) -> None:
    ads: Any = build(name, Settings.from_env({"SANDBOX_URL": sandbox.url}))
    assert ads.validate(fitting(ads, goal=goal), wire=Wire()) == []
    made = ads.create(fitting(ads, goal=goal), wire=Wire(), steps=Steps())
    ads.enable(made, wire=Wire())
    days = per_day(ads.report(made, SINCE, wire=Wire()))
    assert len(days) == 7
    again = ads.update(made, fitting(ads, goal=goal, revision=2, headlines=("New",)), wire=Wire(), steps=Steps())
    found = ads.find_by_key(KEY, wire=Wire())
    assert found is not None
    assert (found.id, found.status, again.id) == (made.id, "active", made.id)


@pytest.mark.parametrize("name", PLATFORMS)
def test_conversions_of_every_goal_are_counted(sandbox: Any, name: str) -> None:
    counted = []
    for goal in Goal:
        sandbox.reset(7)
        ads: Any = build(name, Settings.from_env({"SANDBOX_URL": sandbox.url}))
        made = ads.create(fitting(ads, goal=goal, daily_budget=900), wire=Wire(), steps=Steps())
        ads.enable(made, wire=Wire())
        counted.append(sum(day.conversions for day in per_day(ads.report(made, SINCE, wire=Wire()))))
    assert min(counted) > 0


def assert_tied(ads: AdPlatform, made: RemoteCampaign) -> None:
    """A campaign for sales is tied to what counts them at its platform."""
    if ads.name == "google_ads":
        assert goals_of(ads, made.id) == tied_to("7000")
    elif ads.name == "facebook_ads":
        (ad_set,) = ads._graph.pages(made.id, "adsets", wire=Wire(), fields="id,promoted_object")  # type: ignore[attr-defined] # the client's own wire
        assert ad_set["promoted_object"] == {"pixel_id": "5000", "custom_event_type": "PURCHASE"}
    ads.enable(made, wire=Wire())  # which LinkedIn refuses a campaign that is tied to no conversion


@pytest.mark.parametrize("journalled", [True, False])
@pytest.mark.parametrize("name", PLATFORMS)
def test_a_death_after_any_call_leaves_one_campaign_that_is_tied(sandbox: Any, name: str, journalled: bool) -> None:
    ads = build(name, Settings.from_env({"SANDBOX_URL": sandbox.url}))
    ads.account(wire=Wire())  # the token
    keys = ["000000000000"]
    for wanted, made in deaths(ads, journalled=journalled, goal=Goal.SALES):
        assert made.status == "paused"
        assert_tied(ads, made)
        keys.append(wanted.effect_key)
    assert sorted(row["effect_key"] for row in sandbox.get("/_sandbox/state")["ad_campaigns"]) == keys


@pytest.mark.parametrize("name", PLATFORMS)
def test_a_lost_reply_of_any_call_leaves_one_campaign_that_is_tied(sandbox: Any, name: str) -> None:
    ads = build(name, Settings.from_env({"SANDBOX_URL": sandbox.url}))
    ads.account(wire=Wire())  # the token
    whole = Wire()
    ads.create(fitting(ads, goal=Goal.SALES), wire=whole, steps=Steps())
    lost = 0
    for number in range(1, whole.calls + 1):
        sandbox.reset()
        lost += after_a_lost_reply(sandbox, ads, fitting(ads, goal=Goal.SALES), number)
        (row,) = sandbox.get("/_sandbox/state")["ad_campaigns"]
        assert row["status"] == "active"
    assert lost > 0, "some call has made something"


def after_a_lost_reply(sandbox: Any, ads: AdPlatform, wanted: AdSpec, number: int) -> bool:
    """Create again after call ``number`` went without an answer; return whether it may have changed something."""
    steps, wire, unknown = Steps(), Wire(), False

    def lose(at: int) -> None:
        sandbox.post("/_sandbox/faults", {"provider": ads.name, "mode": "lost_reply" if at == number else "ok"})

    wire.before = lose
    with fault(sandbox, ads.name, "ok"):
        try:
            ads.create(wanted, wire=wire, steps=steps)
        except OutcomeUnknownError:
            unknown = True
        except TransientError:
            pass  # it asked only
        else:
            raise AssertionError(f"call {number} was answered")
    found = ads.find_by_key(KEY, wire=Wire())
    if found is None:
        made = ads.create(wanted, wire=Wire(), steps=steps)
    else:
        made = ads.update(found, wanted, wire=Wire(), steps=steps)
    assert_tied(ads, made)
    return unknown


@pytest.mark.parametrize(
    ("name", "goal", "variables"),
    [
        ("facebook_ads", Goal.LEADS, "FACEBOOK_LEAD_FORM_ID or FACEBOOK_PIXEL_ID"),
        ("facebook_ads", Goal.SALES, "FACEBOOK_PIXEL_ID"),
        ("google_ads", Goal.LEADS, "GOOGLE_ADS_CONVERSION_ACTION_ID"),
        ("google_ads", Goal.SALES, "GOOGLE_ADS_CONVERSION_ACTION_ID"),
        ("linkedin_ads", Goal.LEADS, "LINKEDIN_LEAD_FORM_ID or LINKEDIN_CONVERSION_ID"),
        ("linkedin_ads", Goal.SALES, "LINKEDIN_CONVERSION_ID"),
    ],
)
def test_what_is_missing_is_named(sandbox: Any, name: str, goal: Goal, variables: str) -> None:
    ids = FORMS if goal is Goal.SALES else {}
    ads = client(sandbox, name, **ids)
    (problem,) = ads.validate(fitting(ads, goal=goal), wire=Wire())
    assert problem == f"goal={goal}: {platform(name).title} needs {variables} in the environment"
    with pytest.raises(BadRequestError, match=variables):
        ads.create(fitting(ads, goal=goal), wire=Wire(), steps=Steps())
    assert sandbox.get("/_sandbox/state")["ad_campaigns"] == []


def test_a_platform_that_knows_only_traffic_says_so() -> None:
    bare = replace(platform("facebook_ads"), goals={Goal.TRAFFIC: ()})
    problem = goal_problem(bare, Goal.SALES, {})
    assert problem == "goal=sales: Facebook can't serve it in this version; there it is one of: traffic"
    with pytest.raises(ValueError, match="goals names 'nothing', which is no option"):
        replace(bare, goals={Goal.LEADS: ("nothing",)})


@pytest.mark.parametrize(
    ("objective", "changes", "refused"),
    [
        ("OUTCOME_TRAFFIC", {"optimization_goal": "OFFSITE_CONVERSIONS"}, ("optimization_goal", "isn't available")),
        ("OUTCOME_SALES", {"optimization_goal": "LEAD_GENERATION"}, ("optimization_goal", "isn't available")),
        ("OUTCOME_LEADS", {"optimization_goal": "OFFSITE_CONVERSIONS"}, ("promoted_object", "is missing")),
        (
            "OUTCOME_SALES",
            {"optimization_goal": "OFFSITE_CONVERSIONS", "promoted_object": {"pixel_id": "51"}},
            ("promoted_object", "is missing"),
        ),
        ("OUTCOME_LEADS", {"optimization_goal": "LEAD_GENERATION"}, ("promoted_object", "is missing")),
        (
            "OUTCOME_LEADS",
            {"optimization_goal": "LEAD_GENERATION", "promoted_object": {"page_id": "2000"}},
            ("destination_type", "Destination is missing"),
        ),
    ],
)
def test_the_sandboxs_facebook_refuses_what_does_not_fit(
    sandbox: Any, objective: str, changes: dict[str, Any], refused: tuple[str, str]
) -> None:
    graph = client(sandbox, "facebook_ads")._graph
    fields = {"status": "PAUSED", "special_ad_categories": [], "is_adset_budget_sharing_enabled": False}
    campaign = graph.created("act_1000", "campaigns", timeout=5, name="C", objective=objective, **fields)
    group = {
        "name": "A",
        "campaign_id": campaign,
        "billing_event": "IMPRESSIONS",
        "targeting": {"geo_locations": {"countries": ["US"]}},
        "daily_budget": 1000,
    }
    with pytest.raises(BadRequestError) as found:
        graph.created("act_1000", "adsets", timeout=5, **group, **changes)
    field, words = refused
    assert f"fields {field}" in (found.value.detail or "")
    assert words in found.value.message


def test_the_sandboxs_linkedin_refuses_what_does_not_fit(sandbox: Any) -> None:
    ads = client(sandbox, "linkedin_ads", **TRACKED)
    made = ads.create(spec(goal=Goal.SALES), wire=Wire(), steps=Steps())
    fields = ads._campaign_fields(spec(goal=Goal.SALES), made.ids["group"], {"include": {"and": [{}]}})
    path = "/adAccounts/3000/adCampaigns"
    with pytest.raises(BadRequestError) as wrong:
        ads._api.create(path, {**fields, "objectiveType": "WEBSITE_VISIT"}, timeout=5)
    assert "optimizationTargetType" in (wrong.value.detail or "")
    untied = ads._api.create(path, {**fields, "name": "Untied"}, timeout=5)
    with pytest.raises(BadRequestError, match="must have a conversion associated with it"):
        ads.enable(RemoteCampaign(id=untied), wire=Wire())
    leads = {**fields, "name": "Leads", "objectiveType": "LEAD_GENERATION", "optimizationTargetType": "MAX_LEAD"}
    creative = ads._creative_fields(spec(), ads._api.create(path, leads, timeout=5), 1, ("A", "B"))
    with pytest.raises(BadRequestError) as formless:
        ads._api.create("/adAccounts/3000/creatives?action=createInline", {"creative": creative}, timeout=5)
    assert "leadgenCallToAction" in (formless.value.detail or "")


@pytest.mark.parametrize(
    ("words", "expected"),
    [("Book a demo", "SIGN_UP"), ("Download the guide", "DOWNLOAD"), ("Get a quote", "GET_QUOTE"), ("", "LEARN_MORE")],
)
def test_buttons_of_ads_with_a_form(words: str, expected: str) -> None:
    assert form_button(words) == expected
