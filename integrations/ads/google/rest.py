"""Questions that are asked over Google's REST interface: what the ad account is, and what it counts conversions with.

They are asked before a campaign's first hop, by workers of any queue, which need no SDK of 70 MB for it. The interface
is the same service with the same queries, answers and failures, in JSON. Source: "REST interface" of the Google Ads API
documentation (``googleAds:search``).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from integrations.ads.google.account import ACCOUNT_FIELDS
from integrations.ads.google.errors import PROVIDER, failure_error
from integrations.ads.google.gaql import query
from integrations.ads.google.oauth import AccessToken
from integrations.ads.platform import Wire
from integrations.errors import IntegrationError, OutcomeUnknownError, TransientError
from integrations.http import HttpReply, credential, send
from integrations.http_errors import error_class, retry_after
from integrations.settings import ProviderSettings

VERSION = "v26"


def customer(settings: ProviderSettings, token: AccessToken, customer_id: str, wire: Wire) -> Mapping[str, Any]:
    """Return the account's ``customer`` object."""
    row = first_row(settings, token, customer_id, query(ACCOUNT_FIELDS, "customer"), wire) or {}
    found = row.get("customer")
    if not isinstance(found, dict):
        raise TransientError(PROVIDER, "answered a question for the account without it")
    return found


def first_row(
    settings: ProviderSettings, token: AccessToken, customer_id: str, asked: str, wire: Wire
) -> Mapping[str, Any] | None:
    """Return the first row that a query selects, None without one."""
    bearer = token.current(wire)
    return wire(lambda timeout: _answered(settings, token, bearer, customer_id, asked, timeout))


def _answered(
    settings: ProviderSettings, token: AccessToken, bearer: str, customer_id: str, asked: str, timeout: float
) -> Mapping[str, Any] | None:
    manager = settings.options["login_customer_id"].replace("-", "")
    secrets = [bearer, *settings.credentials.values()]

    def refused(reply: HttpReply) -> type[IntegrationError]:
        """Raise what a failure in the body means, else return the class by the status."""
        if reply.status == 401:
            token.forget(bearer)
        found = failure_error(_failure(reply), write=False, secrets=secrets)
        if found is not None:
            if found.retry_after is None:
                found.retry_after = retry_after(reply.headers)
            raise found
        return error_class("GET", reply.status)  # it reads, though it is sent by POST

    try:
        reply = send(
            PROVIDER,
            "POST",
            f"{settings.base_url}/{VERSION}/customers/{customer_id}/googleAds:search",
            reach=settings.reach,
            timeout=timeout,
            json={"query": asked},
            headers={
                "Authorization": f"Bearer {bearer}",
                "developer-token": credential(settings, "developer_token"),
                **({"login-customer-id": manager} if manager else {}),
            },
            classify=refused,
        )
        results = reply.json_object().get("results", [])  # which protobuf leaves out where there are none
    except OutcomeUnknownError as error:
        raise TransientError(PROVIDER, error.message, detail=error.detail) from None
    if results == []:
        return None
    row = results[0] if isinstance(results, list) else None
    if not isinstance(row, dict):
        raise TransientError(PROVIDER, "answered a search without results")
    return row


def _failure(reply: HttpReply) -> Mapping[str, Any]:
    """Return the GoogleAdsFailure in an error's body, {} without one."""
    try:
        error = reply.json_object().get("error")
    except IntegrationError:
        return {}
    details = error.get("details") if isinstance(error, dict) else None
    listed = details if isinstance(details, list) else []
    return next((one for one in listed if isinstance(one, dict) and isinstance(one.get("errors"), list)), {})
