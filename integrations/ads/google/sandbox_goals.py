"""Conversion goals at the sandbox's Google: what an account and each of its campaigns count, and what it refuses.

Pure, over objects in JSON form. Sources: "Conversion goals" and "Campaign goals" of the Google Ads API documentation,
the enumerations of google-ads 34 (v26). An account has the conversion action 7000, and those that ``POST
/_sandbox/reset`` gives or changes with ``{"world": {"accounts": {"google_ads": {"conversion_actions": {"7001":
{"category": "PURCHASE"}}}}}}``; whoever converts does what each of them counts. A goal configuration and the standard
goals come with each campaign. Invariant: a campaign counts the actions of its standard goals that are on and of its
custom goal, each once, and none that isn't ENABLED.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from integrations.ads.google.sandbox_failures import refused

Item = dict[str, Any]
Actions = Mapping[str, Mapping[str, Any]]  #: by number
CONFIGS, STANDARD, CUSTOM = "conversionGoalCampaignConfigs", "campaignConversionGoals", "customConversionGoals"
#: collection -> fields that an update may change
CHANGEABLE: Mapping[str, tuple[str, ...]] = {
    CONFIGS: ("goalConfigLevel", "customConversionGoal"),
    STANDARD: ("biddable",),
}


def actions_of(given: Mapping[str, Mapping[str, Any]]) -> dict[str, Item]:
    """Return the account's conversion actions by number, as ``given`` adds to and changes them."""
    return {
        number: {
            "id": number,
            "name": f"Conversion {number}",
            "status": "ENABLED",
            "type": "WEBPAGE",
            "category": "DEFAULT",
            "origin": "WEBSITE",
            "primaryForGoal": True,
            **given.get(number, {}),
        }
        for number in dict.fromkeys(("7000", *given))
    }


def account_rows(resource: str, owner: str, actions: Actions) -> Iterator[Item]:
    """Yield the account's conversion actions or its standard goals, all of which are on."""
    if resource == "conversion_action":
        for number, action in actions.items():
            yield {"conversionAction": {**action, "resourceName": f"{owner}/conversionActions/{number}"}}
        return
    for category, origin in _kinds(actions):
        name = f"{owner}/customerConversionGoals/{category}~{origin}"
        goal = {"resourceName": name, "category": category, "origin": origin, "biddable": True}
        yield {"customerConversionGoal": goal}


def with_campaign(campaign: str, actions: Actions) -> dict[str, Item]:
    """Return what comes with a new campaign (its resource name), by collection and key."""
    owner, _, number = campaign.rpartition("/campaigns/")
    found: dict[str, Item] = {f"{CONFIGS}/{number}": {"campaign": campaign, "goalConfigLevel": "CUSTOMER"}}
    for category, origin in _kinds(actions):
        goal = {"campaign": campaign, "category": category, "origin": origin, "biddable": True}
        found[f"{STANDARD}/{number}~{category}~{origin}"] = goal
    return {key: {**item, "resourceName": f"{owner}/{key}"} for key, item in found.items()}


def check_custom(item: Item, others: Iterable[Item], actions: Actions, *, foreign: bool) -> None:
    """Check a new custom goal beside the others, where ``foreign`` says that another account counts conversions."""
    if not item.get("name"):
        raise refused("fieldError", "REQUIRED", "The required field was not present.", "name")
    named = item.get("conversionActions", [])
    if not named:
        raise refused("fieldError", "REQUIRED", "The required field was not present.", "conversion_actions")
    for at, name in enumerate(named):
        action, path = actions.get(name.rpartition("/conversionActions/")[2]), ("conversion_actions", at)
        if action is None or foreign:
            said = "Cannot find a conversion action with the specified id."
            raise refused("customConversionGoalError", "INVALID_CONVERSION_ACTION", said, *path)
        if action["status"] != "ENABLED":
            said = "The conversion action is not enabled so it cannot be included in a custom conversion goal."
            raise refused("customConversionGoalError", "CONVERSION_ACTION_NOT_ENABLED", said, *path)
    kept = [other for other in others if other["status"] != "REMOVED"]
    if any(other["name"] == item["name"] for other in kept):
        said = "Custom goal with the same name already exists."
        raise refused("customConversionGoalError", "CUSTOM_GOAL_DUPLICATE_NAME", said, "name")
    if any(set(other["conversionActions"]) == set(named) for other in kept):
        said = "Custom goal with the same conversion action list already exists."
        raise refused("customConversionGoalError", "DUPLICATE_CONVERSION_ACTION_LIST", said, "conversion_actions")


def check_removal(custom: str, objects: Mapping[str, Item]) -> None:
    """Check that no campaign uses a custom goal (its resource name) that is being removed."""
    configs = [item for key, item in objects.items() if key.startswith(f"{CONFIGS}/")]
    if any(config.get("customConversionGoal") == custom for config in configs):
        said = "The custom conversion goal cannot be removed because it's linked to a campaign."
        raise refused("customConversionGoalError", "CANNOT_REMOVE_LINKED_CUSTOM_CONVERSION_GOAL", said)


def changed(collection: str, item: Item, objects: Mapping[str, Item]) -> None:
    """Carry on what follows from a change of a goal configuration or a standard goal, which is ``item`` now."""
    config = objects[f"{CONFIGS}/{item['campaign'].rpartition('/')[2]}"]
    if collection == STANDARD:
        item["biddable"] = bool(item.get("biddable"))
        config["goalConfigLevel"] = "CAMPAIGN"
    own = config["goalConfigLevel"] == "CAMPAIGN"
    if own and not config.get("customConversionGoal") and not any(goal["biddable"] for goal in _on(config, objects)):
        said = "The campaign is using campaign override goals but has no goals configured."
        raise refused("conversionGoalCampaignConfigError", "EMPTY_CONVERSION_GOALS", said)


def counted(campaign: str, objects: Mapping[str, Item], actions: Actions) -> int:
    """Return how many conversion actions a campaign (its resource name) counts and bids for."""
    config = objects[f"{CONFIGS}/{campaign.rpartition('/')[2]}"]
    on = {(goal["category"], goal["origin"]) for goal in _on(config, objects) if goal["biddable"]}
    custom = objects.get("/".join(config.get("customConversionGoal", "").split("/")[2:]), {})
    named = {name.rpartition("/")[2] for name in custom.get("conversionActions", [])}
    return sum(
        action["status"] == "ENABLED"
        and (number in named or (action["primaryForGoal"] and (action["category"], action["origin"]) in on))
        for number, action in actions.items()
    )


def _on(config: Item, objects: Mapping[str, Item]) -> list[Item]:
    """Return the standard goals of the campaign of a goal configuration."""
    return [
        item
        for key, item in objects.items()
        if key.startswith(f"{STANDARD}/") and item["campaign"] == config["campaign"]
    ]


def _kinds(actions: Actions) -> list[tuple[str, str]]:
    """Return the categories and origins of the account's actions, for each of which there is a standard goal."""
    return list(dict.fromkeys((action["category"], action["origin"]) for action in actions.values()))
