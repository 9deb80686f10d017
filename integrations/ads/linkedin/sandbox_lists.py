"""DMP segments at the sandbox's LinkedIn, and the ad segments that they lead to.

Sources: "DMP Segments" and "DMP Segment Users" of the Marketing API documentation. Parameters of the account
(:mod:`integrations.sandbox.ad_accounts`): ``settle_s`` (seconds, 5 without it), ``matching_days`` (simulated days until
there is an ad segment, 0 without it), ``list_status`` (of its destination instead of BUILDING or READY),
``most_lists`` (1,000). Invariants: what LinkedIn would refuse is refused here, each member by itself; members that come
within ``settle_s`` after the creation of their segment are answered like all others and lost, as LinkedIn warns: the
only answer of the sandbox's ad platforms that the clock has a part in.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import unquote

from integrations.ads.linkedin.sandbox_answers import RestLiError, json_body
from integrations.sandbox.ad_lists import CustomerList, CustomerLists
from integrations.sandbox.protocol import Request, Response
from integrations.sandbox.world import chance

RESOURCE = "dmpSegments"
FACET = "urn:li:adTargetingFacet:audienceMatchingSegments"
MOST_MEMBERS = 5_000  #: of one call
_FIELDS = {"name", "sourcePlatform", "account", "type", "destinations"}
_HASH = re.compile(r"[0-9a-f]{64}")
_ACCOUNT = re.compile(r"urn:li:sponsoredAccount:\d+")


class Segments:
    """DMP segments of the ad accounts."""

    def __init__(self, lists: CustomerLists, seed: int, world: Mapping[str, Any]) -> None:
        self._lists, self._seed = lists, seed
        self._settle = timedelta(seconds=float(world.get("settle_s", 5)))
        self._matching_days = int(world.get("matching_days", 0))
        self._status = world.get("list_status")
        self._most = int(world.get("most_lists", 1_000))

    def answer(self, request: Request, parts: Sequence[str], query: Mapping[str, str]) -> Response:
        """Answer a request below the resource, of whose path ``parts`` are what follows it."""
        if not parts:
            return self._create(json_body(request)) if request.method == "POST" else self._listed(query)
        one = self._lists.get(parts[0])
        if one is None:
            raise RestLiError(404, "NOT_FOUND", "DMP segment not found")
        if [*parts[1:]] == ["users"] and request.method == "POST":
            return self._users(one, request)
        if len(parts) > 1:
            raise RestLiError(404, "RESOURCE_NOT_FOUND", "No virtual resource found")
        if request.method == "DELETE":
            self._lists.delete(one.id)
            return Response(status=204)
        return Response(body=self._shown(one))

    def advance(self, days: int) -> None:
        """Let simulated days of matching go by."""
        for one in self._lists.all():
            one.fields["days"] += days

    def check_targeting(self, criteria: Mapping[str, Any]) -> None:
        """Raise RestLiError for a campaign that names an ad segment which isn't there, or can't be used."""
        groups = [*criteria.get("include", {}).get("and", []), criteria.get("exclude", {})]
        named = [urn for group in groups for urn in group.get("or", {}).get(FACET, ())]
        known = {urn for one in self._lists.all() if (urn := self._urn(one))}
        unusable = self._status in ("EXPIRED", "FAILED", "ERROR")
        if any(urn not in known or unusable for urn in named):
            said = "Targeting contains segments that are not available to the account"
            raise RestLiError(422, "PARAM_INVALID", "Invalid field", ["targetingCriteria"], description=said)

    def _create(self, body: Mapping[str, Any]) -> Response:
        if missing := sorted(_FIELDS - body.keys()):
            raise RestLiError(422, "MISSING_FIELD", "A required field is missing", missing)
        if strange := sorted(body.keys() - _FIELDS - {"description", "sourceSegmentId"}):
            raise RestLiError(400, "ILLEGAL_ARGUMENT", "Unpermitted fields present in REQUEST_BODY", strange)
        rules = {
            "name": bool(body["name"]),
            "sourcePlatform": bool(re.fullmatch(r"[A-Z][A-Z0-9_]*", str(body["sourcePlatform"]))),
            "account": bool(_ACCOUNT.fullmatch(str(body["account"]))),
            "type": body["type"] == "USER",
            "destinations": body["destinations"] == [{"destination": "LINKEDIN"}],
        }
        if wrong := [name for name, fine in rules.items() if not fine]:
            raise RestLiError(422, "PARAM_INVALID", "Invalid field", wrong)
        if len(self._lists.all()) >= self._most:
            raise RestLiError(429, "SEGMENT_LIMIT_EXCEEDED", "The account has reached the maximum of DMP segments")
        twins = sum(one.name == body["name"] for one in self._lists.all())
        found = 10_000_000 + int(chance(self._seed, "linkedin_ads", RESOURCE, body["name"], twins) * 10**7)
        while self._lists.get(str(found)) is not None:  # two hashes that fall together
            found += 1
        kept = {name: body[name] for name in ("account", "sourcePlatform")}
        self._lists.create(str(found), body["name"], days=0, **kept)
        return Response(status=201, headers={"x-restli-id": str(found)})

    def _listed(self, query: Mapping[str, str]) -> Response:
        account = unquote(query.get("account", ""))
        if query.get("q") != "account" or not _ACCOUNT.fullmatch(account):
            raise RestLiError(400, "PARAM_INVALID", "Invalid param", ["account"])
        every = [one for one in self._lists.all() if one.fields["account"] == account]
        start, count = int(query.get("start", "0")), int(query.get("count", "10"))
        paging = {"start": start, "count": count, "links": [], "total": len(every)}
        return Response(body={"paging": paging, "elements": [self._shown(one) for one in every[start : start + count]]})

    def _users(self, one: CustomerList, request: Request) -> Response:
        if request.headers.get("x-restli-method", "").upper() != "BATCH_CREATE":
            raise RestLiError(400, "PARAM_INVALID", "Method not supported", ["X-RestLi-Method"])
        items = json_body(request).get("elements")
        if not isinstance(items, list) or not 1 <= len(items) <= MOST_MEMBERS:
            raise RestLiError(400, "PARAM_INVALID", f"A batch has 1 to {MOST_MEMBERS} elements", ["elements"])
        settled = datetime.now(UTC) - datetime.fromisoformat(one.created_at) >= self._settle
        statuses: list[dict[str, Any]] = []
        for at, item in enumerate(items):
            member = _member(item)
            if member is None:
                statuses.append({"status": 400, "batchIndex": at, "message": "Invalid user id"})
                continue
            statuses.append({"status": 201})
            if settled:
                change = self._lists.add if item["action"] == "ADD" else self._lists.remove
                change(one.id, [member])
        return Response(body={"elements": statuses})

    def _urn(self, one: CustomerList) -> str | None:
        matched = one.fields["days"] >= self._matching_days
        return f"urn:li:adSegment:{int(one.id) + 5_000_000}" if matched else None

    def _shown(self, one: CustomerList) -> dict[str, Any]:
        created = int(datetime.fromisoformat(one.created_at).timestamp() * 1000)
        urn = self._urn(one)
        destination = {
            "destination": "LINKEDIN",
            "created": created,
            "lastModified": created,
            "status": self._status or ("BUILDING" if urn is None or not one.members else "READY"),
            **({"destinationSegmentId": urn} if urn else {}),
            **({"audienceSize": len(one.members), "matchedCount": len(one.members)} if urn and one.members else {}),
        }
        return {
            "id": int(one.id),
            "name": one.name,
            "account": one.fields["account"],
            "type": "USER",
            "sourcePlatform": one.fields["sourcePlatform"],
            "created": created,
            "lastModified": created,
            "inputCount": len(one.members),
            "destinations": [destination],
        }


def _member(item: Any) -> str | None:
    """Return the hash in one element of a batch, None for an element that LinkedIn refuses."""
    if not isinstance(item, dict) or item.get("action") not in ("ADD", "REMOVE"):
        return None
    ids = item.get("userIds")
    if not isinstance(ids, list) or len(ids) != 1 or not isinstance(ids[0], dict):
        return None
    value = ids[0].get("idValue")
    fine = ids[0].get("idType") == "SHA256_EMAIL" and isinstance(value, str) and _HASH.fullmatch(value)
    return value if fine else None
