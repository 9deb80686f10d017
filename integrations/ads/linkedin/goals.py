"""Campaign goals in LinkedIn's words: objective, optimisation, form and conversion.

Pure. Source: "Campaign objectives", "Create and manage campaigns", "Creatives" and "Conversion tracking" of the
Marketing API documentation:

    traffic              WEBSITE_VISIT, MAX_CLICK
    leads, a form        LEAD_GENERATION, MAX_LEAD; each creative opens the form
    leads, a conversion  WEBSITE_CONVERSION, MAX_CONVERSION; the campaign is tied to the conversion of the Insight Tag
    sales                the same

All are paid for impressions. A campaign for traffic is tied to the conversion too where one is set: LinkedIn counts
conversions of campaigns that are. Invariant: a form goes before a conversion, because it needs no visit of the page.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from integrations.ads.goal import Goal, goal_problem
from integrations.ads.linkedin.spec import SPEC
from integrations.ads.linkedin.wire import PROVIDER
from integrations.errors import BadRequestError


@dataclass(frozen=True, slots=True, kw_only=True)
class Aim:
    """What a goal makes of a campaign and its creatives."""

    objective: str
    optimization: str
    form: str = ""  #: URN of the lead form, "" when the ad leads to the landing page
    conversion: str = ""  #: URN of the conversion that the campaign is tied to


def aim(goal: Goal, options: Mapping[str, str]) -> Aim:
    """Return what ``goal`` makes of a campaign, given the provider's options.

    Raises BadRequestError that names the variable when an id is missing.
    """
    problem = goal_problem(SPEC, goal, options)
    if problem is not None:
        raise BadRequestError(PROVIDER, problem)
    form, conversion = options.get("lead_form_id", ""), options.get("conversion_id", "")
    tied = f"urn:lla:llaPartnerConversion:{conversion}" if conversion else ""
    if goal is Goal.TRAFFIC:
        return Aim(objective="WEBSITE_VISIT", optimization="MAX_CLICK", conversion=tied)
    if goal is Goal.LEADS and form:
        return Aim(objective="LEAD_GENERATION", optimization="MAX_LEAD", form=f"urn:li:adForm:{form}")
    return Aim(objective="WEBSITE_CONVERSION", optimization="MAX_CONVERSION", conversion=tied)
