"""Conversion action that counts leads and sales, as the account shows it: whether campaigns can be tied to it.

Pure. Sources: ``ConversionAction``, ``ConversionTrackingSetting`` and ``ConversionActionCategory`` of the Google Ads
API reference, v26. A category says what an action counts; the many that say nothing of leads or sales (DEFAULT,
PAGE_VIEW, BEGIN_CHECKOUT and others) are the owner's choice. Invariant: each sentence names the variable, and what
would be right.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from integrations.ads.goal import Goal
from integrations.ads.google.gaql import query
from integrations.ads.google.spec import SPEC
from integrations.ads.words import own_words

_FIELDS = (
    "conversion_action.name",
    "conversion_action.status",
    "conversion_action.category",
    "customer.conversion_tracking_setting.google_ads_conversion_customer",
)
_COUNTED = tuple(goal for goal in SPEC.goals if goal is not Goal.TRAFFIC)
#: Categories that say which goal an action counts.
CATEGORIES: Mapping[Goal, tuple[str, ...]] = {
    Goal.LEADS: (
        "SUBMIT_LEAD_FORM",
        "SIGNUP",
        "CONTACT",
        "REQUEST_QUOTE",
        "BOOK_APPOINTMENT",
        "PHONE_CALL_LEAD",
        "MESSAGE_LEAD",
        "IMPORTED_LEAD",
        "QUALIFIED_LEAD",
        "CONVERTED_LEAD",
    ),
    Goal.SALES: ("PURCHASE", "SUBSCRIBE_PAID", "STORE_SALE", "CONVERTED_LEAD"),
}


def is_number(action: str) -> bool:
    """Return whether ``action`` can be the number of a conversion action."""
    return action.isascii() and action.isdecimal()


def action_query(action: str) -> str:
    """Return the query for the conversion action of that number, which has one row or none."""
    return query(_FIELDS, "conversion_action", f"conversion_action.id = {action}")


def unserved(action: str, row: Mapping[str, Any] | None, customer_id: str) -> dict[Goal, str]:
    """Return which goals the conversion action of number ``action`` can't count, and why.

    ``row`` is the answer to :func:`action_query`, None where the account has no such action.
    """
    if (trouble := _trouble(action, row, customer_id)) is not None:
        return dict.fromkeys(_COUNTED, _about(action, trouble))
    found = _part(row or {}, "conversionAction")
    category = found.get("category")
    fitting = [goal for goal in _COUNTED if category in CATEGORIES[goal]]
    said = f"the conversion action {_name(found)} counts {category}"
    return {
        goal: _about(action, f"{said}; goal={goal} needs one of {', '.join(CATEGORIES[goal])}, or DEFAULT")
        for goal in _COUNTED
        if fitting and goal not in fitting
    }


def _trouble(action: str, row: Mapping[str, Any] | None, customer_id: str) -> str | None:
    """Return why no campaign at all can be tied to the action, None when some can."""
    where = "the number after ctId= in the address of the action's page in Google Ads (Goals, Conversions)"
    if not is_number(action):
        return f"is no number of a conversion action; it is {where}"
    if row is None:
        return f"the ad account has no such conversion action; take {where}"
    setting = _part(_part(row, "customer"), "conversionTrackingSetting")
    counting = setting.get("googleAdsConversionCustomer")
    if isinstance(counting, str) and counting and counting != f"customers/{customer_id}":
        return (
            "a manager account counts this ad account's conversions (cross-account conversion tracking); campaigns can "
            "be tied to an action of the ad account itself only"
        )
    found = _part(row, "conversionAction")
    if found.get("status") != "ENABLED":
        status = own_words(found.get("status"))[:60] or "without a status"
        return f"the conversion action {_name(found)} is {status}; enable it in Google Ads, or name one that is ENABLED"
    return None


def _about(action: str, said: str) -> str:
    assert SPEC.provider is not None
    return f"{SPEC.provider.options['conversion_id'].variable}={own_words(action)[:60]}: {said}"


def _name(found: Mapping[str, Any]) -> str:
    return f'"{own_words(found.get("name"))[:60]}"'


def _part(row: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = row.get(key)
    return found if isinstance(found, dict) else {}
