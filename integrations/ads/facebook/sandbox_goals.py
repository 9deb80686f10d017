"""Goals at the sandbox's Facebook: which optimisation an objective allows, and what has to be promoted for it.

Pure functions. Source: "Outcome-Driven Ads Experiences" and "Ad Set" of the Marketing API documentation. Invariant: a
combination that Facebook would refuse is refused here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_ALWAYS = frozenset({"LINK_CLICKS", "LANDING_PAGE_VIEWS", "REACH", "IMPRESSIONS"})
OPTIMIZATIONS: Mapping[str, frozenset[str]] = {
    "OUTCOME_AWARENESS": frozenset({"REACH", "IMPRESSIONS", "AD_RECALL_LIFT", "THRUPLAY"}),
    "OUTCOME_TRAFFIC": _ALWAYS | {"CONVERSATIONS", "QUALITY_CALL"},
    "OUTCOME_ENGAGEMENT": _ALWAYS | {"POST_ENGAGEMENT", "THRUPLAY", "CONVERSATIONS", "OFFSITE_CONVERSIONS"},
    "OUTCOME_LEADS": _ALWAYS | {"LEAD_GENERATION", "QUALITY_LEAD", "OFFSITE_CONVERSIONS", "CONVERSATIONS"},
    "OUTCOME_SALES": _ALWAYS | {"OFFSITE_CONVERSIONS", "VALUE", "CONVERSATIONS"},
    "OUTCOME_APP_PROMOTION": frozenset({"APP_INSTALLS", "LINK_CLICKS", "VALUE"}),
}
_BY_PIXEL = ("OFFSITE_CONVERSIONS", "VALUE")
_BY_FORM = ("LEAD_GENERATION", "QUALITY_LEAD")
_NOT_AVAILABLE = (
    "Performance goal isn't available",
    "Please specify a different performance goal or change the campaign objective.",
)
#: "Advantage lookalike" of the Marketing API documentation: the parameter is an error with an unsupported objective
_NOT_WIDENED = ("Advantage lookalike isn't available", "Remove it, or change the campaign objective.")
_NOTHING_PROMOTED = ("Promoted object is missing", "Select what the ad set promotes for its performance goal.")


def ad_set_trouble(fields: Mapping[str, Any], objective: str) -> tuple[str, int | None, tuple[str, str]] | None:
    """Return the refused field, subcode and words of an ad set that doesn't fit the campaign's objective, else None."""
    goal, promoted = fields["optimization_goal"], fields.get("promoted_object") or {}
    if goal not in OPTIMIZATIONS.get(objective, frozenset()):
        return "optimization_goal", 2490408, _NOT_AVAILABLE
    if goal in _BY_PIXEL and not (_is_id(promoted.get("pixel_id")) and promoted.get("custom_event_type")):
        return "promoted_object", None, _NOTHING_PROMOTED
    if goal in _BY_FORM and not _is_id(promoted.get("page_id")):
        return "promoted_object", None, _NOTHING_PROMOTED
    if goal in _BY_FORM and fields.get("destination_type") != "ON_AD":
        return "destination_type", None, ("Destination is missing", "Lead forms open on the ad.")
    relaxed = fields["targeting"].get("targeting_relaxation_types") or {}
    if "lookalike" in relaxed and goal not in (*_BY_PIXEL, *_BY_FORM):
        return "targeting", None, _NOT_WIDENED
    return None


def lacks_form(creative: Mapping[str, Any], ad_set: Mapping[str, Any]) -> bool:
    """Return whether an ad of an ad set that collects leads on a form has none."""
    link = creative["object_story_spec"].get("link_data") or {}
    value = (link.get("call_to_action") or {}).get("value") or {}
    return ad_set["optimization_goal"] in _BY_FORM and not _is_id(value.get("lead_gen_form_id"))


def conversion_actions(ad_set: Mapping[str, Any]) -> tuple[str, str]:
    """Return the two overlapping action types under which a conversion of an ad set is reported."""
    if ad_set["optimization_goal"] in _BY_FORM:
        return "onsite_conversion.lead_grouped", "lead"
    if (ad_set.get("promoted_object") or {}).get("custom_event_type") == "PURCHASE":
        return "offsite_conversion.fb_pixel_purchase", "purchase"
    return "offsite_conversion.fb_pixel_lead", "lead"


def _is_id(value: Any) -> bool:
    return isinstance(value, str) and value.isdecimal()
