"""Facebook's Graph API (v26.0), as far as link ads need it, over the sandbox's ad world.

Real wire shapes: forms with JSON inside, the token in the query, errors under "error" with code and
subcode, paging by cursors, numbers of insights as strings, ``validate_only``, ``method`` in the form of a POST. As at
Facebook, the same name twice makes two campaigns. Custom audiences: :mod:`integrations.ads.facebook.sandbox_lists`.
Tokens: ``invalid`` is refused (190), ``forbidden`` lacks a permission (200), any other is good.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from integrations.ads.facebook.money import minor_units
from integrations.ads.facebook.sandbox_answers import (
    GraphError,
    actions,
    checked,
    insight_row,
    page,
    projected,
    search,
    too_low,
)
from integrations.ads.facebook.sandbox_changes import changed
from integrations.ads.facebook.sandbox_goals import conversion_actions
from integrations.ads.facebook.sandbox_lists import EDGE, Audiences
from integrations.ads.facebook.sandbox_setting import setting_of
from integrations.ads.facebook.usage import ACCOUNT
from integrations.ads.naming import label_of
from integrations.sandbox.ad_accounts import AdAccounts
from integrations.sandbox.ad_life import Life
from integrations.sandbox.ad_score import Score
from integrations.sandbox.ad_text import AdText
from integrations.sandbox.protocol import Request, Response, waiting
from integrations.sandbox.world import chance

PLATFORM = "facebook_ads"
_EDGES = {"campaigns": "campaign", "adsets": "adset", "adcreatives": "creative", "ads": "ad"}
_POINTS = {"GET": 1, "POST": 3, "DELETE": 3}  #: of a call, as the Marketing API scores them
_PARENT = {"adset": "campaign_id", "ad": "campaign_id"}


class FacebookSandbox(AdAccounts):
    """Ad accounts at Facebook."""

    name = PLATFORM
    prefix = "/facebook"

    def handle(self, request: Request) -> Response:
        """Answer one request."""
        params = request.params()
        score = self._score
        try:
            self._authorise(params, request.path)
            if score is not None and not score.spend(_POINTS.get(request.method, 1)):
                usage = {"acc_id_util_pct": 100, "reset_time_duration": score.reset_s}
                error = GraphError(400, 17, "User request limit reached", subcode=2446079)
                return Response(status=400, body=error.body(), headers={ACCOUNT: json.dumps(usage)})
            parts = [part for part in request.path.split("/") if part]
            if len(parts) < 2 or not parts[0].startswith("v"):
                raise GraphError(400, 2500, "Unknown path components")
            # "Customer File Custom Audiences": a POST may say that it is a DELETE.
            method = params.get("method", request.method).upper() if request.method == "POST" else request.method
            return Response(body=self._answer(method, parts[1:], params), headers=_usage(score))
        except GraphError as error:
            return Response(status=error.status, body=error.body())

    def refuse(self, mode: str, retry_after_s: float | None = None) -> Response:
        """Refuse as Facebook does: ``down`` is code 2 with 503, ``rate_limited`` code 17 with 400 and a usage header.

        The business header counts whole minutes, the ad account's seconds: a wish for seconds goes into that one.
        """
        if mode == "rate_limited":
            error = GraphError(400, 17, "User request limit reached", subcode=2446079)
            if retry_after_s is None:
                usage = [{"type": "ads_management", "call_count": 100, "estimated_time_to_regain_access": 1}]
                headers = {"x-business-use-case-usage": json.dumps({"1000": usage})}
            else:
                account = {"acc_id_util_pct": 100, "reset_time_duration": retry_after_s}
                headers = {"x-ad-account-usage": json.dumps(account)}
            return Response(status=400, body=error.body(), headers=headers)
        error = GraphError(503, 2, "Service temporarily unavailable", transient=True)
        return Response(status=503, body=error.body(), headers=waiting(retry_after_s))

    def ad_campaigns(self) -> list[dict[str, Any]]:
        """See the protocol, with budgets in major units."""
        return [
            self.listed_campaign(item["id"], item["name"], item["status"].lower(), item["_created_at"])
            for item in self._of_kind("campaign")
            if item["status"] != "DELETED"
        ]

    def _authorise(self, params: Mapping[str, str], request_path: str) -> None:
        token = params.get("access_token", "")
        if token in ("", "invalid"):
            raise GraphError(401, 190, "Invalid OAuth access token", kind="OAuthException")
        if token == "forbidden" and not request_path.endswith("/me/permissions"):
            raise GraphError(403, 200, "Requires ads_management permission", kind="OAuthException")

    @property
    def _audiences(self) -> Audiences:
        return Audiences(self.lists, self._seed, self._own)

    def _answer(self, method: str, parts: list[str], params: Mapping[str, str]) -> Any:
        node, edge = parts[0], parts[1] if len(parts) > 1 else ""
        if node == "search" and method == "GET":
            return {"data": search(params, self._seed)}
        if (node, edge, method) == ("me", "permissions", "GET"):
            status = "declined" if params["access_token"] == "forbidden" else "granted"
            permissions = {"ads_management": status, "ads_read": "granted", "pages_read_engagement": "granted"}
            return {"data": [{"permission": name, "status": given} for name, given in permissions.items()]}
        if node.startswith("act_"):
            if not edge:
                least = minor_units(self._least_daily, self._currency or "USD") or None
                account = {"id": node, "account_status": 1, "currency": self._currency, "min_daily_budget": least}
                account["timezone_name"] = "America/Los_Angeles"
                account |= self._account_fields
                return projected({k: v for k, v in account.items() if v is not None}, params)
            if edge == EDGE:
                return self._audiences.create(params) if method == "POST" else self._audiences.listed(params)
            if edge not in _EDGES:
                raise GraphError(400, 2500, "Unknown path components")
            if method == "POST":
                return self._create(_EDGES[edge], params)
            return page(self._of_kind(_EDGES[edge]), params)
        listed = self.lists.get(node)
        if listed is not None:
            return self._audiences.answer(method, listed, edge, params)
        found = self._objects.get(node)
        if found is None:
            raise GraphError(400, 100, "Object does not exist or cannot be loaded", subcode=33)
        if not edge:
            return self._change(found, params) if method == "POST" else projected(found, params)
        if edge == "insights" and found["_kind"] == "campaign":
            return self._insights(found, params)
        kind = _EDGES.get(edge, "")
        return page([i for i in self._of_kind(kind) if i.get(_PARENT.get(kind, "")) == node], params)

    def _of_kind(self, kind: str) -> list[dict[str, Any]]:
        return [item for item in self._objects.values() if item["_kind"] == kind]

    def _create(self, kind: str, params: Mapping[str, str]) -> dict[str, Any]:
        fields = checked(kind, params, self._objects)
        if kind == "adset":
            self._audiences.check_targeting(fields["targeting"])
        if "validate_only" in json.loads(params.get("execution_options", "[]")):
            return {"success": True}
        if kind == "adset":
            self._check_budget(fields["daily_budget"])
        twins = sum(item["name"] == fields["name"] for item in self._of_kind(kind))
        drawn = chance(self._seed, PLATFORM, kind, fields["name"], twins)
        identifier = str(120_000_000_000_000_000 + int(drawn * 10**14) * 10)
        while identifier in self._objects:  # two hashes that fall together
            identifier = str(int(identifier) + 1)
        item = {"id": identifier, "_kind": kind, **fields}
        self._objects[identifier] = item
        if kind == "campaign":
            # For people and tests that look from outside; no answer to a client holds it.
            item["_created_at"] = datetime.now(UTC).isoformat()
            self._lives[identifier] = Life.starting(date(2026, 1, 1), "0", fields["status"] == "ACTIVE")
        elif kind == "adset":
            life = self._lives[fields["campaign_id"]]
            life.start = _day(fields.get("start_time"), life.start)
            life.budget_changed(self._major(fields["daily_budget"]))
            life.stands(*setting_of(item, self._market.curve, self._currency or "USD"))
        elif kind == "ad":
            item["campaign_id"] = self._objects[fields["adset_id"]]["campaign_id"]
            text = self._text(item)
            refusal = self.refusal(text.headline, text.description)
            if refusal:
                item |= {"effective_status": "DISAPPROVED", "ad_review_feedback": {"global": {"Policy": refusal}}}
            self._lives[item["campaign_id"]].ad_added(
                label_of(fields["name"]).token, fields["name"], shown=not refusal and fields.get("status") == "ACTIVE"
            )
        return {"id": identifier}

    def _change(self, item: dict[str, Any], params: Mapping[str, str]) -> dict[str, Any]:
        status = params.get("status")
        over = self._objects.get(item.get("campaign_id", ""), item)
        if "DELETED" in (item.get("status"), over.get("status")) and status != "DELETED":
            # "Manage Your Ad Object's Status": of a deleted object only the name can be changed, and what is below it
            # has its status. How that is answered is not documented.
            raise GraphError(400, 100, "Object is deleted")
        if status is not None:
            if status not in ("ACTIVE", "PAUSED", "DELETED", "ARCHIVED"):
                raise GraphError(400, 100, "Invalid parameter", blame=["status"])
            item["status"] = status
            if item["_kind"] == "campaign":
                self._lives[item["id"]].switched(status == "ACTIVE")
            if item["_kind"] == "ad":
                twins = [
                    ad for ad in self._of_kind("ad") if ad["name"] == item["name"] and "effective_status" not in ad
                ]
                shown = any(ad["campaign_id"] == item["campaign_id"] and ad.get("status") == "ACTIVE" for ad in twins)
                self._lives[item["campaign_id"]].ad_switched(item["name"], shown)
        if item["_kind"] == "adset":
            changed(item, params, self._audiences.check_targeting)
            self._lives[item["campaign_id"]].stands(*setting_of(item, self._market.curve, self._currency or "USD"))
        budget = params.get("daily_budget")
        if budget is not None and item["_kind"] == "adset":
            if not budget.isdecimal() or int(budget) < 1:
                raise GraphError(400, 100, "Invalid parameter", blame=["daily_budget"])
            self._check_budget(budget)
            item["daily_budget"] = budget
            self._lives[item["campaign_id"]].budget_changed(self._major(budget))
        return {"success": True}

    def _check_budget(self, minor: str) -> None:
        if Decimal(self._major(minor)) < self._least_daily:
            raise too_low(f"{self._currency or '$'}{self._least_daily}")

    def _major(self, minor: str) -> str:
        return str(Decimal(minor) / minor_units(Decimal(1), self._currency or "USD"))

    def _insights(self, campaign: Mapping[str, Any], params: Mapping[str, str]) -> dict[str, Any]:
        if "date_preset" not in params and "time_range" not in params:
            raise GraphError(400, 100, "Invalid parameter", blame=["date_preset"])
        wanted: set[str] | None = None
        for rule in json.loads(params.get("filtering", "[]")):
            if rule.get("field") != "ad.id" or rule.get("operator") != "IN":
                raise GraphError(400, 100, "Invalid parameter", blame=["filtering"])
            wanted = set(rule["value"])
        span = json.loads(params.get("time_range", "{}"))
        life = self._lives[campaign["id"]]
        rows = []
        for generation in life.generations:
            ads = {
                ad["name"]: ad
                for ad in self._of_kind("ad")
                if ad["campaign_id"] == campaign["id"] and label_of(ad["name"]).token == generation.token
            }
            texts = {name: self._text(ad) for name, ad in ads.items()}
            figures = self.figures(campaign["id"], campaign["name"], generation.token, texts)
            for name, days in figures.items():
                if (wanted is not None and ads[name]["id"] not in wanted) or "effective_status" in ads[name]:
                    continue
                for day in days:
                    if span.get("since", "") <= day.day.isoformat() <= span.get("until", "9999"):
                        made = actions(day, conversion_actions(self._objects[ads[name]["adset_id"]]))
                        rows.append(insight_row(ads[name]["id"], day, self._currency, made))
        rows.sort(key=lambda row: (row["date_start"], row["ad_id"]))
        return page([{"id": f"{row['ad_id']}/{row['date_start']}", **row} for row in rows], params)

    def _text(self, ad: Mapping[str, Any]) -> AdText:
        creative = self._objects[ad["creative"]["creative_id"]]
        link = creative["object_story_spec"]["link_data"]
        return AdText(
            headline=link.get("name", ""),
            description=link.get("message", ""),
            button=(link.get("call_to_action") or {}).get("type", ""),
        )


def _usage(score: Score | None) -> dict[str, str]:
    if score is None:
        return {}
    usage = {"acc_id_util_pct": score.percent, "reset_time_duration": score.reset_s}
    return {ACCOUNT: json.dumps({**usage, "ads_api_access_tier": "standard_access"})}


def _day(stamp: str | None, default: date) -> date:
    try:
        return datetime.fromisoformat(stamp or "").date()
    except ValueError:
        return default
