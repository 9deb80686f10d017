"""Moving money between platforms, every time that a campaign is measured, also when its score is good.

Pure. Platforms that give go first, and what they have really given is what the others get, so a failure in between
can't make all together spend too much. Invariants: never above what the campaign may spend a day; a change too small to
matter is not made; what a platform takes at least is spent there, or nothing (it rests, paused by us, where the
campaign is measured again); under an approval gate a shift moves no more than :data:`APPROVED_SHIFT` of the money at
once, or what a platform takes at least.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import ROUND_DOWN, Decimal

from agents.action_log import ActionRecord
from agents.actions import BudgetMove, ShiftBudget
from agents.ad_management.daily_budgets import budgets, split, standing, within_budget
from agents.ad_management.running import creative_on
from agents.analytics.changing import CHANGE, change_unit, refused
from agents.budget import CENT
from agents.gates import NO_GATE
from agents.state import AdCreative, AdDay, CampaignPerformance, MarketingAgentState
from agents.unit import Stage, StageResult, Unit, short_hash
from integrations.ads.change_kind import ChangeKind
from integrations.ads.changes import DailyBudget
from integrations.ads.registry import platform

LOWER, RAISE = "lower", "raise"  #: stages
#: Share of all money a day below which a shift is not worth a change on the platforms.
LEAST_SHIFT = Decimal("0.02")
#: Share of all money a day that moves at once under an approval gate: what is approved is the sum and the ads.
APPROVED_SHIFT = Decimal("0.30")


def shift(state: MarketingAgentState, measured: CampaignPerformance) -> ShiftBudget | None:
    """Return the move of money that is worth making after a measurement of all platforms, or None."""
    runs = _movable(state)
    if not runs or not runs.keys() <= {metrics.platform for metrics in measured.platforms}:
        return None  # where one platform's report failed, nothing is known of what its money would bring
    # What rests has to be looked at again, or it would rest for ever.
    divide = split if state.campaign_config.optimize_every is not None else budgets
    every = divide(state.evolve(campaign_performance=measured), tuple(standing(state)))
    wanted = {name: every[name] for name in runs}
    total = sum(runs.values(), Decimal(0))
    moved = sum((max(Decimal(0), wanted[name] - daily) for name, daily in runs.items()), Decimal(0))
    less = moved + total - sum(wanted.values(), Decimal(0))  # more than is moved where less may be spent than before
    if total <= 0 or max(moved, less) < total * LEAST_SHIFT:
        return None
    if (state.campaign_config.approval.gate or NO_GATE) != NO_GATE and moved > total * APPROVED_SHIFT:
        part = total * APPROVED_SHIFT / moved
        wanted = {name: _towards(state, name, runs[name], wanted[name], part) for name in runs}
    moves = {name: BudgetMove(before=runs[name], after=wanted[name]) for name in runs if wanted[name] != runs[name]}
    return ShiftBudget(moves=moves, currency=state.campaign_config.currency, why=_why(moves))


def lower(state: MarketingAgentState, action: ShiftBudget) -> Stage | None:
    """Plan the changes of the platforms that give money away."""
    daily = {name: move.after for name, move in action.moves.items() if move.after < move.before}
    return _stage(LOWER, state, daily)


def raised(state: MarketingAgentState, action: ShiftBudget, lowered: StageResult | None) -> Stage | None:
    """Plan the changes of the platforms that get money, as much as is free by what became of ``lowered``."""
    wanted = {name: move.after for name, move in action.moves.items() if move.after > move.before}
    daily = within_budget(state, wanted, _taken(lowered))
    least = sum((move.before for move in action.moves.values()), Decimal(0)) * LEAST_SHIFT / 2
    more = {name: amount - action.moves[name].before for name, amount in daily.items()}
    return _stage(RAISE, state, {name: daily[name] for name, amount in more.items() if amount >= least})


def record(
    state: MarketingAgentState,
    action: ShiftBudget,
    done: Mapping[str, StageResult],
    daily: Sequence[AdDay],
    now: datetime,
) -> ActionRecord:
    """Return what became of the move."""
    taken: dict[str, Decimal] = {}
    failed: dict[str, str] = {}
    for stage in (LOWER, RAISE):
        taken |= _taken(done.get(stage))
        failed |= refused(done.get(stage))
    seen: dict[str, date] = {one.platform: one.day for one in daily}
    moves = {
        name: BudgetMove(before=move.before, after=taken.get(name, move.after)) for name, move in action.moves.items()
    }
    return ActionRecord(
        action_id=short_hash(state.campaign_id, str(state.step), action.kind),
        step=state.step,
        at=now,
        action=action.model_copy(update={"moves": moves}),
        done=tuple(sorted(taken)),
        failed=failed,
        seen=seen,
    )


def with_budgets(state: MarketingAgentState, done: Mapping[str, StageResult]) -> MarketingAgentState:
    """Return the state with the daily budgets that the platforms have taken."""
    taken = _taken(done.get(LOWER)) | _taken(done.get(RAISE))
    if not taken:
        return state
    return state.evolve(
        ad_creatives=tuple(
            _with_budget(one, taken[one.platform]) if one.platform in taken else one for one in state.ad_creatives
        )
    )


def _with_budget(creative: AdCreative, daily: Decimal) -> AdCreative:
    """Return a creative with its new daily budget.

    Without one it rests, and keeps what it had last.
    """
    if not daily:
        return creative.model_copy(update={"status": "paused", "resting": True})
    return creative.model_copy(update={"daily_budget": daily, "status": "active", "resting": False})


def _movable(state: MarketingAgentState) -> dict[str, Decimal]:
    """Return the daily budgets of the platforms that run and whose budget can be changed."""
    found = {}
    for name, daily in standing(state).items():
        creative = creative_on(state, name)
        runs = creative is not None and (creative.status == "active" or creative.resting)
        if runs and ChangeKind.DAILY_BUDGET in platform(name).changes:
            found[name] = daily
    return found


def budget_units(state: MarketingAgentState, prefix: str, daily: Mapping[str, Decimal]) -> list[Unit]:
    """Plan one effect for each platform whose daily budget changes, where 0 is that it rests."""
    currency = state.campaign_config.currency
    return [
        change_unit(
            state,
            f"{prefix}{one}",
            one,
            DailyBudget(amount=amount, currency=currency) if amount else None,
            running=False if not amount else True if _rests(state, one) else None,
        )
        for one, amount in daily.items()
    ]


def _stage(name: str, state: MarketingAgentState, daily: Mapping[str, Decimal]) -> Stage | None:
    units = budget_units(state, "budget:", daily)
    return Stage(name=name, units=units) if units else None


def _taken(stage: StageResult | None) -> dict[str, Decimal]:
    """Return the daily budgets that platforms have taken."""
    found = {}
    for given, _ in CHANGE.answers([stage]) if stage else []:
        found[given.platform] = given.change.amount if isinstance(given.change, DailyBudget) else Decimal(0)
    return found


def _towards(state: MarketingAgentState, name: str, before: Decimal, after: Decimal, part: Decimal) -> Decimal:
    """Return a part of the way from ``before`` to ``after``, which the platform can take."""
    amount = (before + (after - before) * part).quantize(CENT, rounding=ROUND_DOWN)
    least = platform(name).least_daily(state.campaign_config.currency)
    return amount if amount >= least else min(after, least)


def _why(moves: Mapping[str, BudgetMove]) -> str:
    """Return why money moves, in a sentence."""
    more = [name for name, move in moves.items() if move.after > move.before]
    if not more:
        return "less may be spent a day than before"
    less = [name for name, move in moves.items() if move.after < move.before]
    if not less:
        return "money that was not spent is used until the schedule's end"
    return f"{_listed(more)} brings more for the next money than {_listed(less)}"


def _listed(names: Sequence[str]) -> str:
    return " and ".join(platform(name).title for name in names)


def _rests(state: MarketingAgentState, name: str) -> bool:
    creative = creative_on(state, name)
    return creative is not None and creative.resting
