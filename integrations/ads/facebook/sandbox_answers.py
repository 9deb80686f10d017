"""Wire shapes of the sandbox's Graph API: checks of what is sent, and forms of what is answered.

Pure functions. Invariant: what Facebook would refuse is refused here in Facebook's own words and codes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from integrations.ads.facebook.sandbox_goals import OPTIMIZATIONS, ad_set_trouble, lacks_form
from integrations.sandbox.ad_world import DayFigures
from integrations.sandbox.world import chance

_REQUIRED = {
    "campaign": ("name", "objective", "status", "special_ad_categories"),
    "adset": ("name", "campaign_id", "billing_event", "optimization_goal", "targeting", "daily_budget"),
    "creative": ("name", "object_story_spec"),
    "ad": ("name", "adset_id", "creative", "status"),
}
_NESTED = frozenset(
    {"targeting", "object_story_spec", "creative", "special_ad_categories", "promoted_object", "tracking_specs"}
)
_COUNTRIES = {
    "united states": "US",
    "usa": "US",
    "us": "US",
    "germany": "DE",
    "france": "FR",
    "united kingdom": "GB",
    "uk": "GB",
    "canada": "CA",
    "spain": "ES",
    "italy": "IT",
    "netherlands": "NL",
    "india": "IN",
    "australia": "AU",
    "japan": "JP",
}


class GraphError(Exception):
    """A refusal in the Graph API's form."""

    def __init__(
        self,
        status: int,
        code: int,
        message: str,
        *,
        subcode: int | None = None,
        kind: str = "FacebookApiException",
        transient: bool = False,
        blame: Sequence[str] = (),
        user: tuple[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self._error: dict[str, Any] = {
            "message": message,
            "type": kind,
            "code": code,
            "is_transient": transient,
            "fbtrace_id": "sandbox",
        }
        if subcode is not None:
            self._error["error_subcode"] = subcode
        if user is not None:
            self._error["error_user_title"], self._error["error_user_msg"] = user
        if blame:
            self._error["error_data"] = json.dumps({"blame_field_specs": [[name] for name in blame]})

    def body(self) -> dict[str, Any]:
        """Return the JSON body."""
        return {"error": self._error}


def checked(kind: str, params: Mapping[str, str], objects: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Return the fields of a new object, nested ones decoded.

    Raises GraphError naming what is missing or wrong.
    """
    for name in _REQUIRED[kind]:
        if name not in params:
            raise GraphError(400, 100, f"(#100) Param {name} is required", blame=[name])
    fields: dict[str, Any] = {}
    for name, value in params.items():
        if name in ("access_token", "appsecret_proof", "execution_options"):
            continue
        try:
            fields[name] = json.loads(value) if name in _NESTED else value
        except ValueError:
            raise GraphError(400, 100, "Invalid parameter", blame=[name]) from None
    wrong = _wrong_field(kind, fields, objects)
    if wrong:
        raise GraphError(400, 100, "Invalid parameter", blame=[wrong])
    if kind == "adset" and (trouble := ad_set_trouble(fields, objects[fields["campaign_id"]]["objective"])):
        named, subcode, said = trouble
        raise GraphError(400, 100, "Invalid parameter", subcode=subcode, blame=[named], user=said)
    if kind == "ad" and lacks_form(objects[fields["creative"]["creative_id"]], objects[fields["adset_id"]]):
        said = ("Form is missing", "Ads of a lead campaign need a lead form.")
        raise GraphError(400, 100, "Invalid parameter", blame=["creative"], user=said)
    return fields


def _wrong_field(kind: str, fields: Mapping[str, Any], objects: Mapping[str, Mapping[str, Any]]) -> str | None:
    """Return the first field whose value Facebook would refuse."""

    def known(identifier: Any, wanted: str) -> bool:
        return objects.get(str(identifier), {}).get("_kind") == wanted

    rules: list[tuple[str, bool]] = [
        ("name", 0 < len(fields["name"]) <= 400),
        ("status", fields.get("status", "PAUSED") in ("ACTIVE", "PAUSED")),
    ]
    if kind == "campaign":
        rules += [
            ("objective", fields["objective"] in OPTIMIZATIONS),
            ("is_adset_budget_sharing_enabled", "is_adset_budget_sharing_enabled" in fields),
        ]
    elif kind == "adset":
        budget = fields["daily_budget"]
        rules += [
            ("campaign_id", known(fields["campaign_id"], "campaign")),
            ("daily_budget", budget.isdecimal() and int(budget) > 0),
            ("targeting", bool(fields["targeting"].get("geo_locations"))),
        ]
    elif kind == "ad":
        rules += [
            ("adset_id", known(fields["adset_id"], "adset")),
            ("creative", known(fields["creative"].get("creative_id"), "creative")),
        ]
    else:
        story = fields["object_story_spec"]
        link = story.get("link_data") or {}
        rules.append(("object_story_spec", bool(story.get("page_id") and link.get("link"))))
    return next((name for name, fine in rules if not fine), None)


def too_low(least: str) -> GraphError:
    """Return the refusal of a daily budget under the account's least."""
    said = ("Budget Is Too Low", f"The daily budget for this ad set must be at least {least}.")
    return GraphError(400, 100, "Invalid parameter", subcode=1885272, blame=["daily_budget"], user=said)


def projected(item: Mapping[str, Any], params: Mapping[str, str]) -> dict[str, Any]:
    """Return the asked fields of an object (``a,b{c,d}``), and its id."""
    asked = _fields(params.get("fields", ""))
    found: dict[str, Any] = {"id": item["id"]}
    for name, inner in asked.items():
        value = item.get(name)
        if value is None:
            continue
        found[name] = {key: value[key] for key in inner if key in value} if inner else value
    return found


def page(items: Sequence[Mapping[str, Any]], params: Mapping[str, str]) -> dict[str, Any]:
    """Return one page of a listing, newest first as Facebook does, with cursors."""
    ordered = list(items)
    after = params.get("after")
    start = 0
    if after is not None:
        start = next((at + 1 for at, item in enumerate(ordered) if item["id"] == after), len(ordered))
    size = max(1, min(500, int(params.get("limit", "25"))))
    shown = ordered[start : start + size]
    answer: dict[str, Any] = {"data": [projected(item, params) for item in shown]}
    if shown:
        answer["paging"] = {"cursors": {"before": shown[0]["id"], "after": shown[-1]["id"]}}
        if start + size < len(ordered):
            answer["paging"]["next"] = "https://graph.facebook.com/sandbox-next-page"
    return answer


def search(params: Mapping[str, str], seed: int) -> list[dict[str, Any]]:
    """Answer the targeting search: places, interests, job titles."""
    kind, query = params.get("type", ""), params.get("q", "").strip()
    if kind not in ("adgeolocation", "adinterest", "adworkposition"):
        raise GraphError(400, 100, "Invalid parameter", blame=["type"])
    if not query or "nowhere" in query.lower():
        return []
    if kind == "adgeolocation":
        country = _COUNTRIES.get(query.lower())
        if country:
            return [{"key": country, "name": query, "type": "country", "country_code": country}]
        return [{"key": _digits(seed, kind, query), "name": query, "type": "city", "country_code": "US"}]
    return [{"id": _digits(seed, kind, query.lower()), "name": query}]


def insight_row(ad: str, day: DayFigures, currency: str | None, made: list[dict[str, str]]) -> dict[str, Any]:
    """Return one row of insights: numbers as strings, no ``actions`` where nothing was done."""
    row: dict[str, Any] = {
        "ad_id": ad,
        "date_start": day.day.isoformat(),
        "date_stop": day.day.isoformat(),
        "impressions": str(day.impressions),
        "inline_link_clicks": str(day.clicks),
        "spend": str(day.spend),
        "account_currency": currency,
        "actions": made,
    }
    return {name: value for name, value in row.items() if value}


def actions(day: DayFigures, kinds: Sequence[str]) -> list[dict[str, str]]:
    """Return what people did, a conversion under each of Facebook's overlapping ``kinds``: it shows up twice."""
    found = []
    if day.clicks:
        found.append({"action_type": "link_click", "value": str(day.clicks)})
    if day.conversions:
        for kind in kinds:
            found.append({"action_type": kind, "value": str(day.conversions)})
    return found


def _fields(text: str) -> dict[str, list[str]]:
    return {
        name: [inner for inner in nested.split(",") if inner]
        for name, nested in re.findall(r"([A-Za-z_]+)(?:\{([^}]*)\})?", text)
    }


def _digits(*parts: object) -> str:
    return str(6_000_000_000_000 + int(chance(*parts) * 10**12))
