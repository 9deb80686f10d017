"""Pieces of content that a campaign has, with their revisions, as they were when a step ended, and what they cost."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from agents.state import ContentPiece
from orchestration.flow.lineage import Checkpoint
from orchestration.ledger.database import Database


@dataclass(frozen=True, slots=True, kw_only=True)
class PieceRevision:
    """One revision of a piece."""

    step: int  #: at whose end it was there for the first time
    piece: ContentPiece


@dataclass(frozen=True, slots=True, kw_only=True)
class PieceCost:
    """What a piece has cost at language models, over all its revisions."""

    calls: int
    input_tokens: int
    output_tokens: int
    unpriced_tokens: int  #: of models without a known price, which ``usd`` does not hold
    usd: Decimal


def costs(database: Database, campaign_id: str) -> Mapping[str, PieceCost]:
    """Return what each piece has cost, by its id, of the pieces that a model has written or checked."""
    found = database.rows(
        "SELECT u.input ->> 'piece_id', sum(s.calls), sum(s.input_tokens), sum(s.output_tokens), "
        "sum(s.unpriced_tokens), sum(s.settled) FROM marketing.spend s JOIN marketing.units u "
        "ON u.campaign_id = s.campaign_id AND u.step = s.step AND u.stage = s.stage AND u.key = s.unit "
        "WHERE s.campaign_id = %s AND s.kind = 'llm' AND s.currency = 'USD' AND u.input ? 'piece_id' GROUP BY 1",
        campaign_id,
    )  # fmt: skip
    return {
        str(row[0]): PieceCost(
            calls=int(row[1]),
            input_tokens=int(row[2]),
            output_tokens=int(row[3]),
            unpriced_tokens=int(row[4]),
            usd=Decimal(row[5]),
        )
        for row in found
    }


def pieces(checkpoints: Mapping[int, Checkpoint], present: Sequence[ContentPiece]) -> list[list[PieceRevision]]:
    """Return the revisions of each piece, oldest first, in the order of the campaign's pieces.

    What is ``present`` comes last, also where no step has ended with it yet: a person may just have edited it.
    """
    found: dict[str, list[PieceRevision]] = {one.piece_id: [] for one in present}
    newest = max(checkpoints, default=0)
    for step in sorted(checkpoints):
        listed = checkpoints[step].patch.get("generated_content")
        for item in listed if isinstance(listed, list) else ():
            piece = ContentPiece.model_validate(item)
            _add(found.setdefault(piece.piece_id, []), PieceRevision(step=step, piece=piece))
    for piece in present:
        _add(found[piece.piece_id], PieceRevision(step=newest + 1, piece=piece))
    return [each for each in found.values() if each]


def _add(revisions: list[PieceRevision], new: PieceRevision) -> None:
    if not any(_same(one.piece, new.piece) for one in revisions):
        revisions.append(new)


def _same(one: ContentPiece, other: ContentPiece) -> bool:
    return _text(one) == _text(other) and one.revision == other.revision


def _text(piece: ContentPiece) -> tuple[str, ...]:
    return (piece.title, piece.body, piece.meta_description, piece.call_to_action)


def changed_fields(before: ContentPiece, after: ContentPiece) -> Iterable[str]:
    """Return the names of the texts in which two revisions differ."""
    names = ("title", "body", "meta_description", "call_to_action")
    return [name for name, one, other in zip(names, _text(before), _text(after), strict=True) if one != other]
