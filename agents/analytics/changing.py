"""Unit that changes an ad campaign that is there: one of its settings, such as its daily budget, and whether it runs.

The setting as it stood is journalled before the platform is told anything, so a change that was cut off anywhere is
carried on, and can be put back. Invariants: what is set is an absolute value, so nothing is done twice by being done
again; money that a platform may have been given is held until it is known which.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from agents.ad_management.deployment import wire_of
from agents.ad_management.running import creative_on, own_remote_ids
from agents.state import MarketingAgentState
from agents.unit import StageResult, Unit, effect_key
from agents.unit_kind import Part, UnitKind
from integrations.ads.changes import Change, ChangePlan, DailyBudget, Setting
from integrations.ads.platform import ACTIVE, AdPlatform, RemoteCampaign, RunningBudget, Wire
from integrations.errors import IntegrationError, NotFoundError

if TYPE_CHECKING:
    from agents.ports import UnitContext

PLANNED = "planned"  #: journal entry: the setting before and after
ENABLING = "enabling"  #: journal entry: the campaign that is switched on by the next call


class ChangeAd(Part):
    """Something of the campaign's ads on one platform that shall be different: a setting, whether they run, or both."""

    platform: str
    remote_ids: Mapping[str, str]
    effect_key: str
    start: datetime
    end: datetime | None
    change: Change | None = None
    restore: Setting | None = None  #: a setting that stood before, which is put back
    running: bool | None = None  #: None: as it is
    runs_at: DailyBudget | None = None  #: what it spends a day where it runs, unless that is what changes


class Changed(Part):
    """What stood before and what stands now, in the platform's own form."""

    before: Setting | None
    after: Setting | None
    running: bool | None


def change(given: ChangeAd, ctx: UnitContext) -> Changed:
    """Make the platform change the setting.

    Raises OverBudgetError, before anything is sent, when a cap on ad money has no room for a daily budget.
    """
    platform, wire = ctx.providers.ads(given.platform), wire_of(ctx, given.platform)
    remote = RemoteCampaign(id=given.remote_ids["campaign"], ids=given.remote_ids)
    if given.running is False:
        platform.pause(remote, wire=wire)
        ctx.ad_budget.stopped(given.effect_key)
    money, plan = _money(given), None
    if money is not None:
        ctx.ad_budget.reserve(money)
    if given.change is not None:
        plan = _planned(ctx, platform, remote, given.change, wire)
        platform.changes.apply(remote, plan.after, wire=wire)
    if given.restore is not None:
        platform.changes.apply(remote, given.restore, wire=wire)
    if given.running:
        ctx.intend(ENABLING, remote.id)  # the call that begins to spend: surely ours, and surely not cancelled
        platform.enable(remote, wire=wire)
    if money is not None:
        ctx.ad_budget.placed(money)
    return Changed(
        before=plan.before if plan else None, after=plan.after if plan else given.restore, running=given.running
    )


def _planned(ctx: UnitContext, platform: AdPlatform, remote: RemoteCampaign, wanted: Change, wire: Wire) -> ChangePlan:
    """Return the setting before and after, as the first attempt found it."""
    known = ctx.journaled(PLANNED)
    if known is not None:
        return ChangePlan.model_validate(known)
    plan = platform.changes.plan(remote, wanted, wire=wire)
    ctx.intend(PLANNED, plan.model_dump(mode="json"))
    return plan


def _money(given: ChangeAd) -> RunningBudget | None:
    """Return the money that the change is about, None for a change of something else."""
    if isinstance(given.change, DailyBudget):
        return _spending(given, given.change)
    return _spending(given, given.runs_at) if given.running and given.runs_at is not None else None


def _spending(given: ChangeAd, spends: DailyBudget) -> RunningBudget:
    return RunningBudget(
        effect_key=given.effect_key,
        daily_budget=spends.amount,
        currency=spends.currency,
        start=given.start,
        end=given.end,
    )


def hold_what_stands(given: ChangeAd, error: IntegrationError, ctx: UnitContext) -> IntegrationError:
    """Hold no more money than the platform has, before a change of it fails with ``error``, which is returned.

    Raises IntegrationError when the platform can't be asked.
    """
    platform, wire = ctx.providers.ads(given.platform), wire_of(ctx, given.platform)
    remote = RemoteCampaign(id=given.remote_ids["campaign"], ids=given.remote_ids)
    if _money(given) is None:
        return error
    if given.running:
        if ctx.journaled(ENABLING) is None or not _runs(platform, remote, wire):
            ctx.ad_budget.stopped(given.effect_key)
        return error
    known = ctx.journaled(PLANNED)
    if known is not None:
        before = ChangePlan.model_validate(known).before
        if platform.changes.setting(remote, before.kind, wire=wire) != before:
            return error
    if given.runs_at is not None:
        ctx.ad_budget.placed(_spending(given, given.runs_at))
    return error


def _runs(platform: AdPlatform, remote: RemoteCampaign, wire: Wire) -> bool:
    try:
        return platform.get(remote.id, wire=wire).status == ACTIVE
    except NotFoundError:
        return False


CHANGE = UnitKind(name="change", input=ChangeAd, output=Changed, run=change, undo=hold_what_stands)


def change_unit(
    state: MarketingAgentState,
    key: str,
    platform: str,
    wanted: Change | None = None,
    *,
    restore: Setting | None = None,
    running: bool | None = None,
) -> Unit:
    """Plan a change to the campaign's own ads on one platform, which may fail without failing the hop."""
    owner, creative = effect_key(state.campaign_id, platform), creative_on(state, platform)
    runs_at = None
    if creative is not None and creative.daily_budget:
        runs_at = DailyBudget(amount=creative.daily_budget, currency=state.campaign_config.currency)
    given = ChangeAd(
        platform=platform,
        remote_ids=own_remote_ids(state, platform),
        effect_key=owner,
        start=state.created_at,
        end=state.created_at + timedelta(days=state.campaign_config.schedule.days),
        change=wanted,
        restore=restore,
        running=running,
        runs_at=runs_at,
    )
    return CHANGE.unit(key, given, provider=platform, effect_key=owner, essential=False)


def refused(stage: StageResult | None) -> dict[str, str]:
    """Return why platforms did not take their change, by platform."""
    return {
        CHANGE.given(one.unit).platform: str((one.error or {}).get("message") or "was not changed")[:300]
        for one in (stage.results if stage else ())
        if not one.ok
    }
