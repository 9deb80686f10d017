"""What people are told about the results of a campaign: figures per platform, the score, and what to change.

Pure.
"""

from __future__ import annotations

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
from agents.state import CampaignPerformance, MarketingAgentState, PlatformMetrics

SUGGESTIONS = 3  #: the most that are told
NUMBERS = ("Days", "Seen", "Clicks", "CTR", "Conversions", "Spend", "CPA", "Score")
COLUMNS = (Column("Platform"), *(Column(title, number=True) for title in NUMBERS))


def sections(state: MarketingAgentState) -> tuple[Section, ...]:
    """Tell what was measured, if anything was, and how good it is."""
    performance = state.campaign_performance
    score = Section("Score", _score(performance))
    if not performance.platforms:
        return (score,)
    return Section("Results", (Table(COLUMNS, tuple(map(_row, performance.platforms))),)), score


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
    if performance.suggestions:
        blocks.append(Points(tuple((text,) for text in performance.suggestions[:SUGGESTIONS])))
    return tuple(blocks)


def _rounds(performance: CampaignPerformance) -> Phrase:
    """Return the scores of all rounds when there was more than one."""
    if len(performance.rounds) < 2:
        return ()
    arrows = tuple(part for one in performance.rounds for part in (" → ", Score(one.overall_score)))
    return ("; round by round ", *arrows[1:])
