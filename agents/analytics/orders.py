"""Orders of people about a campaign's live ads: an action carried out at once, or one taken back.

Pure. An order is carried out in one phase, money in two: platforms that give go first, and what they have really given
is what the others get. Invariant: what became of an order is in the state's actions under the order's id, so a phase
that is planned again is planned the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal

from agents.action_log import ActionRecord, Order, record_of
from agents.actions import Action, BudgetMove, SetBudget, ShiftBudget, platforms_of
from agents.ad_management.adding import ADD_AD
from agents.ad_management.daily_budgets import spread, standing, within_budget
from agents.analytics.action_units import taking_back, unit_of
from agents.analytics.changing import CHANGE
from agents.analytics.shifting import budget_units
from agents.state import AdCreative, AddedAd, MarketingAgentState
from agents.unit import Stage, Unit, UnitResult
from integrations.ads.changes import AdSwitch, DailyBudget, Setting

ORDERS = "orders"  #: stage
LOWERING, RAISING = 0, 1  #: phases of an order about money
NOT_BACK = "could not be taken back: "  #: how a record says that a platform has kept it


def orders_stage(state: MarketingAgentState, orders: Sequence[Order]) -> Stage | None:
    """Plan the units of the orders' present phase, or return None when nothing is left to do."""
    units = [unit for order in orders for unit in _units(state, order)]
    return Stage(name=ORDERS, units=units) if units else None


def following(state: MarketingAgentState, orders: Sequence[Order]) -> tuple[Order, ...]:
    """Return the orders that have another phase, in that phase, by the state after this one."""
    later = [one.model_copy(update={"attempt": one.attempt + 1}) for one in orders]
    return tuple(one for one in later if one.attempt <= RAISING and _units(state, one))


def after_orders(
    state: MarketingAgentState, orders: Sequence[Order], results: Sequence[UnitResult], now: datetime
) -> MarketingAgentState:
    """Return the state after a phase: what the platforms have now, and what became of each order."""
    changed = with_changes(state, results)
    for order in orders:
        own = [one for one in results if one.unit.key.startswith(f"{order.order_id}:")]
        changed = changed.evolve(actions=_recorded(state, changed, order, own, now))
    return changed


def with_changes(state: MarketingAgentState, results: Sequence[UnitResult]) -> MarketingAgentState:
    """Return the state whose creatives are as the platforms have them after units that changed them."""
    creatives = state.ad_creatives
    for result in results:
        if result.ok:
            creatives = tuple(_changed(one, result) for one in creatives)
    return state.evolve(ad_creatives=creatives)


def outcome(results: Sequence[UnitResult]) -> tuple[tuple[str, ...], dict[str, str], dict[str, Setting], str]:
    """Return the platforms that took a change, why others did not, the settings before, and the ad that was added."""
    done, before, added = [], {}, ""
    for one in results:
        if one.ok:
            done.append(_platform(one.unit))
            if (
                one.unit.kind == CHANGE.name
                and (answer := CHANGE.answer(one)) is not None
                and answer.before is not None
            ):
                before[_platform(one.unit)] = answer.before
            if one.unit.kind == ADD_AD.name and (made := ADD_AD.answer(one)) is not None:
                added = made.step
    failed = {
        _platform(one.unit): str((one.error or {}).get("message") or "was not changed")[:300]
        for one in results
        if not one.ok
    }
    return tuple(sorted(done)), failed, before, added


def newest_days(state: MarketingAgentState) -> dict[str, date]:
    """Return the newest day that is known of each platform."""
    return {one.platform: one.day for one in state.campaign_performance.daily}


def _units(state: MarketingAgentState, order: Order) -> list[Unit]:
    target = record_of(state.actions, order.undo) if order.undo else None
    wanted = _money(state, order, target)
    if wanted is not None:
        return _money_units(state, order, wanted)
    if order.attempt:
        return []
    if target is not None:
        found = [taking_back(state, f"{order.order_id}:{one}", target, one) for one in target.done]
        return [unit for unit in found if unit is not None]
    action = order.action
    if action is None or isinstance(action, ShiftBudget | SetBudget):
        return []
    return [unit_of(state, f"{order.order_id}:{action.platform}", action)]


def _money(state: MarketingAgentState, order: Order, target: ActionRecord | None) -> dict[str, Decimal] | None:
    """Return the daily budgets that an order about money asks for, None for any other."""
    if target is not None:
        shift = target.action
        if not isinstance(shift, ShiftBudget):
            return None
        return {name: move.before for name, move in shift.moves.items() if name in target.done}
    if isinstance(order.action, ShiftBudget):
        return {name: move.after for name, move in order.action.moves.items()}
    return spread(state, tuple(standing(state))) if isinstance(order.action, SetBudget) else None


def _money_units(state: MarketingAgentState, order: Order, wanted: Mapping[str, Decimal]) -> list[Unit]:
    runs = standing(state)
    lower = {name: daily for name, daily in wanted.items() if daily < runs.get(name, Decimal(0))}
    more = {name: daily for name, daily in wanted.items() if daily > runs.get(name, Decimal(0))}
    record = record_of(state.actions, order.order_id)
    tried = {*record.done, *record.failed} if record is not None else set()
    if order.attempt == LOWERING and lower:
        chosen = lower
    else:
        free = {name: daily for name, daily in more.items() if name not in tried}
        chosen = {
            name: daily for name, daily in within_budget(state, free, {}).items() if daily > runs.get(name, Decimal(0))
        }
    return budget_units(state, f"{order.order_id}:", chosen)


def _platform(unit: Unit) -> str:
    return (ADD_AD.given(unit) if unit.kind == ADD_AD.name else CHANGE.given(unit)).platform


def _changed(creative: AdCreative, result: UnitResult) -> AdCreative:
    if _platform(result.unit) != creative.platform:
        return creative
    if result.unit.kind == ADD_AD.name:
        given, answer = ADD_AD.given(result.unit), ADD_AD.answer(result)
        if answer is None:
            return creative
        ad = AddedAd(headlines=given.ad.headlines, descriptions=given.ad.descriptions, angle=given.angle)
        return creative.model_copy(
            update={"remote_ids": answer.remote_ids, "added_ads": {**creative.added_ads, answer.step: ad}}
        )
    change = CHANGE.given(result.unit)
    update: dict[str, object] = {}
    if isinstance(change.change, DailyBudget):
        update |= {"daily_budget": change.change.amount}
    if isinstance(change.change, AdSwitch):
        others = tuple(ad for ad in creative.paused_ads if ad != change.change.ad)
        update |= {"paused_ads": others if change.change.on else (*others, change.change.ad)}
    if change.running is not None:
        update |= {"status": "active" if change.running else "paused", "resting": False}
    return creative.model_copy(update=update)


def _recorded(
    before: MarketingAgentState,
    changed: MarketingAgentState,
    order: Order,
    results: Sequence[UnitResult],
    now: datetime,
) -> tuple[ActionRecord, ...]:
    done, failed, settings, added = outcome(results)
    if order.undo is not None:
        over = not following(changed, (order,))
        return tuple(
            _undone(one, order, failed, now, over=over) if one.action_id == order.undo else one
            for one in changed.actions
        )
    if order.action is None:
        return changed.actions
    known = record_of(changed.actions, order.order_id)
    if known is not None:
        merged = known.model_copy(
            update={
                "action": _moved(known.action, before, changed),
                "done": tuple(sorted({*known.done, *done})),
                "failed": {**known.failed, **failed},
                "proposed": False,
                "before": {**known.before, **settings},
                "added": added or known.added,
                **({"by": order.by, "at": now, "seen": _seen(changed, order.action)} if known.proposed else {}),
            }
        )
        return tuple(merged if one is known else one for one in changed.actions)
    made = ActionRecord(
        action_id=order.order_id,
        step=changed.step,
        at=now,
        by=order.by,
        action=_moved(order.action, before, changed),
        done=done,
        failed=failed,
        seen=_seen(changed, order.action),
        before=settings,
        added=added,
    )
    return (*changed.actions, made)


def _moved(action: Action, before: MarketingAgentState, after: MarketingAgentState) -> Action:
    """Return a shift with the daily budgets as they really were and are, and any other action as it is."""
    if not isinstance(action, ShiftBudget):
        return action
    was, now = standing(before), standing(after)
    moves = {
        name: BudgetMove(before=was.get(name, move.before), after=now.get(name, move.after))
        if was.get(name) != now.get(name)
        else move
        for name, move in action.moves.items()
    }
    return action.model_copy(update={"moves": moves})


def _seen(state: MarketingAgentState, action: Action) -> dict[str, date]:
    names = platforms_of(action)
    return {name: day for name, day in newest_days(state).items() if not names or name in names}


def _undone(
    record: ActionRecord, order: Order, failed: Mapping[str, str], now: datetime, *, over: bool
) -> ActionRecord:
    """Return the record after a phase of taking it back, which is undone when the last one is over and none failed."""
    first = order.attempt == LOWERING
    kept = {name: why for name, why in record.failed.items() if not (first and why.startswith(NOT_BACK))}
    told = {**kept, **{name: f"{NOT_BACK}{why}" for name, why in failed.items()}}
    undone = over and not any(why.startswith(NOT_BACK) for why in told.values())
    return record.model_copy(update={"failed": told, **({"undone_at": now, "undone_by": order.by} if undone else {})})
