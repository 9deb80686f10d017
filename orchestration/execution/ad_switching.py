"""Switching of a paused campaign's ads: what is switched, what that makes of the campaign, and carrying it out.

``pause --ads`` and the ``resume`` after it write a request (:mod:`orchestration.ledger.ad_switches`); a hop message, or
the reconciling tick, makes a worker carry it out here while the campaign stays paused where it is. Invariants: nothing
is switched before what was at work when the campaign was paused has ended; what is switched on is exactly what these
requests had switched off; a campaign that is resumed goes on only when its ads are on, or the platform refused.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import as_completed
from dataclasses import dataclass, replace
from datetime import datetime

from agents.action_log import Order
from agents.base import BaseAgent
from agents.ports import Clock
from agents.state import MarketingAgentState
from agents.stop_all import stop_stage, unreached, with_stopped
from agents.stopping import OFF, ON, ORDERED, Wanted
from agents.unit import Stage, UnitResult, UnitStatus
from integrations.retry import RetryPolicy
from orchestration.execution.executor import UnitSlots
from orchestration.execution.units import GivenBack, unstorable
from orchestration.ledger.ad_switches import AGAIN, AdSwitch, AdSwitches, SwitchUnit
from orchestration.ledger.changes import PAUSED_FROM, StatusChange
from orchestration.ledger.commits import patch
from orchestration.ledger.database import UnstorableError
from orchestration.ledger.ledger import Ledger
from orchestration.ledger.rows import CampaignRow, Claimed
from orchestration.wakeups import MAX_COUNTDOWN_S, Wakeups

SWITCH_ADS, CHANGE_ADS = "switch_ads", "change_ads"  #: names of the stages
#: Switching is asked for by a person and does no harm twice: a platform that is down is tried for as long as it takes.
#: A person waits for what they have ordered: after this long it has failed, and says so.
PROMPT = RetryPolicy(max_delay_s=20.0, max_wait_s=600.0, attend=False)
PATIENT = RetryPolicy(max_delay_s=60.0, max_wait_s=366 * 86_400.0)


def switched_off(units: Sequence[SwitchUnit]) -> frozenset[str]:
    """Return the effect keys of what is off because of these requests (in their order), and for no other reason."""
    found: set[str] = set()
    for unit in units:
        key = unit.result.unit.effect_key or ""
        if unit.wanted == OFF and unit.ours:
            found.add(key)
        elif unit.wanted == ON and unit.result.ok:
            found.discard(key)
    return frozenset(found)


def switch_stage(
    state: MarketingAgentState, agents: Mapping[str, BaseAgent], wanted: Wanted, ours: frozenset[str]
) -> Stage | None:
    """Return the units that switch off all that may run, or on those in ``ours``, or None without any."""
    planned = stop_stage(state, agents, SWITCH_ADS, wanted)
    units = [replace(unit, policy=PATIENT) for unit in (planned.units if planned else ())]
    chosen = [unit for unit in units if wanted == OFF or unit.effect_key in ours]
    return Stage(name=SWITCH_ADS, units=chosen) if chosen else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """End of a request whose units are finished."""

    state: MarketingAgentState
    unreached: tuple[str, ...]  #: platforms that refused
    change: StatusChange  #: of the campaign
    following: tuple[Order, ...] = ()  #: orders with more to do


def settled(
    state: MarketingAgentState, switch: AdSwitch, units: Sequence[SwitchUnit], agents: Mapping[str, BaseAgent]
) -> Settled:
    """Return the end of ``switch``, whose units are ``units``."""
    results = [unit.result for unit in units]
    failed = [result for result in results if result.status is UnitStatus.FAILED]
    after = with_stopped(state, [result for result in results if result.ok or result in failed], agents)
    key = "paused" if switch.off else "enabled"
    changed = sorted({result.unit.provider for result in results if (result.output or {}).get(key)})
    names = sorted({result.unit.provider for result in failed})
    reason = f"paused by {switch.actor}" + (", and its ads" if switch.off else "; its ads are on")
    if failed:
        again = "pause them there, or pause with --ads again" if switch.off else "switch them on there"
        what = unreached(failed, agents)
        reason = f"paused by {switch.actor}, but {what} could not be {_verb(switch)}: {again}"
    event = "resumed" if switch.go_on else "ads_paused" if switch.off else "ads_resumed"
    told = {"platforms": ", ".join(changed), f"not_{_verb(switch).replace(' ', '_')}": ", ".join(names)}
    status, who = (PAUSED_FROM, switch.actor) if switch.go_on else ("paused", "system")
    data = {key: value for key, value in told.items() if value}
    change = StatusChange(status=status, event=event, actor=who, reason=reason, data=data)
    return Settled(state=after, unreached=tuple(names), change=change)


def ordered(
    state: MarketingAgentState,
    switch: AdSwitch,
    units: Sequence[SwitchUnit],
    agents: Mapping[str, BaseAgent],
    now: datetime,
) -> Settled:
    """Return the end of a request that has changed ads, whose units are ``units``."""
    results = [unit.result for unit in units]
    after, following = state, list[Order]()
    for name, agent in agents.items():
        own = [result for result in results if result.unit.agent == name]
        after, more = agent.after_orders(after, switch.changes, own, now) if own or not results else (after, ())
        following += more
    failed = sorted({result.unit.provider for result in results if not result.ok})
    data = {"orders": ", ".join(one.order_id for one in switch.changes), "not_changed": ", ".join(failed)}
    change = StatusChange(
        status=PAUSED_FROM,
        event="ads_changed",
        actor="system",
        data={key: value for key, value in data.items() if value},
    )
    return Settled(state=after, unreached=tuple(failed), change=change, following=tuple(following))


def order_stage(state: MarketingAgentState, agents: Mapping[str, BaseAgent], orders: Sequence[Order]) -> Stage | None:
    """Return the units of all agents for what people have ordered, or None for nothing."""
    units = [
        replace(unit, agent=name, policy=PROMPT)
        for name, agent in agents.items()
        if (planned := agent.ordered(state, orders)) is not None
        for unit in planned.units
    ]
    return Stage(name=CHANGE_ADS, units=units) if units else None


def _stage(row: CampaignRow, switch: AdSwitch, switches: AdSwitches, agents: Mapping[str, BaseAgent]) -> Stage | None:
    if switch.wanted == ORDERED:
        return order_stage(row.state, agents, switch.changes)
    wanted = OFF if switch.off else ON
    return switch_stage(row.state, agents, wanted, switched_off(switches.units(row.campaign_id)))


def progress(switch: AdSwitch, units: Sequence[SwitchUnit], agents: Mapping[str, BaseAgent]) -> str | None:
    """Return why a request is not carried out yet, for the campaign's reason, or None when nothing has gone wrong."""
    late = [unit for unit in units if not unit.finished and unit.message]
    if not late:
        return None
    what = unreached([unit.result for unit in late], agents)
    if switch.wanted == ORDERED:
        return f"{what} can't be changed yet as {switch.actor} has ordered, this is tried again: {late[0].message}"
    who = f"{'resumed' if switch.go_on else 'paused'} by {switch.actor}"
    return f"{who}; {what} can't be {_verb(switch)} yet, this is tried again: {late[0].message}"


def _verb(switch: AdSwitch) -> str:
    return "paused" if switch.off else "switched on"


def carry_out(
    row: CampaignRow,
    run: Callable[[Claimed], UnitResult | GivenBack],
    ledger: Ledger,
    agents: Mapping[str, BaseAgent],
    slots: UnitSlots,
    wakeups: Wakeups,
    clock: Clock,
) -> str:
    """Work on the request for the ads of a paused campaign as far as this worker can, and return why it stopped.

    It may stop at any line, and any worker may run it again.
    """
    switches = AdSwitches(ledger)
    switch = switches.open(row)
    if switch is None:
        return "not at work"
    if not switch.planned:
        stage = _stage(row, switch, switches, agents)
        if not switches.plan(row, switch, stage):
            return "waits for units"
    running = [slots.submit(run, claimed) for claimed in switches.take(row, switch)]
    delays = []
    for future in as_completed(running):
        outcome = future.result()
        if isinstance(outcome, GivenBack):
            delays.append(outcome.delay_s)
        else:
            _record(switches, row, switch, outcome)
    units = [unit for unit in switches.units(row.campaign_id) if unit.number == switch.number]
    if not all(unit.finished for unit in units):
        told = progress(switch, units, agents)
        if told is not None:
            switches.say(row, switch, told)
        if delays and min(delays) <= MAX_COUNTDOWN_S:  # later ones are rows: reconcile sees their due_at
            wakeups.hop(row.campaign_id, switch.agent, row.step, delay_s=min(delays))
        return "waits for units"
    now = ledger.load(row.campaign_id)
    if now is None:
        return "not at work"
    end = (
        ordered(now.state, switch, units, agents, clock.now())
        if switch.wanted == ORDERED
        else settled(now.state, switch, units, agents)
    )
    status = switches.settle(
        now, switch, patch(now.state, end.state), end.change, unreached=end.unreached, following=end.following
    )
    if status == AGAIN:
        wakeups.hop(now.campaign_id, switch.agent, now.step)
    elif status in ("queued", "running"):
        wakeups.hop(now.campaign_id, now.agent or switch.agent, now.step)
    return status or "settled by another"


def _record(switches: AdSwitches, row: CampaignRow, switch: AdSwitch, result: UnitResult) -> None:
    """Record a result, or that it can't be stored."""
    try:
        switches.finish(row, switch, result)
    except UnstorableError as error:
        switches.finish(row, switch, unstorable(result.unit, error))
