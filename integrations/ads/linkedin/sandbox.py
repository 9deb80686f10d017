"""LinkedIn's Marketing API (versioned REST), as far as sponsored content needs it, over the ad world.

Real wire shapes: version and protocol headers are insisted on, a creation answers 201 with the id in
``x-restli-id`` and an empty body, PARTIAL_UPDATE, Rest.li's query encoding, cursors, amounts as strings.
As at LinkedIn, the same name twice makes two campaigns. DMP segments:
:mod:`integrations.ads.linkedin.sandbox_lists`. Tokens: ``invalid`` is refused (401), ``forbidden`` lacks a permission
(403), ``unlisted`` lacks that of DMP segments, ``viewer`` may only look, any other is good.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import unquote

from integrations.ads.linkedin.sandbox_answers import (
    RestLiError,
    analytics_row,
    checked,
    json_body,
    no_conversion,
    page,
    plain_text,
    span,
    tied,
    too_low,
    typeahead,
    urn_list,
)
from integrations.ads.linkedin.sandbox_changes import check_change
from integrations.ads.linkedin.sandbox_lists import RESOURCE, Segments
from integrations.ads.linkedin.sandbox_setting import setting_of
from integrations.ads.naming import label_of
from integrations.sandbox.ad_accounts import AdAccounts
from integrations.sandbox.ad_life import Life
from integrations.sandbox.ad_text import AdText
from integrations.sandbox.protocol import Request, Response, waiting
from integrations.sandbox.world import chance

PLATFORM = "linkedin_ads"
ACCOUNT = "3000"  #: the ad account in which the token's owner has a role
_STATUSES = frozenset({"ACTIVE", "PAUSED", "DRAFT", "ARCHIVED", "CANCELED", "REMOVED", "PENDING_DELETION"})
_CREATED = {"adCampaignGroups": "group", "adCampaigns": "campaign", "creatives": "creative"}


class LinkedInAdsSandbox(AdAccounts):
    """Ad accounts at LinkedIn."""

    name = PLATFORM
    prefix = "/linkedin_ads"

    def handle(self, request: Request) -> Response:
        """Answer one request."""
        try:
            self._authorise(request)
            parts = [unquote(part) for part in request.path.split("/") if part]
            if not parts or parts[0] != "rest":
                raise RestLiError(404, "RESOURCE_NOT_FOUND", "No virtual resource found")
            query = dict(pair.partition("=")[::2] for pair in request.query.split("&") if pair)
            return self._answer(request, parts[1:], query)
        except RestLiError as error:
            return Response(status=error.status, body=error.body())

    def refuse(self, mode: str, retry_after_s: float | None = None) -> Response:
        """Refuse as LinkedIn does: ``down`` is a 503, ``rate_limited`` a 429 that doesn't say when it ends."""
        if mode == "rate_limited":
            error = RestLiError(429, "TOO_MANY_REQUESTS", "Resource level throttle limit reached")
        else:
            error = RestLiError(503, "SERVICE_UNAVAILABLE", "Service unavailable")
        return Response(status=error.status, body=error.body(), headers=waiting(retry_after_s))

    def ad_campaigns(self) -> list[dict[str, Any]]:
        """See the protocol."""
        return [
            self.listed_campaign(item["id"], item["name"], item["status"].lower(), item["_created_at"])
            for item in self._of_kind("campaign")
            if item["status"] not in ("REMOVED", "PENDING_DELETION")
        ]

    def advance(self, days: int) -> None:
        """See the protocol."""
        super().advance(days)
        self._segments.advance(days)

    @property
    def _segments(self) -> Segments:
        return Segments(self.lists, self._seed, self._own)

    def _authorise(self, request: Request) -> None:
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        if token in ("", "invalid"):
            raise RestLiError(401, "INVALID_ACCESS_TOKEN", "Invalid access token")
        if token == "forbidden":
            raise RestLiError(403, "ACCESS_DENIED", "Not enough permissions to access the resource")
        version = request.headers.get("linkedin-version", "")
        if len(version) != 6 or not version.isdecimal():
            raise RestLiError(400, "VERSION_MISSING", "A version must be present")
        if version < "202511":
            raise RestLiError(426, "NONEXISTENT_VERSION", f"Requested version {version} is not active")
        if request.headers.get("x-restli-protocol-version") != "2.0.0":
            raise RestLiError(400, "PARAM_INVALID", "Unsupported Rest.li protocol version")

    def _answer(self, request: Request, parts: list[str], query: Mapping[str, str]) -> Response:
        if parts[:1] == ["adTargetingEntities"]:
            return Response(body={"elements": typeahead(query)})
        if parts[:1] == ["adAnalytics"]:
            return Response(body={"elements": self._analytics(query)})
        if parts[:1] == ["campaignConversions"] and len(parts) == 2 and request.method == "PUT":
            return self._tie(*tied(parts[1]))
        if parts == ["adAccountUsers"] and query.get("q") == "authenticatedUser":
            return Response(body={"elements": self._users(request)})
        if parts[:1] == [RESOURCE]:
            token = request.headers.get("authorization", "").removeprefix("Bearer ")
            if token == "unlisted" or (token == "viewer" and request.method != "GET"):
                raise RestLiError(403, "ACCESS_DENIED", f"Not enough permissions to access: {RESOURCE}")
            return self._segments.answer(request, parts[1:], query)
        if parts[:1] != ["adAccounts"] or len(parts) < 2:
            raise RestLiError(404, "RESOURCE_NOT_FOUND", "No virtual resource found")
        if len(parts) == 2:
            account = {"id": parts[1], "status": "ACTIVE", "servingStatuses": ["RUNNABLE"], "currency": self._currency}
            account |= self._account_fields
            return Response(body={name: value for name, value in account.items() if value is not None})
        return self._in_account(request, parts, query)

    def _in_account(self, request: Request, parts: list[str], query: Mapping[str, str]) -> Response:
        kind = _CREATED.get(parts[2], "")
        if not kind:
            raise RestLiError(404, "RESOURCE_NOT_FOUND", "No virtual resource found")
        if len(parts) == 4:
            found = self._objects.get(f"{kind}/{parts[3]}")
            if found is None:
                raise RestLiError(404, "NOT_FOUND", "Could not find entity")
            if request.method == "GET":
                return Response(body=_shown(found))
            return self._change(found, request)
        if request.method == "POST":
            return self._create(kind, request, query)
        listed = self._of_kind(kind)
        if kind == "creative":
            if request.headers.get("x-restli-method", "").upper() != "FINDER":
                raise RestLiError(400, "PARAM_INVALID", "Method not supported", ["X-RestLi-Method"])
            wanted = set(urn_list(query.get("campaigns", "")))
            listed = [item for item in listed if item["campaign"] in wanted]
        return Response(body=page([_shown(item) for item in listed], query))

    def _tie(self, campaign: str, conversion: str) -> Response:
        found = self._objects.get(f"campaign/{campaign}")
        if found is None:
            raise RestLiError(404, "NOT_FOUND", "Could not find entity")
        found["_conversions"] = sorted({*found.get("_conversions", ()), conversion})
        return Response(status=204)

    def _users(self, request: Request) -> list[dict[str, Any]]:
        """Return our roles: a token ``viewer`` may only look."""
        role = "VIEWER" if request.headers.get("authorization", "").endswith(" viewer") else "CAMPAIGN_MANAGER"
        return [{"account": f"urn:li:sponsoredAccount:{ACCOUNT}", "user": "urn:li:person:sandbox", "role": role}]

    def _of_kind(self, kind: str) -> list[dict[str, Any]]:
        return [item for key, item in self._objects.items() if key.startswith(f"{kind}/")]

    def _create(self, kind: str, request: Request, query: Mapping[str, str]) -> Response:
        body = json_body(request)
        if kind == "creative":
            if query.get("action") != "createInline" or not isinstance(body.get("creative"), dict):
                raise RestLiError(400, "PARAM_INVALID", "Invalid param", ["creative"])
            body = body["creative"]
        checked(kind, body, self._objects, self._currency)
        if kind == "campaign":
            self._segments.check_targeting(body["targetingCriteria"])
        if kind == "campaign" and Decimal(body["dailyBudget"]["amount"]) < self._least_daily:
            raise too_low(str(self._least_daily))
        twins = sum(item["name"] == body["name"] for item in self._of_kind(kind))
        number = 300_000_000 + int(chance(self._seed, PLATFORM, kind, body["name"], twins) * 10**8)
        prefix = "urn:li:sponsoredCreative:" if kind == "creative" else ""
        while f"{kind}/{prefix}{number}" in self._objects:  # two hashes that fall together
            number += 1
        identifier = f"{prefix}{number}"
        item = {**body, "id": identifier if prefix else str(number)}
        self._objects[f"{kind}/{identifier}"] = item
        if kind == "campaign":
            # For people and tests that look from outside; no answer to a client holds it.
            item["_created_at"] = datetime.now(UTC).isoformat()
            start = datetime.fromtimestamp(body["runSchedule"]["start"] / 1000, UTC).date()
            budget = body["dailyBudget"]["amount"]
            self._lives[identifier] = Life.starting(start, budget, body["status"] == "ACTIVE")
            self._note(item)
        elif kind == "creative":
            campaign = body["campaign"].rpartition(":")[2]
            text = self._text(item)
            refusal = self.refusal(text.headline, text.description)
            if refusal:
                item["review"] = {"status": "REJECTED", "rejectionReasons": [refusal]}
            self._lives[campaign].ad_added(
                label_of(body["name"]).token, body["name"], shown=not refusal and body.get("intendedStatus") == "ACTIVE"
            )
        return Response(status=201, headers={"x-restli-id": identifier})

    def _change(self, item: dict[str, Any], request: Request) -> Response:
        if request.headers.get("x-restli-method", "").upper() != "PARTIAL_UPDATE":
            raise RestLiError(400, "PARAM_INVALID", "Method not supported", ["X-RestLi-Method"])
        changes = json_body(request).get("patch", {}).get("$set", {})
        status = changes.get("status", changes.get("intendedStatus", "ACTIVE"))
        if status not in _STATUSES:
            raise RestLiError(400, "PARAM_INVALID", "Invalid param", ["status"])
        bound = item.get("optimizationTargetType") != "MAX_CONVERSION" or item.get("_conversions")
        if changes.get("status") == "ACTIVE" and not bound:
            raise no_conversion()
        if "campaignGroup" in item:
            check_change(item, changes, self._segments.check_targeting)
        item.update(changes)
        if "runSchedule" in item:
            self._note(item)
        if "intendedStatus" in changes and "inlineContent" in item:
            siblings = [one for one in self._of_kind("creative") if one["campaign"] == item["campaign"]]
            twins = [one for one in siblings if one["name"] == item["name"] and "review" not in one]
            shown = any(one.get("intendedStatus") == "ACTIVE" for one in twins)
            self._lives[item["campaign"].rpartition(":")[2]].ad_switched(item["name"], shown)
        life = self._lives.get(item["id"])
        if life is not None:
            if "status" in changes:
                life.switched(status == "ACTIVE")
            if "dailyBudget" in changes:
                life.budget_changed(changes["dailyBudget"]["amount"])
        return Response(status=204)

    def _note(self, item: Mapping[str, Any]) -> None:
        """Note how a campaign is set, or each one of a group."""
        urn = f"urn:li:sponsoredCampaignGroup:{item['id']}"
        for one in self._of_kind("campaign"):
            if one is item or one["campaignGroup"] == urn:
                group = self._objects[f"group/{one['campaignGroup'].rpartition(':')[2]}"]
                self._lives[one["id"]].stands(*setting_of(one, group, self._market.curve))

    def _analytics(self, query: Mapping[str, str]) -> list[dict[str, Any]]:
        since, until = span(query)
        rows: list[tuple[date, dict[str, Any]]] = []
        for urn in urn_list(query.get("creatives", "")):
            creative = self._objects.get(f"creative/{urn}")
            if creative is None or "review" in creative:
                continue  # no access and no object look the same: nothing
            campaign = self._objects[f"campaign/{creative['campaign'].rpartition(':')[2]}"]
            token = label_of(creative["name"]).token
            siblings = {
                item["name"]: self._text(item)
                for item in self._of_kind("creative")
                if item["campaign"] == creative["campaign"] and label_of(item["name"]).token == token
            }
            figures = self.figures(campaign["id"], campaign["name"], token, siblings)
            for day in figures[creative["name"]]:
                if since <= day.day <= until:
                    rows.append((day.day, analytics_row(urn, day, form="leadgenCallToAction" in creative)))
        ordered = sorted(rows, key=lambda entry: (entry[0], entry[1]["pivotValues"]))
        return [row for _, row in ordered[: self._most_rows]]  # cut without a word, as LinkedIn does

    def _text(self, creative: Mapping[str, Any]) -> AdText:
        post = creative["inlineContent"]["post"]
        return AdText(
            headline=post["content"]["article"]["title"],
            description=plain_text(post["commentary"]),
            button=post.get("contentCallToActionLabel", ""),
            headline_width=70,
            description_width=150,
        )


def _shown(item: Mapping[str, Any]) -> dict[str, Any]:
    shown = {name: value for name, value in item.items() if not name.startswith("_")}
    number = shown["id"]
    return {**shown, "id": int(number)} if number.isdecimal() else shown
