"""LinkedIn's ad account and its review of creatives, in words.

Pure. Sources: "Ad Accounts" (``status``, ``servingStatuses``) and "Creatives" (``review``) of the Marketing API
documentation. Invariant: a status that this table doesn't know is told by its name, never taken for a good one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from integrations.ads.account import AdAccount
from integrations.ads.words import own_words

_STATUSES: Mapping[str, str] = {
    "CANCELED": "it is closed",
    "DRAFT": "it is a draft",
    "PENDING_DELETION": "it is being deleted",
    "REMOVED": "it has been deleted",
}
_HOLDS: Mapping[str, str] = {
    "STOPPED": "it is stopped",
    "BILLING_HOLD": "it is on hold for its billing",
    "ACCOUNT_TOTAL_BUDGET_HOLD": "its total budget is used up",
    "ACCOUNT_END_DATE_HOLD": "its end date has passed",
    "RESTRICTED_HOLD": "it is restricted",
    "INTERNAL_HOLD": "LinkedIn holds it",
}
#: LinkedIn counts days in UTC, whatever the account ("Reporting", ``dateRange``).
REPORT_ZONE = "UTC"
_FINE = ("ACTIVE", "RUNNABLE")


def ad_account(found: Mapping[str, Any]) -> AdAccount:
    """Return the account in LinkedIn's answer."""
    currency, status, serving = found.get("currency"), found.get("status"), found.get("servingStatuses")
    named = [status, *(serving if isinstance(serving, list) else [])]
    troubles = [_trouble(one) for one in named if isinstance(one, str) and one not in _FINE]
    return AdAccount(
        currency=currency if isinstance(currency, str) else "",
        trouble=", ".join(dict.fromkeys(troubles)),
        time_zone=REPORT_ZONE,
    )


def refusal(creative: Mapping[str, Any]) -> str | None:
    """Return why the review has refused a creative, None when it has not."""
    review = creative.get("review")
    if not isinstance(review, dict) or review.get("status") != "REJECTED":
        return None
    reasons = review.get("rejectionReasons")
    said = [_reason(one) for one in reasons] if isinstance(reasons, list) else []
    return own_words(", ".join(one for one in said if one)) or "without a reason"


def _trouble(status: str) -> str:
    shown = own_words(status)[:60]
    meaning = _STATUSES.get(status) or _HOLDS.get(status)
    return f"{meaning} ({shown})" if meaning else f"it is {shown}"


def _reason(one: Any) -> str:
    if isinstance(one, dict):
        one = one.get("description") or one.get("reason") or one.get("code")
    return one if isinstance(one, str) else ""
