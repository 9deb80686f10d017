"""Look at what a campaign lacks to be tied to one conversion action: what the account and the campaign have of goals.

What is found becomes operations of the same mutate that makes or changes the campaign
(:func:`integrations.ads.google.operations.tie_operations`), so a campaign is never there without its goal. Invariant:
the looks change nothing and may be repeated.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from integrations.ads.google.errors import PROVIDER
from integrations.ads.google.gaql import query
from integrations.ads.google.goals import Tie
from integrations.ads.google.wire import GoogleAdsWire
from integrations.ads.platform import Wire
from integrations.errors import InvalidAnswerError

_CUSTOM_FIELDS = ("custom_conversion_goal.resource_name", "custom_conversion_goal.conversion_actions")
_CONFIG_FIELDS = (
    "conversion_goal_campaign_config.goal_config_level",
    "custom_conversion_goal.status",
    "custom_conversion_goal.conversion_actions",
)


def tie_of_new(api: GoogleAdsWire, action: str, wire: Wire) -> Tie:
    """Return how a campaign that is being made is tied to the conversion action of number ``action``.

    It begins with the account's standard goals, which are switched off for it.
    """
    wanted = _resource_name(api, action)
    return Tie(action=wanted, custom=_custom(api, wanted, wire), standard=_standard(api, "customer", wire))


def tie_of(api: GoogleAdsWire, action: str, campaign: str, wire: Wire) -> Tie:
    """Return what the campaign of number ``campaign`` lacks to be tied to the conversion action.

    A standard goal may be on again: Google adds one with the account's first action of a category.
    """
    wanted = _resource_name(api, action)
    chosen = f"campaign.id = {campaign}"
    rows = api.rows(query(_CONFIG_FIELDS, "conversion_goal_campaign_config", chosen), wire=wire)
    named = any(_names(row, wanted) for row in rows)
    return Tie(
        action=wanted,
        custom="" if named else _custom(api, wanted, wire),
        named=named,
        standard=_standard(api, "campaign", wire, chosen),
    )


def _names(row: Mapping[str, Any], action: str) -> bool:
    """Return whether a campaign's goal configuration names a custom goal of ``action`` alone."""
    config, custom = _part(row, "conversionGoalCampaignConfig"), _part(row, "customConversionGoal")
    enabled = (config.get("goalConfigLevel"), custom.get("status")) == ("CAMPAIGN", "ENABLED")
    return enabled and custom.get("conversionActions") == [action]


def _custom(api: GoogleAdsWire, action: str, wire: Wire) -> str:
    """Return the resource name of the account's custom goal of ``action`` alone, "" without one."""
    rows = api.rows(
        query(_CUSTOM_FIELDS, "custom_conversion_goal", "custom_conversion_goal.status = 'ENABLED'"), wire=wire
    )
    goals = [_part(row, "customConversionGoal") for row in rows]
    found = [goal.get("resourceName") for goal in goals if goal.get("conversionActions") == [action]]
    return next((name for name in found if isinstance(name, str)), "")


def _standard(api: GoogleAdsWire, level: str, wire: Wire, *chosen: str) -> tuple[str, ...]:
    """Return the standard goals that are on, as ``CATEGORY~ORIGIN``, of the account or of a campaign."""
    kind = f"{level}_conversion_goal"
    fields = (f"{kind}.category", f"{kind}.origin")
    rows = api.rows(query(fields, kind, *chosen, f"{kind}.biddable = TRUE"), wire=wire)
    return tuple(_pairs(_part(row, f"{level}ConversionGoal") for row in rows))


def _pairs(goals: Iterable[Mapping[str, Any]]) -> Iterable[str]:
    for goal in goals:
        category, origin = goal.get("category"), goal.get("origin")
        if not isinstance(category, str) or not isinstance(origin, str):
            raise InvalidAnswerError(PROVIDER, "answered a conversion goal that we can't read")
        yield f"{category}~{origin}"


def _resource_name(api: GoogleAdsWire, action: str) -> str:
    return f"customers/{api.customer_id}/conversionActions/{action}"


def _part(row: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = row.get(key)
    return found if isinstance(found, dict) else {}
