"""Questions to Google about our access: the accounts that the user reaches, and the ad account itself.

A refresh of the access token, ``GET customers:listAccessibleCustomers`` and the account's ``customer`` object, over
REST and without the SDK; each question is one operation of the quota. The access level of a developer token can't be
read: an account that it may not use is refused (``DEVELOPER_TOKEN_NOT_APPROVED``). A version is served until its month
in :data:`ENDS` (the schedule in "More frequent releases coming for the Google Ads API", Ads Developer Blog, 2025-09-04;
"Deprecation and sunset" of the Google Ads API documentation: it may end any time in that month).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from typing import TypeVar

from integrations.ads.google.account import ad_account
from integrations.ads.google.errors import PROVIDER
from integrations.ads.google.oauth import AccessToken
from integrations.ads.google.rest import VERSION, accessible_customers, customer
from integrations.ads.google.spec import SPEC
from integrations.errors import BadRequestError, NeedsAttentionError, NotFoundError
from integrations.http import credential
from integrations.online import OnlineCheck
from integrations.settings import Settings

T = TypeVar("T")
#: version of the API -> first day of the month in which Google stops serving it
ENDS: Mapping[str, date] = {"v26": date(2027, 11, 1)}
MAX_SHOWN = 10  #: accounts whose numbers are shown
NO_ACCESS = "USER_PERMISSION_DENIED"


def check(settings: Settings, timeout: float) -> OnlineCheck:
    """Return the accounts within reach, the state of the ad account, and when the version of the API ends."""

    def wire(send: Callable[[float], T], /) -> T:
        return send(timeout)

    assert SPEC.package is not None
    if missing := SPEC.package.missing():  # then nothing is placed there, and the sandbox can't answer either
        return OnlineCheck(asked=False, notes=(missing,))
    provider = settings.provider(PROVIDER)
    token, number = AccessToken(provider), credential(provider, "customer_id").replace("-", "")
    reached = accessible_customers(provider, token, wire)
    more = (f"{len(reached) - MAX_SHOWN} more accounts",) if len(reached) > MAX_SHOWN else ()
    told = OnlineCheck(
        rights=(*(f"account {one}" for one in reached[:MAX_SHOWN]), *more),
        account=f"ad account {number}",
        version=VERSION,
        version_ends=ENDS.get(VERSION),
    )
    try:
        found = customer(provider, token, number, wire)
    except (NeedsAttentionError, BadRequestError, NotFoundError) as error:
        if NO_ACCESS in (error.detail or ""):
            hint = "where a manager account gives the access, GOOGLE_ADS_LOGIN_CUSTOMER_ID names it"
            return replace(told, lacking=(f"access to account {number}",), problems=(hint,))
        problem = f"{error.message} ({error.detail})" if error.detail else error.message
        return replace(told, problems=(f"account {number} can't be used: {problem}",))
    account = ad_account(found)
    parts = [
        f"ad account {number}" + (f" in {account.currency}" if account.currency else ""),
        f"time zone {account.time_zone}" if account.time_zone else "",
    ]
    return replace(
        told,
        account=", ".join(part for part in parts if part),
        problems=(f"the ad account can't run ads: {account.trouble}",) if account.trouble else (),
        notes=("it is a test account, whose ads are never shown",) if found.get("testAccount") is True else (),
    )
