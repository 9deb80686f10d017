"""Unit that switches a campaign's ads off and on again on one platform, also ads that the state doesn't know.

A cancelled campaign's ads are switched off for good, and so is what still runs of an ended one when its schedule is
over, which is measured for the last time; a paused one's, if its owner says so, until it goes on.
Invariants: the key decides, not what we remember, so an ad that was created by an attempt whose answer got lost is
found and paused too; an ad is switched on again only where this campaign's own journal says that we switched it off, so
that what a person has paused by hand stays as it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from agents.ad_management.deployment import wire_of
from agents.ad_management.running import creative_on, own_remote_ids
from agents.ad_management.units import LastFigures, SwitchAd, Switched
from agents.state import AdCreative, MarketingAgentState
from agents.stopping import END, ON, SWITCHING_OFF
from agents.unit import UnitResult
from agents.unit_kind import UnitKind
from integrations.ads.platform import ACTIVE, AdPlatform, RemoteCampaign, Wire
from integrations.errors import IntegrationError

if TYPE_CHECKING:
    from agents.ports import UnitContext

_SWITCHING_ON = "switching_on"
_SEEN_OFF = "seen_off"  #: journal entry: nothing more is spent, whatever becomes of the last figures


def stop(given: SwitchAd, ctx: UnitContext) -> Switched:
    """Switch the remote campaign that carries the unit's effect key off or, when that is wanted, on."""
    key, platform = ctx.unit.effect_key or "", ctx.providers.ads(given.platform)
    for_good = given.wanted is None  # ads that are switched off for a while keep their budget
    wire = wire_of(ctx, platform.name)
    remote = platform.find_by_key(key, wire=wire)
    if (for_good and (remote is None or remote.status != ACTIVE)) or (given.wanted == END and remote is None):
        ctx.ad_budget.stopped(key)
    if remote is None:
        return Switched(platform=platform.name, found=False, paused=False, enabled=False)
    if given.wanted == ON:
        if remote.status != ACTIVE:
            ctx.intend(_SWITCHING_ON, remote.id)  # the call that begins to spend: surely ours, surely not cancelled
            platform.enable(remote, wire=wire)
        return Switched(platform=platform.name, found=True, paused=False, enabled=True)
    if remote.status == ACTIVE:
        ctx.intend(SWITCHING_OFF, remote.id)  # before the call: one that dies in it leaves it known whose doing it was
        platform.pause(remote, wire=wire)
        if for_good:
            ctx.ad_budget.stopped(key)
    if given.last is not None:
        ctx.journal(_SEEN_OFF, True)
        _count(given.last, platform, remote, wire, ctx)
        ctx.ad_budget.stopped(key)
    ours = ctx.journaled(SWITCHING_OFF) is not None
    return Switched(platform=platform.name, found=True, paused=ours, enabled=False, counted=given.last is not None)


def _count(last: LastFigures, platform: AdPlatform, remote: RemoteCampaign, wire: Wire, ctx: UnitContext) -> None:
    """Count what the ads have spent by now: what is still held then will not be spent any more."""
    days = platform.report(replace(remote, ids=last.remote_ids or remote.ids), last.since, wire=wire)
    currency = next((day.currency for day in days if day.currency), last.currency)
    ctx.ad_budget.reported(currency, last.revision, days)


def released(given: SwitchAd, error: IntegrationError, ctx: UnitContext) -> IntegrationError:
    """Hold no more money for ads that are off although their last figures can't be read, and return the error."""
    if given.last is not None and ctx.journaled(_SEEN_OFF):
        ctx.ad_budget.stopped(ctx.unit.effect_key or "")
    return error


STOP = UnitKind(name="stop", input=SwitchAd, output=Switched, run=stop, undo=released)


def last_figures(state: MarketingAgentState, platform: str) -> LastFigures:
    """Return what the campaign's own ads on a platform are measured by, also of one whose answer got lost."""
    creative = creative_on(state, platform)
    return LastFigures(
        remote_ids=own_remote_ids(state, platform),
        revision=creative.revision if creative else 1,
        currency=state.campaign_config.currency,
        # A day earlier, for accounts whose day begins later than ours.
        since=state.created_at.date() - timedelta(days=1),
    )


def stopped(state: MarketingAgentState, results: Sequence[UnitResult]) -> MarketingAgentState:
    """Return the state after units that stop ads have ended: the creatives as the platforms have them now."""
    ended = {STOP.given(result.unit).platform: result for result in results}
    creatives = [_after(creative, ended.get(creative.platform)) for creative in state.ad_creatives]
    return state.evolve(ad_creatives=tuple(creatives))


def _after(creative: AdCreative, result: UnitResult | None) -> AdCreative:
    if result is None:
        return creative
    wanted, answer = STOP.given(result.unit).wanted, STOP.answer(result)
    if answer is None:
        if wanted is None:
            return creative
        reason = str((result.error or {}).get("message", ""))
        done = "switched on" if wanted == ON else "paused"
        return creative.model_copy(update={"error": f"could not be {done}: {reason}"})
    before, after = ("paused", "active") if wanted == ON else ("active", "paused")
    changed = wanted in (None, END) or (answer.enabled if wanted == ON else answer.paused)
    return creative.model_copy(update={"status": after}) if changed and creative.status == before else creative
