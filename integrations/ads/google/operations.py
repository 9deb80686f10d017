"""A specification as the operations of one atomic mutate.

Pure. Objects that don't exist yet are named by negative numbers, which hold inside one request, and stand before those
that refer to them. A campaign's goal configuration and standard goals come with it and are named by its number, the
negative one too, as in Google's example ``add_performance_max_campaign``. Sources: "Mutate best practices", "Create a
Search campaign", "Campaign goals" of the Google Ads API documentation; fields are those of google-ads 34, v26.
Invariant: what is made is PAUSED at the campaign, ENABLED below it, so that one call switches all or nothing.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from integrations.ads.audience import ListUse
from integrations.ads.changes import NewAd
from integrations.ads.google.goals import Aim, Tie
from integrations.ads.google.money import micros
from integrations.ads.google.targeting import Targeting
from integrations.ads.keywords import Keyword
from integrations.ads.naming import ad_name, remote_name
from integrations.ads.platform import AdSpec, AimedList

Operation = dict[str, Any]
#: Name of the custom parameter by which an ad carries its revision: ads of this kind have no name.
TOKEN_PARAMETER = "ma"
VARIANT_PARAMETER = "man"  #: name of the one by which an ad carries its number, where that is not 1
_BUDGET, _CAMPAIGN, _AD_GROUP, _CUSTOM_GOAL = "-1", "-2", "-3", "-4"


def creation(
    spec: AdSpec, targeting: Targeting, customer_id: str, zone: ZoneInfo, aimed: Aim, tie: Tie | None
) -> list[Operation]:
    """Return all of a new campaign, with the budget first, the campaign second and the ads last."""
    owner = f"customers/{customer_id}"
    budget, campaign = f"{owner}/campaignBudgets/{_BUDGET}", f"{owner}/campaigns/{_CAMPAIGN}"
    ad_group = f"{owner}/adGroups/{_AD_GROUP}"
    return [
        {"campaign_budget_operation": {"create": _budget(spec, budget)}},
        {"campaign_operation": {"create": {**_campaign(spec, campaign, budget, zone), **aimed.bidding}}},
        *(tie_operations(tie, spec, campaign) if tie is not None else ()),
        *_criteria(targeting, campaign),
        *_customers(spec.customers, campaign),
        *group_with_ad(spec, targeting.keywords, campaign, ad_group),
    ]


def tie_operations(tie: Tie, spec: AdSpec, campaign: str) -> list[Operation]:
    """Return what ties a campaign (its resource name) to one conversion action, nothing when it is.

    The custom goal is named before the standard goals are switched off, so that the campaign always has one.
    """
    owner, _, number = campaign.rpartition("/campaigns/")
    found: list[Operation] = []
    if not tie.named:
        custom = tie.custom or f"{owner}/customConversionGoals/{_CUSTOM_GOAL}"
        if not tie.custom:
            fields = {"resource_name": custom, "conversion_actions": [tie.action], "status": "ENABLED"}
            name = f"Conversion action {tie.action.rpartition('/')[2]} [ma:{spec.effect_key}]"
            found.append({"custom_conversion_goal_operation": {"create": {**fields, "name": name}}})
        config = f"{owner}/conversionGoalCampaignConfigs/{number}"
        named = {"goal_config_level": "CAMPAIGN", "custom_conversion_goal": custom}
        found.append(_update("conversion_goal_campaign_config_operation", config, **named))
    for goal in tie.standard:
        name = f"{owner}/campaignConversionGoals/{number}~{goal}"
        found.append(_update("campaign_conversion_goal_operation", name, biddable=False))
    return found


def group_with_ad(spec: AdSpec, words: Iterable[Keyword], campaign: str, ad_group: str) -> list[Operation]:
    """Return a new ad group of a campaign with keywords and, last, the ads."""
    group = {
        "resource_name": ad_group,
        "name": remote_name(spec.name, spec.effect_key),
        "campaign": campaign,
        "status": "ENABLED",
        "type_": "SEARCH_STANDARD",
    }
    return [
        {"ad_group_operation": {"create": group}},
        *keyword_operations((word for word in words if not word.negative), ad_group),
        *ad_operations(spec, ad_group),
    ]


def temporary_group(customer_id: str) -> str:
    """Return the resource name of an ad group that the request makes."""
    return f"customers/{customer_id}/adGroups/{_AD_GROUP}"


def keyword_operations(words: Iterable[Keyword], ad_group: str) -> list[Operation]:
    """Return one operation per keyword of an ad group."""
    return [
        {
            "ad_group_criterion_operation": {
                "create": {
                    "ad_group": ad_group,
                    "status": "ENABLED",
                    "keyword": {"text": word.text, "match_type": word.match},
                }
            }
        }
        for word in words
    ]


def ad_operations(spec: AdSpec, ad_group: str) -> list[Operation]:
    """Return the responsive search ads of a specification's texts, by their numbers."""
    return [ad_operation(spec, ad_group, ad) for ad in new_ads(spec)]


def new_ads(spec: AdSpec) -> list[NewAd]:
    """Return the ads of a specification, by their numbers."""
    return [
        NewAd(variant=number, headlines=headlines, descriptions=descriptions)
        for number, (headlines, descriptions) in enumerate(spec.combinations(), start=1)
    ]


def ad_operation(spec: AdSpec, ad_group: str, said: NewAd) -> Operation:
    """Return one responsive search ad."""
    parameters = [{"key": TOKEN_PARAMETER, "value": spec.token}]
    if said.variant > 1:
        parameters.append({"key": VARIANT_PARAMETER, "value": str(said.variant)})
    ad = {
        "final_urls": [spec.link(said.variant)],
        "url_custom_parameters": parameters,
        "responsive_search_ad": {
            "headlines": [{"text": text} for text in said.headlines],
            "descriptions": [{"text": text} for text in said.descriptions],
        },
    }
    return {"ad_group_ad_operation": {"create": {"ad_group": ad_group, "status": "ENABLED", "ad": ad}}}


def budget_operation(resource_name: str, amount_micros: int) -> Operation:
    """Return the change of a budget."""
    return _update("campaign_budget_operation", resource_name, amount_micros=amount_micros)


def status_operation(kind: str, resource_name: str, status: str) -> Operation:
    """Return the change of a status, where ``kind`` is ``campaign`` or ``ad_group_ad``."""
    return _update(f"{kind}_operation", resource_name, status=status)


def field_operation(campaign: str, path: str, value: object) -> Operation:
    """Return the change of one field of a campaign (its resource name), such as ``a.b``, which None clears."""
    outer, _, inner = path.partition(".")
    set_to: Operation = {outer: {inner: value} if inner else value} if value is not None else {}
    return {"campaign_operation": {"update": {"resource_name": campaign, **set_to}, "update_mask": {"paths": [path]}}}


def name_of_ad(spec: AdSpec, variant: int = 1) -> str:
    """Return the name that an ad of a specification would have, by which it is compared with those that exist."""
    return ad_name(spec.name, spec.effect_key, spec.token, variant)


def _update(operation: str, resource_name: str, **fields: Any) -> Operation:
    change = {"resource_name": resource_name, **fields}
    return {operation: {"update": change, "update_mask": {"paths": sorted(fields)}}}


def _budget(spec: AdSpec, resource_name: str) -> Operation:
    # Without a name: a budget that isn't shared takes its campaign's.
    return {
        "resource_name": resource_name,
        "amount_micros": micros(spec.daily_budget, spec.currency),
        "delivery_method": "STANDARD",
        "explicitly_shared": False,
    }


def _campaign(spec: AdSpec, resource_name: str, budget: str, zone: ZoneInfo) -> Operation:
    first = spec.start.astimezone(zone).date()
    fields: Operation = {
        "resource_name": resource_name,
        "name": remote_name(spec.name, spec.effect_key),
        "status": "PAUSED",
        "advertising_channel_type": "SEARCH",
        "campaign_budget": budget,
        "network_settings": {
            "target_google_search": True,
            "target_search_network": False,
            "target_content_network": False,
            "target_partner_search_network": False,
        },
        # People who are in the places, not those who only read about them.
        "geo_target_type_setting": {"positive_geo_target_type": "PRESENCE"},
        "contains_eu_political_advertising": "DOES_NOT_CONTAIN_EU_POLITICAL_ADVERTISING",
        "start_date_time": f"{first.isoformat()} 00:00:00",
    }
    if spec.end is not None:
        # Whole days, as many as the schedule has: one more would spend one more day's budget.
        days = max(1, math.ceil((spec.end - spec.start) / timedelta(days=1)))
        fields["end_date_time"] = f"{(first + timedelta(days=days - 1)).isoformat()} 23:59:59"
    if spec.customers is not None and spec.customers.use is ListUse.TARGET:
        # "Targeting", not "observation", which would show the ads to everybody ("Targeting settings").
        fields["targeting_setting"] = {"target_restrictions": [{"targeting_dimension": "AUDIENCE", "bid_only": False}]}
    return fields


def _criteria(targeting: Targeting, campaign: str) -> list[Operation]:
    criteria: list[Operation] = [{"location": {"geo_target_constant": place}} for place in targeting.places]
    criteria.append({"language": {"language_constant": targeting.language}})
    criteria += [
        {"negative": True, "keyword": {"text": word.text, "match_type": word.match}}
        for word in targeting.keywords
        if word.negative
    ]
    return [{"campaign_criterion_operation": {"create": {"campaign": campaign, **one}}} for one in criteria]


def _customers(customers: AimedList | None, campaign: str) -> list[Operation]:
    """Return the criterion for a customer list."""
    if customers is None:
        return []
    item: Operation = {"campaign": campaign, "user_list": {"user_list": customers.reference}}
    if customers.use is ListUse.EXCLUDE:
        item["negative"] = True
    return [{"campaign_criterion_operation": {"create": item}}]
