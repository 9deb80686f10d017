"""Whether a campaign has to be optimised: what its figures prove, never what they happen to say.

Pure. Invariants: texts are rewritten only when it is surer than :data:`SURE_BELOW` that the campaign is below its bar;
"improved" is said only of an effect whose interval excludes that nothing happened; where rewriting has twice been no
improvement that can be told, it stops. New texts are compared with the ad that stayed beside them, on the same days;
only where none stayed, with the texts before them. With every measurement the comparison has more days.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from agents.action_log import Effect
from agents.ad_figures import by_day, number_of
from agents.evidence.counts import Counts, counts
from agents.evidence.effect import SURE, EffectBelief, effect
from agents.evidence.efficiency import Efficiency, Usual, efficiency
from agents.performance_score import GOOD
from agents.same_days import on_same_days
from agents.state import (
    AdCreative,
    AdDay,
    CampaignPerformance,
    Judgement,
    MarketingAgentState,
    PerformanceRound,
    TextsEffect,
    Yardstick,
)
from agents.wanted import Counted, counted
from agents.yardstick import benchmark, usual_cost

SURE_BELOW = 0.95
MAX_UNCLEAR = 2  #: rewrites in a row without an effect that can be told, after which there are no more
WINDOW_DAYS = 28  #: days before a change that it is compared with


def analyze_campaign_performance(state: MarketingAgentState, measured: CampaignPerformance) -> Judgement:
    """Return whether the campaign of ``state`` needs optimisation by what was ``measured``, and why, in a sentence."""
    if not any(metrics.judged for metrics in measured.platforms):
        score = measured.overall_score or 0.0
        below = "below" if score < GOOD else "not below"
        return Judgement(needs_optimization=score < GOOD, why=f"the content scores {score:.2f}, {below} {GOOD}")
    belief = _belief(state, measured)
    if belief is None or measured.yardstick is None:
        return Judgement(needs_optimization=False, why="nothing was spent yet, so the figures say nothing")
    chance, said = belief.below, _said(belief, measured.yardstick)
    if chance < SURE_BELOW:
        unsure = "" if chance < 1 - SURE_BELOW else ": too little to act on"
        return Judgement(needs_optimization=False, why=f"{said}{unsure}", below=round(chance, 4))
    if _unclear(measured.rounds) >= MAX_UNCLEAR:
        why = f"{said}, but the last {MAX_UNCLEAR} rewrites were no improvement that can be told: no more of them"
        return Judgement(needs_optimization=False, why=why, below=round(chance, 4))
    return Judgement(needs_optimization=True, why=said, below=round(chance, 4))


def effect_of_texts(state: MarketingAgentState, daily: Sequence[AdDay]) -> TextsEffect | None:
    """Return what the newest texts have done until now, by all platforms on which they are new, None without figures.

    They are the ones of which no round has told yet, else those of the newest effect.
    """
    pairs = {creative.platform: pair for creative in state.ad_creatives if (pair := _compared(creative, daily))}
    revisions = {creative.platform: creative.revision for creative in state.ad_creatives if creative.platform in pairs}
    earlier = [one.effect.of for one in state.campaign_performance.rounds if one.step != state.step and one.effect]
    said = {item for of in earlier for item in of.items()}
    of = {name: revision for name, revision in revisions.items() if (name, revision) not in said}
    if not of:
        newest = earlier[-1] if earlier else {}
        of = {name: revision for name, revision in revisions.items() if newest.get(name) == revision}
    if not of:
        return None
    belief = told(effect([pairs[name] for name in of], counted(state.campaign_config)))
    control = all(one.control is not None for one in state.ad_creatives if one.platform in of)
    return TextsEffect(**dict(belief), of=of, control=control)


def told(belief: EffectBelief) -> Effect:
    """Return a belief about an effect as it is kept and told."""
    low, high = belief.interval
    verdict = "improved" if belief.better >= SURE else "worsened" if belief.better <= 1 - SURE else "unclear"
    return Effect.model_validate(
        {
            "mean": round(belief.mean, 4),
            "low": round(low, 4),
            "high": round(high, 4),
            "better": round(belief.better, 4),
            "verdict": verdict,
        }
    )


def _compared(creative: AdCreative, daily: Sequence[AdDay]) -> tuple[Counts, Counts] | None:
    """Return the figures of the control and of the new ads beside it, else of the texts before and of those now."""
    own = [one for one in daily if one.platform == creative.platform]
    after = [one for one in own if one.revision == creative.revision]
    if creative.control is not None:
        return on_same_days(after, lambda one: number_of(one.ad) != creative.control)
    before = [one for one in own if one.revision == creative.revision - 1]
    return (_counts(before), _counts(after)) if before and after else None


def _belief(state: MarketingAgentState, measured: CampaignPerformance) -> Efficiency | None:
    """Return the belief about what the ads that run now get for their money."""
    measure = measured.yardstick
    if measure is None:
        return None
    figures: dict[str, Counts] = {}
    for metrics in measured.platforms:
        revision = next((c.revision for c in state.ad_creatives if c.platform == metrics.platform), None)
        days = [one for one in measured.daily if one.platform == metrics.platform and one.revision == revision]
        if metrics.judged and metrics.currency == measure.currency:
            figures[metrics.platform] = _counts(days)
    usual = {name: _usual(name, measure) for name in figures}
    return efficiency(figures, usual, float(measure.cost), measure.counts)


def _usual(platform: str, measure: Yardstick) -> Usual:
    return Usual(cvr=benchmark(platform).cvr, cpc=usual_cost(platform, measure.currency, Counted.CLICKS))


def _counts(days: Sequence[AdDay]) -> Counts:
    return counts(by_day(days)[-WINDOW_DAYS:])


def _unclear(rounds: Sequence[PerformanceRound]) -> int:
    """Return how many of the newest changes of texts in a row were no improvement that can be told by now."""
    newest = {tuple(sorted(one.effect.of.items())): one.effect for one in rounds if one.effect is not None}
    found = 0
    for last in reversed(newest.values()):
        if last.verdict == "improved":
            break
        found += 1
    return found


def _said(belief: Efficiency, measure: Yardstick) -> str:
    one = "a visit" if measure.counts is Counted.CLICKS else "a conversion"
    cost = float(measure.cost) / belief.mean
    return (
        f"{one} costs about {cost:.2f} {measure.currency}, {_SOURCES[measure.source]} {measure.cost:.2f} "
        f"({1 - belief.below:.0%} sure that it is no dearer)"
    )


_SOURCES: Mapping[str, str] = {
    "target_cpa": "the target is",
    "target_roas": "the target is",
    "benchmark": "usual is",
    "first_figures": "usual is",
}
