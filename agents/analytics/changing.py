"""Unit that changes one setting of an ad campaign that runs, such as its daily budget.

The setting as it stood is journalled before the platform is told anything, so a change that was cut off anywhere is
carried on, and can be put back. Invariants: what is set is an absolute value, so nothing is done twice by being done
again; money that a platform may have been given is held until it is known which.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from agents.ad_management.deployment import wire_of
from agents.unit_kind import Part, UnitKind
from integrations.ads.changes import Change, ChangePlan, DailyBudget, Setting
from integrations.ads.platform import RemoteCampaign, RunningBudget

if TYPE_CHECKING:
    from agents.ports import UnitContext

PLANNED = "planned"  #: journal entry: the setting before and after


class ChangeAd(Part):
    """One setting of the campaign's ads on one platform that shall be different."""

    platform: str
    remote_ids: Mapping[str, str]
    effect_key: str
    start: datetime
    end: datetime | None
    change: Change


class Changed(Part):
    """What stood before and what stands now, in the platform's own form."""

    before: Setting
    after: Setting


def change(given: ChangeAd, ctx: UnitContext) -> Changed:
    """Make the platform change the setting.

    Raises OverBudgetError, before anything is sent, when a cap on ad money has no room for a daily budget.
    """
    platform, wire = ctx.providers.ads(given.platform), wire_of(ctx, given.platform)
    remote = RemoteCampaign(id=given.remote_ids["campaign"], ids=given.remote_ids)
    money = _money(given)
    if money is not None:
        ctx.ad_budget.reserve(money)
    known = ctx.journaled(PLANNED)
    if known is None:
        plan = platform.changes.plan(remote, given.change, wire=wire)
        ctx.intend(PLANNED, plan.model_dump(mode="json"))
    else:
        plan = ChangePlan.model_validate(known)
    platform.changes.apply(remote, plan.after, wire=wire)
    if money is not None:
        ctx.ad_budget.placed(money)
    return Changed(before=plan.before, after=plan.after)


def _money(given: ChangeAd) -> RunningBudget | None:
    """Return the money that the change is about, None for a change of something else."""
    if not isinstance(given.change, DailyBudget):
        return None
    return RunningBudget(
        effect_key=given.effect_key,
        daily_budget=given.change.amount,
        currency=given.change.currency,
        start=given.start,
        end=given.end,
    )


CHANGE = UnitKind(name="change", input=ChangeAd, output=Changed, run=change)
