"""What people are told about the content of a campaign: each piece with its length and its SEO score.

Pure.
"""

from __future__ import annotations

from agents.overview import Cell, Column, Count, Line, Score, Section, Table, Term
from agents.state import ContentPiece, MarketingAgentState

COLUMNS = (
    Column("Title", wraps=True),
    Column("Type"),
    Column("Words", number=True),
    Column("Asked", number=True),
    Column("SEO", number=True),
)


def sections(state: MarketingAgentState) -> tuple[Section, ...]:
    """Tell which pieces there are."""
    pieces = state.generated_content
    block = Table(COLUMNS, tuple(map(_row, pieces))) if pieces else Line(("nothing written",))
    return (Section("Content", (block,)),)


def _row(piece: ContentPiece) -> tuple[Cell, ...]:
    return (
        piece.title + (f" (revision {piece.revision})" if piece.revision > 1 else ""),
        Term(piece.content_type),
        Count(piece.word_count),
        Count(piece.target_length) if piece.target_length else "",
        Score(piece.seo_score),
    )
