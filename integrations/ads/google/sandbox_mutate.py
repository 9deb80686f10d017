"""Atomic mutate of the sandbox's Google Ads: all operations of a request, or none.

Works on copies: the caller keeps them only when every operation went well. Names below zero hold inside the request and
must be defined before they are used. Objects are kept in protobuf's JSON form under "<collection>/<id>".
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from integrations.ads.curve import Curve
from integrations.ads.google import sandbox_changes as changes
from integrations.ads.google import sandbox_checks as checks
from integrations.ads.google import sandbox_goals as goals
from integrations.ads.google.money import major_units
from integrations.ads.google.operations import TOKEN_PARAMETER
from integrations.ads.google.sandbox_failures import Fault, Refused, refused
from integrations.ads.google.sandbox_gaql import camel
from integrations.ads.google.sandbox_setting import setting_of
from integrations.sandbox.ad_life import Life
from integrations.sandbox.world import chance

#: operation -> (collection in resource names, field of its result)
KINDS: Mapping[str, tuple[str, str]] = {
    "campaignBudgetOperation": ("campaignBudgets", "campaignBudgetResult"),
    "campaignOperation": ("campaigns", "campaignResult"),
    "campaignCriterionOperation": ("campaignCriteria", "campaignCriterionResult"),
    "adGroupOperation": ("adGroups", "adGroupResult"),
    "adGroupCriterionOperation": ("adGroupCriteria", "adGroupCriterionResult"),
    "adGroupAdOperation": ("adGroupAds", "adGroupAdResult"),
    "customConversionGoalOperation": (goals.CUSTOM, "customConversionGoalResult"),
    "conversionGoalCampaignConfigOperation": (goals.CONFIGS, "conversionGoalCampaignConfigResult"),
    "campaignConversionGoalOperation": (goals.STANDARD, "campaignConversionGoalResult"),
}
#: collection -> key of its parent
_PARENTS = {
    "campaigns": "campaignBudget",
    "campaignCriteria": "campaign",
    "adGroups": "campaign",
    "adGroupCriteria": "adGroup",
    "adGroupAds": "adGroup",
}
_CHANGEABLE = ("status", "amountMicros", "name")  #: fields that an update may change, but for those named elsewhere
_BIDDING = {
    "manualCpc": "MANUAL_CPC",
    "targetSpend": "TARGET_SPEND",
    "maximizeConversions": "MAXIMIZE_CONVERSIONS",
}
_SETTING = frozenset({"campaigns", "campaignCriteria", "adGroups", "adGroupCriteria"})  #: what says how one is set
MAX_OPERATIONS = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What holds in the account."""

    seed: int
    currency: str
    least_daily: Decimal
    refusal: Callable[..., str]  #: why the review refuses an ad of these texts, "" when it doesn't
    known_place: Callable[[str], bool]
    actions: goals.Actions  #: conversion actions by number
    foreign: bool  #: does another account count its conversions?
    known_list: Callable[[str, str], bool]  #: is there a customer list of this account number and id?
    aiming: bool  #: may campaigns be aimed at a customer list?
    curve: Curve  #: of the market


@dataclass(slots=True, kw_only=True)
class Mutation:
    """One request's work on copies of the account."""

    owner: str  #: "customers/5000000000"
    terms: Terms
    objects: dict[str, dict[str, Any]]
    lives: dict[str, Life]
    _temporary: dict[str, str] = field(default_factory=dict)
    _stamp: str = ""

    @staticmethod
    def of(owner: str, terms: Terms, objects: Mapping[str, Any], lives: Mapping[str, Life]) -> Mutation:
        """Return a mutation of copies."""
        copied = {key: Life.from_json(life.to_json()) for key, life in lives.items()}
        return Mutation(owner=owner, terms=terms, objects=deepcopy(dict(objects)), lives=copied)

    def run(self, operations: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Carry the operations out and return their results.

        Raises Refused with the errors of all operations that are wrong.
        """
        if not operations:
            raise refused("requestError", "OPERATION_REQUIRED", "An operation is required.", "mutate_operations")
        if len(operations) > MAX_OPERATIONS:
            said = "Too many mutate operations."
            raise refused("requestError", "TOO_MANY_MUTATE_OPERATIONS", said, "mutate_operations")
        self._stamp = json.dumps(list(operations), sort_keys=True)
        results, faults = [], []
        for at, operation in enumerate(operations):
            try:
                results.append(self._carried_out(operation, at))
            except Refused as error:
                faults += [_placed(fault, at, operation) for fault in error.faults]
        if faults:
            raise Refused(*faults)
        return results

    def _carried_out(self, operation: Mapping[str, Any], at: int) -> dict[str, Any]:
        kind, change = _kind(operation)
        if kind not in KINDS:
            raise refused("mutateError", "MUTATE_NOT_ALLOWED", f"The sandbox has no {kind or 'empty operation'}.")
        collection, result = KINDS[kind]
        if "create" in change:
            name = self._create(collection, dict(change["create"]), at)
        elif "update" in change:
            name = self._update(collection, change["update"], str(change.get("updateMask", "")))
        else:
            name = self._remove(change.get("remove", ""))
        return {result: {"resourceName": name}}

    def _create(self, collection: str, item: dict[str, Any], at: int) -> str:
        given = item.pop("resourceName", "")
        if given in self._temporary:
            raise refused("newResourceCreationError", "DUPLICATE_TEMP_IDS", "A temporary ID is used twice.")
        parent_key = _PARENTS.get(collection)
        if parent_key is not None and parent_key in item:
            item[parent_key] = self._existing(item[parent_key], camel_to_snake(parent_key))["resourceName"]
        elif parent_key is not None:
            raise refused("fieldError", "REQUIRED", "The required field was not present.", camel_to_snake(parent_key))
        self._check(collection, item)
        number = self._number(collection, item, at)
        key = (
            f"{item['adGroup'].rpartition('/')[2]}~{number}" if collection in ("adGroupAds", "adGroupCriteria") else ""
        )
        key = key or (f"{item['campaign'].rpartition('/')[2]}~{number}" if collection == "campaignCriteria" else number)
        name = f"{self.owner}/{collection}/{key}"
        item |= {"resourceName": name, **_own_id(collection, item, number)}
        self.objects[f"{collection}/{key}"] = item
        if given:
            self._temporary[given] = name
        if collection == "campaigns":
            self._with_campaign(name, given)
        self._lived(collection, item, number)
        self._noted(collection, item)
        return name

    def _with_campaign(self, name: str, given: str) -> None:
        """Add what comes with a campaign, which is named by the campaign's number, the temporary one too."""
        number, temporary = name.rpartition("/")[2], given.rpartition("/")[2]
        for key, item in goals.with_campaign(name, self.terms.actions).items():
            self.objects[key] = item
            if given:
                collection, _, own = key.partition("/")
                self._temporary[f"{self.owner}/{collection}/{temporary}{own.removeprefix(number)}"] = item[
                    "resourceName"
                ]

    def _check(self, collection: str, item: dict[str, Any]) -> None:
        """Raise Refused for an object that Google refuses, and fill in its defaults."""
        if collection == "campaignBudgets":
            checks.check_budget(item, self.terms.currency, int(self.terms.least_daily * 1_000_000))
        elif collection == "campaigns":
            checks.check_campaign(item, self._all("campaigns"))
            item["biddingStrategyType"] = next((kind for key, kind in _BIDDING.items() if key in item), "UNKNOWN")
        elif collection == "campaignCriteria":
            item["type"] = next((kind for key, kind in changes.CRITERIA.items() if key in item), "UNKNOWN")
            place = item.get("location", {}).get("geoTargetConstant", "")
            checks.check_criterion(item, self.terms.known_place(place))
            self._check_list(item)
            changes.check_schedule(item, self._all(collection))
        elif collection == "adGroups":
            siblings = [one for one in self._all("adGroups") if one["campaign"] == item["campaign"]]
            if any(one["name"] == item.get("name") and one["status"] != "REMOVED" for one in siblings):
                said = "The ad group name is used already."
                raise refused("adGroupError", "DUPLICATE_ADGROUP_NAME", said, "name")
        elif collection == "adGroupCriteria":
            checks.check_keyword(item)
            item["type"] = "KEYWORD"
        elif collection == goals.CUSTOM:
            goals.check_custom(item, self._all(collection), self.terms.actions, foreign=self.terms.foreign)
        else:
            checks.check_ad(item)
            changes.check_shown(item, self._all(collection))
            said = item["ad"]["responsiveSearchAd"]
            refusal = self.terms.refusal(*(one["text"] for one in (*said["headlines"], *said["descriptions"])))
            topics = [{"topic": refusal, "type": "PROHIBITED"}] if refusal else []
            item["policySummary"] = {
                "reviewStatus": "REVIEWED",
                "approvalStatus": "DISAPPROVED" if topics else "APPROVED",
                "policyTopicEntries": topics,
            }
        item.setdefault("status", "ENABLED")

    def _check_list(self, item: dict[str, Any]) -> None:
        """Check a criterion for a customer list."""
        if "userList" not in item:
            return
        name = item["userList"].get("userList", "")
        number = name.removeprefix(f"{self.owner}/userLists/")
        known = number != name and self.terms.known_list(self.owner.rpartition("/")[2], number)
        checks.check_customer_list(item, known, self.terms.aiming)

    def _lived(self, collection: str, item: dict[str, Any], number: str) -> None:
        """Note in the ad world what was made."""
        if collection == "campaigns":
            # For people and tests that look from outside; no answer to a client holds it.
            item["_createdAt"] = datetime.now(UTC).isoformat()
            first = item.get("startDateTime", datetime.now(UTC).isoformat())[:10]
            budget = self._existing(item["campaignBudget"], "campaign_budget")
            running = item["status"] == "ENABLED"
            self.lives[number] = Life.starting(date.fromisoformat(first), _amount(budget), running)
        elif collection == "adGroupAds":
            self._life_of(item).ad_added(token_of(item), item["resourceName"], shown=_shown(item))

    def _update(self, collection: str, change: Mapping[str, Any], mask: str) -> str:
        item = self._existing(change.get("resourceName", ""), "resource_name")
        if not mask:
            raise refused("fieldMaskError", "FIELD_MASK_MISSING", "The field mask is missing.", "update_mask")
        for path in mask.split(","):
            if collection == "campaigns" and changes.change_campaign(item, change, path):
                continue
            (key,) = camel(path) if "." not in path else ("",)
            if not key or key not in goals.CHANGEABLE.get(collection, _CHANGEABLE):
                raise refused("fieldError", "IMMUTABLE_FIELD", "The field can't be changed.", *path.split("."))
            item[key] = change.get(key)
            if key == "customConversionGoal":
                item[key] = self._existing(str(item[key]), path)["resourceName"]
        self._noted(collection, item)
        if collection in goals.CHANGEABLE:
            self._existing(item["campaign"], "campaign")
            goals.changed(collection, item, self.objects)
        elif collection == "campaignBudgets":
            checks.check_budget(item, self.terms.currency, int(self.terms.least_daily * 1_000_000))
            for campaign in self._all("campaigns"):
                if campaign["campaignBudget"] == item["resourceName"]:
                    self.lives[campaign["id"]].budget_changed(_amount(item))
        elif collection == "campaigns":
            self.lives[item["id"]].switched(item["status"] == "ENABLED")
        elif collection == "adGroupAds":
            if item["status"] == "ENABLED":
                changes.check_shown(item, self._all("adGroupAds"))
            self._life_of(item).ad_switched(item["resourceName"], _shown(item))
        return str(item["resourceName"])

    def _remove(self, name: str) -> str:
        item = self._existing(name, "resource_name")
        used = [one for one in self._all("campaigns") if one["campaignBudget"] == name and one["status"] != "REMOVED"]
        if used:
            raise refused("campaignBudgetError", "CAMPAIGN_BUDGET_IN_USE", "The campaign budget is in use.")
        if name.split("/")[-2] == goals.CUSTOM:
            goals.check_removal(name, self.objects)
        item["status"] = "REMOVED"
        if name.split("/")[-2] == "campaigns":
            self.lives[item["id"]].switched(False)
        elif name.split("/")[-2] == "adGroupAds":
            self._life_of(item).ad_switched(name, False)
        self._noted(name.split("/")[-2], item)
        return name

    def _noted(self, collection: str, item: Mapping[str, Any]) -> None:
        """Note in the ad world how the campaign of an object is set, where such objects say how."""
        if collection not in _SETTING:
            return
        group = self.objects["/".join(item["adGroup"].split("/")[2:])] if "adGroup" in item else item
        number = group.get("campaign", item["resourceName"]).rpartition("/")[2]
        setting, aim = setting_of(self.objects[f"campaigns/{number}"], self.objects, self.terms.curve)
        self.lives[number].stands(setting, aim)

    def _life_of(self, ad: Mapping[str, Any]) -> Life:
        group = self._existing(ad["adGroup"], "ad_group")
        return self.lives[group["campaign"].rpartition("/")[2]]

    def _existing(self, name: str, field_name: str) -> dict[str, Any]:
        """Return the object of a resource name, of this request's too."""
        name = self._temporary.get(name, name)
        found = self.objects.get("/".join(name.split("/")[2:]))
        if found is None or not name.startswith(f"{self.owner}/"):
            raise refused("mutateError", "RESOURCE_NOT_FOUND", "Resource was not found.", field_name)
        if found.get("status") == "REMOVED":
            raise refused(
                "operationAccessDeniedError",
                "OPERATION_NOT_PERMITTED_FOR_REMOVED_RESOURCE",
                "The operation is not allowed on a removed resource.",
            )
        return found

    def _all(self, collection: str) -> list[dict[str, Any]]:
        return [item for key, item in self.objects.items() if key.startswith(f"{collection}/")]

    def _number(self, collection: str, item: Mapping[str, Any], at: int) -> str:
        """Return a new id, which depends on the seed and the request only."""
        number = 100_000_000 + int(chance(self.terms.seed, "google_ads", collection, self._stamp, at) * 9 * 10**8)
        taken = {key.rpartition("/")[2].rpartition("~")[2] for key in self.objects}
        while str(number) in taken:  # the same request after a removal, or two hashes that fall together
            number += 1
        return str(number)


def token_of(ad: Mapping[str, Any]) -> str:
    """Return which texts an ad (``adGroupAd``) has, as its custom parameter says, else its id."""
    parameters = ad["ad"].get("urlCustomParameters", [])
    return next((one["value"] for one in parameters if one.get("key") == TOKEN_PARAMETER), str(ad["ad"].get("id", "")))


def _shown(ad: Mapping[str, Any]) -> bool:
    return bool(ad["status"] == "ENABLED" and ad["policySummary"]["approvalStatus"] != "DISAPPROVED")


def camel_to_snake(key: str) -> str:
    """Return a key as it is named in a request's fields."""
    return "".join(f"_{char.lower()}" if char.isupper() else char for char in key)


def _kind(operation: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]]:
    """Return what kind of operation it is and what it does, "" and {} for an empty one."""
    return next(iter(operation.items()), ("", {}))


def _own_id(collection: str, item: Mapping[str, Any], number: str) -> dict[str, Any]:
    if collection == "adGroupAds":
        return {"ad": {**item["ad"], "id": number}}
    return {"criterionId" if collection.endswith("Criteria") else "id": number}


def _amount(budget: Mapping[str, Any]) -> str:
    return str(major_units(int(budget["amountMicros"])).quantize(Decimal("0.01")))


def _placed(fault: Fault, at: int, operation: Mapping[str, Any]) -> Fault:
    """Return an error with the operation that it is about."""
    kind, change = _kind(operation)
    verb = next((verb for verb in ("create", "update", "remove") if verb in change), "")
    path = ("mutate_operations", at, *([camel_to_snake(kind), verb] if kind else []), *fault.path)
    return Fault(kind=fault.kind, code=fault.code, message=fault.message, path=path, details=fault.details)
