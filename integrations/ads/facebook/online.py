"""Question to Facebook about our access: the token's permissions, and the ad account.

``GET /me/permissions`` ("User Permissions" of the Graph API reference) lists what the token's owner has granted;
``ads_management`` is needed to make ads. The account is read as before each campaign
(:mod:`integrations.ads.facebook.account`).
"""

from __future__ import annotations

from integrations.ads.facebook.account import ACCOUNT_FIELDS, ad_account
from integrations.ads.facebook.errors import PROVIDER
from integrations.ads.facebook.wire import Graph
from integrations.fields import missing
from integrations.online import OnlineCheck
from integrations.settings import Settings

NEEDED = ("ads_management",)


def check(settings: Settings, timeout: float) -> OnlineCheck:
    """Return the permissions of the token and the state of the ad account."""
    from facebook_business.apiconfig import ads_api_config

    provider = settings.provider(PROVIDER)
    graph = Graph(provider)
    listed = graph.get("me", "permissions", timeout=timeout).get("data")
    if not isinstance(listed, list):
        raise missing(PROVIDER, "data")
    granted = tuple(
        sorted(
            str(one.get("permission"))[:60]
            for one in listed
            if isinstance(one, dict) and one.get("status") == "granted" and isinstance(one.get("permission"), str)
        )
    )
    version = str(ads_api_config["API_VERSION"])
    lacking = tuple(name for name in NEEDED if name not in granted)
    if lacking:  # the account can't be read then
        return OnlineCheck(rights=granted, lacking=lacking, version=version)
    account = ad_account(graph.get(graph.account, timeout=timeout, fields=ACCOUNT_FIELDS))
    least = f", at least {account.min_daily} a day" if account.min_daily is not None else ""
    return OnlineCheck(
        rights=granted,
        account=f"ad account {graph.account.removeprefix('act_')}"
        + (f" in {account.currency}{least}" if account.currency else ""),
        version=version,
        problems=(f"the ad account can't run ads: {account.trouble}",) if account.trouble else (),
    )
