"""Question to LinkedIn about our access: the ad account, our roles in it, and customer lists where they are set up.

``GET /rest/adAccounts/{id}`` and the finder ``GET /rest/adAccountUsers?q=authenticatedUser`` ("Ad Account Users" of the
Marketing API documentation). Scopes of a token can't be read without the application's secret; what the role allows is
what ads need. Where LINKEDIN_SOURCE_PLATFORM is set, a DMP segment is listed ("DMP Segments"), for which the scope
``rw_dmp_segments`` is needed. A version of the API (YYYYMM) is served for about a year ("Versioning").
"""

from __future__ import annotations

import re
from datetime import date

from integrations.ads.linkedin.account import ad_account
from integrations.ads.linkedin.wire import PROVIDER, RestLi, elements, text
from integrations.errors import CredentialsError
from integrations.http import credential
from integrations.online import OnlineCheck
from integrations.settings import Settings

LISTS = "rw_dmp_segments (Audiences programme), for customer lists"
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
    lacking = [] if roles & {*MAKING} else [f"one of the roles {', '.join(MAKING)} in the ad account"]
    if provider.options["source_platform"] and not _takes_lists(api, timeout):
        lacking.append(LISTS)
    version = provider.options["version"]
    return OnlineCheck(
        rights=tuple(sorted(roles)),
        lacking=tuple(lacking),
        account=f"ad account {number}" + (f" in {account.currency}" if account.currency else ""),
        version=version,
        version_ends=ends(version),
        problems=(f"the ad account can't run ads: {account.trouble}",) if account.trouble else (),
    )


def _takes_lists(api: RestLi, timeout: float) -> bool:
    query = {"q": "account", "account": text(api.account_urn), "start": "0", "count": "1"}
    try:
        elements(api.get("/dmpSegments", query, timeout=timeout))
    except CredentialsError:  # the token is good: it has read the account
        return False
    return True


def ends(version: str) -> date | None:
    """Return the first day of the month in which a version is a year old, or None when it is no YYYYMM."""
    found = re.fullmatch(r"(20\d\d)(0[1-9]|1[0-2])", version)
    return date(int(found[1]) + 1, int(found[2]), 1) if found else None
