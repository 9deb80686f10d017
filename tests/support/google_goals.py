"""What the account at Google keeps of a campaign's goal, asked in Google's own queries."""

from __future__ import annotations

from typing import Any

from ad_platforms import Wire

ALONE = ("MAXIMIZE_CONVERSIONS", "CAMPAIGN", "ENABLED")


def rows(google: Any, query: str) -> list[dict[str, Any]]:
    """The rows of a query."""
    return list(google._api.rows(query, wire=Wire()))


def tied_to(action: str, customer: str = "5000000000") -> tuple[Any, ...]:
    """What :func:`goals_of` finds of a campaign that is tied to one conversion action."""
    return (*ALONE, [f"customers/{customer}/conversionActions/{action}"], [])


def goals_of(google: Any, campaign: str) -> tuple[Any, ...]:
    """How a campaign bids, the level of its goals, its custom goal's status and actions, standard goals that are on."""
    fields = (
        "campaign.bidding_strategy_type, conversion_goal_campaign_config.goal_config_level, "
        "custom_conversion_goal.status, custom_conversion_goal.conversion_actions"
    )
    (row,) = rows(google, f"SELECT {fields} FROM conversion_goal_campaign_config WHERE campaign.id = {campaign}")
    custom = row.get("customConversionGoal", {})
    return (
        row["campaign"]["biddingStrategyType"],
        row["conversionGoalCampaignConfig"]["goalConfigLevel"],
        custom.get("status", ""),
        custom.get("conversionActions", []),
        standard_on(google, campaign),
    )


def standard_on(google: Any, campaign: str) -> list[str]:
    """The resource names of a campaign's standard goals that are on."""
    chosen = f"campaign.id = {campaign} AND campaign_conversion_goal.biddable = TRUE"
    found = rows(google, f"SELECT campaign_conversion_goal.category FROM campaign_conversion_goal WHERE {chosen}")
    return [row["campaignConversionGoal"]["resourceName"] for row in found]


def custom_goals(google: Any) -> list[dict[str, Any]]:
    """The account's custom goals."""
    found = rows(
        google, "SELECT custom_conversion_goal.name, custom_conversion_goal.status FROM custom_conversion_goal"
    )
    return [row["customConversionGoal"] for row in found]
