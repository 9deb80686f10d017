"""A paused campaign's ads: what is switched, what that makes of the campaign, and carrying it out.

``pause --ads`` and the ``resume`` after it write a wish (:mod:`orchestration.ledger.ad_switches`); a hop message, or
the reconciling tick, makes a worker carry it out here while the campaign stays paused where it is. Invariants: nothing
is switched before what was at work when the campaign was paused has ended; what is switched on is exactly what these
wishes had switched off; a campaign that is resumed goes on only when its ads are on, or the platform refused.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import as_completed
from dataclasses import dataclass, replace

from agents.ad_management.stopping import OFF, ON
from agents.base import BaseAgent
from agents.registry import AD_MANAGEMENT
from agents.state import AdCreative, MarketingAgentState
from agents.unit import Stage, Unit, UnitResult
from integrations.retry import RetryPolicy
from orchestration.execution.executor import UnitSlots
from orchestration.execution.units import GivenBack
from orchestration.ledger.ad_switches import AGAIN, AdSwitch, AdSwitches, SwitchUnit
from orchestration.ledger.ledger import Ledger
from orchestration.ledger.rows import CampaignRow, Claimed
from orchestration.wakeups import MAX_COUNTDOWN_S, Wakeups

SWITCH_ADS = "switch_ads"  #: name of the stage
#: Switching is asked for by a person and does no harm twice: a platform that is down is tried for as long as it takes.
PATIENT = RetryPolicy(max_delay_s=60.0, max_wait_s=366 * 86_400.0)


def switched_off(units: Sequence[SwitchUnit]) -> frozenset[str]:
    """Platforms whose ad is off because of these wishes (in their order), and not because of anybody else."""
    found: set[str] = set()
    for unit in units:
        if unit.wanted == OFF and unit.ours:
            found.add(unit.platform)
        elif unit.wanted == ON and unit.status == "succeeded":
            found.discard(unit.platform)
    return frozenset(found)


def switch_stage(
    state: MarketingAgentState, agents: Mapping[str, BaseAgent], wanted: str, ours: frozenset[str]
) -> Stage | None:
    """The units of a wish: off, every platform that may have an ad; on, those in ``ours``. None: nothing to do."""
    all_of_it = agents[AD_MANAGEMENT].wind_down(state)
    units = [_unit(one, wanted) for one in (all_of_it.units if all_of_it else ())]
    chosen = [one for one in units if wanted == OFF or one.input["platform"] in ours]
    return Stage(name=SWITCH_ADS, units=chosen) if chosen else None


def _unit(stop: Unit, wanted: str) -> Unit:
    platform = stop.input["platform"]
    return replace(stop, key=f"{wanted}:{platform}", input={**stop.input, "wanted": wanted}, policy=PATIENT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """What a wish whose units are finished has come to."""

    creatives: tuple[AdCreative, ...]
    unreached: tuple[str, ...]  #: platforms that refused
    reason: str
    event: str
    data: Mapping[str, str]


def settled(state: MarketingAgentState, switch: AdSwitch, units: Sequence[SwitchUnit]) -> Settled:
    """The end of ``switch``, whose units are ``units``."""
    failed = {unit.platform: unit.message for unit in units if unit.status == "failed"}
    changed = {unit.platform for unit in units if unit.output.get("paused" if switch.off else "enabled")}
    before, after = ("active", "paused") if switch.off else ("paused", "active")
    creatives = []
    for one in state.ad_creatives:
        if one.platform in changed and one.status == before:
            creatives.append(one.model_copy(update={"status": after}))
        elif one.platform in failed:
            creatives.append(one.model_copy(update={"error": f"could not be {_verb(switch)}: {failed[one.platform]}"}))
        else:
            creatives.append(one)
    names = ", ".join(sorted(failed))
    reason = f"paused by {switch.actor}" + (", and its ads" if switch.off else "; its ads are on")
    if failed:
        again = "pause them there, or pause with --ads again" if switch.off else "switch them on there"
        reason = f"paused by {switch.actor}, but the ads on {names} could not be {_verb(switch)}: {again}"
    event = "resumed" if switch.go_on else "ads_paused" if switch.off else "ads_resumed"
    told = {"platforms": ", ".join(sorted(changed)), f"not_{_verb(switch).replace(' ', '_')}": names}
    return Settled(
        creatives=tuple(creatives), unreached=tuple(sorted(failed)), reason=reason, event=event,
        data={key: value for key, value in told.items() if value},
    )  # fmt: skip


def progress(switch: AdSwitch, units: Sequence[SwitchUnit]) -> str | None:
    """Why a wish is not carried out yet, for the campaign's reason; None when nothing has gone wrong."""
    late = [unit for unit in units if not unit.finished and unit.message]
    if not late:
        return None
    names = ", ".join(unit.platform for unit in late)
    who = f"{'resumed' if switch.go_on else 'paused'} by {switch.actor}"
    return f"{who}; the ads on {names} can't be {_verb(switch)} yet, this is tried again: {late[0].message}"


def _verb(switch: AdSwitch) -> str:
    return "paused" if switch.off else "switched on"


def carry_out(
    row: CampaignRow,
    run: Callable[[Claimed], UnitResult | GivenBack],
    ledger: Ledger,
    agents: Mapping[str, BaseAgent],
    slots: UnitSlots,
    wakeups: Wakeups,
) -> str:
    """Work on the wish for the ads of a paused campaign as far as this worker can; why it stopped, for the log.

    May stop at any line and be run again by anybody.
    """
    switches = AdSwitches(ledger)
    switch = switches.newest(row)
    if switch is None or switch.settled:
        return "not at work"
    if not switch.planned:
        stage = switch_stage(row.state, agents, switch.wanted, switched_off(switches.units(row.campaign_id)))
        if not switches.plan(row, switch, stage):
            return "waits for units"
    running = [slots.submit(run, claimed) for claimed in switches.take(row, switch)]
    delays = []
    for future in as_completed(running):
        outcome = future.result()
        if isinstance(outcome, GivenBack):
            delays.append(outcome.delay_s)
        else:
            switches.finish(row, switch, outcome)
    units = [unit for unit in switches.units(row.campaign_id) if unit.number == switch.number]
    if not all(unit.finished for unit in units):
        told = progress(switch, units)
        if told is not None:
            switches.say(row, switch, told)
        if delays and min(delays) <= MAX_COUNTDOWN_S:  # later ones are rows: reconcile sees their due_at
            wakeups.hop(row.campaign_id, AD_MANAGEMENT, row.step, delay_s=min(delays))
        return "waits for units"
    now = ledger.load(row.campaign_id)
    return _settle(now, switches, switch, units, wakeups) if now is not None else "not at work"


def _settle(
    row: CampaignRow, switches: AdSwitches, switch: AdSwitch, units: Sequence[SwitchUnit], wakeups: Wakeups
) -> str:
    end = settled(row.state, switch, units)
    status = switches.settle(
        row, switch, end.creatives, unreached=end.unreached, reason=end.reason, event=end.event, data=end.data
    )
    if status == AGAIN:
        wakeups.hop(row.campaign_id, AD_MANAGEMENT, row.step)
    elif status in ("queued", "running"):
        wakeups.hop(row.campaign_id, row.agent or AD_MANAGEMENT, row.step)
    return status or "settled by another"


def ask_off(row: CampaignRow, ledger: Ledger, origin: Sequence[str], *, actor: str) -> bool:
    """Wish that the ads be off; False when the campaign is in none of ``origin`` any more."""
    reason = f"paused by {actor}; its ads are being paused"
    return AdSwitches(ledger).ask(
        row, origin, OFF, go_on=False, reason=reason, event="paused", actor=actor, data={"ads": "paused too"}
    )


def ask_on(row: CampaignRow, ledger: Ledger, *, actor: str) -> bool:
    """Wish that the ads which a wish has switched off be on, and that the campaign go on then; as :func:`ask_off`."""
    reason = f"resumed by {actor}; goes on when its ads are on again"
    return AdSwitches(ledger).ask(
        row, ("paused",), ON, go_on=True, reason=reason, event="resuming", actor=actor, data={}
    )


def ask_to_stay(row: CampaignRow, ledger: Ledger, *, actor: str) -> bool:
    """Wish that a campaign which is being resumed stay paused all the same, with its ads on; as :func:`ask_off`."""
    reason = f"paused by {actor}; its ads go on"
    return AdSwitches(ledger).ask(
        row, ("paused",), ON, go_on=False, reason=reason, event="paused", actor=actor, data={}
    )
