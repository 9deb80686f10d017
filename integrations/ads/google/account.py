"""Google's ad account and its review of ads, in words.

Pure. Sources: ``Customer`` and ``PolicySummary`` of the Google Ads API reference, v26. Invariant: a status that this
table doesn't know is told by its name, never taken for a good one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from integrations.ads.account import AdAccount
from integrations.ads.google.errors import policy_reasons
from integrations.ads.words import own_words

ACCOUNT_FIELDS = (
    "customer.currency_code",
    "customer.status",
    "customer.manager",
    "customer.time_zone",
    "customer.test_account",
)
REVIEW_FIELDS = (
    "ad_group.id",
    "ad_group_ad.ad.id",
    "ad_group_ad.policy_summary.approval_status",
    "ad_group_ad.policy_summary.policy_topic_entries",
)
_STATUSES: Mapping[str, str] = {
    "CANCELED": "it is cancelled",
    "CLOSED": "it is closed",
    "SUSPENDED": "it is suspended",
}


def ad_account(customer: Mapping[str, Any]) -> AdAccount:
    """Return the account in Google's answer."""
    currency, status = customer.get("currencyCode"), customer.get("status")
    troubles = []
    if isinstance(status, str) and status != "ENABLED":
        shown = own_words(status)[:60]
        troubles.append(f"{_STATUSES[status]} ({shown})" if status in _STATUSES else f"it is {shown}")
    if customer.get("manager") is True:
        troubles.append("it is a manager account, which runs no ads; name the account below it")
    return AdAccount(
        currency=currency if isinstance(currency, str) else "",
        trouble=", ".join(troubles),
        time_zone=own_words(customer.get("timeZone"))[:60],
    )


def refusal(ad: Mapping[str, Any]) -> str | None:
    """Return why the review has refused an ad (``adGroupAd`` of a row), None when it has not."""
    summary = ad.get("policySummary")
    if not isinstance(summary, dict) or summary.get("approvalStatus") != "DISAPPROVED":
        return None
    return policy_reasons(summary.get("policyTopicEntries")) or "without a reason"
