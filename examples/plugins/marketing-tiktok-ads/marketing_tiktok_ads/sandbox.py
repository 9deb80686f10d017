"""TikTok's half of the sandbox: the same small API over the sandbox's ad world.

As at TikTok, the same name twice makes two campaigns. Tokens: ``invalid`` is refused (40105), any other is good.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

from integrations.ads.naming import label_of
from integrations.sandbox.ad_accounts import AdAccounts
from integrations.sandbox.ad_life import Life
from integrations.sandbox.ad_setting import Setting, aim_size
from integrations.sandbox.ad_text import AdText
from integrations.sandbox.protocol import Request, Response, waiting
from integrations.sandbox.world import chance
from marketing_tiktok_ads.changes import ALWAYS
from marketing_tiktok_ads.spec import SPEC

_REQUIRED = {
    "campaign": ("campaign_name", "objective_type", "operation_status"),
    "adgroup": ("adgroup_name", "campaign_id", "budget_mode", "budget", "schedule_start_time"),
    "ad": ("ad_name", "adgroup_id", "ad_text", "call_to_action", "landing_page_url"),
}


class RefusedError(Exception):
    """A refusal in TikTok's form: its code and its message."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


class TikTokSandbox(AdAccounts):
    """Advertisers at TikTok."""

    name = SPEC.name
    prefix = "/tiktok_ads"

    def handle(self, request: Request) -> Response:
        """Answer one request."""
        try:
            if request.headers.get("access-token", "invalid") == "invalid":
                raise RefusedError(40105, "Access token is incorrect or has been revoked")
            return Response(body={"code": 0, "message": "OK", "data": self._answer(request)})
        except RefusedError as error:
            return Response(body={"code": error.code, "message": str(error), "data": {}})

    def refuse(self, mode: str, retry_after_s: float | None = None) -> Response:
        """See the protocol.

        ``rate_limited`` is code 40100 in a 200, as every refusal is.
        """
        if mode == "rate_limited":
            body = {"code": 40100, "message": "Requests made too frequently", "data": {}}
            return Response(body=body, headers=waiting(retry_after_s))
        return Response(status=503, body={"code": 50000, "message": "System error"}, headers=waiting(retry_after_s))

    def ad_campaigns(self) -> list[dict[str, Any]]:
        """See the protocol."""
        return [
            self.listed_campaign(
                row["campaign_id"],
                row["campaign_name"],
                "active" if row["operation_status"] == "ENABLE" else "paused",
                row["create_time"],
            )
            for row in self._of_kind("campaign")
            if row["operation_status"] != "DELETE"
        ]

    def _answer(self, request: Request) -> dict[str, Any]:
        kind, _, action = request.path.strip("/").partition("/")
        if request.method == "POST":
            body = _body(request)
            if action == "create" and kind in _REQUIRED:
                return self._create(kind, body)
            if action in ("update", "status/update") and kind in _REQUIRED:
                return self._change(kind, body)
        elif (kind, action) == ("advertiser", "info"):
            return {"list": [{"currency": self._currency} if self._currency else {}]}
        elif (kind, action) == ("report", "integrated/get"):
            return _page(self._report(request.params()), request.params())
        elif action == "get" and kind in _REQUIRED:
            return _page(self._listed(kind, _filters(request.params())), request.params())
        raise RefusedError(40002, f"no such endpoint: {request.method} {kind}")

    def _of_kind(self, kind: str) -> list[dict[str, Any]]:
        return [row for key, row in self._objects.items() if key.startswith(f"{kind}/")]

    def _listed(self, kind: str, filters: Mapping[str, Sequence[str]]) -> list[dict[str, Any]]:
        wanted = filters.get("campaign_ids")
        kept = [row for row in self._of_kind(kind) if row["operation_status"] != "DELETE"]
        return [row for row in kept if wanted is None or row["campaign_id"] in wanted]

    def _create(self, kind: str, body: dict[str, Any]) -> dict[str, Any]:
        if missing := [name for name in _REQUIRED[kind] if not body.get(name)]:
            raise RefusedError(40002, f"{missing[0]}: Missing data for required field.")
        if self._currency is not None and body.get("currency", self._currency) != self._currency:
            raise RefusedError(40002, "currency: not the advertiser's")
        twins = sum(row[f"{kind}_name"] == body[f"{kind}_name"] for row in self._of_kind(kind))
        number = 1_700_000_000_000 + int(chance(self._seed, self.name, kind, body[f"{kind}_name"], twins) * 10**9)
        while f"{kind}/{number}" in self._objects:  # two hashes that fall together
            number += 1
        row = {**body, f"{kind}_id": str(number), "create_time": datetime.now(UTC).isoformat()}
        if kind == "ad":
            row["campaign_id"] = self._object("adgroup", body["adgroup_id"])["campaign_id"]
            self._lives[row["campaign_id"]].ad_added(label_of(body["ad_name"]).token, body["ad_name"])
        elif kind == "adgroup":
            campaign = self._object("campaign", body["campaign_id"])["campaign_id"]
            self._lives[campaign].budget_changed(str(body["budget"]))
            self._lives[campaign].start = date.fromisoformat(body["schedule_start_time"][:10])
            self._lives[campaign].stands(*_setting(body))
        else:
            self._lives[str(number)] = Life.starting(datetime.now(UTC).date(), "0")
        self._objects[f"{kind}/{number}"] = row
        return {f"{kind}_id": str(number)}

    def _change(self, kind: str, body: dict[str, Any]) -> dict[str, Any]:
        ids = body.pop(f"{kind}_ids", None) or [body.pop(f"{kind}_id", "")]
        hours = body.get("dayparting", ALWAYS)
        if len(hours) != len(ALWAYS) or set(hours) - {"0", "1"} or "1" not in hours:
            raise RefusedError(40002, "dayparting: 336 signs, 0 or 1, are needed")
        for identifier in ids:
            row = self._object(kind, identifier)
            row.update(body)
            life = self._lives[row["campaign_id"]]
            if kind == "campaign" and "operation_status" in body:
                life.switched(body["operation_status"] == "ENABLE")
            if kind == "ad" and "operation_status" in body:
                life.ad_switched(row["ad_name"], body["operation_status"] == "ENABLE")
            if kind == "adgroup":
                life.stands(*_setting(row))
                if "budget" in body:
                    life.budget_changed(str(body["budget"]))
        return {f"{kind}_ids": ids}

    def _object(self, kind: str, identifier: str) -> dict[str, Any]:
        found = self._objects.get(f"{kind}/{identifier}")
        if found is None:
            raise RefusedError(40002, f"{kind}_id: does not exist")
        return found

    def _report(self, params: Mapping[str, str]) -> list[dict[str, Any]]:
        since = date.fromisoformat(params["start_date"])
        until = date.fromisoformat(params.get("end_date", "9999-12-31"))
        rows = []
        for identifier in _filters(params).get("ad_ids", []):
            ad = self._object("ad", identifier)
            campaign = self._object("campaign", ad["campaign_id"])
            token = label_of(ad["ad_name"]).token
            siblings = {
                row["ad_name"]: _text(row)
                for row in self._of_kind("ad")
                if row["campaign_id"] == ad["campaign_id"] and label_of(row["ad_name"]).token == token
            }
            figures = self.figures(ad["campaign_id"], campaign["campaign_name"], token, siblings)
            rows += [
                {
                    "dimensions": {"ad_id": identifier, "stat_time_day": f"{day.day} 00:00:00"},
                    "metrics": {
                        "spend": str(day.spend),
                        "impressions": str(day.impressions),
                        "clicks": str(day.clicks),
                        "conversion": str(day.conversions),
                    },
                }
                for day in figures[ad["ad_name"]]
                if since <= day.day <= until
            ]
        return rows


def _setting(group: Mapping[str, Any]) -> tuple[Setting, float]:
    """Return how an ad group is set, and the size of its aim."""
    words, end = group.get("interest_keywords", ()), group.get("schedule_end_time")
    setting = Setting(
        words=tuple(words),
        schedule=group.get("dayparting", ALWAYS).count("1") / len(ALWAYS),
        end=date.fromisoformat(end[:10]) if end else None,
    )
    return setting, aim_size([len(group.get("locations", ())), len(words)])


def _text(ad: Mapping[str, Any]) -> AdText:
    return AdText(
        headline=ad["title"],
        description=ad["ad_text"],
        button=ad["call_to_action"],
        headline_width=SPEC.limits.headline_width,
        description_width=SPEC.limits.description_width,
    )


def _page(rows: Sequence[Mapping[str, Any]], params: Mapping[str, str]) -> dict[str, Any]:
    number, size = int(params.get("page", "1")), int(params.get("page_size", "10"))
    info = {"page": number, "page_size": size, "total_number": len(rows), "total_page": -(-len(rows) // size)}
    return {"list": list(rows[(number - 1) * size : number * size]), "page_info": info}


def _filters(params: Mapping[str, str]) -> dict[str, list[str]]:
    found = json.loads(params.get("filtering", "{}"))
    return {name: [str(value) for value in values] for name, values in found.items()}


def _body(request: Request) -> dict[str, Any]:
    try:
        found = request.json()
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise RefusedError(40002, "the body is not a JSON object")
    return found
