"""Question to LinkedIn about our access: the ad account, and our roles in it.

``GET /rest/adAccounts/{id}`` and the finder ``GET /rest/adAccountUsers?q=authenticatedUser`` ("Ad Account Users" of the
Marketing API documentation). Scopes of a token can't be read without the application's secret; what the role allows is
what ads need. A version of the API (YYYYMM) is served for about a year ("Versioning").
"""

from __future__ import annotations

import re
from datetime import date

from integrations.ads.linkedin.account import ad_account
from integrations.ads.linkedin.wire import PROVIDER, RestLi, elements
from integrations.http import credential
from integrations.online import OnlineCheck
from integrations.settings import Settings

#: Roles that may make and change campaigns.
MAKING = ("ACCOUNT_BILLING_ADMIN", "ACCOUNT_MANAGER", "CAMPAIGN_MANAGER")


def check(settings: Settings, timeout: float) -> OnlineCheck:
    """Return the state of the ad account, our roles in it, and when the version of the API ends."""
    provider = settings.provider(PROVIDER)
    api, number = RestLi(provider), credential(provider, "ad_account_id")
    account = ad_account(api.get(f"/adAccounts/{number}", {}, timeout=timeout))
    users = elements(api.get("/adAccountUsers", {"q": "authenticatedUser"}, timeout=timeout, finder=True))
    roles = {
        str(user.get("role"))[:40]
        for user in users
        if user.get("account") == f"urn:li:sponsoredAccount:{number}" and isinstance(user.get("role"), str)
    }
    version = provider.options["version"]
    return OnlineCheck(
        rights=tuple(sorted(roles)),
        lacking=() if roles & {*MAKING} else (f"one of the roles {', '.join(MAKING)} in the ad account",),
        account=f"ad account {number}" + (f" in {account.currency}" if account.currency else ""),
        version=version,
        version_ends=ends(version),
        problems=(f"the ad account can't run ads: {account.trouble}",) if account.trouble else (),
    )


def ends(version: str) -> date | None:
    """Return the first day of the month in which a version is a year old, or None when it is no YYYYMM."""
    found = re.fullmatch(r"(20\d\d)(0[1-9]|1[0-2])", version)
    return date(int(found[1]) + 1, int(found[2]), 1) if found else None
