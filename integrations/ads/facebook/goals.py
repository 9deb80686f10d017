"""Campaign goals in Facebook's words: objective, optimisation, and what is promoted.

Pure. Source: "Outcome-Driven Ads Experiences" and "Ad Set" (``optimization_goal``, ``promoted_object``,
``destination_type``) of the Marketing API documentation:

    traffic          OUTCOME_TRAFFIC, LINK_CLICKS
    leads, a form    OUTCOME_LEADS, LEAD_GENERATION, ON_AD, promotes the page
    leads, a pixel   OUTCOME_LEADS, OFFSITE_CONVERSIONS, promotes the pixel's event LEAD
    sales            OUTCOME_SALES, OFFSITE_CONVERSIONS, promotes the pixel's event PURCHASE

All are billed for impressions. Ads of every goal are tracked by the pixel where one is set. Invariant: a form goes
before a pixel, because it needs no visit of the page.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from integrations.ads.call_to_action import Intent, intent
from integrations.ads.facebook.buttons import BUTTONS
from integrations.ads.facebook.errors import PROVIDER
from integrations.ads.facebook.spec import SPEC
from integrations.ads.goal import Goal, goal_problem
from integrations.errors import BadRequestError

#: Where an ad with a form leads: the form opens inside Facebook.
FORM_LINK = "http://fb.me/"
#: Buttons that an ad with a form may have ("Lead Ads", Marketing API); any other intent signs up.
_FORM_BUTTONS = (Intent.APPLY, Intent.DOWNLOAD, Intent.QUOTE, Intent.LEARN_MORE, Intent.SIGN_UP, Intent.SUBSCRIBE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Aim:
    """What a goal makes of a campaign, its ad set and its ads."""

    objective: str
    ad_set: Mapping[str, Any] = field(default_factory=dict)  #: fields of the ad set
    form: str = ""  #: id of the lead form, "" when the ad leads to the landing page
    ad: Mapping[str, Any] = field(default_factory=dict)  #: fields of each ad


def aim(goal: Goal, options: Mapping[str, str], page: str) -> Aim:
    """Return the objects' fields for ``goal``, given the provider's options and the page's id.

    Raises BadRequestError that names the variable when an id is missing.
    """
    problem = goal_problem(SPEC, goal, options)
    if problem is not None:
        raise BadRequestError(PROVIDER, problem)
    form, pixel = options.get("lead_form_id", ""), options.get("pixel_id", "")
    tracked = {"tracking_specs": [{"action.type": ["offsite_conversion"], "fb_pixel": [pixel]}]} if pixel else {}
    if goal is Goal.TRAFFIC:
        return Aim(objective="OUTCOME_TRAFFIC", ad_set={"optimization_goal": "LINK_CLICKS"}, ad=tracked)
    if goal is Goal.LEADS and form:
        fields = {
            "optimization_goal": "LEAD_GENERATION",
            "destination_type": "ON_AD",
            "promoted_object": {"page_id": page},
        }
        return Aim(objective="OUTCOME_LEADS", ad_set=fields, form=form, ad=tracked)
    event = "LEAD" if goal is Goal.LEADS else "PURCHASE"
    fields = {
        "optimization_goal": "OFFSITE_CONVERSIONS",
        "destination_type": "WEBSITE",
        "promoted_object": {"pixel_id": pixel, "custom_event_type": event},
    }
    return Aim(objective=f"OUTCOME_{goal.upper()}", ad_set=fields, ad=tracked)


def form_button(call_to_action: str) -> str:
    """Return the ``call_to_action.type`` of an ad with a form."""
    wanted = intent(call_to_action)
    return BUTTONS[wanted if wanted in _FORM_BUTTONS else Intent.SIGN_UP]
