"""Questions that are asked over Google's REST interface: the ad account, what it counts, and whom a user reaches.

They are asked before a campaign's first hop and by ``campaigns doctor --online``, by processes that need no SDK of
70 MB for it. The interface is the same service with the same queries, answers and failures, in JSON. Source: "REST
interface" of the Google Ads API documentation (``googleAds:search``, ``customers:listAccessibleCustomers``).
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
from integrations.fields import missing
from integrations.http import HttpReply, credential, send
from integrations.http_errors import error_class, retry_after
from integrations.settings import ProviderSettings

VERSION = "v26"


def customer(settings: ProviderSettings, token: AccessToken, customer_id: str, wire: Wire) -> Mapping[str, Any]:
    """Return the account's ``customer`` object."""
    row = first_row(settings, token, customer_id, query(ACCOUNT_FIELDS, "customer"), wire) or {}
    found = row.get("customer")
    if not isinstance(found, dict):
        raise missing(PROVIDER, "results[0].customer", TransientError)
    return found


def first_row(
    settings: ProviderSettings, token: AccessToken, customer_id: str, asked: str, wire: Wire
) -> Mapping[str, Any] | None:
    """Return the first row that a query selects, None without one."""
    path, body = f"customers/{customer_id}/googleAds:search", {"query": asked}
    manager = settings.options["login_customer_id"].replace("-", "")
    headers = {"login-customer-id": manager} if manager else {}
    bearer = token.current(wire)
    answer = wire(lambda timeout: _asked(settings, token, bearer, "POST", path, timeout, json=body, headers=headers))
    results = answer.get("results", [])  # which protobuf leaves out where there are none
    if results == []:
        return None
    row = results[0] if isinstance(results, list) else None
    if not isinstance(row, dict):
        raise missing(PROVIDER, "results[0]", TransientError)
    return row


def accessible_customers(settings: ProviderSettings, token: AccessToken, wire: Wire) -> tuple[str, ...]:
    """Return the numbers of the accounts that the user reaches directly, which may be manager accounts.

    It needs the user's leave and a developer token only, no right to any one account.
    """
    bearer = token.current(wire)
    body = wire(
        lambda timeout: _asked(settings, token, bearer, "GET", "customers:listAccessibleCustomers", timeout, headers={})
    )
    names = body.get("resourceNames", [])  # left out when there is none
    if not isinstance(names, list):
        raise missing(PROVIDER, "resourceNames", TransientError)
    numbers = (name.removeprefix("customers/") for name in names if isinstance(name, str))
    return tuple(number for number in numbers if number.isascii() and number.isdecimal())


def _asked(
    settings: ProviderSettings,
    token: AccessToken,
    bearer: str,
    method: str,
    path: str,
    timeout: float,
    *,
    json: object = None,
    headers: Mapping[str, str],
) -> Mapping[str, Any]:
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
        return error_class("GET", reply.status)  # it reads, even where it is sent by POST

    try:
        return send(
            PROVIDER,
            method,
            f"{settings.base_url}/{VERSION}/{path}",
            reach=settings.reach,
            timeout=timeout,
            json=json,
            headers={
                "Authorization": f"Bearer {bearer}",
                "developer-token": credential(settings, "developer_token"),
                **headers,
            },
            classify=refused,
        ).json_object()
    except OutcomeUnknownError as error:
        raise TransientError(PROVIDER, error.message, detail=error.detail) from None


def _failure(reply: HttpReply) -> Mapping[str, Any]:
    """Return the GoogleAdsFailure in an error's body, {} without one."""
    try:
        error = reply.json_object().get("error")
    except IntegrationError:
        return {}
    details = error.get("details") if isinstance(error, dict) else None
    listed = details if isinstance(details, list) else []
    return next((one for one in listed if isinstance(one, dict) and isinstance(one.get("errors"), list)), {})
