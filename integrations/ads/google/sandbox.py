"""Google Ads in the sandbox: GoogleAdsService over gRPC, two questions over REST, OAuth's tokens, over the ad world.

Data Manager, which lies below the same address, is :mod:`integrations.ads.google.sandbox_lists`.

Messages and failures are those of the google-ads package, which the first request to this half imports. What Google
refuses is refused (:mod:`integrations.ads.google.sandbox_checks`), with its codes, all errors of a request at once.
Names of campaigns are unique, so a second creation is DUPLICATE_CAMPAIGN_NAME. Keys: the refresh token ``invalid`` is
refused, ``forbidden`` has access to another account only, ``ads-only`` no scope for Data Manager; the developer token
``invalid`` is none, ``test`` is not approved; any other is good. ``POST /_sandbox/reset`` with
``{"world": {"accounts": {"google_ads": {"page_rows": 2}}}}`` gives pages of so many rows; conversion actions are given
in the same place (:mod:`integrations.ads.google.sandbox_goals`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from integrations.ads.google.data_manager_errors import SCOPE
from integrations.ads.google.sandbox_failures import Refused, quota, refused, response, unavailable
from integrations.ads.google.sandbox_gaql import Query, parse, select
from integrations.ads.google.sandbox_goals import actions_of
from integrations.ads.google.sandbox_lists import PREFIX, DataManagerHalf, Leave
from integrations.ads.google.sandbox_mutate import Mutation, Terms
from integrations.ads.google.sandbox_rows import geo_target, known_place, rows_of
from integrations.sandbox.ad_accounts import AdAccounts
from integrations.sandbox.protocol import Request, Response, RpcResponse
from integrations.sandbox.world import chance

PLATFORM = "google_ads"
SERVICE = "/google.ads.googleads.v26.services.GoogleAdsService"
PAGE_ROWS = 10_000  #: of Google, which takes no other size
LISTED = "/v26/customers:listAccessibleCustomers"
_ACCOUNT, _OTHER_ACCOUNT = "customers/5000000000", "customers/6000000000"
_ACCESS = "ya29.sandbox-"
_FORBIDDEN = f"{_ACCESS}forbidden"
_ADS_ONLY = f"{_ACCESS}ads-only"


class GoogleAdsSandbox(AdAccounts):
    """Ad accounts at Google."""

    name = PLATFORM
    prefix = "/google_ads"
    #: full name of a gRPC method -> is it a reading ("GET") or a changing one ("POST")?
    rpcs: Mapping[str, str] = {f"{SERVICE}/Search": "GET", f"{SERVICE}/Mutate": "POST"}

    def reset(self, seed: int, world: Mapping[str, Any] | None) -> None:
        """See the protocol."""
        super().reset(seed, world)
        own = ((world or {}).get("accounts") or {}).get(self.name) or {}
        self._page_rows = int(own.get("page_rows", PAGE_ROWS))
        self._actions = actions_of(own.get("conversion_actions") or {})
        self._leave = Leave.parse(own.get("customer_match") or {})

    def handle(self, request: Request) -> Response:
        """Answer one request."""
        if request.path == "/token":
            return self._token(request)
        if request.path.startswith(PREFIX):
            token = _bearer(request)
            return self._data_manager.handle(
                request, token=token.startswith(_ACCESS), scoped=token != _ADS_ONLY, allowed=token != _FORBIDDEN
            )
        try:
            token = self._known(request)
            if request.path == LISTED and request.method == "GET":
                return Response(body={"resourceNames": [_OTHER_ACCOUNT if token == _FORBIDDEN else _ACCOUNT]})
            self._authorise(request, token)
            if request.path in self.rpcs:
                return RpcResponse(body=self._rpc(request))
            return self._rest(request)
        except Refused as error:
            return response(error.faults)

    def refuse(self, mode: str, retry_after_s: float | None = None) -> Response:
        """Refuse as Google does: ``down`` is UNAVAILABLE, ``rate_limited`` a quota error that names 30 s."""
        if mode == "rate_limited":
            return quota(30.0 if retry_after_s is None else retry_after_s)
        return unavailable(retry_after_s)

    @property
    def _data_manager(self) -> DataManagerHalf:
        return DataManagerHalf(lists=self.lists, objects=self._objects, leave=self._leave)

    def ad_campaigns(self) -> list[dict[str, Any]]:
        """See the protocol."""
        statuses = {"ENABLED": "active", "PAUSED": "paused"}
        return [
            self.listed_campaign(item["id"], item["name"], statuses[item["status"]], item["_createdAt"])
            for key, item in self._objects.items()
            if key.startswith("campaigns/") and item["status"] in statuses
        ]

    def _token(self, request: Request) -> Response:
        """Answer OAuth's refresh of an access token (RFC 6749 §6)."""
        given = request.params()
        if request.method != "POST" or given.get("grant_type") != "refresh_token":
            return Response(status=400, body={"error": "unsupported_grant_type", "error_description": "Invalid grant"})
        if given.get("client_secret") in (None, "", "invalid"):
            said = "The OAuth client was not found."
            return Response(status=401, body={"error": "invalid_client", "error_description": said})
        refresh = given.get("refresh_token", "")
        if refresh in ("", "invalid"):
            said = "Token has been expired or revoked."
            return Response(status=400, body={"error": "invalid_grant", "error_description": said})
        known = {"forbidden": _FORBIDDEN, "ads-only": _ADS_ONLY}
        scope = "https://www.googleapis.com/auth/adwords"
        return Response(
            body={
                "access_token": known.get(refresh) or f"{_ACCESS}{int(chance(refresh) * 10**12)}",
                "expires_in": 3599,
                "scope": scope if refresh == "ads-only" else f"{scope} {SCOPE}",
                "token_type": "Bearer",
            }
        )

    def _known(self, request: Request) -> str:
        """Return the access token of a request whose token and developer token exist."""
        token = _bearer(request)
        if not token.startswith(_ACCESS):
            raise refused("authenticationError", "OAUTH_TOKEN_INVALID", "OAuth token is invalid.")
        developer = request.headers.get("developer-token", "")
        if not developer:
            said = "The developer token is missing."
            raise refused("requestError", "DEVELOPER_TOKEN_PARAMETER_MISSING", said)
        if developer == "invalid":
            raise refused("authenticationError", "DEVELOPER_TOKEN_INVALID", "The developer token is not valid.")
        return token

    def _authorise(self, request: Request, token: str) -> None:
        """Check the right to an account."""
        if request.headers.get("developer-token") == "test":
            said = "The developer token is only approved for use with test accounts."
            raise refused("authorizationError", "DEVELOPER_TOKEN_NOT_APPROVED", said)
        if token == _FORBIDDEN:
            said = "User doesn't have permission to access customer."
            raise refused("authorizationError", "USER_PERMISSION_DENIED", said)

    def _rpc(self, request: Request) -> bytes:
        """Answer a gRPC request's message with a message."""
        from google.ads.googleads.v26.services.types import google_ads_service as messages
        from google.protobuf.json_format import MessageToDict, ParseDict

        if request.path.endswith("/Search"):
            asked = MessageToDict(messages.SearchGoogleAdsRequest.pb().FromString(request.body))
            answer = ParseDict(self._page(asked), messages.SearchGoogleAdsResponse.pb()())
        else:
            asked = MessageToDict(messages.MutateGoogleAdsRequest.pb().FromString(request.body))
            answer = ParseDict(self._mutated(asked), messages.MutateGoogleAdsResponse.pb()())
        found: bytes = answer.SerializeToString()
        return found

    def _rest(self, request: Request) -> Response:
        """Answer ``POST /v26/customers/{id}/googleAds:search``."""
        from google.ads.googleads.v26.services.types.google_ads_service import SearchGoogleAdsResponse
        from google.protobuf.json_format import MessageToDict, ParseDict

        parts = request.path.split("/")
        if request.method != "POST" or parts[1:3] != ["v26", "customers"] or parts[4:] != ["googleAds:search"]:
            return Response(status=404, body={"error": {"code": 404, "message": "Not found.", "status": "NOT_FOUND"}})
        try:
            body = request.json()
        except ValueError:
            body = None
        asked = {**body, "customerId": parts[3]} if isinstance(body, dict) else {"customerId": parts[3]}
        return Response(body=MessageToDict(ParseDict(self._page(asked), SearchGoogleAdsResponse.pb()())))

    def _page(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        """Return one page of a search, in JSON."""
        owner = _owner(asked)
        if "pageSize" in asked:
            said = "Setting the page size is not supported."
            raise refused("requestError", "PAGE_SIZE_NOT_SUPPORTED", said, "page_size")
        query = parse(str(asked.get("query", "")))
        token = str(asked.get("pageToken", ""))
        if token and not token.removeprefix("sandbox-").isdecimal():
            raise refused("requestError", "INVALID_PAGE_TOKEN", "The page token is not valid.", "page_token")
        start = int(token.removeprefix("sandbox-") or 0)
        rows = select(query, self._rows(query, owner))
        page: dict[str, Any] = {"results": rows[start : start + self._page_rows]}
        if start + self._page_rows < len(rows):
            page["nextPageToken"] = f"sandbox-{start + self._page_rows}"
        return page

    def _rows(self, query: Query, owner: str) -> Iterator[dict[str, Any]]:
        if query.resource == "geo_target_constant":
            for name in query.asked("geo_target_constant.name"):
                if (found := geo_target(name)) is not None:
                    yield {"geoTargetConstant": found}
            return
        yield from rows_of(query, self._account(owner), self._objects, self.figures, self._actions)

    def _account(self, owner: str) -> dict[str, Any]:
        account = {
            "resourceName": owner,
            "id": owner.rpartition("/")[2],
            "descriptiveName": "Sandbox",
            "currencyCode": self._currency or "",
            "timeZone": "Etc/UTC",
            "status": "ENABLED",
            "manager": False,
            "conversionTrackingSetting": {"googleAdsConversionCustomer": owner},
            **self._account_fields,
        }
        return {name: value for name, value in account.items() if value is not None}

    def _mutated(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        """Carry a mutate out, and keep what it changed unless it is a dry run."""
        owner = _owner(asked)
        counting = self._account(owner)["conversionTrackingSetting"]["googleAdsConversionCustomer"]
        terms = Terms(
            seed=self._seed,
            currency=self._currency or "",
            least_daily=self._least_daily,
            refusal=self.refusal,
            known_place=known_place,
            actions=self._actions,
            foreign=counting != owner,
            known_list=lambda account, number: self._data_manager.of(account, number) is not None,
            aiming=self._leave.aiming,
            curve=self._market.curve,
        )
        mutation = Mutation.of(owner, terms, self._objects, self._lives)
        results = mutation.run(asked.get("mutateOperations", []))
        if asked.get("validateOnly"):
            return {}
        self._objects, self._lives = mutation.objects, mutation.lives
        return {"mutateOperationResponses": results}


def _bearer(request: Request) -> str:
    return request.headers.get("authorization", "").removeprefix("Bearer ")


def _owner(asked: Mapping[str, Any]) -> str:
    """Return the resource name of the account that a request is about."""
    number = str(asked.get("customerId", ""))
    if len(number) != 10 or not number.isdecimal():
        raise refused("requestError", "INVALID_CUSTOMER_ID", f"Invalid customer ID '{number}'.", "customer_id")
    return f"customers/{number}"
