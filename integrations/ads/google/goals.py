"""Campaign goals in Google's words: how a campaign bids, and the one conversion action that it is tied to.

Pure. Source: "Conversion goals", "Campaign goals" and "Bidding strategy types" of the Google Ads API documentation:

    traffic        target_spend, as many clicks as the budget gives; nothing has to be counted
    leads, sales   maximize_conversions, tied to the conversion action of the landing page

A campaign begins with the account's standard goals, each of which makes all actions of one category and origin count.
It is tied to one action by a custom goal of this action alone, which the campaign's goal configuration names. That
leaves the standard goals on beside it, so they are switched off for the campaign. Bids and ``metrics.conversions`` are
of that one action then. The custom goal belongs to the account and serves all of its campaigns, for Google takes no
second one of the same actions (DUPLICATE_CONVERSION_ACTION_LIST).

Lead forms are no option: a lead form at Google is an asset that is shown beside an ad now and then, the ad leads to the
landing page all the same. It needs terms that a person has accepted (``AssetError.LEAD_FORM_MISSING_AGREEMENT``), which
Google offers to some accounts only ("About lead form assets"), and what people write stays at Google until it is
fetched. A form that the account has already counts through its own conversion action (type LEAD_FORM_SUBMIT).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from integrations.ads.goal import Goal, goal_problem
from integrations.ads.google.errors import PROVIDER
from integrations.ads.google.spec import SPEC
from integrations.errors import BadRequestError


@dataclass(frozen=True, slots=True, kw_only=True)
class Aim:
    """What a goal makes of a campaign."""

    bidding: Mapping[str, Any]  #: the campaign's field that says how it bids
    action: str = ""  #: number of the conversion action that it is tied to, "" for none


@dataclass(frozen=True, slots=True, kw_only=True)
class Tie:
    """What has to be done to tie a campaign to one conversion action."""

    action: str  #: resource name of the conversion action
    custom: str = ""  #: resource name of the account's custom goal of this action alone; "": it has none yet
    named: bool = False  #: the campaign's goal configuration names that custom goal already
    standard: tuple[str, ...] = ()  #: standard goals to switch off, each as ``CATEGORY~ORIGIN``


def aim(goal: Goal, options: Mapping[str, str]) -> Aim:
    """Return what ``goal`` makes of a campaign, given the provider's options.

    Raises BadRequestError that names the variable when the conversion action is missing.
    """
    problem = goal_problem(SPEC, goal, options)
    if problem is not None:
        raise BadRequestError(PROVIDER, problem)
    if goal is Goal.TRAFFIC:
        return Aim(bidding={"target_spend": {}})
    return Aim(bidding={"maximize_conversions": {}}, action=options["conversion_id"])
