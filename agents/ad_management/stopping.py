"""Unit that switches a campaign's ads off and on again on one platform, also ads that the state doesn't know.

A cancelled campaign's ads are switched off for good; a paused one's, if its owner says so, until it goes on.
Invariants: the key decides, not what we remember, so an ad that was created by an attempt whose answer got lost is
found and paused too; an ad is switched on again only where this campaign's own journal says that we switched it off, so
that what a person has paused by hand stays as it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from agents.ad_management.deployment import wire_of
from agents.ad_management.units import SwitchAd, Switched
from agents.state import AdCreative, MarketingAgentState
from agents.stopping import OFF, ON, SWITCHING_OFF
from agents.unit import UnitResult
from agents.unit_kind import UnitKind
from integrations.ads.platform import ACTIVE

if TYPE_CHECKING:
    from agents.ports import UnitContext

_SWITCHING_ON = "switching_on"


def stop(given: SwitchAd, ctx: UnitContext) -> Switched:
    """Switch the remote campaign that carries the unit's effect key off or, when that is wanted, on."""
    key, platform = ctx.unit.effect_key or "", ctx.providers.ads(given.platform)
    for_good = given.wanted is None  # ads that are switched off for a while keep their budget
    wire = wire_of(ctx, platform.name)
    remote = platform.find_by_key(key, wire=wire)
    if for_good and (remote is None or remote.status != ACTIVE):
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
    ours = ctx.journaled(SWITCHING_OFF) is not None
    return Switched(platform=platform.name, found=True, paused=ours, enabled=False)


STOP = UnitKind(name="stop", input=SwitchAd, output=Switched, run=stop)


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
        done = "paused" if wanted == OFF else "switched on"
        return creative.model_copy(update={"error": f"could not be {done}: {reason}"})
    before, after = ("paused", "active") if wanted == ON else ("active", "paused")
    changed = wanted is None or (answer.enabled if wanted == ON else answer.paused)
    return creative.model_copy(update={"status": after}) if changed and creative.status == before else creative
