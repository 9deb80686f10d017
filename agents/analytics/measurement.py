"""From daily reports to a campaign's figures and scores.

Pure. Invariants: only the newest :data:`WINDOW_DAYS` days with a report count, so an old revision's good
days don't hide a new one's bad ones; a ratio without a denominator is None, never 0 or infinity.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from decimal import ROUND_HALF_UP, Decimal

from agents.performance_score import GOOD, content_score, overall_score, platform_score
from agents.state import (
    AdCreative,
    CampaignPerformance,
    ContentPiece,
    MarketingAgentState,
    PerformanceRound,
    PiecePerformance,
    PlatformMetrics,
)
from integrations.ads.platform import DayReport

WINDOW_DAYS = 7
_CENT = Decimal("0.01")


def platform_metrics(
    platform: str, days: Sequence[DayReport], currency: str, refused: Mapping[str, str] | None = None
) -> PlatformMetrics:
    """Sum up the newest days, in ``currency`` where the platform doesn't name its own."""
    newest = max((day.day for day in days), default=None)
    counted = [day for day in days if newest is not None and day.day > newest - timedelta(days=WINDOW_DAYS)]
    impressions = sum(day.impressions for day in counted)
    clicks = sum(day.clicks for day in counted)
    conversions = sum(day.conversions for day in counted)
    spend = sum((day.spend for day in counted), Decimal(0))
    found = PlatformMetrics(
        platform=platform,
        days=len(counted),
        impressions=impressions,
        clicks=clicks,
        conversions=conversions,
        spend=spend,
        currency=next((day.currency for day in counted if day.currency), currency),
        ctr=round(clicks / impressions, 6) if impressions else None,
        cvr=round(conversions / clicks, 6) if clicks else None,
        cpa=(spend / conversions).quantize(_CENT, rounding=ROUND_HALF_UP) if conversions else None,
        refused=refused or {},
        daily=tuple(sorted(counted, key=lambda day: day.day)),
    )
    return found.model_copy(update={"score": round(platform_score(found), 4)})


def performance(
    state: MarketingAgentState, platforms: Sequence[PlatformMetrics], suggestions: Iterable[str]
) -> CampaignPerformance:
    """Return the campaign's performance after this measurement, with the earlier rounds."""
    written = content_score([piece_quality(piece) for piece in state.generated_content])
    found = CampaignPerformance(
        content_score=round(written, 4) if written is not None else None,
        platforms=tuple(platforms),
        suggestions=tuple(suggestions),
    )
    score = round(overall_score(found), 4)
    earlier = tuple(one for one in state.campaign_performance.rounds if one.step != state.step)
    this = PerformanceRound(step=state.step, overall_score=score, platforms=tuple(platforms))
    return found.model_copy(update={"overall_score": score, "rounds": (*earlier, this)})


def piece_quality(piece: ContentPiece) -> float:
    """0..1: seven tenths the SEO score, three tenths how near the length is to what was asked for."""
    length = 1.0
    if piece.target_length > 0:
        length = max(0.0, 1.0 - abs(piece.word_count - piece.target_length) / piece.target_length)
    seo = piece.seo_score if 0 <= piece.seo_score <= 1 else 0.0  # NaN fails both
    return 0.7 * seo + 0.3 * length


def piece_performance(
    state: MarketingAgentState, platforms: Sequence[PlatformMetrics], overall: float
) -> tuple[PiecePerformance, ...]:
    """Score each piece: half its own quality, half the mean score of the ads cut from it (its quality without ads).

    Weak is what scores under 0.7; in a campaign under 0.7 without such a piece, the one that scores lowest.
    """
    scores = {metrics.platform: metrics.score or 0.0 for metrics in platforms if metrics.judged}
    found = [_piece(piece, state.ad_creatives, scores) for piece in state.generated_content]
    if found and overall < GOOD and not any(one.weak for one in found):
        lowest = min(range(len(found)), key=lambda at: (found[at].score, at))
        reason = "lowest score of a campaign that is below its bar"
        found[lowest] = found[lowest].model_copy(update={"weak": True, "reasons": (*found[lowest].reasons, reason)})
    return tuple(found)


def _piece(piece: ContentPiece, creatives: Sequence[AdCreative], scores: Mapping[str, float]) -> PiecePerformance:
    quality = piece_quality(piece)
    used = [scores[c.platform] for c in creatives if piece.piece_id in c.piece_ids and c.platform in scores]
    score = round((quality + sum(used) / len(used)) / 2 if used else quality, 4)
    reasons = list(piece.checks[:5])
    if used and sum(used) / len(used) < GOOD:
        reasons.append(f"ads made from it score {sum(used) / len(used):.2f}, below {GOOD}")
    return PiecePerformance(
        piece_id=piece.piece_id,
        revision=piece.revision,
        score=score,
        weak=score < GOOD,
        reasons=tuple(reasons),
    )
