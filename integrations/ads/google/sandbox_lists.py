"""Data Manager in the sandbox: customer lists of the Google Ads accounts and their members.

It lies below the same address as Google Ads and needs no developer token and none of Google's packages. Members are on
a list at once. ``POST /_sandbox/reset`` with ``{"world": {"accounts": {"google_ads": {"customer_match": {...}}}}}``
changes what the account may do, see :class:`Leave`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass, field, fields
from hashlib import sha256
from typing import Any

from integrations.ads.google.customer_match import ACCOUNT_TYPE
from integrations.ads.google.sandbox_list_checks import (
    INGESTION,
    REMOVAL,
    RefusedCall,
    Violation,
    check_destinations,
    check_form,
    check_new_list,
    members_of,
)
from integrations.sandbox.ad_lists import CustomerList, CustomerLists
from integrations.sandbox.protocol import Request, Response

PREFIX = "/v1/"
_PATH = re.compile(rf"/v1/accountTypes/{ACCOUNT_TYPE}/accounts/(\d+)/userLists(?:/(\d+))?")
_ACCOUNT_DIGITS = 10
_DENIED = "The user does not have permission or the resource is not found."
_FIRST_ID = 7_000_000_001
_COUNTER = "lastUserList"  #: key of the last list's id among the account's objects


@dataclass(frozen=True, slots=True, kw_only=True)
class Leave:
    """What Google lets the account do with customer lists."""

    terms: bool = True  #: it has accepted the terms of Customer Match
    cleared: bool = True  #: it may use Customer Match
    aiming: bool = True  #: it may aim campaigns at a list, not only exclude it
    third_party: bool = False  #: it may use people whom it has from others
    denies: bool = False  #: what isn't there is refused like what is forbidden
    page: int = 1000  #: lists of one page, at most
    fields: Mapping[str, Any] = field(default_factory=dict)  #: of every list that is answered

    @staticmethod
    def parse(given: Mapping[str, Any]) -> Leave:
        """Parse what a reset gives.

        Raises ValueError naming an unknown key.
        """
        known = [one.name for one in fields(Leave)]
        if unknown := sorted(set(given) - set(known)):
            raise ValueError(f"accounts.google_ads.customer_match.{unknown[0]} is unknown; use {', '.join(known)}")
        return Leave(**given)


@dataclass(frozen=True, slots=True, kw_only=True)
class DataManagerHalf:
    """One account world's Data Manager."""

    lists: CustomerLists
    objects: MutableMapping[str, dict[str, Any]]  #: of the account, where the last list's id is kept
    leave: Leave

    def handle(self, request: Request, *, token: bool, scoped: bool, allowed: bool) -> Response:
        """Answer a request whose access token is one of ours, has the scope, and is for the account."""
        try:
            _authorise(token=token, scoped=scoped, allowed=allowed)
            if request.path in ("/v1/audienceMembers:ingest", "/v1/audienceMembers:remove"):
                if request.method != "POST":
                    raise RefusedCall(status=404, reason="", message="Not found.")
                return self._members(request)
            path = _PATH.fullmatch(request.path)
            if path is None:
                raise RefusedCall(status=404, reason="", message="Not found.")
            if len(path[1]) != _ACCOUNT_DIGITS:
                raise RefusedCall(status=403, reason="PERMISSION_DENIED", message=_DENIED)
            return self._resource(request, path[1], path[2])
        except RefusedCall as error:
            return error.response()

    def of(self, account: str, list_id: str) -> CustomerList | None:
        """Return a list of an account, None for one that it doesn't have."""
        found = self.lists.get(list_id)
        return found if found is not None and found.fields["account"] == account else None

    def _resource(self, request: Request, account: str, list_id: str | None) -> Response:
        if list_id is None and request.method == "POST":
            return self._create(request, account)
        if list_id is None and request.method == "GET":
            return self._page(request, account)
        if list_id is None or request.method not in ("GET", "DELETE"):
            raise RefusedCall(status=404, reason="", message="Not found.")
        found = self.of(account, list_id)
        if found is None:
            raise self._missing()
        if request.method == "DELETE":
            self.lists.delete(list_id)
            return Response(body={})
        return Response(body=self._shown(found))

    def _create(self, request: Request, account: str) -> Response:
        item = _body(request)
        if not self.leave.cleared:
            raise RefusedCall(Violation("user_list", "ADVERTISER_NOT_ALLOWLISTED_FOR_UPLOADED_DATA"))
        names = [one.name for one in self.lists.all() if one.fields["account"] == account]
        check_new_list(item, names, third_party=self.leave.third_party)
        number = int(self.objects.get(_COUNTER, {}).get("id", _FIRST_ID - 1)) + 1
        self.objects[_COUNTER] = {"id": str(number)}
        made = self.lists.create(str(number), item["displayName"], account=account, resource=dict(item))
        return Response(body=self._shown(made))

    def _page(self, request: Request, account: str) -> Response:
        given = request.params()
        if unknown := sorted(set(given) - {"pageSize", "pageToken"}):
            raise RefusedCall(Violation(unknown[0], "", f'Unknown name "{unknown[0]}"'), reason="")
        size, token = given.get("pageSize", "50"), given.get("pageToken", "")
        if not size.isdecimal() or (token and not token.removeprefix("sandbox-").isdecimal()):
            raise RefusedCall(Violation("page_token", "INVALID_PAGE_TOKEN", "The page token is invalid."))
        most = min(int(size) or 50, 1000, self.leave.page)
        start = int(token.removeprefix("sandbox-") or 0)
        found = [one for one in self.lists.all() if one.fields["account"] == account]
        page: dict[str, Any] = {}
        if shown := [self._shown(one) for one in found[start : start + most]]:
            page["userLists"] = shown
        if start + most < len(found):
            page["nextPageToken"] = f"sandbox-{start + most}"
        return Response(body=page)

    def _members(self, request: Request) -> Response:
        body, adds = _body(request), request.path.endswith(":ingest")
        check_form(body, INGESTION if adds else REMOVAL)
        check_destinations(body)
        hashes = members_of(body)
        said = body.get("termsOfService", {}).get("customerMatchTermsOfServiceStatus")
        if adds and (said != "ACCEPTED" or not self.leave.terms):
            path = "terms_of_service.customer_match_terms_of_service_status"
            told = "Required terms and conditions are not accepted."
            raise RefusedCall(Violation(path, "TERMS_AND_CONDITIONS_NOT_SIGNED", told))
        if adds and not self.leave.cleared:
            raise RefusedCall(Violation("destinations[0]", "NOT_ALLOWLISTED"))
        numbers = []
        for at, one in enumerate(body["destinations"]):
            found = self.of(str(one["operatingAccount"]["accountId"]), str(one["productDestinationId"]))
            if found is None:
                raise self._missing(f"destinations[{at}].product_destination_id")
            numbers.append(found.id)
        for number in numbers if not body.get("validateOnly") else ():
            (self.lists.add if adds else self.lists.remove)(number, hashes)
        return Response(body={"requestId": f"sandbox-{sha256(request.body).hexdigest()[:32]}"})

    def _missing(self, path: str = "") -> RefusedCall:
        """Return the refusal of a list that isn't there, which a field at ``path`` names, or the request's own path."""
        if self.leave.denies:
            return RefusedCall(status=403, reason="PERMISSION_DENIED", message=_DENIED)
        if path:
            return RefusedCall(Violation(path, "INVALID_USER_LIST_ID", "User list is not valid."))
        return RefusedCall(status=404, reason="NOT_FOUND", message="Resource not found.")

    def _shown(self, one: CustomerList) -> dict[str, Any]:
        """Return a UserList in JSON, in which zeros are left out."""
        account, count = one.fields["account"], len(one.members)
        shown: dict[str, Any] = {
            "name": f"accountTypes/{ACCOUNT_TYPE}/accounts/{account}/userLists/{one.id}",
            "id": one.id,
            "membershipStatus": "OPEN",
            "accessReason": "OWNED",
            "accountAccessStatus": "ENABLED",
            "targetNetworkInfo": {"eligibleForDisplay": True, "eligibleForSearch": True},
            **one.fields["resource"],
        }
        if count:
            shown["sizeInfo"] = {"displayNetworkMembersCount": str(count), "searchNetworkMembersCount": str(count)}
        return {**shown, **self.leave.fields}


def _authorise(*, token: bool, scoped: bool, allowed: bool) -> None:
    common = "googleapis.com"
    if not token:
        said = "Request had invalid authentication credentials."
        raise RefusedCall(status=401, reason="CREDENTIALS_MISSING", message=said, domain=common)
    if not scoped:
        said = "Request had insufficient authentication scopes."
        raise RefusedCall(status=403, reason="ACCESS_TOKEN_SCOPE_INSUFFICIENT", message=said, domain=common)
    if not allowed:
        raise RefusedCall(status=403, reason="PERMISSION_DENIED", message=_DENIED)


def _body(request: Request) -> dict[str, Any]:
    try:
        found = request.json()
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise RefusedCall(reason="", message="Invalid JSON payload received.")
    return found
