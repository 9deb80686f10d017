"""Goals at Google: a campaign that is tied to one conversion action, checks of that action, and what Google refuses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import stack
from ad_platforms import KEY, START, Steps, Wire, ad_campaigns, fitting
from google_goals import custom_goals, goals_of, rows, standard_on, tied_to
from live_world import live_env

from integrations.ads.goal import Goal
from integrations.ads.google.client import GoogleAds
from integrations.ads.google.conversion_action import CATEGORIES, unserved
from integrations.ads.platform import AdSpec
from integrations.ads.registry import build
from integrations.errors import IntegrationError, TryAgainError
from integrations.settings import Settings

OWNER = "customers/5000000000"
ACTION = f"{OWNER}/conversionActions/7000"
VARIABLE = "GOOGLE_ADS_CONVERSION_ACTION_ID"
COUNTED = [Goal.LEADS, Goal.SALES]


def client(sandbox: Any, **environment: str) -> GoogleAds:
    url = f"{sandbox.url}/google_ads"
    found = build(
        "google_ads", Settings.from_env({"SANDBOX_URL": sandbox.url, "GOOGLE_ADS_BASE_URL": url, **environment})
    )
    assert isinstance(found, GoogleAds)
    return found


@pytest.fixture(scope="module", autouse=True)
def _loaded(_sandbox_process: stack.Sandbox) -> None:
    """Loading Google's messages takes a second, more on a busy machine, here and in the sandbox."""
    client(_sandbox_process).find_by_key(KEY, wire=Wire(60))


@pytest.fixture
def google(sandbox: Any) -> GoogleAds:
    return client(sandbox)


def wanted(google: GoogleAds, **changes: Any) -> AdSpec:
    return fitting(google, **{"goal": Goal.LEADS, **changes})


def world(**actions: dict[str, Any]) -> dict[str, Any]:
    """A world with these conversion actions, by number, each written as ``_7001``."""
    return {"accounts": {"google_ads": {"conversion_actions": {key[1:]: item for key, item in actions.items()}}}}


def mutates(sandbox: Any) -> int:
    calls = sandbox.get("/_sandbox/calls?provider=google_ads")
    return sum(call["endpoint"].endswith("/Mutate") for call in calls)


# Tied in the mutate that makes it


@pytest.mark.parametrize("goal", COUNTED)
def test_a_campaign_is_tied_to_the_one_action_in_the_mutate_that_makes_it(
    sandbox: Any, google: GoogleAds, goal: Goal
) -> None:
    sandbox.reset(world=world(_7001={"category": "PURCHASE"}, _7002={"category": "PURCHASE"}))
    made = google.create(wanted(google, goal=goal), wire=Wire(), steps=Steps())
    assert mutates(sandbox) == 1
    assert goals_of(google, made.id) == tied_to("7000")


def test_ads_for_traffic_bid_for_clicks_and_leave_the_accounts_goals(google: GoogleAds) -> None:
    made = google.create(wanted(google, goal=Goal.TRAFFIC), wire=Wire(), steps=Steps())
    bidding, level, status, actions, on = goals_of(google, made.id)
    assert (bidding, level, status, actions) == ("TARGET_SPEND", "CUSTOMER", "", [])
    assert on == [f"{OWNER}/campaignConversionGoals/{made.id}~DEFAULT~WEBSITE"]
    assert custom_goals(google) == []


def test_campaigns_share_the_accounts_custom_goal_and_leave_it_when_they_go(sandbox: Any, google: GoogleAds) -> None:
    steps = [Steps(), Steps()]
    for key, journal in zip(("000000000001", "000000000002"), steps, strict=True):
        made = google.create(wanted(google, effect_key=key), wire=Wire(), steps=journal)
        assert goals_of(google, made.id) == tied_to("7000")
    (shared,) = custom_goals(google)
    assert shared["name"] == "Conversion action 7000 [ma:000000000001]"
    google.remove(steps[0], wire=Wire())
    assert [row["effect_key"] for row in ad_campaigns(sandbox)] == ["000000000002"]
    assert custom_goals(google) == [shared]


def test_one_refused_part_leaves_no_custom_goal(google: GoogleAds) -> None:
    with pytest.raises(IntegrationError, match="Too long"):
        google.create(wanted(google, headlines=("x" * 31, "b", "c")), wire=Wire(), steps=Steps())
    assert custom_goals(google) == []


def test_a_custom_goal_that_another_made_meanwhile_is_found_by_the_next_attempt(
    sandbox: Any, google: GoogleAds
) -> None:
    google.account(wire=Wire())  # the token
    wire, steps = Wire(), Steps()

    def overtake(at: int) -> None:
        if at == 5:  # places, zone, custom goals, standard goals, mutate
            custom(google, name="Somebody's")

    wire.before = overtake
    with pytest.raises(TryAgainError) as caught:
        google.create(wanted(google), wire=wire, steps=steps)
    assert "DUPLICATE_CONVERSION_ACTION_LIST" in (caught.value.detail or "")
    assert (wire.calls, dict(steps), ad_campaigns(sandbox)) == (5, {}, [])
    made = google.create(wanted(google), wire=Wire(), steps=steps)
    assert goals_of(google, made.id) == tied_to("7000")


# What is no longer tied is mended


def custom(google: GoogleAds, actions: tuple[str, ...] = (ACTION,), name: str = "Mine") -> str:
    """Make a custom goal, and return its resource name."""
    fields = {"name": name, "status": "ENABLED", "conversion_actions": list(actions)}
    return google._api.mutate([{"custom_conversion_goal_operation": {"create": fields}}], wire=Wire())[0]


def configure(google: GoogleAds, campaign: str, **fields: str) -> None:
    """Change a campaign's goal configuration by hand."""
    change = {"resource_name": f"{OWNER}/conversionGoalCampaignConfigs/{campaign}", **fields}
    operation = {"update": change, "update_mask": {"paths": sorted(fields)}}
    google._api.mutate([{"conversion_goal_campaign_config_operation": operation}], wire=Wire())


def switch(google: GoogleAds, campaign: str, goal: str, *, biddable: bool) -> None:
    """Switch a campaign's standard goal by hand."""
    change = {"resource_name": f"{OWNER}/campaignConversionGoals/{campaign}~{goal}", "biddable": biddable}
    operation = {"update": change, "update_mask": {"paths": ["biddable"]}}
    google._api.mutate([{"campaign_conversion_goal_operation": operation}], wire=Wire())


@pytest.mark.parametrize(
    "break_it",
    [
        lambda google, made: switch(google, made, "DEFAULT~WEBSITE", biddable=True),
        lambda google, made: configure(google, made, goal_config_level="CUSTOMER"),
        lambda google, made: configure(
            google,
            made,
            custom_conversion_goal=custom(google, (ACTION, f"{OWNER}/conversionActions/7001")),
        ),
    ],
    ids=["standard goal on", "goals of the account", "more actions"],
)
def test_an_update_mends_the_tie_and_changes_nothing_when_it_holds(
    sandbox: Any, google: GoogleAds, break_it: Callable[[GoogleAds, str], None]
) -> None:
    sandbox.reset(world=world(_7001={"category": "PURCHASE"}))
    made = google.create(wanted(google), wire=Wire(), steps=Steps())
    break_it(google, made.id)
    assert goals_of(google, made.id) != tied_to("7000")
    for changes in (1, 0):
        before = mutates(sandbox)
        google.update(made, wanted(google), wire=Wire(), steps=Steps())
        assert (mutates(sandbox) - before, goals_of(google, made.id)) == (changes, tied_to("7000"))


def test_another_action_ties_the_campaign_anew(sandbox: Any, google: GoogleAds) -> None:
    sandbox.reset(world=world(_7001={"category": "SIGNUP"}))
    made = google.create(wanted(google), wire=Wire(), steps=Steps())
    other = client(sandbox, **{VARIABLE: "7001"})
    other.update(made, wanted(google), wire=Wire(), steps=Steps())
    assert goals_of(google, made.id) == tied_to("7001")


def test_ads_for_traffic_need_no_action_and_ask_for_no_goals(sandbox: Any, google: GoogleAds) -> None:
    without = build("google_ads", Settings.from_env(live_env(sandbox.url)))
    wire = Wire()
    assert without.account(wire=wire).unserved == {}
    assert wire.calls == 2, "the token, the account"
    google.account(wire=Wire())  # the token
    spec, wire = wanted(google, goal=Goal.TRAFFIC), Wire()
    made = google.create(spec, wire=wire, steps=Steps())
    assert wire.calls == 3, "places, zone, mutate"
    google.update(made, spec, wire=Wire(), steps=Steps())
    assert goals_of(google, made.id)[1] == "CUSTOMER"


# What is reported


@pytest.mark.parametrize("goal", COUNTED)
def test_reported_conversions_are_those_of_the_one_action(sandbox: Any, google: GoogleAds, goal: Goal) -> None:
    """Whoever converts does what each action counts, so ads for traffic report each of the three."""
    counted: dict[Goal, list[int]] = {}
    for one in (Goal.TRAFFIC, goal):
        sandbox.reset(world=world(_7001={"category": "PURCHASE"}, _7002={"category": "SIGNUP"}))
        made = google.create(wanted(google, goal=one, daily_budget=900), wire=Wire(), steps=Steps())
        google.enable(made, wire=Wire())
        counted[one] = [day.conversions for day in google.report(made, START.date(), wire=Wire())]
    assert sum(counted[goal]) > 0
    assert counted[Goal.TRAFFIC] == [3 * number for number in counted[goal]]


def test_an_action_counts_once_by_whichever_goal(sandbox: Any, google: GoogleAds) -> None:
    made = google.create(wanted(google, daily_budget=900), wire=Wire(), steps=Steps())
    google.enable(made, wire=Wire())
    alone = sum(day.conversions for day in google.report(made, START.date(), wire=Wire()))
    switch(google, made.id, "DEFAULT~WEBSITE", biddable=True)
    again = sum(day.conversions for day in google.report(made, START.date(), wire=Wire()))
    assert alone == again > 0


# The action is looked at before money is spent


@pytest.mark.parametrize(
    ("account", "number", "goals", "words"),
    [
        ({}, "7009", COUNTED, "the ad account has no such conversion action; take the number after ctId="),
        ({}, "AW-123/abc", COUNTED, "is no number of a conversion action; it is the number after ctId="),
        (
            {"conversion_actions": {"7000": {"status": "HIDDEN", "name": "Demo"}}},
            "7000",
            COUNTED,
            'the conversion action "Demo" is HIDDEN; enable it in Google Ads',
        ),
        (
            {"conversion_actions": {"7000": {"category": "SUBMIT_LEAD_FORM", "name": "Demo"}}},
            "7000",
            [Goal.SALES],
            'the conversion action "Demo" counts SUBMIT_LEAD_FORM; goal=sales needs one of PURCHASE, SUBSCRIBE_PAID, ',
        ),
        (
            {"conversion_actions": {"7000": {"category": "PURCHASE", "name": "Order"}}},
            "7000",
            [Goal.LEADS],
            'the conversion action "Order" counts PURCHASE; goal=leads needs one of SUBMIT_LEAD_FORM, SIGNUP, ',
        ),
        (
            {"fields": {"conversionTrackingSetting": {"googleAdsConversionCustomer": "customers/9"}}},
            "7000",
            COUNTED,
            "a manager account counts this ad account's conversions",
        ),
    ],
)
def test_an_action_that_can_not_count_is_told_by_the_account_and_by_the_dry_run(
    sandbox: Any, account: dict[str, Any], number: str, goals: list[Goal], words: str
) -> None:
    sandbox.reset(world={"accounts": {"google_ads": account}})
    google = client(sandbox, **{VARIABLE: number})
    found = google.account(wire=Wire())
    assert (list(found.unserved), found.trouble) == (goals, "")
    for goal in Goal:
        problems = google.validate(wanted(google, goal=goal), wire=Wire())
        assert len(problems) == (goal in goals)
        for problem in problems:
            assert problem.startswith(f"{VARIABLE}={number}: ")
            assert words in problem
    assert mutates(sandbox) == 3 - len(goals), "no dry run of what can't be counted"


@pytest.mark.parametrize("category", ["DEFAULT", "PAGE_VIEW", "CONVERTED_LEAD"])
def test_a_category_that_says_nothing_against_a_goal_fits(sandbox: Any, category: str) -> None:
    sandbox.reset(world=world(_7000={"category": category}))
    google = client(sandbox)
    assert google.account(wire=Wire()).unserved == {}
    assert [google.validate(wanted(google, goal=goal), wire=Wire()) for goal in Goal] == [[], [], []]


def test_categories_are_googles_own() -> None:
    from google.ads.googleads.v26.enums.types.conversion_action_category import ConversionActionCategoryEnum

    known = set(ConversionActionCategoryEnum.ConversionActionCategory.__members__)
    assert {name for names in CATEGORIES.values() for name in names} <= known


@pytest.mark.parametrize("row", [{}, {"conversionAction": None}, {"conversionAction": {"status": 7}}, {"customer": []}])
def test_an_odd_answer_about_the_action_serves_no_goal(row: dict[str, Any]) -> None:
    assert list(unserved("7000", row, "5000000000")) == COUNTED


# What the sandbox's Google refuses


def creating(**fields: Any) -> dict[str, Any]:
    return {"custom_conversion_goal_operation": {"create": {"name": "New", "status": "ENABLED", **fields}}}


def updating(kind: str, name: str, **fields: Any) -> dict[str, Any]:
    change = {"resource_name": f"{OWNER}/{name}", **fields}
    return {f"{kind}_operation": {"update": change, "update_mask": {"paths": sorted(fields)}}}


CONFIG, STANDARD = "conversion_goal_campaign_config", "campaign_conversion_goal"


@pytest.mark.parametrize(
    ("operation", "code"),
    [
        (
            lambda _made: creating(conversion_actions=[f"{OWNER}/conversionActions/7009"]),
            "customConversionGoalError.INVALID_CONVERSION_ACTION at mutate_operations[0]",
        ),
        (
            lambda _made: creating(conversion_actions=[f"{OWNER}/conversionActions/7002"]),
            "customConversionGoalError.CONVERSION_ACTION_NOT_ENABLED",
        ),
        (lambda _made: creating(), "fieldError.REQUIRED at mutate_operations[0]"),
        (
            lambda _made: creating(conversion_actions=[ACTION]),
            "customConversionGoalError.DUPLICATE_CONVERSION_ACTION_LIST",
        ),
        (
            lambda _made: creating(
                name=f"Conversion action 7000 [ma:{KEY}]", conversion_actions=[f"{OWNER}/conversionActions/7001"]
            ),
            "customConversionGoalError.CUSTOM_GOAL_DUPLICATE_NAME",
        ),
        (
            lambda _made: updating(CONFIG, "conversionGoalCampaignConfigs/99", goal_config_level="CAMPAIGN"),
            "mutateError.RESOURCE_NOT_FOUND",
        ),
        (
            lambda made: updating(
                CONFIG,
                f"conversionGoalCampaignConfigs/{made}",
                custom_conversion_goal=f"{OWNER}/customConversionGoals/9",
            ),
            "mutateError.RESOURCE_NOT_FOUND",
        ),
        (
            lambda made: updating(
                CONFIG, f"conversionGoalCampaignConfigs/{made}", campaign=f"{OWNER}/campaigns/{made}"
            ),
            "fieldError.IMMUTABLE_FIELD",
        ),
        (
            lambda made: updating(STANDARD, f"campaignConversionGoals/{made}~PURCHASE~STORE", biddable=False),
            "mutateError.RESOURCE_NOT_FOUND",
        ),
        (
            lambda made: updating(STANDARD, f"campaignConversionGoals/{made}~DEFAULT~WEBSITE", category="PURCHASE"),
            "fieldError.IMMUTABLE_FIELD",
        ),
    ],
)
def test_an_operation_on_goals_that_google_refuses(
    sandbox: Any, google: GoogleAds, operation: Callable[[str], dict[str, Any]], code: str
) -> None:
    sandbox.reset(world=world(_7001={}, _7002={"status": "REMOVED"}))
    made = google.create(wanted(google), wire=Wire(), steps=Steps())
    with pytest.raises(IntegrationError) as caught:
        google._api.mutate([operation(made.id)], wire=Wire())
    assert code in (caught.value.detail or "")
    assert goals_of(google, made.id) == tied_to("7000")


def test_a_campaign_is_never_left_without_a_goal_and_a_goal_in_use_is_not_removed(google: GoogleAds) -> None:
    plain = google.create(wanted(google, goal=Goal.TRAFFIC), wire=Wire(), steps=Steps())
    with pytest.raises(IntegrationError) as caught:
        switch(google, plain.id, "DEFAULT~WEBSITE", biddable=False)
    assert "conversionGoalCampaignConfigError.EMPTY_CONVERSION_GOALS" in (caught.value.detail or "")
    assert len(standard_on(google, plain.id)) == 1
    google.create(wanted(google, effect_key="000000000001"), wire=Wire(), steps=Steps())
    (shared,) = custom_goals(google)
    with pytest.raises(IntegrationError) as caught:
        google._api.mutate([{"custom_conversion_goal_operation": {"remove": shared["resourceName"]}}], wire=Wire())
    assert "CANNOT_REMOVE_LINKED_CUSTOM_CONVERSION_GOAL" in (caught.value.detail or "")


def test_another_accounts_goals_are_refused_and_a_removed_campaigns_too(sandbox: Any, google: GoogleAds) -> None:
    steps = Steps()
    made = google.create(wanted(google), wire=Wire(), steps=steps)
    google.remove(steps, wire=Wire())
    with pytest.raises(IntegrationError) as caught:
        configure(google, made.id, goal_config_level="CUSTOMER")
    assert "OPERATION_NOT_PERMITTED_FOR_REMOVED_RESOURCE" in (caught.value.detail or "")
    elsewhere = {"conversionTrackingSetting": {"googleAdsConversionCustomer": "customers/9"}}
    sandbox.reset(world={"accounts": {"google_ads": {"fields": elsewhere}}})
    with pytest.raises(IntegrationError) as caught:
        google.create(wanted(google), wire=Wire(), steps=Steps())
    assert "INVALID_CONVERSION_ACTION" in (caught.value.detail or "")
    assert (ad_campaigns(sandbox), rows(google, "SELECT campaign.id FROM campaign")) == ([], [])
