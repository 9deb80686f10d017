"""Custom audiences at the sandbox's Facebook.

Source: "Customer File Custom Audiences", "Custom Audience" and "Lookalike Audiences" of the Marketing API documentation
(v26.0); the refusals of lookalike audiences as its SDKs' issues and examples quote them. What is no
SHA-256 is counted as invalid and quoted, as there, and not put on the list. Parameters of the account
(:mod:`integrations.sandbox.ad_accounts`): ``list_terms`` false (the terms are not accepted), ``lists_flagged`` true
(operation_status 471), ``least_left`` (people that a removal has to leave), ``lookalike_least`` (people that a list has
to have for a lookalike audience, 100). Invariant: what Facebook would refuse is
refused here in Facebook's own words and codes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from integrations.ads.facebook.sandbox_answers import GraphError, page, projected
from integrations.sandbox.ad_lists import CustomerList, CustomerLists
from integrations.sandbox.world import chance

EDGE = "customaudiences"
MOST_MEMBERS = 10_000  #: of one call
LOOKALIKE = "LOOKALIKE"
RATIOS = tuple(percent / 100 for percent in range(1, 21))
COUNTRY_PEOPLE = 40_000_000  #: at Facebook, in any country
_SOURCES = ("USER_PROVIDED_ONLY", "PARTNER_PROVIDED_ONLY", "BOTH_USER_AND_PARTNER_PROVIDED")
_HASH = re.compile(r"[0-9a-f]{64}")
_FLAGGED: Mapping[str, Any] = {
    "code": 471,
    "description": "The custom audience is blocked because it suggests the use of information not allowed under Meta's "
    "terms, and is restricted from running ads.",
}
_NORMAL: Mapping[str, Any] = {"code": 200, "description": "Normal"}


class Audiences:
    """Custom audiences of one ad account."""

    def __init__(self, lists: CustomerLists, seed: int, world: Mapping[str, Any]) -> None:
        self._lists, self._seed = lists, seed
        self._terms = bool(world.get("list_terms", True))
        self._status = _FLAGGED if world.get("lists_flagged") else _NORMAL
        self._least_left = int(world.get("least_left", 0))
        self._lookalike_least = int(world.get("lookalike_least", 100))

    def create(self, params: Mapping[str, str]) -> dict[str, Any]:
        """Answer a POST to the account's edge."""
        self._check_terms()
        if params.get("subtype") == LOOKALIKE:
            return self._create_lookalike(params)
        for name in ("name", "subtype", "customer_file_source"):
            if not params.get(name):
                raise GraphError(400, 100, f"(#100) Missing parameter(s): {name}", blame=[name])
        if params["subtype"] != "CUSTOM" or params["customer_file_source"] not in _SOURCES:
            wrong = "subtype" if params["subtype"] != "CUSTOM" else "customer_file_source"
            raise GraphError(400, 100, "Invalid parameter", blame=[wrong])
        return self._created(params["name"], customer_file_source=params["customer_file_source"])

    def _create_lookalike(self, params: Mapping[str, str]) -> dict[str, Any]:
        for name in ("name", "origin_audience_id", "lookalike_spec"):
            if not params.get(name):
                raise GraphError(400, 100, f"(#100) Missing parameter(s): {name}", blame=[name])
        spec = _json(params, "lookalike_spec")
        ratio, country = spec.get("ratio"), spec.get("country")
        if ratio not in RATIOS or not isinstance(country, str) or not re.fullmatch("[A-Z]{2}", country):
            raise GraphError(400, 100, "Invalid parameter", blame=["lookalike_spec"])
        origin = self._lists.get(params["origin_audience_id"])
        if origin is None or origin.fields.get("subtype") == LOOKALIKE:
            raise GraphError(400, 100, "Invalid parameter", blame=["origin_audience_id"])
        if len(origin.members) < self._lookalike_least:
            said = (
                "Source Audience is Too Small: There aren't enough people in your source in the country you chose. "
                f"Please choose a country that includes at least {self._lookalike_least} people in your source."
            )
            raise GraphError(400, 2654, f"(#2654) {said}")
        whole = {**spec, "origin": [{"id": origin.id, "name": origin.name, "type": "custom_audience"}]}
        if any(one.fields.get("lookalike_spec") == whole for one in self._lists.all()):
            said = (
                "Can\u2019t Create a Duplicate Lookalike: You've already created a lookalike audience with the same "
                "source, country and size. Please try using a different source or different specifications."
            )
            raise GraphError(400, 2654, f"(#2654) {said}", subcode=1713007)
        size = int(ratio * COUNTRY_PEOPLE)
        return self._created(
            params["name"],
            subtype=LOOKALIKE,
            lookalike_spec=whole,
            approximate_count_lower_bound=size * 9 // 10,
            approximate_count_upper_bound=size,
        )

    def _created(self, name: str, **fields: Any) -> dict[str, Any]:
        twins = sum(one.name == name for one in self._lists.all())
        drawn = chance(self._seed, "facebook_ads", EDGE, name, twins)
        found = str(23_850_000_000_000_000 + int(drawn * 10**12))
        while self._lists.get(found) is not None:  # two hashes that fall together
            found = str(int(found) + 1)
        self._lists.create(found, name, **fields)
        return {"id": found}

    def listed(self, params: Mapping[str, str]) -> dict[str, Any]:
        """Answer a GET of the account's edge."""
        return page([self._item(one) for one in self._lists.all()], params)

    def answer(self, method: str, one: CustomerList, edge: str, params: Mapping[str, str]) -> dict[str, Any]:
        """Answer a request for one audience."""
        if edge == "users" and method in ("POST", "DELETE"):
            return self._users(one, params, adding=method == "POST")
        if edge or method == "POST":
            raise GraphError(400, 2500, "Unknown path components")
        if method == "DELETE":
            if self._made_of(one):
                said = ("Audience in Use", "Delete the lookalike audiences that were made of this audience first.")
                raise GraphError(400, 2656, "(#2656) Failed to delete the custom audience", user=said)
            self._lists.delete(one.id)
            return {"success": True}
        return projected(self._item(one), params)

    def check_targeting(self, targeting: Mapping[str, Any]) -> None:
        """Raise GraphError for an ad set that is aimed at an audience which may not be used, or isn't there."""
        named = [*targeting.get("custom_audiences", ()), *targeting.get("excluded_custom_audiences", ())]
        for entry in named:
            if self._lists.get(str(entry.get("id"))) is None:
                said = (
                    "Custom Audience Unavailable",
                    "The custom audience you're trying to use hasn't been shared with your ad account.",
                )
                raise GraphError(400, 100, "Invalid parameter", subcode=1487301, blame=["targeting"], user=said)
        if named:
            self._check_terms()
        if named and self._status is _FLAGGED:
            said = ("Custom Audience Restricted", _FLAGGED["description"])
            raise GraphError(400, 100, "Invalid parameter", blame=["targeting"], user=said)
        expressed = targeting.get("flexible_spec") or targeting.get("custom_audiences")
        if expressed and (targeting.get("targeting_automation") or {}).get("advantage_audience") not in (0, 1):
            said = (
                "Advantage Audience Flag Required",
                "To create your ad set, you need to enable or disable the Advantage audience feature. This can be done "
                "by setting the advantage_audience flag to either 1 or 0 within the targeting_automation field.",
            )
            raise GraphError(400, 100, "Invalid parameter", subcode=1870227, blame=["targeting"], user=said)

    def _item(self, one: CustomerList) -> dict[str, Any]:
        return {
            "id": one.id,
            "name": one.name,
            "subtype": "CUSTOM",
            "operation_status": self._status,
            "delivery_status": {
                "code": 200 if one.fields.get("subtype") == LOOKALIKE or len(one.members) >= 100 else 300
            },
            "lookalike_audience_ids": self._made_of(one),
            "time_created": int(datetime.fromisoformat(one.created_at).timestamp()),
            **one.fields,
        }

    def _made_of(self, one: CustomerList) -> list[str]:
        """Return the ids of the lookalike audiences of a list."""
        return [
            other.id
            for other in self._lists.all()
            for origin in other.fields.get("lookalike_spec", {}).get("origin", ())
            if origin["id"] == one.id
        ]

    def _check_terms(self) -> None:
        if not self._terms:
            said = (
                "Custom Audience Terms Not Accepted",
                "You'll need to agree to the Custom Audience terms before you can create or edit an audience or an "
                "ad set. See https://www.facebook.com/ads/manage/customaudiences/tos.php?act=1000",
            )
            raise GraphError(403, 200, "Permissions error", subcode=1870090, user=said)

    def _users(self, one: CustomerList, params: Mapping[str, str], *, adding: bool) -> dict[str, Any]:
        self._check_terms()
        if one.fields.get("subtype") == LOOKALIKE:
            raise GraphError(400, 2650, "(#2650) Failed to update the custom audience")
        payload, session = _json(params, "payload"), _json(params, "session")
        if self._status is _FLAGGED:
            said = (
                "Audience Upload Blocked",
                "Before updating user memberships, you must resolve integrity restrictions on this Data File Custom "
                "Audience. Go to Audience Manager to appeal the restrictions or create a new audience.",
            )
            raise GraphError(400, 100, "Invalid parameter", subcode=1713230, user=said)
        entries = payload.get("data")
        if payload.get("schema") not in ("EMAIL_SHA256", ["EMAIL_SHA256"]) or not isinstance(entries, list):
            raise GraphError(400, 100, "(#100) Data is missing or does not match schema", blame=["payload"])
        if not isinstance(session.get("session_id"), int) or session.get("batch_seq") != 1:
            raise GraphError(400, 100, "Invalid parameter", blame=["session"])
        if len(entries) > MOST_MEMBERS:
            raise GraphError(400, 100, f"(#100) Only {MOST_MEMBERS} users at a time", blame=["payload"])
        found = [entry[0] if isinstance(entry, list) and entry else entry for entry in entries]
        valid = [entry for entry in found if _is_hash(entry)]
        invalid = [entry for entry in found if not _is_hash(entry)]
        if adding:
            self._lists.add(one.id, valid)
        else:
            left = len(one.members.keys() - {*valid})
            if left < self._least_left:
                said = (
                    "Audience Size too Low",
                    "You cannot remove users from this audience because it will result in a low audience size.",
                )
                raise GraphError(403, 200, "Permissions error", subcode=1870047, user=said)
            self._lists.remove(one.id, valid)
        return {
            "audience_id": one.id,
            "session_id": str(session["session_id"]),
            "num_received": len(entries),
            "num_invalid_entries": len(invalid),
            "invalid_entry_samples": invalid[:100],
        }


def _is_hash(entry: Any) -> bool:
    return isinstance(entry, str) and _HASH.fullmatch(entry) is not None


def _json(params: Mapping[str, str], name: str) -> dict[str, Any]:
    if name not in params:
        raise GraphError(400, 100, f"(#100) Missing required parameter: {name}", blame=[name])
    try:
        found = json.loads(params[name])
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise GraphError(400, 100, "Invalid parameter", blame=[name])
    return found
