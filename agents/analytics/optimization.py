"""Loop of optimisation within one hop: monitor, analyse, recommend and apply, in this order.

Pure. *monitor*: :func:`monitor_performance`. *analyse*: :func:`.analysis.analyze_campaign_performance`. *recommend*:
:func:`generate_optimization_recommendations`. *apply*: :func:`apply_optimizations` plans the stages, and
:func:`optimized` tells what became of them. Invariants: nothing is changed in a hop that a rewriting round follows on;
under an approval gate money moves and ads are switched within what was approved, and anything else is proposed to a
person; what has surely made it worse is taken back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from agents.action_log import ActionRecord
from agents.actions import OnePlatform, ShiftBudget
from agents.ad_figures import reported
from agents.ad_management.running import creative_on
from agents.analytics.action_effects import with_effects
from agents.analytics.action_limits import problem, undo_problem
from agents.analytics.action_units import negative_words, taking_back, unit_of
from agents.analytics.ad_choice import SWITCH_ADS, SwitchAd, switch_records, switch_stage, switches
from agents.analytics.analysis import told
from agents.analytics.measurement import performance, platform_metrics
from agents.analytics.new_variants import VARIANTS, variants_stage, written
from agents.analytics.orders import newest_days, outcome, with_changes
from agents.analytics.proposals import SETTINGS, busy, taken
from agents.analytics.shifting import LOWER, RAISE, lower, raised, record, shift, with_budgets
from agents.analytics.units import MEASURE, SUGGEST, Suggest, Suggested
from agents.analytics.wasted_searches import wasted
from agents.evidence.effect import effect
from agents.gates import NO_GATE
from agents.routes import MAX_OPTIMIZATION_ATTEMPTS
from agents.state import AdDay, CampaignPerformance, MarketingAgentState, PlatformMetrics
from agents.unit import Stage, StageResult, UnitResult, short_hash
from agents.wanted import Counted, counted

MEASURED, INSIGHTS, ADJUST = "measure", "insights", "adjust"  #: stages

Done = Mapping[str, StageResult]  #: finished stages by name


@dataclass(frozen=True, slots=True, kw_only=True)
class Recommendations:
    """What is worth doing after a measurement."""

    switches: tuple[SwitchAd, ...] = ()  #: ads paused and resumed
    settings: tuple[OnePlatform, ...] = ()  #: other changes on one platform
    taken_back: tuple[ActionRecord, ...] = ()  #: earlier actions that have made it worse
    shift: ShiftBudget | None = None  #: money that moves


def monitor_performance(state: MarketingAgentState, done: Done) -> CampaignPerformance:
    """Return the campaign's performance by the reports of this hop, judged."""
    stage = done.get(MEASURED)
    return performance(state, measured_platforms(stage), _daily(state, stage))


def generate_optimization_recommendations(
    state: MarketingAgentState, measured: CampaignPerformance, done: Done
) -> Recommendations:
    """Return what figures say is worth doing, and what the model proposes where figures are below the bar."""
    if rewrites(state, measured):
        return Recommendations()
    now, after = state.updated_at, state.evolve(campaign_performance=measured)
    found = Recommendations(switches=switches(state, measured), shift=shift(state, measured))
    if state.campaign_config.optimize_every is None:
        return found  # nothing else would be measured, nor taken back
    records = with_effects(state.actions, measured.daily, counted(state.campaign_config))
    worse = tuple(one for one in records if not one.by and _worse(one) and undo_problem(state, one) is None)
    model = [proposal for _, answer in _insights(done) for proposal in answer.actions]
    settings = (
        *_searches(state, measured, done),
        *taken(after.evolve(actions=records), measured, model, now),
        *written(state, measured, done.get(VARIANTS)),
    )
    allowed = tuple(one for one in _one_each(settings) if problem(after, one, now) is None)
    return replace(found, settings=allowed, taken_back=worse)


def apply_optimizations(
    state: MarketingAgentState, measured: CampaignPerformance, found: Recommendations, done: Done
) -> Stage | None:
    """Plan the next stage that carries recommendations out, or return None when there is none."""
    money = bool(done.keys() & {LOWER, RAISE})
    if not done.keys() & {VARIANTS, SWITCH_ADS, ADJUST} and not money and not rewrites(state, measured):
        asked = variants_stage(state, measured)
        if asked is not None:
            return asked
    if not done.keys() & {SWITCH_ADS, ADJUST} and not money:
        switching = switch_stage(state, found.switches)
        if switching is not None:
            return switching
    if ADJUST not in done and not money:
        adjusting = _adjust_stage(state, found)
        if adjusting is not None:
            return adjusting
    if found.shift is None or RAISE in done:
        return None
    if LOWER not in done and (first := lower(state, found.shift)) is not None:
        return first
    return raised(state.evolve(campaign_performance=measured), found.shift, done.get(LOWER))


def optimized(
    state: MarketingAgentState, measured: CampaignPerformance, found: Recommendations, done: Done, now: datetime
) -> MarketingAgentState:
    """Return the state after the stages: what the platforms have now, and what became of each action."""
    what = counted(state.campaign_config)
    results = done[ADJUST].results if ADJUST in done else ()
    switched = done[SWITCH_ADS].results if SWITCH_ADS in done else ()
    after = with_changes(with_budgets(state, done), [*switched, *results])
    records = list(with_effects(state.actions, measured.daily, what))
    for one in found.taken_back if results else ():
        records = [_taken_back(each, results, now) if each.action_id == one.action_id else each for each in records]
    made = [
        *switch_records(state, found.switches, done.get(SWITCH_ADS), now),
        *_adjusted(state, found, results, now),
        *(
            (record(state, found.shift, done, measured.daily, now),)
            if found.shift and done.keys() & {LOWER, RAISE}
            else ()
        ),
    ]
    seen = newest_days(state.evolve(campaign_performance=measured))
    dated = [
        one.model_copy(update={"seen": {name: day for name, day in seen.items() if name in (*one.done, *one.failed)}})
        for one in made
    ]
    return after.evolve(actions=(*records, *dated))


def rewrites(state: MarketingAgentState, measured: CampaignPerformance) -> bool:
    """Return whether a round follows that writes the ads anew."""
    judged = measured.judgement
    return bool(judged and judged.needs_optimization and state.optimization_attempts < MAX_OPTIMIZATION_ATTEMPTS)


def measured_platforms(stage: StageResult | None) -> list[PlatformMetrics]:
    """Return the figures per platform, in the order of planning, without platforms whose report failed."""
    return [
        platform_metrics(answer.platform, answer.days, given.currency, answer.refused)
        for given, answer in (MEASURE.answers([stage]) if stage else [])
    ]


def _daily(state: MarketingAgentState, stage: StageResult | None) -> list[AdDay]:
    """Return the reported days per ad."""
    angles = {creative.platform: creative.angles_by_number for creative in state.ad_creatives}
    return [
        day
        for given, answer in (MEASURE.answers([stage]) if stage else [])
        for day in reported(answer.platform, given.revision, answer.days, angles.get(answer.platform, ()))
    ]


def _insights(done: Done) -> Sequence[tuple[Suggest, Suggested]]:
    return SUGGEST.answers([done[INSIGHTS]]) if INSIGHTS in done else []


def _searches(state: MarketingAgentState, measured: CampaignPerformance, done: Done) -> list[OnePlatform]:
    """Return the negative keywords that reports of searches ask for."""
    measure = measured.yardstick
    if measure is None or measure.counts is Counted.CLICKS or MEASURED not in done:
        return []
    found = []
    kept = (*state.target_audience.keywords, *(word for piece in state.generated_content for word in piece.keywords))
    for given, answer in MEASURE.answers([done[MEASURED]]):
        creative = creative_on(state, given.platform)
        if creative is None or creative.status != "active" or busy(state.actions, given.platform):
            continue
        terms = [one for one in answer.terms if one.currency in ("", measure.currency)]
        action = wasted(given.platform, terms, measure.cost, kept, negative_words(state, given.platform))
        if action is not None:
            found.append(action)
    return list(found)


def _one_each(actions: Sequence[OnePlatform]) -> list[OnePlatform]:
    """Return the first action of each platform: two at once could not be told apart."""
    found: dict[str, OnePlatform] = {}
    for one in actions:
        found.setdefault(one.platform, one)
    return list(found.values())


def _asks(state: MarketingAgentState) -> bool:
    """Return whether a person has to agree to what was not approved with the ads."""
    return (state.campaign_config.approval.gate or NO_GATE) != NO_GATE


def _adjust_stage(state: MarketingAgentState, found: Recommendations) -> Stage | None:
    units = [
        unit
        for one in found.taken_back
        for name in one.done
        if (unit := taking_back(state, f"undo:{one.action_id}:{name}", one, name)) is not None
    ]
    if not _asks(state):
        units += [unit_of(state, _key(one), one) for one in found.settings]
    return Stage(name=ADJUST, units=units) if units else None


def _key(action: OnePlatform) -> str:
    return f"{action.kind}:{action.platform}"


def _adjusted(
    state: MarketingAgentState, found: Recommendations, results: Sequence[UnitResult], now: datetime
) -> list[ActionRecord]:
    """Return what became of each change of a setting, or that it was proposed."""
    expected = told(effect([], counted(state.campaign_config)))
    made = []
    for action in found.settings:
        own = [one for one in results if one.unit.key == _key(action)]
        asks = _asks(state)
        if not own and not asks:
            continue
        done, failed, before, added = outcome(own)
        made.append(
            ActionRecord(
                action_id=short_hash(state.campaign_id, str(state.step), action.kind, action.platform),
                step=state.step,
                at=now,
                action=action,
                proposed=asks,
                done=done,
                failed=failed,
                before=before,
                added=added,
                expected=expected,
            )
        )
    return made


def _worse(record: ActionRecord) -> bool:
    """Return whether a change of a setting has made it worse.

    Ads are switched by their own figures.
    """
    return record.effect is not None and record.effect.verdict == "worsened" and isinstance(record.action, SETTINGS)


def _taken_back(record: ActionRecord, results: Sequence[UnitResult], now: datetime) -> ActionRecord:
    own = [one for one in results if one.unit.key.startswith(f"undo:{record.action_id}:")]
    if not own or not all(one.ok for one in own):
        return record
    return record.model_copy(update={"undone_at": now, "undone_by": "the figures"})
