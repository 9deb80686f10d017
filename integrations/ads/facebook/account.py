"""Facebook's ad account and its review of ads, in words.

Pure. Sources: "Ad Account" (``account_status``, ``disable_reason``, ``min_daily_budget``, ``timezone_name``) and "Ad"
(``effective_status``, ``ad_review_feedback``, ``issues_info``) of the Marketing API reference. Invariant: a status that
this table doesn't know is no trouble: the platform decides when it is asked for ads.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from integrations.ads.account import AdAccount
from integrations.ads.facebook.money import major_units
from integrations.ads.words import own_words

ACCOUNT_FIELDS = "account_status,disable_reason,currency,min_daily_budget,timezone_name"
REVIEW_FIELDS = "id,name,effective_status,ad_review_feedback,issues_info"
#: 1 is active, 9 is in its grace period and still runs ads, 201 any active one.
_TROUBLES: Mapping[int, str] = {
    2: "it is disabled",
    3: "it is unsettled: a payment has failed or is due",
    7: "it waits for a risk review",
    8: "it waits for a settlement",
    100: "it is being closed",
    101: "it is closed",
    202: "it is closed",
}
_DISABLED_FOR: Mapping[int, str] = {
    1: "ads integrity policy",
    2: "review of intellectual property",
    3: "a risky payment",
    4: "a grey account was shut down",
    5: "a review of its ads",
    6: "business integrity",
    7: "permanent closing",
    8: "an unused reseller account",
    9: "an unused account",
}
_REFUSED = ("DISAPPROVED", "WITH_ISSUES")


def ad_account(found: Mapping[str, Any]) -> AdAccount:
    """Return the account in Facebook's answer."""
    currency = found.get("currency") if isinstance(found.get("currency"), str) else ""
    status = _whole(found.get("account_status"))
    trouble = _TROUBLES.get(status, "")
    reason = _DISABLED_FOR.get(_whole(found.get("disable_reason")), "")
    least = _whole(found.get("min_daily_budget"))
    return AdAccount(
        currency=str(currency),
        trouble=f"{trouble} ({reason})" if trouble and reason else trouble,
        time_zone=own_words(found.get("timezone_name"))[:60],
        min_daily=major_units(least, str(currency)) if least > 0 and currency else None,
    )


def refusal(ad: Mapping[str, Any]) -> str | None:
    """Return why the review has refused an ad, None when it has not."""
    if ad.get("effective_status") not in _REFUSED:
        return None
    return own_words(*_reasons(ad)) or "without a reason"


def _reasons(ad: Mapping[str, Any]) -> Iterator[str]:
    feedback = ad.get("ad_review_feedback")
    for group in feedback.values() if isinstance(feedback, dict) else ():
        for policy, text in group.items() if isinstance(group, dict) else ():
            yield f"{policy}: {text}" if isinstance(text, str) else str(policy)
    issues = ad.get("issues_info")
    for issue in issues if isinstance(issues, list) else ():
        if isinstance(issue, dict):
            yield str(issue.get("error_summary") or "")
            yield str(issue.get("error_message") or "")


def _whole(value: Any) -> int:
    if isinstance(value, str) and value.isascii() and value.isdecimal():
        return int(value[:18])
    return value if isinstance(value, int) and not isinstance(value, bool) else 0
