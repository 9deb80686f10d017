"""What people are told about the results of a campaign: figures per platform, the score, and what to change.

Pure.
"""

from __future__ import annotations

from agents.analytics.action_words import told
from agents.analytics.each_ad import each_ad
from agents.overview import (
    Block,
    Cell,
    Column,
    Count,
    Figure,
    Line,
    Money,
    Percent,
    Phrase,
    Platform,
    Points,
    Score,
    Section,
    Table,
)
from agents.state import CampaignPerformance, MarketingAgentState, PlatformMetrics, TextsEffect

SUGGESTIONS = 3  #: the most that are told
ACTIONS = 5  #: the newest that are told
NUMBERS = ("Days", "Seen", "Clicks", "CTR", "Conversions", "Spend", "CPA", "Score")
COLUMNS = (Column("Platform"), *(Column(title, number=True) for title in NUMBERS))


def sections(state: MarketingAgentState) -> tuple[Section, ...]:
    """Tell what was measured, if anything was, and how good it is."""
    performance = state.campaign_performance
    score = Section("Score", _score(performance))
    if not performance.platforms:
        return (score,)
    results = Section("Results", (Table(COLUMNS, tuple(map(_row, performance.platforms))),))
    changes = tuple(told(one) for one in state.actions[-ACTIONS:])
    return (results, *each_ad(state), score, *((Section("Changes", (Points(changes),)),) if changes else ()))


def _row(one: PlatformMetrics) -> tuple[Cell, ...]:
    return (
        Platform(one.platform),
        Count(one.days),
        Count(one.impressions),
        Count(one.clicks),
        "" if one.ctr is None else Percent(one.ctr),
        Count(one.conversions),
        Money(one.spend, one.currency),
        "" if one.cpa is None else Figure(one.cpa),
        "" if one.score is None else Score(one.score),
    )


def _score(performance: CampaignPerformance) -> tuple[Block, ...]:
    if performance.overall_score is None:
        return (Line(("not measured",)),)
    blocks: list[Block] = [Line((Score(performance.overall_score), " of 1.00", *_rounds(performance)))]
    if performance.judgement is not None:
        blocks.append(Line((performance.judgement.why,)))
    effect = next((one.effect for one in reversed(performance.rounds) if one.effect is not None), None)
    if effect is not None:
        blocks.append(Line((_effect(effect),)))
    if performance.suggestions:
        blocks.append(Points(tuple((text,) for text in performance.suggestions[:SUGGESTIONS])))
    return tuple(blocks)


def _effect(effect: TextsEffect) -> str:
    """Tell what the newest texts have done: a difference only where the interval excludes that nothing happened."""
    before = "the best one before, which runs beside them" if effect.control else "those before"
    said = {
        "improved": f"the newest texts bring more for the same money than {before}",
        "worsened": f"the newest texts bring less for the same money than {before}",
        "unclear": f"whether the newest texts bring more than {before} can't be told",
    }
    return f"{said[effect.verdict]}: {effect.mean:+.0%}, between {effect.low:+.0%} and {effect.high:+.0%}"


def _rounds(performance: CampaignPerformance) -> Phrase:
    """Return the scores of all rounds when there was more than one."""
    if len(performance.rounds) < 2:
        return ()
    arrows = tuple(part for one in performance.rounds for part in (" → ", Score(one.overall_score)))
    return ("; round by round ", *arrows[1:])
